"""The interval of a share over strata that were sampled with different probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from burnish.model.binomial import beta_quantile, half_alpha, hypergeometric, wilson

Floats = npt.NDArray[np.float64]
Method = Literal["exact", "wilson"]


@dataclass(frozen=True)
class Strata:
    """What was found in each stratum; all arrays of shape (n_strata,).

    Attributes
    ----------
    rows : array
        How many rows there are, at least 1.
    seen : array
        How many were drawn at random and judged.
    errors : array
        How many of those are wrong.
    """

    rows: Floats
    seen: Floats
    errors: Floats

    @property
    def known(self) -> Strata:
        """The strata of which some row was judged."""
        keep = self.seen > 0
        return Strata(self.rows[keep], self.seen[keep], self.errors[keep])

    @property
    def right(self) -> Strata:
        """The same strata with right and wrong exchanged."""
        return Strata(self.rows, self.seen, self.seen - self.errors)


def share(strata: Strata) -> float:
    """Return the share of wrong rows, each stratum weighted by its size; NaN when none was seen."""
    part = strata.known
    if not len(part.rows):
        return float("nan")
    return float(np.average(part.errors / part.seen, weights=part.rows))


def interval(strata: Strata, confidence: float, method: Method) -> tuple[float, float]:
    """Return an interval of the share of wrong rows over all strata.

    Parameters
    ----------
    strata : Strata
    confidence : float
        In (0, 1).
    method : {"exact", "wilson"}

    Returns
    -------
    low, high : float
        In [0, 1].

    Notes
    -----
    A single stratum has the hypergeometric interval, or Wilson's with the finite population
    correction. Of a stratum of which nothing was seen, all rows count as right at the low end and
    as wrong at the high end.

    Several strata, ``"exact"``: a beta distribution with the mean and variance of the weighted
    share after one more row, wrong at the high end and right at the low one, in the stratum where
    a row weighs most. That is Fay and Feuer's interval for a weighted sum, with a binomial in the
    place of a Poisson variance; for one stratum without end it is Clopper–Pearson's. It has no
    proof for all cases; simulated over unequal strata and shares it misses no more often than it
    says. ``"wilson"``: the distances of each stratum's own limits, squared, weighted and added.

    References
    ----------
    Fay and Feuer (1997), Confidence intervals for directly standardized rates. Statistics in
    Medicine 16. Zou and Donner (2008), Construction of confidence limits about effect measures.
    Statistics in Medicine 27. Yan and Su (2010), Stratified Wilson and Newcombe confidence
    intervals. Statistics in Biopharmaceutical Research 2.
    """
    part, total = strata.known, strata.rows.sum()
    if not len(part.rows):
        return 0.0, 1.0
    low, high = _of_known(part, confidence, method)
    covered = part.rows.sum() / total
    return low * covered, min(high * covered + (1 - covered), 1.0)


def _of_known(part: Strata, confidence: float, method: Method) -> tuple[float, float]:
    if len(part.rows) == 1:
        low, high = _alone(part, confidence, method)
    elif method == "wilson":
        low, high = _squares(part, confidence)
    else:
        low, high = _weighted(part, confidence)
    middle = share(part)
    return min(low, middle), max(high, middle)  # the last digit, where all rows were seen


def _weighted(part: Strata, confidence: float) -> tuple[float, float]:
    low, high = 1 - _upper(part.right, confidence), _upper(part, confidence)
    total, found = part.rows.sum(), part.errors.sum()
    unseen = (part.rows - part.seen).sum()
    return float(max(low, found / total)), float(min(high, (found + unseen) / total))


def _alone(part: Strata, confidence: float, method: Method) -> tuple[float, float]:
    if method == "wilson":
        ends = wilson(part.errors, part.seen, confidence, part.rows)
    else:
        counts = hypergeometric(part.errors, part.seen, part.rows, confidence)
        ends = (counts[0] / part.rows, counts[1] / part.rows)
    return float(ends[0][0]), float(ends[1][0])


def _upper(part: Strata, confidence: float) -> float:
    weights = part.rows / part.rows.sum()
    unseen = 1 - part.seen / part.rows
    each = weights / part.seen
    most = float((each * (unseen > 0)).max())
    mean = (float(each @ part.errors) + most) / (1 + most)
    spread = float((each**2 * part.errors * unseen).sum()) + most**2
    variance = spread * (1 - mean) / (1 + most) ** 2
    if variance <= 0:
        return mean
    size = max(mean * (1 - mean) / variance - 1, 1e-9)
    return float(beta_quantile(1 - half_alpha(confidence), size * mean, size * (1 - mean)))


def _squares(part: Strata, confidence: float) -> tuple[float, float]:
    weights = part.rows / part.rows.sum()
    found = part.errors / part.seen
    low, high = wilson(part.errors, part.seen, confidence, part.rows)
    middle = float(weights @ found)
    below = float(np.sqrt(((weights * (found - low)) ** 2).sum()))
    above = float(np.sqrt(((weights * (high - found)) ** 2).sum()))
    return max(middle - below, 0.0), min(middle + above, 1.0)
