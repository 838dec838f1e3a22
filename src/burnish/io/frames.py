"""Tables of other libraries as Arrow tables of one kind, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import decoded, is_list
from burnish.errors import ColumnError, InputError

if TYPE_CHECKING:
    import pandas as pd


def to_table(frame: Any) -> pa.Table:
    """Return a frame as an Arrow table with one chunk a column and one kind of null.

    Parameters
    ----------
    frame : pandas or polars DataFrame, Arrow table, mapping of columns, or any Arrow stream

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


def normalise(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column in one chunk, of the kind burnish stores."""
    if isinstance(array, pa.ChunkedArray):
        array = _one_chunk(array)
    kind, types = array.type, pa.types
    if types.is_dictionary(kind):
        return normalise(decoded(array))
    if types.is_null(kind):
        return array.cast(pa.string())
    if types.is_floating(kind):
        return _nan_as_null(array if kind != pa.float16() else array.cast(pa.float32()))
    if types.is_string_view(kind) or (types.is_large_string(kind) and array.nbytes < 2**31):
        return array.cast(pa.string())
    if types.is_binary_view(kind) or (types.is_large_binary(kind) and array.nbytes < 2**31):
        return array.cast(pa.binary())
    if types.is_nested(kind):
        inner = _without_views(kind)
        array = array if inner == kind else array.cast(inner)
    return _fixed_size(array) if is_list(kind) else array


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
    natural = pa.array(items, from_pandas=True)
    found = _leaf(natural.type)
    if types.is_temporal(leaf) and not (types.is_temporal(found) or types.is_null(found)):
        raise pa.ArrowInvalid(f"{natural.type} is no {kind}")
    array = (
        natural.cast(kind) if types.is_temporal(leaf) else pa.array(items, kind, from_pandas=True)
    )
    if not (types.is_null(found) or array.cast(natural.type).equals(natural)):
        raise pa.ArrowInvalid(f"{kind} cannot hold these {natural.type} exactly")
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
    array = _one_chunk(column) if isinstance(column, pa.ChunkedArray) else column
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


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    kind = column.type
    if pa.types.is_string(kind) and column.nbytes >= 2**31:
        column = column.cast(pa.large_string())
    if pa.types.is_binary(kind) and column.nbytes >= 2**31:
        column = column.cast(pa.large_binary())
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], kind)


def _without_views(kind: pa.DataType) -> pa.DataType:
    """Return a nested type without string views, of which Arrow cannot take rows."""
    types = pa.types
    if types.is_string_view(kind):
        return pa.string()
    if types.is_binary_view(kind):
        return pa.binary()
    if types.is_struct(kind):
        return pa.struct([field.with_type(_without_views(field.type)) for field in kind])
    if types.is_fixed_size_list(kind):
        return pa.list_(_without_views(kind.value_type), kind.list_size)
    if types.is_large_list(kind):
        return pa.large_list(_without_views(kind.value_type))
    return pa.list_(_without_views(kind.value_type)) if types.is_list(kind) else kind


def _nan_as_null(array: pa.Array) -> pa.Array:
    nan = pc.is_nan(array)
    if not pc.any(nan).as_py():
        return array
    return pc.if_else(nan, pa.scalar(None, array.type), array)


def _fixed_size(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_fixed_size_list(kind) or array.null_count or not _is_number(kind.value_type):
        return array
    sizes = pc.unique(pc.list_value_length(array))
    if len(sizes) != 1 or not sizes[0].as_py():
        return array
    return pa.FixedSizeListArray.from_arrays(array.flatten(), sizes[0].as_py())


def _is_stack(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.ndim > 1


def _leaf(kind: pa.DataType) -> pa.DataType:
    while is_list(kind):
        kind = kind.value_type
    return kind


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


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
