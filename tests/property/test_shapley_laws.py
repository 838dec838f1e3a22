"""Laws of the value of rows for a nearest-neighbour classifier."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.model.distances import Space
from burnish.model.shapley import shapley_values

tables = st.integers(2, 6).flatmap(
    lambda n: st.tuples(
        st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=n, max_size=n),
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
    )
)


def worth(rows: tuple[int, ...], judge: int, points: Any, codes: Any, k: int) -> float:
    gaps = {i: float(((points[i] - points[judge]) ** 2).sum()) for i in rows}
    nearest = sorted(rows, key=lambda i: (gaps[i], i))[:k]
    return sum(codes[i] == codes[judge] for i in nearest) / k


def by_enumeration(player: int, judge: int, players: list[int], points: Any, codes: Any, k: int):
    others = [i for i in players if i != player]
    total = 0.0
    for size in range(len(others) + 1):
        for rows in combinations(others, size):
            more = worth((*rows, player), judge, points, codes, k)
            gain = more - worth(rows, judge, points, codes, k)
            total += gain / (len(players) * comb(len(others), size))
    return total


def leave_one_out(points: Any, codes: Any, k: int) -> list[float]:
    n = len(codes)
    return [
        np.mean(
            [
                by_enumeration(i, j, [p for p in range(n) if p != j], points, codes, k)
                for j in range(n)
                if j != i
            ]
        )
        for i in range(n)
    ]


@settings(max_examples=25, deadline=None)
@given(tables, st.integers(1, 4))
def test_values_are_those_of_enumeration_where_each_row_judges_all_others(
    table: Any, k: int
) -> None:
    points, codes = np.array(table[0], float), np.array(table[1])
    found = shapley_values(Space.of(points, "euclidean"), codes, k)
    assert found.values == pytest.approx(leave_one_out(points, codes, k), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(tables, st.integers(1, 4), st.integers(1, 6))
def test_values_are_those_of_enumeration_where_some_rows_judge(
    table: Any, k: int, n_judges: int
) -> None:
    points, codes = np.array(table[0], float), np.array(table[1])
    judges = np.arange(len(codes)) < min(n_judges, len(codes) - 1)
    players = np.flatnonzero(~judges).tolist()
    found = shapley_values(Space.of(points, "euclidean"), codes, k, judges)
    expected = [
        np.mean(
            [
                by_enumeration(i, j, players, points, codes, k)
                for j in np.flatnonzero(judges).tolist()
            ]
        )
        for i in players
    ]
    assert found.values[players] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(found.values[judges]).all()


@settings(max_examples=25, deadline=None)
@given(tables, st.integers(1, 3), st.data())
def test_the_best_class_is_the_one_with_which_the_row_is_worth_most(
    table: Any, k: int, data: Any
) -> None:
    points, codes = np.array(table[0], float), np.array(table[1])
    space = Space.of(points, "euclidean")
    found = shapley_values(space, codes, k)
    i = data.draw(st.integers(0, len(codes) - 1))
    worths = {}
    for code in range(3):
        changed = codes.copy()
        changed[i] = code
        worths[code] = shapley_values(space, changed, k).values[i]
    assert found.values[i] + found.gain[i] == pytest.approx(max(worths.values()), abs=1e-12)
    assert worths[int(found.best[i])] == pytest.approx(max(worths.values()), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(12, 60), st.integers(1, 10), st.integers(0, 2**32 - 1))
def test_values_of_all_rows_sum_to_the_share_of_right_votes(n: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    points, codes = random.normal(size=(n, 3)), random.integers(0, 3, n)
    values = shapley_values(Space.of(points, "euclidean"), codes, k).values
    everyone = range(n)
    right = [worth(tuple(i for i in everyone if i != j), j, points, codes, k) for j in everyone]
    assert values.mean() * (n - 1) == pytest.approx(np.mean(right), abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_blocks_do_not_change_values(n: int, seed: int) -> None:
    from burnish.model import shapley

    random = np.random.default_rng(seed)
    space = Space.of(random.normal(size=(n, 2)), "euclidean")
    codes = random.integers(0, 2, n)
    whole = shapley_values(space, codes, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapley, "CACHED_BYTES", 1)
        assert shapley_values(space, codes, 3).values == pytest.approx(whole.values, abs=1e-15)
