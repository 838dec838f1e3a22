"""Labels that are probably wrong, by confident learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array, plain, shorten
from burnish.core.probabilities import Probabilities
from burnish.errors import InputError, LabelError, ProbabilityError
from burnish.model.cross_validation import version_name
from burnish.model.reading import Mask, check_reading, is_null, labels_of, sorted_values

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "label-issue"
READS = ("label", "probabilities")
FILTERS = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning")
FilterBy = Literal["prune_by_noise_rate", "prune_by_class", "both", "confident_learning"]


def label_issues(
    ds: Reading | Sequence[Any] | npt.NDArray[Any],
    probs: Probabilities | npt.NDArray[Any],
    filter_by: FilterBy = "prune_by_noise_rate",
) -> Findings:
    """Find rows whose label is probably wrong.

    Parameters
    ----------
    ds : Dataset, Snapshot, or labels of length n_rows
        The labels as they are now. Plain labels are taken with keys 0 … n-1.
    probs : Probabilities, or array of shape (n_rows, n_classes)
        Out-of-sample class probabilities. Columns of a plain array are the classes 0 … K-1 where
        the labels are such integers, else the sorted labels.
    filter_by : str, default "prune_by_noise_rate"
        How to decide which rows are issues: ``"prune_by_noise_rate"``, ``"prune_by_class"``,
        ``"both"`` (found by both of these) or ``"confident_learning"``.

    Returns
    -------
    Findings
        Worst first. The score is 1 minus the probability of the given label: 1 is certainly
        wrong. The suggestion is the most probable class.

    Raises
    ------
    ProbabilityError
        Wrong shape, NaN, rows that do not sum to 1, or probabilities for other keys.
    LabelError
        A label is not among the classes.
    InputError
        ``filter_by`` is unknown, or the dataset has no label role.

    Notes
    -----
    Expect about half of the flagged rows to be really wrong: over ten public test sets people
    confirmed 51 % of them [2]_. The order is more useful than the flag.

    Rows without a label, or without probabilities, are left out and counted in ``provenance``.
    Keys that are in ``probs`` and no longer in the dataset (dropped rows) are ignored. Takes
    O(n_rows × n_classes²) time and about as much memory again as ``probs``. Deterministic.

    References
    ----------
    .. [1] Northcutt, Jiang and Chuang (2021), Confident Learning: Estimating Uncertainty in
       Dataset Labels. JAIR 70. Computed by cleanlab.
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
    """
    if filter_by not in FILTERS:
        raise InputError(
            f"filter_by={filter_by!r}, expected one of {', '.join(map(repr, FILTERS))}",
            hint="leave it out for 'prune_by_noise_rate'",
        )
    table = _of_arrays(ds, probs) if _is_labels(ds) else _of_dataset(ds, probs)
    codes = _codes(table)
    kernel = _confident_learning(codes, table.probs, filter_by)
    return _findings(table, kernel, filter_by)


@dataclass(frozen=True)
class _Table:
    keys: KeyArray
    labels: KeyArray
    probs: npt.NDArray[np.float64]
    classes: tuple[Any, ...]
    evidence: Probabilities
    provenance: dict[str, Any]


@dataclass(frozen=True)
class _Kernel:
    flagged: Mask
    scores: npt.NDArray[np.float64]
    suggested: npt.NDArray[np.intp]


def _is_labels(given: Any) -> bool:
    frame = hasattr(given, "columns") or isinstance(given, (str, Probabilities))
    return hasattr(given, "__iter__") and not hasattr(given, "roles") and not frame


def _of_dataset(ds: Any, probs: Any) -> _Table:
    check_reading(ds)
    if not isinstance(probs, Probabilities):
        raise ProbabilityError(
            f"probs is a {type(probs).__name__}, expected bn.Probabilities, which carry keys",
            hint="bn.Probabilities(values, keys=ds.keys, classes=ds.classes)",
        )
    labels, keys = labels_of(ds), ds.keys
    known = set(probs.keys)
    covered = np.array([key in known for key in keys], dtype=bool)
    null = is_null(labels)
    _check_same_rows(keys, covered | null, probs)
    keep = covered & ~null
    source = {"fingerprint": ds.fingerprint, "version": version_name(ds)}
    return _table(keys, labels, keep, null, probs, source)


def _check_same_rows(keys: KeyArray, covered: Mask, probs: Probabilities) -> None:
    if covered.all():
        return
    here = set(keys)
    others = [key for key in probs.keys if key not in here]
    if not others and len(probs):
        return
    raise ProbabilityError(
        f"the probabilities are for other keys: {len(others)} of theirs are not in the dataset "
        f"({shorten(others) or 'none'}), {int((~covered).sum())} rows of the dataset have none "
        f"({shorten(keys[~covered])})",
        hint="compute them on this dataset: bn.cross_val_probabilities(ds, estimator)",
    )


def _of_arrays(given: Any, probs: Any) -> _Table:
    labels = key_array([plain(value) for value in given])
    null = is_null(labels)
    if not isinstance(probs, Probabilities):
        probs = _named(probs, labels, null)
    if len(probs) != len(labels):
        raise ProbabilityError(
            f"there are {len(labels)} labels and {len(probs)} rows of probabilities",
            hint="pass one row of probabilities for each label, in the same order",
        )
    return _table(probs.keys, labels, ~null, null, probs, {})


def _named(values: Any, labels: KeyArray, null: Mask) -> Probabilities:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ProbabilityError(
            f"probabilities are no numbers: {error}",
            hint="pass the output of predict_proba, one row for each label",
        ) from error
    if array.ndim != 2 or len(array) != len(labels):
        raise ProbabilityError(
            f"probabilities have shape {array.shape}, expected ({len(labels)}, n_classes) for "
            f"{len(labels)} labels",
            hint="pass the output of predict_proba, one row for each label",
        )
    classes = _class_names(set(labels[~null]), array.shape[1])
    return Probabilities(array, range(len(labels)), classes)


def _class_names(present: set[Any], n_classes: int) -> list[Any]:
    if all(type(value) is int and 0 <= value < n_classes for value in present):
        return list(range(n_classes))
    if len(present) == n_classes:
        return sorted_values(present)
    raise LabelError(
        f"the labels hold {len(present)} classes ({shorten(sorted_values(present))}), the "
        f"probabilities {n_classes} columns",
        hint="pass bn.Probabilities(values, keys, classes), which names the columns",
    )


def _table(
    keys: KeyArray,
    labels: KeyArray,
    keep: Mask,
    null: Mask,
    probs: Probabilities,
    source: dict[str, Any],
) -> _Table:
    counts = {
        "n_null_labels": int(null.sum()),
        "n_without_probabilities": int((~keep & ~null).sum()),
    }
    values = probs.align(keys[keep])
    return _Table(keys[keep], labels[keep], values, probs.classes, probs, {**source, **counts})


def _codes(table: _Table) -> npt.NDArray[np.intp]:
    place = {name: i for i, name in enumerate(table.classes)}
    strange = {value for value in table.labels if value not in place}
    if strange:
        rows = [i for i, value in enumerate(table.labels) if value in strange]
        raise LabelError(
            f"{len(rows)} rows have labels that are not among the classes of the probabilities: "
            f"{shorten(sorted_values(strange))}, first row {table.keys[rows[0]]!r}; the classes "
            f"are {shorten(table.classes)}",
            hint="compute the probabilities again with the labels as they are now",
        )
    return np.array([place[value] for value in table.labels], dtype=np.intp)


def _confident_learning(
    codes: npt.NDArray[np.intp], probs: npt.NDArray[np.float64], filter_by: str
) -> _Kernel:
    suggested = probs.argmax(axis=1) if len(codes) else codes
    if len(np.unique(codes)) < 2:
        return _Kernel(np.zeros(len(codes), dtype=bool), np.zeros(len(codes)), suggested)
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    flagged = find_label_issues(codes, probs, filter_by=filter_by, n_jobs=1)
    quality = get_label_quality_scores(codes, probs, method="self_confidence")
    return _Kernel(np.asarray(flagged, dtype=bool), np.clip(1 - quality, 0, 1), suggested)


def _findings(table: _Table, kernel: _Kernel, filter_by: str) -> Findings:
    names = key_array(table.classes)
    rows = np.flatnonzero(kernel.flagged)
    provenance = {
        "made_by": "label_issues",
        "filter_by": filter_by,
        "n_rows": len(table.keys),
        **table.provenance,
        "probabilities": dict(table.evidence.provenance),
        "cleanlab": version("cleanlab"),
    }
    return Findings(
        CODE,
        table.keys[rows],
        kernel.scores[rows],
        table.labels[rows],
        names[kernel.suggested[rows]],
        provenance,
        table.evidence,
        len(table.keys),
    )
