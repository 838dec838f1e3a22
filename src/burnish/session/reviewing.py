"""The review that goes on: its queue, its plan and the row whose turn it is."""

from __future__ import annotations

from burnish.core.delta import Ordinals
from burnish.core.finding import Findings
from burnish.dataset.reading import known_ordinals
from burnish.review import ReviewPlan
from burnish.session.listeners import Listeners
from burnish.session.queue import Queue
from burnish.session.shown import Shown


class Reviewing:
    """Leads through the findings under review.

    Parameters
    ----------
    shown : Shown
    listeners : Listeners
        Told of another queue, and of another current row.

    Attributes
    ----------
    queue : Queue, optional
        None until there are findings to review.
    current : int
        The row that is looked at, of the queue or not; -1 for none.
    """

    def __init__(self, shown: Shown, listeners: Listeners) -> None:
        self.queue: Queue | None = None
        self.current = -1
        self._shown = shown
        self._listeners = listeners

    def start(self, under: Findings | ReviewPlan) -> None:
        """Make findings the queue; the first undecided one becomes current."""
        plan, findings = (under, under.issues) if isinstance(under, ReviewPlan) else (None, under)
        ordinals = known_ordinals(self._shown.ds.state, findings.keys)
        self.queue = self._judged(Queue.of(findings, ordinals, plan))
        self._listeners.tell("queue")
        if self.current not in self.queue.rank_of:
            first = self.queue.after(-1)
            self.focus(first if first != -1 else int(ordinals[0]) if len(ordinals) else -1)

    def judge(self) -> None:
        """Read the verdicts anew."""
        if self.queue is not None:
            self.queue = self._judged(self.queue)
            self._listeners.tell("queue")

    def focus(self, row: int) -> None:
        """Make a row the current one, -1 for none."""
        if row != -1:
            self._shown.check_row(row)
        if row != self.current:
            self.current = row
            self._listeners.tell("current")

    def step(self, by: int, undecided: bool) -> None:
        """Move the current row along the queue."""
        if self.queue is not None:
            self.focus(self.queue.step(self.current, by, undecided))

    def advance(self) -> None:
        """Go on to the next row that waits for a verdict, from a row of the queue only."""
        if self.queue is not None and self.current in self.queue.rank_of:
            self.focus(self.queue.after(self.current))

    def because(self, ordinals: Ordinals) -> Findings | None:
        """Return the findings that a decision on rows is on, None for rows without any."""
        if self.queue is None or not any(int(o) in self.queue.rank_of for o in ordinals):
            return None
        if len(ordinals) == 1:
            return self.queue.because(int(ordinals[0]))
        return self.queue.findings

    def undecided(self) -> list[int]:
        """Return the rows that wait for a verdict."""
        return self.queue.undecided() if self.queue else []

    def _judged(self, queue: Queue) -> Queue:
        queue = queue.planned()
        ds = self._shown.ds
        live = ds.state.is_live(queue.ordinals)
        return queue.judged(ds.decisions.table, queue.ordinals[~live].tolist())
