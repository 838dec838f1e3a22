from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import burnish as bn
from burnish.core import fingerprint as hashing
from burnish.core.canonical import key_bytes, logical_type
from burnish.dataset import Dataset
from burnish.store.base import KeyIndex
from strategies import SCALARS, meaning, tables, texts, values
from strategies import fingerprint_of as of


@given(tables(), st.data())
def test_row_order_does_not_matter(table: pa.Table, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(table))))
    assert of(table.take(pa.array(order))) == of(table)


@given(tables(), st.data())
def test_column_order_does_not_matter(table: pa.Table, data: st.DataObject) -> None:
    names = data.draw(st.permutations(table.column_names))
    assert of(table.select(names)) == of(table)


@given(tables(), st.data())
def test_chunking_does_not_matter(table: pa.Table, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(table)))
    assert of(pa.concat_tables([table.slice(0, cut), table.slice(cut)])) == of(table)


@settings(max_examples=30)
@given(tables(), st.integers(1, 200))
def test_the_pieces_it_is_hashed_in_do_not_matter(table: pa.Table, size: int) -> None:
    expected = of(table)
    with mock.patch.object(hashing, "_CHUNK_BYTES", size), mock.patch.object(hashing, "_FEW", 2):
        assert of(table) == expected


@given(tables(), st.data())
def test_one_other_cell_gives_another_fingerprint(table: pa.Table, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(table.column_names[1:]))
    row = data.draw(st.integers(0, len(table) - 1))
    column = table[name].to_pylist()
    value = data.draw(values(table[name].type))
    assume(meaning(value) != meaning(column[row]))
    column[row] = value
    place = table.schema.get_field_index(name)
    other = table.set_column(place, name, pa.array(column, table[name].type))
    assert of(other) != of(table)


@given(tables())
def test_names_types_and_rows_count(table: pa.Table) -> None:
    renamed = table.rename_columns(["id", *(f"{name}!" for name in table.column_names[1:])])
    assert of(renamed) != of(table)
    assert of(table.drop_columns(table.column_names[-1])) != of(table)
    if len(table) > 1:
        assert of(table.slice(1)) != of(table)


same = [
    (pa.int64(), pa.int8(), [1, None, -5]),
    (pa.int64(), pa.uint16(), [1, None, 5]),
    (pa.float64(), pa.float32(), [1.5, None, -0.0]),
    (pa.string(), pa.large_string(), ["a", None, ""]),
    (pa.string(), pa.string_view(), ["a", None, ""]),
    (pa.string(), pa.dictionary(pa.int8(), pa.string()), ["a", None, "a"]),
    (pa.binary(), pa.large_binary(), [b"a", None, b""]),
    (pa.timestamp("s"), pa.timestamp("ns"), [1, None, -1]),
    (pa.timestamp("us", "UTC"), pa.timestamp("us", "Asia/Tokyo"), [1, None, -1]),
    (pa.time32("s"), pa.time64("ns"), [1, None, 2]),
    (pa.list_(pa.float32()), pa.list_(pa.float64(), 2), [[1.5, -0.0], [0.0, 2.0], [3.0, 4.0]]),
    (pa.list_(pa.int8()), pa.large_list(pa.int64()), [[1], None, [2, 3]]),
]


@pytest.mark.parametrize(("left", "right", "cells"), same, ids=str)
def test_width_unit_and_encoding_do_not_matter(
    left: pa.DataType, right: pa.DataType, cells: list[Any]
) -> None:
    first = pa.array(cells, left)
    moved = pa.types.is_temporal(left)
    second = first.cast(right) if moved else pa.array(cells, right)
    ids = pa.array(["x", "y", "z"])
    assert of(pa.table({"id": ids, "c": first})) == of(pa.table({"id": ids, "c": second}))


def test_nan_is_null_and_minus_zero_is_zero() -> None:
    ids = ["x", "y", "z"]
    one = of({"id": ids, "c": pa.array([float("nan"), -0.0, 1.0])})
    assert one == of({"id": ids, "c": pa.array([None, 0.0, 1.0])})


