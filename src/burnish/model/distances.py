"""Distances from some rows to all others, a block at a time, so that they can be ordered fast.

A squared distance that is not negative orders like the bits of its float. Its last bits are given
to the position of the other row: sorting those integers orders by distance, ties by position, and
gives the positions with it, at half the time of sorting positions by distance.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from burnish.errors import InputError
from burnish.model.arrays import Matrix

Metric = Literal["euclidean", "cosine"]
METRICS = ("euclidean", "cosine")
BLOCK_BYTES = 1 << 25
NOISE = 1e-13
LEAST_BITS = 20
LEAST_ROWS = 8
_EXPONENT_AND_MORE = (1 << 63) - 1

Positions = npt.NDArray[np.intp]
Packed = npt.NDArray[np.int64]
T = TypeVar("T")


def check_metric(metric: str) -> None:
    """Refuse a metric that is not known.

    Raises
    ------
    InputError
        It is neither ``"euclidean"`` nor ``"cosine"``.
    """
    if metric not in METRICS:
        raise InputError(
            f"metric={metric!r}, expected one of {', '.join(map(repr, METRICS))}",
            hint="leave it out for 'euclidean'",
        )


def has_direction(values: Matrix, metric: str) -> npt.NDArray[np.bool_]:
    """Return which rows have a place: finite, and for ``"cosine"`` not zero."""
    there = np.asarray(np.isfinite(values).all(axis=1), dtype=bool)
    return there & (values != 0).any(axis=1) if metric == "cosine" else there


@dataclass(frozen=True, eq=False)
class Space:
    """Rows made ready for distances.

    Attributes
    ----------
    points : float64 array of shape (n, d)
        Scaled to at most 1, and to length 1 for ``"cosine"``.
    centred : float64 array of shape (n, d)
        The same about their mean, which loses fewer digits in a product.
    squares : float64 array of shape (n,)
        Squared length of each centred row.
    scale : float
        What the distances of `points` are multiplied with.
    metric : str
    """

    points: Matrix
    centred: Matrix
    squares: npt.NDArray[np.float64]
    scale: float
    metric: str

    @classmethod
    def of(cls, values: Matrix, metric: str) -> Space:
        """Return the space of finite rows, which have a direction where the metric is cosine."""
        top = np.abs(values).max(axis=1, initial=0.0, keepdims=True)
        scale = 2.0 ** np.frexp(top if metric == "cosine" else top.max(initial=0.0))[1]
        points = values / scale
        if metric == "cosine":
            points /= np.sqrt(np.einsum("ij,ij->i", points, points))[:, None]
            scale = 1.0
        centred = points - points.mean(axis=0) if len(points) else points
        return cls(points, centred, np.einsum("ij,ij->i", centred, centred), float(scale), metric)

    @property
    def position_bits(self) -> int:
        """The mask of the bits that hold a position; the others tell 1 from 1 + 2e-10."""
        return (1 << max(LEAST_BITS, (len(self.points) - 1).bit_length())) - 1

    def packed(self, rows: Positions, others: Positions | None = None) -> Packed:
        """Return squared distances from some rows to others, with positions in their last bits.

        Parameters
        ----------
        rows : int array of shape (m,)
        others : int array of shape (p,), optional
            Rows that are none of `rows`. All rows by default.

        Returns
        -------
        int64 array of shape (m, p)
            ``& position_bits`` gives positions among all rows. A row itself comes last.
        """
        there = np.arange(len(self.points)) if others is None else others
        found = self.centred[rows] @ (self.centred if others is None else self.centred[others]).T
        found *= -2.0
        found += self.squares[there]
        found += (self.squares[rows] * (1 - NOISE))[:, None]
        np.maximum(found, 0.0, out=found)
        if others is None:
            found[np.arange(len(rows)), rows] = np.inf
        mask = self.position_bits
        bits = found.view(np.int64)
        bits += (mask + 1) >> 1
        bits &= _EXPONENT_AND_MORE & ~mask
        bits |= there
        return bits

    def between(self, rows: Positions, others: npt.NDArray[Any]) -> Matrix:
        """Return distances from each of some rows to its own list of others.

        Parameters
        ----------
        rows : int array of shape (m,)
        others : int array of shape (m, k)

        Returns
        -------
        float64 array of shape (m, k)
            Exactly 0 for equal rows.
        """
        gap = self.points[others]
        gap -= self.points[rows][:, None, :]
        squared: Matrix = np.einsum("ijk,ijk->ij", gap, gap)
        if self.metric == "cosine":
            return squared / 2
        return np.asarray(np.sqrt(squared) * self.scale)

    def spans(
        self, n_rows: int, width: int = 0, n_bytes: int = BLOCK_BYTES
    ) -> Iterator[tuple[int, int]]:
        """Return blocks of so many rows, each with so many bytes of distances or of vectors."""
        each = 8 * max(len(self.points), width * self.points.shape[1], 1)
        step = max(LEAST_ROWS, n_bytes // each)
        for start in range(0, n_rows, step):
            yield start, min(start + step, n_rows)


def in_threads(work: Callable[[int, int], T], spans: Iterator[tuple[int, int]]) -> Iterator[T]:
    """Do some work for each block, in order, on all cores, each with a product of its own."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda span: work(*span), spans)
