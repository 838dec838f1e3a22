from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.core.delta import (
    DECISIONS,
    FACTS,
    NO_FACTS,
    Delta,
    cells_schema,
    invert,
    squash,
    stamped,
)
from burnish.dataset.layer import Stored, net
from burnish.errors import CorruptError
from burnish.store.codec import decode, encode, opened
from strategies import arrays

ROWS = 4
SCHEMA = cells_schema(pa.string())
Model = dict[int, str | None]
labels = st.sampled_from(["a", "b", "c", None])


def cells(state: Model, change: Model) -> Delta:
    """Return the delta that makes a change of a model, which it applies."""
    rows = [
        {"ordinal": row, "old": state.get(row), "new": change[row], "author": "x"}
        for row in sorted(change)
        if state.get(row) != change[row]
    ]
    state.update(change)
    table = pa.Table.from_pylist(rows, SCHEMA)
    return Delta({"label": table} if rows else {})


def story(changes: list[Model]) -> list[Delta]:
    state: Model = {}
    return [cells(state, change) for change in changes]


def as_dict(delta: Delta) -> dict[str, list[dict[str, Any]]]:
    return {name: table.to_pylist() for name, table in delta.cells.items() if len(table)}


changes = st.lists(st.dictionaries(st.integers(0, ROWS - 1), labels, max_size=ROWS), max_size=6)


@given(changes, st.data())
def test_squash_is_associative(steps: list[Model], data: st.DataObject) -> None:
    deltas = story(steps)
    cut = data.draw(st.integers(0, len(deltas)))
    apart = squash([squash(deltas[:cut]), squash(deltas[cut:])])
    assert as_dict(apart) == as_dict(squash(deltas))


@given(changes)
def test_squash_goes_from_the_first_state_to_the_last(steps: list[Model]) -> None:
    final: Model = {}
    for step in steps:
        final.update(step)
    net = squash(story(steps)).cells.get("label")
    found = {} if net is None else {c["ordinal"]: c["new"] for c in net.to_pylist()}
    assert found == {row: label for row, label in final.items() if label is not None}


@given(changes)
def test_inverting_twice_changes_nothing(steps: list[Model]) -> None:
    net = squash(story(steps))
    assert as_dict(invert(invert(net))) == as_dict(net)


@given(changes)
def test_a_change_and_its_inverse_cancel(steps: list[Model]) -> None:
    net = squash(story(steps))
    assert len(squash([net, invert(net)])) == 0


@given(changes, st.data())
def test_no_flipped_bit_of_an_encoded_change_is_read(
    steps: list[Model], data: st.DataObject
) -> None:
    blob = encode(squash(story(steps)), {"text": "some words that are stored as they are"})
    place = data.draw(st.integers(0, len(blob) - 1))
    bad = blob[:place] + bytes([blob[place] ^ 1 << data.draw(st.integers(0, 7))])
    with pytest.raises(CorruptError):
        decode(bad + blob[place + 1 :])


Facts = dict[str, str | None]
fact_changes = st.lists(
    st.dictionaries(st.sampled_from(["role:label", "column:x"]), st.sampled_from(["1", "2", None])),
    max_size=6,
)


def fact_story(changes: list[Facts]) -> list[Delta]:
    state: Facts = {}
    return [fact_delta(state, change) for change in changes]


def fact_delta(state: Facts, change: Facts) -> Delta:
    rows = [
        {"name": name, "old": state.get(name), "new": change[name]}
        for name in sorted(change)
        if state.get(name) != change[name]
    ]
    state.update(change)
    return Delta(facts=pa.Table.from_pylist(rows, FACTS) if rows else NO_FACTS)


@given(fact_changes)
def test_facts_squash_from_the_first_state_to_the_last_and_back(steps: list[Facts]) -> None:
    final: Facts = {}
    for step in steps:
        final.update(step)
    net = squash(fact_story(steps))
    found = {row["name"]: row["new"] for row in net.facts.to_pylist()}
    assert found == {name: value for name, value in final.items() if value is not None}
    assert not squash([net, invert(net)])
    assert decode(encode(net, {}))[0].facts.equals(net.facts)


@given(changes)
def test_encoding_loses_nothing(steps: list[Model]) -> None:
    net = squash(story(steps))
    decisions = pa.Table.from_pylist([{"ordinal": 1, "verdict": "kept"}], DECISIONS)
    back, header = decode(encode(Delta(net.cells, decisions), {"text": "ä"}))
    assert (as_dict(back), header) == (as_dict(net), {"text": "ä"})
    assert back.decisions.equals(decisions)
    assert np.array_equal(back.ordinals("label"), net.ordinals("label"))


@st.composite
def columns(draw: st.DrawFn) -> pa.Table:
    """Return cells of one column of any type, with provenance that repeats or does not."""
    old = draw(arrays())
    size = len(old)
    numbers = st.integers(0, 2 ** draw(st.sampled_from([3, 9, 20, 40, 62])))
    ordinals = sorted(draw(st.lists(numbers, min_size=size, max_size=size, unique=True)))
    places = draw(st.lists(st.integers(0, size - 1), min_size=size, max_size=size))
    words = st.lists(labels, min_size=size, max_size=size)
    scores = st.one_of(st.none(), st.floats(width=32))
    values = [pa.array(ordinals, pa.int64()), old, old.take(pa.array(places))]
    values += [pa.array(draw(words), pa.string()) for _ in range(2)]
    values += [pa.array(draw(st.lists(scores, min_size=size, max_size=size)), pa.float32())]
    values += [
        pa.array(["ann"] * size),
        pa.array([draw(st.integers(0, 9))] * size, SCHEMA[-1].type),
    ]
    return pa.table(values, schema=cells_schema(old.type))


def same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    return left.type == right.type and repr(left.to_pylist()) == repr(right.to_pylist())


@given(columns())
def test_encoding_keeps_every_value_of_every_type(table: pa.Table) -> None:
    found = decode(encode(Delta({"c": table}), {}))[0].cells["c"]
    assert found.schema == table.schema
    assert all(same(found[name], table[name]) for name in table.column_names)


@given(changes)
def test_changes_read_by_column_come_to_what_they_come_to_as_a_whole(steps: list[Model]) -> None:
    deltas = story(steps)
    layers = [Stored(opened(encode(d, {})), n, lambda ids: ids) for n, d in enumerate(deltas)]
    found, wanted = net(layers), squash(stamped(d, n) for n, d in enumerate(deltas))
    assert found.cells.keys() == wanted.cells.keys()
    for column, table in wanted.cells.items():
        assert found.cells[column].to_pylist() == table.to_pylist()
    for layer, delta in zip(layers, deltas, strict=True):
        for column, table in delta.cells.items():
            ordinals, words, places = layer.news(column)
            assert ordinals.tolist() == table["ordinal"].to_pylist()
            assert words.take(pa.array(places)).to_pylist() == table["new"].to_pylist()
