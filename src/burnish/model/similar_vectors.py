"""Vectors that are alike: much nearer than vectors of these data usually are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.model.arrays import Matrix
from burnish.model.linking import Grouping, Links, Places, Scores, grouping, labels_of_links, stars
from burnish.model.neighbours import Neighbours

K = 10
LEAST = 0.8
CHANCE = 0.01


class Spread:
    """Vectors and how far apart those of their surroundings are.

    Parameters
    ----------
    values : array of shape (n_vectors, n_numbers)
        Finite.
    scales : array of shape (n_vectors,)
        Distance of each vector to its 10th neighbour.
    """

    def __init__(self, values: Matrix, scales: Scores) -> None:
        self.values = values
        usual = float(np.median(scales)) if len(scales) else 0.0
        self.usual = usual
        self.scales = np.where(scales > 0, scales, usual)

    def similarity(self, first: Places, second: Places) -> Scores:
        """Return 1 − distance ÷ the usual distance of the surroundings, at least 0."""
        apart = np.sqrt(((self.values[first] - self.values[second]) ** 2).sum(axis=1))
        around = np.maximum(self.scales[first], self.scales[second])
        scale = np.minimum(around, self.usual) if self.usual > 0 else around
        share = np.divide(apart, scale, out=np.ones_like(apart), where=scale > 0)
        return np.where(apart == 0, 1.0, np.clip(1 - share, 0, 1))


def vector_groups(values: Matrix, graph: Neighbours, threshold: float | None = None) -> Grouping:
    """Group vectors that are alike.

    Parameters
    ----------
    values : array of shape (n_rows, n_numbers)
        NaN where a row has no vector.
    graph : Neighbours
        Of the same rows in the same order, by Euclidean distance.
    threshold : float, optional
        Least similarity of a member to its group's centre, in (0, 1]. By default that of
        `default_threshold`.

    Returns
    -------
    Grouping

    Notes
    -----
    The similarity of two vectors is 1 − distance ÷ scale. The scale is the larger of the two
    distances to their 10th neighbour, and at most the median of this distance over all rows, so
    that two vectors are alike only where they are near for their own surroundings and for the
    data. Pairs come from the graph: rows in groups larger than its neighbours are linked through
    others.
    """
    known = np.flatnonzero(np.isfinite(values).all(axis=1))
    different, inverse = np.unique(values[known] + 0.0, axis=0, return_inverse=True)
    items = np.full(len(values), -1, np.int64)
    items[known] = inverse.ravel()
    threshold = default_threshold(graph) if threshold is None else threshold
    spread = Spread(different, _scales(graph, items, len(different)))
    links = _links(graph, items, spread, threshold)
    found = stars(links, spread.similarity, threshold)
    facts: dict[str, Any] = {
        "threshold": threshold,
        "usual_distance": spread.usual,
        "n_without_vector": len(values) - len(known),
        "neighbours": dict(graph.provenance),
        **links.counts,
    }
    return grouping(items, found, items.tolist(), facts)


def default_threshold(graph: Neighbours) -> float:
    """Return the least similarity that unrelated vectors seldom reach, at least 0.8.

    Notes
    -----
    In *m* dimensions a vector whose 10th neighbour lies at distance 1 has 10 · f^m neighbours
    within *f* by chance. The threshold is 1 − f for the *f* where this is 0.01: 0.8 from five
    dimensions on, 0.97 in two. *m* is the intrinsic dimension, the inverse of the median over rows
    of the mean logarithm of the ratios of distances to the last neighbour and to nearer ones.

    References
    ----------
    Levina and Bickel (2004), Maximum likelihood estimation of intrinsic dimension. NeurIPS.
    """
    near = graph.distances.astype(np.float64)
    if near.shape[1] < 3:
        return LEAST
    last = near[:, -1:]
    usable = (near > 0) & np.isfinite(near) & np.isfinite(last)
    usable[:, -1] = False
    logs = np.log(np.divide(last, near, out=np.ones_like(near), where=usable))
    means = logs.sum(axis=1) / np.maximum(usable.sum(axis=1), 1)
    inverse = float(np.median(means[usable.any(axis=1)])) if usable.any() else 0.0
    return max(LEAST, 1 - float((CHANCE / near.shape[1]) ** inverse))


def _scales(graph: Neighbours, items: Places, n_items: int) -> Scores:
    scales = np.zeros(n_items)
    if graph.k:
        far = np.where(np.isfinite(graph.distances), graph.distances, 0.0).max(axis=1)
        there = items >= 0
        np.maximum.at(scales, items[there], far[there].astype(np.float64))
    return scales


def _links(graph: Neighbours, items: Places, spread: Spread, threshold: float) -> Links:
    rows, columns = np.nonzero(graph.indices >= 0)
    ends = items[rows], items[graph.indices[rows, columns]]
    low, high = np.minimum(*ends), np.maximum(*ends)
    pairs: npt.NDArray[np.int64] = np.unique(np.stack([low, high])[:, low != high], axis=1)
    first, second = pairs
    scores = spread.similarity(first, second)
    alike = scores >= threshold
    first, second, scores = first[alike], second[alike], scores[alike]
    labels = labels_of_links(len(spread.values), first, second)
    return Links(first, second, scores, labels, len(alike), 0)
