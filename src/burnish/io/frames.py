"""Tables of other libraries as Arrow tables of one kind, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.canonical import is_list
from burnish.core.normal import normalise, one_chunk
from burnish.errors import ColumnError, InputError

if TYPE_CHECKING:
    import pandas as pd


def to_table(frame: Any) -> pa.Table:
    """Return a frame as an Arrow table with one chunk a column and one kind of null.

    Parameters
    ----------
    frame : pandas or polars DataFrame, Arrow table, mapping of columns, Hugging Face dataset, or
        any Arrow stream

    Returns
    -------
    Table
        Dictionaries decoded, NaN as null, equally long numeric lists as fixed-size lists.

    Raises
    ------
    InputError
        Not a frame, or no rows or columns.
    ColumnError
        A column's name is no text, is repeated or starts with ``$``, or its values are mixed.
    """
    columns = _columns(frame)
    if not columns or not len(columns[0][1]):
        raise InputError(
            f"the frame has {len(columns)} columns and no rows, expected at least one row",
            hint="check what was loaded before bn.create",
        )
    check_names([name for name, _ in columns])
    arrays = {name: normalise(array) for name, array in columns}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"columns differ in length: {lengths}", hint="give each one value per row")
    return pa.table(arrays)


def exact(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return Python values as a column of a type, refusing those that it would round off.

    Raises
    ------
    ArrowException, TypeError, ValueError, OverflowError
        A value does not fit, for example 1.5 or a date among integers.
    """
    items = [item.tolist() if _is_stack(item) else item for item in values]
    types, leaf = pa.types, _leaf(kind)
    if not (types.is_integer(leaf) or types.is_temporal(leaf)):
        return pa.array(items, kind, from_pandas=True)
    try:
        natural = pa.array(items, from_pandas=True)
    except OverflowError:  # an integer beyond 63 bits has no natural type
        return _whole(items, kind)
    found = _leaf(natural.type)
    if types.is_temporal(leaf) and not (types.is_temporal(found) or types.is_null(found)):
        raise pa.ArrowInvalid(f"{natural.type} is no {kind}")
    array = (
        natural.cast(kind) if types.is_temporal(leaf) else pa.array(items, kind, from_pandas=True)
    )
    if not (types.is_null(found) or array.cast(natural.type).equals(natural)):
        raise pa.ArrowInvalid(f"{kind} cannot hold these {natural.type} exactly")
    return array


def _whole(items: list[Any], kind: pa.DataType) -> pa.Array:
    array = pa.array(items, kind, from_pandas=True)
    if array.to_pylist() != items:
        raise pa.ArrowInvalid(f"{kind} cannot hold these values exactly")
    return array


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as a DataFrame; nested lists of one shape become NumPy arrays."""
    frame = table.drop_columns([n for n in table.column_names if list_depth(table[n].type) > 1])
    out = frame.to_pandas()
    for place, name in enumerate(table.column_names):
        if list_depth(table[name].type) > 1:
            out.insert(place, name, _object_array(to_arrays(table[name])))
    return out


def to_arrays(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return nested lists as NumPy arrays of their own shape, None where null."""
    array = one_chunk(column) if isinstance(column, pa.ChunkedArray) else column
    stacked = stack(array)
    if stacked is not None:
        return list(stacked)
    return [None if value is None else np.array(value) for value in array.to_pylist()]


def stack(array: pa.Array) -> npt.NDArray[Any] | None:
    """Return fixed-size lists without nulls as one array of shape (n, …), else None."""
    shape = [len(array)]
    while pa.types.is_fixed_size_list(array.type):
        if array.null_count:
            return None
        shape.append(array.type.list_size)
        array = array.flatten()
    if is_list(array.type) or (array.null_count and not pa.types.is_floating(array.type)):
        return None
    return np.asarray(array.to_numpy(zero_copy_only=False).reshape(shape))


def _columns(frame: Any) -> list[tuple[Any, Any]]:
    if isinstance(frame, pa.Table):
        return list(zip(frame.column_names, frame.columns, strict=True))
    if type(frame).__module__.split(".")[0] == "datasets":
        return _columns(_hugging_face_rows(frame))
    if isinstance(frame, Mapping):
        return [(name, _array(name, values)) for name, values in frame.items()]
    if type(frame).__module__.split(".")[0] == "pandas" and hasattr(frame, "items"):
        return [(name, _array(name, values)) for name, values in frame.items()]
    if hasattr(frame, "__arrow_c_stream__"):
        return _columns(pa.table(frame))
    raise InputError(
        f"cannot read a frame from {type(frame).__name__}",
        hint="pass a pandas or polars DataFrame, an Arrow table or a dict of columns",
    )


def _hugging_face_rows(dataset: Any) -> pa.Table:
    if hasattr(dataset, "cache_files") and not isinstance(dataset, Mapping):
        return dataset.with_format("arrow")[:]
    raise InputError(
        f"a {type(dataset).__name__} is not one table",
        hint='pass one split of it that can be indexed, for example datasets["train"]',
    )


def _array(name: Any, values: Any) -> pa.Array:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    try:
        nested = _nested(values)
        array = pa.array(values, from_pandas=True) if nested is None else nested
        if pa.types.is_binary(array.type) and any(isinstance(value, str) for value in values):
            raise TypeError("text among bytes")
        return array
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise ColumnError(
            f"column {name!r} holds values of mixed or unknown types: {error}",
            hint=f"make them one type, for example frame[{name!r}].astype(str)",
        ) from error


def _nested(values: Any) -> pa.Array | None:
    items = list(values) if getattr(values, "dtype", None) in (None, object) else []
    first = next((item for item in items if item is not None), None)
    if getattr(values, "ndim", 1) > 1:
        return _from_stack(np.asarray(values))
    if not isinstance(first, np.ndarray) or first.ndim < 2:
        return None
    if all(isinstance(i, np.ndarray) and i.shape == first.shape for i in items):
        return _from_stack(np.stack(items))
    return pa.array([None if item is None else item.tolist() for item in items])


def _from_stack(stacked: npt.NDArray[Any]) -> pa.Array:
    array = pa.array(stacked.reshape(-1))
    for size in reversed(stacked.shape[1:]):
        array = pa.FixedSizeListArray.from_arrays(array, size)
    return array


def _object_array(values: list[Any]) -> npt.NDArray[np.object_]:
    out = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        out[i] = value
    return out


def _is_stack(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.ndim > 1


def _leaf(kind: pa.DataType) -> pa.DataType:
    while is_list(kind):
        kind = kind.value_type
    return kind


def list_depth(kind: pa.DataType) -> int:
    """Return how many lists a type has around its values: 1 for vectors, 2 for grey images."""
    depth = 0
    while is_list(kind):
        kind, depth = kind.value_type, depth + 1
    return depth


def check_names(names: list[Any]) -> None:
    """Refuse names of columns that are no text, occur twice or are burnish's own."""
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str):
            raise ColumnError(
                f"column {name!r} has a name of type {type(name).__name__}, expected text",
                hint="frame.columns = frame.columns.astype(str)",
            )
        if name.startswith("$"):
            raise ColumnError(
                f"column {name!r} starts with '$', which burnish keeps for itself",
                hint="rename the column",
            )
        if name in seen:
            raise ColumnError(f"column {name!r} occurs twice", hint="rename one of the two")
        seen.add(name)
