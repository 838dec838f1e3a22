"""What a merge of two versions changes on ours, cell by cell, from where both began."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import cell_bytes
from burnish.core.conflicts import Conflicts, Rule, beside, resolve
from burnish.core.delta import (
    NO_DECISIONS,
    PROVENANCE,
    ROW,
    Delta,
    Ordinals,
    cells_schema,
    invert,
    numbers,
    squash,
    stamped,
    unnumbered,
    without_no_ops,
)
from burnish.core.merge import SURE, Merged, Unsure, three_way
from burnish.core.schema import CLASS
from burnish.dataset.applying import check_schema, last_edits
from burnish.dataset.gesture import Provenance, cells
from burnish.dataset.history import History
from burnish.dataset.reading import keys_at
from burnish.dataset.state import STAGED, State
from burnish.io.frames import exact

Renames = Mapping[Any, Any]


@dataclass(frozen=True, eq=False)
class Start:
    """Where two versions began: a version and a change on it, parts of which may be in doubt."""

    commit: str
    change: Delta
    unsure: Unsure

    def to(self, history: History, commit: str) -> Delta:
        """Return the net change from here to a version, and the decisions made on the way."""
        net = squash([invert(self.change), history.between(self.commit, commit)])
        _, forth = history.graph.path(self.commit, commit)
        decisions = pa.concat_tables([NO_DECISIONS, *map(history.decisions, forth)])
        return Delta(net.cells, decisions.combine_chunks(), net.facts)


def merged(
    history: History, ours: str, theirs: str, rule: Rule | None, why: Provenance
) -> tuple[Delta, Conflicts]:
    """Return what merging one version into another changes there, and the conflicts left.

    Parameters
    ----------
    history : History
    ours, theirs : str
        Ids of versions.
    rule : rule, optional
        Decides conflicts; see `burnish.core.conflicts.resolve`.
    why : Provenance
        Of values that neither side has.
    """
    start = _start(history, history.graph.merge_bases(ours, theirs))
    mine, other = history.state(ours), history.state(theirs)
    to_ours, to_theirs = start.to(history, ours), start.to(history, theirs)
    renames = _renames(to_ours) | _renames(to_theirs)
    label = mine.schema.roles.get("label")
    if renames and label is not None:
        column = mine.id_of(label)
        to_ours, to_theirs = (_renamed(side, column, renames) for side in (to_ours, to_theirs))
    found = three_way(unnumbered(to_ours), to_theirs, unsure=start.unsure)
    clean, conflicts = _compared_rows(found, mine, other)
    chosen, left = _decided(conflicts, rule, mine, why)
    delta = squash([_on(mine, clean), stamped(chosen, STAGED)])
    delta = _settled(delta, mine, other, why)
    if renames and label is not None and not len(left):
        delta = _with_renames(delta, mine, label, renames, why)
    if not len(left):
        check_schema(mine.apply(delta).schema)
    return delta, left


def _start(history: History, bases: list[str]) -> Start:
    """Return where versions began; several latest common versions are merged into one."""
    start = Start(bases[0], Delta(), SURE)
    for base in bases[1:]:
        below = _start(history, history.graph.merge_bases(start.commit, base))
        ours = squash([below.to(history, start.commit), start.change])
        found = three_way(
            unnumbered(ours), unnumbered(below.to(history, base)), unsure=below.unsure
        )
        change = squash([start.change, found.clean])
        start = Start(start.commit, change, _more(start.unsure, found.unsure))
    return start


def _more(one: Unsure, other: Unsure) -> Unsure:
    columns = one.cells.keys() | other.cells.keys()
    none = np.empty(0, np.int64)
    union = {c: np.union1d(one.cells.get(c, none), other.cells.get(c, none)) for c in columns}
    return Unsure(union, one.facts | other.facts)


def _decided(
    conflicts: Conflicts, rule: Rule | None, mine: State, why: Provenance
) -> tuple[Delta, Conflicts]:
    if rule is None or not len(conflicts):
        return Delta(), conflicts
    made = {"author": why.author, "reason": why.reason}
    return resolve(conflicts, rule, keys=partial(keys_at, mine), made=made, exact=exact)


def _compared_rows(found: Merged, mine: State, other: State) -> tuple[Delta, Conflicts]:
    """Return a merge in which rows that both sides added are compared cell by cell."""
    rows = found.twice_added
    if not len(rows):
        return found.clean, found.conflicts
    clean = {name: _without(table, rows) for name, table in found.clean.cells.items()}
    left = {name: _without(table, rows) for name, table in found.conflicts.cells.items()}
    for column in sorted(mine.schema.by_id.keys() & other.schema.by_id.keys()):
        differ = beside(_added(mine, column, rows), _added(other, column, rows))
        unlike = pc.not_equal(cell_bytes(differ["ours"]), cell_bytes(differ["theirs"]))
        table = differ.filter(unlike)
        if len(table):
            rest = left.get(column)
            left[column] = table if rest is None else pa.concat_tables([rest, table])
    delta = Delta(_filled(clean), found.clean.decisions, found.clean.facts)
    return delta, Conflicts(_filled(left), found.conflicts.facts)


def _added(state: State, column: str, rows: Ordinals) -> pa.Table:
    """Return cells of added rows as changes from nothing, by who edited them last or added them."""
    values = state.cells_at(column, rows)
    edits, added = last_edits(state, column, rows), last_edits(state, ROW, rows)
    edited = pc.is_valid(edits["time"])
    stamps = [pc.if_else(edited, edits[n], added[n]) for n in PROVENANCE.names]
    nothing = pa.nulls(len(rows), values.type)
    return pa.table([pa.array(rows), nothing, values, *stamps], schema=cells_schema(values.type))


def _on(mine: State, clean: Delta) -> Delta:
    """Return a clean change with the values that our side has for its old ones."""
    return Delta(
        {name: _from(mine, name, table) for name, table in stamped(clean, STAGED).cells.items()},
        clean.decisions,
        clean.facts,
    )


def _from(mine: State, column: str, table: pa.Table) -> pa.Table:
    if column != ROW and column not in mine.schema.by_id and not column.startswith("$"):
        return table
    now = mine.cells_at(column, numbers(table, "ordinal"))
    return without_no_ops(table.set_column(1, "old", now))


def _settled(delta: Delta, mine: State, other: State, why: Provenance) -> Delta:
    """Return a change after which rows that come from the other side read as they do there.

    On our side cells may be left from an earlier life of such a row.
    """
    table = delta.cells.get(ROW)
    if table is None:
        return delta
    rows = numbers(table.filter(pc.is_valid(table["new"])), "ordinal")
    after = mine.apply(delta)
    steps = [delta]
    for column in after.schema.columns:
        if column.id in other.schema.by_id and len(rows):
            wanted = other.cells_at(column.id, rows)
            steps.append(stamped(cells(after, column.name, rows, wanted, why), STAGED))
    return squash(steps)


def _renames(side: Delta) -> dict[Any, Any]:
    """Return the classes that a side renamed or merged: old name → new name."""
    out = {}
    for fact in side.facts.select(["name", "old", "new"]).to_pylist():
        if fact["name"].startswith(CLASS):
            first = json.loads(fact["name"].removeprefix(CLASS))
            names = [
                first if text is None else json.loads(text) for text in (fact["old"], fact["new"])
            ]
            out[names[0]] = names[1]
    return out


def _renamed(side: Delta, column: str, renames: Renames) -> Delta:
    """Return a side as if the classes had had their new names from the start."""
    table = side.cells.get(column)
    if table is None:
        return side
    for place, name in ((1, "old"), (2, "new")):
        table = table.set_column(place, name, _mapped(table[name], renames))
    table = without_no_ops(table)
    rest = {name: cells for name, cells in side.cells.items() if name != column}
    return Delta(rest | ({column: table} if len(table) else {}), side.decisions, side.facts)


def _mapped(values: Any, renames: Renames) -> pa.Array:
    new = [renames.get(value, value) for value in values.to_pylist()]
    return pa.array(new, values.type)


def _with_renames(
    delta: Delta, mine: State, label: str, renames: Renames, why: Provenance
) -> Delta:
    """Return a change after which no row has a name that a class had before."""
    after = mine.apply(delta)
    gone = pa.array(list(renames), after.type_of(label))
    rows = np.flatnonzero(pc.is_in(after.column(label), value_set=gone)).astype(np.int64)
    rows = rows[after.is_there(rows)]
    wanted = _mapped(after.take(label, rows), renames)
    return squash([delta, stamped(cells(after, label, rows, wanted, why), STAGED)])


def _without(table: pa.Table, rows: Ordinals) -> pa.Table:
    return table.filter(pa.array(~np.isin(numbers(table, "ordinal"), rows)))


def _filled(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    return {name: table for name, table in sorted(tables.items()) if len(table)}
