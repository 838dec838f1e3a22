"""Texts that are alike: sets of short runs of characters, compared by Jaccard similarity."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray
from burnish.model.linking import (
    BUCKET_LIMIT,
    Grouping,
    Places,
    Scores,
    grouping,
    link,
    stars,
)
from burnish.model.reading import is_null

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Hashes = npt.NDArray[np.uint64]

SHINGLE = 4
RECALL = 0.99
ALL_PAIRS_UP_TO = 1_000
SAMPLE = 1_000
MOST_HASHES = 2_000
BLOCK = 1 << 20
TILE = 1 << 16
PAIRS_AT_ONCE = 1 << 22
_NS_PER_HASH, _NS_PER_PAIR, _NS_PER_SORT = 0.5, 2_000, 150
_STEP = np.uint64(0x9E3779B97F4A7C15)


def normalised(text: str) -> str:
    r"""Return a text as it is compared: NFKC, case folded, runs of whitespace as one space.

    Examples
    --------
    >>> from burnish.model.similar_text import normalised
    >>> normalised("  Ｃafé\tSTRASSE ") == normalised("cafe\u0301 straße")
    True
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.casefold().split())


def jaccard(one: str, other: str) -> float:
    """Return the Jaccard similarity of two normalised texts' sets of 4-character runs, in [0, 1].

    Examples
    --------
    >>> from burnish.model.similar_text import jaccard
    >>> round(jaccard("the cat sat", "the cat sits"), 2)
    0.5
    """
    a, b = _runs(one), _runs(other)
    return len(a & b) / len(a | b)


def _runs(text: str) -> set[str]:
    padded = _padded(text)
    return {padded[i : i + SHINGLE] for i in range(len(padded) - SHINGLE + 1)}


@dataclass(frozen=True)
class Plan:
    """How texts are sorted into buckets.

    Attributes
    ----------
    bands, rows : int
        A pair of similarity *s* meets in a bucket with probability 1 − (1 − s^rows)^bands.
        No bands: all pairs are compared.
    """

    bands: int
    rows: int

    def recall(self, similarity: float) -> float:
        """Return the probability that a pair of that similarity is compared."""
        return 1 - (1 - similarity**self.rows) ** self.bands if self.bands else 1.0


