"""Which rows of a class are pruned: those furthest from their label, as many as the joint says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from burnish.model.confident_learning import Counts, Floats, Mask

Rows = npt.NDArray[np.integer[Any]]
_SHORT = 256


class Table(Protocol):
    """Rows of probabilities that can be asked for by place."""

    @property
    def limit(self) -> int:
        """How many numbers to ask for at once, about."""
        ...

    def take(self, rows: Rows) -> Floats:
        """Return rows, as an array of shape (len(rows), n_classes)."""
        ...

    def cells(self, wanted: Sequence[tuple[Rows, int]]) -> list[Floats]:
        """Return the probability of one class for each row, for several lists of rows."""
        ...


@dataclass(frozen=True, eq=False)
class Pruner:
    """Chooses rows class by class.

    Parameters
    ----------
    table : Table
        Probabilities.
    doubtful : bool array of shape (n_rows,)
        Rows that can be issues.
    behind : mapping of class to rows
        Rows of the class with another class that is more probable, in rising order.
    whole : callable
        Class → all its rows, in the order that decides between equal ones.
    quotas : int64 array of shape (n_classes, n_classes)
        Rows to prune by label (first axis) and true class (second axis); the diagonal is how many
        stay.
    counts : int64 array of shape (n_classes,)
        Rows by label.
    cuts : float64 array of shape (n_classes, n_classes)
        Smallest margin taken by label (first axis) and true class when it was last chosen, NaN
        where it was not. Where as many rows as the quota still reach it, it is the cut; written
        anew where not.

    Notes
    -----
    A class of one row is left alone. Of rows that are equally far from their label at the cut,
    those are taken that ``numpy.argsort`` puts first, among all rows of the class in the order
    of ``whole``: cleanlab takes the same ones.
    """

    table: Table
    doubtful: Mask
    behind: Callable[[int], Rows]
    whole: Callable[[int], Rows]
    quotas: Counts
    counts: Counts
    cuts: npt.NDArray[np.float64]

    def by_noise_rate(self, classes: Sequence[int]) -> list[Rows]:
        """Return for each class the rows with the largest margins of other classes over it."""
        chosen = [_Class(self, k) for k in classes]
        taken = self.table.take(np.concatenate([each.rows for each in chosen]))
        opened, end = [], 0
        for each in chosen:
            start, end = end, end + len(each.rows)
            opened += [(each, j) for j in each.choose(taken[start:end])]
        del taken
        for part in self._parts(opened):
            self._look_at_all(part)
        return [each.rows[each.picked] for each in chosen]

    def by_class(self, classes: Sequence[int]) -> list[Rows]:
        """Return for each class the rows with the smallest probability of their label."""
        wanted = [k for k in classes if self.counts[k] > max(1, self.quotas[k, k])]
        every = {k: self.whole(k) for k in wanted}
        own = dict(zip(wanted, self.table.cells([(every[k], k) for k in wanted]), strict=True))
        none = np.empty(0, dtype=np.int64)
        return [self._smallest(k, every[k], own[k]) if k in own else none for k in classes]

    def _smallest(self, k: int, rows: Rows, own: Floats) -> Rows:
        picked = first(own, int(self.counts[k] - self.quotas[k, k]), self.doubtful[rows])
        return np.sort(rows[picked & self.doubtful[rows]])

    def _parts(self, opened: list[tuple[_Class, int]]) -> Iterator[list[tuple[_Class, int]]]:
        part: list[tuple[_Class, int]] = []
        size = 0
        for each, j in opened:
            if part and size + self.counts[each.k] > self.table.limit:
                yield part
                part, size = [], 0
            part.append((each, j))
            size += int(self.counts[each.k])
        if part:
            yield part

    def _look_at_all(self, opened: list[tuple[_Class, int]]) -> None:
        rows = {each.k: self.whole(each.k) for each, _ in opened}
        wanted = [(each.k, j) for each, j in opened] + [(k, k) for k in rows]
        cells = self.table.cells([(rows[k], j) for k, j in wanted])
        found = dict(zip(wanted, cells, strict=True))
        for each, j in opened:
            every = rows[each.k]
            margins = found[each.k, each.k] - found[each.k, j]
            doubtful = self.doubtful[every]
            picked = first(margins, int(self.quotas[each.k, j]), doubtful)[doubtful]
            each.picked[each.doubtful] |= picked[np.argsort(every[doubtful])]


class _Class:
    """One class while its rows are chosen."""

    def __init__(self, pruner: Pruner, k: int) -> None:
        self.k = k
        self.wanted = pruner.quotas[k]
        self.cuts = pruner.cuts[k]
        columns = np.flatnonzero(self.wanted)
        self.columns = columns[columns != k] if pruner.counts[k] > 1 else columns[:0]
        self.rows = pruner.behind(k) if len(self.columns) else np.empty(0, dtype=np.int64)
        self.doubtful = pruner.doubtful[self.rows]
        self.picked = np.zeros(len(self.rows), dtype=bool)

    def choose(self, block: Floats) -> list[int]:
        """Choose among the rows with another class more probable; return the classes left open."""
        if not len(self.rows):
            return []
        if len(block) <= _SHORT:
            return self._choose_sorted(block)
        turned = np.ascontiguousarray(block.T)
        turned -= turned[self.k].copy()
        opened = []
        for j in self.columns.tolist():
            reached = self._reached(turned[j], j)
            if reached is None:
                opened.append(j)
            else:
                self.picked |= reached
        self.picked &= self.doubtful
        return opened

    def _choose_sorted(self, block: Floats) -> list[int]:
        """Choose for all classes at once, which pays where rows are few."""
        margins = block.T[self.columns] - block[:, self.k]
        columns = np.arange(len(margins))
        ordered = np.sort(margins, axis=1)
        place = len(block) - self.wanted[self.columns]
        cuts = ordered[columns, np.maximum(place, 0)]
        tied = (place > 0) & (ordered[columns, np.maximum(place - 1, 0)] == cuts)
        settled = (place >= 0) & (cuts > 0) & ~tied
        self.picked = (margins[settled] >= cuts[settled, None]).any(axis=0) & self.doubtful
        return [int(j) for j in self.columns[~settled]]

    def _reached(self, margins: Floats, j: int) -> Mask | None:
        quota = int(self.wanted[j])
        if self.cuts[j] > 0:
            reached = margins >= self.cuts[j]
            if np.count_nonzero(reached) == quota:
                return np.asarray(reached)
        cut = _cut(margins, quota)
        self.cuts[j] = np.nan if cut is None else cut
        return None if cut is None else np.asarray(margins >= cut)


def _cut(margins: Floats, quota: int) -> Any:
    """Return the quota-th largest margin; None unless it is positive and so many reach it."""
    place = len(margins) - quota
    if place < 0 or np.count_nonzero(margins > 0) < quota:
        return None
    if not place:
        return margins.min()
    parted = np.partition(margins, place)
    cut = parted[place]
    return None if (parted[:place] == cut).any() else cut


def first(values: Floats, size: int, matters: Mask) -> Mask:
    """Return which of the values are the smallest `size` ones.

    Parameters
    ----------
    values : float array of shape (n,)
    size : int
        At least 1.
    matters : bool array of shape (n,)
        Where the answer is used; elsewhere, among values equal to the largest taken, it may be
        wrong.

    Returns
    -------
    bool array of shape (n,)

    Notes
    -----
    O(n), unless values that matter are equal at the cut: then those that ``numpy.argsort`` puts
    first.

    Examples
    --------
    >>> from burnish.model.pruning import first
    >>> import numpy as np
    >>> first(np.array([0.3, 0.1, 0.2]), 2, np.ones(3, dtype=bool)).tolist()
    [False, True, True]
    """
    if size >= len(values):
        return np.ones(len(values), dtype=bool)
    cut = np.partition(values, size - 1)[size - 1]
    picked, tied = values < cut, values == cut
    if np.count_nonzero(picked) + np.count_nonzero(tied) == size or not (tied & matters).any():
        return np.asarray(picked | tied)
    earliest = np.zeros(len(values), dtype=bool)
    earliest[np.argsort(values)[:size]] = True
    return earliest
