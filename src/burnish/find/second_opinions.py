"""Several analyses of the same rows side by side, in one order."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array
from burnish.errors import InputError
from burnish.model.options import checked_seed
from burnish.model.reading import is_null, key_order

CODE = "second-opinion"
READS = ("issues",)
RESAMPLES = 200
CONFIDENCE = 0.95


def second_opinions(
    issues: Findings | Mapping[str, Findings], *others: Findings, seed: int = 0
) -> Findings:
    """Rank rows by what several analyses say about them.

    Parameters
    ----------
    issues : Findings, or mapping of str to Findings
        The first opinion, such as that of `label_issues`; or all of them by name.
    *others : Findings
        Further opinions about the same rows, such as those of `knn_vote` and `knn_shapley`. They
        are named by ``provenance["made_by"]``, or their code.
    seed : int, default 0
        For the intervals of the agreement.

    Returns
    -------
    Findings
        All rows that some opinion lists. The score is ``1 - mean rank / (n_rows - 1)`` with ranks
        from 0: 1 is the first in every opinion. The suggestion is the one that most opinions
        make, the earliest of them in a tie. Details: for each opinion NAME ``NAME_score`` and
        ``NAME_rank`` (from 1; None where it does not list the row), and ``n_agree``, how many
        make that suggestion. ``provenance["agreement"]`` holds for each pair of opinions
        Kendall's ``tau`` of their orders over the rows that either lists, with a bootstrap
        interval ``low`` to ``high`` (95 %), and ``overlap``, the share of these rows that both
        list.

    Raises
    ------
    InputError
        Fewer than two opinions, two of one name, one that is no Findings, or a seed below 0.

    Notes
    -----
    Ranks, because scores of different analyses have no common scale: only their order can be
    compared. Their mean (Borda's count), because of all orders it has the smallest sum of squared
    rank differences to those given, it needs no weights, and one opinion cannot put a row first
    against all others. Tied rows share the mean of their ranks, and so do all rows that an opinion
    does not list: they come last, together.

    Opinions that read the same embedding are not independent; agreement of two of them counts for
    less than agreement with one that reads something else. Rank complete lists where you can
    (``min_score=0``): a list of flagged rows only says nothing about the order of the rest.

    O(m · n · log n) time for m opinions of n rows, and 200 times that for the intervals.
    Deterministic.

    References
    ----------
    Borda (1781), Mémoire sur les élections au scrutin. Dwork, Kumar, Naor and Sivakumar (2001),
    Rank aggregation methods for the Web. WWW. Kendall (1945), The treatment of ties in ranking
    problems. Biometrika 33.

    Examples
    --------
    >>> import burnish as bn
    >>> from burnish.core.finding import Findings
    >>> one = Findings("one", ["a", "b", "c"], [0.9, 0.8, 0.1], ["x"] * 3, ["y"] * 3)
    >>> two = Findings("two", ["b", "a", "c"], [0.7, 0.2, 0.1], ["x"] * 3, ["z", "y", "y"])
    >>> both = bn.find.second_opinions({"one": one, "two": two})
    >>> both.frame()[["key", "score", "one_rank", "two_rank"]].values.tolist()
    [['a', 0.75, 1.0, 2.0], ['b', 0.75, 2.0, 1.0], ['c', 0.0, 3.0, 3.0]]
    """
    seed = checked_seed(seed)
    opinions = _named(issues, others)
    keys = _union(opinions.values())
    n_rows = max(len(keys), *(found.n_rows or 0 for found in opinions.values()))
    listed = {name: _Listed.of(found, keys) for name, found in opinions.items()}
    ranks = np.stack([each.all_ranks(n_rows) for each in listed.values()])
    scores = 1 - (ranks.mean(axis=0) - 1) / max(n_rows - 1, 1)
    given, suggested, n_agree = _labels(opinions, keys)
    details = {"n_agree": n_agree}
    for name, each in listed.items():
        details[f"{name}_score"] = each.shown(each.scores)
        details[f"{name}_rank"] = each.shown(each.ranks)
    facts = {
        "made_by": "second_opinions",
        "opinions": {name: dict(found.provenance) for name, found in opinions.items()},
        "agreement": _agreement(listed, n_rows, seed),
        "n_rows": n_rows,
        "seed": seed,
    }
    evidence = next((f.probabilities for f in opinions.values() if f.probabilities), None)
    return Findings(
        CODE, keys, np.clip(scores, 0, 1), given, suggested, facts, evidence, n_rows, details
    )


Array = npt.NDArray[np.float64]


class _Listed(NamedTuple):
    """What one opinion says of the rows of all of them."""

    there: npt.NDArray[np.bool_]
    scores: Array
    ranks: Array

    @classmethod
    def of(cls, found: Findings, keys: KeyArray) -> _Listed:
        from scipy.stats import rankdata

        place = found.ranks
        at = np.array([place.get(key, -1) for key in keys], dtype=np.intp)
        there = at >= 0
        scores, ranks = np.full(len(keys), np.nan), np.full(len(keys), np.nan)
        if len(found):
            scores[there] = found.scores[at[there]]
            ranks[there] = rankdata(-found.scores, method="average")[at[there]]
        return cls(there, scores, ranks)

    def all_ranks(self, n_rows: int) -> Array:
        n_listed = int(self.there.sum())
        return np.where(self.there, self.ranks, (n_listed + 1 + n_rows) / 2)

    def shown(self, values: Array) -> KeyArray:
        return key_array(
            [float(x) if here else None for x, here in zip(values, self.there, strict=True)]
        )


def _named(issues: Any, others: Sequence[Any]) -> dict[str, Findings]:
    given = list(issues.items()) if isinstance(issues, Mapping) else [(None, issues)]
    pairs = [*given, *((None, each) for each in others)]
    strange = [type(each).__name__ for _, each in pairs if not isinstance(each, Findings)]
    if strange or len(pairs) < 2:
        raise InputError(
            f"{len(pairs)} opinions, {len(strange)} of them no findings ({', '.join(strange)}), "
            "expected at least two Findings",
            hint="bn.find.second_opinions(bn.find.label_issues(ds, probs), bn.find.knn_vote(ds))",
        )
    named = [(name or str(f.provenance.get("made_by", f.code)), f) for name, f in pairs]
    if len(dict(named)) < len(named):
        raise InputError(
            f"opinions are named {', '.join(name for name, _ in named)}, expected different names",
            hint="pass a mapping: bn.find.second_opinions({'k=5': one, 'k=15': other})",
        )
    return dict(named)


def _union(opinions: Any) -> KeyArray:
    keys = key_array(dict.fromkeys(key for found in opinions for key in found.keys))
    return keys[key_order(keys)]


def _labels(
    opinions: Mapping[str, Findings], keys: KeyArray
) -> tuple[KeyArray, KeyArray, KeyArray]:
    place = {key: i for i, key in enumerate(keys)}
    given: list[Any] = [None] * len(keys)
    votes: list[dict[Any, list[Any]]] = [{} for _ in keys]
    for found in opinions.values():
        for key, now, to in zip(found.keys, found.given, found.suggestions, strict=True):
            i = place[key]
            given[i] = now if given[i] is None else given[i]
            if not is_null(key_array([to]))[0]:
                votes[i].setdefault(_name(to), []).append(to)
    most: list[list[Any]] = [max(v.values(), key=len, default=[]) for v in votes]
    suggested = [same[0] if same else None for same in most]
    n_agree = [len(same) for same in most]
    return key_array(given), key_array(suggested), key_array(n_agree)


def _name(suggestion: Any) -> Any:
    """Return what equal suggestions share: themselves, or the text of a box or a list."""
    return suggestion if isinstance(suggestion, Hashable) else repr(suggestion)


def _agreement(listed: Mapping[str, _Listed], n_rows: int, seed: int) -> list[dict[str, Any]]:
    pairs = combinations(listed.items(), 2)
    return [
        {"between": [one, other], **_of_pair(mine, theirs, n_rows, seed)}
        for (one, mine), (other, theirs) in pairs
    ]


def _of_pair(one: _Listed, other: _Listed, n_rows: int, seed: int) -> dict[str, Any]:
    either, both = one.there | other.there, one.there & other.there
    x, y = one.all_ranks(n_rows)[either], other.all_ranks(n_rows)[either]
    random = np.random.default_rng(seed)
    draws = (random.integers(0, len(x), len(x)) for _ in range(RESAMPLES if len(x) else 0))
    taus = np.array([_tau(x[draw], y[draw]) for draw in draws])
    taus = taus[np.isfinite(taus)]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(taus, [tail, 1 - tail]) if len(taus) else (np.nan, np.nan)
    return {
        "tau": _number(_tau(x, y)),
        "low": _number(low),
        "high": _number(high),
        "overlap": float(both.sum() / max(int(either.sum()), 1)),
        "n_rows": int(either.sum()),
    }


def _tau(x: Array, y: Array) -> float:
    from scipy.stats import kendalltau

    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(kendalltau(x, y).statistic)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
