"""A patch put onto a state: what it changes there, what is so already, and where it conflicts."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import cell_bytes
from burnish.core.conflicts import Conflicts, beside
from burnish.core.delta import (
    DROPPED,
    ROW,
    Delta,
    Ordinals,
    cells_schema,
    is_system,
    numbers,
    squash,
)
from burnish.core.patch import Line, Patch, broken, shown
from burnish.core.spelling import Json
from burnish.dataset.adding import rows_added
from burnish.dataset.applying import fitted, last_edits
from burnish.dataset.gesture import Provenance
from burnish.dataset.history import History
from burnish.dataset.patch_export import row_values, without_keys
from burnish.dataset.patch_facts import check_schema, facts_of
from burnish.dataset.patch_lines import Lines, stamps
from burnish.dataset.state import State
from burnish.errors import PatchError
from burnish.store.rows import PARENT, write_column

Mask = npt.NDArray[np.bool_]
_SIDES = ("old", "new")


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a patch comes to on a state.

    Attributes
    ----------
    delta : Delta
    conflicts : Conflicts
        Where there are any, the delta must not be applied.
    staged : int
        Changes that the delta makes; the others were made before.
    state : State
        The one that the conflicts are about.
    """

    delta: Delta
    conflicts: Conflicts
    staged: int
    state: State


def fit_patch(history: History, state: State, patch: Patch) -> Fitted:
    """Return what a patch comes to on a state.

    Raises
    ------
    PatchError
        The patch is for other data, or a line cannot be used.

    Notes
    -----
    Writes added rows and columns to files named by their content.
    """
    if list(patch.header.key) != state.key:
        raise PatchError(
            f"the patch names rows by {', '.join(patch.header.key)}, "
            f"the dataset by {', '.join(state.key)}",
            hint="the patch is for other data; apply it where it was made, or to a copy of that",
        )
    facts, left = fitted(state, Delta(facts=facts_of(state, patch)))
    if len(left):
        return Fitted(Delta(), left, 0, state)
    shaped = state.apply(facts)
    check_schema(state, shaped.schema, patch.of("fact"))
    lines = Lines(shaped, patch, patch.header.dataset == history.root)
    rows = _rows(history, lines)
    moved = shaped.apply(rows.delta)
    cells, refused = fitted(moved, _cells(lines, moved, rows.dropped))
    return Fitted(
        squash([facts, rows.delta, cells]),
        Conflicts({**rows.conflicts, **refused.cells}),
        len(facts) + rows.n_moved + len(cells),
        moved,
    )


@dataclass(frozen=True, eq=False)
class _Moved:
    """Rows that come and go, and those that are not as the patch expects them.

    ``dropped`` are rows of the base, which cannot be taken out, only dropped.
    """

    delta: Delta
    conflicts: dict[str, pa.Table]
    n_moved: int
    dropped: Ordinals


def _rows(history: History, lines: Lines) -> _Moved:
    wanted = [_checked(line, lines.state) for line in lines.patch.of("row")]
    lines.refuse_repeated(wanted)
    there = lines.state.is_there(lines.found(wanted))
    fresh = [
        x for x, is_there in zip(wanted, there, strict=True) if x.new is not None and not is_there
    ]
    known = [x for x, is_there in zip(wanted, there, strict=True) if is_there]
    segment = history.add_rows(_table(lines, fresh)) if fresh else None
    _write_columns(history, lines)
    added = Delta()
    if segment is not None:
        _check_parents(lines, fresh)
        added = _signed(rows_added(lines.state, segment, Provenance("")), lines, fresh)
    out, dropped, conflicts = _fitted_rows(lines, known)
    n_moved = len(fresh) + len(out)
    return _Moved(squash([added, out]), conflicts, n_moved, dropped)


def _checked(line: Line, state: State) -> Line:
    content = line.new if line.old is None else line.old
    if not isinstance(content, dict) or not (line.old is None or line.new is None):
        raise broken(
            line.number,
            "neither adds nor takes out a row: one of old and new is an object, the other null",
            "export the patch again",
        )
    unknown = sorted(content.keys() - {column.name for column in without_keys(state)})
    if unknown:
        raise broken(
            line.number,
            f"has a value for {shown(unknown[0])}, which is no column here",
            "the patch is for other data, or apply first the one that adds the column",
        )
    return line


def _table(lines: Lines, fresh: list[Line]) -> pa.Table:
    """Return the rows of lines as a segment holds them."""
    columns = dict(zip(lines.state.key, lines.key_columns(fresh), strict=True))
    for column in without_keys(lines.state):
        values = [line.new.get(column.name) for line in fresh]
        columns[column.id] = lines.values(column.name, fresh, values)
    if any(line.parent is not None for line in fresh):
        columns |= _parent_columns(lines, fresh)
    return pa.table(columns)


def _parent_columns(lines: Lines, fresh: list[Line]) -> dict[str, pa.Array]:
    none = None if len(lines.state.key) == 1 else [None] * len(lines.state.key)
    parents = [replace(x, key=none if x.parent is None else x.parent) for x in fresh]
    columns = lines.key_columns(parents)
    return {PARENT + n: array for n, array in zip(lines.state.key, columns, strict=True)}


def _check_parents(lines: Lines, fresh: list[Line]) -> None:
    parents = [replace(line, key=line.parent) for line in fresh if line.parent is not None]
    lines.refuse_unknown(parents, lines.found(parents))