class Shingled:
    """Normalised texts as sets of hashes of their 4-character runs.

    Parameters
    ----------
    texts : sequence of str
        Normalised, different from each other, sorted by length.

    Notes
    -----
    Takes about 13 bytes of memory for each character. Two different runs share a hash with
    probability 2⁻⁶²; similarities are exact but for that.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.n_texts = len(texts)
        parts = [_block(texts[some]) for some in _blocks(texts)]
        self._blocks = [part[0] for part in parts]
        self.sizes = np.concatenate([part[1] for part in parts] or [np.empty(0, np.int64)])
        self._values = np.concatenate([part[2] for part in parts] or [np.empty(0, np.int64)])
        self._ends = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)

    @property
    def n_shingles(self) -> int:
        """How many runs all texts hold."""
        return len(self._values)

    def similarity(self, first: Places, second: Places) -> Scores:
        """Return the Jaccard similarity of pairs of texts, in [0, 1]."""
        scores = np.empty(len(first))
        cost = np.cumsum(self.sizes[first] + self.sizes[second])
        cuts = np.searchsorted(cost, np.arange(PAIRS_AT_ONCE, int(cost[-1:].sum()), PAIRS_AT_ONCE))
        bounds = np.unique(np.concatenate([[0], cuts, [len(first)]])).tolist()
        matrix = self._matrix()
        for a, b in pairwise(bounds):
            common = matrix[first[a:b]].multiply(matrix[second[a:b]])
            shared = np.diff(common.indptr)
            total = self.sizes[first[a:b]] + self.sizes[second[a:b]]
            scores[a:b] = shared / (total - shared)
        return scores

    def _matrix(self) -> csr_array:
        from scipy.sparse import csr_array

        ones = np.ones(len(self._values), np.int8)
        return csr_array((ones, self._values, self._ends), shape=(self.n_texts, 2**62))

    def plan(self, threshold: float) -> Plan:
        """Return the cheapest bands that find a pair at the threshold with probability 0.99.

        Notes
        -----
        How many pairs will meet in vain is estimated from all pairs of 1,000 of the texts, evenly
        spaced by length, so the buckets get finer as texts get more alike or more numerous.
        """
        if self.n_texts <= ALL_PAIRS_UP_TO:
            return Plan(0, 0)
        background = self._background(threshold)
        options = [Plan(_bands(threshold, rows), rows) for rows in range(1, 33)]
        options = [plan for plan in options if plan.bands * plan.rows <= MOST_HASHES]
        return min(options, key=lambda plan: self._nanoseconds(plan, background))

    def _background(self, threshold: float) -> Scores:
        places = np.unique(np.linspace(0, self.n_texts - 1, SAMPLE).astype(np.int64))
        first, second = (places[side] for side in np.triu_indices(len(places), 1))
        some = slice(None, None, 5)
        scores = self.similarity(first[some], second[some])
        return np.where(scores < threshold, scores, 0)

    def _nanoseconds(self, plan: Plan, background: Scores) -> float:
        met = float((1 - (1 - background**plan.rows) ** plan.bands).mean())
        hashing = plan.bands * plan.rows * self.n_shingles * _NS_PER_HASH
        sorting = plan.bands * self.n_texts * _NS_PER_SORT
        return hashing + sorting + met * self.n_texts**2 / 2 * _NS_PER_PAIR

    def buckets(self, plan: Plan, seed: int) -> Iterator[Hashes]:
        """Give for each band of a plan one bucket a text, shape (n_texts,)."""
        if not plan.bands:
            yield np.zeros(self.n_texts, np.uint64)
        random = np.random.default_rng(seed)
        for _ in range(plan.bands):
            factors = random.integers(0, 2**31, plan.rows, dtype=np.uint32) * 2 + 1
            offsets = random.integers(0, 2**32, plan.rows, dtype=np.uint32)
            yield self._band(factors.astype(np.uint32), offsets)

    def _band(self, factors: npt.NDArray[np.uint32], offsets: npt.NDArray[np.uint32]) -> Hashes:
        parts = [_minima(block, factors, offsets) for block in self._blocks]
        return np.concatenate(parts or [np.empty(0, np.uint64)])


def _bands(threshold: float, rows: int) -> int:
    miss = 1 - threshold**rows
    return 1 if miss <= 0 else math.ceil(math.log(1 - RECALL) / math.log1p(-(threshold**rows)))


def _blocks(texts: Sequence[str]) -> Iterator[slice]:
    """Give runs of texts that are padded to one length, an eighth more than needed at most."""
    start = 0
    while start < len(texts):
        width = max(8, len(texts[start]) * 9 // 8)
        stop = start
        while stop < len(texts) and len(texts[stop]) <= width and (stop - start) * width < BLOCK:
            stop += 1
        yield slice(start, stop)
        start = stop


def _block(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], Places, Places]:
    hashes = _hashed(texts)
    hashes.sort(axis=1)
    new = np.ones(hashes.shape, dtype=bool)
    np.not_equal(hashes[:, 1:], hashes[:, :-1], out=new[:, 1:])
    short = (hashes >> np.uint64(30)).astype(np.uint32)
    tall = np.ascontiguousarray(short.T)
    return tall, new.sum(axis=1, dtype=np.int64), hashes[new].astype(np.int64)


def _hashed(texts: Sequence[str]) -> Hashes:
    """Return the 62-bit hash of each run of each text, the first one repeated as padding."""
    padded = [_padded(text) for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = np.array([len(text) for text in padded], dtype=np.int64)
    counts = lengths - SHINGLE + 1
    hashes = np.zeros(len(codes) - SHINGLE + 1, np.uint64)
    for step in range(SHINGLE):
        hashes *= _STEP
        hashes += codes[step : len(hashes) + step]
    hashes = _mixed(hashes) >> np.uint64(2)
    places = np.arange(int(counts.max()))
    starts = np.cumsum(lengths) - lengths
    within = np.where(places < counts[:, None], places, 0)
    return np.asarray(hashes[starts[:, None] + within])


def _padded(text: str) -> str:
    return f" {text} ".ljust(SHINGLE)


def _mixed(values: Hashes) -> Hashes:
    """Scramble the bits of hashes (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _minima(
    block: npt.NDArray[np.uint32],
    factors: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.uint32],
) -> Hashes:
    """Combine the least hash of each column (text), for each hash function, into one number."""
    height, width = block.shape
    step = max(1, TILE // max(1, height))
    found = np.zeros(width, np.uint64)
    for start in range(0, width, step):
        tile = np.ascontiguousarray(block[:, start : start + step])
        turned, part = np.empty_like(tile), found[start : start + step]
        for factor, offset in zip(factors, offsets, strict=True):
            np.multiply(tile, factor, out=turned)
            turned += offset
            part *= _STEP
            part += turned.min(axis=0)
    return _mixed(found)


def text_groups(cells: KeyArray, threshold: float, seed: int = 0) -> Grouping:
    """Group texts that are alike.

    Parameters
    ----------
    cells : object array of shape (n_rows,)
        Text; bytes are decoded as UTF-8, other values are written out; None is left out.
    threshold : float
        Least Jaccard similarity of a member to its group's centre, in (0, 1].
    seed : int
        Chooses the hash functions.

    Returns
    -------
    Grouping

    Notes
    -----
    Up to 1,000 different texts all pairs are compared. Above, MinHash values are sorted into
    buckets by bands, so that a pair at the threshold is compared with probability 0.99 at least
    and a more similar one with a higher one; each pair is then compared exactly. Where more than
    100 texts share a bucket, each is compared with 100 of them. Costs O(characters × hashes) plus
    the pairs compared.

    References
    ----------
    Broder (1997), On the resemblance and containment of documents. Leskovec, Rajaraman and Ullman,
    Mining of Massive Datasets, chapter 3 (bands).
    """
    null = is_null(cells)
    texts = ["" if lacks else as_text(cell) for cell, lacks in zip(cells, null, strict=True)]
    clean = [normalised(text) for text in texts]
    different = sorted({text for text in clean if text}, key=lambda text: (len(text), text))
    place = {text: i for i, text in enumerate(different)}
    items = np.array([place.get(text, -1) for text in clean], dtype=np.int64)
    shingled = Shingled(different)
    plan = shingled.plan(threshold)
    limit = BUCKET_LIMIT if plan.bands else ALL_PAIRS_UP_TO
    buckets = shingled.buckets(plan, seed)
    links = link(len(different), buckets, shingled.similarity, threshold, limit)
    found = stars(links, shingled.similarity, threshold)
    odd = sum(not isinstance(cell, str) for cell in cells) - int(null.sum())
    facts = {
        "threshold": threshold,
        "shingle": SHINGLE,
        "bands": plan.bands,
        "rows_per_band": plan.rows,
        "recall_at_threshold": plan.recall(threshold),
        "n_null": int(null.sum()),
        "n_empty": int((items < 0).sum() - null.sum()),
        "n_not_text": odd,
        **links.counts,
    }
    return grouping(items, found, texts, facts)


def as_text(cell: Any) -> str:
    """Return a cell as text: bytes are decoded as UTF-8, other values written out."""
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return bytes(cell).decode("utf-8", "replace")
    return str(cell)
