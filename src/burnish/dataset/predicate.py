"""Where a SQL predicate is true, in an engine that can reach nothing but the columns given.

The text must parse as one scalar expression over the dataset's columns. Sub-queries, windows,
aggregates, parameters and functions whose result may differ between two calls are refused; the
engine has a connection of its own without access to files, network, settings or extensions, and
counts days and hours of moments in UTC, wherever the machine stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.errors import PredicateError

_ALLOWED = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "OPERATOR",
    "TYPE",
}
_WORDS = {"SUBQUERY": "a sub-query", "WINDOW": "a window", "STAR": "*", "LAMBDA": "a lambda"}


def evaluate(
    predicate: str, columns: list[str], read: Callable[[str], pa.Array], n_rows: int
) -> npt.NDArray[np.bool_]:
    """Return where a predicate is true; null counts as false.

    Parameters
    ----------
    predicate : str
        One SQL expression (DuckDB's dialect) over the columns.
    columns : list of str
        Columns that may be named.
    read : callable
        Gives a column of length `n_rows`; called only for columns that the predicate names.
    n_rows : int

    Returns
    -------
    bool array of shape (n_rows,)

    Raises
    ------
    PredicateError
        It does not parse, names an unknown column, is no truth value, or tries to reach outside.
    """
    import duckdb

    used = columns_of(predicate, columns)
    table = pa.table({name: read(name) for name in used} or {"$n": np.zeros(n_rows, bool)})
    with _locked() as connection:
        connection.register("live", table)
        sql = f"SELECT coalesce(CAST((\n{predicate}\n) AS BOOLEAN), FALSE) AS hit FROM live"
        try:
            hits = connection.sql(sql).to_arrow_table()["hit"]
        except duckdb.Error as error:
            raise _refusal(predicate, str(error).splitlines()[0]) from error
    return np.asarray(hits.to_numpy(), dtype=bool)


def columns_of(predicate: str, columns: list[str]) -> list[str]:
    """Return the columns a predicate names, after checking that it is allowed."""
    used: dict[str, None] = {}
    folded: dict[str, list[str]] = {}
    for name in columns:
        folded.setdefault(name.casefold(), []).append(name)
    for node in _nodes(_parse(predicate)):
        kind = node["class"]
        if kind not in _ALLOWED:
            raise _refusal(predicate, f"{_WORDS.get(kind, kind.lower())} is not allowed")
        if kind == "FUNCTION":
            _check_function(predicate, node)
        if kind == "COLUMN_REF":
            name = node["column_names"][0]
            meant = folded.get(name.casefold(), [])
            if not meant:
                raise _refusal(predicate, f"there is no column {name!r}, only {', '.join(columns)}")
            if len(meant) > 1:
                raise _refusal(predicate, f"{name!r} may mean {' or '.join(map(repr, meant))}")
            used[meant[0]] = None
    return list(used)


def _locked() -> Any:
    import duckdb

    connection = duckdb.connect(
        config={
            "enable_external_access": "false",
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    with suppress(duckdb.CatalogException):  # a build without time zones has no such setting
        connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET lock_configuration = true")
    return connection


def _parse(predicate: str) -> dict[str, Any]:
    with _locked() as connection:
        text = connection.execute(
            "SELECT json_serialize_sql(?)", [f"SELECT {predicate}"]
        ).fetchall()[0][0]
    tree = json.loads(text)
    if tree["error"]:
        raise _refusal(predicate, tree.get("error_message", "it does not parse"))
    statements = [statement["node"] for statement in tree["statements"]]
    node = statements[0]
    plain = (
        len(statements) == 1
        and node["type"] == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"]["type"] == "EMPTY"
        and not node["modifiers"]
        and not node["where_clause"]
        and not node["cte_map"]["map"]
    )
    if not plain:
        raise _refusal(predicate, "it is not one expression")
    expression: dict[str, Any] = node["select_list"][0]
    return expression


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _nodes(item)
    if isinstance(value, dict):
        if "class" in value and "type" in value:
            yield value
        for inner in value.values():
            yield from _nodes(inner)


def _check_function(predicate: str, node: dict[str, Any]) -> None:
    name = node["function_name"].lower()
    if name not in _pure_functions():
        raise _refusal(
            predicate, f"the function {name}() is unknown, volatile or no plain function"
        )


@cache
def _pure_functions() -> frozenset[str]:
    with _locked() as connection:
        rows = connection.execute(
            "SELECT function_name, bool_and(coalesce(stability, 'CONSISTENT') = 'CONSISTENT' "
            "AND function_type IN ('scalar', 'macro') AND NOT coalesce(has_side_effects, FALSE)) "
            "FROM duckdb_functions() WHERE function_type <> 'pragma' GROUP BY function_name"
        ).fetchall()
    return frozenset(name for name, pure in rows if pure) - _MEDDLING


_MEDDLING = frozenset({"getvariable", "current_setting", "error", "sleep", "write_log", "nextval"})


def _refusal(predicate: str, why: str) -> PredicateError:
    return PredicateError(
        f"the predicate {predicate!r} cannot be used: {why}",
        hint='write one SQL expression over the columns, such as "length(text) < 40"',
    )
