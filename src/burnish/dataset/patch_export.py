"""The change between two versions as a patch: by key and column name, in a fixed order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import cell_bytes
from burnish.core.delta import (
    PROVENANCE,
    ROW,
    Delta,
    Ordinals,
    cells_schema,
    is_system,
    numbers,
    without_no_ops,
)
from burnish.core.patch import Header, Line, Patch, Stamp
from burnish.core.schema import Column
from burnish.core.spelling import Json, spelled, spelled_type
from burnish.dataset.history import History
from burnish.dataset.state import State
from burnish.errors import PatchError
from burnish.store.rows import PARENT


def patch_between(history: History, old: str, new: str) -> Patch:
    """Return what changed from one version to another as a patch."""
    change = _Change(history.between(old, new), history.state(old), history.state(new))
    types = {name: _spellable(change.after, name) for name in change.names()}
    header = Header(
        dataset=history.root,
        old=_version(history, old),
        new=_version(history, new),
        key=tuple(change.after.key),
        types=types,
    )
    return Patch(header, tuple(change.lines()))


def row_values(state: State, columns: list[Column], ordinals: Ordinals) -> list[dict[str, Json]]:
    """Return rows as JSON objects of some columns, by their names."""
    parts = [spelled(state.cells_at(column.id, ordinals)) for column in columns]
    names = [column.name for column in columns]
    return [
        dict(zip(names, (part[place] for part in parts), strict=True))
        for place in range(len(ordinals))
    ]


def without_keys(state: State) -> list[Column]:
    """Return the columns but those of the key."""
    return [column for column in state.schema.columns if column.name not in state.key]


@dataclass(frozen=True, eq=False)
class _Change:
    """The net change between two states."""

    delta: Delta
    before: State
    after: State

    def names(self) -> set[str]:
        """Return the columns that lines have values of, those of the key among them."""
        if len(self._rows):
            return set(self.after.names)
        changed = {self.after.name_of(c) for c in self._columns() if not is_system(c)}
        return {*self.after.key, *changed, *(column.name for column in self._new_columns())}

    def lines(self) -> Iterator[Line]:
        """Give all lines, in their order."""
        yield from self._facts()
        sources = {column.name: column for column in self._new_columns()}
        cells = {self.after.name_of(column): column for column in self._columns()}
        for name in sorted({*sources, *cells, ROW}):
            if name == ROW and len(self._rows):
                yield from self._moved()
            if name in sources:
                yield from self._values(sources[name])
            if name in cells:
                yield from self._cells(name, self._table(cells[name]))

    def _moved(self) -> Iterator[Line]:
        """Give the rows that came or went."""
        table = self._rows.filter(self._came_or_went)
        ordinals = numbers(table, "ordinal")
        order, keys = _keyed(self.after, ordinals)
        came = table["new"].is_valid().to_numpy()
        old = self._contents(self.before, ordinals, ~came)
        new = self._contents(self.after, ordinals, came)
        parents = _parents(self.after, ordinals)
        stamps = _stamps(table)
        for i in order:
            parent = parents[i] if came[i] else None
            yield Line("row", ROW, keys[i], old[i], new[i], stamps[i], parent)

    @cached_property
    def _rows(self) -> pa.Table:
        return self.delta.cells.get(ROW, cells_schema(pa.string()).empty_table())

    @property
    def _came_or_went(self) -> Any:
        return pc.or_(pc.is_null(self._rows["old"]), pc.is_null(self._rows["new"]))

    @cached_property
    def _replaced(self) -> pa.Table:
        """Cells of ``$row`` of rows that were taken out and added again, with other content."""
        return self._rows.filter(pc.invert(self._came_or_went))

    def _contents(self, state: State, ordinals: Ordinals, chosen: Any) -> list[Json]:
        shared = [c for c in without_keys(self.after) if c.id in state.schema.by_id]
        values = iter(row_values(state, shared, ordinals[chosen]))
        return [next(values) if there else None for there in chosen]

    def _columns(self) -> list[str]:
        known = {column.id for column in without_keys(self.after)}
        system = {name for name in self.delta.cells if is_system(name) and name != ROW}
        if len(self._replaced):
            return sorted(known | system)
        return sorted(self.delta.cells.keys() & known | system)

    def _new_columns(self) -> Iterator[Column]:
        for column in self.after.schema.columns:
            known = self.before.schema.by_id.get(column.id)
            if column.source is not None and (known is None or known.source != column.source):
                yield column

    def _facts(self) -> Iterator[Line]:
        rows = self.delta.facts.select(["name", "old", "new"]).to_pylist()
        for row, stamp in zip(rows, _stamps(self.delta.facts), strict=True):
            old, new = (None if row[n] is None else json.loads(row[n]) for n in ("old", "new"))
            yield Line("fact", row["name"], old=old, new=new, stamp=stamp)

    def _values(self, column: Column) -> Iterator[Line]:
        file = self.after.rows.column_file(str(column.source))
        order, keys = _keyed(self.after, file.ordinals)
        values = spelled(file.values)
        for i in order:
            yield Line("value", column.name, keys[i], new=values[i])

    def _table(self, column: str) -> pa.Table:
        """Return the changed cells of a column of rows that are there before and after."""
        table = self.delta.cells.get(column)
        if is_system(column):
            return table
        parts = [] if table is None else [table.select(cells_schema(table["new"].type).names)]
        if parts:
            rows = numbers(parts[0], "ordinal")
            stay = self.before.is_there(rows) & self.after.is_there(rows)
            stay &= ~np.isin(rows, numbers(self._replaced, "ordinal"))
            parts[0] = parts[0].filter(pa.array(stay))
        if len(self._replaced):
            parts.append(self._compared(column))
        return pa.concat_tables(parts).combine_chunks()

    def _compared(self, column: str) -> pa.Table:
        rows = numbers(self._replaced, "ordinal")
        new = self.after.cells_at(column, rows)
        known = column in self.before.schema.by_id
        old = self.before.cells_at(column, rows) if known else pa.nulls(len(rows), new.type)
        stamps = [self._replaced[name] for name in PROVENANCE.names]
        schema = cells_schema(new.type)
        return without_no_ops(pa.table([pa.array(rows), old, new, *stamps], schema=schema))

    def _cells(self, name: str, table: pa.Table) -> Iterator[Line]:
        order, keys = _keyed(self.after, numbers(table, "ordinal"))
        old, new = (spelled(table[side].combine_chunks()) for side in ("old", "new"))
        stamps = _stamps(table)
        for i in order:
            yield Line("cell", name, keys[i], old[i], new[i], stamps[i])


def _keyed(state: State, ordinals: Ordinals) -> tuple[list[int], list[Json]]:
    """Return the order of rows by key, and their keys as JSON."""
    columns = [state.rows.key_column(name, ordinals) for name in state.key]
    order = np.lexsort([_ranks(column) for column in columns[::-1]])
    parts = [spelled(column) for column in columns]
    keys = parts[0] if len(parts) == 1 else [list(key) for key in zip(*parts, strict=True)]
    return order.tolist(), keys


def _ranks(column: pa.Array) -> Any:
    """Return numbers that sort whole numbers by size and anything else by its canonical bytes."""
    if pa.types.is_integer(column.type):
        return column.to_numpy()
    return np.unique(cell_bytes(column).to_numpy(zero_copy_only=False), return_inverse=True)[1]


def _parents(state: State, ordinals: Ordinals) -> list[Json]:
    parts = [spelled(state.take(PARENT + name, ordinals)) for name in state.key]
    if len(parts) == 1:
        return parts[0]
    keys = (list(key) for key in zip(*parts, strict=True))
    return [None if any(part is None for part in key) else key for key in keys]


def _stamps(table: pa.Table) -> list[Stamp]:
    columns = [spelled(table[name].combine_chunks()) for name in Stamp._fields]
    return [Stamp(*row) for row in zip(*columns, strict=True)]


def _version(history: History, commit: str) -> dict[str, str]:
    version = history.version(commit)
    return {"name": version.name, "id": version.id, "fingerprint": version.fingerprint}


def _spellable(state: State, name: str) -> pa.DataType:
    kind = state.type_of(name)
    try:
        spelled_type(kind)
    except ValueError as error:
        raise PatchError(
            f"column {name!r} is of type {kind}, which a patch cannot hold",
            hint=f"leave it out: cast or drop it with ds.drop_column({name!r})",
        ) from error
    return kind
