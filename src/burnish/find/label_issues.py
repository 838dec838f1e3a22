"""Labels that are probably wrong, by confident learning."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, get_args
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import key_array
from burnish.core.probabilities import Probabilities
from burnish.errors import InputError
from burnish.find._label_files import is_path, of_dataset_and_files, of_labels_and_files
from burnish.find._label_rows import LabelTable, is_labels, of_arrays, of_dataset
from burnish.model.label_state import LabelState
from burnish.model.options import check_min_score
from burnish.model.probability_tables import ArrayTable
from burnish.model.reading import key_order

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "label-issue"
READS = ("label", "probabilities")
FilterBy = Literal["prune_by_noise_rate", "prune_by_class", "both", "confident_learning"]
Score = Literal["self_confidence", "normalized_margin"]
FILTERS: tuple[str, ...] = get_args(FilterBy)
SCORES: tuple[str, ...] = get_args(Score)
_Known = tuple[LabelState, Probabilities | None]
_STATES: WeakKeyDictionary[Findings, _Known] = WeakKeyDictionary()


def label_issues(
    ds: Reading | Sequence[Any] | npt.NDArray[Any],
    probs: Probabilities | npt.NDArray[Any] | str | PathLike[str],
    filter_by: FilterBy = "prune_by_noise_rate",
    score: Score = "self_confidence",
    previous: Findings | None = None,
    min_score: float | None = None,
) -> Findings:
    """Find rows whose label is probably wrong.

    Parameters
    ----------
    ds : Dataset, Snapshot, or labels of length n_rows
        The labels as they are now. Plain labels are taken with keys 0 … n-1.
    probs : Probabilities, array of shape (n_rows, n_classes), or path
        Out-of-sample class probabilities. Columns of a plain array are the classes 0 … K-1 where
        the labels are such integers, else the sorted labels. A path names a Parquet file, or a
        folder of them, that may be larger than memory: the key column of the dataset under its own
        name, and one column of numbers for each class, named as the class, or one column of lists
        in the order of a plain array. Beside plain labels the files hold no key.
    filter_by : str, default "prune_by_noise_rate"
        How to decide which rows are issues: ``"prune_by_noise_rate"``, ``"prune_by_class"``,
        ``"both"`` (found by both of these) or ``"confident_learning"``.
    score : str, default "self_confidence"
        What the score is made of: ``"self_confidence"``, the probability of the given label p, or
        ``"normalized_margin"``, (p - q + 1) / 2 with q the largest probability of another class.
    previous : Findings, optional
        What an earlier call found with the same ``probs``, unchanged, and ``filter_by``. Only what
        was edited, dropped or restored since is computed; the result is the same as without.
    min_score : float, optional
        Return all rows that score at least this, in [0, 1]; by default those that ``filter_by``
        takes for issues.

    Returns
    -------
    Findings
        Worst first, ties in the order of the keys. The score is 1 minus what ``score`` says: 1 is
        certainly wrong. The suggestion is the most probable class, None where that is the given
        one.

    Raises
    ------
    ProbabilityError
        Wrong shape, NaN, rows that do not sum to 1, or probabilities for other keys.
    ColumnError
        A file has no key column, none for a class, or one of another type.
    KeysError
        A file holds a key twice.
    LabelError
        A label is not among the classes.
    InputError
        ``filter_by`` or ``score`` is unknown, ``min_score`` is out of range, ``previous`` are no
        findings, or the dataset has no label role.

    Notes
    -----
    Expect about half of the flagged rows to be really wrong: over ten public test sets people
    confirmed 51 % of them [2]_. The order is more useful than the flag.

    Finds the rows that cleanlab 2.9 finds, also where probabilities are equal. Needs two classes
    that have rows; a class with one row is left alone.

    Rows without a label, or without probabilities, are left out and counted in ``provenance``.
    Keys that are in ``probs`` and no longer in the dataset (dropped rows) are ignored.

    Takes O(n_rows × n_classes) time. Probabilities are read in place, 32-bit floats as they are;
    beside them it takes some 20 bytes a row, and the findings keep about 10 of them for
    ``previous``, as long as they live. Files are read in passes of a few megabytes for each
    thread: one for the keys, two for the joint, and one for each 8 million numbers of rows whose
    label is not the most probable class. Deterministic, whatever the order of the rows.

    References
    ----------
    .. [1] Northcutt, Jiang and Chuang (2021), Confident Learning: Estimating Uncertainty in
       Dataset Labels. JAIR 70.
    .. [2] Northcutt, Athalye and Mueller (2021), Pervasive Label Errors in Test Sets Destabilize
       Machine Learning Benchmarks. NeurIPS.

    Examples
    --------
    >>> import burnish as bn
    >>> labels = ["cat"] * 3 + ["dog"] * 3
    >>> probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]]
    >>> found = bn.find.label_issues(labels, probs)
    >>> found[0]
    Finding(code='label-issue', key=2, score=0.9, given='cat', suggestion='dog')
    >>> labels[2] = "dog"
    >>> bn.find.label_issues(labels, probs, previous=found)
    Findings(no label-issue of 6 rows)
    """
    _check(filter_by, score, previous)
    if min_score is not None:
        check_min_score(min_score, f"the issues of filter_by={filter_by!r}")
    table = _table(ds, probs)
    state = _state(table, filter_by, previous)
    options = {"filter_by": filter_by, "score": score, "min_score": min_score}
    found = _findings(table, state, options)
    _STATES[found] = (state, table.probs if table.keyed else None)
    return found


def _table(ds: Any, probs: Any) -> LabelTable:
    if is_path(probs):
        read = of_labels_and_files if is_labels(ds) else of_dataset_and_files
        return read(ds, probs, {})
    return of_arrays(ds, probs) if is_labels(ds) else of_dataset(ds, probs)


def _check(filter_by: Any, score: Any, previous: Any) -> None:
    for name, value, known in (("filter_by", filter_by, FILTERS), ("score", score, SCORES)):
        if value not in known:
            raise InputError(
                f"{name}={value!r}, expected one of {', '.join(map(repr, known))}",
                hint=f"leave it out for {known[0]!r}",
            )
    if previous is not None and not isinstance(previous, Findings):
        raise InputError(
            f"previous is a {type(previous).__name__}, expected the Findings of an earlier call",
            hint="issues = bn.find.label_issues(ds, probs, previous=issues)",
        )


def _state(table: LabelTable, filter_by: str, previous: Findings | None) -> LabelState:
    known = None if previous is None else _STATES.get(previous)
    if known is not None and _same(known, table, filter_by):
        known[0].update(table.codes)
        return known[0]
    by_key = (lambda rows: rows[key_order(table.key_at(rows))]) if table.keyed else None
    return LabelState(table.table, table.codes, filter_by, by_key)


def _same(known: _Known, table: LabelTable, filter_by: str) -> bool:
    state, keyed = known
    if table.probs is None or not isinstance(state.table, ArrayTable):
        return False
    one, other = state.table.values, table.probs.values
    at = "__array_interface__"
    same = one.shape == other.shape and getattr(one, at) == getattr(other, at)
    return same and state.filter_by == filter_by and keyed is (table.probs if table.keyed else None)


def _findings(table: LabelTable, state: LabelState, options: dict[str, Any]) -> Findings:
    rows, scores = _found(state, options["score"], options["min_score"])
    keys = table.key_at(rows)
    if table.keyed:
        order = key_order(keys)
        rows, scores, keys = rows[order], scores[order], keys[order]
    n_rows = int(state.sums.counts.sum())
    top, given = state.facts.top[rows], state.codes[rows]
    suggestions = key_array(table.classes)[top]
    suggestions[top == given] = None
    provenance = {"made_by": "label_issues", **options, "n_rows": n_rows, **table.source}
    return Findings(
        CODE, keys, scores, table.given(rows), suggestions, provenance, table.probs, n_rows
    )


def _found(state: LabelState, score: str, min_score: float | None) -> tuple[Any, Any]:
    if np.count_nonzero(state.sums.counts) < 2:
        return np.empty(0, dtype=np.intp), np.empty(0)
    if min_score is None:
        rows = np.flatnonzero(state.flagged)
        return rows, state.scores(rows, score)
    rows = np.flatnonzero(state.codes >= 0)
    scores = state.scores(rows, score)
    keep = scores >= min_score
    return rows[keep], scores[keep]
