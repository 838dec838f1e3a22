"""Row keys as Python values: a scalar, or a tuple where the key has several columns."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Key = Hashable
KeyArray = npt.NDArray[np.object_]


def key_array(keys: Iterable[Any]) -> KeyArray:
    """Return keys as a one-dimensional object array of plain Python values."""
    if isinstance(keys, np.ndarray) and keys.dtype == object and keys.ndim == 1:
        return keys
    values = _listed(keys) if isinstance(keys, np.ndarray) else list(keys)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _listed(keys: npt.NDArray[Any]) -> list[Any]:
    if keys.dtype.kind in "mM":  # tolist() gives bare integers for nanoseconds
        return [plain(key) for key in keys]
    return list(keys.tolist())


def shorten(values: Sequence[Any] | KeyArray, limit: int = 5) -> str:
    """Return a few values as text, with a count of the rest."""
    shown = ", ".join(repr(plain(value)) for value in values[:limit])
    rest = len(values) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python value it holds; times stay as they are."""
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return value
    scalar = isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim)
    return value.item() if scalar else value
