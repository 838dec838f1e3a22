"""Evidence for and against the finding on a row, as far as it is known."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import numpy as np

from burnish.core.finding import Findings
from burnish.core.keys import key_array
from burnish.review.lines import View, lay_out
from burnish.review.value import Evidence
from burnish.session.background import NEIGHBOURS, Background
from burnish.session.listeners import Listeners
from burnish.session.queue import Queue
from burnish.session.shown import Shown

_NO_FINDINGS = Findings("label-issue", key_array(()), np.empty(0), key_array(()), key_array(()))


class Weighing:
    """Lays evidence out, and has what is missing computed in the background.

    Parameters
    ----------
    shown : Shown
    listeners : Listeners
        Told when there is more evidence than before.
    """

    def __init__(self, shown: Shown, listeners: Listeners) -> None:
        self._shown = shown
        self._background = _background(listeners)

    @property
    def seq(self) -> int:
        """Grows when evidence that was given before may be out of date."""
        return self._background.seq

    def evidence(self, row: int, queue: Queue | None) -> Evidence:
        """Return what is known by now on a row; computes the rest."""
        self._shown.check_row(row)
        ds, findings = self._shown.ds, queue.findings if queue else _NO_FINDINGS
        grounds = self._background.grounds(ds, findings)
        view = View(self._shown.state, ds.decisions.table)
        return lay_out(view, findings, grounds, np.array([row], np.int64), NEIGHBOURS)

    def stop(self) -> None:
        """Stop computing."""
        self._background.stop()


def _background(listeners: Listeners) -> Background:
    """Return a background that does not keep the listeners alive."""
    found = weakref.ref(listeners)

    def schedule(call: Callable[[], None]) -> None:
        alive = found()
        if alive is not None:
            alive.on_main(call)

    def told() -> None:
        alive = found()
        if alive is not None:
            alive.tell("evidence")

    return Background(schedule, told)
