"""Cells that two sides changed differently, and the rules that decide between them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import repeat
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import canonical_json, cell_bytes
from burnish.core.delta import PROVENANCE, Delta, Ordinals, numbers
from burnish.core.keys import shorten
from burnish.errors import ColumnError, InputError

if TYPE_CHECKING:
    import pandas as pd


class _Open(Enum):
    OPEN = "open"

    def __repr__(self) -> str:
        return "OPEN"


OPEN: Final = _Open.OPEN
"""What a rule gives for a conflict that it leaves open; None is a value, the null one."""


class Conflict(NamedTuple):
    """One cell that both sides changed, each to another value.

    Attributes
    ----------
    key : key
        The row; None for a fact.
    column : str
        The column's id, or the fact's name.
    base, ours, theirs : object
        The value where both started, and on each side; None where there is none.
    ours_author, ours_reason, theirs_author, theirs_reason : str or None
    ours_time, theirs_time : datetime or None
        Who changed it, why and when. A side that kept what the other dropped has its newest edit
        of it here.
    """

    key: Any
    column: str
    base: Any
    ours: Any
    theirs: Any
    ours_author: str | None
    ours_reason: str | None
    ours_time: Any
    theirs_author: str | None
    theirs_reason: str | None
    theirs_time: Any


Keys: TypeAlias = Callable[[Ordinals], Iterable[Any]]
Rule: TypeAlias = (
    Literal["ours", "theirs", "newest"] | Mapping[tuple[Any, str], Any] | Callable[[Conflict], Any]
)
Exact: TypeAlias = Callable[[list[Any], pa.DataType], pa.Array]
_VALUES = ("base", "ours", "theirs")


def ordinals_as_keys(ordinals: Ordinals) -> list[int]:
    """Return ordinals where a caller knows no keys."""
    return list(map(int, ordinals))


def as_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Return values as a column of a type, as Arrow converts them."""
    return pa.array(values, kind, from_pandas=True)


def beside(ours: pa.Table, theirs: pa.Table) -> pa.Table:
    """Return cells of both sides, of the same rows or facts, as one table of conflicts.

    Returns
    -------
    Table
        ``ordinal`` (or ``name``), ``base, ours, theirs``, and the provenance of both sides as
        ``ours_author, …, theirs_author, …``.
    """
    key = ours.column_names[0]
    columns = [ours[key], ours["old"], ours["new"], theirs["new"]]
    names = [key, *_VALUES]
    for side, table in (("ours", ours), ("theirs", theirs)):
        columns += [table[name] for name in PROVENANCE.names]
        names += [f"{side}_{name}" for name in PROVENANCE.names]
    return pa.table(columns, names)


