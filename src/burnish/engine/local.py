"""Runs passes over splits on threads, with flat memory, progress and cancel."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from burnish.errors import CancelledError

Split = TypeVar("Split")
Part = TypeVar("Part")
Progress = Callable[[int], object]
_AHEAD = 2


def run(
    partial: Callable[[Split], Part],
    combine: Callable[[Part, Part], Part],
    splits: Iterable[Split],
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Part | None:
    """Apply one function to every split and combine what it returns, in the order of the splits.

    Parameters
    ----------
    partial : callable
        Split → part. Called on threads; NumPy and Arrow let others work meanwhile.
    combine : callable
        Two parts → one part. Called in this thread, earlier split first.
    splits : iterable
        What to read, such as file ranges that read themselves. Taken as they are needed.
    threads : int, optional
        How many splits to work on at once, all cores that this process may use by default.
    progress : callable, optional
        Called with the number of splits that are done, after each.
    cancel : threading.Event, optional
        Stops the run once it is set.

    Returns
    -------
    part, or None where there are no splits

    Raises
    ------
    CancelledError
        `cancel` was set before the last split was combined.

    Notes
    -----
    At most two splits for each thread are read or wait to be combined, so memory does not grow
    with the number of splits. The result does not depend on the number of threads.

    Examples
    --------
    >>> from burnish.engine import local
    >>> local.run(sum, lambda one, other: one + other, [[1, 2], [3], [4, 5]], threads=2)
    15
    """
    total: Part | None = None
    for done, part in enumerate(_parts(partial, splits, threads or cores(), cancel), start=1):
        total = part if total is None else combine(total, part)
        if progress is not None:
            progress(done)
    return total


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _parts(
    partial: Callable[[Split], Part], splits: Iterable[Split], threads: int, cancel: Event | None
) -> Iterator[Part]:
    if threads == 1:
        for split in splits:
            _check(cancel)
            yield partial(split)
        return
    waiting: deque[Future[Part]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="burnish") as pool:
        try:
            for split in splits:
                _check(cancel)
                waiting.append(pool.submit(partial, split))
                if len(waiting) >= _AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                _check(cancel)
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _check(cancel: Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError(
            "the run was stopped before it was done", hint="call it again to start over"
        )
