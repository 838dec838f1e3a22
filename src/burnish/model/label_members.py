"""The rows of each class, and those near each threshold, kept while labels are edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from burnish.model.confident_learning import Codes, Floats, Mask
from burnish.model.probability_tables import ArrayTable, FileTable
from burnish.model.pruning import Rows

_FEW = 64


class Members:
    """The rows of each class.

    Parameters
    ----------
    codes : int array of shape (n_rows,)
        Labels, kept by reference; -1 for none.
    behind : bool array of shape (n_rows,)
        Rows with another class that is more probable than their label.
    n_classes : int

    Notes
    -----
    Keeps the rows that are behind, four bytes each. All rows of a class are found when they are
    asked for, by a look at every label, or at once where there are many classes.
    """

    def __init__(self, codes: Codes, behind: Mask, n_classes: int) -> None:
        self._codes = codes
        self._n_classes = n_classes
        self._all: list[Rows] | None = None
        kind = np.int32 if len(codes) < 1 << 31 else np.int64
        rows: Rows = np.flatnonzero(behind).astype(kind)
        self._behind = _by_class(rows, codes[rows], n_classes)

    def behind(self, k: int) -> Rows:
        """Return the rows of a class that are behind, in rising order."""
        return self._behind[k]

    def all(self, k: int) -> Rows:
        """Return all rows of a class, in rising order."""
        if self._n_classes <= _FEW:
            return np.flatnonzero(self._codes == k)
        if self._all is None:
            there = np.flatnonzero(self._codes >= 0)
            self._all = _by_class(there, self._codes[there], self._n_classes)
        return self._all[k]

    def move(
        self, rows: Rows, before: Codes, were_behind: Mask, after: Codes, are_behind: Mask
    ) -> None:
        """Move rows from one class to another, -1 for none."""
        self._all = None
        for k in set(before[were_behind].tolist()):
            self._behind[k] = _without(self._behind[k], rows[were_behind & (before == k)])
        for k in set(after[are_behind].tolist()):
            self._behind[k] = _with(self._behind[k], rows[are_behind & (after == k)])


@dataclass(frozen=True, eq=False)
class _Band:
    low: float
    high: float
    rows: Rows
    values: Floats


class Bands:
    """Rows whose probability of a class is near its threshold, found when a class is first asked.

    Parameters
    ----------
    table : ArrayTable or FileTable
        Probabilities.
    """

    def __init__(self, table: ArrayTable | FileTable) -> None:
        self._table = table
        self._known: dict[int, _Band] = {}

    def between(self, k: Any, one: float, other: float) -> Rows:
        """Return the rows that pass one bar and not the other."""
        low, high = min(one, other), max(one, other)
        band = self._known.get(int(k))
        if band is None or low < band.low or high > band.high:
            band = self._known[int(k)] = self._around(int(k), low, high)
        return band.rows[(band.values >= low) & (band.values < high)]

    def _around(self, k: int, low: float, high: float) -> _Band:
        width = max(1e-3, 16 * (high - low)) if high < 1 else 0.0
        column = self._table.column(k)
        rows = np.flatnonzero((column >= low - width) & (column < high + width))
        return _Band(low - width, high + width, rows, column[rows])


def _by_class(rows: Rows, codes: Codes, n_classes: int) -> list[Rows]:
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=n_classes))
    return np.split(rows[order], ends[:-1])


def _without(rows: Rows, gone: Rows) -> Rows:
    return np.delete(rows, np.searchsorted(rows, gone))


def _with(rows: Rows, new: Rows) -> Rows:
    return np.insert(rows, np.searchsorted(rows, new), new)
