"""A change that was made on another state, put onto this one where it fits.

Reverting, cherry-picking and applying a patch are this one thing: a cell that holds what the
change expects takes the new value, one that holds the new value already is left alone, and any
other is a conflict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import cell_bytes
from burnish.core.conflicts import Conflicts, beside
from burnish.core.delta import (
    COLUMN,
    DROPPED,
    MARK,
    PROVENANCE,
    ROW,
    VERSION,
    Delta,
    Ordinals,
    added_rows,
    cells_schema,
    is_system,
    numbers,
    squash,
    without_no_ops,
)
from burnish.core.schema import ROLE, Schema
from burnish.dataset.gesture import Provenance, restamped
from burnish.dataset.state import State, later
from burnish.errors import ConflictError

Mask = npt.NDArray[np.bool_]
_NO_ROWS = np.empty(0, np.int64)


def fitted(state: State, change: Delta) -> tuple[Delta, Conflicts]:
    """Return the part of a change that a state can take, and where it conflicts.

    Parameters
    ----------
    state : State
    change : Delta
        Its ``old`` is what it expects.

    Returns
    -------
    Delta
        Without cells and facts that are as the change wants them already.
    Conflicts
        ``base`` is what the change expects, ``ours`` what is there, ``theirs`` what it wants.
    """
    facts, facts_left = _fitted_facts(state, change.facts)
    rows, rows_left = _fitted_cells(state, ROW, change.cells)
    after = state.apply(Delta(rows, facts=facts))
    cells, left = dict(rows), dict(rows_left)
    rest = _without_what_goes(after, change)
    for column in sorted(rest.keys() - {ROW}):
        taken, refused = _fitted_cells(after, column, rest, came_rows(Delta(rows)))
        cells |= taken
        left |= refused
    return Delta(cells, facts=facts), Conflicts(left, facts_left)


def signed(change: Delta, why: Provenance) -> Delta:
    """Return a change with another author and reason, as of now."""
    cells = {name: restamped(table, why) for name, table in change.cells.items()}
    return Delta(cells, facts=restamped(change.facts, why) if len(change.facts) else change.facts)


def check_schema(schema: Schema) -> None:
    """Refuse columns and roles that come from different states and do not go together.

    Raises
    ------
    ConflictError
        Two columns have one name, or a role is of a column that is not there.
    """
    twice = [name for name, n in Counter(schema.names).items() if n > 1]
    if twice:
        raise ConflictError(
            f"there would be two columns {twice[0]!r}, one from each side",
            hint="rename one of them with ds.rename_column(old, new) and commit, then try again",
        )
    for role, ids in schema.named(ROLE).items():
        lost = ({ids} if isinstance(ids, str) else set(ids)) - schema.by_id.keys()
        if lost:
            raise ConflictError(
                f"one side made a column the {role}, the other dropped it: "
                f"{', '.join(sorted(lost))}",
                hint=f"choose another with ds.set_roles({role}=…) and commit, then try again",
            )


def last_edits(state: State, column: str, ordinals: Ordinals) -> pa.Table:
    """Return who changed cells last, why and when, nulls where nobody did.

    What was done to a row before it was added anew does not count.
    """
    net = state.net(column)
    known = numbers(net, "ordinal")
    if not len(known):
        return nobody(len(ordinals))
    places = np.minimum(np.searchsorted(known, ordinals), len(known) - 1)
    made, came = net[VERSION].to_numpy()[places], state.came_with(ordinals)
    before = (later(made, came) != made) if column != ROW else np.zeros(len(ordinals), bool)
    picked = pa.array(places, mask=(known[places] != ordinals) | before)
    return pa.table([net[name].take(picked) for name in PROVENANCE.names], schema=PROVENANCE)


def came_rows(delta: Delta) -> Ordinals:
    """Return the rows that a change adds."""
    return added_rows(delta.cells.get(ROW))


def settled(after: State, other: State, rows: Ordinals) -> Delta:
    """Return a change after which rows that came from another state read as they do there.

    Cells may be left from an earlier life of such a row.
    """
    if not len(rows):
        return Delta()
    shared = sorted(after.schema.by_id.keys() & other.schema.by_id.keys())
    names = [*shared, DROPPED, *(MARK + name for name in after.marks)]
    return squash(Delta({name: _arriving(after, other, name, rows)}) for name in names)


def as_there(
    after: State,
    other: State,
    column: str,
    rows: Ordinals,
    *,
    after_id: str | None = None,
    values: pa.Array | None = None,
) -> pa.Table:
    """Return cells that give rows the values of another state, with provenance and versions.

    Parameters
    ----------
    after, other : State
    column : str
        Its id in the other state.
    rows : array of ordinals
        Rows of the other state.
    after_id : str, optional
        The column's id here, where it is another one.
    values : Array, optional
        The values to give, where they are not those of the other state.
    """
    return without_no_ops(_beside_there(after, other, column, rows, after_id or column, values))


def spelled_out(change: Delta, before: State, after: State) -> Delta:
    """Return a change in which a row that is there throughout changes by its cells alone.

    Added anew in between, or on two branches that were merged, a row is read from another segment
    than before, and cells of its one life say nothing about the other.
    """
    rows = change.cells.get(ROW)
    if rows is None:
        return change
    stays = added_rows(rows.filter(pc.is_valid(rows["old"])))
    if not len(stays):
        return change
    cells = {ROW: without_rows(rows, stays)}
    for column in sorted((before.schema.by_id.keys() & after.schema.by_id.keys()) - {ROW}):
        known = change.cells.get(column)
        parts = [] if known is None else [without_rows(known, stays)]
        table = pa.concat_tables([*parts, as_there(before, after, column, stays)])
        cells[column] = table.sort_by("ordinal")
    left = {name: table for name, table in (dict(change.cells) | cells).items() if len(table)}
    return Delta(dict(sorted(left.items())), change.decisions, change.facts)


def settled_in(change: Delta, before: State, after: State) -> Delta:
    """Return a change whose cells give rows that come the values that they have there.

    What an earlier life of such a row left behind in `before` is overlaid on the row that comes.
    """
    rows = change.cells.get(ROW)
    if rows is None:
        return change
    come = added_rows(rows.filter(pc.is_null(rows["old"])))
    if not len(come):
        return change
    bare = before.apply(Delta({ROW: rows}))
    cells = dict(change.cells)
    touched = before.touched | after.touched | cells.keys()
    for column in sorted(touched & before.schema.by_id.keys() & after.schema.by_id.keys()):
        known = [without_rows(cells[column], come)] if column in cells else []
        table = pa.concat_tables([*known, as_there(bare, after, column, come)])
        cells[column] = table.sort_by("ordinal")
    left = {name: cells[name] for name in sorted(cells) if len(cells[name])}
    return Delta(left, change.decisions, change.facts)


def without_rows(table: pa.Table, rows: Ordinals) -> pa.Table:
    """Return the cells of all rows but some."""
    return table.filter(pa.array(~np.isin(numbers(table, "ordinal"), rows)))


def _arriving(after: State, other: State, column: str, rows: Ordinals) -> pa.Table:
    """Return cells as `as_there` does, and those that an earlier life of a row made alike.

    To those who never had that life, they are changes of the row that was added.
    """
    table = _beside_there(after, other, column, rows, column)
    first = cell_bytes(after.origin_at(column, rows))
    edited = pc.not_equal(first, cell_bytes(table["new"])).to_numpy(zero_copy_only=False)
    return without_no_ops(table, rows[edited])


def _beside_there(
    after: State,
    other: State,
    column: str,
    rows: Ordinals,
    after_id: str,
    values: pa.Array | None = None,
) -> pa.Table:
    table = added_cells(other, column, rows)
    new = table["new"] if values is None else values
    old = after.cells_at(after_id, rows)
    made = pa.array(other.versions(column)[rows])
    stamps = [table[name] for name in PROVENANCE.names]
    schema = cells_schema(old.type).append(pa.field(VERSION, pa.int32()))
    return pa.table([table["ordinal"], old, new, *stamps, made], schema=schema)


def added_cells(state: State, column: str, rows: Ordinals) -> pa.Table:
    """Return cells of added rows as changes from nothing, by who edited them last or added them."""
    values = state.cells_at(column, rows)
    edits, added = last_edits(state, column, rows), last_edits(state, ROW, rows)
    edited = pc.is_valid(edits["time"])
    stamps = [pc.if_else(edited, edits[n], added[n]) for n in PROVENANCE.names]
    nothing = pa.nulls(len(rows), values.type)
    return pa.table([pa.array(rows), nothing, values, *stamps], schema=cells_schema(values.type))


def _without_what_goes(after: State, change: Delta) -> dict[str, pa.Table]:
    """Return cells but those of columns and rows that the change itself takes away."""
    facts = change.facts.filter(pc.is_null(change.facts["new"]))["name"].to_pylist()
    gone = {name.removeprefix(COLUMN) for name in facts} - after.schema.by_id.keys()
    left = {name: table for name, table in change.cells.items() if name not in gone}
    rows = change.cells.get(ROW)
    if rows is None:
        return left
    taken_out = rows.filter(pc.is_null(rows["new"]))["ordinal"]
    return {
        name: table.filter(pc.invert(pc.is_in(table["ordinal"], value_set=taken_out)))
        for name, table in left.items()
    }


def _fitted_cells(
    state: State, column: str, cells: Mapping[str, pa.Table], came: Ordinals = _NO_ROWS
) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    table = cells.get(column)
    if table is None:
        return {}, {}
    now, there = _now(state, column, table)
    done = same_cells(now, table["new"]) & there
    free = same_cells(now, table["old"]) | np.isin(numbers(table, "ordinal"), came)
    fits = free & there & ~done
    taken = table.set_column(1, "old", now).filter(pa.array(fits))
    bad = ~(fits | done)
    refused = _refused(state, column, table.filter(pa.array(bad)), now.filter(pa.array(bad)))
    return {column: taken} if len(taken) else {}, {column: refused} if len(refused) else {}


def _now(state: State, column: str, table: pa.Table) -> tuple[pa.Array, Mask]:
    """Return what cells hold, and whether they are there at all."""
    ordinals = numbers(table, "ordinal")
    if is_system(column):
        return state.cells_at(column, ordinals), np.ones(len(ordinals), bool)
    if column not in state.schema.by_id:
        return pa.nulls(len(ordinals), table["new"].type), np.zeros(len(ordinals), bool)
    return state.cells_at(column, ordinals), state.is_there(ordinals)


def _refused(state: State, column: str, wanted: pa.Table, now: pa.Array) -> pa.Table:
    known = is_system(column) or column in state.schema.by_id
    ordinals = numbers(wanted, "ordinal")
    stamps = last_edits(state, column, ordinals) if known else nobody(len(ordinals))
    columns = [wanted["ordinal"], wanted["old"], now, *stamps.columns]
    ours = pa.table(columns, schema=cells_schema(wanted["new"].type))
    return beside(ours, wanted)


def _fitted_facts(state: State, facts: pa.Table) -> tuple[pa.Table, pa.Table | None]:
    names = facts["name"].to_pylist()
    now = pa.array([state.facts.get(name) for name in names], pa.string())
    done = same_cells(now, facts["new"])
    fits = same_cells(now, facts["old"]) & ~done
    bad = pa.array(~(fits | done))
    taken, wanted = facts.filter(pa.array(fits)), facts.filter(bad)
    if not len(wanted):
        return taken, None
    stamps = nobody(len(wanted)).columns
    columns = [wanted["name"], wanted["old"], now.filter(bad), *stamps]
    return taken, beside(pa.table(columns, ["name", "old", "new", *PROVENANCE.names]), wanted)


def same_cells(one: pa.Array, other: pa.ChunkedArray) -> Mask:
    """Return which cells of two columns hold the same."""
    same = pc.equal(cell_bytes(one), cell_bytes(other))
    return np.asarray(same.to_numpy(zero_copy_only=False), dtype=bool)


def nobody(size: int) -> pa.Table:
    """Return the provenance of cells that nobody changed."""
    return pa.table([pa.nulls(size, kind) for kind in PROVENANCE.types], schema=PROVENANCE)
