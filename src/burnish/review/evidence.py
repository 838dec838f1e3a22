"""Why a row was flagged, and what else is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.core.finding import Findings
from burnish.dataset.rows import ordinals_of
from burnish.errors import InputError
from burnish.model.options import checked_k
from burnish.model.reading import check_reading
from burnish.review.grounds import gather
from burnish.review.lines import View, lay_out
from burnish.review.value import Evidence

if TYPE_CHECKING:
    from burnish.dataset import Dataset
    from burnish.dataset.snapshot import Snapshot


def evidence(ds: Dataset | Snapshot, issues: Findings, rows: Any = None, k: int = 10) -> Evidence:
    """Return what speaks for and against findings: what a person needs to judge them.

    Parameters
    ----------
    ds : Dataset or Snapshot
        The rows as they are now.
    issues : Findings
        What was flagged, for example by ``bn.find.label_issues``.
    rows : key, sequence of keys, Selection, Slice or Findings, optional
        Which rows, flagged or not; all that were flagged by default.
    k : int, default 10
        How many neighbours to show for a row, at least 1.

    Returns
    -------
    Evidence
        For each row its nearest neighbours with their labels, how often the model mistakes the
        one class for the other, its duplicates, the model's margin, and earlier decisions.

    Raises
    ------
    InputError
        `issues` are no Findings, or `k` is no whole number of at least 1.
    KeysError
        A row is unknown.

    Notes
    -----
    What is not there, such as neighbours where no role can be turned into vectors, is said in
    the part's ``absent`` and is no error.

    ``similarity`` is 1 / (1 + d / m), where d is the distance and m the median distance of a row
    to its tenth neighbour: 1 is the same place, 0.5 as far as is typical for the data.

    ``rate`` is the share of the rows labelled `given` that confident learning counts as
    `suggestion` [1]_, of those of the class that it can count at all, with a Wilson interval at
    95 % [2]_ of the counting; what the model gets wrong in a systematic way is not in it. It is
    of the labels when the rows were flagged, so it stands still during a review. ``accepted``
    and ``kept`` count the last decisions on the rows flagged with that pair.

    ``margin`` is the probability of the given label minus that of the likeliest other class, in
    [-1, 1]; below 0 the model prefers another.

    Neighbours and duplicates of all rows are computed the first time and shared after that; a
    relabel does not make them again. Then a row costs a few milliseconds, however many rows there
    are. Deterministic.

    References
    ----------
    .. [1] Northcutt, Jiang and Chuang (2021), Confident Learning: Estimating Uncertainty in
       Dataset Labels. JAIR 70.
    .. [2] Wilson (1927), Probable inference, the law of succession, and statistical inference.
       JASA 22.

    Examples
    --------
    >>> import burnish as bn
    >>> frame = {"id": list("abcdef"), "x": [0.0, 0.1, 0.2, 5.0, 5.1, 5.2],
    ...          "pet": ["cat", "cat", "dog", "dog", "dog", "dog"]}
    >>> ds = bn.create(None, frame, key="id", label="pet", features=["x"])
    >>> probs = bn.Probabilities([[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 3, ds.keys, ["cat", "dog"])
    >>> issues = bn.find.label_issues(ds, probs)
    >>> found = bn.evidence(ds, issues, "c", k=2)
    >>> found.neighbours.frame()[["neighbour", "label"]].values.tolist()
    [['b', 'cat'], ['a', 'cat']]
    >>> ds.close()
    """
    check_reading(ds)
    if not isinstance(issues, Findings):
        raise InputError(
            f"expected Findings, got {type(issues).__name__}",
            hint="issues = bn.find.label_issues(ds, probs); groups have .extras()",
        )
    k = checked_k(k, 10)
    ordinals = ordinals_of(ds.state, issues if rows is None else rows, dropped=True)
    return lay_out(View.of(ds), issues, gather(ds, issues, k), ordinals, k)
