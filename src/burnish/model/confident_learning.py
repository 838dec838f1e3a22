"""Confident learning: how often one class is labelled as another, in passes over blocks of rows.

Every pass is *partial → combine → finish*: a function of one block, a sum, and a function of the
sum. Sums are of integers, so that they do not depend on how the rows were cut into blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.floating[Any]]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CLOSE = 1e-6
_LOWEST = 2 * CLOSE
_ABSENT = 2.0
_BITS = 26
_UNIT = float(1 << _BITS)


@dataclass(frozen=True, eq=False)
class Sums:
    """How many rows have each class as their label, and the sum of its probability over them.

    Attributes
    ----------
    counts : int64 array of shape (n_classes,)
    high, low : int64 array of shape (n_classes,)
        The sum in units of 2⁻²⁶ and 2⁻⁵², exact, so that rows can be added and taken out again.
    """

    counts: Counts
    high: Counts
    low: Counts

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.counts + other.counts, self.high + other.high, self.low + other.low)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.counts - other.counts, self.high - other.high, self.low - other.low)


@dataclass(frozen=True, eq=False)
class RowFacts:
    """What later passes need of each row, in about four bytes.

    Attributes
    ----------
    top : int array of shape (n_rows,)
        The most probable class, the first of equal ones.
    behind : bool array of shape (n_rows,)
        Whether another class is more probable than the label.
    doubtful : bool array of shape (n_rows,)
        Whether it is so by more than 1e-6, or by as much and listed first: only these rows can be
        issues.
    """

    top: Codes
    behind: Mask
    doubtful: Mask


@dataclass(frozen=True, eq=False)
class ConfidentJoint:
    """How labels and confident guesses go together.

    Attributes
    ----------
    thresholds : float64 array of shape (n_classes,)
        Mean probability of a class over the rows labelled so; 2 for a class without rows.
    confident : int64 array of shape (n_classes, n_classes)
        Rows by label (first axis) and confident guess (second axis), as they were counted.
    joint : int64 array of shape (n_classes, n_classes)
        The same, scaled so that row sums are the label counts: the estimated number of rows of
        each label that truly are of each class.
    quotas : int64 array of shape (n_classes, n_classes)
        The joint with at least one row kept in every class: how many rows of each label (first
        axis) are pruned for each true class (second axis); the diagonal is how many stay.
    """

    thresholds: npt.NDArray[np.float64]
    confident: Counts
    joint: Counts
    quotas: Counts

    def confusion(self, given: int, true: int) -> float:
        """Return the estimated share of rows labelled `given` that truly are `true`, in [0, 1].

        Parameters
        ----------
        given, true : int
            Places of the two classes.

        Returns
        -------
        float, 0 for a class without rows
        """
        total = int(self.joint[given].sum())
        return int(self.joint[given, true]) / total if total else 0.0


def code_type(n_classes: int) -> type[np.signedinteger[Any]]:
    """Return the smallest signed integer type that holds a class, or -1 for none."""
    kinds: tuple[type[np.signedinteger[Any]], ...] = (np.int8, np.int16, np.int32)
    return next(kind for kind in kinds if n_classes <= np.iinfo(kind).max)


def sums_of(codes: Codes, own: Floats, n_classes: int) -> Sums:
    """Return the sums of one block of rows.

    Parameters
    ----------
    codes : int array of shape (n_rows,)
        Place of each row's label among the classes.
    own : float array of shape (n_rows,)
        Probability of the label, in [0, 1].
    n_classes : int

    Returns
    -------
    Sums

    Notes
    -----
    Exact for blocks of up to 2²⁶ rows: each value is cut into two integers of 26 bits, whose
    floating-point sums do not round.
    """
    scaled = own.astype(np.float64) * _UNIT
    high = np.floor(scaled)
    low = np.rint((scaled - high) * _UNIT)
    counts = np.bincount(codes, minlength=n_classes)
    parts = [np.bincount(codes, part, n_classes).astype(np.int64) for part in (high, low)]
    return Sums(counts.astype(np.int64), *parts)


def no_sums(n_classes: int) -> Sums:
    """Return the sums of no rows."""
    return Sums(*(np.zeros(n_classes, dtype=np.int64) for _ in range(3)))


def thresholds_of(sums: Sums) -> npt.NDArray[np.float64]:
    """Return each class's mean probability over the rows labelled so, 2 where there are none.

    Parameters
    ----------
    sums : Sums
        Of all rows.

    Returns
    -------
    float64 array of shape (n_classes,)
        The correctly rounded mean, at least 2e-6.
    """
    rows = zip(sums.counts.tolist(), sums.high.tolist(), sums.low.tolist(), strict=True)
    means = [((high << _BITS) + low) / (n << 2 * _BITS) if n else _ABSENT for n, high, low in rows]
    return np.asarray(np.maximum(np.array(means), _LOWEST), dtype=np.float64)


def facts_of(block: Floats, codes: Codes) -> tuple[RowFacts, Floats]:
    """Return what later passes need of each row of a block, and the probability of its label.

    Parameters
    ----------
    block : float array of shape (n_rows, n_classes)
        Probabilities.
    codes : int array of shape (n_rows,)
        Place of each row's label among the classes, none missing.

    Returns
    -------
    RowFacts, float array of shape (n_rows,)
    """
    top = block.argmax(axis=1)
    rows = np.arange(len(block))
    own, best = block[rows, codes], block[rows, top]
    near = own + block.dtype.type(CLOSE)
    doubtful = (best > near) | ((best == near) & (top < codes))
    return RowFacts(top.astype(code_type(block.shape[1])), own < best, doubtful), own


def guesses_of(block: Floats, top: Codes, thresholds: npt.NDArray[np.float64]) -> Codes:
    """Return the class that each row of a block confidently is, -1 where it is none.

    Parameters
    ----------
    block : float array of shape (n_rows, n_classes)
        Probabilities.
    top : int array of shape (n_rows,)
        The most probable class.
    thresholds : float64 array of shape (n_classes,)

    Returns
    -------
    int array of shape (n_rows,), of the type of `top`

    Notes
    -----
    A row is confident of a class whose probability is not below its threshold by more than 1e-6.
    Of one such class that is the guess, of several the most probable class of all. So only rows
    that are unsure of their most probable class have to be looked at class by class.
    """
    bars = thresholds - CLOSE
    best = block[np.arange(len(block)), top]
    guess = np.where(best >= bars[top], top, -1).astype(top.dtype)
    unsure = np.flatnonzero((guess < 0) & (best >= bars.min()))
    if len(unsure):
        many = 4 * len(unsure) > len(block)
        confident = (block >= bars)[unsure] if many else block[unsure] >= bars
        some = np.flatnonzero(confident.any(axis=1))
        rows, confident = unsure[some], confident[some]
        several = np.count_nonzero(confident, axis=1) > 1
        guess[rows] = np.where(several, top[rows], confident.argmax(axis=1))
    return guess


def count_pairs(confident: Counts, codes: Codes, guess: Codes, times: int = 1) -> None:
    """Add a block's rows to the counts by label (first axis) and guess (second axis), in place.

    Parameters
    ----------
    confident : int64 array of shape (n_classes, n_classes)
        Counts so far.
    codes, guess : int array of shape (n_rows,)
        Labels and confident guesses, -1 for none.
    times : int, default 1
        How often each row counts; -1 takes the rows out again.

    Notes
    -----
    Costs O(n_rows), however many classes there are.
    """
    known = (guess >= 0) & (codes >= 0)
    pairs = codes[known].astype(np.int64)
    pairs *= len(confident)
    pairs += guess[known]
    if len(pairs) < confident.size:
        np.add.at(confident.reshape(-1), pairs, times)
    else:
        confident += times * np.bincount(pairs, minlength=confident.size).reshape(confident.shape)


def joint_of(sums: Sums, confident: Counts) -> ConfidentJoint:
    """Return the joint of labels and true classes that the counts of all rows stand for.

    Parameters
    ----------
    sums : Sums
        Of all rows.
    confident : int64 array of shape (n_classes, n_classes)
        Rows by label and confident guess.

    Returns
    -------
    ConfidentJoint

    Notes
    -----
    Costs O(n_classes²). Rounding keeps the sum of every row of the joint.

    References
    ----------
    .. [1] Northcutt, Jiang and Chuang (2021), Confident Learning: Estimating Uncertainty in
       Dataset Labels. JAIR 70, sections 3.1 and 3.2.
    """
    joint = _calibrated(confident, sums.counts)
    return ConfidentJoint(thresholds_of(sums), confident, joint, _quotas(joint))


def _calibrated(confident: Counts, counts: Counts) -> Counts:
    by_guess = np.array(confident.T, order="C")
    np.fill_diagonal(by_guess, by_guess.diagonal().clip(min=1))
    scaled = by_guess / by_guess.sum(axis=0)
    scaled *= counts
    scaled /= np.clip(scaled.sum(), 1e-100, None)
    scaled *= counts.sum()
    return _rounded(np.ascontiguousarray(scaled.T))


def _quotas(joint: Counts) -> Counts:
    found = joint.diagonal()
    kept = np.maximum(found, 1)
    others = np.maximum(np.count_nonzero(joint, axis=1) - 1.0, 1.0)
    lowered = np.maximum(joint - ((kept - found) / others)[:, None], 0.0)
    np.fill_diagonal(lowered, kept)
    return np.asarray(lowered, dtype=np.float64).astype(np.int64)


def _rounded(table: npt.NDArray[np.float64]) -> Counts:
    """Round to integers whose row sums are those of the table, rounded."""
    whole = table.round()
    missing = (table.sum(axis=1).round() - whole.sum(axis=1)).astype(np.int64)
    for row in np.flatnonzero(missing):
        _spread(table[row], whole[row], int(missing[row]))
    return whole.astype(np.int64)


def _spread(exact: npt.NDArray[np.float64], whole: npt.NDArray[np.float64], missing: int) -> None:
    """Add ones to, or take ones from, the cells that rounding moved furthest the other way."""
    step = 1 if missing > 0 else -1
    moved = (exact - whole) * step
    some = np.flatnonzero(moved > 0)
    if abs(missing) < len(some):
        order = some[np.argsort(-moved[some])]
        if moved[order[abs(missing) - 1]] > moved[order[abs(missing)]]:
            whole[order[: abs(missing)]] += step
            return
    while missing:
        order = np.argsort(exact - whole)[::-step]
        changed = order[: min(abs(missing), len(order))]
        whole[changed] += step
        missing -= step * len(changed)
