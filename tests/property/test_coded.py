"""A column as codes, against a list."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.dataset.coded import Coded
from burnish.dataset.layer import News
from burnish.store.base import words_of

labels = st.sampled_from([None, "", "a", "b", "ä", "long " * 9])
columns = st.lists(labels, min_size=1, max_size=30)
changes = st.lists(st.dictionaries(st.integers(0, 40), labels, max_size=8), max_size=6)


def coded(values: list[Any], few: bool) -> Coded:
    array = pa.array(values, pa.string())
    found = words_of(array) if few else None
    return Coded((found[0],), found[1], True) if found else Coded.of(array)


def news(cells: dict[int, Any]) -> News:
    rows = sorted(cells)
    values = pa.array([cells[row] for row in rows], pa.string())
    return News.of(np.array(rows, np.int64), values)


@pytest.mark.parametrize("few", [False, True])
@given(values=columns, first=changes, then=changes)
def test_changes_put_the_last_value_of_each_row_that_is_there(
    few: bool, values: list[Any], first: list[dict[int, Any]], then: list[dict[int, Any]]
) -> None:
    column = coded(values, few).changed(list(map(news, first))).longer(35)
    column = column.changed(list(map(news, then)))
    wanted = [*values, *[None] * (35 - len(values))]
    for cells, size in [(cells, len(values)) for cells in first] + [(c, 35) for c in then]:
        for row, value in cells.items():
            if row < size:
                wanted[row] = value
    assert column.all().to_pylist() == wanted
    some = np.flatnonzero(np.arange(35) % 3)
    assert column.at(some).to_pylist() == [wanted[row] for row in some]
    assert column.counts(np.arange(35) % 3 > 0) == Counter(wanted[row] for row in some)


@pytest.mark.parametrize("few", [False, True])
def test_a_column_that_is_changed_again_and_again_does_not_grow(few: bool) -> None:
    column = coded(["a"] * 10, few)
    for turn in range(500):
        column = column.changed([news(dict.fromkeys(range(10), f"b{turn % 7}"))])
    assert sum(map(len, column.words)) < 10_000
    assert len(column.words) <= 2
