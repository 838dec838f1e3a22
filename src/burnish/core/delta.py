"""The net change between two states of a dataset, as cells.

Everything that changes is a cell: a column, a row's ordinal, the value before and after. Dropping
a row is a cell of the column ``$dropped``, marking it one of ``$mark:<name>``; so squashing,
inverting, diffing and undoing need one rule each. What is true of the dataset as a whole, its
columns and their roles, is a cell too: a *fact*, with a name in the place of a column and a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import cell_bytes

DROPPED = "$dropped"
ROW = "$row"
MARK = "$mark:"
VERSION = "version"
COLUMN = "column:"
Ordinals = npt.NDArray[np.int64]
_NO_ROWS: Ordinals = np.empty(0, np.int64)

PROVENANCE = pa.schema(
    [
        ("reason", pa.string()),
        ("finding", pa.string()),
        ("confidence", pa.float32()),
        ("author", pa.string()),
        ("time", pa.timestamp("us", "UTC")),
    ]
)
DECISIONS = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("verdict", pa.string()),
        ("finding", pa.string()),
        ("position", pa.int32()),
        ("reason", pa.string()),
        ("author", pa.string()),
        ("time", pa.timestamp("us", "UTC")),
    ]
)
NO_DECISIONS = DECISIONS.empty_table()
FACTS = pa.schema([("name", pa.string()), ("old", pa.string()), ("new", pa.string()), *PROVENANCE])
NO_FACTS = FACTS.empty_table()


def cells_schema(kind: pa.DataType) -> pa.Schema:
    """Return the schema of the cells of a column of this type."""
    return pa.schema([("ordinal", pa.int64()), ("old", kind), ("new", kind), *PROVENANCE])


def is_system(column: str) -> bool:
    """Whether a column is burnish's own: drops and marks."""
    return column.startswith("$")


@dataclass(frozen=True, eq=False)
class Delta:
    """Changed cells by column, decisions in the order they were made, and changed facts.

    Attributes
    ----------
    cells : mapping of str to Table
        For each column ``ordinal, old, new`` and provenance, sorted by ordinal, each row once.
    decisions : Table
    facts : Table
        ``name, old, new`` as JSON texts, null where there is none, and provenance; sorted by
        name, each once.
    """

    cells: Mapping[str, pa.Table] = field(default_factory=lambda: MappingProxyType({}))
    decisions: pa.Table = field(default_factory=lambda: NO_DECISIONS)
    facts: pa.Table = field(default_factory=lambda: NO_FACTS)

    def __len__(self) -> int:
        return sum(len(table) for table in self.cells.values()) + len(self.facts)

    def __bool__(self) -> bool:
        return bool(len(self) or len(self.decisions))

    def ordinals(self, column: str) -> Ordinals:
        """Return the rows whose cell in this column changes, sorted."""
        table = self.cells.get(column)
        return numbers(table, "ordinal") if table is not None else np.empty(0, np.int64)


EMPTY = Delta()


def numbers(table: pa.Table, column: str) -> npt.NDArray[np.int64]:
    """Return an integer column as a NumPy array."""
    return np.asarray(table[column].to_numpy(), dtype=np.int64)


def squash(deltas: Iterable[Delta]) -> Delta:
    """Return the net change of deltas that follow each other.

    A cell keeps its first old value, its last new value and the provenance of its last change; a
    cell that ends where it began is gone, but in a row that was added: there ``old`` is what was
    left of an earlier life of the row, which others do not know. Decisions are kept, in order.
    """
    parts = [delta for delta in deltas if delta]
    if len(parts) <= 1:
        return parts[0] if parts else EMPTY
    columns = dict.fromkeys(name for part in parts for name in part.cells)
    tables = {name: [p.cells[name] for p in parts if name in p.cells] for name in columns}
    fresh = added_rows(_net(tables[ROW])) if ROW in tables else _NO_ROWS
    cells = {n: _net(each, fresh if n != ROW else _NO_ROWS) for n, each in tables.items()}
    decisions = pa.concat_tables([part.decisions for part in parts]).combine_chunks()
    return netted(cells, (part.facts for part in parts), decisions)


def netted(
    cells: Mapping[str, pa.Table], facts: Iterable[pa.Table], decisions: pa.Table = NO_DECISIONS
) -> Delta:
    """Return net cells, without columns that came and went, and the net change of facts."""
    last = latest_facts(facts)
    came_and_went = _came_and_went(last)
    cells = {n: table for n, table in cells.items() if len(table) and n not in came_and_went}
    return Delta(cells, decisions, _without_unchanged(last))


def invert(delta: Delta) -> Delta:
    """Return the change back; decisions are not taken back by it."""
    cells = {name: _swap(table) for name, table in delta.cells.items()}
    return Delta(cells, facts=_swap(delta.facts))


