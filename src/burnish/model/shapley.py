"""What each row is worth to a nearest-neighbour classifier, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from burnish.model.distances import Positions, Space, in_threads
from burnish.model.labelled import Codes

Sums = npt.NDArray[np.float64]


CACHED_BYTES = 1 << 21


class Values(NamedTuple):
    """Shapley values of players, and with which class each would be worth most.

    Attributes
    ----------
    values : float64 array of shape (n,)
        Mean over the judges; NaN for a row that is no player.
    best : int array of shape (n,)
        Code of the class with which the row would have the largest value; the given one in a tie.
    gain : float64 array of shape (n,)
        How much more it would be worth then, at least 0.
    """

    values: Sums
    best: Codes
    gain: Sums


def shapley_values(
    space: Space, codes: Codes, k: int, judges: npt.NDArray[np.bool_] | None = None
) -> Values:
    """Return the Shapley value of each row for the classifier of k nearest neighbours.

    Parameters
    ----------
    space : Space
        n rows.
    codes : int array of shape (n,)
        The class of each row, from 0.
    k : int
        Neighbours of the classifier, at least 1.
    judges : bool array of shape (n,), optional
        Rows on which the classifier made of all others is scored. By default each row in turn is
        the judge of all others.

    Returns
    -------
    Values

    Notes
    -----
    The worth of a set of rows for one judge is ``1 / k`` for each of its k nearest (or fewer)
    rows in the set that has the judge's class. With rows sorted from near to far,
    ``s(last) = min(k, n) / (n · k) · [same]`` and
    ``s(i) = s(i + 1) + ([i same] - [i + 1 same]) / k · min(k, i) / i`` [1]_. In it a row's own
    class enters as ``[i same] · min(k, i) / (k · i)`` only, so what the row would be worth with
    another class follows from the same pass.

    O(judges · n · (d + log n)) time, in blocks of a few MB a core. Exact but for rounding:
    distances are ordered to a relative 2e-10, ties by position.

    References
    ----------
    .. [1] Jia, Dao, Wang, Hubis, Gurel, Li, Zhang, Spanos and Song (2019), Efficient
       task-specific data valuation for nearest neighbor algorithms. PVLDB 12, theorem 1.
    """
    n = len(space.points)
    judging = np.arange(n) if judges is None else np.flatnonzero(judges)
    players = None if judges is None else np.flatnonzero(~judges)
    n_players = n - 1 if players is None else len(players)
    if not len(judging) or n_players < 1:
        return Values(np.full(n, np.nan), codes.copy(), np.zeros(n))
    total, own, best = np.zeros(n), np.zeros(n), np.zeros(n)
    choice = np.full(n, -1)
    factors = _factors(n_players, k)
    for code, rows in _by_class(judging, codes):
        worth, weight = _of_judges(space, codes, rows, players, factors)
        total += worth
        own[codes == code] = weight[codes == code]
        better = weight > best
        best[better], choice[better] = weight[better], code
    stay = best <= own * (1 + 1e-12)
    n_judges = len(judging) - (players is None)
    gain, each = np.where(stay, 0.0, best - own) / n_judges, total / n_judges
    if judges is not None:
        each[judges], gain[judges] = np.nan, 0.0
    return Values(each, np.where(stay, codes, choice), gain)


def _factors(n: int, k: int) -> Sums:
    """Return ``min(k, i) / (k · i)`` for the i-th nearest, i from 1."""
    place = np.arange(1, n + 1)
    return np.minimum(k, place) / (k * place)


def _by_class(judging: Positions, codes: Codes) -> Iterator[tuple[int, Positions]]:
    present = codes[judging]
    for code in np.unique(present):
        yield int(code), judging[present == code]


def _of_judges(
    space: Space, codes: Codes, judges: Positions, players: Positions | None, factors: Sums
) -> tuple[Sums, Sums]:
    """Return the sum of values, and of the weights of their own class, over judges of a class.

    With factors f, which fall, ``s(i) = [i same] f(i) - sum over j > i of [j same]
    (f(j - 1) - f(j))``: a weight of the row's own, less what farther rows of the class take.
    """
    n, mine = len(space.points), (codes == codes[judges[0]]).astype(np.float64)
    falls = -np.diff(factors, prepend=factors[:1])
    if players is None:  # the judge itself comes last
        factors, falls = np.append(factors, 0.0), np.append(falls, 0.0)

    def work(start: int, stop: int) -> tuple[Sums, Sums]:
        order = space.packed(judges[start:stop], players)
        order.sort(axis=1)
        order &= space.position_bits
        taken = mine[order]
        taken *= falls
        np.cumsum(taken, axis=1, out=taken)
        np.subtract(taken[:, -1:], taken, out=taken)
        places = order.ravel()
        weight: Sums = np.bincount(places, np.tile(factors, len(order)), n).astype(np.float64)
        return np.bincount(places, taken.ravel(), n).astype(np.float64), weight

    taken, weight = np.zeros(n), np.zeros(n)
    for part in in_threads(work, space.spans(len(judges), n_bytes=CACHED_BYTES)):
        taken += part[0]
        weight += part[1]
    return mine * weight - taken, weight
