"""One spelling for every value: the bytes that fingerprints, commitments and comparisons use.

Two values are the same exactly when their canonical bytes are. A cell is a one-byte tag and a
payload; null and NaN are ``n``, −0.0 is 0.0, an integer of any width is its decimal digits, a
float is eight big-endian bytes, a string is UTF-8 however Arrow stores it, a timestamp is seconds
and nanoseconds whatever its unit, a vector is one cell.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Column: TypeAlias = Any
_WIDE_TIME = {"s": pa.time64("us"), "ms": pa.time64("us")}
_FRAMES = pa.array([b"%d:" % length for length in range(1024)], pa.binary())
_FEW = 8
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def logical_type(kind: pa.DataType) -> str:
    """Return the type as fingerprints see it: width, unit and encoding left out."""
    types = pa.types
    for name, test in (
        ("bool", types.is_boolean),
        ("int", types.is_integer),
        ("float", types.is_floating),
        ("decimal", types.is_decimal),
        ("date", types.is_date),
        ("time", types.is_time),
        ("duration", types.is_duration),
    ):
        if test(kind):
            return name
    if types.is_timestamp(kind):
        return "timestamp" if kind.tz is None else "timestamp_utc"
    if _is_text(kind):
        return "string"
    if _is_bytes(kind):
        return "binary"
    if is_list(kind):
        return f"list<{logical_type(kind.value_type)}>"
    if types.is_dictionary(kind):
        return logical_type(kind.value_type)
    return str(kind)


def cell_bytes(column: Column) -> pa.Array:
    """Return the canonical bytes of every cell.

    Parameters
    ----------
    column : Array or ChunkedArray of length n

    Returns
    -------
    BinaryArray of length n, without nulls
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if pa.types.is_dictionary(array.type):
        array = decoded(array)
    payload, valid = _payload(array)
    if valid is None:
        return payload
    return pc.if_else(valid, payload, pa.scalar(b"n", pa.binary()))


def decoded(array: pa.DictionaryArray) -> pa.Array:
    """Return the values of a dictionary array, also of views, which Arrow cannot take from."""
    words = array.dictionary
    if pa.types.is_string_view(words.type):
        words = words.cast(pa.string())
    if pa.types.is_binary_view(words.type):
        words = words.cast(pa.binary())
    return words.take(array.indices)


def framed(parts: list[Any]) -> pa.Array:
    """Join columns of bytes so that no two different rows give the same bytes."""
    pieces: list[Any] = []
    for part in parts:
        if isinstance(part, bytes):
            pieces.append(pa.scalar(b"%d:%b" % (len(part), part), pa.binary()))
        else:
            pieces += [frames(part), part]
    return pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.binary()))


def frames(part: pa.Array) -> pa.Array:
    """Return what `framed` puts before each cell: its length and a colon."""
    lengths = pc.binary_length(part)
    try:
        return _FRAMES.take(lengths)
    except pa.ArrowIndexError:
        colon, nothing = pa.scalar(b":", pa.binary()), pa.scalar(b"", pa.binary())
        return pc.binary_join_element_wise(_text(lengths), colon, nothing)


def key_bytes(columns: list[Column]) -> pa.Array:
    """Return the canonical bytes of keys, given their columns."""
    if len(columns) == 1:
        return cell_bytes(columns[0])
    return framed([cell_bytes(column) for column in columns])


def canonical_json(value: Any) -> bytes:
    """Return JSON with sorted keys, no spaces and UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of any kind."""
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


def _payload(array: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    kind, types = array.type, pa.types
    valid = array.is_valid() if array.null_count else None
    if types.is_floating(kind):
        return _float_payload(array)
    if types.is_boolean(kind):
        return _tagged(b"b", _text(array.cast(pa.int8()))), valid
    if types.is_integer(kind):
        return _tagged(b"i", _text(array)), valid
    if _is_text(kind):
        return _tagged(b"s", array.cast(pa.string()).cast(pa.binary())), valid
    if _is_bytes(kind):
        return _tagged(b"y", array.cast(pa.binary())), valid
    if types.is_timestamp(kind) or types.is_duration(kind):
        return _tagged(b"t", _moments(array)), valid
    if types.is_time(kind):
        return _tagged(b"t", _moments(array.cast(_WIDE_TIME.get(kind.unit, kind)))), valid
    if types.is_date(kind):
        return _tagged(b"d", _text(array.cast(pa.date32()).cast(pa.int32()))), valid
    if is_list(kind):
        return _list_payload(array)
    return _fallback(array), None


def _tagged(tag: bytes, payload: pa.Array) -> pa.Array:
    joined = pc.binary_join_element_wise(
        pa.scalar(tag, pa.binary()), payload, pa.scalar(b"", pa.binary())
    )
    return joined


def _text(array: pa.Array) -> pa.Array:
    return array.cast(pa.string()).cast(pa.binary())


def _float_payload(array: pa.Array) -> tuple[pa.Array, pa.Array]:
    values = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(8), len(values), [None, pa.py_buffer(_double_bytes(values))]
    )
    return _tagged(b"f", fixed.cast(pa.binary())), pa.array(~np.isnan(values))