def without_rows(delta: Delta, gone: Ordinals) -> Delta:
    """Return a change without the cells and decisions of some rows."""
    cells = {name: _others(table, gone) for name, table in delta.cells.items()}
    left = {name: table for name, table in cells.items() if len(table)}
    return Delta(left, _others(delta.decisions, gone), delta.facts)


def touches(delta: Delta, ordinals: Ordinals) -> bool:
    """Whether a change holds cells or decisions of any of these rows."""
    tables = [*delta.cells.values(), delta.decisions]
    return any(np.isin(numbers(table, "ordinal"), ordinals).any() for table in tables)


def stamped(delta: Delta, version: int) -> Delta:
    """Return a change whose cells carry the number of the version that made them.

    Cells that carry one already, as those of a merge do, keep it.
    """
    cells = {name: _stamped(table, version) for name, table in delta.cells.items()}
    return Delta(cells, delta.decisions, delta.facts)


def _others(table: pa.Table, gone: Ordinals) -> pa.Table:
    inside = np.isin(numbers(table, "ordinal"), gone)
    return table.filter(pa.array(~inside)) if inside.any() else table


def _stamped(table: pa.Table, version: int) -> pa.Table:
    if VERSION in table.column_names:
        return table
    return table.append_column(VERSION, pa.array(np.full(len(table), version, np.int32)))


def unnumbered(delta: Delta) -> Delta:
    """Return a change whose cells carry no number of a version."""
    cells = {name: _unnumbered(table) for name, table in delta.cells.items()}
    return Delta(cells, delta.decisions, delta.facts)


def _unnumbered(table: pa.Table) -> pa.Table:
    return table.drop_columns([VERSION]) if VERSION in table.column_names else table


def without_no_ops(table: pa.Table, kept: Ordinals = _NO_ROWS) -> pa.Table:
    """Return the cells whose value really changes, and those of some rows in any case."""
    same = pc.equal(cell_bytes(table["old"]), cell_bytes(table["new"]))
    if len(kept):
        same = pc.and_(same, pa.array(~np.isin(numbers(table, "ordinal"), kept)))
    return table.filter(pc.invert(same)) if pc.any(same).as_py() else table


def latest(tables: list[pa.Table]) -> pa.Table:
    """Return the last change of each cell, with its first old value, whether it ends as it began.

    Parameters
    ----------
    tables : list of Table
        Cells of one column that follow each other; at least one.
    """
    return tables[0] if len(tables) == 1 else last_of(pa.concat_tables(tables).combine_chunks())


def last_of(table: pa.Table) -> pa.Table:
    """Return the last change of each cell in a table of changes that follow each other."""
    ordinals = numbers(table, "ordinal")
    order = np.argsort(ordinals, kind="stable")
    ordered = ordinals[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(ordered)] - 1
    net = table.take(pa.array(order[ends]))
    old = table["old"].take(pa.array(order[starts]))
    return net.set_column(net.schema.get_field_index("old"), "old", old)


def _net(tables: list[pa.Table], fresh: Ordinals = _NO_ROWS) -> pa.Table:
    return tables[0] if len(tables) == 1 else without_no_ops(latest(tables), fresh)


def added_rows(rows: pa.Table | None) -> Ordinals:
    """Return the rows that cells of ``$row`` add, or read from elsewhere than before."""
    if rows is None:
        return _NO_ROWS
    return numbers(rows.filter(pc.is_valid(rows["new"])), "ordinal")


def latest_facts(tables: Iterable[pa.Table]) -> pa.Table:
    """Return the last change of each fact, with its first old value, as `latest` does of cells."""
    changed = [table for table in tables if len(table)]
    if len(changed) <= 1:
        return changed[0] if changed else NO_FACTS
    last: dict[str, dict[str, Any]] = {}
    for row in pa.concat_tables(changed).to_pylist():
        first = last.get(row["name"], row)
        last[row["name"]] = {**row, "old": first["old"]}
    return pa.Table.from_pylist([last[name] for name in sorted(last)], changed[0].schema)


def _without_unchanged(facts: pa.Table) -> pa.Table:
    return without_no_ops(facts) if len(facts) else facts


def _came_and_went(facts: pa.Table) -> set[str]:
    """Return the ids of columns that were not there before and are not there after."""
    nothing = pc.and_(pc.is_null(facts["old"]), pc.is_null(facts["new"]))
    names = facts.filter(nothing)["name"].to_pylist()
    return {name.removeprefix(COLUMN) for name in names if name.startswith(COLUMN)}


def _swap(table: pa.Table) -> pa.Table:
    names = ["new" if n == "old" else "old" if n == "new" else n for n in table.column_names]
    return table.rename_columns(names).select(table.column_names)