def test_pandas_polars_and_arrow_give_the_same() -> None:
    ids, labels, numbers = ["x", "y", "z"], ["a", None, "b"], [1.5, np.nan, -0.0]
    vectors = np.arange(6.0).reshape(3, 2)
    frame = pd.DataFrame({"id": ids, "label": labels, "n": numbers, "v": list(vectors)})
    frame["c"] = pd.Categorical(["p", "q", "p"])
    expected = of(frame)
    cells = {"id": ids, "label": labels, "n": numbers, "v": vectors, "c": ["p", "q", "p"]}
    assert of(cells) == expected
    assert of(pa.table({**cells, "n": [1.5, None, 0.0], "v": vectors.tolist()})) == expected
    polars = pl.DataFrame({**cells, "v": vectors.tolist()}, schema_overrides={"c": pl.Categorical})
    assert of(polars) == expected


@settings(max_examples=25)
@given(st.lists(texts, min_size=1, max_size=8, unique=True), st.data())
def test_the_key_index_finds_what_a_dict_finds(keys: list[str], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.one_of(st.sampled_from(keys), texts), max_size=8))
    with bn.create(None, {"id": keys, "n": list(range(len(keys)))}, key="id") as ds:
        base = ds._history.base
        found = base.find(key_bytes([pa.array(wanted, pa.string())]))
    places = {key: place for place, key in enumerate(keys)}
    assert found.tolist() == [places.get(key, -1) for key in wanted]


def test_the_key_index_tells_keys_of_one_hash_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "burnish.store.base._short_hashes",
        lambda keys: np.array([len(key) for key in keys.to_pylist()], dtype=np.uint64),
    )
    keys = ["aa", "bb", "c", "dd", "eee"]
    with bn.create(None, {"id": keys}, key="id") as ds:
        wanted = pa.array(["dd", "zz", "aa", "eee", "c", "bb", "zzzzz"])
        found = ds._history.base.find(key_bytes([wanted]))
    assert found.tolist() == [3, -1, 0, 4, 2, 1, -1]
    assert isinstance(ds._history.base._index, KeyIndex)


@settings(max_examples=25)
@given(tables(), st.data())
def test_the_fingerprint_kept_up_to_date_is_the_one_from_scratch(
    table: pa.Table, data: st.DataObject
) -> None:
    assume(not any(pa.types.is_struct(kind) for kind in table.schema.types))
    with bn.create(None, table, key="id") as ds:
        assert ds.fingerprint == of(table)
        for _ in range(data.draw(st.integers(1, 4))):
            edit_at_random(ds, data)
            if data.draw(st.booleans()):
                ds.commit("some")
            if len(ds):
                assert ds.fingerprint == of(ds.to_arrow())


def edit_at_random(ds: Dataset, data: st.DataObject) -> None:
    keys = ds.keys.tolist()
    every = ds.at("v0").keys.tolist()
    if keys and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(ds.columns[1:]))
        rows = data.draw(st.lists(st.sampled_from(keys), min_size=1, unique=True))
        kind = ds.to_arrow().schema.field(name).type
        like = next(known for known in SCALARS if same_kind(known, kind))
        size = {"min_size": len(rows), "max_size": len(rows)}
        ds.set(rows, name, data.draw(st.lists(values(like).filter(fits(kind)), **size)))
    elif keys and data.draw(st.booleans()):
        ds.drop(data.draw(st.sampled_from(keys)))
    else:
        ds.restore(data.draw(st.sampled_from(every)))


def same_kind(known: pa.DataType, kind: pa.DataType) -> bool:
    return known == kind or logical_type(known) == logical_type(kind)


def fits(kind: pa.DataType) -> Any:
    def check(value: Any) -> bool:
        try:
            pa.array([value], kind)
        except (pa.ArrowException, OverflowError):
            return False
        return True

    return check
