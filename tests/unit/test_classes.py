"""Classes keep their codes, and each gets a key of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.session.classes import NO_CLASS, ClassTable

ACTIONS = set("npksuzdcx?/Z")
names = st.one_of(
    st.sampled_from([*"npksuzdcx?/ZNPKSUDCXazAZ19", " ", "\t", "\n", "", "é", "ß", "cat", "dog"]),
    st.text(max_size=3).filter(lambda text: text.isprintable()),
)
label_lists = st.lists(names, unique=True, max_size=40)


@given(st.lists(st.none() | names), st.lists(st.none() | names))
def test_codes_stay_what_they_are_when_classes_grow(
    first: list[str | None], second: list[str | None]
) -> None:
    before, after = pa.array(first, pa.string()), pa.array(second, pa.string())
    table = ClassTable.of(before)
    grown = table.extended(after)
    assert grown.codes(before).tolist() == table.codes(before).tolist()
    assert grown.values[: len(table)] == table.values
    assert sorted(grown.values) == sorted({*first, *second} - {None})
    back = [None if c == NO_CLASS else grown.values[c] for c in grown.codes(after)]
    assert back == second


def test_classes_that_do_not_grow_are_the_same_table() -> None:
    table = ClassTable.of(pa.array(["b", "a", None]))
    assert table.extended(pa.array(["a", None])) is table
    assert table.values == ["a", "b"]


@pytest.mark.parametrize("values", [["a", None], [None, None], []], ids=str)
def test_null_and_unknown_labels_have_no_class(values: list[str | None]) -> None:
    column = pa.array(values, pa.string())
    table = ClassTable.of(column)
    wanted = [NO_CLASS if value is None else 0 for value in values]
    assert table.codes(column).tolist() == wanted
    assert table.codes(column).dtype == np.uint16
    assert table.codes(pa.array(["new"])).tolist() == [NO_CLASS]


def test_a_column_in_chunks_has_the_codes_of_the_whole() -> None:
    chunks = pa.chunked_array([["a"], ["b", None], []], pa.string())
    table = ClassTable.of(chunks.combine_chunks())
    assert table.codes(chunks).tolist() == [0, 1, NO_CLASS]


@given(label_lists)
def test_no_key_picks_two_classes_or_acts(labels: list[str]) -> None:
    caps = ClassTable(labels).keycaps()
    keys = [cap for cap in caps if cap is not None]
    assert len(caps) == len(labels)
    assert len(set(keys)) == len(keys)
    assert not set(keys) & ACTIONS
    assert all(len(key) == 1 and key.isprintable() and not key.isspace() for key in keys)


@given(label_lists)
def test_a_class_of_one_character_keeps_it_as_its_key(labels: list[str]) -> None:
    for name, cap in zip(labels, ClassTable(labels).keycaps()):
        if len(name) == 1 and name.isprintable() and not name.isspace() and name not in ACTIONS:
            assert cap == name


@given(label_lists)
def test_a_class_has_a_key_while_any_is_free(labels: list[str]) -> None:
    caps = ClassTable(labels).keycaps()
    if None in caps:
        assert set("1234567890") <= set(caps)


def test_the_key_of_an_action_is_picked_with_shift() -> None:
    assert ClassTable(["a", "n", "k"]).keycaps() == ["a", "N", "K"]
    assert ClassTable(["n", "N"]).keycaps() == ["1", "N"]
    assert ClassTable(["z", "Z", "?"]).keycaps() == ["1", "2", "3"]


def test_digits_are_picked_by_their_own_key() -> None:
    assert ClassTable(list(range(10))).keycaps() == list("0123456789")


def test_two_hundred_classes_have_codes_and_the_first_ones_keys() -> None:
    labels = [f"class {i:03}" for i in range(200)]
    table = ClassTable.of(pa.array(labels[::-1]))
    caps = table.keycaps()
    assert table.codes(pa.array(labels)).tolist() == list(range(200))
    assert caps[:10] == list("1234567890")
    assert caps[24:] == [None] * 176
    assert None not in caps[:24]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([10, 2, -3], pa.int64()),
        ([10, 2, 3], pa.uint8()),
        ([0.5, -1.0], pa.float64()),
        ([True, False], pa.bool_()),
        (["Zürich", "a", "", "a longer name", "日本", "🙂"], pa.large_string()),
    ],
    ids=str,
)
def test_a_class_of_any_type_is_found_by_its_name(values: list[Any], kind: pa.DataType) -> None:
    column = pa.array([*values, None], kind)
    table = ClassTable.of(column)
    assert table.values == sorted(values)
    assert [table.value(name) for name in table.names] == table.values
    assert [table.values[code] for code in table.codes(column)[:-1]] == values


def test_a_new_name_is_a_text_label() -> None:
    assert ClassTable(["a"]).value("b") == "b"
    assert ClassTable([1, 2]).value("2") == 2
