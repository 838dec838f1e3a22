"""Labels that the nearest neighbours outvote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.core.finding import Findings
from burnish.core.keys import key_array
from burnish.errors import InputError
from burnish.model.distances import Metric
from burnish.model.labelled import Labelled, labelled
from burnish.model.neighbours import neighbours
from burnish.model.options import check_min_score
from burnish.model.votes import WEIGHTS, Votes, Weights, votes_on

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "outvoted-label"
READS = ("label", "vectors")


def knn_vote(
    ds: Reading | Any,
    labels: Any = None,
    *,
    k: int = 15,
    weights: Weights = "uniform",
    metric: Metric = "euclidean",
    min_score: float | None = None,
    seed: int = 0,
) -> Findings:
    """Find rows whose label is not that of their nearest neighbours.

    Parameters
    ----------
    ds : Dataset, Snapshot, or array of shape (n_rows, n_numbers)
        Rows with labels and an embedding, features, images or text. An array has keys 0 … n-1.
    labels : sequence of length n_rows, optional
        The labels, with an array only.
    k : int, default 15
        How many neighbours vote, at least 1.
    weights : {"uniform", "distance"}, default "uniform"
        Whether each vote counts the same, or by the inverse of its distance.
    metric : {"euclidean", "cosine"}, default "euclidean"
        How near is measured.
    min_score : float, optional
        Return all rows that score at least this, in [0, 1]; by default those whose label loses
        the vote.
    seed : int, default 0
        For the reduction of text, and the search in large datasets.

    Returns
    -------
    Findings
        The score is the share of the vote that is against the given label: 1 where no neighbour
        has it. The suggestion is the class that wins, None where that is the given one. Details:
        ``winner_share`` and ``n_votes``.

    Raises
    ------
    InputError
        No label role, nothing that gives vectors, or an unknown option.

    Notes
    -----
    A second opinion on `label_issues` that needs no model and no probabilities. It is as good as
    the embedding: rows of different classes that lie together outvote each other, and a class of
    fewer than ``k / 2`` rows loses every vote. Wrong labels that come in clusters confirm each
    other.

    Rows without a label do not vote and are left out, like rows without a vector; both are
    counted in ``provenance``. A tie is won by the given label, then by the class of the nearest
    neighbour. Takes one graph of neighbours, which other analyses share (see
    `burnish.model.neighbours.neighbours`), and O(n_rows · k²). Deterministic.

    References
    ----------
    Wilson (1972), Asymptotic properties of nearest neighbor rules using edited data. IEEE
    Transactions on Systems, Man, and Cybernetics 2. Dudani (1976), The distance-weighted
    k-nearest-neighbor rule, ibid. 6.

    Examples
    --------
    >>> import burnish as bn
    >>> vectors = [[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]]
    >>> bn.find.knn_vote(vectors, ["a", "a", "b", "b", "b", "b"], k=2)[0]
    Finding(code='outvoted-label', key=2, score=1.0, given='b', suggestion='a')
    """
    if weights not in WEIGHTS:
        raise InputError(
            f"weights={weights!r}, expected one of {', '.join(map(repr, WEIGHTS))}",
            hint="leave it out for 'uniform'",
        )
    if min_score is not None:
        check_min_score(min_score, "rows whose label loses the vote")
    rows = labelled(ds, labels)
    graph = neighbours(ds, k, metric, seed)
    votes = votes_on(graph, rows.codes, weights)
    facts = {
        "made_by": "knn_vote",
        "k": k,
        "weights": weights,
        "metric": metric,
        "min_score": min_score,
        **rows.source,
        "neighbours": dict(graph.provenance),
    }
    return _findings(rows, votes, min_score, facts)


def _findings(
    rows: Labelled, votes: Votes, min_score: float | None, facts: dict[str, Any]
) -> Findings:
    judged = (rows.codes >= 0) & (votes.voters > 0)
    scores = np.clip(1 - votes.own, 0, 1)
    loses = votes.winner != rows.codes
    found = np.flatnonzero(judged & (loses if min_score is None else scores >= min_score))
    suggested = np.where(loses, votes.winner, -1)
    facts |= {
        "n_rows": int(judged.sum()),
        "n_null_labels": rows.n_null_labels,
        "n_without_votes": int(((rows.codes >= 0) & (votes.voters == 0)).sum()),
    }
    return Findings(
        CODE,
        rows.keys[found],
        scores[found],
        rows.labels[found],
        rows.names(suggested[found]),
        facts,
        n_rows=int(judged.sum()),
        details={
            "winner_share": key_array(votes.share[found]),
            "n_votes": key_array(votes.voters[found]),
        },
    )
