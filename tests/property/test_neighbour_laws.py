"""Laws of the nearest neighbours of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import burnish as bn
from burnish.model import nearest as nearest_module
from burnish.model.neighbours import neighbours

grids = st.tuples(st.integers(1, 40), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(-2, 2).map(float))
)


def by_hand(values: np.ndarray[Any, Any], k: int, metric: str) -> list[list[int]]:
    found = []
    for i, one in enumerate(values):
        others = [j for j in range(len(values)) if j != i]
        gaps = {j: distance(one, values[j], metric) for j in others}
        found.append(sorted(others, key=lambda j: (gaps[j], j))[:k])
    return found


def distance(one: Any, other: Any, metric: str) -> float:
    if metric == "euclidean":
        return float(((one - other) ** 2).sum())
    lengths = np.sqrt((one**2).sum() * (other**2).sum())
    return round(float(1 - one @ other / lengths), 12)


@settings(max_examples=50, deadline=None)
@given(grids, st.integers(1, 12))
def test_neighbours_are_the_nearest_others_with_ties_by_key(
    values: np.ndarray[Any, Any], k: int
) -> None:
    assert neighbours(values, k).indices.tolist() == by_hand(values, k, "euclidean")


@settings(max_examples=50, deadline=None)
@given(st.integers(20, 60), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_fast_search_and_the_careful_one_agree(n: int, k: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 3, size=(n, 2)) * 0.25 + 1000.5
    assert neighbours(values, k).indices.tolist() == by_hand(values, k, "euclidean")


@settings(max_examples=50, deadline=None)
@given(grids, st.integers(1, 12))
def test_distances_by_cosine_are_one_minus_the_cosine(values: np.ndarray[Any, Any], k: int) -> None:
    values = values[(values != 0).any(axis=1)]
    graph = neighbours(values, k, metric="cosine")
    expected = by_hand(values, k, "cosine")
    for i, row in enumerate(expected):
        true = [distance(values[i], values[j], "cosine") for j in row]
        assert graph.distances[i] == pytest.approx(true, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(grids, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(values: Any, random: Any) -> None:
    frame = pd.DataFrame({"id": range(len(values)), "vec": list(values)})
    order = list(range(len(values)))
    random.shuffle(order)
    with bn.create(None, frame, key="id", embedding="vec") as ds:
        one = neighbours(ds, 4)
    with bn.create(None, frame.iloc[order], key="id", embedding="vec") as ds:
        other = neighbours(ds, 4)
    assert one.keys.tolist() == other.keys.tolist()
    assert one.indices.tolist() == other.indices.tolist()
    assert one.distances.tolist() == other.distances.tolist()


@settings(max_examples=25, deadline=None)
@given(st.integers(30, 80), st.integers(0, 2**32 - 1), st.floats(1e-30, 1e30))
def test_the_unit_does_not_matter(n: int, seed: int, unit: float) -> None:
    values = np.random.default_rng(seed).normal(size=(n, 3))
    one, other = neighbours(values, 5), neighbours(values * unit, 5)
    assert one.indices.tolist() == other.indices.tolist()


def test_few_rows_are_ordered_anew_where_nothing_is_tied() -> None:
    values = np.random.default_rng(0).normal(size=(400, 8))
    space = nearest_module.Space.of(values, "euclidean")
    assert not len(nearest_module._likely(space, 5)[2])
