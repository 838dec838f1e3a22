"""Train one estimator on two versions with several seeds, and predict the same rows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import key_array, plain, shorten
from burnish.errors import EstimatorError, LabelError
from burnish.measure.design import EvaluationRows, TrainingRows, same_training
from burnish.model.cross_validation import model_classes, spread
from burnish.model.estimators import attempt, is_random, seeded
from burnish.model.reading import sorted_values

SIDES = ("before", "after")


@dataclass(frozen=True)
class Predictions:
    """What the trained models say about the evaluation rows.

    Attributes
    ----------
    classes : tuple
        Every label that occurs in the truth, the training rows or the predictions.
    truth : int array of shape (n_rows,)
        Codes into ``classes``.
    labels : int array of shape (2, n_seeds, n_rows)
        Predicted codes, before and after.
    probabilities : array of shape (2, n_seeds, n_rows, n_classes), or None
    seconds : array of shape (2,)
        Time spent fitting and predicting on each side.
    identical : bool
        Whether both sides train on equal rows, so that they are one model.
    """

    classes: tuple[Any, ...]
    truth: npt.NDArray[np.intp]
    labels: npt.NDArray[np.intp]
    probabilities: npt.NDArray[np.float64] | None
    seconds: npt.NDArray[np.float64]
    identical: bool


def predict_both(
    estimator: Any,
    training: tuple[TrainingRows, TrainingRows],
    rows: EvaluationRows,
    seeds: list[int],
    *,
    want_probabilities: bool,
    progress: bool,
) -> Predictions:
    """Train on each version with each seed and predict the evaluation rows.

    Raises
    ------
    EstimatorError
        The estimator fails; the message says on which side.
    LabelError
        A side has fewer than two classes to train on.
    """
    for name, side in zip(SIDES, training, strict=True):
        _check_classes(name, side)
    identical = same_training(*training)
    sides = training[:1] if identical else training
    jobs = [(i, seed) for seed in range(len(seeds)) for i in range(len(sides))]
    raw: dict[tuple[int, int], tuple[Any, Any]] = {}
    seconds = np.zeros(2)
    classes = _classes(training, rows)
    for i, seed in _bar(jobs, progress):
        start = time.perf_counter()
        raw[i, seed] = _one(
            estimator, seeds[seed], SIDES[i], sides[i], rows.X, classes, want_probabilities
        )
        seconds[i] += time.perf_counter() - start
    if identical:
        raw |= {(1, seed): raw[0, seed] for seed in range(len(seeds))}
    return _stacked(raw, len(seeds), rows, classes, seconds, identical)


def seeds_for(estimator: Any, seeds: list[int]) -> list[int]:
    """Return the seeds worth training with: one for an estimator that takes none."""
    return seeds if is_random(estimator) else seeds[:1]


def _check_classes(name: str, side: TrainingRows) -> None:
    classes = set(side.y)
    if len(classes) >= 2:
        return
    raise LabelError(
        f"the {name} version trains on {len(side.y)} rows of {len(classes)} classes "
        f"({shorten(list(classes)) or 'none'}), expected at least 2 classes",
        hint="check the train split of that version",
    )


def _classes(training: Iterable[TrainingRows], rows: EvaluationRows) -> tuple[Any, ...]:
    known = set(rows.truth)
    for side in training:
        known |= set(side.y)
    return tuple(sorted_values(known))


def _one(
    estimator: Any,
    seed: int,
    name: str,
    side: TrainingRows,
    X: Any,
    classes: tuple[Any, ...],
    want_probabilities: bool,
) -> tuple[Any, Any]:
    model = seeded(estimator, seed, override=True)
    target = np.array(side.y.tolist())
    attempt(f"fit the {name} version", estimator, lambda: model.fit(side.X, target), side.X)
    what = f"predict with the {name} version"
    labels = attempt(what, estimator, lambda: model.predict(X), X)
    if not want_probabilities:
        return labels, None
    values = attempt(what, estimator, lambda: model.predict_proba(X), X)
    return labels, spread(values, model_classes(model), classes)


def _stacked(
    raw: dict[tuple[int, int], tuple[Any, Any]],
    n_seeds: int,
    rows: EvaluationRows,
    classes: tuple[Any, ...],
    seconds: npt.NDArray[np.float64],
    identical: bool,
) -> Predictions:
    place = {name: i for i, name in enumerate(classes)}
    grid = [[raw[side, seed] for seed in range(n_seeds)] for side in (0, 1)]
    codes = np.array([[_codes(labels, place) for labels, _ in side] for side in grid])
    probabilities = None
    if grid[0][0][1] is not None:
        probabilities = np.array([[values for _, values in side] for side in grid])
    return Predictions(classes, _codes(rows.truth, place), codes, probabilities, seconds, identical)


def _codes(labels: Any, place: dict[Any, int]) -> npt.NDArray[np.intp]:
    values = key_array([plain(value) for value in labels])
    strange = [value for value in values if value not in place]
    if strange:
        raise EstimatorError(
            f"the estimator predicts {shorten(strange)}, which no row is labelled",
            hint="pass a classifier that predicts the labels it was trained on",
        )
    return np.array([place[value] for value in values], dtype=np.intp)


def _bar(jobs: list[tuple[int, int]], progress: bool) -> Iterator[tuple[int, int]]:
    if not progress:
        yield from jobs
        return
    from tqdm.auto import tqdm

    yield from tqdm(jobs, desc="compare", unit="fit", leave=False)
