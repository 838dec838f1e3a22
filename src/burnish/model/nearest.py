"""Which others are nearest to each row: all of them for certain, or most of them fast."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.model.arrays import Matrix
from burnish.model.distances import NOISE, Space, in_threads

MEASURED_ROWS = 200
SPARE = 8
_LEAST_WIDTH = 32

Positions = npt.NDArray[np.intp]
Found = tuple[Positions, Matrix]


def nearest(space: Space, k: int) -> Found:
    """Return the k nearest others of each row, ties by position.

    Parameters
    ----------
    space : Space
        n rows.
    k : int
        At most n - 1.

    Returns
    -------
    (int array, float64 array), each of shape (n, k)
        Positions and distances, nearest first.

    Notes
    -----
    The nearest `k` + 8 come from scikit-learn. Rows for which the last of those is as near as the
    k-th, so that others may be too, are ordered anew against all others, which takes four times
    as long.
    """
    positions, distances, doubtful = _likely(space, k)

    def work(start: int, stop: int) -> Found:
        rows = doubtful[start:stop]
        width = min(k + SPARE, len(space.points) - 1)
        found = _sorted(space, rows, _first(space, rows, width))
        return found[0][:, :k], found[1][:, :k]

    parts = in_threads(work, space.spans(len(doubtful), k))
    for (start, stop), part in zip(space.spans(len(doubtful), k), parts, strict=True):
        positions[doubtful[start:stop]], distances[doubtful[start:stop]] = part
    return positions, distances


def _likely(space: Space, k: int) -> tuple[Positions, Matrix, Positions]:
    """Return neighbours, and the rows for which others may be as near as the last of them."""
    n = len(space.points)
    width = k + SPARE
    if not 0 < width < n - 1:
        return np.empty((n, k), np.intp), np.empty((n, k)), np.arange(n if k else 0)
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=width, algorithm="brute", n_jobs=-1)
    near, others = search.fit(space.centred).kneighbors()
    positions, distances = _in_order(space, others)
    last = near[:, -1] ** 2
    surely = last - NOISE * (last + space.squares)
    kth = (distances[:, k - 1] / space.scale) * (2 if space.metric == "cosine" else 1)
    kth = kth if space.metric == "cosine" else kth**2
    return positions[:, :k], distances[:, :k], np.flatnonzero(kth >= surely)


def _first(space: Space, rows: Positions, k: int) -> Positions:
    packed = space.packed(rows)
    packed.partition(k - 1, axis=1)
    return packed[:, :k] & space.position_bits


def _in_order(space: Space, others: npt.NDArray[Any]) -> Found:
    """Return each row's list of others by distance and position."""

    def work(start: int, stop: int) -> Found:
        return _sorted(space, np.arange(start, stop), others[start:stop])

    parts = list(in_threads(work, space.spans(len(others), others.shape[1])))
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _sorted(space: Space, rows: Positions, others: npt.NDArray[Any]) -> Found:
    distances = space.between(rows, others)
    order = np.lexsort((others, distances), axis=1)
    return (
        np.take_along_axis(others, order, axis=1).astype(np.intp),
        np.take_along_axis(distances, order, axis=1),
    )


def near(space: Space, k: int, seed: int) -> Found:
    """Return k others of each row that are most of the nearest, by nearest-neighbour descent."""
    from pynndescent import NNDescent

    points = space.points.astype(np.float32)
    index = NNDescent(points, n_neighbors=k + 1, random_state=seed, n_jobs=1)
    found = index.neighbor_graph[0]
    own = np.arange(len(found))[:, None]
    last = np.argsort(found == own, axis=1, kind="stable")
    return _in_order(space, np.take_along_axis(found, last, axis=1)[:, :k])


def bucket(k: int) -> int:
    """Return how many neighbours are looked for: the answer for k may not depend on the past."""
    return int(max(_LEAST_WIDTH, 1 << (k - 1).bit_length()))


def recall(space: Space, distances: Matrix) -> float:
    """Return which share of the nearest are found, measured on a few rows."""
    k = distances.shape[1]
    rows = np.unique(np.linspace(0, len(distances) - 1, MEASURED_ROWS).astype(np.intp))
    hits = 0
    for start, stop in space.spans(len(rows), k):
        here = rows[start:stop]
        truth = space.between(here, _first(space, here, k))
        limit = truth.max(axis=1, keepdims=True) * (1 + 1e-9)
        hits += int(np.count_nonzero(distances[here] <= limit))
    return float(hits / (len(rows) * k))
