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
_NARROW = 64


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

    def pairs(self, rows: Rows, classes: Rows) -> Floats:
        """Return one probability for each row and class beside it."""
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

    def by_noise_rate(self, classes: Sequence[int]) -> Rows:
        """Return the rows with the largest margins of other classes over theirs."""
        size = np.array([len(self.behind(k)) for k in classes])
        several = self.counts[classes] > 1
        few = np.flatnonzero((size > 0) & (size <= _SHORT) & several)
        picked, opened = self._choose_together([classes[i] for i in few.tolist()])
        large = np.flatnonzero((size > _SHORT) & several)
        if len(large):
            for k, rows, block in self._taken([classes[i] for i in large.tolist()]):
                each = _Class(self, k, rows)
                opened += [(k, j) for j in each.choose(block)]
                picked.append(rows[each.picked])
        for part in self._parts(opened):
            picked += self._look_at_all(part)
        return np.concatenate([np.empty(0, dtype=np.int64), *picked])

    def by_class(self, classes: Sequence[int]) -> Rows:
        """Return the rows with the smallest probability of their label."""
        wanted = [k for k in classes if self.counts[k] > max(1, self.quotas[k, k])]
        every = [self.whole(k) for k in wanted]
        cells = self.table.cells(list(zip(every, wanted, strict=True)))
        each = zip(wanted, every, cells, strict=True)
        picked = [self._smallest(k, rows, own) for k, rows, own in each]
        return np.concatenate([np.empty(0, dtype=np.int64), *picked])

    def costs(self, classes: Sequence[int]) -> Counts:
        """Return how many numbers are held to choose among the rows of each class."""
        columns = np.count_nonzero(self.quotas[classes], axis=1)
        rows = np.array([len(self.behind(k)) for k in classes], dtype=np.int64)
        return rows * np.where(rows <= _SHORT, columns, len(self.quotas))

    def _smallest(self, k: int, rows: Rows, own: Floats) -> Rows:
        picked = first(own, int(self.counts[k] - self.quotas[k, k]), self.doubtful[rows])
        return rows[picked & self.doubtful[rows]]

    def _taken(self, classes: Sequence[int]) -> Iterator[tuple[int, Rows, Floats]]:
        rows = [self.behind(k) for k in classes]
        taken, end = self.table.take(np.concatenate(rows)), 0
        for k, some in zip(classes, rows, strict=True):
            start, end = end, end + len(some)
            yield k, some, taken[start:end]

    def _choose_together(self, classes: Sequence[int]) -> tuple[list[Rows], list[tuple[int, int]]]:
        """Choose for several classes at once, which pays where each has few rows.

        Looks at the rows of a class only beside the classes that it is pruned for. Returns rows,
        and the pairs of classes left open.
        """
        if not classes:
            return [], []
        labels, behind = np.array(classes), [self.behind(k) for k in classes]
        rows, size = np.concatenate(behind), np.array([len(some) for some in behind])
        asked, columns = self._asked(labels)
        own = self.table.pairs(rows, np.repeat(labels, size))
        at, pair, start = _laid_out(size, asked)
        margins = self.table.pairs(rows[at], columns[pair]) - own[at]
        place = size[asked] - self.quotas[labels[asked], columns]
        cuts, settled = _cuts(margins, pair, start, place)
        picked = np.zeros(len(rows), dtype=bool)
        picked[at[settled[pair] & (margins >= cuts[pair])]] = True
        opened = np.flatnonzero(~settled)
        pairs = zip(labels[asked[opened]].tolist(), columns[opened].tolist(), strict=True)
        return [rows[picked & self.doubtful[rows]]], list(pairs)

    def _asked(self, labels: Rows) -> tuple[Rows, Rows]:
        """Return the pairs of classes with a quota: the place of the label, and the other class."""
        asked, columns = self.quotas[labels].nonzero()
        others = labels[asked] != columns
        return asked[others], columns[others]

    def _parts(self, opened: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        part: list[tuple[int, int]] = []
        size = 0
        for k, j in opened:
            if part and size + self.counts[k] > self.table.limit:
                yield part
                part, size = [], 0
            part.append((k, j))
            size += int(self.counts[k])
        if part:
            yield part

    def _look_at_all(self, opened: list[tuple[int, int]]) -> list[Rows]:
        rows = {k: self.whole(k) for k, _ in opened}
        wanted = opened + [(k, k) for k in rows]
        cells = self.table.cells([(rows[k], j) for k, j in wanted])
        found = dict(zip(wanted, cells, strict=True))
        picked = []
        for k, j in opened:
            doubtful = self.doubtful[rows[k]]
            some = first(found[k, k] - found[k, j], int(self.quotas[k, j]), doubtful)
            picked.append(rows[k][some & doubtful])
        return picked


class _Class:
    """One class while its rows are chosen."""

    def __init__(self, pruner: Pruner, k: int, rows: Rows) -> None:
        self.k = k
        self.wanted = pruner.quotas[k]
        self.cuts = pruner.cuts[k]
        columns = np.flatnonzero(self.wanted)
        self.columns = columns[columns != k]
        self.doubtful = pruner.doubtful[rows]
        self.picked = np.zeros(len(rows), dtype=bool)

    def choose(self, block: Floats) -> list[int]:
        """Choose among the rows; return the classes left open. The block is used up."""
        turned = block.T if block.shape[1] < _NARROW else np.ascontiguousarray(block.T)
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

    def _reached(self, margins: Floats, j: int) -> Mask | None:
        quota = int(self.wanted[j])
        if self.cuts[j] > 0:
            reached = margins >= self.cuts[j]
            if np.count_nonzero(reached) == quota:
                return np.asarray(reached)
        cut = _cut(margins, quota)
        self.cuts[j] = np.nan if cut is None else cut
        return None if cut is None else np.asarray(margins >= cut)


def _laid_out(size: Rows, asked: Rows) -> tuple[Rows, Rows, Rows]:
    """Lay the rows of each label out once for each pair: their places, their pair, its start."""
    start = np.cumsum(size[asked]) - size[asked]
    pair = np.repeat(np.arange(len(asked)), size[asked])
    first_row = np.cumsum(size) - size
    return np.arange(len(pair)) + (first_row[asked] - start)[pair], pair, start


def _cuts(margins: Floats, pair: Rows, start: Rows, place: Rows) -> tuple[Floats, Mask]:
    """Return the margin at a place of each pair, and whether it is a cut: positive and no tie."""
    ordered = margins[np.lexsort((margins, pair))]
    cuts = ordered[start + np.maximum(place, 0)]
    tied = (place > 0) & (ordered[start + np.maximum(place - 1, 0)] == cuts)
    return cuts, (place >= 0) & (cuts > 0) & ~tied


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
