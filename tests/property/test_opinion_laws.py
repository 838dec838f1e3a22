"""Laws of votes, outliers and the order that several opinions make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import burnish as bn
from burnish.core.finding import Findings

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True, scope="module")
def few_resamples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("burnish.find.second_opinions"), "RESAMPLES", 3)
        yield


def listed(name: str, scores: dict[int, float], n_rows: int | None = None) -> Findings:
    keys, nothing = list(scores), [None] * len(scores)
    return Findings(name, keys, list(scores.values()), nothing, nothing, n_rows=n_rows)


opinions = st.lists(
    st.dictionaries(st.integers(0, 12), st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=12),
    min_size=2,
    max_size=4,
)


@settings(max_examples=50, deadline=None)
@given(seeds, st.integers(1, 25), st.integers(1, 6), st.integers(1, 4))
def test_the_score_is_the_share_of_neighbours_with_another_label(
    seed: int, n: int, k: int, n_classes: int
) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(size=(n, 2))
    labels = [None if random.random() < 0.2 else int(random.integers(n_classes)) for _ in points]
    found = bn.find.knn_vote(points, labels, k=k, min_score=0)
    expected = {}
    for i, label in enumerate(labels):
        gaps = np.linalg.norm(points - points[i], axis=1)
        near = [j for j in np.argsort(gaps, kind="stable") if j != i][:k]
        cast = [labels[j] for j in near if labels[j] is not None]
        if label is not None and cast:
            most = Counter(cast).most_common()[0][1]
            winners = {c for c, count in Counter(cast).items() if count == most}
            nearest = next(c for c in cast if c in winners)
            winner = None if label in winners else nearest
            expected[i] = (pytest.approx(1 - cast.count(label) / len(cast)), winner)
    assert {f.key: (f.score, f.suggestion) for f in found} == expected
    flagged = bn.find.knn_vote(points, labels, k=k)
    assert set(flagged.keys) == {key for key, (_, to) in expected.items() if to is not None}


@settings(max_examples=25, deadline=None)
@given(opinions)
def test_the_score_is_the_mean_rank_of_all_opinions(lists: list[dict[int, float]]) -> None:
    named = {f"o{i}": listed("o", scores, 13) for i, scores in enumerate(lists)}
    found = bn.find.second_opinions(named)
    assert set(found.keys) == set().union(*lists)
    for each in found:
        ranks = []
        for scores in lists:
            full = [scores.get(key, -1.0) for key in range(13)]
            mine = scores.get(each.key, -1.0)
            above, tied = sum(s > mine for s in full), sum(s == mine for s in full)
            ranks.append(above + (tied - 1) / 2)
        assert each.score == pytest.approx(1 - np.mean(ranks) / 12)


@settings(max_examples=25, deadline=None)
@given(opinions, st.permutations(range(4)))
def test_the_order_of_opinions_does_not_change_scores(
    lists: list[dict[int, float]], order: list[int]
) -> None:
    named = {f"o{i}": listed("o", scores) for i, scores in enumerate(lists)}
    other = {f"o{i}": named[f"o{i}"] for i in order if i < len(lists)}
    one, two = bn.find.second_opinions(named), bn.find.second_opinions(other)
    assert one.keys.tolist() == two.keys.tolist()
    assert one.scores == pytest.approx(two.scores)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.integers(0, 99), st.integers(0, 1000), min_size=2))
def test_a_row_that_all_opinions_put_above_another_stays_above(scores: dict[int, int]) -> None:
    one = listed("one", {key: s / 1000 for key, s in scores.items()})
    two = listed("two", {key: (s / 1000) ** 2 for key, s in scores.items()})
    found = bn.find.second_opinions(one, two)
    for better, worse in permutations(scores, 2):
        if scores[better] > scores[worse]:
            assert found.ranks[better] < found.ranks[worse]


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(1e-6, 1e6))
def test_the_outlier_score_has_no_unit(seed: int, unit: float) -> None:
    points = np.random.default_rng(seed).normal(size=(60, 3))
    one = bn.find.outliers(points, k=5, min_score=0)
    other = bn.find.outliers(points * unit, k=5, min_score=0)
    assert dict(zip(one.keys, one.scores)) == pytest.approx(
        dict(zip(other.keys, other.scores)), abs=1e-5
    )


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_an_ambiguous_row_is_one_whatever_its_label(seed: int) -> None:
    random = np.random.default_rng(seed)
    probs: Any = random.dirichlet([0.5] * 3, size=40)
    labels: list[Any] = random.integers(0, 3, 40).tolist()
    before = bn.find.ambiguous(labels, probs, min_score=0)
    order = np.argsort(np.sort(probs, axis=1)[:, -2] - probs.max(axis=1), kind="stable")
    assert set(before.keys) == set(range(40))
    if before.provenance["temperature"] == 1:
        assert before.keys.tolist() == order[::-1].tolist()
    row = before[len(before) // 2]
    nulled = [None if i == row.key else label for i, label in enumerate(labels)]
    after = bn.find.ambiguous(nulled, probs, min_score=0)
    assert abs(after.ranks[row.key] - before.ranks[row.key]) <= 3
