"""How many errors are left, and how that reads."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Remainder:
    """Errors that are left somewhere.

    Attributes
    ----------
    rows : int
        Live rows there that nobody judged right or wrong.
    errors : int or None
        The most probable number, None before a row was drawn.
    low, high : int
        Its interval, valid at every look.
    """

    rows: int
    errors: int | None
    low: int
    high: int

    def __str__(self) -> str:
        span = f"{self.low:,}–{self.high:,}"
        return f"unknown ({span})" if self.errors is None else f"{self.errors:,} ({span})"


@dataclass(frozen=True)
class Left:
    """Errors that are left in the queue, among the other rows, and in the whole dataset.

    Attributes
    ----------
    queue, unflagged, dataset : Remainder
    found : int
        Errors that the review found.
    reviewed : int
        Rows that were judged.
    drawn : int
        How many of these were drawn at random.
    confidence : float
        The level of each interval over the whole review.
    """

    queue: Remainder
    unflagged: Remainder
    dataset: Remainder
    found: int
    reviewed: int
    drawn: int
    confidence: float

    @property
    def level(self) -> str:
        """The confidence in words."""
        return f"{100 * self.confidence:g} %"

    def frame(self) -> pd.DataFrame:
        """Return a table with columns ``where, rows, errors, low, high``, one row for each place.

        ``errors`` is missing before a row was drawn there.
        """
        import pandas as pd

        places = {
            "in the queue": self.queue,
            "not in the queue": self.unflagged,
            "in the dataset": self.dataset,
        }
        table = pd.DataFrame(
            [(name, part.rows, part.errors, part.low, part.high) for name, part in places.items()],
            columns=["where", "rows", "errors", "low", "high"],
        )
        return table.astype({"errors": "Int64"})

    def __str__(self) -> str:
        return (
            f"Left: in the queue {self.queue} · in the dataset {self.dataset}, "
            f"{self.level} at every look"
        )

    def __repr__(self) -> str:
        return f"{self} ({self._progress})"

    @property
    def _progress(self) -> str:
        return f"{self.found:,} found in {self.reviewed:,} reviewed, {self.drawn:,} of them drawn"

    def _repr_html_(self) -> str:
        table = self.frame().to_html(index=False, escape=True, border=0, na_rep="unknown")
        said = f"Errors left, {self.level} at every look; {self._progress}"
        return f"<div><p>{html.escape(said)}</p>{table}</div>"
