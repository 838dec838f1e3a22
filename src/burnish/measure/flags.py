"""What makes a comparison less than fair, each with a stable code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.core.keys import KeyArray, shorten
from burnish.measure.design import EvaluationRows, TrainingRows, Version
from burnish.model.reading import role_values, sorted_values

if TYPE_CHECKING:
    from burnish.measure.resampling import Floats

FEWEST_ROWS = 30
FEWEST_SEEDS = 5


@dataclass(frozen=True)
class Flag:
    """Something to know before believing a comparison.

    Attributes
    ----------
    code : str
        Stable, for example ``"evaluation-labels-edited"``.
    text : str
        What was seen and what it means, with numbers.
    """

    code: str
    text: str


@dataclass(frozen=True)
class Case:
    """All that flags are raised from."""

    before: Version
    after: Version
    training: tuple[TrainingRows, TrainingRows]
    rows: EvaluationRows
    units: Floats
    values: Floats
    metrics: tuple[str, ...]
    truth: str
    n_seeds: int
    deterministic: bool
    identical: bool
    suggested: KeyArray


def flags_of(case: Case) -> tuple[Flag, ...]:
    """Return the flags that a comparison raises."""
    return tuple(flag for check in _CHECKS for flag in check(case))


def _labels_edited(case: Case) -> Iterator[Flag]:
    if n := len(case.rows.edited):
        yield Flag(
            "evaluation-labels-edited",
            f"{n:,} labels of evaluation rows differ between the versions; "
            + _YARDSTICK[case.truth],
        )


_YARDSTICK = {
    "before": "both sides are scored on the labels before the edits",
    "after": "both sides are scored on the labels after the edits",
    "untouched": "those rows are left out on both sides",
}


def _suggested(case: Case) -> Iterator[Flag]:
    if n := len(case.suggested):
        biased = (
            "scoring on the labels before the edits keeps them out"
            if case.truth == "before"
            else f"if it is the scored model or its relative, truth={case.truth!r} is biased even "
            "when nothing improved"
        )
        yield Flag(
            "evaluation-edits-suggested",
            f"{n:,} of the edited evaluation labels were suggested by findings, and so by the "
            f"model behind them; {biased}",
        )


def _inputs_edited(case: Case) -> Iterator[Flag]:
    if n := case.rows.n_inputs_edited:
        side = "after" if case.truth == "after" else "before"
        yield Flag(
            "evaluation-inputs-edited",
            f"the inputs of {n:,} evaluation rows differ between the versions; both sides are "
            f"scored on those of the {side} version",
        )


def _one_sided(case: Case) -> Iterator[Flag]:
    if n := case.rows.n_one_sided:
        yield Flag(
            "evaluation-rows-differ",
            f"{n:,} evaluation rows belong to one version only and are left out on both sides",
        )


def _changed_split(case: Case) -> Iterator[Flag]:
    moved = (case.before.train & case.after.evaluate) | (case.before.evaluate & case.after.train)
    if moved:
        yield Flag(
            "rows-changed-split",
            f"{len(moved):,} rows moved between training and evaluation "
            f"({shorten(sorted_values(set(moved)))}); they are not scored",
        )


def _groups_leak(case: Case) -> Iterator[Flag]:
    groups = role_values(case.before.reading, "group")
    if groups is None:
        return
    of = dict(zip(case.before.reading.keys, groups, strict=True))
    trained = {of.get(key) for side in case.training for key in side.keys} - {None}
    both = trained & {of[key] for key in case.rows.keys}
    if both:
        yield Flag(
            "groups-leak",
            f"{len(both):,} groups have rows in training and in evaluation "
            f"({shorten(sorted_values(both))}); both sides look better than they are",
        )


def _vocabulary(case: Case) -> Iterator[Flag]:
    old, new = (set(side.y) for side in case.training)
    if old != new:
        gone, come = sorted_values(old - new), sorted_values(new - old)
        yield Flag(
            "class-vocabulary-changed",
            f"the training classes differ: gone {shorten(gone) or 'none'}, new "
            f"{shorten(come) or 'none'}",
        )


def _identical(case: Case) -> Iterator[Flag]:
    if case.identical:
        yield Flag(
            "same-training-rows",
            "both versions train on equal rows, so both sides are one model and differ by nothing",
        )


def _seeds(case: Case) -> Iterator[Flag]:
    if case.deterministic:
        yield Flag(
            "deterministic-estimator",
            "the estimator takes no random_state: it was trained once, and intervals cover new "
            "evaluation rows only",
        )
    elif case.n_seeds == 1:
        yield Flag("one-seed", "one seed only: training randomness is not covered by the intervals")
    elif case.n_seeds < FEWEST_SEEDS:
        yield Flag(
            "few-seeds",
            f"{case.n_seeds} seeds tell little about training randomness; take at least "
            f"{FEWEST_SEEDS}",
        )


def _small(case: Case) -> Iterator[Flag]:
    unit = "rows" if case.rows.clusters is None else "groups of rows"
    for name, n in zip(case.rows.slices, case.units, strict=True):
        if n == 0:
            yield Flag("empty-slice", f"no evaluation row lies in {name!r}")
        elif n < FEWEST_ROWS:
            yield Flag(
                "small-slice",
                f"{name!r} has {int(n)} {unit}, fewer than {FEWEST_ROWS}: too few to conclude from",
            )


def _constant(case: Case) -> Iterator[Flag]:
    if case.identical:
        return
    names = [(part, metric) for part in case.rows.slices for metric in case.metrics]
    spread = np.ptp(case.values, axis=(0, 1))
    for (part, metric), constant, value in zip(names, spread == 0, case.values[0, 0], strict=True):
        if constant and value in (0.0, 1.0):
            yield Flag(
                "constant-metric",
                f"{metric} on {part!r} is {value:.0f} on both sides with every seed: it cannot "
                "tell the versions apart",
            )


_CHECKS: Any = (
    _labels_edited,
    _suggested,
    _inputs_edited,
    _one_sided,
    _changed_split,
    _groups_leak,
    _vocabulary,
    _identical,
    _seeds,
    _small,
    _constant,
)
