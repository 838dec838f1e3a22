"""Three-way merge: what two sides changed since one state, put together cell by cell.

A side that edits a row which the other drops wants the row kept. It is given a cell of ``$dropped``
that says so, as if it had changed that cell too; then one rule decides everything: cells that only
they changed are clean, cells that both changed alike are done, the others are conflicts. A column
that one side drops, and a cell whose value at the start is in doubt, go the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import cell_bytes, framed
from burnish.core.conflicts import Conflicts, beside, moments
from burnish.core.delta import (
    COLUMN,
    DROPPED,
    NO_FACTS,
    PROVENANCE,
    ROW,
    Delta,
    Ordinals,
    cells_schema,
    is_system,
    numbers,
)
from burnish.errors import ColumnError

_FACTS = "$facts"
_NO_ROWS = np.empty(0, np.int64)
_EDITS = pa.schema([("ordinal", pa.int64()), *PROVENANCE])
_Tables: TypeAlias = Mapping[str, pa.Table]
_Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Unsure:
    """Cells and facts whose value at the start of a merge is one of several.

    Histories that cross have several newest common versions. Where these differ, a state made
    from them holds the value of one of them by chance.

    Attributes
    ----------
    cells : mapping of str to array of ordinals
        By column.
    facts : frozenset of str
        Names.
    """

    cells: Mapping[str, Ordinals] = field(default_factory=lambda: MappingProxyType({}))
    facts: frozenset[str] = frozenset()


SURE = Unsure()


@dataclass(frozen=True, eq=False)
class Merged:
    """What a merge is made of, seen from our side.

    Attributes
    ----------
    clean : Delta
        To apply on our side: cells and facts that only they changed, and decisions that only they
        made, with their provenance.
    conflicts : Conflicts
        Cells and facts that both sides changed, each to another value.
    twice_added : array of ordinals
        Rows that both sides added, each with values of its own; for these ``$row`` is neither
        clean nor in conflict, and the rows are to be compared cell by cell.
    """

    clean: Delta
    conflicts: Conflicts
    twice_added: Ordinals

    @property
    def unsure(self) -> Unsure:
        """What is in doubt in the merge of two starts, when our side wins every conflict.

        Where a row was added twice its cells may differ too; they are not known here.
        """
        cells = {name: numbers(table, "ordinal") for name, table in self.conflicts.cells.items()}
        if len(self.twice_added):
            cells[ROW] = np.union1d(cells.get(ROW, _NO_ROWS), self.twice_added)
        facts = self.conflicts.facts
        return Unsure(cells, frozenset(facts["name"].to_pylist() if facts is not None else ()))


def three_way(ours: Delta, theirs: Delta, *, unsure: Unsure = SURE) -> Merged:
    """Merge two changes of the same state.

    Parameters
    ----------
    ours, theirs : Delta
        Net changes since one common state, a column of one type on both sides.
    unsure : Unsure, optional
        Cells of the common state that are in doubt: there, sides that end with different values
        are in conflict even where only one of them changed the cell. A side that did not has no
        author, reason and time there.

    Returns
    -------
    Merged
        Marks never are in conflict: a mark is there or not, so sides that change it agree.

    Raises
    ------
    ColumnError
        A column has two types.

    Notes
    -----
    Costs O(cells of both sides); values are compared only where both changed a cell. A row is
    dropped on one side and edited on the other where the edit is not found on the dropping side
    as well; marks are no edits. The conflict is about ``$dropped`` (or ``$row``) only, and the
    edits stay clean. So is that of a dropped column, about its fact.
    """
    names = sorted({*ours.facts["name"].to_pylist(), *theirs.facts["name"].to_pylist()})
    mine, other = _tables(ours, names), _tables(theirs, names)
    _refuse_two_types(mine, other)
    mine, other = _keeping(mine, other, names), _keeping(other, mine, names)
    doubts = {**unsure.cells, _FACTS: np.flatnonzero([name in unsure.facts for name in names])}
    mine, other = _doubting(mine, other, doubts), _doubting(other, mine, doubts)
    met = {column: _met(mine.get(column), other[column]) for column in sorted(other)}
    clean = {column: table for column, (table, _) in met.items() if len(table)}
    conflicts = {column: table for column, (_, table) in met.items() if len(table)}
    twice_added = _take_twice_added(conflicts)
    facts = _named(clean.pop(_FACTS), names) if _FACTS in clean else NO_FACTS
    left = _named(conflicts.pop(_FACTS), names) if _FACTS in conflicts else None
    new = Delta(clean, _only_theirs(ours.decisions, theirs.decisions), facts)
    return Merged(new, Conflicts(conflicts, left), twice_added)


def _met(mine: pa.Table | None, other: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return their cells that are clean, and the conflicts."""
    if mine is None:
        return other, other.slice(0, 0)
    places, shared = _find(other, mine)
    here, there = mine.take(pa.array(places[shared])), other.filter(pa.array(shared))
    differ = pc.invert(_alike(here, there))
    return other.filter(pa.array(~shared)), beside(here.filter(differ), there.filter(differ))


