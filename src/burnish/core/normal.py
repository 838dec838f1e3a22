"""One kind of column for every value: no dictionaries, no NaN, no views, vectors of one length."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import decoded, is_list


def normalise(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column in one chunk, of the kind burnish stores."""
    if isinstance(array, pa.ChunkedArray):
        array = one_chunk(_words(array))
    kind, types = array.type, pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return normalise(array.storage)
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


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, with wide offsets where it holds 2 GB or more."""
    if column.num_chunks == 1:
        return column.chunk(0)
    kind = column.type
    if pa.types.is_string(kind) and column.nbytes >= 2**31:
        column = column.cast(pa.large_string())
    if pa.types.is_binary(kind) and column.nbytes >= 2**31:
        column = column.cast(pa.large_binary())
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], kind)


def _words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values instead of dictionaries, which cannot be joined where they hold nulls."""
    if column.num_chunks < 2 or not pa.types.is_dictionary(column.type):
        return column
    return pa.chunked_array([decoded(chunk) for chunk in column.chunks])


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


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
