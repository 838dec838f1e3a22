"""Metrics by scikit-learn's names, computed for many reweightings of the rows at once.

Each metric is a function of sums over rows. A replicate of a bootstrap is a vector of weights, so
a metric takes ``weights`` of shape (n_replicates, n_rows) and gives (n_replicates,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from burnish.errors import InputError

Weights = npt.NDArray[np.float64]
Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Balance = Literal["rows", "classes"]
DENSE_CLASSES = 32


@dataclass(frozen=True)
class Counts:
    """Weighted counts per class, each of shape (n_replicates, n_classes).

    Attributes
    ----------
    hit : array
        Rows of the class that were predicted as it.
    true : array
        Rows of the class.
    predicted : array
        Rows predicted as the class.
    """

    hit: Values
    true: Values
    predicted: Values


@dataclass(frozen=True)
class Metric:
    """A metric and how it is computed.

    Attributes
    ----------
    name : str
        As scikit-learn spells it.
    greater_is_better : bool
        Which direction is an improvement.
    needs : {"labels", "probabilities"}
        What is scored.
    kind : {"counts", "rows", "callable"}
        A function of class counts, a mean over rows, or any function of labels.
    balance : {"rows", "classes"}
        Whether each row weighs the same, or each class.
    compute : callable
        By kind: ``f(Counts)``, ``f(probabilities, truth)`` per row, or ``f(y_true, y_pred)``.
    """

    name: str
    greater_is_better: bool
    needs: Literal["labels", "probabilities"]
    kind: Literal["counts", "rows", "callable"]
    balance: Balance
    compute: Callable[..., Any]


def metric(given: str | Callable[[Any, Any], float]) -> Metric:
    """Return a metric by scikit-learn's name, or around a function.

    Parameters
    ----------
    given : str or callable
        A name, or ``f(y_true, y_pred) -> float`` where greater is better unless the function
        carries ``greater_is_better = False``.

    Returns
    -------
    Metric

    Raises
    ------
    InputError
        The name is unknown.

    Examples
    --------
    >>> from burnish.model.metrics import metric
    >>> metric("log_loss").greater_is_better
    False
    """
    if callable(given):
        name = getattr(given, "__name__", type(given).__name__)
        better = bool(getattr(given, "greater_is_better", True))
        return Metric(name, better, "labels", "callable", "rows", given)
    if given not in METRICS:
        raise InputError(
            f"metric {given!r} is unknown, expected one of {', '.join(METRICS)}",
            hint="pass one of them, or a function f(y_true, y_pred) -> float",
        )
    return METRICS[given]


def count(
    truth: Codes, predicted: Codes, weights: Weights, n_classes: int, true: Values | None = None
) -> Counts:
    """Count rows per class under each weighting.

    Parameters
    ----------
    truth, predicted : array of int, shape (n_rows,)
        Class codes.
    weights : array of shape (n_replicates, n_rows)
    n_classes : int
    true : array of shape (n_replicates, n_classes), optional
        Rows of each class under each weighting, where they are known already.

    Returns
    -------
    Counts
    """
    hit = np.where(truth == predicted, truth, n_classes)
    return Counts(
        per_class(hit, weights, n_classes),
        per_class(truth, weights, n_classes) if true is None else true,
        per_class(predicted, weights, n_classes),
    )


def per_class(codes: Codes, weights: Weights, n_classes: int) -> Values:
    """Sum weights by class; codes of ``n_classes`` and above count nowhere."""
    if n_classes <= DENSE_CLASSES:
        return np.asarray(weights @ (codes[:, None] == np.arange(n_classes)).astype(np.float64))
    from scipy.sparse import csr_array

    rows = np.flatnonzero(codes < n_classes)
    shape = (len(codes), n_classes)
    one_hot = csr_array((np.ones(len(rows)), (rows, codes[rows])), shape=shape)
    return np.asarray(weights @ one_hot)


def _ratio(top: Values, bottom: Values) -> Values:
    return np.divide(top, bottom, out=np.zeros_like(top, dtype=np.float64), where=bottom > 0)


def _recall(counts: Counts) -> Values:
    return _ratio(counts.hit, counts.true)


def _precision(counts: Counts) -> Values:
    return _ratio(counts.hit, counts.predicted)


def _f1(counts: Counts) -> Values:
    return _ratio(2 * counts.hit, counts.true + counts.predicted)


def _accuracy(counts: Counts) -> Values:
    return _ratio(counts.hit.sum(axis=1), counts.true.sum(axis=1))


def _balanced_accuracy(counts: Counts) -> Values:
    present = counts.true > 0
    return _ratio((_recall(counts) * present).sum(axis=1), present.sum(axis=1).astype(float))


def _macro(score: Callable[[Counts], Values]) -> Callable[[Counts], Values]:
    def macro(counts: Counts) -> Values:
        present = (counts.true + counts.predicted) > 0
        return _ratio((score(counts) * present).sum(axis=1), present.sum(axis=1).astype(float))

    return macro


def _weighted(score: Callable[[Counts], Values]) -> Callable[[Counts], Values]:
    def weighted(counts: Counts) -> Values:
        return _ratio((score(counts) * counts.true).sum(axis=1), counts.true.sum(axis=1))

    return weighted


def _positive(score: Callable[[Counts], Values]) -> Callable[[Counts], Values]:
    def positive(counts: Counts) -> Values:
        if counts.true.shape[1] != 2:
            raise InputError(
                f"a binary metric was asked for on {counts.true.shape[1]} classes",
                hint="take its _macro or _weighted form, for example f1_macro",
            )
        return score(counts)[:, 1]

    return positive


def _kappa(counts: Counts) -> Values:
    total = counts.true.sum(axis=1)
    chance = _ratio((counts.true * counts.predicted).sum(axis=1), total**2)
    return _ratio(_accuracy(counts) - chance, 1 - chance)


def _matthews(counts: Counts) -> Values:
    total = counts.true.sum(axis=1)
    joint = (counts.true * counts.predicted).sum(axis=1)
    top = counts.hit.sum(axis=1) * total - joint
    left = total**2 - (counts.predicted**2).sum(axis=1)
    right = total**2 - (counts.true**2).sum(axis=1)
    return _ratio(top, np.sqrt(np.maximum(left * right, 0)))


def _log_loss(probabilities: Values, truth: Codes) -> Values:
    smallest = np.finfo(np.float64).eps
    given = np.clip(probabilities[np.arange(len(truth)), truth], smallest, 1 - smallest)
    return np.asarray(-np.log(given))


def _by_counts(name: str, balance: Balance, compute: Callable[[Counts], Values]) -> Metric:
    return Metric(name, True, "labels", "counts", balance, compute)


METRICS: dict[str, Metric] = {
    each.name: each
    for each in (
        _by_counts("accuracy", "rows", _accuracy),
        _by_counts("balanced_accuracy", "classes", _balanced_accuracy),
        _by_counts("f1", "classes", _positive(_f1)),
        _by_counts("f1_macro", "classes", _macro(_f1)),
        _by_counts("f1_weighted", "rows", _weighted(_f1)),
        _by_counts("precision", "classes", _positive(_precision)),
        _by_counts("precision_macro", "classes", _macro(_precision)),
        _by_counts("precision_weighted", "rows", _weighted(_precision)),
        _by_counts("recall", "classes", _positive(_recall)),
        _by_counts("recall_macro", "classes", _macro(_recall)),
        _by_counts("recall_weighted", "rows", _weighted(_recall)),
        _by_counts("cohen_kappa", "rows", _kappa),
        _by_counts("matthews_corrcoef", "rows", _matthews),
        Metric("log_loss", False, "probabilities", "rows", "rows", _log_loss),
    )
}
