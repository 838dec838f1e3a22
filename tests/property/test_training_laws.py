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
from burnish.core.canonical import key_bytes
from burnish.core.fingerprint import row_hashes
from burnish.errors import ReconstructionError
from burnish.io.frames import to_table
from burnish.model import TrainingFingerprint
from burnish.model.training_data import pack, unpack
from strategies import fingerprint_of, meaning, tables, texts, values

HASHES = ("n_rows", "row_set", "row_order", "columns", "content", "fold_of_each_row")
FOLDS = {"cv": 3, "seed": 1}


def hashes(frame: Any, columns: list[str], **given: Any) -> dict[str, Any]:
    with bn.create(None, frame, key="id") as ds:
        record = bn.training_fingerprint(ds, columns=columns, folds=FOLDS, **given).record
    return {name: record[name] for name in HASHES}


@settings(max_examples=20)
@given(tables(), st.data())
def test_order_and_chunks_of_the_table_do_not_matter(table: pa.Table, data: st.DataObject) -> None:
    columns = table.column_names
    rows = data.draw(st.permutations(range(len(table))))
    other = table.take(pa.array(rows)).select(data.draw(st.permutations(columns)))
    cut = data.draw(st.integers(0, len(table)))
    other = pa.concat_tables([other.slice(0, cut), other.slice(cut)])
    assert hashes(other, columns) == hashes(table, columns)


@given(st.lists(texts, min_size=1, max_size=8), st.integers(1, 40))
def test_the_pieces_that_keys_are_hashed_in_do_not_matter(keys: list[str], size: int) -> None:
    canonical = key_bytes([pa.array(keys)])
    expected = row_hashes(canonical)
    with mock.patch.object(hashing, "_CHUNK_BYTES", size), mock.patch.object(hashing, "_FEW", 2):
        assert row_hashes(canonical) == expected


@settings(max_examples=20)
@given(tables())
def test_the_library_that_the_table_comes_from_does_not_matter(table: pa.Table) -> None:
    assume(not any(pa.types.is_struct(kind) for kind in table.schema.types))
    expected = hashes(table, table.column_names)
    assert hashes(table.to_pandas(types_mapper=pd.ArrowDtype), table.column_names) == expected
    assert hashes(pl.from_arrow(table), table.column_names) == expected


@settings(max_examples=20)
@given(tables(), st.data())
def test_any_order_comes_back_with_the_cells_of_its_rows(
    table: pa.Table, data: st.DataObject
) -> None:
    places = st.lists(st.integers(0, len(table) - 1), min_size=1, max_size=12)
    order = data.draw(places)
    keys = table["id"].to_pylist()
    with bn.create(None, table, key="id") as ds:
        fp = bn.training_fingerprint(ds, order=[keys[place] for place in order])
        rows = bn.reconstruct(fp, store=ds)
    expected = to_table(table.take(pa.array(order)))
    assert rows.keys.tolist() == expected["id"].to_pylist()
    assert fp.record["content"] == fingerprint_of(expected)
    assert fp.record["content"] == fingerprint_of(rows.to_arrow())
    for name in table.column_names:
        found = [meaning(value) for value in rows.to_arrow()[name].to_pylist()]
        assert found == [meaning(value) for value in expected[name].to_pylist()]


@settings(max_examples=20)
@given(tables(), st.data())
def test_one_other_cell_is_refused_with_the_name_of_its_column(
    table: pa.Table, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(table.column_names[1:]))
    row = data.draw(st.integers(0, len(table) - 1))
    column = table[name].to_pylist()
    value = data.draw(values(table[name].type))
    assume(meaning(value) != meaning(column[row]))
    column[row] = value
    place = table.schema.get_field_index(name)
    other = table.set_column(place, name, pa.array(column, table[name].type))
    with bn.create(None, table, key="id") as ds:
        record = bn.training_fingerprint(ds).record
    with bn.create(None, other, key="id") as ds:
        claimed = TrainingFingerprint({**record, "version_id": ds.head.id})
        with pytest.raises(ReconstructionError, match=f"other values in '{name}'\n"):
            bn.reconstruct(claimed, store=ds)


@given(st.lists(st.integers(0, 2**50), min_size=1))
def test_ranks_survive_as_text(ranks: list[int]) -> None:
    found = unpack(pack(np.array(ranks, np.int64)), len(ranks))
    assert found is not None
    assert found.tolist() == ranks


@given(st.text(), st.integers(0, 9))
def test_any_text_is_ranks_or_none(text: str, n_rows: int) -> None:
    found = unpack(text, n_rows)
    assert found is None or len(found) == n_rows
