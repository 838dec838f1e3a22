"""What a revert or a pick took away without saying so, read from states cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from burnish.core.delta import DROPPED, MARK
from burnish.core.schema import Column
from burnish.dataset.reading import keys_at
from burnish.dataset.state import State

MISSING = "no such cell"


class Cells:
    """All cells of a state in plain dicts, dropped rows included."""

    def __init__(self, state: State) -> None:
        there = state.there
        self.keys = keys_at(state, there).tolist()
        self.columns = {column.id: column for column in state.schema.columns}
        names = [*self.columns, DROPPED, *(MARK + name for name in state.marks)]
        self.values = {
            name: dict(zip(self.keys, state.cells_at(name, there).to_pylist(), strict=True))
            for name in names
        }
        self.live = set(keys_at(state, np.sort(state.live)).tolist())

    def value(self, key: Any, column: Column) -> Any:
        """Return a cell of a column, or of the one in its place that was cast to it."""
        own = self.columns.get(column.id)
        if own is None or own.source != column.source:
            own = next((c for c in self.columns.values() if c.place == column.place), None)
            if column.cast_from is None or own is None:
                return MISSING
        return self.values[own.id].get(key, MISSING)

    def has(self, key: Any, column: Column) -> bool:
        own = self.columns.get(column.id)
        return own is not None and own.source == column.source and key in self.values[DROPPED]

    def flag(self, key: Any, name: str) -> bool:
        return bool(self.values.get(name, {}).get(key))


def lost_edits(before: State, after: State, known: list[State]) -> list[tuple[Any, str]]:
    """Return the cells that were edited, seen from known states, and are not there any more.

    Parameters
    ----------
    before, after : State
        Around a revert or a pick that was not refused.
    known : list of State
        The two versions between which the change was made, and those where histories met.
    """
    was, now, seen = Cells(before), Cells(after), [Cells(state) for state in known]
    lost = []
    for key in was.keys:
        there = [cells for cells in seen if key in cells.values[DROPPED]]
        edited = [c for c in was.columns.values() if _is_edited(was, key, c, there)]
        lost += [(key, column.name) for column in edited if _is_lost(was, now, key, column)]
        hidden = key in was.live and key in now.values[DROPPED] and key not in now.live
        met = [c for c in edited if any(cells.has(key, c) for cells in there)]
        lost += [(key, DROPPED)] if hidden and met else []
        lost += [(key, name) for name in _lost_flags(was, now, key, there)]
    return lost


def _is_edited(was: Cells, key: Any, column: Column, there: list[Cells]) -> bool:
    held = [cells.value(key, column) for cells in there]
    held = [_spelled(value) for value in held if value is not MISSING] or [None]
    return _spelled(was.values[column.id][key]) not in held


def _is_lost(was: Cells, now: Cells, key: Any, column: Column) -> bool:
    return not now.has(key, column) or now.values[column.id][key] != was.values[column.id][key]


def _lost_flags(was: Cells, now: Cells, key: Any, there: list[Cells]) -> list[str]:
    marks = [name for name in was.values if name.startswith(MARK) and was.flag(key, name)]
    new = [name for name in marks if not any(cells.flag(key, name) for cells in there)]
    lost = [name for name in new if not now.flag(key, name)]
    restored = key in was.live and there and all(cells.flag(key, DROPPED) for cells in there)
    return lost + ([DROPPED] if restored and key not in now.live else [])


def _spelled(value: Any) -> Any:
    try:
        return str(float(value))
    except (TypeError, ValueError):
        return value
