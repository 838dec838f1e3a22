"""What a merge of two versions changes on ours, cell by cell, from where both began."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
    ROW,
    Delta,
    Ordinals,
    invert,
    is_system,
    numbers,
    squash,
    stamped,
    unnumbered,
    without_no_ops,
)
from burnish.core.keys import shorten
from burnish.core.merge import SURE, Merged, Unsure, three_way
from burnish.core.schema import CLASS, Column, Schema, class_name
from burnish.dataset.applying import (
    added_cells,
    as_there,
    came_rows,
    check_schema,
    settled,
    spelled_out,
    without_rows,
)
from burnish.dataset.gesture import Provenance, cells
from burnish.dataset.history import History
from burnish.dataset.reading import keys_at
from burnish.dataset.state import STAGED, State
from burnish.errors import ConflictError
from burnish.io.frames import exact

Renames = Mapping[Any, Any]
Moves = dict[Any, tuple[Any, Any]]


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
    to_ours, to_theirs = _by_cells(history, start, ((to_ours, mine), (to_theirs, other)))
    moves = _moved_classes(to_ours), _moved_classes(to_theirs)
    renames = _renames(*moves)
    label = mine.schema.roles.get("label")
    if renames and label is not None:
        column = mine.id_of(label)
        to_ours, to_theirs = (_renamed(side, column, renames) for side in (to_ours, to_theirs))
    found = three_way(unnumbered(to_ours), to_theirs, unsure=start.unsure)
    clean, conflicts = _compared_rows(found, mine, other)
    chosen, left = _decided(conflicts, rule, mine, why)
    delta = squash([_on(mine, clean), stamped(chosen, STAGED)])
    delta = _settled(delta, mine, other, found.twice_added)
    if renames and label is not None and not len(left):
        final = renames | _chosen_names(*moves, mine.apply(delta).schema)
        delta = _with_renames(delta, mine, label, final, why)
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
        change = squash([start.change, stamped(found.clean, STAGED)])
        start = Start(start.commit, change, _more(start.unsure, found.unsure))
    return start


def _by_cells(
    history: History, start: Start, sides: tuple[tuple[Delta, State], ...]
) -> Iterator[Delta]:
    """Yield sides whose rows change by their cells alone, those that stay as those that go."""
    if not any(ROW in side.cells for side, _ in sides):
        yield from (side for side, _ in sides)
        return
    base = history.state(start.commit).apply(start.change)
    for side, state in sides:
        out = spelled_out(side, base, state)
        yield _without_edits_of_lost_rows(out) if ROW in out.cells else out


def _without_edits_of_lost_rows(side: Delta) -> Delta:
    """Return a side on which nothing but its going is left of a row that it took out."""
    rows = side.cells[ROW]
    went = numbers(rows.filter(pc.is_null(rows["new"])), "ordinal")
    out = {n: t if is_system(n) else without_rows(t, went) for n, t in side.cells.items()}
    return Delta(_filled(out), side.decisions, side.facts)


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
    shared = mine.schema.by_id.keys() & other.schema.by_id.keys()
    clean, left = dict(found.clean.cells), dict(found.conflicts.cells)
    for cells_of in (clean, left):
        cells_of |= {name: without_rows(cells_of[name], rows) for name in shared & cells_of.keys()}
    for column in sorted(shared):
        differ = beside(added_cells(mine, column, rows), added_cells(other, column, rows))
        unlike = pc.not_equal(cell_bytes(differ["ours"]), cell_bytes(differ["theirs"]))
        table = differ.filter(unlike)
        if len(table):
            rest = left.get(column)
            left[column] = table if rest is None else pa.concat_tables([rest, table])
    delta = Delta(_filled(clean), found.clean.decisions, found.clean.facts)
    return delta, Conflicts(_filled(left), found.conflicts.facts)


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


def _settled(delta: Delta, mine: State, other: State, twice_added: Ordinals) -> Delta:
    """Return a change after which rows of the other side read as they do there."""
    after = mine.apply(delta)
    steps = [delta, settled(after, other, came_rows(delta))]
    for column in other.schema.by_id.keys() & after.schema.by_id.keys() - mine.schema.by_id.keys():
        steps.append(Delta({column: as_there(after, other, column, twice_added)}))
    steps += _cast_along(after, mine, other)
    return squash(steps)


def _cast_along(after: State, mine: State, other: State) -> Iterator[Delta]:
    """Yield cells of columns that one side cast, in rows that only the other side added."""
    for column in after.schema.columns:
        for side, caster in ((mine, other), (other, mine)):
            rows = np.setdiff1d(side.added, caster.added)
            source = _cast_source(column, side, after)
            if source is not None and len(rows):
                values = _cast(side, source, rows[after.is_there(rows)], after, column)
                yield Delta({column.id: values})


def _cast_source(column: Column, side: State, after: State) -> str | None:
    """Return the column of a side whose values a column holds in another type."""
    if column.cast_from is None or side.schema.by_id.get(column.id) == column:
        return None
    for old in side.schema.columns:
        if old.id == column.id:
            return old.id if old.source != column.source else None
        if old.place == column.place and old.id not in after.schema.by_id:
            return old.id
    return None


def _cast(side: State, source: str, rows: Ordinals, after: State, column: Column) -> pa.Table:
    values, kind = side.cells_at(source, rows), after.type_of(column.name)
    try:
        return as_there(after, side, source, rows, after_id=column.id, values=values.cast(kind))
    except pa.ArrowException as error:
        raise ConflictError(
            f"one side cast column {column.name!r} to {kind}, the other added "
            f"{shorten(keys_at(side, rows))} with values that do not fit: {error}",
            hint=f"put them right there with ds.set(keys, {column.name!r}, …), then merge again",
        ) from error


def _moved_classes(side: Delta) -> Moves:
    """Return the classes that a side renamed or merged: id → old and new name."""
    out = {}
    for fact in side.facts.select(["name", "old", "new"]).to_pylist():
        if fact["name"].startswith(CLASS):
            first = json.loads(fact["name"].removeprefix(CLASS))
            old, new = (
                first if text is None else class_name(json.loads(text))
                for text in (fact["old"], fact["new"])
            )
            out[first] = old, new
    return out


def _renames(ours: Moves, theirs: Moves) -> dict[Any, Any]:
    """Return old name → new name; ours, until it is decided, where each side has its own."""
    out = dict(theirs.values()) | dict(ours.values())
    both = ours.keys() & theirs.keys()
    return out | {theirs[i][1]: ours[i][1] for i in both if theirs[i][1] != ours[i][1]}


def _chosen_names(ours: Moves, theirs: Moves, schema: Schema) -> dict[Any, Any]:
    """Return the names of classes that each side named otherwise → the name that was chosen."""
    out: dict[Any, Any] = {}
    for first in ours.keys() & theirs.keys():
        if ours[first] != theirs[first]:
            name = schema.renamed_classes.get(first, first)
            out |= dict.fromkeys({*ours[first], theirs[first][1]}, name)
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


def _filled(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    return {name: table for name, table in sorted(tables.items()) if len(table)}
