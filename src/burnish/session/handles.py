"""Hears what is done through the handles on a working copy."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from burnish.dataset import Change, Dataset


class Handles:
    """The handle that a session works with, and others on the same working copy.

    Parameters
    ----------
    hear : method
        Gets each change through the session's own handle.
    overhear : method
        Gets each change through another one.

    Notes
    -----
    A handle outlives its widgets, so neither method keeps its session alive.
    """

    def __init__(self, hear: Callable[[Change], None], overhear: Callable[[Change], None]) -> None:
        self._hear = _weakly(hear)
        self._overhear = _weakly(overhear)
        self._unwatch: Callable[[], None] = lambda: None
        self._others: weakref.WeakKeyDictionary[Dataset, Callable[[], None]]
        self._others = weakref.WeakKeyDictionary()

    def work_with(self, ds: Dataset) -> None:
        """Make a handle the session's own, in place of the one before."""
        self._unwatch()
        stop = self._others.pop(ds, None)
        if stop is not None:
            stop()
        self._unwatch = ds.on_change(self._hear)

    def follow(self, ds: Dataset) -> None:
        """Overhear another handle."""
        if ds not in self._others:
            self._others[ds] = ds.on_change(self._overhear)


def _weakly(method: Callable[[Change], None]) -> Callable[[Change], None]:
    found = weakref.WeakMethod(method)

    def call(change: Change) -> None:
        alive = found()
        if alive is not None:
            alive(change)

    return call
