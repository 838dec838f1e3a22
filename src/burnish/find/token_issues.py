"""Sequences of tokens, of which one probably carries a wrong label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import key_array
from burnish.core.probabilities import normalised
from burnish.errors import ProbabilityError
from burnish.model.predictions import (
    Labelled,
    class_places,
    items_of,
    labelled,
    number_array,
    quiet,
)

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "token-issue"
READS = ("token-labels", "predictions")
Matrix = npt.NDArray[np.float64]


def token_issues(
    ds: Reading | Sequence[Any],
    predictions: Any,
    column: str | None = None,
    classes: Sequence[Any] | None = None,
) -> Findings:
    """Find sequences in which the label of a token is probably wrong.

    Parameters
    ----------
    ds : Dataset, Snapshot, or sequence of n_rows lists of token labels
        The labels as they are now, one for each token, null where a token has none. Plain labels
        are taken with keys 0 … n-1.
    predictions : mapping of key to array of shape (n_tokens, n_classes), or sequence of arrays
        Out-of-sample class probabilities of each token. A plain sequence of n_rows arrays goes
        with plain labels only.
    column : str, optional
        The column of a dataset that holds the lists.
    classes : sequence of length n_classes, optional
        Class names in the order of the predictions. By default 0 … K-1 where the labels are such
        integers, else the sorted labels.

    Returns
    -------
    Findings
        One for each sequence with a flagged token, worst first. The score is 1 minus the
        probability of the given label of its worst flagged token: 1 is certainly wrong. Given and
        suggestion are the label of that token and its most probable class. Details: ``position``
        of that token, counted from 0, ``positions`` of all flagged ones, worst first, ``n_flagged``
        and ``relabel_to``, the labels of the whole sequence with the suggestions in place.

    Raises
    ------
    ProbabilityError
        Wrong shape, NaN, rows that do not sum to 1, or predictions for other keys.
    LabelError
        A label is no list, or holds a class that the predictions do not know.
    InputError
        The dataset has no column of labels.

    Notes
    -----
    Confident learning over all tokens at once; it does not know which labels may follow each
    other, so that a suggested span can be one that the scheme forbids. Tokens and rows without
    a label, and rows without predictions, are left out and counted in ``provenance``.
    O(n_tokens × n_classes²) time, one float64 copy of the predictions. Deterministic.

    References
    ----------
    .. [1] Wang and Mueller (2022), Detecting Label Errors in Token Classification Data.
       arXiv:2210.03920. Computed by cleanlab.

    Examples
    --------
    >>> import burnish as bn
    >>> labels = [["O", "O", "PER"], ["O", "PER"]]
    >>> probs = [[[0.9, 0.1], [0.7, 0.3], [0.05, 0.95]], [[0.8, 0.2], [0.8, 0.2]]]
    >>> found = bn.find.token_issues(labels, probs)
    >>> found[0].suggestion, found.details["relabel_to"][0]
    ('O', ('O', 'O'))
    """
    rows = labelled(ds, predictions, column)
    tokens = _tokens(rows, classes)
    flagged = _flagged(tokens)
    worst = flagged[np.lexsort((flagged, tokens.scores[flagged] * -1))] if len(flagged) else flagged
    return _findings(rows, tokens, worst)


@dataclass(frozen=True, eq=False)
class _Tokens:
    """Every token that has a label: its row, its position there, its label and probabilities."""

    row: npt.NDArray[np.intp]
    position: npt.NDArray[np.intp]
    given: npt.NDArray[np.intp]
    probs: Matrix
    scores: Matrix
    names: tuple[Any, ...]
    sequences: list[list[Any]]
    n_null: int


def _tokens(rows: Labelled, classes: Any) -> _Tokens:
    sequences = [
        items_of(v, k, "a list of token labels")
        for k, v in zip(rows.keys, rows.labels, strict=True)
    ]
    probs, n_classes = _probabilities(rows, sequences)
    present = {name for row in sequences for name in row if name is not None}
    names, place = class_places(present, n_classes or len(present), rows.names, classes)
    spots = [(i, j) for i, row in enumerate(sequences) for j in range(len(row))]
    known = np.array([sequences[i][j] is not None for i, j in spots], dtype=bool)
    where = np.array(spots, dtype=np.intp).reshape(-1, 2)[known]
    given = np.array([place[sequences[i][j]] for i, j in where], dtype=np.intp)
    probs = np.asarray(normalised(probs[known], rows.keys[where[:, 0]]), dtype=np.float64)
    scores = 1 - probs[np.arange(len(given)), given]
    n_null = len(known) - int(known.sum())
    return _Tokens(where[:, 0], where[:, 1], given, probs, scores, names, sequences, n_null)


def _probabilities(rows: Labelled, sequences: list[list[Any]]) -> tuple[Matrix, int]:
    arrays = []
    width = 0
    for key, labels, prediction in zip(rows.keys, sequences, rows.predictions, strict=True):
        if not labels and not np.size(prediction):
            continue
        array = number_array(prediction, key, 2)
        width = width or array.shape[1]
        if array.shape != (len(labels), width):
            raise ProbabilityError(
                f"the prediction of row {key!r} has shape {array.shape}, expected "
                f"{(len(labels), width)} for {len(labels)} tokens",
                hint="give each token of the row one row of class probabilities",
            )
        arrays.append(array)
    return np.concatenate(arrays) if arrays else np.zeros((0, width)), width


def _flagged(tokens: _Tokens) -> npt.NDArray[np.intp]:
    if len(np.unique(tokens.given)) < 2:
        return np.zeros(0, dtype=np.intp)
    from cleanlab.token_classification.filter import find_label_issues

    with quiet():
        found = find_label_issues([tokens.given.tolist()], [tokens.probs], n_jobs=1)
    return np.array(sorted(place for _, place in found), dtype=np.intp)


def _findings(rows: Labelled, tokens: _Tokens, worst: npt.NDArray[np.intp]) -> Findings:
    by_row: dict[int, list[int]] = {}
    for token in worst:
        by_row.setdefault(int(tokens.row[token]), []).append(int(token))
    at = sorted(by_row)
    first = [by_row[row][0] for row in at]
    best = tokens.probs.argmax(axis=1) if len(tokens.probs) else tokens.given
    details: dict[str, list[Any]] = {
        "position": [int(tokens.position[token]) for token in first],
        "positions": [tuple(tokens.position[by_row[row]].tolist()) for row in at],
        "n_flagged": [len(by_row[row]) for row in at],
        "relabel_to": [_corrected(tokens, row, by_row[row], best) for row in at],
    }
    return Findings(
        CODE,
        rows.keys[at],
        tokens.scores[first],
        key_array([tokens.names[tokens.given[token]] for token in first]),
        key_array([tokens.names[best[token]] for token in first]),
        {
            **rows.made_by("token_issues", cleanlab=version("cleanlab")),
            "n_tokens": len(tokens.given),
            "n_null_tokens": tokens.n_null,
        },
        n_rows=len(rows.keys),
        details={name: key_array(each) for name, each in details.items()},
    )


def _corrected(
    tokens: _Tokens, row: int, flagged: list[int], best: npt.NDArray[np.intp]
) -> tuple[Any, ...]:
    labels = list(tokens.sequences[row])
    for token in flagged:
        labels[tokens.position[token]] = tokens.names[best[token]]
    return tuple(labels)
