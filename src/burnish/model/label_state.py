"""Label issues of an array of probabilities, kept so that an edited label costs little."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

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
from burnish.model.pruning import Pruner, Rows

_BLOCK = 1 << 20
_MANY = 1 << 18
_NO_ROWS = np.empty(0, dtype=np.int64)
T = TypeVar("T")
Order = Callable[[Rows], Rows]


@dataclass(frozen=True, eq=False)
class ArrayTable:
    """Probabilities in memory, read in place."""

    values: Floats

    def take(self, rows: Rows) -> Floats:
        """Return rows, as an array of shape (len(rows), n_classes)."""
        return self.values.take(rows, axis=0)

    def cells(self, wanted: Sequence[tuple[Rows, int]]) -> list[Floats]:
        """Return the probability of one class for each row, for several lists of rows."""
        return [self.values[rows, k] for rows, k in wanted]


class LabelState:
    """Label issues of probabilities in memory.

    Parameters
    ----------
    values : float32 or float64 array of shape (n_rows, n_classes)
        Probabilities, read in place and never copied; they must not change.
    codes : int array of shape (n_rows,)
        Place of each row's label among the classes, -1 for a row that is left out.
    filter_by : str
        One of the four filters of ``bn.find.label_issues``.
    in_order : callable, optional
        Puts rows into the order that decides between equal ones; as they come by default.
    threads : int, optional
        All cores by default.
    cancel : threading.Event, optional
        Stops the run once it is set.

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
        values: Floats,
        codes: Codes,
        filter_by: str,
        in_order: Order | None = None,
        threads: int | None = None,
        cancel: Event | None = None,
    ) -> None:
        self.values = values
        self.filter_by = filter_by
        self._in_order: Order = in_order or (lambda rows: rows)
        self._threads = threads
        self._cancel = cancel
        self._whole = False
        self._run(codes)

    @property
    def n_classes(self) -> int:
        """Number of columns."""
        return self.values.shape[1]

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
        own = self.values[rows, self.codes[rows]]
        if score == "self_confidence":
            return 1 - own.astype(np.float64)
        others = self.values[rows]
        others[np.arange(len(rows)), self.codes[rows]] = 0
        best = others.max(axis=1, initial=0)
        return 1 - ((own - best + 1) / 2).astype(np.float64)

    def _run(self, codes: Codes) -> None:
        n_rows, kind = len(codes), code_type(self.n_classes)
        self.codes = codes.astype(kind)
        self.facts = RowFacts(
            np.zeros(n_rows, kind), np.zeros(n_rows, bool), np.zeros(n_rows, bool)
        )
        self.guess = np.full(n_rows, -1, kind)
        self.flagged = np.zeros(n_rows, dtype=bool)
        self.sums = self._each_block(self._sums, Sums.__add__) or no_sums(self.n_classes)
        self._guess_all(thresholds_of(self.sums))
        self.joint = joint_of(self.sums, self._confident())
        self.members = Members(self.codes, self.facts.behind, self.n_classes)
        self.bands = Bands(self.values)
        self._choose(list(range(self.n_classes)))
        self._whole = True

    def _each_block(self, partial: Callable[[slice], T], combine: Callable[[T, T], T]) -> T | None:
        return local.run(
            partial, combine, self._blocks(), threads=self._threads, cancel=self._cancel
        )

    def _blocks(self) -> Iterator[slice]:
        step = max(1, _BLOCK // max(1, self.n_classes * self.values.itemsize))
        return (slice(start, start + step) for start in range(0, len(self.codes), step))

    def _sums(self, part: slice) -> Sums:
        block, codes = self.values[part], self.codes[part]
        own = self._note(part, block, codes)
        there = codes >= 0
        if there.all():
            return sums_of(codes, own, self.n_classes)
        return sums_of(codes[there], own[there], self.n_classes)

    def _note(self, rows: slice | Rows, block: Floats, codes: Codes) -> Floats:
        there = codes >= 0
        facts, own = facts_of(block, np.where(there, codes, 0).astype(codes.dtype))
        self.facts.top[rows] = facts.top
        self.facts.behind[rows] = facts.behind & there
        self.facts.doubtful[rows] = facts.doubtful & there
        return own

    def _guess_all(self, thresholds: Floats) -> None:
        def guess(part: slice) -> None:
            self.guess[part] = guesses_of(self.values[part], self.facts.top[part], thresholds)

        self._each_block(guess, lambda _, __: None)

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
        self.joint = joint_of(self.sums, confident)
        touched = set(before.tolist()) | set(codes.tolist())
        touched.update(np.flatnonzero((self.joint.quotas != quotas).any(axis=0)).tolist())
        if self.filter_by == "confident_learning":
            touched.update(self.codes[passed].tolist())
        self._choose(sorted(touched - {-1}))

    def _relabel(self, rows: Rows, before: Codes, codes: Codes) -> None:
        block = self.values[rows]
        for labels, sign in ((before, -1), (codes, 1)):
            there = np.flatnonzero(labels >= 0)
            own = block[there, labels[there]]
            part = sums_of(labels[there], own, self.n_classes)
            self.sums = self.sums + part if sign > 0 else self.sums - part
        self.codes[rows] = codes
        self._note(rows, block, codes.astype(self.codes.dtype))

    def _guess_again(self, thresholds: Floats, confident: Counts) -> Rows:
        """Guess anew the rows that a threshold passed over, and count them as they are now."""
        old = self.joint.thresholds
        moved = np.flatnonzero(old != thresholds)
        found = [self.bands.between(k, old[k] - CLOSE, thresholds[k] - CLOSE) for k in moved]
        rows = np.unique(np.concatenate([_NO_ROWS, *found]))
        labels = self.codes[rows]
        count_pairs(confident, labels, self.guess[rows], -1)
        self.guess[rows] = guesses_of(self.values[rows], self.facts.top[rows], thresholds)
        count_pairs(confident, labels, self.guess[rows])
        return rows[labels >= 0]

    def _choose(self, classes: list[int]) -> None:
        """Flag the rows of some classes anew."""
        choose = self._off_diagonal if self.filter_by == "confident_learning" else self._pruned
        for rows, picked in self._for_each(choose, classes):
            self.flagged[rows] = False
            self.flagged[picked] = True

    def _for_each(
        self, choose: Callable[[int], tuple[Rows, Rows]], classes: list[int]
    ) -> list[tuple[Rows, Rows]]:
        found = local.run(
            lambda k: [choose(k)],
            lambda one, other: [*one, *other],
            classes,
            threads=1 if len(classes) < self.n_classes else self._threads,
            cancel=self._cancel,
        )
        return found or []

    def _off_diagonal(self, k: int) -> tuple[Rows, Rows]:
        rows = self.members.behind(k)
        guess = self.guess[rows]
        return rows, rows[self.facts.doubtful[rows] & (guess >= 0) & (guess != k)]

    def _pruned(self, k: int) -> tuple[Rows, Rows]:
        rows, pruner = self.members.behind(k), self._pruner()
        found = []
        if self.filter_by != "prune_by_class":
            found += pruner.by_noise_rate([k])
        if self.filter_by != "prune_by_noise_rate":
            found += pruner.by_class([k])
        return rows, found[0] if len(found) == 1 else np.intersect1d(*found)

    def _pruner(self) -> Pruner:
        return Pruner(
            ArrayTable(self.values),
            self.facts.doubtful,
            self.members.behind,
            lambda k: self._in_order(self.members.all(k)),
            self.joint.quotas,
            self.sums.counts,
        )
