"""Groups of alike items, out of buckets where alike items are likely to meet.

Candidates come from many bucketings of the same items; each pair is verified before it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Similarity = Callable[[Places, Places], Scores]

BUCKET_LIMIT = 100
PIVOT_FROM = 8
COMPLETE_UP_TO = 64
PIVOTS = 16
SLICE = 1 << 20


@dataclass(frozen=True)
class Links:
    """Verified pairs of alike items.

    Attributes
    ----------
    first, second : int array of shape (n_links,)
    similarity : array of shape (n_links,)
        In [threshold, 1].
    labels : int array of shape (n_items,)
        Equal where links lead from one item to the other.
    n_compared, n_skipped : int
        Pairs that were verified, and pairs of crowded buckets that were not.
    """

    first: Places
    second: Places
    similarity: Scores
    labels: Places
    n_compared: int
    n_skipped: int

    @property
    def counts(self) -> dict[str, int]:
        """How many pairs were compared, and how many of crowded buckets were not."""
        return {"n_compared": self.n_compared, "n_not_compared": self.n_skipped}


@dataclass(frozen=True)
class Stars:
    """Groups around a centre that each member is alike to.

    Attributes
    ----------
    owner : int array of shape (n_items,)
        The centre of each item's group, -1 where an item is in none.
    similarity : array of shape (n_items,)
        Of each item to its centre; 1 for centres.
    alone : int array
        Items that are alike to another one and are in no group.
    """

    owner: Places
    similarity: Scores
    alone: Places


def link(
    n_items: int,
    bucketings: Iterable[npt.NDArray[np.uint64]],
    similarity: Similarity,
    threshold: float,
    limit: int = BUCKET_LIMIT,
) -> Links:
    """Verify the pairs that share a bucket, and link those that are alike.

    Parameters
    ----------
    n_items : int
    bucketings : iterable of uint64 arrays of shape (n_items,)
        Items of one bucketing meet where their values are equal.
    similarity : callable
        Takes two arrays of places and returns their similarities, in [0, 1].
    threshold : float
        Least similarity of a link.
    limit : int
        With how many others of a bucket each item is compared at most.

    Returns
    -------
    Links

    Notes
    -----
    A pair that links already lead between is not verified again, so a bucket of *m* items that
    are all alike costs about *m*. Every pair that meets in a bucket within the limit and reaches
    the threshold ends up with equal ``labels``.
    """
    net = _Net(n_items, similarity, threshold)
    for values in bucketings:
        order = np.argsort(values, kind="stable")
        starts, stops = shared(values[order])
        net.try_pivots(order, starts, stops)
        net.try_all(order, starts, stops, limit)
    return net.links()


class _Net:
    def __init__(self, n_items: int, similarity: Similarity, threshold: float) -> None:
        self.similarity, self.threshold = similarity, threshold
        self.labels = np.arange(n_items, dtype=np.int64)
        self.found: list[tuple[Places, Places, Scores]] = []
        self.n_compared = self.n_skipped = 0

    def try_pivots(self, order: Places, starts: Places, stops: Places) -> None:
        large = stops - starts >= PIVOT_FROM
        starts, counts = starts[large], (stops - starts)[large] - 1
        pivots, offsets = _spread(starts, counts)
        self._verify(order[pivots], order[pivots + 1 + offsets])

    def try_all(self, order: Places, starts: Places, stops: Places, limit: int) -> None:
        places, offsets = _spread(starts, stops - starts)
        places += offsets
        members = order[places]
        bucket = np.repeat(np.arange(len(starts)), stops - starts)
        place = np.lexsort((members, self.labels[members], bucket))
        members, bucket = members[place], bucket[place]
        ends = _run_ends(bucket, self.labels[members])
        wanted = _run_ends(bucket) - ends
        counts = np.minimum(wanted, limit)
        self.n_skipped += int((wanted - counts).sum())
        for some in _slices(counts):
            left, offsets = _spread(np.arange(len(members))[some], counts[some])
            self._verify(members[left], members[ends[left] + offsets])

    def _verify(self, left: Places, right: Places) -> None:
        apart = self.labels[left] != self.labels[right]
        left, right = left[apart], right[apart]
        self.n_compared += len(left)
        if not len(left):
            return
        scores = self.similarity(left, right)
        alike = scores >= self.threshold
        if alike.any():
            self.found.append((left[alike], right[alike], scores[alike]))
            self.labels = _joined(self.labels, left[alike], right[alike])

    def links(self) -> Links:
        none: tuple[Places, Places, Scores] = (
            np.empty(0, np.int64),
            np.empty(0, np.int64),
            np.empty(0),
        )
        parts = zip(none, *self.found, strict=True)
        first, second, scores = (np.concatenate(part) for part in parts)
        return Links(first, second, scores, self.labels, self.n_compared, self.n_skipped)


def shared(values: npt.NDArray[Any]) -> tuple[Places, Places]:
    """Return where the runs of equal values start and stop, those of at least two."""
    edges = np.flatnonzero(values[1:] != values[:-1]) + 1
    bounds = np.concatenate([[0], edges, [len(values)]]).astype(np.int64)
    starts, stops = bounds[:-1], bounds[1:]
    several = stops - starts > 1
    return starts[several], stops[several]


def _spread(starts: Places, counts: Places) -> tuple[Places, Places]:
    """Repeat each start, beside 0, 1, … up to its count."""
    total = int(counts.sum())
    before = np.cumsum(counts) - counts
    return np.repeat(starts, counts), np.arange(total) - np.repeat(before, counts)


def _run_ends(*columns: Places) -> Places:
    n = len(columns[0])
    if not n:
        return np.empty(0, np.int64)
    new = np.zeros(n, dtype=bool)
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(new)
    ends = np.append(starts, n)
    return ends[np.searchsorted(starts, np.arange(n), side="right")]


def _slices(counts: Places) -> Iterator[slice]:
    total = np.cumsum(counts)
    n_slices = int(total[-1] // SLICE) + 1 if len(total) else 0
    cuts = np.searchsorted(total, np.arange(1, n_slices) * SLICE)
    bounds = np.unique(np.concatenate([[0], cuts, [len(counts)]])).tolist()
    return (slice(a, b) for a, b in pairwise(bounds))


def _joined(labels: Places, left: Places, right: Places) -> Places:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = (labels[left], labels[right])
    shape = (len(labels), len(labels))
    graph = coo_array((np.ones(len(left), np.int8), edges), shape=shape)
    merged = np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
    return np.asarray(merged[labels])


def labels_of_links(n_items: int, first: Places, second: Places) -> Places:
    """Return for each item the number of the component that links put it in."""
    return _joined(np.arange(n_items, dtype=np.int64), first, second)


def stars(links: Links, similarity: Similarity, threshold: float) -> Stars:
    """Split what links lead between into groups whose members are all alike to one centre.

    Parameters
    ----------
    links : Links
    similarity : callable
        As for `link`.
    threshold : float
        Least similarity of a member to its centre.

    Returns
    -------
    Stars

    Notes
    -----
    Links chain: *a* may be alike to *b* and *b* to *c* while *a* and *c* are not alike. Items are
    taken by falling number of links (then by place); each that is free becomes a centre and takes
    the free items that it is linked to. One that finds all of them taken takes over the most
    similar that is no centre, where that leaves a group of two. Of up to 64 items that are linked
    all pairs are verified first, of more those with their 16 best-linked items.
    """
    size = len(links.labels)
    first, second, scores = _completed(links, similarity, threshold)
    if not len(first):
        return Stars(np.full(size, -1, np.int64), np.ones(size), np.empty(0, np.int64))
    graph = _Graph(size, first, second, scores)
    owner, own = np.full(size, -1, np.int64), np.ones(size)
    late = [i for i in graph.by_degree() if owner[i] < 0 and not _take(graph, owner, own, i)]
    members = np.bincount(owner[owner >= 0], minlength=size)
    alone = [i for i in late if owner[i] < 0 and not _take_over(graph, owner, own, members, i)]
    return Stars(owner, own, np.array([i for i in alone if owner[i] < 0], np.int64))


class _Graph:
    def __init__(self, size: int, first: Places, second: Places, scores: Scores) -> None:
        ends, others = np.concatenate([first, second]), np.concatenate([second, first])
        order = np.lexsort((others, ends))
        self.others, self.scores = others[order], np.concatenate([scores, scores])[order]
        self.degree = np.bincount(ends, minlength=size)
        self.stops = np.cumsum(self.degree)

    def by_degree(self) -> list[int]:
        linked = np.flatnonzero(self.degree)
        found: list[int] = linked[np.argsort(-self.degree[linked], kind="stable")].tolist()
        return found

    def around(self, item: int) -> tuple[Places, Scores]:
        part = slice(self.stops[item] - self.degree[item], self.stops[item])
        return self.others[part], self.scores[part]


def _take(graph: _Graph, owner: Places, own: Scores, item: int) -> bool:
    others, scores = graph.around(item)
    free = owner[others] < 0
    if not free.any():
        return False
    owner[item] = item
    owner[others[free]] = item
    own[others[free]] = scores[free]
    return True


def _take_over(graph: _Graph, owner: Places, own: Scores, members: Places, item: int) -> bool:
    others, scores = graph.around(item)
    can = (owner[others] >= 0) & (owner[others] != others) & (members[owner[others]] > 2)
    if not can.any():
        return False
    best = np.argmax(np.where(can, scores, -1))
    members[owner[others[best]]] -= 1
    owner[item] = owner[others[best]] = item
    members[item], own[others[best]] = 2, scores[best]
    return True


def _completed(
    links: Links, similarity: Similarity, threshold: float
) -> tuple[Places, Places, Scores]:
    """Return the links with those inside each component that were skipped, each pair once."""
    size = len(links.labels)
    degree = np.bincount(np.concatenate([links.first, links.second]), minlength=size)
    left, right = _inner_pairs(links.labels, degree)
    scores = np.empty(len(left))
    for part in _slices(np.ones(len(left), np.int64)):
        scores[part] = similarity(left[part], right[part])
    alike = scores >= threshold
    first = np.concatenate([links.first, left[alike]])
    second = np.concatenate([links.second, right[alike]])
    low, high = np.minimum(first, second), np.maximum(first, second)
    _, once = np.unique(low * size + high, return_index=True)
    every = np.concatenate([links.similarity, scores[alike]])
    return low[once], high[once], every[once]


def _inner_pairs(labels: Places, degree: Places) -> tuple[Places, Places]:
    order = np.lexsort((np.arange(len(labels)), -degree, labels))
    grouped = labels[order]
    ends = _run_ends(grouped)
    sizes = np.bincount(labels, minlength=len(labels))[grouped]
    place = np.arange(len(labels)) - (ends - sizes)
    partners = ends - np.arange(len(labels)) - 1
    wanted = (sizes > 2) & ((sizes <= COMPLETE_UP_TO) | (place < PIVOTS))
    left, offsets = _spread(np.arange(len(labels)), np.where(wanted, partners, 0))
    return order[left], order[left + 1 + offsets]


@dataclass(frozen=True)
class Grouping:
    """Groups of rows that are alike.

    Attributes
    ----------
    groups : tuple of int arrays
        Positions of each group's rows, rising.
    similarity : tuple of arrays
        Of each row to the centre of its group.
    exact : bool array of shape (n_groups,)
        Whether all rows of a group hold the same.
    facts : dict
        How they were found, and how many rows were left out.
    """

    groups: tuple[Places, ...]
    similarity: tuple[Scores, ...]
    exact: npt.NDArray[np.bool_]
    facts: dict[str, Any]


def grouping(
    items: Places, found: Stars, identities: Sequence[Any], facts: dict[str, Any]
) -> Grouping:
    """Turn groups of items into groups of the rows that hold them.

    Parameters
    ----------
    items : int array of shape (n_rows,)
        Which item each row holds, -1 for rows that are left out.
    found : Stars
    identities : sequence of length n_rows
        Equal where rows hold exactly the same.
    facts : dict
    """
    owner = np.where(found.owner < 0, np.arange(len(found.owner)), found.owner)
    rows = np.flatnonzero(items >= 0)
    owners = owner[items[rows]]
    order = np.argsort(owners, kind="stable")
    starts, stops = shared(owners[order])
    rows = rows[order]
    several = [rows[a:b] for a, b in zip(starts.tolist(), stops.tolist(), strict=True)]
    several.sort(key=lambda part: int(part[0]))
    n_rows = np.bincount(items[items >= 0], minlength=len(owner))
    n_alone = int(np.count_nonzero(n_rows[found.alone] == 1))  # copies of one item are a group
    return Grouping(
        tuple(several),
        tuple(found.similarity[items[part]] for part in several),
        np.array([len({identities[i] for i in part}) == 1 for part in several], dtype=bool),
        {**facts, "n_alike_to_none_left": n_alone},
    )
