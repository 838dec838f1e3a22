"""How many errors there are in a population of which rows are drawn one by one, at every look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_GRID = 400
_FULL_GRID = 2048
_WEIGHTS = (0.5, 0.3, 0.2)


@dataclass(frozen=True)
class Draw:
    """A row that was drawn at random, and judged.

    Attributes
    ----------
    found : int
        Errors that were known when it was drawn.
    remaining : int
        Rows that it was drawn from.
    wrong : bool
    """

    found: int
    remaining: int
    wrong: bool


class Confidence:
    """The errors in a population, from rows drawn at random while others are reviewed in between.

    Parameters
    ----------
    population : int
        Rows, of which an unknown number M is wrong.
    alphas : sequence of float
        How often the interval of each level may ever miss, in (0, 1).

    Notes
    -----
    When a row is drawn from R rows, f errors being known outside them, it is wrong with
    probability (M - f) / R, whichever rows a person chose to review before. A bet against M that
    pays q / p for what happened, where p is that probability and q any other that was named
    before, is fair if M is true, so the capital K(M), the product of all pay-offs, is a
    nonnegative martingale, and ever reaches 1 / alpha with probability at most alpha (Ville). The
    numbers that are not refused, {M : K(M) < 1 / alpha}, are a confidence sequence: it may be
    looked at after every decision, and the review may stop because of what it says.

    One q serves all M: the mean of (M' - f) / R over candidates M' with prior weights, half of
    them even in the logarithm of M', for errors are few, and updated by what was drawn. The bets
    against M are then those of the prior-posterior ratio, with rows reviewed in between taken
    into account, and the likelihood of M is log-concave, so the numbers that are not refused are
    an interval whose ends bisection finds: O(draws × log population) a draw, whatever the
    population. Intervals are intersected over all looks. Deterministic.

    References
    ----------
    Waudby-Smith and Ramdas (2020), Confidence sequences for sampling without replacement.
    NeurIPS. Waudby-Smith, Stark and Ramdas (2021), RiLACS: Risk-limiting audits via confidence
    sequences. Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by
    betting. JRSS B 86. Lewis, Yang and Frieder (2021), Certifying One-Phase Technology-Assisted
    Reviews. CIKM.

    Examples
    --------
    >>> from burnish.review.stopping import Confidence, Draw
    >>> seen = Confidence(100, [0.05])
    >>> for drawn in range(50):
    ...     seen.add(Draw(found=0, remaining=100 - drawn, wrong=False))
    >>> seen.interval(0, found=0, remaining=50)
    (0, 7)
    """

    def __init__(self, population: int, alphas: tuple[float, ...] | list[float]) -> None:
        self.population = population
        self.limits = [np.log(1 / alpha) for alpha in alphas]
        self._ends = [(0, population) for _ in alphas]
        self._draws: list[Draw] = []
        self._bettor = Bettor(population)

    def add(self, draw: Draw) -> None:
        """Take note of a row that was drawn and judged."""
        self._draws.append(draw)
        self._bettor.settle(draw)
        likelihood = _Likelihood(self._draws)
        for i, limit in enumerate(self.limits):
            floor = self._bettor.log_capital - limit
            self._ends[i] = _narrowed(likelihood, floor, self._ends[i], self.population)

    def interval(self, level: int, found: int, remaining: int) -> tuple[int, int]:
        """Return the interval of the errors in the population.

        Parameters
        ----------
        level : int
            Place of the level among `alphas`.
        found : int
            Errors that are known now.
        remaining : int
            Rows that were not judged yet.

        Returns
        -------
        low, high : int
            What is certain, `found` to `found` + `remaining`, where all else was refused.
        """
        low, high = self._ends[level]
        least, most = found, found + remaining
        if low > high or low > most or high < least:
            return least, most
        return max(low, least), min(high, most)

    def likeliest(self, found: int, remaining: int) -> int:
        """Return the number of errors under which the draws are most probable."""
        if not self._draws:
            return found
        mode = _mode(_Likelihood(self._draws), self.population)
        return min(max(mode, found), found + remaining)


class Bettor:
    """Names the probability that the next row is wrong, before it is seen.

    Parameters
    ----------
    population : int

    Attributes
    ----------
    log_capital : float
        Logarithm of the product of what it gave to what happened.
    """

    def __init__(self, population: int) -> None:
        self._candidates, weights = _prior(population)
        self._weights = np.append(weights * (1 - _WEIGHTS[2]), _WEIGHTS[2])
        self._seen = self._wrong = 0
        self.log_capital = 0.0

    def settle(self, draw: Draw) -> None:
        """Pay for what happened and learn from it."""
        shares = np.clip((self._candidates - draw.found) / draw.remaining, 0, 1)
        own = (self._wrong + 0.5) / (self._seen + 1)
        chances = np.append(shares, own)
        given = self._weights * (chances if draw.wrong else 1 - chances)
        total = max(given.sum(), 1e-300)
        self.log_capital += float(np.log(total))
        self._weights = given / total
        self._seen += 1
        self._wrong += draw.wrong


@dataclass(frozen=True)
class _Likelihood:
    """Log-likelihood of a number of errors, which is concave, and the sign of its slope."""

    draws: list[Draw]

    @cached_property
    def _parts(self) -> tuple[Floats, Floats, Floats, float]:
        found, size, wrong = np.array(
            [(draw.found, draw.remaining, draw.wrong) for draw in self.draws], dtype=np.float64
        ).T
        hit = wrong > 0
        return found[hit], (found + size)[~hit], np.log(size), float(np.log(size).sum())

    def at(self, number: int) -> float:
        errors, full, _, scale = self._parts
        with np.errstate(divide="ignore", invalid="ignore"):
            gained = np.log(np.maximum(number - errors, 0)).sum()
            lost = np.log(np.maximum(full - number, 0)).sum()
        return float(gained + lost - scale)

    def rises(self, number: int) -> bool:
        """Whether the next number is at least as likely, or this one cannot be as it is too low."""
        errors, full, _, _ = self._parts
        if (number < errors + 1).any():
            return True
        if (number + 1 >= full).any():
            return False
        gain = np.log1p(1 / (number - errors)).sum() + np.log1p(-1 / (full - number)).sum()
        return bool(gain > 0)


def _narrowed(
    likelihood: _Likelihood, floor: float, ends: tuple[int, int], population: int
) -> tuple[int, int]:
    """Return an interval without the numbers that are refused now."""
    low, high = ends
    if low > high or (likelihood.at(low) > floor and likelihood.at(high) > floor):
        return ends
    mode = min(max(_mode(likelihood, population), low), high)
    if likelihood.at(mode) <= floor:
        return 1, 0
    first = _last(low, mode, lambda number: likelihood.at(number) <= floor)
    last = _last(mode, high, lambda number: likelihood.at(number) > floor)
    return (first if likelihood.at(first) > floor else first + 1), last


def _mode(likelihood: _Likelihood, population: int) -> int:
    if not likelihood.rises(0):
        return 0
    return min(_last(0, population, likelihood.rises) + 1, population)


def _last(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the last number for which something holds that holds up to one and not beyond it."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _prior(population: int) -> tuple[Floats, Floats]:
    """Return candidates for the number of errors, and their weights."""
    if population < _FULL_GRID:
        even = np.arange(population + 1, dtype=np.float64)
    else:
        even = np.linspace(0, population, _GRID)
    few = np.geomspace(0.5, max(population, 1), _GRID)
    flat, log, _ = _WEIGHTS
    parts = [np.full(len(even), log / len(even)), np.full(len(few), flat / len(few))]
    weights = np.concatenate(parts)
    return np.concatenate([even, few]), weights / weights.sum()
