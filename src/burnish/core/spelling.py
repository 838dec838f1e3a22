"""One JSON spelling for the values of each type, which reads back as exactly the same value.

Text, whole numbers, true and false are themselves. A float is the shortest number that gives it
again, ``"inf"``, ``"-inf"`` or ``"nan"``; bytes are base64, times are ISO text in UTC, lengths of
time are counts of the type's unit, decimals are text, vectors are lists and structs are objects.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import is_list

Json: TypeAlias = Any
_UNITS = ("s", "ms", "us", "ns")
_PLAIN = {
    str(kind): kind
    for kind in (
        *(pa.null(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float32(), pa.float64()),
        *(pa.string(), pa.large_string(), pa.binary(), pa.large_binary()),
        *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us")),
        *(pa.time64("ns"), *map(pa.timestamp, _UNITS), *map(pa.duration, _UNITS)),
    )
}
_PARAMETRIC: dict[str, Callable[..., pa.DataType]] = {
    r"timestamp\[(s|ms|us|ns), tz=([^\]]+)\]": pa.timestamp,
    r"decimal128\((\d+), (-?\d+)\)": lambda p, s: pa.decimal128(int(p), int(s)),
    r"decimal256\((\d+), (-?\d+)\)": lambda p, s: pa.decimal256(int(p), int(s)),
    r"fixed_size_binary\[(\d+)\]": lambda size: pa.binary(int(size)),
}


def spelled_type(kind: pa.DataType) -> Json:
    """Return a type as JSON.

    Raises
    ------
    ValueError
        No value of this type can be spelled.
    """
    if pa.types.is_fixed_size_list(kind):
        return {"list": spelled_type(kind.value_type), "size": kind.list_size}
    if is_list(kind):
        name = "large_list" if pa.types.is_large_list(kind) else "list"
        return {name: spelled_type(kind.value_type)}
    if pa.types.is_struct(kind):
        return {"struct": [[field.name, spelled_type(field.type)] for field in kind]}
    if read_type(str(kind)) != kind:
        raise ValueError(f"{kind} has no spelling")
    return str(kind)


def read_type(text: Json) -> pa.DataType:
    """Return the type that a spelling means.

    Raises
    ------
    ValueError
        It means none.
    """
    match text:
        case str():
            return _simple_type(text)
        case {"list": inner, "size": int(size), **rest} if not rest:
            return pa.list_(read_type(inner), size)
        case {"list": inner, **rest} if not rest:
            return pa.list_(read_type(inner))
        case {"large_list": inner, **rest} if not rest:
            return pa.large_list(read_type(inner))
        case {"struct": [*fields], **rest} if not rest:
            return pa.struct([(str(name), read_type(inner)) for name, inner in fields])
    raise ValueError(f"{text!r} is no type")


def _simple_type(text: str) -> pa.DataType:
    if text in _PLAIN:
        return _PLAIN[text]
    for pattern, make in _PARAMETRIC.items():
        found = re.fullmatch(pattern, text)
        if found:
            return make(*found.groups())
    raise ValueError(f"{text!r} is no type")


def spelled(array: pa.Array) -> list[Json]:
    """Return the values of a column as JSON values, None where null."""
    if is_list(array.type):
        return _spelled_lists(array)
    if pa.types.is_struct(array.type):
        return _spelled_structs(array)
    return _leaf(array.type).spell(array)


def read(values: Sequence[Json], kind: pa.DataType) -> pa.Array:
    """Return JSON values as a column of a type.

    Raises
    ------
    ValueError
        A value is no spelling of one of this type.
    """
    if is_list(kind):
        return _read_lists(values, kind)
    if pa.types.is_struct(kind):
        return _read_structs(values, kind)
    leaf = _leaf(kind)
    for value in values:
        if value is not None and not leaf.accepts(value):
            raise ValueError(f"expected {leaf.name}")
    try:
        return leaf.read(values, kind)
    except (pa.ArrowException, ArithmeticError) as error:
        raise ValueError(f"expected {leaf.name} that fits {kind}") from error


@dataclass(frozen=True)
class _Leaf:
    name: str
    test: Callable[[pa.DataType], bool]
    accepts: Callable[[Json], bool]
    spell: Callable[[pa.Array], list[Json]]
    read: Callable[[Sequence[Json], pa.DataType], pa.Array]


def _leaf(kind: pa.DataType) -> _Leaf:
    found = next((leaf for leaf in _LEAVES if leaf.test(kind)), None)
    if found is None:
        raise ValueError(f"values of type {kind} have no spelling")
    return found


def _spelled_lists(array: pa.Array) -> list[Json]:
    sizes = pc.fill_null(pc.list_value_length(array), 0).to_pylist()
    flat, ends = spelled(array.flatten()), np.cumsum(sizes).tolist()
    known = array.is_valid().to_pylist()
    return [
        flat[end - size : end] if ok else None
        for size, end, ok in zip(sizes, ends, known, strict=True)
    ]


def _read_lists(values: Sequence[Json], kind: pa.DataType) -> pa.Array:
    size = kind.list_size if pa.types.is_fixed_size_list(kind) else None
    for value in values:
        if value is not None and not (isinstance(value, list) and size in (None, len(value))):
            raise ValueError(f"expected a list{'' if size is None else f' of {size}'}")
    absent = pa.array([value is None for value in values], pa.bool_())
    if size is not None:
        flat = [item for value in values for item in (value or [None] * size)]
        inner = read(flat, kind.value_type)
        return pa.FixedSizeListArray.from_arrays(inner, size, mask=absent).cast(kind)
    inner = read([item for value in values for item in (value or [])], kind.value_type)
    ends = np.cumsum([0, *(len(value or []) for value in values)])
    if pa.types.is_large_list(kind):
        return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), inner, mask=absent)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), inner, mask=absent)


def _spelled_structs(array: pa.Array) -> list[Json]:
    names = [field.name for field in array.type]
    parts = [spelled(pc.struct_field(array, place)) for place in range(len(names))]
    known = array.is_valid().to_pylist()
    rows = zip(*parts, strict=True) if parts else ((),) * len(array)
    return [
        dict(zip(names, row, strict=True)) if ok else None
        for row, ok in zip(rows, known, strict=True)
    ]


def _read_structs(values: Sequence[Json], kind: pa.DataType) -> pa.Array:
    fields = list(kind)
    names = {field.name for field in fields}
    for value in values:
        if value is not None and not (isinstance(value, dict) and value.keys() <= names):
            raise ValueError(f"expected an object with {', '.join(sorted(names))}")
    parts = [read([(v or {}).get(f.name) for v in values], f.type) for f in fields]
    absent = pa.array([value is None for value in values], pa.bool_())
    return pa.StructArray.from_arrays(parts, fields=fields, mask=absent)


def _as_is(array: pa.Array) -> list[Json]:
    return list(array.to_pylist())


def _floats(array: pa.Array) -> list[Json]:
    narrow = array.type == pa.float32()
    return [_float(value, narrow) for value in array.to_pylist()]


def _float(value: float | None, narrow: bool) -> Json:
    if value is None:
        return None
    if not math.isfinite(value):
        return str(value)
    if not narrow:
        return value
    short = float(str(np.float32(value)))
    return short if np.float32(short) == value else value


def _read_floats(values: Sequence[Json], kind: pa.DataType) -> pa.Array:
    numbers = [None if value is None else float(value) for value in values]
    return pa.array(numbers, kind, from_pandas=False)


def _is_float(value: Json) -> bool:
    return type(value) in (int, float) or value in ("inf", "-inf", "nan")


def _base64(array: pa.Array) -> list[Json]:
    return [None if v is None else base64.b64encode(v).decode() for v in array.to_pylist()]


def _read_base64(values: Sequence[Json], kind: pa.DataType) -> pa.Array:
    raw = [None if v is None else base64.b64decode(v, validate=True) for v in values]
    return pa.array(raw, kind)


def _moments(array: pa.Array) -> list[Json]:
    texts = _in_utc(array).cast(pa.string())
    if _says(texts, array):
        return _as_is(texts)
    counts = array.cast(_count_type(array.type)).to_pylist()
    return [
        text if _says(texts.slice(place, 1), array.slice(place, 1)) else counts[place]
        for place, text in enumerate(texts.to_pylist())
    ]


def _says(texts: pa.Array, array: pa.Array) -> bool:
    """Whether texts read back as the moments they were made from; years beyond 9999 do not."""
    try:
        return bool(_moments_of(texts, array.type).equals(array))
    except pa.ArrowException:
        return False


def _read_moments(values: Sequence[Json], kind: pa.DataType) -> pa.Array:
    texts = [value if isinstance(value, str) else None for value in values]
    counts = [value if isinstance(value, int) else None for value in values]
    known = _moments_of(pa.array(texts, pa.string()), kind)
    return pc.coalesce(known, pa.array(counts, _count_type(kind)).cast(kind))


def _moments_of(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_time(kind):
        moment = pc.binary_join_element_wise("1970-01-01", texts, " ").cast(pa.timestamp(kind.unit))
        return moment.cast(pa.int64()).cast(_count_type(kind)).cast(kind)
    return texts.cast(kind)


def _in_utc(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return array.cast(pa.timestamp(kind.unit, "UTC"))
    return array


def _count_type(kind: pa.DataType) -> pa.DataType:
    return pa.int32() if kind.bit_width == 32 else pa.int64()


def _counts(array: pa.Array) -> list[Json]:
    return _as_is(array.cast(pa.int64()))


def _read_counts(values: Sequence[Json], kind: pa.DataType) -> pa.Array:
    return pa.array(values, pa.int64()).cast(kind)


def _decimals(array: pa.Array) -> list[Json]:
    return [None if value is None else str(value) for value in array.to_pylist()]


def _read_decimals(values: Sequence[Json], kind: pa.DataType) -> pa.Array:
    return pa.array([None if value is None else Decimal(value) for value in values], kind)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    )


def _is_moment(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_timestamp(kind) or types.is_date(kind) or types.is_time(kind))


def _leaves() -> Iterator[_Leaf]:
    types = pa.types

    def is_text(value: Json) -> bool:
        return isinstance(value, str)

    def is_int(value: Json) -> bool:
        return type(value) is int

    def is_moment(value: Json) -> bool:
        return is_text(value) or is_int(value)

    def is_decimal(value: Json) -> bool:
        return is_text(value) and re.fullmatch(r"-?[\d.]+(E[+-]?\d{1,3})?", value) is not None

    yield _Leaf("null", types.is_null, lambda _: False, _as_is, pa.array)
    yield _Leaf("text", _is_text, is_text, _as_is, pa.array)
    yield _Leaf("true or false", types.is_boolean, lambda v: type(v) is bool, _as_is, pa.array)
    yield _Leaf("a whole number", types.is_integer, is_int, _as_is, pa.array)
    yield _Leaf("a number", types.is_floating, _is_float, _floats, _read_floats)
    yield _Leaf("base64 text", _is_bytes, is_text, _base64, _read_base64)
    yield _Leaf("a time as ISO text", _is_moment, is_moment, _moments, _read_moments)
    yield _Leaf("a whole number", types.is_duration, is_int, _counts, _read_counts)
    yield _Leaf("a decimal as text", types.is_decimal, is_decimal, _decimals, _read_decimals)


_LEAVES = tuple(_leaves())
