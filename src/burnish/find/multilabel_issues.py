"""Rows with several labels, of which one is probably wrong or missing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array, shorten
from burnish.core.probabilities import NOISE
from burnish.errors import InputError, LabelError, ProbabilityError
from burnish.model.predictions import (
    Labelled,
    class_places,
    items_of,
    labelled,
    number_array,
    quiet,
)
from burnish.model.reading import check_single

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "multilabel-issue"
READS = ("label-sets", "predictions")
FILTERS = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning")
FilterBy = Literal["prune_by_noise_rate", "prune_by_class", "both", "confident_learning"]
WEIGHT_OF_WORSE = 0.8
Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def multilabel_issues(
    ds: Reading | Sequence[Any],
    predictions: Any,
    column: str | None = None,
    classes: Sequence[Any] | None = None,
    filter_by: FilterBy = "prune_by_noise_rate",
) -> Findings:
    """Find rows with several labels, of which one is probably wrong or missing.

    Parameters
    ----------
    ds : Dataset, Snapshot, or sequence of n_rows lists of classes
        The labels as they are now; an empty list is a row to which no class applies. Plain labels
        are taken with keys 0 … n-1.
    predictions : DataFrame, mapping of key to array of shape (n_classes,), or array
        Out-of-sample probability in [0, 1] that each class applies; they need not sum to 1. A
        DataFrame has the keys as its index and the classes as its columns. A plain array of
        shape (n_rows, n_classes) goes with plain labels only.
    column : str, optional
        The column of a dataset that holds the lists.
    classes : sequence of length n_classes, optional
        Class names in the order of the predictions. By default the columns of a DataFrame, else
        0 … K-1 where the labels are such integers, else the sorted labels.
    filter_by : str, default "prune_by_noise_rate"
        How to decide which labels are issues; see `label_issues`.

    Returns
    -------
    Findings
        Worst first. The score is 1 minus cleanlab's label quality of the row, which weighs its
        least probable classes most: 1 is certainly wrong. Given and suggestion are tuples of
        classes in the order of the predictions; the details ``add`` and ``remove`` name the
        classes in which they differ.

    Raises
    ------
    ProbabilityError
        Wrong shape, NaN, values outside [0, 1], or predictions for other keys.
    LabelError
        A label is no list, names a class twice, or one that the predictions do not know.
    InputError
        ``filter_by`` is unknown, or the dataset has no column of labels.

    Notes
    -----
    Each class is looked at by itself, as applies or not; one that applies to all rows or to none
    is never flagged, so a model's opinion on a class without examples counts for nothing. Expect
    about half of the flags to be right, fewer for rare classes. Null labels and rows without
    predictions are left out and counted in ``provenance``. O(n_rows × n_classes) time and memory.
    Deterministic.

    References
    ----------
    .. [1] Thyagarajan, Snorrason, Northcutt and Mueller (2022), Identifying Incorrect Annotations
       in Multi-Label Classification Data. Computed by cleanlab.

    Examples
    --------
    >>> import burnish as bn
    >>> labels = [["cat"], ["dog"], ["cat", "dog"], ["cat"], ["dog"], ["cat"]]
    >>> probs = [[0.9, 0.1], [0.1, 0.9], [0.9, 0.8], [0.9, 0.2], [0.2, 0.9], [0.9, 0.95]]
    >>> bn.find.multilabel_issues(labels, probs)[0].suggestion
    ('cat', 'dog')
    """
    if filter_by not in FILTERS:
        raise InputError(
            f"filter_by={filter_by!r}, expected one of {', '.join(map(repr, FILTERS))}",
            hint="leave it out for 'prune_by_noise_rate'",
        )
    rows = labelled(ds, predictions, column)
    sets = [_set(v, k) for k, v in zip(rows.keys, rows.labels, strict=True)]
    probs = _probabilities(rows)
    n_classes = probs.shape[1] if len(probs) else len(set().union(*sets))
    names, place = class_places(set().union(*sets), n_classes, rows.names, classes)
    given = _one_hot([{place[name] for name in row} for row in sets], len(names))
    flags = _flags(given, probs, filter_by)
    return _findings(rows, given, probs, flags, names, filter_by)


def _set(label: Any, key: Any) -> list[Any]:
    classes = items_of(label, key, "a list of classes")
    check_single(classes)
    if len(set(classes)) < len(classes):
        raise LabelError(
            f"the label of row {key!r} names a class twice: {shorten(classes)}",
            hint="pass the classes that apply; of a row of zeros and ones, np.flatnonzero(row)",
        )
    return classes


def _probabilities(rows: Labelled) -> Matrix:
    arrays = [number_array(v, k, 1) for k, v in zip(rows.keys, rows.predictions, strict=True)]
    width = len(arrays[0]) if arrays else 0
    for key, array in zip(rows.keys, arrays, strict=True):
        outside = len(array) and not -NOISE <= array.min() <= array.max() <= 1 + NOISE
        if len(array) != width or outside:
            what = f"lies outside [0, 1]: {array}" if outside else f"names {len(array)} classes"
            raise ProbabilityError(
                f"the prediction of row {key!r} {what}, expected {width} probabilities",
                hint="pass the probability of each class, one row of them for each label",
            )
    return np.clip(np.array(arrays).reshape(len(arrays), width), 0.0, 1.0)


def _one_hot(sets: list[set[int]], n_classes: int) -> Flags:
    given = np.zeros((len(sets), n_classes), dtype=bool)
    for row, places in zip(given, sets, strict=True):
        row[list(places)] = True
    return given


def _flags(given: Flags, probs: Matrix, filter_by: str) -> Flags:
    flags = np.zeros_like(given)
    both = np.flatnonzero(given.any(axis=0) & ~given.all(axis=0))
    if not len(both):
        return flags
    from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class

    with quiet():
        flags[:, both] = find_multilabel_issues_per_class(
            [np.flatnonzero(row).tolist() for row in given[:, both]],
            probs[:, both],
            filter_by=filter_by,
            n_jobs=1,
        )
    return flags


def _scores(given: Flags, probs: Matrix) -> Matrix:
    """Return 1 minus the moving average of the labels' qualities from the best to the worst."""
    quality = -np.sort(-np.where(given, probs, 1 - probs), axis=1)
    average = quality[:, 0] if quality.shape[1] else np.ones(len(given))
    for column in quality[:, 1:].T:
        average = WEIGHT_OF_WORSE * column + (1 - WEIGHT_OF_WORSE) * average
    return np.clip(1 - average, 0, 1)


def _findings(
    rows: Labelled,
    given: Flags,
    probs: Matrix,
    flags: Flags,
    names: tuple[Any, ...],
    filter_by: str,
) -> Findings:
    hit = np.flatnonzero(flags.any(axis=1))
    old, flipped = given[hit], flags[hit]
    return Findings(
        CODE,
        rows.keys[hit],
        _scores(old, probs[hit]),
        _tuples(old, names),
        _tuples(old ^ flipped, names),
        rows.made_by("multilabel_issues", cleanlab=version("cleanlab"), filter_by=filter_by),
        n_rows=len(rows.keys),
        details={"add": _tuples(flipped & ~old, names), "remove": _tuples(flipped & old, names)},
    )


def _tuples(chosen: Flags, names: tuple[Any, ...]) -> KeyArray:
    return key_array([tuple(names[place] for place in np.flatnonzero(row)) for row in chosen])
