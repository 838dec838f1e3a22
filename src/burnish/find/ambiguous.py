"""Rows that lie between two classes, whichever label they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array, shorten
from burnish.core.probabilities import Probabilities, as_numbers
from burnish.errors import ProbabilityError
from burnish.model.calibration import fitted_temperature, tempered
from burnish.model.distances import Metric, check_metric
from burnish.model.neighbours import K, neighbours
from burnish.model.options import check_min_score, checked_k, checked_seed
from burnish.model.reading import is_null, key_order, read_from, role_values, single_labels
from burnish.model.vectors import VECTOR_ROLES
from burnish.model.votes import votes_on

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "ambiguous"
READS = ("label", "probabilities", "vectors")


def ambiguous(
    ds: Reading | Sequence[Any] | npt.NDArray[Any],
    probs: Probabilities | npt.NDArray[Any],
    *,
    k: int = 15,
    metric: Metric = "euclidean",
    min_score: float = 0.5,
    seed: int = 0,
) -> Findings:
    """Find rows for which two classes are about as likely.

    Parameters
    ----------
    ds : Dataset, Snapshot, or labels of length n_rows
        Rows, with labels where they have some. Plain labels are taken with keys 0 … n-1, None
        where there is none.
    probs : Probabilities, or array of shape (n_rows, n_classes)
        Out-of-sample class probabilities. Columns of a plain array are the classes 0 … K-1.
    k : int, default 15
        How many neighbours are asked, at least 1.
    metric : {"euclidean", "cosine"}, default "euclidean"
        How near is measured.
    min_score : float, default 0.5
        Return rows that score at least this, in [0, 1].
    seed : int, default 0
        For the reduction of text, and the search in large datasets.

    Returns
    -------
    Findings
        The score is ``√(a · b)``: `a` is 1 minus the lead of the most probable class over the
        second in calibrated probabilities, `b` 1 minus that in the vote of the neighbours. 1 is a
        tie in both. Nothing is suggested. Details: ``first`` and ``second``, the two most
        probable classes, ``margin`` (1 - a), ``entropy`` of the calibrated probabilities relative
        to that of a uniform guess, and ``neighbour_margin`` (1 - b), None where nobody voted.

    Raises
    ------
    ProbabilityError
        Wrong shape, NaN, rows that do not sum to 1, or no Probabilities beside a dataset.
    InputError
        An option is unknown or out of its range.

    Notes
    -----
    Not label errors. A label error is a row where one class is clearly likely and it is not the
    given one: relabelling it helps. An ambiguous row has no clearly likely class: either label is
    about as good, the score does not depend on the one it has, and what helps is a better
    definition of the classes, two labels, or a lower weight.

    Probabilities are calibrated by one temperature, with which given labels are most likely [1]_;
    the order of classes within a row stays. Wrong labels raise the temperature, which makes all
    rows look somewhat less sure. Without a column that gives vectors, with plain labels, or where
    no neighbour of a row has a label, the score is `a`. Rows without probabilities are left out
    and counted in ``provenance``. Takes one graph of neighbours, which other analyses share, and
    O(n_rows · (n_classes + k²)). Deterministic.

    References
    ----------
    .. [1] Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks. ICML.

    Examples
    --------
    >>> import burnish as bn
    >>> probs = [[0.9, 0.1], [0.1, 0.9], [0.52, 0.48], [0.8, 0.2]]
    >>> bn.find.ambiguous([0, 1, 1, 0], probs).keys.tolist()
    [2]
    """
    k, seed = checked_k(k, K), checked_seed(seed)
    check_metric(metric)
    check_min_score(min_score, "0.5")
    table = _of_dataset(ds, probs) if hasattr(ds, "roles") else _of_arrays(ds, probs)
    temperature = fitted_temperature(table.values, table.codes)
    sure = _Lead.of(tempered(table.values, temperature))
    lead, facts = _lead_of_neighbours(ds, table, k, metric, seed)
    scores = np.where(
        np.isnan(lead), 1 - sure.margin, np.sqrt((1 - sure.margin) * (1 - np.nan_to_num(lead)))
    )
    facts = {"made_by": "ambiguous", "min_score": min_score, "temperature": temperature, **facts}
    return _findings(table, np.clip(scores, 0, 1), sure, lead, {**table.source, **facts})


Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Table:
    keys: KeyArray
    values: Array
    labels: KeyArray
    codes: npt.NDArray[np.intp]
    classes: KeyArray
    evidence: Probabilities
    source: dict[str, Any]


@dataclass(frozen=True, eq=False)
class _Lead:
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    margin: Array
    entropy: Array

    @classmethod
    def of(cls, values: Array) -> _Lead:
        n_classes = values.shape[1]
        order = np.argsort(-values, axis=1, kind="stable")
        first, second = order[:, 0], order[:, min(1, n_classes - 1)]
        rows = np.arange(len(values))
        lead = values[rows, first] - (values[rows, second] if n_classes > 1 else 0.0)
        logs = np.log(np.where(values > 0, values, 1.0))
        entropy = -(values * logs).sum(axis=1) / np.log(max(n_classes, 2))
        return cls(first, second, np.clip(lead, 0, 1), np.clip(entropy, 0, 1))


def _of_dataset(ds: Any, probs: Any) -> _Table:
    if not isinstance(probs, Probabilities):
        raise ProbabilityError(
            f"probs is a {type(probs).__name__}, expected bn.Probabilities, which carry keys",
            hint="bn.Probabilities(values, keys=ds.keys, classes=ds.classes)",
        )
    order = key_order(ds.keys)
    keys = ds.keys[order]
    labels = role_values(ds, "label")
    known = set(probs.keys)
    covered = np.array([key in known for key in keys], dtype=bool)
    if len(keys) and not covered.any():
        raise ProbabilityError(
            f"the probabilities are for other keys: {shorten(probs.keys)}, the dataset holds "
            f"{shorten(keys)}",
            hint="compute them on this dataset: bn.cross_val_probabilities(ds, estimator)",
        )
    given = key_array([None] * len(keys)) if labels is None else labels[order]
    source = {
        **read_from(ds),
        "n_without_probabilities": int((~covered).sum()),
    }
    return _table(keys[covered], given[covered], probs, source)


def _of_arrays(given: Any, probs: Any) -> _Table:
    labels = single_labels(given)
    if not isinstance(probs, Probabilities):
        values = as_numbers(probs)
        n_rows, n_classes = values.shape if values.ndim == 2 else (len(labels), 0)
        probs = Probabilities(values, range(n_rows), range(n_classes))
    if len(probs) != len(labels):
        raise ProbabilityError(
            f"there are {len(labels)} labels and {len(probs)} rows of probabilities",
            hint="pass one row of probabilities for each label, in the same order",
        )
    return _table(probs.keys, labels, probs, {})


def _table(keys: KeyArray, labels: KeyArray, probs: Probabilities, source: Any) -> _Table:
    place = {name: i for i, name in enumerate(probs.classes)}
    null = is_null(labels)
    codes = np.array(
        [-1 if no else place.get(x, -1) for x, no in zip(labels, null, strict=True)], dtype=np.intp
    )
    names = key_array(probs.classes)
    values = probs.align(keys).astype(np.float64)
    given = key_array([None if no else x for x, no in zip(labels, null, strict=True)])
    return _Table(keys, values, given, codes, names, probs, dict(source))


def _lead_of_neighbours(
    ds: Any, table: _Table, k: int, metric: Metric, seed: int
) -> tuple[Array, dict[str, Any]]:
    lead = np.full(len(table.keys), np.nan)
    if not any(getattr(ds, "roles", {}).get(role) for role in VECTOR_ROLES):
        return lead, {"neighbours": None, "n_without_votes": len(lead)}
    graph = neighbours(ds, k, metric, seed)
    place = {key: i for i, key in enumerate(graph.keys)}
    rows = np.array([place[key] for key in table.keys], dtype=np.intp)
    labels = role_values(ds, "label")
    codes = np.full(len(graph.keys), -1, dtype=np.intp)
    if labels is not None:
        given = labels[key_order(ds.keys)]
        names = {name: i for i, name in enumerate(dict.fromkeys(given[~is_null(given)]))}
        codes[:] = [names.get(label, -1) if label is not None else -1 for label in given]
    votes = votes_on(graph, codes)
    voted = votes.voters[rows] > 0
    lead[voted] = (votes.share - votes.second)[rows][voted]
    facts = {"k": k, "metric": metric, "neighbours": dict(graph.provenance)}
    return lead, {**facts, "n_without_votes": int((~voted).sum())}


def _findings(
    table: _Table, scores: Array, sure: _Lead, lead: Array, facts: dict[str, Any]
) -> Findings:
    found = np.flatnonzero(scores >= facts["min_score"])
    nothing = key_array([None] * len(found))
    return Findings(
        CODE,
        table.keys[found],
        scores[found],
        table.labels[found],
        nothing,
        {**facts, "n_rows": len(table.keys)},
        table.evidence,
        len(table.keys),
        {
            "first": table.classes[sure.first[found]],
            "second": table.classes[sure.second[found]],
            "margin": key_array(sure.margin[found]),
            "entropy": key_array(sure.entropy[found]),
            "neighbour_margin": key_array([None if np.isnan(x) else float(x) for x in lead[found]]),
        },
    )
