"""Labels that do harm to a nearest-neighbour classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import key_array
from burnish.errors import InputError
from burnish.model.distances import Metric, Space, check_metric, has_direction
from burnish.model.labelled import Labelled, labelled
from burnish.model.options import check_min_score, checked_k, checked_seed
from burnish.model.reading import key_order, rows_in_split
from burnish.model.shapley import Values, shapley_values
from burnish.model.vectors import given_vectors, row_vectors

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "harmful-label"
READS = ("label", "vectors")


def knn_shapley(
    ds: Reading | Any,
    labels: Any = None,
    *,
    k: int = 10,
    metric: Metric = "euclidean",
    judges: str | None = None,
    min_score: float | None = None,
    seed: int = 0,
) -> Findings:
    """Find rows that make a nearest-neighbour classifier worse, by their exact Shapley value.

    Parameters
    ----------
    ds : Dataset, Snapshot, or array of shape (n_rows, n_numbers)
        Rows with labels and an embedding, features, images or text. An array has keys 0 … n-1.
    labels : sequence of length n_rows, optional
        The labels, with an array only.
    k : int, default 10
        Neighbours of the classifier, at least 1.
    metric : {"euclidean", "cosine"}, default "euclidean"
        How near is measured.
    judges : str, optional
        A split whose rows the classifier made of all other rows is scored on: these other rows
        are valued then. By default each row in turn is the judge of all others.
    min_score : float, optional
        Return all rows that score at least this, in [0, 1]; by default those of negative value.
    seed : int, default 0
        For the reduction of text.

    Returns
    -------
    Findings
        With v the value of a row relative to an equal share of a classifier that is always right,
        the score is ``(1 - v / (1 + |v|)) / 2``: 0.25 for a row that is worth such a share, 0.5
        for one that is worth nothing, above for one that does harm. The suggestion is the label
        with which the row would be worth most, None where that is the given one. Details:
        ``value``, the Shapley value v, and ``value_if_changed``, what v would be with that label.

    Raises
    ------
    InputError
        No label role, nothing that gives vectors, an unknown split or metric, or an option out
        of its range.

    Notes
    -----
    The Shapley value of a row is what it adds on average to the share of right votes among the k
    nearest, over all orders in which the rows can come; values sum to that share. It sees rows
    that `knn_vote` does not: one that misleads its neighbours although few of them vote on it.
    Values are relative to the labels of the judges, so where these are wrong as well they blur;
    give clean rows as ``judges`` where there are some.

    Exact, not truncated. Takes O(n² · (log n + d)) time for n rows of d numbers, 5 s for 10,000
    rows against as many on two cores, in blocks of a few MB: no graph is used, because every row
    counts. 100,000 rows take some ten minutes. Rows without a label or a vector take no part and
    are counted in ``provenance``. Deterministic.

    References
    ----------
    Jia, Dao, Wang, Hubis, Gurel, Li, Zhang, Spanos and Song (2019), Efficient task-specific data
    valuation for nearest neighbor algorithms. PVLDB 12. Ghorbani and Zou (2019), Data Shapley.
    ICML.

    Examples
    --------
    >>> import burnish as bn
    >>> vectors = [[x] for x in (0, 1, 2, 3, 4, 5, 50, 51, 52)]
    >>> found = bn.find.knn_shapley(vectors, list("aaabaa") + list("bbb"), k=2)
    >>> found[0].key, found[0].suggestion
    (3, 'a')
    """
    k, seed = checked_k(k, 10), checked_seed(seed)
    check_metric(metric)
    if min_score is not None:
        check_min_score(min_score, "rows of negative value")
    rows = labelled(ds, labels)
    vectors = _vectors(ds, seed)
    there = has_direction(vectors, metric)
    kept = np.flatnonzero(there & (rows.codes >= 0))
    judging = _judging(ds, judges)
    values = shapley_values(
        Space.of(vectors[kept], metric),
        rows.codes[kept],
        k,
        None if judging is None else judging[kept],
    )
    facts = {
        "made_by": "knn_shapley",
        "k": k,
        "metric": metric,
        "judges": judges,
        "min_score": min_score,
        "seed": seed,
        **rows.source,
        "n_null_labels": rows.n_null_labels,
        "n_without_vector": int((~there).sum()),
        "n_judges": len(kept) if judging is None else int(judging[kept].sum()),
    }
    return _findings(rows, kept, values, min_score, facts)


def _vectors(ds: Reading | Any, seed: int) -> npt.NDArray[np.float64]:
    if hasattr(ds, "roles"):
        return row_vectors(ds, seed).values[key_order(ds.keys)]
    return given_vectors(ds)


def _judging(ds: Reading | Any, split: str | None) -> npt.NDArray[np.bool_] | None:
    if split is None:
        return None
    if not hasattr(ds, "roles"):
        raise InputError(
            f"judges={split!r} names a split, but an array has none",
            hint="create a dataset with bn.create(…, split='split')",
        )
    return rows_in_split(ds, split, "judges")[key_order(ds.keys)]


def _findings(
    rows: Labelled,
    kept: npt.NDArray[np.intp],
    found: Values,
    min_score: float | None,
    facts: dict[str, Any],
) -> Findings:
    valued = np.isfinite(found.values)
    n_valued = int(valued.sum())
    share = found.values * n_valued
    scores = np.where(valued, (1 - share / (1 + np.abs(share))) / 2, 0.0)
    chosen = np.flatnonzero(valued & (scores > 0.5 if min_score is None else scores >= min_score))
    best = np.where(found.best == rows.codes[kept], -1, found.best)[chosen]
    place = kept[chosen]
    return Findings(
        CODE,
        rows.keys[place],
        scores[chosen],
        rows.labels[place],
        rows.names(best),
        {**facts, "n_rows": n_valued},
        n_rows=n_valued,
        details={
            "value": key_array(share[chosen]),
            "value_if_changed": key_array(share[chosen] + n_valued * found.gain[chosen]),
        },
    )
