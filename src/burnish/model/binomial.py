"""Intervals of a share, from the errors among rows that were looked at."""

from __future__ import annotations

from numbers import Real
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.errors import InputError

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def exact(errors: Any, n: Any, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact interval of a share (Clopper–Pearson).

    Parameters
    ----------
    errors : int or array of int
        How many of the rows that were looked at are wrong, in [0, n].
    n : int or array of int
        How many rows were looked at; with none of them the interval is [0, 1].
    confidence : float, default 0.95
        In (0, 1).

    Returns
    -------
    low, high : arrays of float
        In [0, 1], in the common shape of `errors` and `n`.

    Raises
    ------
    InputError
        Counts or the confidence are out of range.

    Notes
    -----
    Covers at least as often as it says, for any share and any n; both sides hold by themselves
    with (1 - confidence) / 2. Vectorised.

    References
    ----------
    Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case
    of the binomial. Biometrika 26.

    Examples
    --------
    >>> from burnish.model.binomial import exact
    >>> low, high = exact(2, 10)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0252, 0.5561)
    """
    x, size = _checked(errors, n)
    tail = half_alpha(confidence)
    return beta_quantile(tail, x, size - x + 1.0), beta_quantile(1 - tail, x + 1.0, size - x)


def wilson(
    errors: Any, n: Any, confidence: float = 0.95, population: Any = None
) -> tuple[Floats, Floats]:
    """Return Wilson's interval of a share.

    Parameters
    ----------
    errors, n, confidence
        As in `exact`.
    population : int or array of int, optional
        How many rows there are, where the rows that were looked at are a good part of them: the
        finite population correction narrows the interval, to a point where all were looked at.

    Returns
    -------
    low, high : arrays of float

    Raises
    ------
    InputError
        Counts or the confidence are out of range.

    Notes
    -----
    Covers about as often as it says on average over shares, less often for some; narrower than
    `exact`. Vectorised.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference. JASA 22.

    Examples
    --------
    >>> from burnish.model.binomial import wilson
    >>> low, high = wilson(2, 10)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0567, 0.5098)
    """
    x, size = _checked(errors, n, population)
    seen = np.maximum(size, 1e-9)
    z2 = NormalDist().inv_cdf(half_alpha(confidence)) ** 2 * _unseen_share(size, population)
    share = x / seen
    centre = (share + z2 / (2 * seen)) / (1 + z2 / seen)
    half = np.sqrt(z2 * (share * (1 - share) / seen + z2 / (4 * seen**2))) / (1 + z2 / seen)
    known = size > 0
    low = np.where(known & (x > 0), np.clip(centre - half, 0, share), 0.0)
    return low, np.where(known & (x < size), np.clip(centre + half, share, 1), 1.0)


def hypergeometric(
    errors: Any, n: Any, population: Any, confidence: float = 0.95
) -> tuple[Counts, Counts]:
    """Return the exact interval of how many rows are wrong in a population that has an end.

    Parameters
    ----------
    errors, n, confidence
        As in `exact`; the rows were drawn at random without replacement.
    population : int or array of int
        How many rows there are, at least `n`.

    Returns
    -------
    low, high : arrays of int
        Wrong rows in the population, those that were found included.

    Raises
    ------
    InputError
        Counts or the confidence are out of range.

    Notes
    -----
    Covers at least as often as it says. It holds every number that neither one-sided test
    refuses at (1 - confidence) / 2; found by bisection, O(log population) evaluations of the
    distribution, for all counts at once.

    References
    ----------
    Buonaccorsi (1987), A note on confidence intervals for proportions in finite populations.
    The American Statistician 41.

    Examples
    --------
    >>> from burnish.model.binomial import hypergeometric
    >>> low, high = hypergeometric(2, 10, 20)
    >>> int(low), int(high)
    (2, 9)
    """
    x, size = _checked(errors, n, population)
    whole = np.broadcast_to(np.asarray(population, dtype=np.float64), x.shape)
    tail = half_alpha(confidence)
    high = _largest_kept(x, size, whole, tail)
    low = whole - _largest_kept(size - x, size, whole, tail)
    return low.astype(np.int64), high.astype(np.int64)


def half_alpha(confidence: float) -> float:
    """Return what an interval may miss on one side.

    Raises
    ------
    InputError
        The confidence is not in (0, 1).
    """
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise InputError(
            f"confidence={confidence!r}, expected a number between 0 and 1",
            hint="confidence=0.95",
        )
    return (1 - confidence) / 2


def beta_quantile(p: float, a: Any, b: Any) -> Floats:
    """Return a quantile of a beta distribution, 0 where its mass is at 0 and 1 where at 1."""
    from scipy.special import betaincinv

    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    inside = betaincinv(np.where(a > 0, a, 1.0), np.where(b > 0, b, 1.0), p)
    return np.where(a <= 0, 0.0, np.where(b <= 0, 1.0, inside))


def _largest_kept(x: Floats, size: Floats, whole: Floats, tail: float) -> Floats:
    """Return the largest number of wrong rows under which so few found are no surprise."""
    from scipy.stats import hypergeom

    low, high = x.copy(), whole - size + x
    while (low < high).any():
        middle = np.ceil((low + high) / 2)
        kept = hypergeom.cdf(x, whole, middle, size) > tail
        low = np.where(kept, middle, low)
        high = np.where(kept, high, np.maximum(middle - 1, low))
    return low


def _unseen_share(size: Floats, population: Any) -> Any:
    if population is None:
        return 1.0
    whole = np.asarray(population, dtype=np.float64)
    return np.where(whole > 1, (whole - size) / np.maximum(whole - 1, 1), whole - size)


def _checked(errors: Any, n: Any, population: Any = None) -> tuple[Floats, Floats]:
    whole = np.inf if population is None else population
    x, size, most = (
        np.asarray(part, dtype=np.float64) for part in np.broadcast_arrays(errors, n, whole)
    )
    bad = ~((x >= 0) & (x <= size) & (size <= most))
    if bad.any():
        i = np.unravel_index(int(np.argmax(bad)), bad.shape)
        raise InputError(
            f"{x[i]:g} errors in {size[i]:g} rows of {most[i]:g}, expected 0 ≤ errors ≤ n ≤ "
            "population",
            hint="pass counts of rows",
        )
    return x.copy(), size.copy()
