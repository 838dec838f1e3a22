"""Do the intervals cover what they say? Simulated evaluation rows with a known difference."""

import numpy as np
import pytest
from scipy.special import expit

from burnish.measure.intervals import estimate
from burnish.measure.resampling import score
from burnish.measure.training import Predictions
from burnish.model.metrics import metric

SEEDS = 5
REPEATS = 250
ACCURACY = [metric("accuracy")]


def simulated(random, n, effect, seed_sd):
    """Return predictions of two models: rows differ in difficulty, seeds in skill."""
    difficulty = random.normal(size=n) + random.normal(0, 0.7, (2, 1, n))
    skill = 1.4 + np.array([0, effect])[:, None] + random.normal(0, seed_sd, (2, SEEDS))
    luck = np.where(
        random.random((2, SEEDS, n)) < 0.3, random.random((2, SEEDS, n)), random.random(n)
    )
    right = luck < expit(skill[:, :, None] + difficulty)
    truth = random.integers(0, 2, n)
    labels = np.where(right, truth, 1 - truth)
    return Predictions((0, 1), truth, labels, None, np.zeros(2), identical=False)


def true_difference(effect, seed_sd):
    random = np.random.default_rng(1)
    spread = np.sqrt(1 + 0.49 + seed_sd**2)
    logit = 1.4 + random.normal(0, spread, 1_000_000)
    return expit(logit + effect).mean() - expit(logit).mean()


def interval(predictions, members, seed):
    scores = score(predictions, members, None, ACCURACY, seed, n_replicates=200)
    n = members.sum(axis=1).astype(float)
    return estimate(scores.differences, scores.replicates, n, 2 / n**2, 0.95, seed)


@pytest.mark.parametrize(
    ("n", "effect", "seed_sd"),
    [(50, 0.0, 0.05), (400, 0.5, 0.05), (400, 0.0, 0.4), (400, 0.5, 0.4)],
)
def test_intervals_cover_the_true_difference(n, effect, seed_sd):
    random = np.random.default_rng(7)
    target = true_difference(effect, seed_sd)
    members, covered = np.ones((1, n), dtype=bool), 0
    for repeat in range(REPEATS):
        found = interval(simulated(random, n, effect, seed_sd), members, repeat)
        covered += bool(found.low[0] <= target <= found.high[0])
    assert 0.92 <= covered / REPEATS <= 0.985


def test_joint_intervals_cover_all_differences_together():
    random = np.random.default_rng(8)
    n, n_slices = 200, 5
    single, together = 0, 0
    for repeat in range(REPEATS):
        members = random.random((n_slices, n)) < 0.4
        found = interval(simulated(random, n, 0.0, 0.1), members, repeat)
        single += bool(((found.low <= 0) & (found.high >= 0)).all())
        together += bool(((found.low_all <= 0) & (found.high_all >= 0)).all())
    assert 0.92 <= together / REPEATS <= 0.985
    assert single / REPEATS < 0.9


def test_seed_variance_makes_the_degrees_of_freedom_small():
    random = np.random.default_rng(0)
    replicates = np.repeat(random.normal(0, 0.001, (500, 1, 1)), SEEDS, axis=1)
    units, floor = np.array([400.0]), np.zeros(1)
    noisy = estimate(random.normal(0, 1, (SEEDS, 1)), replicates, units, floor, 0.95, 0)
    calm = estimate(np.zeros((SEEDS, 1)), replicates, units, floor, 0.95, 0)
    assert np.isclose(noisy.df[0], SEEDS - 1, rtol=0.01)
    assert np.isclose(calm.df[0], 399)
    assert noisy.high[0] - noisy.low[0] > 100 * (calm.high[0] - calm.low[0])


def test_drawing_distinct_rows_is_the_bootstrap_of_all_rows():
    predictions = simulated(np.random.default_rng(3), 300, 0.5, 0.2)
    members = np.ones((1, 300), dtype=bool)
    distinct = score(predictions, members, None, ACCURACY, 0)
    one_by_one = score(predictions, members, np.arange(300), ACCURACY, 0)
    assert np.array_equal(distinct.values, one_by_one.values)
    spread = [scores.replicates.mean(axis=1).std() for scores in (distinct, one_by_one)]
    assert np.isclose(*spread, rtol=0.06)


def test_the_bootstrap_has_the_variance_that_theory_gives():
    predictions = simulated(np.random.default_rng(4), 500, 0.5, 0.0)
    right = predictions.labels == predictions.truth
    by_row = (right[1].astype(float) - right[0]).mean(axis=0)
    scores = score(predictions, np.ones((1, 500), dtype=bool), None, ACCURACY, 0)
    assert np.isclose(scores.replicates.mean(axis=1).std(), by_row.std() / np.sqrt(500), rtol=0.06)


def test_rows_of_a_group_are_drawn_together():
    predictions = simulated(np.random.default_rng(5), 400, 0.5, 0.0)
    copies = Predictions(
        (0, 1),
        np.repeat(predictions.truth, 4),
        np.repeat(predictions.labels, 4, axis=2),
        None,
        np.zeros(2),
        identical=False,
    )
    members = np.ones((1, 1600), dtype=bool)
    whole = score(copies, members, np.repeat(np.arange(400), 4), ACCURACY, 0)
    naive = score(copies, members, None, ACCURACY, 0)
    ratio = whole.replicates.mean(axis=1).std() / naive.replicates.mean(axis=1).std()
    assert np.isclose(ratio, 2, rtol=0.08)


def test_nothing_that_varies_has_no_interval_unless_it_is_one_model():
    none = np.zeros((100, 1, 1))
    arguments = (np.zeros((1, 1)), none, np.array([50.0]), np.zeros(1), 0.95, 0)
    unknown, certain = estimate(*arguments), estimate(*arguments, exact=True)
    assert np.isnan([unknown.low[0], unknown.high_all[0], unknown.p_adjusted[0]]).all()
    assert (certain.low[0], certain.high_all[0], certain.p_adjusted[0]) == (0, 0, 1)


def test_adjusted_p_values_lie_between_plain_and_bonferroni():
    random = np.random.default_rng(0)
    replicates = random.normal(0, 1, (500, 1, 8))
    found = estimate(
        random.normal(0, 2, (1, 8)), replicates, np.full(8, 200.0), np.zeros(8), 0.95, 0
    )
    assert (found.p_adjusted >= found.p).all()
    assert (found.p_adjusted <= np.minimum(1, 8 * found.p) + 0.005).all()


def test_copies_of_one_statistic_need_no_correction():
    random = np.random.default_rng(0)
    replicates = np.repeat(random.normal(0, 1, (500, 1, 1)), 8, axis=2)
    found = estimate(np.full((1, 8), 1.5), replicates, np.full(8, 200.0), np.zeros(8), 0.95, 0)
    assert np.allclose(found.p_adjusted, found.p, atol=0.01)
    assert np.allclose(found.low_all, found.low, atol=0.03)
