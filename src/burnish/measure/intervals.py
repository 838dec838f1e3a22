"""Intervals and p-values of differences, one by one and all together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
JOINT_DRAWS = 20_000


@dataclass(frozen=True)
class Estimates:
    """Differences with intervals, each array of shape (n_statistics,).

    Attributes
    ----------
    difference : array
        Mean over seeds.
    variance : array
        Of the difference: new rows and new seeds.
    df : array
        Satterthwaite's degrees of freedom.
    low, high : array
        Interval of each statistic by itself.
    low_all, high_all : array
        Intervals that hold together.
    p, p_adjusted : array
        Two-sided, by itself and adjusted for all statistics.
    """

    difference: Floats
    variance: Floats
    df: Floats
    low: Floats
    high: Floats
    low_all: Floats
    high_all: Floats
    p: Floats
    p_adjusted: Floats


def estimate(
    differences: Floats,
    replicates: Floats,
    units: Floats,
    floor: Floats,
    confidence: float,
    seed: int,
    n_joint: int | None = None,
    exact: bool = False,
) -> Estimates:
    """Estimate differences for new rows and new seeds.

    Parameters
    ----------
    differences : array of shape (n_seeds, n_statistics)
        After minus before for each training seed, on the rows as they are.
    replicates : array of shape (n_replicates, n_seeds, n_statistics)
        The same on bootstrap samples of the rows.
    units : array of shape (n_statistics,)
        Rows, or clusters of rows, behind each statistic.
    floor : array of shape (n_statistics,)
        Least variance of the rows' part, for what few rows cannot show.
    confidence : float
        In (0, 1).
    seed : int
        Of the draws behind the joint intervals.
    n_joint : int, optional
        How many of the replicates all statistics have.
    exact : bool, default False
        Whether both sides are one model, so that a difference without variance is certain.
        Otherwise nothing is known about it and its interval is NaN.

    Returns
    -------
    Estimates

    Notes
    -----
    A difference varies with the rows, with the seeds, and with both together. The bootstrap of
    the seed average covers the rows and the joint part. The variance between seeds holds the
    seeds' own part and the joint part once more; the latter is what averaging over seeds takes
    off the bootstrap variance of a single seed, and is subtracted. Both parts are combined with
    Satterthwaite's degrees of freedom in a t interval.

    All statistics together: their joint distribution is normal in rank (a copula) with the
    correlation of the bootstrap and the seeds, and each keeps its own t distribution. The joint
    level is the one at which the smallest p-value of all falls below it with probability
    1 - confidence; ``p_adjusted`` comes from the same distribution.

    References
    ----------
    Satterthwaite (1946), An approximate distribution of estimates of variance components.
    Westfall and Young (1993), Resampling-based multiple testing.
    """
    parts = _variances(differences, replicates, units, floor)
    difference = differences.mean(axis=0)
    variance = parts.rows + parts.seeds
    if not exact:
        variance = np.where(variance > 0, variance, np.nan)
    p = _p_values(difference, variance, parts.df)
    smallest = _smallest_p(_correlation(differences, replicates[:n_joint], parts), variance, seed)
    alpha = 1 - confidence
    half = _half_width(variance, parts.df, alpha)
    half_all = _half_width(variance, parts.df, _joint_alpha(smallest, alpha, variance))
    return Estimates(
        difference,
        variance,
        parts.df,
        difference - half,
        difference + half,
        difference - half_all,
        difference + half_all,
        p,
        _adjusted(p, smallest),
    )


@dataclass(frozen=True)
class _Parts:
    """Variance of the drawn rows, the same with its floor, of the seeds; degrees of freedom."""

    drawn: Floats
    rows: Floats
    seeds: Floats
    df: Floats


def _variances(differences: Floats, replicates: Floats, units: Floats, floor: Floats) -> _Parts:
    n_seeds = len(differences)
    unbiased = units / np.maximum(units - 1, 1)
    drawn = _nan_variance(replicates.mean(axis=1)) * unbiased
    rows = np.maximum(drawn, floor)
    row_df = np.maximum(units - 1, 1)
    if n_seeds == 1:
        return _Parts(drawn, rows, np.zeros_like(rows), row_df)
    alone = _nan_variance(replicates).mean(axis=0) * unbiased
    joint = np.maximum(alone - drawn, 0) * n_seeds / (n_seeds - 1)
    between = differences.var(axis=0, ddof=1)
    seeds = np.maximum(between - joint, 0) / n_seeds
    return _Parts(drawn, rows, seeds, _satterthwaite(rows, row_df, seeds, n_seeds - 1))


def _satterthwaite(rows: Floats, row_df: Floats, seeds: Floats, seed_df: float) -> Floats:
    spread = rows**2 / row_df + seeds**2 / seed_df
    total = (rows + seeds) ** 2
    return np.divide(total, spread, out=row_df.astype(np.float64), where=spread > 0)


def _nan_variance(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    squares = np.where(known, values - mean, 0) ** 2
    return np.asarray(squares.sum(axis=0) / np.maximum(count - 1, 1))


def _p_values(difference: Floats, variance: Floats, df: Floats) -> Floats:
    from scipy.stats import t

    known = variance > 0  # False for NaN
    ratio = np.divide(
        np.abs(difference), np.sqrt(variance), out=np.zeros_like(variance), where=known
    )
    p = np.asarray(2 * t.sf(ratio, df))
    p[~known] = np.where(variance[~known] == 0, 1.0, np.nan)
    return p


def _half_width(variance: Floats, df: Floats, alpha: float) -> Floats:
    from scipy.stats import t

    return np.asarray(t.ppf(1 - alpha / 2, df) * np.sqrt(variance))


def _correlation(differences: Floats, replicates: Floats, parts: _Parts) -> Floats:
    by_rows = _unit_products(replicates.mean(axis=1)) * _outer_root(parts.drawn)
    by_seeds = _unit_products(differences) * _outer_root(parts.seeds)
    covariance = by_rows + by_seeds
    np.fill_diagonal(covariance, parts.rows + parts.seeds)
    scale = _outer_root(parts.rows + parts.seeds)
    return np.divide(covariance, scale, out=np.eye(len(scale)), where=scale > 0)


def _unit_products(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, values - np.where(known, values, 0).sum(axis=0) / count, 0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(length > 0, length, 1)
    return np.asarray(unit.T @ unit)


def _outer_root(variance: Floats) -> Floats:
    root = np.sqrt(np.maximum(variance, 0))
    return np.asarray(np.outer(root, root))


def _smallest_p(correlation: Floats, variance: Floats, seed: int) -> Floats:
    from scipy.stats import norm

    moving = np.flatnonzero(variance > 0)
    if len(moving) < 2:
        return np.empty(0)
    values, vectors = np.linalg.eigh(correlation[np.ix_(moving, moving)])
    root = vectors * np.sqrt(np.maximum(values, 0))
    normal = np.random.default_rng(seed).standard_normal((JOINT_DRAWS, len(moving)))
    largest = np.abs(normal @ root.T).max(axis=1)
    return np.sort(2 * norm.sf(largest))


def _joint_alpha(smallest: Floats, alpha: float, variance: Floats) -> float:
    if not len(smallest):
        return alpha
    n_moving = int((variance > 0).sum())
    return float(np.clip(np.quantile(smallest, alpha), alpha / n_moving, alpha))


def _adjusted(p: Floats, smallest: Floats) -> Floats:
    if not len(smallest):
        return p
    share = np.searchsorted(smallest, p, side="right") / len(smallest)
    return np.where(np.isnan(p), np.nan, np.clip(share, p, 1.0))
