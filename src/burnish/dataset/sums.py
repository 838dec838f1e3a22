"""The column sums of a state's fingerprint, moved on by a delta."""

from __future__ import annotations

import numpy as np

from burnish.core.delta import DROPPED, ROW, Delta, Ordinals
from burnish.core.fingerprint import MODULUS, column_sum
from burnish.dataset.state import State


def adjusted_sums(
    sums: dict[str, int], before: State, after: State, delta: Delta
) -> dict[str, int]:
    """Return the column sums after a delta, from those before it, at the cost of its cells.

    A column that is new, renamed or of another source is summed from all its cells.
    """
    toggled = np.union1d(delta.ordinals(DROPPED), delta.ordinals(ROW))
    out = {}
    for name, column in after.schema.by_name.items():
        known = before.schema.by_name.get(name)
        if known is None or (known.id, known.source) != (column.id, column.source):
            out[name] = column_sum(name, after.keys(), after.live_column(name))
            continue
        rows = np.union1d(toggled, delta.ordinals(column.id))
        gone = _part_sum(before, name, rows[before.is_live(rows)])
        come = _part_sum(after, name, rows[after.is_live(rows)])
        out[name] = (sums[name] - gone + come) % MODULUS
    return out


def _part_sum(state: State, name: str, ordinals: Ordinals) -> int:
    if not len(ordinals):
        return 0
    return column_sum(name, state.rows.key_bytes(ordinals), state.take(name, ordinals))
