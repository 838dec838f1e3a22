import numpy as np
import pytest
from sklearn.metrics import log_loss

from burnish.errors import InputError
from burnish.model.metrics import METRICS, count, metric, per_class


def test_unknown_metrics_are_refused_with_those_that_exist():
    with pytest.raises(InputError, match="balanced_accuracy"):
        metric("acuracy")


def test_a_function_is_a_metric_and_may_say_that_less_is_better():
    def cost(y_true, y_pred):
        return float((y_true != y_pred).sum())

    assert (metric(cost).name, metric(cost).greater_is_better) == ("cost", True)
    cost.greater_is_better = False
    assert not metric(cost).greater_is_better


def test_only_log_loss_is_better_when_smaller():
    assert [name for name, each in METRICS.items() if not each.greater_is_better] == ["log_loss"]


def test_log_loss_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), 50)
    truth = random.integers(0, 3, 50)
    ours = METRICS["log_loss"].compute(probabilities, truth).mean()
    assert np.isclose(ours, log_loss(truth, probabilities, labels=[0, 1, 2]))


@pytest.mark.parametrize("name", ["f1", "precision", "recall"])
def test_a_binary_metric_on_three_classes_is_refused(name):
    codes = np.array([0, 1, 2])
    counts = count(codes, codes, np.ones((1, 3)), 3)
    with pytest.raises(InputError, match="_macro"):
        METRICS[name].compute(counts)


def test_many_classes_are_counted_like_few():
    random = np.random.default_rng(0)
    codes, weights = random.integers(0, 60, 200), random.random((3, 200))
    expected = np.array([np.bincount(codes, weights=row, minlength=60) for row in weights])
    assert np.allclose(per_class(codes, weights, 60), expected)
    few = codes % 7
    expected = np.array([np.bincount(few, weights=row, minlength=7) for row in weights])
    assert np.allclose(per_class(few, weights, 7), expected)
