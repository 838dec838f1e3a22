"""What a change would take away although it was edited since the change was made.

A change that takes rows out or drops a column does not name the cells that go with them. So these
are compared with what the change knew: the states that it begins and ends on, and those in which
its history and this one met. A cell that reads as in one of them goes; any other was edited here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.conflicts import Conflicts, beside, moments
from burnish.core.delta import (
    COLUMN,
    DROPPED,
    MARK,
    PROVENANCE,
    ROW,
    Delta,
    Ordinals,
    cells_schema,
    numbers,
)
from burnish.core.schema import Column
from burnish.dataset.applying import last_edits, nobody, same_cells
from burnish.dataset.casting import cast_or_null, cast_steps
from burnish.dataset.state import State

Mask = npt.NDArray[np.bool_]
_WHO = pa.schema([("ordinal", pa.int64()), *PROVENANCE])


def with_lost_edits(
    left: Conflicts, state: State, taken: Delta, known: Callable[[], Sequence[State]]
) -> Conflicts:
    """Return conflicts and the edits that a change would take away without naming them.

    Parameters
    ----------
    left : Conflicts
        Those that are known.
    state : State
    taken : Delta
        What would change in that state.
    known : callable
        Gives the states that the change begins and ends on, then those where its history and
        that of `state` met; asked only where something goes.

    Returns
    -------
    Conflicts
        A cell of a row or a column that would go has the value that the change knew as ``base``,
        the one that is there as ``ours``, and null as ``theirs``. An edit in a row that would be
        dropped is a conflict of ``$dropped``, as in a merge: such a row can come back.

    Notes
    -----
    Costs the rows that go, and the rows of a column that goes which were edited or added.
    """
    going = _Going(state, taken)
    if not going:
        return left
    lost = _Lost(state, known())
    cells = dict(left.cells)
    for column, table in (*lost.with_columns(going), *lost.with_rows(going)):
        if not len(table):
            continue
        parts = [cells[column]] if column in cells else []
        cells[column] = pa.concat_tables([*parts, table]).sort_by("ordinal")
    return Conflicts(dict(sorted(cells.items())), left.facts)


@dataclass(frozen=True, eq=False)
class _Going:
    """What a change takes away, each with who does it.

    A change holds a fact for each column that goes, a cell of ``$row`` for each row that goes,
    and one of ``$dropped`` for each that is dropped.
    """

    state: State
    taken: Delta

    def __bool__(self) -> bool:
        return bool(self.columns or len(self.rows) or len(self.dropped))

    @cached_property
    def columns(self) -> dict[str, pa.Table]:
        facts = self.taken.facts.filter(pc.is_null(self.taken.facts["new"]))
        names = facts["name"].to_pylist()
        return {
            name.removeprefix(COLUMN): facts.slice(place, 1).select(PROVENANCE.names)
            for place, name in enumerate(names)
            if name.startswith(COLUMN)
        }

    @cached_property
    def rows(self) -> pa.Table:
        return _who(self.taken.cells.get(ROW), lambda table: pc.is_null(table["new"]))

    @cached_property
    def dropped(self) -> pa.Table:
        return _who(self.taken.cells.get(DROPPED), lambda table: table["new"])

    @cached_property
    def staying(self) -> list[Column]:
        """The columns that stay and are no part of the key."""
        schema = self.state.schema
        return [
            c for c in schema.columns if c.id not in self.columns and c.name not in self.state.key
        ]


@dataclass(frozen=True, eq=False)
class _Lost:
    """Compares what is there with what was known."""

    state: State
    known: Sequence[State]

    def with_columns(self, going: _Going) -> Iterator[tuple[str, pa.Table]]:
        for identity, who in going.columns.items():
            rows = self._touched(identity)
            wanted = _repeated(who, len(rows)).add_column(0, "ordinal", pa.array(rows))
            yield identity, self._of_column(self.state.schema.by_id[identity], wanted)

    def with_rows(self, going: _Going) -> Iterator[tuple[str, pa.Table]]:
        if len(going.rows):
            for column in going.staying:
                yield column.id, self._of_column(column, going.rows)
            for mark in self.state.marks:
                yield MARK + mark, self._set_since(MARK + mark, True, going.rows)
            yield DROPPED, self._set_since(DROPPED, False, going.rows)
        if len(going.dropped):
            yield DROPPED, self._dropped(going)

    def _touched(self, column: str) -> Ordinals:
        """Return the rows in which a column may differ from what was known of it."""
        states = (self.state, *self.known)
        parts = [
            numbers(state.net(column), "ordinal")
            for state in states
            if column in state.schema.by_id
        ]
        rows = np.unique(np.concatenate([*parts, *(state.added for state in states)]))
        return rows[self.state.is_there(rows)]

    def _of_column(self, column: Column, going: pa.Table) -> pa.Table:
        rows = numbers(going, "ordinal")
        now = self.state.cells_at(column.id, rows)
        edited = self._edited(column, rows, now, pa.nulls(len(rows), now.type))
        base, _ = _held(self.known[0], self.state, column, rows)
        return self._beside(column.id, going, base, now, edited)

    def _edited(self, column: Column, rows: Ordinals, now: pa.Array, fresh: pa.Array) -> Mask:
        """Return which cells read as in no known state, or where none has them, are not fresh."""
        alike, known = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
        for other in self.known:
            held, there = _held(other, self.state, column, rows)
            alike |= there & same_cells(now, held)
            known |= there
        return ~(alike | (~known & same_cells(now, fresh)))

    def _set_since(self, column: str, value: bool, going: pa.Table) -> pa.Table:
        """Return the cells of a mark, or of ``$dropped``, that were given a value since."""
        rows = numbers(going, "ordinal")
        now = self.state.cells_at(column, rows)
        edited = _truths(now) == value
        for other in self.known:
            edited &= ~other.is_there(rows) | (_truths(other.cells_at(column, rows)) != value)
        base = self.known[0].cells_at(column, rows)
        return self._beside(column, going, base, now, edited)

    def _dropped(self, going: _Going) -> pa.Table:
        """Return the rows that were edited and would be dropped, with the newest edit of each."""
        rows = numbers(going.dropped, "ordinal")
        edited, edits = np.zeros(len(rows), bool), [nobody(len(rows))]
        for column in going.staying:
            now = self.state.cells_at(column.id, rows)
            found = self._edited(column, rows, now, self.state.origin_at(column.id, rows))
            places = pa.array(np.arange(len(rows)), mask=~found)
            edits.append(last_edits(self.state, column.id, rows).take(places))
            edited |= found
        stays = pa.array(np.zeros(len(rows), bool))
        ours = _cells(rows, stays, stays, _newest(edits))
        theirs = going.dropped.append_column("new", pa.array(np.ones(len(rows), bool)))
        return beside(ours, theirs).filter(pa.array(edited))

    def _beside(
        self, column: str, going: pa.Table, base: pa.Array, now: pa.Array, edited: Mask
    ) -> pa.Table:
        chosen = pa.array(edited)
        going = going.filter(chosen)
        rows = numbers(going, "ordinal")
        ours = _cells(rows, base.filter(chosen), now.filter(chosen), self._who_made(column, rows))
        return beside(ours, going.append_column("new", pa.nulls(len(rows), now.type)))

    def _who_made(self, column: str, rows: Ordinals) -> pa.Table:
        """Return who gave cells what they hold: by an edit, with the row, or with the column."""
        edits = [last_edits(self.state, name, rows) for name in (column, ROW)]
        return _newest([*edits, _repeated(self._came_with(column), len(rows))])

    def _came_with(self, column: str) -> pa.Table:
        """Return who added a column; nobody where it was there from the start."""
        for layer in self.state.layers:
            own = layer.facts.filter(pc.equal(layer.facts["name"], COLUMN + column))
            if len(own) and own["new"][0].is_valid:
                return own.select(PROVENANCE.names)
        return nobody(1)


def _truths(flags: pa.Array) -> Mask:
    return np.asarray(flags.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)


def _held(other: State, state: State, column: Column, rows: Ordinals) -> tuple[pa.Array, Mask]:
    """Return what another state holds in the place of cells, and which it has."""
    steps, there = cast_steps(state, column, other), other.is_there(rows)
    if steps is None:
        return pa.nulls(len(rows), state.type_of(column.name)), np.zeros(len(rows), bool)
    first, casts = steps
    values = other.cells_at(first, rows)
    for source in casts:
        values, _ = cast_or_null(values, state.rows.column_file(source).values.type)
    return values.take(pa.array(np.arange(len(rows)), mask=~there)), there


def _who(table: pa.Table | None, chosen: Callable[[pa.Table], pa.Array]) -> pa.Table:
    return (_WHO.empty_table() if table is None else table.filter(chosen(table))).select(_WHO.names)


def _repeated(stamp: pa.Table, size: int) -> pa.Table:
    return stamp.take(pa.array(np.zeros(size, np.int64)))


def _cells(rows: Ordinals, old: pa.Array, new: pa.Array, stamps: pa.Table) -> pa.Table:
    columns = [pa.array(rows), old, new, *stamps.columns]
    return pa.table(columns, schema=cells_schema(new.type))


def _newest(edits: Sequence[pa.Table]) -> pa.Table:
    """Return the newest of several edits of each row, which stand in the same order."""
    times = np.stack([moments(table["time"]) for table in edits])
    size = times.shape[1]
    places = times.argmax(axis=0) * size + np.arange(size)
    return pa.concat_tables(edits).take(pa.array(places))
