"""Numbers that are probably wrong, beside what a regression model predicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import key_array, plain
from burnish.errors import InputError, LabelError, ProbabilityError
from burnish.model.predictions import Labelled, labelled

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "regression-issue"
READS = ("numbers", "predictions")
METHODS = ("outre", "residual")
RESIDUAL_SCALE = 5.0
NEIGHBOUR_SHARE = 0.5
TINY = 1e-100
LARGEST = 1e150  # beyond it squares overflow
TINY_DISTANCE = float(100 * np.finfo(np.float64).eps)
BLOCK = 4_000_000
Numbers = npt.NDArray[np.float64]


def regression_issues(
    ds: Reading | Sequence[float] | Numbers,
    predictions: Any,
    column: str | None = None,
    threshold: float = 0.05,
    method: Literal["outre", "residual"] = "outre",
) -> Findings:
    """Find rows whose number is probably wrong.

    Parameters
    ----------
    ds : Dataset, Snapshot, or array of shape (n_rows,)
        The numbers as they are now. Plain ones are taken with keys 0 … n-1.
    predictions : mapping of key to number, Series, or array of shape (n_rows,)
        Out-of-sample predictions. A Series has the keys as its index. A plain array goes with
        plain numbers only.
    column : str, optional
        The column of a dataset that holds the numbers, the label role by default.
    threshold : float, default 0.05
        Flag rows whose quality is below this share of the median quality, in (0, 1].
    method : str, default "outre"
        ``"outre"``: how far a row lies from the others in (number, residual), free of units.
        ``"residual"``: quality exp(−abs(residual)), which depends on the unit of the numbers.

    Returns
    -------
    Findings
        Worst first. The score is 1 minus cleanlab's label quality, here without its
        cost in memory: 1 is certainly wrong. The
        suggestion is the prediction; the detail ``residual`` is the given number minus it.

    Raises
    ------
    ProbabilityError
        Predictions that are no numbers within ±1e150, or for other keys.
    LabelError
        A label is no number within ±1e150.
    InputError
        ``threshold`` or ``method`` is unknown, or the dataset has no column of numbers.

    Notes
    -----
    A wrong number and a rare true one look alike, and a suggestion is only as good as the model:
    look before you take it. With ``"outre"`` more than a few per cent of wrong numbers hide each
    other, as their residuals widen the scale. Null labels and rows without predictions are left
    out and counted in ``provenance``. ``"outre"`` takes O(n_rows²) time, because half
    of all rows are neighbours of each, about 3 s for 10,000 rows, and 32 MB beside the rows;
    ``"residual"`` is O(n_rows). Deterministic.

    References
    ----------
    .. [1] Zhou, Mueller and others (2023), Detecting Errors in Numerical Data via any Regression
       Model. arXiv:2305.16583. As in cleanlab; the threshold is that of its Datalab.

    Examples
    --------
    >>> import burnish as bn
    >>> truth = [float(i) for i in range(40)]
    >>> given = [*truth[:7], 70.0, *truth[8:]]
    >>> found = bn.find.regression_issues(given, [x + 0.1 * (-1) ** x for x in truth])
    >>> found[0].key, found[0].suggestion
    (7, 6.9)
    """
    _check(threshold, method)
    rows = labelled(ds, predictions, column)
    given, predicted = _numbers(rows)
    quality = _quality(given, predicted, method)
    hit = np.flatnonzero(quality < (np.median(quality) if len(quality) else 0) * threshold)
    return Findings(
        CODE,
        rows.keys[hit],
        np.clip(1 - quality[hit], 0, 1),
        rows.labels[hit],
        key_array(predicted[hit].tolist()),
        rows.made_by("regression_issues", method=method, threshold=threshold),
        n_rows=len(rows.keys),
        details={"residual": key_array((given[hit] - predicted[hit]).tolist())},
    )


def _check(threshold: Any, method: Any) -> None:
    if method not in METHODS:
        raise InputError(
            f"method={method!r}, expected one of {', '.join(map(repr, METHODS))}",
            hint="leave it out for 'outre'",
        )
    if not isinstance(threshold, (int, float)) or not 0 < threshold <= 1:
        raise InputError(
            f"threshold={threshold!r}, expected a number in (0, 1]",
            hint="leave it out for 0.05; a larger one flags more rows",
        )


def _numbers(rows: Labelled) -> tuple[Numbers, Numbers]:
    given, predicted = np.zeros(len(rows.keys)), np.zeros(len(rows.keys))
    for i, key in enumerate(rows.keys):
        given[i] = _number(rows.labels[i], key, "label", LabelError)
        predicted[i] = _number(rows.predictions[i], key, "prediction", ProbabilityError)
    return given, predicted


def _number(value: Any, key: Any, what: str, error: type[InputError]) -> float:
    scalar = plain(value)
    number = isinstance(scalar, (int, float)) and not isinstance(scalar, bool)
    if not number or not abs(scalar) <= LARGEST:
        raise error(
            f"the {what} of row {key!r} is {value!r}, expected a number within ±1e150",
            hint="pass numbers, or bn.find.label_issues for classes",
        )
    return float(scalar)


def _quality(given: Numbers, predicted: Numbers, method: str) -> Numbers:
    residual = predicted - given
    if method == "residual" or not len(given):
        return np.asarray(np.exp(-np.abs(residual)))
    places = np.column_stack([_scaled(given), RESIDUAL_SCALE * _scaled(residual)])
    apart = _mean_distance(places, math.ceil(NEIGHBOUR_SHARE * len(given)))
    return np.asarray(np.exp(-apart / max(float(np.median(apart)), TINY_DISTANCE)))


def _scaled(values: Numbers) -> Numbers:
    return np.asarray((values - values.mean()) / (values.std() + TINY))


def _mean_distance(places: Numbers, k: int) -> Numbers:
    """Return the mean distance of each place to the `k` nearest, itself among them."""
    from scipy.spatial.distance import cdist

    means = np.empty(len(places))
    block = max(1, BLOCK // len(places))
    for start in range(0, len(places), block):
        apart = cdist(places[start : start + block], places)
        means[start : start + block] = np.partition(apart, k - 1, axis=1)[:, :k].mean(axis=1)
    return means