def _find(cells: pa.Table, table: pa.Table) -> tuple[npt.NDArray[np.intp], _Mask]:
    """Return where in a table the rows of cells are, and whether they are there at all."""
    wanted, ordinals = numbers(cells, "ordinal"), numbers(table, "ordinal")
    places = np.searchsorted(ordinals, wanted)
    found = np.zeros(len(wanted), bool)
    inside = places < len(ordinals)
    found[inside] = ordinals[places[inside]] == wanted[inside]
    return places, found


def _alike(cells: pa.Table, others: pa.Table) -> pa.Array:
    return pc.equal(cell_bytes(cells["new"]), cell_bytes(others["new"]))


def _take_twice_added(conflicts: dict[str, pa.Table]) -> Ordinals:
    if ROW not in conflicts:
        return _NO_ROWS
    table = conflicts[ROW]
    both = pc.and_(pc.is_valid(table["ours"]), pc.is_valid(table["theirs"]))
    conflicts[ROW] = table.filter(pc.invert(both))
    if not len(conflicts[ROW]):
        del conflicts[ROW]
    return numbers(table.filter(both), "ordinal")


def _only_theirs(ours: pa.Table, theirs: pa.Table) -> pa.Table:
    if not (len(ours) and len(theirs)):
        return theirs
    known = pc.is_in(_spelled(theirs), value_set=_spelled(ours))
    return theirs.filter(pc.invert(known))


def _spelled(table: pa.Table) -> pa.Array:
    return framed([cell_bytes(column) for column in table.columns])


def _tables(delta: Delta, names: list[str]) -> _Tables:
    """Return the changes by column, facts as cells of one more column."""
    if not len(delta.facts):
        return delta.cells
    places = {name: place for place, name in enumerate(names)}
    ordinals = pa.array([places[name] for name in delta.facts["name"].to_pylist()], pa.int64())
    return {**delta.cells, _FACTS: delta.facts.set_column(0, "ordinal", ordinals)}


def _named(table: pa.Table, names: list[str]) -> pa.Table:
    return table.set_column(0, "name", pa.array(names).take(table["ordinal"]))


def _refuse_two_types(mine: _Tables, other: _Tables) -> None:
    for column in mine.keys() & other.keys():
        kind, theirs = mine[column]["new"].type, other[column]["new"].type
        if kind != theirs:
            raise ColumnError(
                f"column {column!r} is {kind} on our side and {theirs} on theirs",
                hint="cast it to one type on one of the sides first",
            )