def moments(times: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Return times as numbers to compare; one that is not known comes before all others."""
    lowest = pa.scalar(np.iinfo(np.int64).min, pa.int64())
    return np.asarray(times.cast(pa.int64()).fill_null(lowest).to_numpy(), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Conflicts:
    """Cells and facts that both sides changed, each to another value.

    Attributes
    ----------
    cells : mapping of str to Table
        By column, in their order: ``ordinal``, ``base, ours, theirs`` of the column's type, and
        the provenance of both sides as ``ours_author, …, theirs_author, …``; sorted by ordinal.
    facts : Table or None
        The same with ``name`` in the place of the ordinal, the values as JSON texts.
    """

    cells: Mapping[str, pa.Table] = field(default_factory=lambda: MappingProxyType({}))
    facts: pa.Table | None = None

    def __len__(self) -> int:
        return sum(map(len, self.cells.values())) + (0 if self.facts is None else len(self.facts))

    def each(self, keys: Keys = ordinals_as_keys) -> Iterator[Conflict]:
        """Give the conflicts one by one, by column and ordinal, facts last.

        Parameters
        ----------
        keys : callable, optional
            Gives the keys of ordinals; without it the ordinals stand for them.
        """
        for column, table in self.cells.items():
            yield from _of_cells(keys, column, table)
        if self.facts is not None:
            yield from _of_facts(self.facts)

    def frame(self, keys: Keys = ordinals_as_keys) -> pd.DataFrame:
        """Return a table with a column of objects for each field of `Conflict`."""
        import pandas as pd

        return pd.DataFrame(self.each(keys), columns=list(Conflict._fields), dtype=object)


def resolve(
    conflicts: Conflicts,
    rule: Rule,
    *,
    keys: Keys = ordinals_as_keys,
    made: Mapping[str, Any] = MappingProxyType({}),
    exact: Exact = as_array,
) -> tuple[Delta, Conflicts]:
    """Decide conflicts by a rule.

    Parameters
    ----------
    conflicts : Conflicts
    rule : {"ours", "theirs", "newest"}, mapping or callable
        ``"newest"`` takes the side that changed the cell later, ours where the times are equal;
        a time that is not known counts as the oldest. A mapping gives values by
        ``(key, column)``, or ``(None, name)`` for a fact; what it does not name stays open. A
        callable takes a `Conflict` and returns the value to take, or `OPEN`.
    keys : callable, optional
        Gives the keys of ordinals; without it the ordinals stand for them.
    made : mapping, optional
        Author, reason, time and so on of values that neither side has.
    exact : callable, optional
        Turns values into a column of a type and refuses those that do not fit.

    Returns
    -------
    delta : Delta
        What to apply on our side. A cell that takes their value keeps their provenance.
    left : Conflicts
        Those that stay open.

    Raises
    ------
    InputError
        The rule is unknown, a mapping names what is no conflict, or a callable gives None where
        neither side has null: most likely it forgot to return.
    ColumnError
        A value does not fit its column's type.
    """
    if isinstance(rule, str):
        return _resolved(conflicts, _by_side(rule))
    if isinstance(rule, Mapping):
        _refuse_unknown(rule, conflicts, keys)
        return _resolved(conflicts, _by_cell(_looked_up(rule), keys, made, exact))
    return _resolved(conflicts, _by_cell(_checked(rule), keys, made, exact))


_Split: TypeAlias = tuple[pa.Table, pa.Table]
_Decide: TypeAlias = Callable[[str | None, pa.Table], _Split]


def _resolved(conflicts: Conflicts, decide: _Decide) -> tuple[Delta, Conflicts]:
    done = {column: decide(column, table) for column, table in conflicts.cells.items()}
    cells = {column: taken for column, (taken, _) in done.items() if len(taken)}
    left = {column: rest for column, (_, rest) in done.items() if len(rest)}
    if conflicts.facts is None:
        return Delta(cells), Conflicts(left)
    taken, rest = decide(None, conflicts.facts)
    return Delta(cells, facts=taken), Conflicts(left, rest if len(rest) else None)


def _by_side(rule: str) -> _Decide:
    masks = {"ours": _none, "theirs": _all, "newest": _later}
    if rule not in masks:
        raise InputError(
            f"{rule!r} is no rule for conflicts, expected one of {', '.join(masks)}",
            hint="give one of these, a dict of (key, column) to value, or a function",
        )
    return lambda _, table: (_taken(table.filter(masks[rule](table))), table.slice(0, 0))


def _none(table: pa.Table) -> pa.Array:
    return pa.array(np.zeros(len(table), bool))


def _all(table: pa.Table) -> pa.Array:
    return pa.array(np.ones(len(table), bool))


def _later(table: pa.Table) -> pa.Array:
    return pa.array(moments(table["theirs_time"]) > moments(table["ours_time"]))


def _by_cell(
    rule: Callable[[Conflict], Any], keys: Keys, made: Mapping[str, Any], exact: Exact
) -> _Decide:
    def decide(column: str | None, table: pa.Table) -> _Split:
        each = _of_facts(table) if column is None else _of_cells(keys, column, table)
        values = [rule(conflict) for conflict in each]
        settled = [value for value in values if value is not OPEN]
        still = pa.array([value is OPEN for value in values], pa.bool_())
        new = _as_column(settled, column, table["ours"].type, exact)
        return _settled(table.filter(pc.invert(still)), new, made), table.filter(still)

    return decide


def _settled(table: pa.Table, new: pa.Array, made: Mapping[str, Any]) -> pa.Table:
    changed = _unlike(new, table["ours"])
    table, new = table.filter(changed), new.filter(changed)
    of_nobody = _unlike(new, table["theirs"])
    table = _with(table, "theirs", new)
    for name, kind in zip(PROVENANCE.names, PROVENANCE.types, strict=True):
        ours_now = pa.scalar(made.get(name), kind)
        stamp = pc.if_else(of_nobody, ours_now, table[f"theirs_{name}"])
        table = _with(table, f"theirs_{name}", stamp)
    return _taken(table)


def _taken(table: pa.Table) -> pa.Table:
    key = table.column_names[0]
    stamps = [f"theirs_{name}" for name in PROVENANCE.names]
    cells = table.select([key, "ours", "theirs", *stamps])
    return cells.rename_columns([key, "old", "new", *PROVENANCE.names])


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def _unlike(values: Any, others: Any) -> pa.Array:
    return pc.not_equal(cell_bytes(values), cell_bytes(others))


def _as_column(values: list[Any], column: str | None, kind: pa.DataType, exact: Exact) -> pa.Array:
    try:
        return pa.array(map(_as_json, values), kind) if column is None else exact(values, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise ColumnError(
            f"a value chosen for {column or 'a fact'} does not fit its type {kind}: {error}",
            hint="choose a value of that type, the value of one side, or OPEN",
        ) from error


def _looked_up(choices: Mapping[tuple[Any, str], Any]) -> Callable[[Conflict], Any]:
    return lambda conflict: choices.get((conflict.key, conflict.column), OPEN)


def _checked(rule: Callable[[Conflict], Any]) -> Callable[[Conflict], Any]:
    def choose(conflict: Conflict) -> Any:
        value = rule(conflict)
        if value is None and conflict.ours is not None and conflict.theirs is not None:
            raise InputError(
                f"the rule gave None for {conflict.column!r} of {conflict.key!r}, where it is "
                f"{conflict.ours!r} on our side and {conflict.theirs!r} on theirs",
                hint="return conflict.ours, conflict.theirs, another value, or OPEN; "
                "to set null, give a dict of (key, column) to None",
            )
        return value

    return choose


def _refuse_unknown(
    choices: Mapping[tuple[Any, str], Any], conflicts: Conflicts, keys: Keys
) -> None:
    known = {(conflict.key, conflict.column) for conflict in conflicts.each(keys)}
    unknown = [place for place in choices if place not in known]
    if unknown:
        raise InputError(
            f"{len(unknown)} of {len(choices)} choices are for no conflict: {shorten(unknown)}",
            hint="name conflicts by (key, column), a fact by (None, its name)",
        )


def _of_cells(keys: Keys, column: str, table: pa.Table) -> Iterator[Conflict]:
    values = [table[name].to_pylist() for name in _VALUES]
    rows = keys(numbers(table, "ordinal"))
    return map(Conflict, rows, repeat(column), *values, *_stamps(table))


def _of_facts(table: pa.Table) -> Iterator[Conflict]:
    values = [map(_from_json, table[name].to_pylist()) for name in _VALUES]
    return map(Conflict, repeat(None), table["name"].to_pylist(), *values, *_stamps(table))


def _stamps(table: pa.Table) -> list[list[Any]]:
    return [table[name].to_pylist() for name in Conflict._fields[5:]]


def _from_json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _as_json(value: Any) -> str | None:
    return None if value is None else canonical_json(value).decode()