def _signed(delta: Delta, lines: Lines, fresh: list[Line]) -> Delta:
    """Return a change of the rows of lines with who made it, as the lines say."""
    ordinals = lines.found(fresh)
    order = np.argsort(ordinals)
    signs = stamps([fresh[i] for i in order])

    def signed(table: pa.Table) -> pa.Table:
        places = np.searchsorted(ordinals[order], numbers(table, "ordinal"))
        own = [table[name] for name in ("ordinal", "old", "new")]
        return pa.table([*own, *signs.take(pa.array(places)).columns], schema=table.schema)

    return Delta({name: signed(table) for name, table in delta.cells.items()})


def _write_columns(history: History, lines: Lines) -> None:
    for name, added in lines.patch.added.items():
        column = lines.state.schema.by_name.get(name)
        if column is None or column.source is None:
            raise broken(
                added[0].number,
                f"has a value of the column {shown(name)}, which the patch does not add",
                "export the patch again",
            )
        ordinals = lines.ordinals(added)
        order = np.argsort(ordinals)
        values = lines.values(name, added, [line.new for line in added]).take(pa.array(order))
        keys = lines.state.rows.key_bytes(ordinals[order])
        write_column(history.path, column.id, keys, ordinals[order], values)


def _fitted_rows(lines: Lines, known: list[Line]) -> tuple[Delta, Ordinals, dict[str, pa.Table]]:
    """Return what takes rows out that are there, and the rows that are not as expected."""
    state, found = lines.state, lines.found(known)
    order = np.argsort(found)
    known, rows = [known[i] for i in order], found[order]
    goes = np.array([line.new is None for line in known], bool)
    live = state.is_live(rows) | goes | np.isin(rows, lines.dropped())
    fits = _holds(lines, known, rows) & live
    conflicts = _unlike(
        state, [x for x, ok in zip(known, fits, strict=True) if not ok], rows[~fits]
    )
    goes &= fits
    signs = stamps(known)
    own = rows >= len(state.rows.base)
    drops = goes & ~own & state.is_live(rows)
    tables = {
        ROW: _cells_to(state, ROW, rows, goes & own, signs, None),
        DROPPED: _cells_to(state, DROPPED, rows, drops, signs, True),
    }
    delta = Delta({name: table for name, table in tables.items() if len(table)})
    return delta, rows[goes & ~own], {ROW: conflicts} if len(conflicts) else {}


def _cells_to(
    state: State, column: str, rows: Ordinals, chosen: Mask, signs: pa.Table, value: bool | None
) -> pa.Table:
    ordinals = rows[chosen]
    old = state.cells_at(column, ordinals)
    new = pa.array([value] * len(ordinals), old.type)
    columns = [pa.array(ordinals), old, new, *signs.filter(pa.array(chosen)).columns]
    return pa.table(columns, schema=cells_schema(old.type))


def _holds(lines: Lines, known: list[Line], rows: Ordinals) -> Mask:
    """Return which rows hold the values that their lines have."""
    contents = [line.new or line.old or {} for line in known]
    out = np.ones(len(known), bool)
    for column in without_keys(lines.state):
        having = np.array([i for i, c in enumerate(contents) if column.name in c], np.int64)
        values = [contents[i][column.name] for i in having]
        wanted = lines.values(column.name, [known[i] for i in having], values)
        now = lines.state.cells_at(column.id, rows[having])
        same = pc.equal(cell_bytes(now), cell_bytes(wanted))
        out[having] &= np.asarray(same.to_numpy(zero_copy_only=False), dtype=bool)
    return out


def _unlike(state: State, lines: list[Line], rows: Ordinals) -> pa.Table:
    """Return rows that are not as lines expect them as conflicts, in JSON."""
    now = row_values(state, without_keys(state), rows)
    gone = ~state.is_live(rows)
    ours = [{**row, DROPPED: True} if out else row for row, out in zip(now, gone, strict=True)]
    texts = [
        pa.array([_json(value) for value in side], pa.string())
        for side in ([x.old for x in lines], ours, [x.new for x in lines])
    ]
    schema = cells_schema(pa.string())
    signs = last_edits(state, ROW, rows).columns
    mine = pa.table([pa.array(rows), texts[0], texts[1], *signs], schema=schema)
    columns = [pa.array(rows), texts[0], texts[2], *stamps(lines).columns]
    return beside(mine, pa.table(columns, schema=schema))


def _json(row: Json) -> str | None:
    return None if row is None else json.dumps(row, ensure_ascii=False)


def _cells(lines: Lines, moved: State, dropped: Ordinals) -> Delta:
    """Return the changes of cells as the patch has them."""
    tables = {}
    for name, group in lines.patch.by_column("cell").items():
        column = lines.column(group[0])
        ordinals = lines.ordinals(group)
        old, new = (lines.values(name, group, [getattr(x, s) for x in group]) for s in _SIDES)
        columns = [pa.array(ordinals), old, new, *stamps(group).columns]
        table = pa.table(columns, schema=cells_schema(new.type))
        there = moved.is_there(ordinals)
        if is_system(column):
            there |= np.array([line.new is False for line in group], bool)
        lines.refuse_unknown(group, np.where(there, ordinals, -1))
        table = table.take(pa.array(np.argsort(ordinals)))
        if column == DROPPED:
            table = table.filter(pa.array(~np.isin(numbers(table, "ordinal"), dropped)))
        tables[column] = table
    return Delta({name: table for name, table in tables.items() if len(table)})
