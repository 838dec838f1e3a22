"""Label issues of an array of probabilities, kept so that an edited label costs little."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from threading import Event
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from burnish.engine import local
from burnish.model.confident_learning import (
    CLOSE,
    Codes,
    Counts,
    Floats,
    RowFacts,
    Sums,
    cells_of,
    code_type,
    count_pairs,
    facts_of,
    guesses_of,
    joint_of,
    no_sums,
    sums_of,
    thresholds_of,
)
from burnish.model.label_members import Bands, Members
from burnish.model.probability_tables import ArrayTable, FileTable
from burnish.model.pruning import Pruner, Rows
from burnish.model.rounding import Rounding

_MANY = 1 << 16
_MANY_ROWS = 1 << 10  # of a class: with fewer, threads wait for each other
_NO_ROWS = np.empty(0, dtype=np.int64)
T = TypeVar("T")
Order = Callable[[Rows], Rows]


class LabelState:
    """Label issues, and what it takes to bring them up to edited labels.

    Parameters
    ----------
    table : ArrayTable or FileTable
        Probabilities, read in place and never copied; they must not change.
    codes : int array of shape (n_rows,)
        Place of each row's label among the classes, -1 for a row that is left out. Kept and changed
        by `update` where it is of the smallest type that holds a class.
    filter_by : str
        One of the four filters of ``bn.find.label_issues``.
    in_order : callable, optional
        Puts rows into the order that decides between equal ones; as they come by default.
    threads : int, optional
        All cores by default.
    progress : callable, optional
        Called with the number of parts that a pass has read.
    cancel : threading.Event, optional
        Stops a run once it is set.

    Attributes
    ----------
    flagged : bool array of shape (n_rows,)
    facts : RowFacts
        The most probable class of each row, and whether it is doubtful.
    sums : Sums
    joint : ConfidentJoint

    Notes
    -----
    The first run costs O(n_rows × n_classes). `update` costs O(n_rows) bytes to compare and
    otherwise the rows of the classes that it touches. Keeps 6 to 12 bytes a row, and the rows near
    the threshold of each class that was touched once. Equal to a first run with the same labels,
    whatever came before.
    """

    def __init__(
        self,
        table: ArrayTable | FileTable,
        codes: Codes,
        filter_by: str,
        in_order: Order | None = None,
        threads: int | None = None,
        progress: local.Progress | None = None,
        cancel: Event | None = None,
    ) -> None:
        self.table = table
        self.filter_by = filter_by
        self._in_order: Order = in_order or (lambda rows: rows)
        self._threads = threads
        self._progress = progress
        self._cancel = cancel
        self._whole = False
        self._run(codes)

    @property
    def n_classes(self) -> int:
        """Number of columns."""
        return self.table.shape[1]

    def update(self, codes: Codes) -> int:
        """Bring the issues up to the labels as they are now.

        Parameters
        ----------
        codes : int array of shape (n_rows,)
            All labels, as for the constructor.

        Returns
        -------
        int
            How many labels had changed.
        """
        rows = np.flatnonzero(codes != self.codes)
        if not self._whole or len(rows) > len(codes) // 8:
            self._run(codes)
        elif len(rows):
            self._whole = False
            self._move(rows, codes[rows])
            self._whole = True
        return len(rows)

    def scores(self, rows: Rows, score: str) -> npt.NDArray[np.float64]:
        """Return how likely labels are wrong, in [0, 1], for rows that have one.

        Parameters
        ----------
        rows : int array of shape (n,)
        score : {"self_confidence", "normalized_margin"}

        Returns
        -------
        float64 array of shape (n,)
            1 minus the probability of the label, or 1 minus the normalised margin to the most
            probable other class.
        """
        step = max(1, self.table.limit // self.n_classes)
        parts = [rows[start : start + step] for start in range(0, len(rows), step)]
        return np.concatenate([np.empty(0), *(self._scores(part, score) for part in parts)])

    def _scores(self, rows: Rows, score: str) -> npt.NDArray[np.float64]:
        values, at = self.table.take(rows), (np.arange(len(rows)), self.codes[rows])
        own = values[at]
        if score != "self_confidence":
            values[at] = 0
            own = (own - values.max(axis=1) + 1) / 2
        return np.asarray(1 - own.astype(np.float64))

    def _run(self, codes: Codes) -> None:
        n_rows, kind = len(codes), code_type(self.n_classes)
        self.codes = codes.astype(kind, copy=False)
        self.facts = RowFacts(
            np.zeros(n_rows, kind), np.zeros(n_rows, bool), np.zeros(n_rows, bool)
        )
        self.guess = np.full(n_rows, -1, kind)
        self.flagged = np.zeros(n_rows, dtype=bool)
        self.sums = self._pass(self._sums, Sums.__add__) or no_sums(self.n_classes)
        self._look(thresholds_of(self.sums))
        self._rounding = Rounding()
        self.joint = joint_of(self.sums, self._confident(), self._rounding)
        self.members = Members(self.codes, self.facts.behind, self.n_classes)
        self.bands = Bands(self.table)
        self._cuts = np.full((self.n_classes, self.n_classes), np.nan)
        self._choose(list(range(self.n_classes)))
        self._whole = True

    def _pass(
        self, partial: Callable[[slice, Floats], T], combine: Callable[[T, T], T]
    ) -> T | None:
        def read(split: Any) -> T:
            return reduce(combine, (partial(*part) for part in self.table.read(split)))

        return local.run(
            read,
            combine,
            self.table.splits(),
            threads=self._threads,
            progress=self._progress,
            cancel=self._cancel,
        )

    def _sums(self, part: slice, block: Floats) -> Sums:
        codes = self.codes[part]
        there = codes >= 0
        if there.all():
            return sums_of(codes, cells_of(block, codes), self.n_classes)
        return sums_of(codes[there], cells_of(block, codes)[there], self.n_classes)

    def _note(self, rows: slice | Rows, block: Floats, codes: Codes) -> None:
        there = codes >= 0
        facts, _ = facts_of(block, np.where(there, codes, 0).astype(codes.dtype))
        self.facts.top[rows] = facts.top
        self.facts.behind[rows] = facts.behind & there
        self.facts.doubtful[rows] = facts.doubtful & there

    def _look(self, thresholds: npt.NDArray[np.float64]) -> None:
        """Note the facts of all rows and guess, while a block is at hand."""

        def look(part: slice, block: Floats) -> None:
            self._note(part, block, self.codes[part])
            self.guess[part] = guesses_of(block, self.facts.top[part], thresholds)

        self._pass(look, lambda _, __: None)

    def _confident(self) -> Counts:
        confident = np.zeros((self.n_classes, self.n_classes), dtype=np.int64)
        for start in range(0, len(self.codes), _MANY):
            part = slice(start, start + _MANY)
            count_pairs(confident, self.codes[part], self.guess[part])
        return confident

    def _move(self, rows: Rows, codes: Codes) -> None:
        before, quotas = self.codes[rows], self.joint.quotas
        confident = self.joint.confident.copy()
        count_pairs(confident, before, self.guess[rows], -1)
        count_pairs(confident, codes, self.guess[rows])
        self.flagged[rows] = False
        behind = self.facts.behind[rows]
        self._relabel(rows, before, codes)
        self.members.move(rows, before, behind, codes, self.facts.behind[rows])
        passed = self._guess_again(thresholds_of(self.sums), confident)
        self.joint = joint_of(self.sums, confident, self._rounding)
        touched = set(before.tolist()) | set(codes.tolist())
        touched.update(np.flatnonzero((self.joint.quotas != quotas).any(axis=1)).tolist())
        if self.filter_by == "confident_learning":
            touched.update(self.codes[passed].tolist())
        self._choose(sorted(touched - {-1}))

    def _relabel(self, rows: Rows, before: Codes, codes: Codes) -> None:
        block = self.table.take(rows)
        for labels, sign in ((before, -1), (codes, 1)):
            there = np.flatnonzero(labels >= 0)
            own = block[there, labels[there]]
            part = sums_of(labels[there], own, self.n_classes)
            self.sums = self.sums + part if sign > 0 else self.sums - part
        self.codes[rows] = codes
        self._note(rows, block, codes.astype(self.codes.dtype))

    def _guess_again(self, thresholds: npt.NDArray[np.float64], confident: Counts) -> Rows:
        """Guess anew the rows that a threshold passed over, and count them as they are now."""
        old = self.joint.thresholds
        moved = np.flatnonzero(old != thresholds)
        found = [self.bands.between(k, old[k] - CLOSE, thresholds[k] - CLOSE) for k in moved]
        rows = np.unique(np.concatenate([_NO_ROWS, *found]))
        labels = self.codes[rows]
        count_pairs(confident, labels, self.guess[rows], -1)
        self.guess[rows] = guesses_of(self.table.take(rows), self.facts.top[rows], thresholds)
        count_pairs(confident, labels, self.guess[rows])
        return np.asarray(rows[labels >= 0])

    def _choose(self, classes: Sequence[int]) -> None:
        """Flag the rows of some classes anew."""
        choose = self._off_diagonal if self.filter_by == "confident_learning" else self._pruned
        many = np.count_nonzero(self.facts.behind) > _MANY_ROWS * self.n_classes
        in_memory = isinstance(self.table, ArrayTable) and len(classes) == self.n_classes
        found = local.run(
            choose,
            lambda one, other: np.concatenate([one, other]),
            self._groups(classes),
            threads=self._threads if in_memory and many else 1,
            cancel=self._cancel,
        )
        self.flagged[self._behind(classes)] = False
        self.flagged[_NO_ROWS if found is None else found] = True

    def _behind(self, classes: Sequence[int]) -> Rows:
        return np.concatenate([_NO_ROWS, *(self.members.behind(k) for k in classes)])

    def _groups(self, classes: Sequence[int]) -> Iterator[list[int]]:
        """Give classes whose rows are about as many as may be held at once."""
        costs = self._pruner().costs(classes)
        if self.filter_by in ("prune_by_class", "both"):
            costs += self.sums.counts[classes]
        group: list[int] = []
        size = 0
        for k, cost in zip(classes, costs.tolist(), strict=True):
            if group and size + cost > self.table.limit:
                yield group
                group, size = [], 0
            group.append(k)
            size += cost
        if group:
            yield group

    def _off_diagonal(self, classes: Sequence[int]) -> Rows:
        rows = self._behind(classes)
        guess = self.guess[rows]
        confident = (guess >= 0) & (guess != self.codes[rows])
        return np.asarray(rows[self.facts.doubtful[rows] & confident])

    def _pruned(self, classes: Sequence[int]) -> Rows:
        pruner = self._pruner()
        if self.filter_by == "prune_by_noise_rate":
            return pruner.by_noise_rate(classes)
        by_class = pruner.by_class(classes)
        if self.filter_by == "prune_by_class":
            return by_class
        both: Rows = np.intersect1d(by_class, pruner.by_noise_rate(classes))
        return both

    def _pruner(self) -> Pruner:
        return Pruner(
            self.table,
            self.facts.doubtful,
            self.members.behind,
            lambda k: self._in_order(self.members.all(k)),
            self.joint.quotas,
            self.sums.counts,
            self._cuts,
        )
