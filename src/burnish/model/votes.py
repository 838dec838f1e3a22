"""What the labels of a row's neighbours say together."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from burnish.model.labelled import Codes
from burnish.model.neighbours import Neighbours

Weights = Literal["uniform", "distance"]
WEIGHTS = ("uniform", "distance")
_BLOCK = 1 << 22
_TIE = 1e-9


class Votes(NamedTuple):
    """The vote on each row.

    Attributes
    ----------
    winner : int array of shape (n,)
        Code of the class with the largest share; -1 where nobody votes.
    share : float64 array of shape (n,)
        Its share of the vote, in [0, 1].
    second : float64 array of shape (n,)
        The largest share of another class.
    own : float64 array of shape (n,)
        The share of the class that the row is given.
    voters : int array of shape (n,)
        How many neighbours have a label.
    """

    winner: Codes
    share: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]
    own: npt.NDArray[np.float64]
    voters: npt.NDArray[np.intp]


def votes_on(graph: Neighbours, codes: Codes, weights: Weights = "uniform") -> Votes:
    """Let neighbours vote.

    Parameters
    ----------
    graph : Neighbours
        n rows, k neighbours.
    codes : int array of shape (n,)
        The class of each row of the graph, -1 where it is not known: such a row does not vote.
    weights : {"uniform", "distance"}
        Whether each vote counts the same or by the inverse of its distance, where neighbours at
        distance 0 outvote all others.

    Returns
    -------
    Votes
        A tie is won by the given class, then by the class of the nearest neighbour.

    Notes
    -----
    O(n · k²) time, whatever the number of classes.
    """
    step = max(1, _BLOCK // max(graph.k, 1) ** 2)
    starts = range(0, max(len(codes), 1), step)
    parts = [_counted(graph, codes, slice(start, start + step), weights) for start in starts]
    return Votes(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _counted(graph: Neighbours, codes: Codes, rows: slice, weights: Weights) -> Votes:
    cast = np.where(graph.known[rows], codes[graph.indices[rows]] if len(codes) else -1, -1)
    weight = _weights(graph.distances[rows], cast >= 0, weights)
    same = cast[:, :, None] == cast[:, None, :]
    support = (same * weight[:, None, :]).sum(axis=2)
    own = (weight * (cast == codes[rows][:, None])).sum(axis=1)
    voters = (cast >= 0).sum(axis=1)
    if not graph.k:
        nobody = np.zeros(len(voters))
        return Votes(np.full(len(voters), -1), nobody, nobody, nobody, voters)
    preferred = support + _TIE * (cast == codes[rows][:, None])
    best = np.where(cast >= 0, np.round(preferred, 10), -1.0).argmax(axis=1)[:, None]
    winner = np.take_along_axis(cast, best, axis=1)
    share = np.take_along_axis(support, best, axis=1)[:, 0]
    second = np.where((cast != winner) & (cast >= 0), support, 0.0).max(axis=1)
    return Votes(winner[:, 0], share, second, own, voters)


def _weights(
    distances: npt.NDArray[np.float32], voting: npt.NDArray[np.bool_], weights: Weights
) -> npt.NDArray[np.float64]:
    if weights == "uniform":
        raw = voting.astype(np.float64)
    else:
        far = np.where(voting, distances, np.inf).astype(np.float64)
        twins = far == 0
        raw = np.where(twins.any(axis=1)[:, None], twins, 1 / np.where(twins, 1.0, far))
    return np.asarray(raw / np.maximum(raw.sum(axis=1, keepdims=True), np.finfo(float).tiny))
