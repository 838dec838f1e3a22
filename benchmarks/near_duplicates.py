"""Near-duplicates of short texts with planted copies: time as they grow, recall, and peers.

The peers get the same normalised texts and threshold. scikit-learn's radius neighbours compare all
pairs of TF-IDF vectors of the same runs of characters, so they run on few rows; datasketch, where
it is installed, builds MinHash bands in Python.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from shared import duration, quick

import burnish as bn
from burnish.model.similar_text import normalised

THRESHOLD = 0.7
CHECKED = 2_000
FEW = 10_000
SYLLABLES = [a + b for a in [*"bcdfghlmnprst", "th", "st", "pr"] for b in "aeiou"]


def texts(n: int, seed: int = 0) -> list[str]:
    """Return sentences of Zipf-distributed words; of each 20 rows three are copies or nearly."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, 30_000)
    words = ["".join(random.choice(SYLLABLES, length)) for length in lengths]
    chosen = np.minimum((random.pareto(0.9, (n, 14)) * 15).astype(int), len(words) - 1)
    counts = random.integers(4, 14, n)
    rows = [" ".join(words[w] for w in row[:k]) for row, k in zip(chosen, counts, strict=True)]
    for i in range(0, n - 20, 20):
        rows[i + 1] = misspelt(rows[i], random)
        rows[i + 3] = rows[i + 2].upper() + " !"
        rows[i + 5] = rows[i + 4]
        rows[i + 6] = f"your order {random.integers(10**6)} was sent on day {random.integers(365)}"
    return [rows[i] for i in random.permutation(n)]


def misspelt(text: str, random: Any) -> str:
    letters = list(text)
    for place in random.integers(0, len(letters), 1 + random.integers(3)):
        letters[place] = "x"
    return "".join(letters)


def timed(act: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return seconds on the clock and of the processor, which others on the machine do not slow."""
    start, used = time.perf_counter(), time.process_time()
    made = act()
    return time.perf_counter() - start, time.process_time() - used, made


def pairs_of(rows: list[str], some: Any) -> set[tuple[int, int]]:
    """Return by brute force the pairs alike of which one is among some rows."""
    from sklearn.feature_extraction.text import CountVectorizer

    sets = CountVectorizer(analyzer=runs, binary=True, dtype=np.int32).fit_transform(rows)
    sizes = np.asarray(sets.sum(axis=1)).ravel()
    found = set()
    for start in range(0, len(some), 200):
        part = some[start : start + 200]
        common = (sets[part] @ sets.T).tocoo()
        i, j, shared = part[common.row], common.col, common.data
        near = (shared / (sizes[i] + sizes[j] - shared) >= THRESHOLD) & (i != j)
        pairs = np.stack([np.minimum(i, j), np.maximum(i, j)])[:, near]
        found |= set(map(tuple, pairs.T.tolist()))
    return found


def runs(text: str) -> set[str]:
    padded = f" {text} ".ljust(4)
    return {padded[i : i + 4] for i in range(len(padded) - 3)}


def check(rows: list[str], found: Any) -> str:
    """Compare groups with the pairs that brute force finds around some rows."""
    some = np.sort(np.random.default_rng(1).choice(len(rows), CHECKED, replace=False))
    truth = pairs_of([normalised(row) for row in rows], some)
    group = {key: place for place, keys in enumerate(found.groups) for key in keys}
    together = sum(group.get(i, -1) == group.get(j, -2) for i, j in truth)
    alike = {row for pair in truth for row in pair} & set(some.tolist())
    held = sum(row in group for row in alike)
    wrong = sum(row in group and row not in alike for row in some.tolist())
    return (
        f"of {len(truth):,} pairs alike {together / len(truth):.2%} in one group; "
        f"of {len(alike):,} rows with a like {held / len(alike):.2%} in a group; "
        f"{wrong} rows in a group without one"
    )


def with_datasketch(rows: list[str]) -> int:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    found = 0
    for place, row in enumerate(map(normalised, rows)):
        made = MinHash(num_perm=128)
        made.update_batch([run.encode() for run in runs(row)])
        found += bool(index.query(made))
        index.insert(place, made)
    return found


def with_scikit_learn(rows: list[str]) -> int:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.neighbors import NearestNeighbors

    vectors = TfidfVectorizer(analyzer=runs).fit_transform(map(normalised, rows))
    model = NearestNeighbors(radius=0.2, metric="cosine", algorithm="brute").fit(vectors)
    return sum(len(near) > 0 for near in model.radius_neighbors(return_distance=False))


def main() -> None:
    sizes = [2_000, 4_000] if quick() else [25_000, 50_000, 100_000]
    bn.find.near_duplicates(["warm", "up"])
    for n in sizes:
        rows = texts(n)
        took, used, found = timed(
            lambda rows=rows: bn.find.near_duplicates(rows, threshold=THRESHOLD)
        )
        plan = f"{found.provenance['bands']} × {found.provenance['rows_per_band']} hashes"
        print(f"  {n:9,} texts  {duration(took)} (processor {used:.2f} s)  {plan}", flush=True)
    print(f"  {check(rows, found)}", flush=True)
    few = texts(min(FEW, sizes[-1]))
    peers = {
        "burnish": lambda: len(bn.find.near_duplicates(few, threshold=THRESHOLD).keys),
        "scikit-learn TF-IDF, all pairs": lambda: with_scikit_learn(few),
    }
    if importlib.util.find_spec("datasketch"):
        peers["datasketch MinHash LSH, one pass"] = lambda: with_datasketch(few)
    for name, act in peers.items():
        took, used, rows_found = timed(act)
        line = f"  {len(few):9,} texts  {duration(took)} (processor {used:.2f} s)"
        print(f"{line}  {rows_found:,} rows  {name}", flush=True)


if __name__ == "__main__":
    main()