def _double_bytes(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    clean = values + 0.0
    unknown = np.isnan(clean)
    if unknown.any():
        clean[unknown] = np.nan
    return clean.astype(">f8").view(np.uint8)


def moment_bytes(moment: pa.TimestampScalar) -> bytes:
    """Return what `cell_bytes` gives for one moment, a hundred times as fast."""
    return b"t%d.%d" % _split_moment(moment.value, _PER_SECOND[moment.type.unit])


def _split_moment(count: int, per_second: int) -> tuple[int, int]:
    seconds, rest = divmod(count, per_second)
    return seconds, rest * (10**9 // per_second)


def _moments(array: pa.Array) -> pa.Array:
    per_second = _PER_SECOND[array.type.unit]
    counts = array.cast(pa.int64()).fill_null(0).to_numpy()
    if len(array) <= _FEW:
        pairs = [_split_moment(count, per_second) for count in counts.tolist()]
        return pa.array([b"%d.%d" % pair for pair in pairs], pa.binary())
    seconds, rest = np.divmod(counts, per_second)
    nanoseconds = rest * (10**9 // per_second)
    joined = pc.binary_join_element_wise(
        pa.array(seconds).cast(pa.string()), pa.array(nanoseconds).cast(pa.string()), "."
    )
    return joined.cast(pa.binary())


def _list_payload(array: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    if array.null_count:
        valid = array.is_valid()
        known = cell_bytes(array.filter(valid))
        nulls = pa.repeat(pa.scalar(b"n", pa.binary()), len(array))
        return pc.replace_with_mask(nulls, valid, known), None
    numbers = _flat_numbers(array)
    if numbers is None:
        return _fallback(array), None
    raw, shape = numbers
    width = len(raw) // len(array)
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), len(array), [None, pa.py_buffer(raw)]
    )
    head = b"v" + ",".join(map(str, shape)).encode() + b":"
    return _tagged(head, fixed.cast(pa.binary())), None


def _flat_numbers(array: pa.Array) -> tuple[npt.NDArray[np.uint8], list[int]] | None:
    """Return the numbers of equally shaped lists without nulls, or None where there are others."""
    shape: list[int] = []
    count = len(array)
    while is_list(array.type):
        if array.null_count or not count:
            return None
        inner = array.flatten()
        size, rest = divmod(len(inner), len(array) or 1)
        if rest or not size or not _even(array, size):
            return None
        shape.append(size)
        array = inner
    if not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)):
        return None
    if pa.types.is_integer(array.type):
        return None if array.null_count or _is_wide(array) else (_int_bytes(array), shape)
    values = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return _double_bytes(values), shape


def _is_wide(array: pa.Array) -> bool:
    return bool(pa.types.is_uint64(array.type) and (pc.max(array).as_py() or 0) >= 2**63)


def _int_bytes(array: pa.Array) -> npt.NDArray[np.uint8]:
    return np.asarray(array.cast(pa.int64()).to_numpy().astype(">i8").view(np.uint8))


def _even(array: pa.Array, size: int) -> bool:
    if pa.types.is_fixed_size_list(array.type):
        return True
    return bool(pc.all(pc.equal(pc.list_value_length(array), size)).as_py())


def _fallback(array: pa.Array) -> pa.Array:
    return pa.array([_one(value, array.type) for value in array.to_pylist()], pa.binary())


def _one(value: Any, kind: pa.DataType) -> bytes:
    if value is None:
        return b"n"
    single = pa.array([value], kind)
    if is_list(kind):
        numbers = _flat_numbers(single)
        if numbers is not None:
            raw, shape = numbers
            return b"v" + ",".join(map(str, shape)).encode() + b":" + raw.tobytes()
    return b"j" + canonical_json(_jsonable(value))


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _jsonable(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(inner) for inner in value]
    if isinstance(value, float):
        return None if np.isnan(value) else float.hex(value + 0.0)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, Decimal):
        whole, _, rest = format(value, "f").partition(".")
        return f"{whole}.{rest.rstrip('0')}"
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)
