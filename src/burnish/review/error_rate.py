"""How many labels are wrong, from a random sample that people reviewed."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.delta import Ordinals
from burnish.dataset.reading import find_keys
from burnish.errors import InputError
from burnish.model.binomial import half_alpha
from burnish.model.reading import labels_of
from burnish.review.sample import CODE, Domain, ReviewSample
from burnish.review.weighting import Method, Strata, interval, share

if TYPE_CHECKING:
    import pandas as pd

    from burnish.dataset import Dataset

METHODS = ("exact", "wilson")
Judged = npt.NDArray[np.int8]
RIGHT, WRONG, MISSING = 0, 1, -1


@dataclass(frozen=True, eq=False, repr=False)
class ErrorRate:
    """The share of wrong labels, with its interval: of all rows, each class and each slice.

    Attributes
    ----------
    confidence : float
        The level of each interval by itself.
    method : str
    provenance : mapping
    """

    table: pd.DataFrame
    confidence: float
    method: str
    provenance: Mapping[str, Any]

    def frame(self) -> pd.DataFrame:
        """Return one row for all rows, each class and each slice.

        Returns
        -------
        DataFrame
            ``slice, rows`` (in the dataset), ``n`` (drawn), ``reviewed`` (judged right or wrong),
            ``missing`` (skipped, unsure or undecided), ``errors``, ``rate, low, high`` in [0, 1]
            with the missing rows left out, and ``low_if_right, high_if_wrong``: the low end if
            all missing rows were right, the high end if they were all wrong.
        """
        return self.table.copy()

    @property
    def rate(self) -> float:
        """Share of wrong labels over all rows, NaN before any row was judged."""
        return float(self.table["rate"].iloc[0])

    @property
    def low(self) -> float:
        """Low end of the interval over all rows."""
        return float(self.table["low"].iloc[0])

    @property
    def high(self) -> float:
        """High end of the interval over all rows."""
        return float(self.table["high"].iloc[0])

    @property
    def headline(self) -> str:
        """What is known over all rows, on one line."""
        first = self.table.iloc[0]
        told = f"{first['reviewed']} of {first['n']} rows reviewed"
        if first["missing"] and first["reviewed"]:
            worst = f"{_percent(first['low_if_right'])} to {_percent(first['high_if_wrong'])}"
            told += f"; {worst} whatever the other {first['missing']} are"
        if not first["reviewed"]:
            return f"Wrong labels: unknown, none of {first['n']} rows reviewed"
        span = f"{_percent(first['low'])} to {_percent(first['high'])}"
        return f"Wrong labels: {_percent(first['rate'])} ({span}, {self.confidence:.0%}), {told}"

    def summary(self) -> pd.DataFrame:
        """Return the table as it is shown: rounded text."""
        shown = self.table
        return shown[["slice", "rows", "n", "reviewed", "errors"]].assign(
            rate=[_percent(value) for value in shown["rate"]],
            **{
                f"{self.confidence:.0%}": [
                    f"{_percent(low)} to {_percent(high)}"
                    for low, high in zip(shown["low"], shown["high"], strict=True)
                ]
            },
        )

    def __repr__(self) -> str:
        return f"{self.headline}\n{self.summary().to_string(index=False)}"

    def _repr_html_(self) -> str:
        table = self.summary().to_html(index=False, escape=True, border=0)
        return f"<div><p>{html.escape(self.headline)}</p>{table}</div>"


def error_rate(
    ds: Dataset, sample: ReviewSample, confidence: float = 0.95, method: Method = "exact"
) -> ErrorRate:
    """Estimate how many labels are wrong from the decisions on a random sample.

    Parameters
    ----------
    ds : Dataset
        With the decisions; staged ones count.
    sample : ReviewSample
        What `bn.review_sample` drew.
    confidence : float, default 0.95
        Of each interval by itself, in (0, 1).
    method : {"exact", "wilson"}, default "exact"
        ``"exact"`` covers at least as often as it says, ``"wilson"`` about as often, and is
        narrower.

    Returns
    -------
    ErrorRate
        ``.frame()`` has a line for all rows, each class and each slice.

    Raises
    ------
    InputError
        `sample` is no ReviewSample, `ds` has no decisions, `confidence` or `method` is unknown.

    Notes
    -----
    A row is *wrong* when it was relabelled because of the sample, or its finding was accepted
    (also where the row was then dropped); *right* when it was kept. Skipped, unsure and undecided
    rows are missing. A row that an earlier sample settled is not asked about again: it is right
    if it still has the label that it was drawn with.

    The population has an end, so a class whose rows were all reviewed has no interval left
    around its share. In a stratified sample each stratum is weighted by its size; see
    `burnish.review.weighting.interval` for the interval and its sources. What is said of a class
    is said of the label that rows had when they were drawn. Costs O(n) and the decisions.

    References
    ----------
    Clopper and Pearson (1934), Biometrika 26. Buonaccorsi (1987), The American Statistician 41.
    Wilson (1927), JASA 22. Fay and Feuer (1997), Statistics in Medicine 16.

    Examples
    --------
    >>> import pandas as pd, burnish as bn
    >>> frame = pd.DataFrame({"id": range(1000), "y": ["cat", "dog"] * 500})
    >>> ds = bn.create(None, frame, key="id", label="y")
    >>> sample = bn.review_sample(ds, 50)
    >>> found = sample[0]
    >>> ds.relabel(found.key, "cat" if found.given == "dog" else "dog", because=sample)
    >>> ds.decide(sample.keys[1:], "kept", because=sample)
    >>> bn.error_rate(ds, sample).headline
    'Wrong labels: 2.0 % (0.1 % to 10.4 %, 95%), 50 of 50 rows reviewed'
    """
    _check(ds, sample, method)
    half_alpha(confidence)
    judged = _judged(ds, sample)
    lines = [_line(sample, part, judged, confidence, method) for part in sample.domains]
    import pandas as pd

    told = {"made_by": "error_rate", "sample": sample.id, **sample.provenance}
    return ErrorRate(pd.DataFrame(lines), confidence, method, told)


def _check(ds: Any, sample: Any, method: str) -> None:
    if not isinstance(sample, ReviewSample):
        raise InputError(
            f"expected a ReviewSample, got {type(sample).__name__}",
            hint="sample = bn.review_sample(ds, 200); keep it while you review",
        )
    if not hasattr(ds, "decisions"):
        raise InputError(
            f"expected a Dataset with decisions, got {type(ds).__name__}",
            hint="pass the dataset that is reviewed: ds = bn.open(path)",
        )
    if method not in METHODS:
        raise InputError(
            f"method={method!r}, expected one of {', '.join(map(repr, METHODS))}",
            hint="leave it out for 'exact'",
        )


def _judged(ds: Dataset, sample: ReviewSample) -> Judged:
    """Return for each row of the sample whether it is wrong, -1 where that is not known."""
    rows = find_keys(ds.state, sample.keys)
    own, earlier = _verdicts(ds, sample.id)
    same = _unchanged(ds, sample, rows)
    known = {"accepted": WRONG, "kept": RIGHT}
    out = np.full(len(rows), MISSING, np.int8)
    for i, row in enumerate(rows.tolist()):
        if row in own:
            out[i] = known.get(own[row], MISSING)
        elif earlier.get(row) in known:
            out[i] = RIGHT if same[i] else WRONG
    return out


def _verdicts(ds: Dataset, sample: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return the last verdict of each row: because of this sample, and of others."""
    own: dict[int, str] = {}
    others: dict[int, str] = {}
    table = ds.decisions.table.select(["ordinal", "verdict", "finding"])
    for row, verdict, finding in zip(*table.to_pydict().values(), strict=True):
        if finding == sample:
            own[row] = verdict
        elif finding is not None and finding.split(":")[0] == CODE:
            others[row] = verdict
    return own, others