def _doubting(side: _Tables, against: _Tables, doubts: Mapping[str, Ordinals]) -> _Tables:
    """Return a side with unchanged cells where only the other side changed one in doubt."""
    out = dict(side)
    for column in doubts.keys() & against.keys():
        cells = _among(_absent(against[column], side.get(column)), doubts[column])
        nobody = pa.table([pa.nulls(len(cells), kind) for kind in _EDITS.types], schema=_EDITS)
        _add(out, column, _unchanged(cells, nobody))
    return out


def _keeping(editing: _Tables, dropping: _Tables, names: list[str]) -> _Tables:
    """Return a side with unchanged cells for what it edits and the other side drops."""
    out = dict(editing)
    for column in dropping.keys() & {DROPPED, ROW, _FACTS}:
        drops = _absent(_drops(column, dropping[column]), editing.get(column))
        if column == _FACTS:
            edits = _newest(_edits_of_columns(editing, dropping, drops, names))
        else:
            edits = _newest(_edits_of_rows(editing, dropping, drops))
        places, _ = _find(edits, drops)
        _add(out, column, _unchanged(drops.take(pa.array(places)), edits))
    return out


def _drops(column: str, table: pa.Table) -> pa.Table:
    return table.filter(table["new"] if column == DROPPED else pc.is_null(table["new"]))


def _edits_of_rows(editing: _Tables, dropping: _Tables, drops: pa.Table) -> Iterator[pa.Table]:
    rows = numbers(drops, "ordinal")
    for name, table in editing.items():
        if len(rows) and (name == ROW or not is_system(name)):
            cells = table.filter(pc.is_valid(table["new"])) if name == ROW else table
            yield _own(_among(cells, rows), dropping.get(name))


def _edits_of_columns(
    editing: _Tables, dropping: _Tables, drops: pa.Table, names: list[str]
) -> Iterator[pa.Table]:
    for place in numbers(drops, "ordinal"):
        name = names[place].removeprefix(COLUMN)
        if names[place].startswith(COLUMN) and name in editing:
            own = _own(editing[name], dropping.get(name))
            yield own.set_column(0, "ordinal", pa.array(np.full(len(own), place)))


def _own(cells: pa.Table, others: pa.Table | None) -> pa.Table:
    """Return who changed cells, and when, where others did not change them alike."""
    edits = cells.select(_EDITS.names)
    if others is None:
        return edits
    places, shared = _find(cells, others)
    alike = _alike(cells.filter(pa.array(shared)), others.take(pa.array(places[shared])))
    own = ~shared
    own[shared] = ~alike.to_numpy(zero_copy_only=False)
    return edits.filter(pa.array(own))


def _newest(edits: Iterable[pa.Table]) -> pa.Table:
    """Return the last edit of each row, sorted by ordinal."""
    table = pa.concat_tables([_EDITS.empty_table(), *edits])
    ordinals = numbers(table, "ordinal")
    order = np.lexsort((moments(table["time"]), ordinals))
    last = np.flatnonzero(np.diff(ordinals[order], append=-1))
    return table.take(pa.array(order[last]))


def _among(cells: pa.Table, rows: Ordinals) -> pa.Table:
    return cells.filter(pa.array(np.isin(numbers(cells, "ordinal"), rows)))


def _absent(cells: pa.Table, table: pa.Table | None) -> pa.Table:
    return cells if table is None else cells.filter(pa.array(~_find(cells, table)[1]))


def _unchanged(cells: pa.Table, edits: pa.Table) -> pa.Table:
    """Return cells that hold what the base does, with the provenance of edits."""
    stamps = [edits[name] for name in PROVENANCE.names]
    schema = cells_schema(cells["old"].type)
    return pa.table([cells["ordinal"], cells["old"], cells["old"], *stamps], schema=schema)


def _add(tables: dict[str, pa.Table], column: str, cells: pa.Table) -> None:
    if not len(cells):
        return
    known = [tables[column]] if column in tables else []
    table = pa.concat_tables([*known, cells], promote_options="default")
    tables[column] = table.take(pa.array(np.argsort(numbers(table, "ordinal"))))
