from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from burnish.core.canonical import cell_bytes, framed, key_bytes
from strategies import arrays, meaning, texts


@given(arrays())
def test_canonical_bytes_are_equal_exactly_when_values_are(array: pa.Array) -> None:
    spelled = cell_bytes(array).to_pylist()
    meant = [meaning(value) for value in array.to_pylist()]
    for i, one in enumerate(meant):
        for j, other in enumerate(meant):
            assert (spelled[i] == spelled[j]) == (one == other), (array[i], array[j])


@given(arrays(), st.data())
def test_a_cell_is_spelled_the_same_in_any_slice_chunking_and_order(
    array: pa.Array, data: st.DataObject
) -> None:
    spelled = cell_bytes(array).to_pylist()
    cut = data.draw(st.integers(0, len(array)))
    order = data.draw(st.permutations(range(len(array))))
    assert cell_bytes(array.slice(cut)).to_pylist() == spelled[cut:]
    chunked = pa.chunked_array([array.slice(0, cut), array.slice(cut)])
    assert cell_bytes(chunked).to_pylist() == spelled
    assert cell_bytes(array.take(pa.array(order))).to_pylist() == [spelled[i] for i in order]


rows = st.lists(st.binary(max_size=6), min_size=2, max_size=2)


@given(st.lists(rows, min_size=1, max_size=6))
def test_framing_is_injective(table: list[list[bytes]]) -> None:
    columns: list[Any] = [pa.array(column, pa.binary()) for column in zip(*table, strict=True)]
    framed_rows = framed(columns).to_pylist()
    assert len(set(framed_rows)) == len({tuple(row) for row in table})


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_composite_keys_are_equal_exactly_when_all_parts_are(pairs: list[tuple[str, str]]) -> None:
    columns = [pa.array(part, pa.string()) for part in zip(*pairs, strict=True)]
    assert len(set(key_bytes(columns).to_pylist())) == len(set(pairs))