def _unchanged(ds: Dataset, sample: ReviewSample, rows: Ordinals) -> list[bool]:
    now = dict(zip(ds.state.live.tolist(), labels_of(ds), strict=True)) if len(rows) else {}
    return [
        row in now and now[row] == label
        for row, label in zip(rows.tolist(), sample.given, strict=True)
    ]


def _line(
    sample: ReviewSample, part: Domain, judged: Judged, confidence: float, method: Method
) -> dict[str, Any]:
    inside = np.isin(sample.cell, part.cells)
    seen = inside & (judged != MISSING)
    wrong = inside & (judged == WRONG)
    missing = inside & (judged == MISSING)
    strata = _within(sample, part, seen, wrong)
    low, high = interval(strata, confidence, method)
    all_right = _within(sample, part, inside, wrong)
    all_wrong = _within(sample, part, inside, wrong | missing)
    return {
        "slice": part.name,
        "rows": int(sample.sizes[part.cells].sum()),
        "n": int(inside.sum()),
        "reviewed": int(seen.sum()),
        "missing": int(missing.sum()),
        "errors": int(wrong.sum()),
        "rate": share(strata),
        "low": low,
        "high": high,
        "low_if_right": interval(all_right, confidence, method)[0],
        "high_if_wrong": interval(all_wrong, confidence, method)[1],
    }


def _within(
    sample: ReviewSample,
    part: Domain,
    seen: npt.NDArray[np.bool_],
    wrong: npt.NDArray[np.bool_],
) -> Strata:
    """Return what was found in the parts of the strata that a domain holds."""
    n = int(sample.stratum.max(initial=-1)) + 1
    rows = np.bincount(
        sample.stratum[part.cells], sample.sizes[part.cells].astype(np.float64), minlength=n
    ).astype(np.float64)
    of_row = sample.stratum[sample.cell]
    judged = np.bincount(of_row[seen], minlength=n).astype(np.float64)
    errors = np.bincount(of_row[wrong], minlength=n).astype(np.float64)
    keep = rows > 0
    return Strata(rows[keep], judged[keep], errors[keep])


def _percent(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{100 * value:.1f} %"
