"""How often one class is taken for another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.probabilities import Probabilities
from burnish.dataset.reading import Reading
from burnish.find._label_rows import encoded, key_places
from burnish.model.binomial import wilson
from burnish.model.confident_learning import (
    Floats,
    count_pairs,
    facts_of,
    guesses_of,
    no_sums,
    sums_of,
    thresholds_of,
)
from burnish.model.reading import label_column
from burnish.review.flags import Flags
from burnish.review.part import Absent

Rate = tuple[float, float, float]
UNKNOWN: Rate = (np.nan, np.nan, np.nan)
CONFIDENCE = 0.95
BLOCK = 1 << 18


@dataclass(frozen=True, eq=False)
class Confusion:
    """Rows by label and confident guess.

    Attributes
    ----------
    codes : dict
        Class → place.
    counts : int array of shape (n_classes, n_classes)
        Label on the first axis, guess on the second; at least one row of each class is its own.
    """

    codes: dict[Any, int]
    counts: npt.NDArray[np.int64]

    def rate(self, given: Any, suggestion: Any) -> Rate:
        """Return the share of rows of one class that look like another, and its interval.

        Returns
        -------
        tuple of float
            Share, low and high, in [0, 1]; NaN where a class is unknown.
        """
        row, column = self.codes.get(given), self.codes.get(suggestion)
        if row is None or column is None:
            return UNKNOWN
        hits, total = int(self.counts[row, column]), int(self.counts[row].sum())
        low, high = wilson(hits, total, CONFIDENCE)
        return hits / total, float(low), float(high)


def confusion_of(reading: Reading, findings: Findings, flags: Flags) -> Confusion | Absent:
    """Return the confusion of classes as the findings' probabilities see it.

    Parameters
    ----------
    reading : Dataset or Snapshot
    findings : Findings
    flags : Flags
        Of these findings: rows flagged count with the label they had when they were.

    Notes
    -----
    Two passes over the probabilities: O(n_rows × n_classes) time, O(n_rows) memory beside them.
    """
    probs = findings.probabilities
    if probs is None:
        return Absent(f"these {findings.code} findings carry no class probabilities")
    if reading.roles.get("label") is None:
        return Absent("the dataset has no label role")
    codes = _codes(reading, flags, probs)
    counts = _counts(probs.values, codes)
    np.fill_diagonal(counts, counts.diagonal().clip(min=1))
    return Confusion({name: i for i, name in enumerate(probs.classes)}, counts)


def _counts(values: Floats, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return rows by label and confident guess, in two passes over blocks of rows."""
    size = values.shape[1]
    sums, tops = no_sums(size), []
    for rows in _blocks(codes):
        facts, own = facts_of(values[rows], codes[rows])
        sums += sums_of(codes[rows], own, size)
        tops.append(facts.top)
    bars = thresholds_of(sums)
    counts = np.zeros((size, size), np.int64)
    for rows, top in zip(_blocks(codes), tops, strict=True):
        count_pairs(counts, codes[rows], guesses_of(values[rows], top, bars))
    return counts


def _blocks(codes: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.intp]]:
    """Give the places of rows that have a label, some at a time."""
    for start in range(0, len(codes), BLOCK):
        yield np.flatnonzero(codes[start : start + BLOCK] >= 0) + start


def _codes(reading: Reading, flags: Flags, probs: Probabilities) -> npt.NDArray[np.int64]:
    """Return the class beside each row of the probabilities, -1 where there is none."""
    labels, places = encoded(label_column(reading)), key_places(reading, probs)
    known = {name: i for i, name in enumerate(probs.classes)}
    codes = np.array([*(known.get(name, -1) for name in labels.distinct), -1])[labels.places]
    rows = np.searchsorted(reading.state.live, flags.ordinals)
    live = reading.state.is_live(flags.ordinals)
    given = np.array([known.get(pair[0], -1) for pair in flags.pairs], np.int64)
    codes[rows[live]] = given[flags.ranks[live]]
    beside = np.full(len(probs), -1, np.int64)
    beside[places[places >= 0]] = codes[places >= 0]
    return beside
