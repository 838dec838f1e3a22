"""Row keys as Python values: a scalar, or a tuple where the key has several columns."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

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


def arrow_keys(keys: KeyArray) -> pa.Array | None:
    """Return keys as an Arrow array of int64 or string, None where they are something else."""
    import pyarrow as pa

    try:
        return plain_arrow(pa.array(keys))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None


def plain_arrow(keys: pa.Array | pa.ChunkedArray) -> Any:
    """Return a column of keys as int64 or string, None where its type is another or one is null."""
    import pyarrow as pa

    kind = keys.type
    if isinstance(kind, pa.BaseExtensionType) or keys.null_count:
        return None
    if pa.types.is_string(kind) or kind == pa.int64():
        return keys
    if pa.types.is_large_string(kind):
        return keys.cast(pa.string())
    whole = pa.types.is_integer(kind) and kind != pa.uint64()
    return keys.cast(pa.int64()) if whole else None


def places_of(keys: KeyArray | pa.ChunkedArray, among: Any) -> npt.NDArray[np.intp]:
    """Return where each of some keys stands among others, -1 where it does not.

    Parameters
    ----------
    keys, among : arrays of keys
        Both as Arrow arrays of one type, or both as arrays of Python values.

    Returns
    -------
    int array of shape (len(keys),)
    """
    if isinstance(keys, np.ndarray):
        place = {key: i for i, key in enumerate(among)}
        return np.fromiter((place.get(key, -1) for key in keys), np.intp, len(keys))
    import pyarrow.compute as pc

    if len(keys) == len(among) and keys.equals(_like(keys, among)):
        return np.arange(len(keys))
    found = pc.index_in(keys, value_set=among).fill_null(-1)
    return np.asarray(found.to_numpy(), dtype=np.intp)


def _like(keys: Any, among: Any) -> Any:
    import pyarrow as pa

    return pa.chunked_array([among]) if isinstance(keys, pa.ChunkedArray) else among
