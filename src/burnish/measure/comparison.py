"""The outcome of a comparison, and how it reads."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.measure.flags import FEWEST_ROWS, Flag

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

COLUMNS = (
    "slice",
    "metric",
    "n",
    "before",
    "after",
    "difference",
    "low",
    "high",
    "low_all",
    "high_all",
    "p_adjusted",
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What one estimator scores on two versions of the data, on the same rows and labels.

    Attributes
    ----------
    before, after : str
        Names of the versions.
    flags : tuple of Flag
        What to know before believing the numbers, each with a stable ``code`` and a ``text``.
    confidence : float
        The level of the intervals.
    greater_is_better : mapping
        Which direction of each metric is an improvement.
    provenance : mapping
        Estimator, seeds, fingerprints, library versions, times.
    """

    before: str
    after: str
    table: pd.DataFrame = field(repr=False)
    flipped: pd.DataFrame = field(repr=False)
    flags: tuple[Flag, ...]
    confidence: float
    greater_is_better: Mapping[str, bool]
    provenance: Mapping[str, Any]

    def frame(self) -> pd.DataFrame:
        """Return one row for each slice and metric, all rows first.

        Returns
        -------
        DataFrame
            ``slice, metric, n, before, after`` (means over seeds), ``difference`` (after minus
            before, in the metric's unit), ``low, high`` (its interval alone), ``low_all,
            high_all`` (intervals that hold together over all slices and metrics), ``p_adjusted``
            (of the same joint statistic). NaN where nothing can be said.
        """
        return self.table[list(COLUMNS)].copy()

    def flips(self) -> pd.DataFrame:
        """Return the evaluation rows that were fixed or broken.

        Returns
        -------
        DataFrame
            ``key, truth, before, after`` (the label most seeds predict), ``change`` (``"fixed"``:
            most seeds were wrong before and most are right after; ``"broken"``: the reverse).
        """
        return self.flipped.copy()

    def plot(self) -> go.Figure:
        """Draw scores before and after and the difference with its intervals, slice by slice.

        Returns
        -------
        plotly.graph_objects.Figure
            A thick line is the interval alone, a thin one the interval that holds together.
            Colour only where the latter excludes 0: green better, red worse.
        """
        from burnish.measure.plot import figure

        return figure(self)

    def verdicts(self) -> list[str]:
        """Return ``better``, ``worse``, ``no difference shown`` or ``too few rows``, by row.

        They follow the intervals that hold together.
        """
        return [self._verdict(row) for row in self.table.to_dict("records")]

    def _verdict(self, row: Mapping[Any, Any]) -> str:
        if row["units"] < FEWEST_ROWS:
            return "too few rows"
        if not (row["low_all"] > 0 or row["high_all"] < 0):
            return "no difference shown"
        up = row["low_all"] > 0
        return "better" if up == self.greater_is_better[row["metric"]] else "worse"

    @property
    def headline(self) -> str:
        """What was compared, on one line."""
        told = self.provenance
        seeds = f"{told['n_seeds']} seed" + ("s" if told["n_seeds"] != 1 else "")
        return (
            f"{self.before} → {self.after} · {told['estimator_name']} · "
            f"{told['n_rows']:,} held-out rows · {seeds}"
        )

    def summary(self) -> pd.DataFrame:
        """Return the table as it is shown: rounded text, with a verdict."""
        import pandas as pd

        shown = self.table
        return pd.DataFrame(
            {
                "slice": shown["slice"],
                "metric": shown["metric"],
                "n": shown["n"],
                "before": [f"{value:.3f}" for value in shown["before"]],
                "after": [f"{value:.3f}" for value in shown["after"]],
                "difference": [f"{value:+.3f}" for value in shown["difference"]],
                f"{self.confidence:.0%}": _spans(shown["low"], shown["high"]),
                "all together": _spans(shown["low_all"], shown["high_all"]),
                "p_adjusted": [_p(value) for value in shown["p_adjusted"]],
                "verdict": self.verdicts(),
            }
        )

    def __repr__(self) -> str:
        counts = self.flipped["change"].value_counts()
        told = f"{counts.get('fixed', 0)} rows fixed, {counts.get('broken', 0)} broken"
        flags = [f"! {flag.code}: {flag.text}" for flag in self.flags]
        return "\n".join([self.headline, self.summary().to_string(index=False), told, *flags])

    def _repr_html_(self) -> str:
        flags = "".join(
            f"<li><b>{html.escape(flag.code)}</b>: {html.escape(flag.text)}</li>"
            for flag in self.flags
        )
        table = self.summary().to_html(index=False, escape=True, border=0)
        return f"<div><p>{html.escape(self.headline)}</p>{table}<ul>{flags}</ul></div>"


def _spans(lows: pd.Series, highs: pd.Series) -> list[str]:
    pairs = zip(lows, highs, strict=True)
    return ["" if np.isnan(low) else f"{low:+.3f} to {high:+.3f}" for low, high in pairs]


def _p(value: float) -> str:
    if np.isnan(value):
        return ""
    return "< .001" if value < 0.001 else f"{value:.3f}".lstrip("0")
