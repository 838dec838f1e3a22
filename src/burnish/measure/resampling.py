"""Metrics of both sides on the rows as they are, and on rows drawn again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from burnish.measure.training import Predictions
from burnish.model.metrics import Metric, count, per_class

Floats = npt.NDArray[np.float64]
REPLICATES = 2_000
CALLABLE_REPLICATES = 200
CHUNK_NUMBERS = 4_000_000


@dataclass(frozen=True)
class Scores:
    """Metrics of each slice, metric and seed.

    The last axis runs over slices and, within each, metrics.

    Attributes
    ----------
    values : array of shape (2, n_seeds, n_statistics)
        Before and after, on the rows as they are.
    replicates : array of shape (n_replicates, n_seeds, n_statistics)
        After minus before on drawn rows; NaN where no row of a slice was drawn.
    n_joint : int
        How many replicates every statistic has.
    """

    values: Floats
    replicates: Floats
    n_joint: int

    @property
    def differences(self) -> Floats:
        """After minus before, of shape (n_seeds, n_statistics)."""
        return np.asarray(self.values[1] - self.values[0])


@dataclass(frozen=True)
class _Patterns:
    """Distinct rows, with how often each occurs."""

    rows: npt.NDArray[np.intp]
    counts: Floats
    clusters: npt.NDArray[np.intp] | None


def score(
    predictions: Predictions,
    members: npt.NDArray[np.bool_],
    clusters: npt.NDArray[np.intp] | None,
    metrics: list[Metric],
    seed: int,
    n_replicates: int = REPLICATES,
) -> Scores:
    """Compute metrics on the evaluation rows and on bootstrap samples of them.

    Parameters
    ----------
    predictions : Predictions
    members : bool array of shape (n_slices, n_rows)
    clusters : int array of shape (n_rows,), or None
        Rows that are drawn together.
    metrics : list of Metric
    seed : int
        Of the draws.
    n_replicates : int, default 2000
        Metrics given as functions get at most 200.

    Notes
    -----
    Rows that agree in label, predictions and slices are drawn as one multinomial count, which is
    the same bootstrap at the cost of the distinct rows. Memory is bounded by drawing in chunks.
    """
    patterns = _patterns(predictions, members, clusters, metrics)
    part = _Evaluator(predictions, members, metrics, patterns.rows)
    values = part.sides(patterns.counts[None, :])[:, 0]
    drawn = [
        _difference(part.sides(weights, start))
        for start, weights in _draws(patterns, seed, n_replicates)
    ]
    slow = any(metric.kind == "callable" for metric in metrics)
    n_joint = min(CALLABLE_REPLICATES, n_replicates) if slow else n_replicates
    return Scores(values, np.concatenate(drawn), n_joint)


def _difference(sides: Floats) -> Floats:
    return np.asarray(sides[1] - sides[0])


def _patterns(
    predictions: Predictions,
    members: npt.NDArray[np.bool_],
    clusters: npt.NDArray[np.intp] | None,
    metrics: list[Metric],
) -> _Patterns:
    n_rows = len(predictions.truth)
    if clusters is not None or any(metric.kind != "counts" for metric in metrics):
        return _Patterns(np.arange(n_rows), np.ones(n_rows), clusters)
    seen = predictions.labels.reshape(-1, n_rows)
    table = np.vstack([predictions.truth[None, :], seen, members]).T.astype(np.int32)
    _, rows, counts = np.unique(table, axis=0, return_index=True, return_counts=True)
    return _Patterns(rows, counts.astype(np.float64), None)


def _draws(patterns: _Patterns, seed: int, n_replicates: int) -> Iterator[tuple[int, Floats]]:
    random = np.random.default_rng(seed)
    n_units = len(patterns.rows)
    size = max(1, CHUNK_NUMBERS // n_units)
    for start in range(0, n_replicates, size):
        yield start, _draw(patterns, random, min(size, n_replicates - start))


def _draw(patterns: _Patterns, random: np.random.Generator, size: int) -> Floats:
    if patterns.clusters is None:
        n_rows = int(patterns.counts.sum())
        weights = random.multinomial(n_rows, patterns.counts / n_rows, size=size)
        return weights.astype(np.float64)
    n_clusters = int(patterns.clusters.max()) + 1
    drawn = random.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=size)
    return drawn[:, patterns.clusters].astype(np.float64)


class _Evaluator:
    """Metrics of both sides under weights of the rows."""

    def __init__(
        self,
        predictions: Predictions,
        members: npt.NDArray[np.bool_],
        metrics: list[Metric],
        rows: npt.NDArray[np.intp],
    ) -> None:
        self._metrics = metrics
        self._members = members[:, rows]
        self._truth = predictions.truth[rows]
        self._labels = predictions.labels[:, :, rows]
        self._names = np.array(predictions.classes)
        self._n_classes = len(predictions.classes)
        self._by_row = {
            metric.name: _row_values(metric, predictions, rows)
            for metric in metrics
            if metric.kind == "rows"
        }

    def sides(self, weights: Floats, start: int = 0) -> Floats:
        """Return metrics of shape (2, n_weights, n_seeds, n_statistics)."""
        n_seeds = self._labels.shape[1]
        shape = (2, len(weights), n_seeds, len(self._members), len(self._metrics))
        result = np.empty(shape)
        for slice_, inside in enumerate(self._members):
            part = weights[:, inside]
            true = per_class(self._truth[inside], part, self._n_classes)
            for side in (0, 1):
                for seed in range(n_seeds):
                    result[side, :, seed, slice_] = self._cell(
                        side, seed, inside, part, start, true
                    )
        return result.reshape(*shape[:3], -1)

    def _cell(
        self,
        side: int,
        seed: int,
        inside: npt.NDArray[np.bool_],
        weights: Floats,
        start: int,
        true: Floats,
    ) -> Floats:
        truth, labels = self._truth[inside], self._labels[side, seed, inside]
        counts = count(truth, labels, weights, self._n_classes, true)
        columns = []
        for metric in self._metrics:
            if metric.kind == "counts":
                columns.append(metric.compute(counts))
            elif metric.kind == "rows":
                columns.append(weights @ self._by_row[metric.name][side, seed, inside])
                columns[-1] = columns[-1] / np.maximum(weights.sum(axis=1), 1e-300)
            else:
                columns.append(self._call(metric, truth, labels, weights, start))
        cell = np.stack(columns, axis=1)
        cell[weights.sum(axis=1) == 0] = np.nan
        return cell

    def _call(
        self,
        metric: Metric,
        truth: npt.NDArray[np.intp],
        labels: npt.NDArray[np.intp],
        weights: Floats,
        start: int,
    ) -> Floats:
        values = np.full(len(weights), np.nan)
        for i in range(min(len(weights), max(0, CALLABLE_REPLICATES - start))):
            rows = np.repeat(np.arange(len(truth)), weights[i].astype(np.intp))
            if len(rows):
                values[i] = metric.compute(self._names[truth[rows]], self._names[labels[rows]])
        return values


def _row_values(metric: Metric, predictions: Predictions, rows: npt.NDArray[np.intp]) -> Floats:
    probabilities = predictions.probabilities
    assert probabilities is not None
    truth = predictions.truth[rows]
    return np.array(
        [[metric.compute(values[rows], truth) for values in side] for side in probabilities]
    )
