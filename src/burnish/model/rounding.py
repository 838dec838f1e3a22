"""Rounding of a table of counts so that the sum of every row stays, as cleanlab rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.engine import local

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.integer[Any]]
Mask = npt.NDArray[np.bool_]

_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class _Row:
    """One row in which cells that rounding moved equally far have to be told apart."""

    place: int
    cells: slice
    missing: int
    pattern: bytes


class Rounding:
    """Rounds the joint, and remembers how equal cells were told apart.

    Notes
    -----
    Rounding each cell changes the sum of a row by some ones; as many cells, those that it moved
    furthest the other way, are changed by one. Of cells that it moved equally far, those are taken
    that ``numpy.argsort`` puts at the end, among all cells of the row: cleanlab takes the same
    ones. That order depends on which cells are greater than which and not on by how much, so what
    was taken is kept until this changes: a table that is scaled anew costs no sorts.

    Costs O(n_cells log n_cells), and a sort of the row for each row with such cells.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[bytes, Mask]] = {}

    def rounded(self, exact: Floats, rows: Places, columns: Places, totals: Counts) -> Counts:
        """Return cells as integers whose sums by row are those given.

        Parameters
        ----------
        exact : float64 array of shape (n_cells,)
            All cells that are not 0, at least one in each row, row by row.
        rows, columns : int array of shape (n_cells,)
            Where they stand; columns rise within a row.
        totals : int64 array of shape (n_rows,)
            Sum of each row of the square table, which that of its cells is but for rounding.

        Returns
        -------
        int64 array of shape (n_cells,)
        """
        whole = exact.round()
        starts = np.searchsorted(rows, np.arange(len(totals)))
        missing = totals - np.add.reduceat(whole, starts).astype(np.int64)
        at = np.flatnonzero(missing[rows])
        if len(at):
            step = np.sign(missing)[rows[at]]
            chosen = self._furthest((exact - whole)[at], rows[at], columns[at], missing)
            whole[at] += np.where(chosen, step, 0)
        return whole.astype(np.int64)

    def _furthest(self, moved: Floats, rows: Places, columns: Places, missing: Counts) -> Mask:
        """Return which cells were moved furthest, as many in each row as are missing there."""
        order = np.lexsort((-moved * np.sign(missing)[rows], rows))
        ordered = moved[order]
        last_in = np.searchsorted(rows, rows) + np.abs(missing)[rows] - 1
        next_out = np.minimum(last_in + 1, len(rows) - 1)
        tied = (rows[next_out] == rows) & (ordered[last_in] == ordered[next_out])
        chosen = np.empty(len(rows), dtype=bool)
        chosen[order] = np.arange(len(rows)) <= last_in
        if tied.any():
            self._tell_apart(chosen, tied, _ranks(ordered, order), moved, rows, columns, missing)
        return chosen

    def _tell_apart(
        self,
        chosen: Mask,
        tied: Mask,
        ranks: Places,
        moved: Floats,
        rows: Places,
        columns: Places,
        missing: Counts,
    ) -> None:
        found = []
        places = np.unique(rows[tied])
        ends = zip(*(np.searchsorted(rows, places + i).tolist() for i in (0, 1)), strict=True)
        for place, (start, end) in zip(places.tolist(), ends, strict=True):
            rank = ranks[start:end] - ranks[start:end].min()
            parts = (columns[start:end], rank, moved[start:end] > 0, missing[place])
            pattern = b"".join(part.tobytes() for part in parts)
            found.append(_Row(place, slice(start, end), int(missing[place]), pattern))
        self._sort([row for row in found if not self._knows(row)], moved, columns, len(missing))
        for row in found:
            chosen[row.cells] = self._known[row.place][1]

    def _knows(self, row: _Row) -> bool:
        return row.place in self._known and self._known[row.place][0] == row.pattern

    def _sort(self, found: list[_Row], moved: Floats, columns: Places, n_columns: int) -> None:
        def taken(part: list[_Row]) -> list[Mask]:
            table = np.zeros((len(part), n_columns))
            for line, row in zip(table, part, strict=True):
                line[columns[row.cells]] = moved[row.cells]
            pairs = zip(np.argsort(table, axis=1), part, strict=True)
            return [_among(order, row.missing)[columns[row.cells]] for order, row in pairs]

        step = max(1, _AT_ONCE // n_columns)
        parts = [found[start : start + step] for start in range(0, len(found), step)]
        threads = None if len(parts) > 1 else 1
        kept = local.run(taken, lambda one, other: one + other, parts, threads=threads) or []
        for row, some in zip(found, kept, strict=True):
            self._known[row.place] = row.pattern, some


def _among(order: Places, missing: int) -> Mask:
    """Return which places are the last ones in an order, or the first ones."""
    taken = np.zeros(len(order), dtype=bool)
    taken[order[-missing:] if missing > 0 else order[:-missing]] = True
    return taken


def _ranks(ordered: Floats, order: Places) -> Places:
    ranks = np.zeros(len(order), dtype=np.int32)
    ranks[order[1:]] = np.cumsum(ordered[1:] != ordered[:-1])
    return ranks
