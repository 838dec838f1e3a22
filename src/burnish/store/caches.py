"""Decoded values that are kept for a while, within a number of bytes."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable

import pyarrow as pa


class ArrayCache:
    """Arrays by name: the last ones used, and any that somebody else still holds.

    Parameters
    ----------
    limit : int
        Bytes of the arrays that are kept alive; one that is larger is only shared.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._lock = threading.RLock()
        self._kept: OrderedDict[Hashable, pa.Array] = OrderedDict()
        self._shared: weakref.WeakValueDictionary[Hashable, pa.Array] = (
            weakref.WeakValueDictionary()
        )

    def get(self, name: Hashable) -> pa.Array | None:
        """Return an array that is still there."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._shared.get(name)

    def get_or_make(self, name: Hashable, make: Callable[[], pa.Array]) -> pa.Array:
        """Return an array that is still there, or make it."""
        found = self.get(name)
        if found is None:
            found = make()
            self._keep(name, found)
        return found

    def _keep(self, name: Hashable, array: pa.Array) -> None:
        with self._lock:
            self._shared[name] = array
            if array.nbytes > self._limit or name in self._kept:
                return
            self._kept[name] = array
            self._size += array.nbytes
            while self._size > self._limit:
                self._size -= self._kept.popitem(last=False)[1].nbytes
