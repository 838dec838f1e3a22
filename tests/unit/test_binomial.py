"""Intervals of a share: published numbers, and what no share may break."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, hypergeom

from burnish.errors import InputError
from burnish.model.binomial import exact, hypergeometric, wilson


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int, int]:
    """Return errors, rows looked at, and rows there are."""
    population = draw(st.integers(1, 60))
    n = draw(st.integers(1, population))
    return draw(st.integers(0, n)), n, population


@given(counts(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_exact_and_wilson_are_those_of_scipy(case: tuple[int, int, int], level: float) -> None:
    x, n, _ = case
    for ours, method in ((exact, "exact"), (wilson, "wilson")):
        theirs = binomtest(x, n).proportion_ci(level, method=method)
        assert np.allclose([float(end) for end in ours(x, n, level)], list(theirs), atol=1e-9)


@given(counts(), st.sampled_from([0.5, 0.9, 0.95]))
def test_hypergeometric_keeps_what_neither_test_refuses(
    case: tuple[int, int, int], level: float
) -> None:
    x, n, population = case
    numbers = np.arange(x, population - n + x + 1)
    tail = (1 - level) / 2
    few = hypergeom.cdf(x, population, numbers, n) > tail
    many = hypergeom.sf(x - 1, population, numbers, n) > tail
    kept = numbers[few & many]
    low, high = hypergeometric(x, n, population, level)
    assert (int(low), int(high)) == (kept.min(), kept.max())


@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.97])
def test_the_exact_interval_covers_at_least_as_often_as_it_says(share: float) -> None:
    found = np.arange(31)
    low, high = exact(found, 30, 0.9)
    inside = (low <= share) & (share <= high)
    assert binom.pmf(found, 30, share)[inside].sum() >= 0.9


@pytest.mark.parametrize("wrong", [0, 1, 7, 30, 60])
def test_the_hypergeometric_interval_covers_at_least_as_often_as_it_says(wrong: int) -> None:
    found = np.arange(max(0, 20 - 60 + wrong), min(20, wrong) + 1)
    low, high = hypergeometric(found, 20, 60, 0.9)
    inside = (low <= wrong) & (wrong <= high)
    assert hypergeom.pmf(found, 60, wrong, 20)[inside].sum() >= 0.9


def test_all_rows_looked_at_leave_nothing_open() -> None:
    low, high = hypergeometric([0, 3, 8], 8, 8)
    assert low.tolist() == high.tolist() == [0, 3, 8]
    low, high = wilson([1, 4], 8, population=8)
    assert np.allclose(low, [1 / 8, 1 / 2])
    assert np.allclose(high, [1 / 8, 1 / 2])


def test_no_row_looked_at_leaves_everything_open() -> None:
    assert [float(end) for end in exact(0, 0)] == [0.0, 1.0]
    assert [float(end) for end in wilson(0, 0)] == [0.0, 1.0]
    assert [int(end) for end in hypergeometric(0, 0, 9)] == [0, 9]


def test_a_population_without_end_gives_the_binomial_interval() -> None:
    low, high = hypergeometric(12, 400, 10_000_000)
    assert np.allclose([low / 1e7, high / 1e7], exact(12, 400), rtol=1e-3)


@pytest.mark.parametrize(("x", "n", "population"), [(3, 2, 9), (-1, 2, 9), (1, 10, 9)])
def test_counts_that_cannot_be_are_refused(x: int, n: int, population: int) -> None:
    with pytest.raises(InputError, match="expected 0 ≤ errors ≤ n ≤ population"):
        hypergeometric(x, n, population)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_a_confidence_out_of_range_is_refused(confidence: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        exact(1, 2, confidence)
