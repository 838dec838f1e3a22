"""Columns of vectors as dense arrays, without a Python object per number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, shorten
from burnish.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from burnish.dataset.reading import Reading

Matrix = npt.NDArray[np.float64]


def holds_arrays(reading: Reading, name: str) -> bool:
    """Return whether each cell of a column is a list of numbers, nested or not."""
    return _is_list(_column(reading, name).type)


def dense(reading: Reading, name: str) -> Matrix:
    """Return a column of vectors or arrays as one row of numbers each, NaN where it is null.

    Parameters
    ----------
    reading : Dataset or Snapshot
        Where the rows are.
    name : str
        A column of lists, nested lists for arrays of more dimensions.

    Returns
    -------
    array of shape (n_rows, n_numbers)
        In store order.

    Raises
    ------
    InputError
        The cells differ in size, or hold something else than numbers.
    """
    column = _column(reading, name)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    numbers = _flat(column.drop_null(), reading.keys[valid], name)
    rows = np.full((len(column), numbers.shape[1]), np.nan)
    rows[valid] = numbers
    return rows


def _flat(column: pa.Array, keys: KeyArray, name: str) -> Matrix:
    import pyarrow.compute as pc

    n_rows, repeat = len(column), 1
    while _is_list(column.type):
        lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
        _check_lengths(lengths, np.repeat(keys, repeat), name)
        repeat *= int(lengths[0]) if len(lengths) else 0
        column = pc.list_flatten(column)
    return _numbers(column, name).reshape(n_rows, repeat)


def _check_lengths(lengths: npt.NDArray[Any], keys: KeyArray, name: str) -> None:
    odd = np.flatnonzero(lengths != lengths[:1])
    if not len(odd):
        return
    shown = [f"{keys[i]!r}: {lengths[i]}" for i in odd[:3]]
    raise InputError(
        f"column {name!r} holds arrays of different sizes: {lengths[0]} in the first row, "
        f"another in {len(odd)} places, {shorten(shown, 3)}",
        hint="bring them to one size, or compute the embedding again with one model",
    )


def _numbers(column: pa.Array, name: str) -> Matrix:
    try:
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"column {name!r} holds {column.type} where numbers were expected",
            hint="give the embedding role to a column of vectors of numbers",
        ) from error


def _column(reading: Reading, name: str) -> pa.Array:
    import pyarrow as pa

    column = reading.to_arrow([name]).column(name)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.storage if isinstance(column.type, pa.BaseExtensionType) else column


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))
