import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from burnish.model.metrics import METRICS, count

THEIRS = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "cohen_kappa": sk.cohen_kappa_score,
    "matthews_corrcoef": sk.matthews_corrcoef,
    "f1_macro": lambda *a: sk.f1_score(*a, average="macro", zero_division=0),
    "f1_weighted": lambda *a: sk.f1_score(*a, average="weighted", zero_division=0),
    "precision_macro": lambda *a: sk.precision_score(*a, average="macro", zero_division=0),
    "precision_weighted": lambda *a: sk.precision_score(*a, average="weighted", zero_division=0),
    "recall_macro": lambda *a: sk.recall_score(*a, average="macro", zero_division=0),
    "recall_weighted": lambda *a: sk.recall_score(*a, average="weighted", zero_division=0),
}
PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


def ours(name, truth, predicted, weights):
    counts = count(truth, predicted, weights.astype(float)[None, :], 4)
    return METRICS[name].compute(counts)[0]


@pytest.mark.parametrize("name", sorted(THEIRS))
@settings(max_examples=40)
@given(pairs=PAIRS)
def test_a_metric_is_that_of_scikit_learn(name, pairs):
    truth, predicted = np.array(pairs).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = THEIRS[name](truth, predicted)
    got = ours(name, truth, predicted, np.ones(len(truth)))
    assert np.isclose(got, 0.0 if np.isnan(theirs) else theirs)


@pytest.mark.parametrize("name", sorted(THEIRS))
@settings(max_examples=40)
@given(pairs=PAIRS, data=st.data())
def test_a_weight_counts_as_that_many_rows(name, pairs, data):
    truth, predicted = np.array(pairs).T
    times = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=len(truth), max_size=len(truth)))
    )
    rows = np.repeat(np.arange(len(truth)), times)
    repeated = ours(name, truth[rows], predicted[rows], np.ones(len(rows)))
    assert np.isclose(ours(name, truth, predicted, times), repeated)


@given(pairs=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=30))
def test_binary_metrics_take_the_second_class_as_positive(pairs):
    truth, predicted = np.array(pairs).T
    counts = count(truth, predicted, np.ones((1, len(truth))), 2)
    for name, theirs in (
        ("f1", sk.f1_score),
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
    ):
        expected = theirs(truth, predicted, labels=[0, 1], zero_division=0)
        assert np.isclose(METRICS[name].compute(counts)[0], expected)
