"""In which turn a ranked row is reviewed, in which one drawn at random; replayed from verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from burnish.review.stopping import Confidence, Draw

Kind = Literal["ranked", "queue probe", "unflagged probe"]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judgement:
    """What was said of a row: wrong, right (False), or not known (None)."""

    row: int
    wrong: bool | None
    before: bool = False


@dataclass(frozen=True, eq=False)
class Schedule:
    """What there is to review, fixed before the first decision.

    Attributes
    ----------
    ranked : array of int
        Rows of the queue, best ranked first.
    queue_order, unflagged_order : array of int
        Rows of the queue, and those that are in no queue, in random order.
    every : int
        Turns of a round: one of them is for a row drawn from the queue, one for an unflagged row.
    """

    ranked: Rows
    queue_order: Rows
    unflagged_order: Rows
    every: int

    def kinds(self, turn: int) -> tuple[Kind, ...]:
        """Return what is reviewed in a turn, and what in its place when there is none left."""
        place = turn % self.every
        if place == self.every // 2 - 1:
            return "queue probe", "unflagged probe"
        if place == self.every - 1:
            return "unflagged probe", "ranked"
        return "ranked", "unflagged probe"


@dataclass(frozen=True)
class Item:
    """The row of a turn, and the row of the turn before it, -1 for none."""

    row: int
    kind: Kind
    previous: int


@dataclass
class Stream:
    """A population that rows are drawn from, and what is known of its errors.

    Attributes
    ----------
    found, unknown : int
        Judged rows that are wrong, and of which it is not known.
    gone : int
        Rows without a verdict that came up in a draw after they had been dropped.
    remaining : int
        Rows that a draw may still bring.
    n_dropped : int
        Rows that are dropped and have no verdict.
    """

    order: Rows
    dropped: Flags
    low: Confidence
    high: Confidence
    found: int = 0
    unknown: int = 0
    gone: int = 0
    n_draws: int = 0
    remaining: int = field(init=False)
    n_dropped: int = field(init=False)
    pending: tuple[int, Draw, Draw] | None = None
    _place: int = 0

    def __post_init__(self) -> None:
        self.remaining = len(self.order)
        self.n_dropped = int(self.dropped[self.order].sum())

    @property
    def open(self) -> int:
        """How many rows are not dropped and not known to be right or wrong."""
        return self.remaining + self.unknown + self.gone - self.n_dropped

    def next(self, done: Flags) -> int | None:
        """Return the row that is drawn, the same until it is judged; None when none is left."""
        while self.pending is None and self._place < len(self.order):
            row = int(self.order[self._place])
            self._place += 1
            if not done[row]:
                known, possible = self.found, self.found + self.unknown + self.gone
                lower = Draw(known, self.remaining, False)
                self.pending = row, lower, Draw(possible, self.remaining, True)
                if self.dropped[row]:
                    done[row] = True
                    self.judge(row, None)
        return self.pending[0] if self.pending else None

    def judge(self, row: int, wrong: bool | None) -> None:
        """Take note of a verdict; it is a draw where the row was the one drawn."""
        if self.pending is not None and self.pending[0] == row:
            _, lower, upper = self.pending
            self.low.add(Draw(lower.found, lower.remaining, wrong is True))
            self.high.add(Draw(upper.found, upper.remaining, wrong is not False))
            self.pending = None
            self.n_draws += 1
        self.remaining -= 1
        self.found += wrong is True
        if wrong is None:
            self.gone += bool(self.dropped[row])
            self.unknown += not self.dropped[row]

    def left(self, level: int) -> tuple[int | None, int, int]:
        """Return how many errors are left: most probable (None when unknown), low, high.

        Parameters
        ----------
        level : int
            Place of the level among those of the intervals.
        """
        possible = self.found + self.unknown + self.gone
        low = self.low.interval(level, self.found, self.remaining)[0] - self.found
        high = self.high.interval(level, possible, self.remaining)[1] - self.found - self.n_dropped
        high = max(high, 0)
        low = min(low, high)
        if self.remaining and not self.n_draws:
            return None, low, high
        guess = self.low.likeliest(self.found, self.remaining) - self.found
        return min(max(guess, low), high), low, high


class Replay:
    """Where a review stands after the verdicts so far.

    Parameters
    ----------
    schedule : Schedule
    dropped : bool array over all rows
        Rows that are dropped and have no verdict.
    alphas : two pairs of float
        What the intervals of the queue and of the unflagged rows may miss: each alone, and where
        both are added up.

    Attributes
    ----------
    current : Item or None
        What is reviewed next.
    drawn : list of Item
        Rows that were drawn, in order, the current one included.
    turns : int
        How many turns were taken.
    started : bool
        Whether the first turn began.
    """

    def __init__(
        self,
        schedule: Schedule,
        dropped: Flags,
        alphas: tuple[tuple[float, float], tuple[float, float]],
    ) -> None:
        self.schedule = schedule
        self.dropped = dropped
        self.done = np.zeros(len(dropped), dtype=bool)
        self.queue = self._stream(schedule.queue_order, alphas[0])
        self.unflagged = self._stream(schedule.unflagged_order, alphas[1])
        self.in_queue = np.zeros(len(dropped), dtype=bool)
        self.in_queue[schedule.ranked] = True
        self.in_unflagged = np.zeros(len(dropped), dtype=bool)
        self.in_unflagged[schedule.unflagged_order] = True
        self.drawn: list[Item] = []
        self.turns = 0
        self.current: Item | None = None
        self._previous = -1
        self._rank = 0
        self.started = False

    def _stream(self, order: Rows, alphas: tuple[float, float]) -> Stream:
        low, high = (Confidence(len(order), alphas) for _ in range(2))
        return Stream(order, self.dropped, low, high)

    def start(self) -> None:
        """Begin with the first turn; what was judged before it is known from then on."""
        self.started = True
        self._go_on()

    def judge(self, made: Judgement) -> None:
        """Take note of a verdict on a row that had none."""
        if self.done[made.row] or not (self.in_queue[made.row] or self.in_unflagged[made.row]):
            return
        self.done[made.row] = True
        stream = self.queue if self.in_queue[made.row] else self.unflagged
        stream.judge(made.row, made.wrong)
        if self.current is not None and made.row == self.current.row:
            self._previous = made.row
            self.turns += 1
            self._go_on()

    def order(self) -> Iterator[int]:
        """Yield the queue as it is reviewed: by rank, each drawn row where its turn came."""
        following: dict[int, list[int]] = {}
        for item in self.drawn:
            following.setdefault(item.previous, []).append(item.row)
        moved = {item.row for item in self.drawn}
        starts = (int(row) for row in self.schedule.ranked if int(row) not in moved)
        for start in (-1, *starts):
            waiting = [start]
            while waiting:
                row = waiting.pop()
                if row >= 0:
                    yield row
                waiting.extend(reversed(following.get(row, ())))

    def _go_on(self) -> None:
        found = (self._item(kind) for kind in self.schedule.kinds(self.turns))
        self.current = next(filter(None, found), None)
        if self.current is not None and self.current.kind != "ranked":
            self.drawn.append(self.current)

    def _item(self, kind: Kind) -> Item | None:
        row = self._ranked() if kind == "ranked" else self._probe(kind)
        return None if row is None else Item(row, kind, self._previous)

    def _probe(self, kind: Kind) -> int | None:
        stream = self.queue if kind == "queue probe" else self.unflagged
        return stream.next(self.done)

    def _ranked(self) -> int | None:
        ranked = self.schedule.ranked
        while self._rank < len(ranked) and self._over(int(ranked[self._rank])):
            self._rank += 1
        return int(ranked[self._rank]) if self._rank < len(ranked) else None

    def _over(self, row: int) -> bool:
        return bool(self.done[row] or self.dropped[row])
