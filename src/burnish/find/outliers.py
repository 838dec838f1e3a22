"""Rows that lie apart from all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import key_array
from burnish.model.distances import Metric
from burnish.model.neighbours import Neighbours, neighbours
from burnish.model.options import check_min_score
from burnish.model.reading import read_from

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "outlier"
READS = ("vectors",)
WIDTH = 3.0


def outliers(
    ds: Reading | Any,
    *,
    k: int = 15,
    metric: Metric = "euclidean",
    min_score: float = 0.8,
    seed: int = 0,
) -> Findings:
    """Find rows that lie farther from their neighbours than these lie from theirs.

    Parameters
    ----------
    ds : Dataset, Snapshot, or array of shape (n_rows, n_numbers)
        Rows with an embedding, features, images or text. An array has keys 0 … n-1.
    k : int, default 15
        How many neighbours a row is compared with, at least 1.
    metric : {"euclidean", "cosine"}, default "euclidean"
        How near is measured.
    min_score : float, default 0.8
        Return rows that score at least this, in [0, 1].
    seed : int, default 0
        For the reduction of text, and the search in large datasets.

    Returns
    -------
    Findings
        The score is the local outlier probability: comparable between datasets and embeddings,
        because distances are taken relative to those of the neighbours, and these ratios relative
        to their spread over all rows. 0 is as dense as its surroundings. Nothing is suggested.
        Details: ``distance``, the root mean squared distance to the neighbours, and ``ratio``, how
        many times that of the neighbours it is.

    Raises
    ------
    InputError
        Nothing that gives vectors, or an unknown option.

    Notes
    -----
    With σ(x) the root mean squared distance of a row to its k neighbours,
    ``PLOF = σ(x) / mean of σ over its neighbours - 1``, and the score is
    ``max(0, erf(PLOF / (3 · √2 · root mean square of PLOF)))``. A PLOF of 2.0
    of those root mean squares scores 0.5, one of 3.8 scores 0.8. Of rows drawn from one normal
    distribution about 1 in 20 scores above 0.5.

    An outlier is rare, not wrong: look before you drop it. A group of more than ``k`` outliers
    that lie together is not found, and copies of an outlier hide it; look for duplicates first.
    Rows without a vector are left out and counted in ``provenance``. Takes one graph of
    neighbours, which other analyses share, and O(n_rows · k). Deterministic.

    References
    ----------
    Kriegel, Kröger, Schubert and Zimek (2009), LoOP: local outlier probabilities. CIKM. Breunig,
    Kriegel, Ng and Sander (2000), LOF: identifying density-based local outliers. SIGMOD.

    Examples
    --------
    >>> import burnish as bn
    >>> vectors = [[x / 10, y / 10] for x in range(5) for y in range(5)] + [[3.0, 3.0]]
    >>> bn.find.outliers(vectors, k=5).keys.tolist()
    [25]
    """
    check_min_score(min_score, "0.8")
    graph = neighbours(ds, k, metric, seed)
    known = graph.has_vector
    spread, ratio = _ratios(graph)
    scores = _probabilities(ratio, known)
    found = np.flatnonzero(known & (scores >= min_score))
    nothing = key_array([None] * len(found))
    source = read_from(ds) if hasattr(ds, "roles") else {}
    facts = {
        "made_by": "outliers",
        "k": k,
        "metric": metric,
        "min_score": min_score,
        **source,
        "n_rows": int(known.sum()),
        "n_without_vector": int((~known).sum()),
        "neighbours": dict(graph.provenance),
    }
    return Findings(
        CODE,
        graph.keys[found],
        scores[found],
        nothing,
        nothing,
        facts,
        n_rows=int(known.sum()),
        details={"distance": key_array(spread[found]), "ratio": key_array(ratio[found])},
    )


Array = npt.NDArray[np.float64]


def _ratios(graph: Neighbours) -> tuple[Array, Array]:
    """Return each row's distance to its neighbours, and how many times theirs it is."""
    count = np.maximum(graph.known.sum(axis=1), 1)
    far = np.where(graph.known, graph.distances, 0.0).astype(np.float64)
    spread = np.sqrt((far**2).sum(axis=1) / count)
    around = np.where(graph.known, spread[graph.indices] if len(spread) else 0.0, 0.0)
    typical = around.sum(axis=1) / count
    least = spread[spread > 0].min(initial=np.inf)
    floor = least if np.isfinite(least) else 1.0
    return spread, np.maximum(spread, floor) / np.maximum(typical, floor)


def _probabilities(ratio: Array, known: npt.NDArray[np.bool_]) -> Array:
    from scipy.special import erf

    excess = np.where(known, ratio - 1, 0.0)
    scale = WIDTH * np.sqrt((excess**2).sum() / max(int(known.sum()), 1))
    if scale == 0:
        return np.zeros(len(ratio))
    return np.asarray(np.maximum(0.0, erf(excess / (scale * np.sqrt(2)))))
