"""Hypothesis strategies that the property tests share."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from burnish.core.canonical import key_bytes, logical_type
from burnish.core.fingerprint import column_sum, fingerprint
from burnish.io.frames import to_table

LABELS = ("cat", "dog", "bird", "Ünïcødé 'quoted' \"label\"", "")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
numbers = st.one_of(st.floats(allow_nan=True), st.sampled_from([0.0, -0.0, math.inf, -math.inf]))
moments = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))

SCALARS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.string(): texts,
    pa.large_string(): texts,
    pa.binary(): st.binary(max_size=12),
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): finite,
    pa.float64(): numbers,
    pa.date32(): st.dates(dt.date(1900, 1, 1)),
    pa.timestamp("us"): moments,
    pa.timestamp("us", "UTC"): moments.map(lambda moment: moment.replace(tzinfo=dt.UTC)),
    pa.duration("us"): st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999)),
    pa.time64("us"): st.times(),
    pa.list_(pa.float64()): st.lists(numbers, max_size=4),
    pa.list_(pa.float32(), 3): st.lists(finite, min_size=3, max_size=3),
    pa.list_(pa.uint64(), 2): st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=2),
    pa.list_(pa.list_(pa.uint8(), 2), 2): st.lists(
        st.lists(st.integers(0, 255), min_size=2, max_size=2), min_size=2, max_size=2
    ),
    pa.list_(pa.string()): st.lists(texts, max_size=3),
    pa.struct([("a", pa.int64()), ("b", pa.string())]): st.fixed_dictionaries(
        {"a": st.integers(-9, 9), "b": texts}
    ),
}

kinds = st.sampled_from(list(SCALARS))


def values(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Return values of an Arrow type, None among them."""
    return st.one_of(st.none(), SCALARS[kind], SCALARS[kind])


@st.composite
def arrays(draw: st.DrawFn, size: int | None = None) -> pa.Array:
    """Return an Arrow array of any type that a dataset can hold."""
    kind = draw(kinds)
    count = draw(st.integers(1, 8)) if size is None else size
    return pa.array(draw(st.lists(values(kind), min_size=count, max_size=count)), kind)


@st.composite
def tables(draw: st.DrawFn, max_rows: int = 8) -> pa.Table:
    """Return a table with the unique text key ``id`` and up to three columns of any type."""
    keys = draw(st.lists(texts, min_size=1, max_size=max_rows, unique=True))
    columns = {"id": pa.array(keys, pa.string())}
    for place in range(draw(st.integers(1, 3))):
        columns[f"c{place}"] = draw(arrays(size=len(keys)))
    return pa.table(columns)


def fingerprint_of(frame: Any) -> str:
    """Return the fingerprint of a frame whose key is ``id``, from scratch."""
    table = to_table(frame)
    keys = key_bytes([table["id"]])
    types = {field.name: logical_type(field.type) for field in table.schema}
    sums = {name: column_sum(name, keys, table[name]) for name in table.column_names}
    return fingerprint(types, sums, len(table))


def meaning(value: Any) -> Any:
    """Return a value so that two are equal exactly when burnish means the same by them."""
    if isinstance(value, float):
        return None if math.isnan(value) else ("f", value + 0.0)
    if isinstance(value, bool):
        return ("b", value)
    if isinstance(value, list):
        return ("v", tuple(meaning(item) for item in value))
    if isinstance(value, dict):
        return ("s", tuple((name, meaning(item)) for name, item in sorted(value.items())))
    return value
