"""Label issues, beside cleanlab in one process and in several, and after an edit."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from shared import MILLION, duration, interleaved, quick, scratch, seconds, show

import burnish as bn

PEERS = ("cleanlab, 1 process", "cleanlab, 2 processes")


def made(n_rows: int, n_classes: int, dtype: Any = np.float64, seed: int = 0) -> tuple[Any, Any]:
    """Return labels, a tenth of them wrong, and the probabilities of a good classifier."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n_rows)
    probs = np.empty((n_rows, n_classes), dtype=dtype)
    for start in range(0, n_rows, 1 << 14):
        part = slice(start, min(n_rows, start + (1 << 14)))
        size = part.stop - part.start
        rest = rng.exponential(size=(size, n_classes))
        rest *= rng.uniform(0.2, 0.8, (size, 1)) / rest.sum(axis=1, keepdims=True)
        rest[np.arange(size), truth[part]] += 1 - rest.sum(axis=1)
        probs[part] = rest
    wrong = rng.random(n_rows) < 0.1
    labels = np.where(wrong, rng.integers(0, n_classes, n_rows), truth)
    return labels, probs


def cleanlab(labels: Any, probs: Any, n_jobs: int) -> Any:
    from cleanlab.filter import find_label_issues

    with warnings.catch_warnings():  # one for each class with one row
        warnings.simplefilter("ignore")
        return find_label_issues(labels, probs, n_jobs=n_jobs)


def compared(n_rows: int, n_classes: int, repeats: int) -> None:
    labels, probs = made(n_rows, n_classes)
    found = bn.find.label_issues(labels, probs)
    same = set(found.keys) == set(np.flatnonzero(cleanlab(labels, probs, 1)))
    print(f"{n_rows:,} × {n_classes}: {len(found):,} issues, the same rows as cleanlab: {same}")
    del found
    acts: dict[str, Callable[[], float]] = {
        "burnish": lambda: seconds(lambda: bn.find.label_issues(labels, probs)),
        PEERS[0]: lambda: seconds(lambda: cleanlab(labels, probs, 1)),
        PEERS[1]: lambda: seconds(lambda: cleanlab(labels, probs, 2)),
    }
    took = interleaved(acts, repeats)
    one = ("burnish", PEERS[0])
    extra = {name: f"peak +{peak(name, n_rows, n_classes):.0%} of the input" for name in one}
    show(took, ours="burnish", notes=extra)
    best = min(median(took[name]) for name in PEERS)
    print(f"  {best / median(took['burnish']):.1f} times faster than the better of the two")


def peak(name: str, n_rows: int, n_classes: int) -> float:
    """Return the most memory that a call holds beside its input, as a share of that."""
    return alone(_peak, name, n_rows, n_classes)


def alone(act: Callable[..., Any], *given: Any) -> Any:
    """Call in a process of its own, whose memory nothing else has used."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(act, *given).result()


def _peak(name: str, n_rows: int, n_classes: int) -> float:
    small = made(2000, n_classes)
    labels, probs = made(n_rows, n_classes)
    act: Callable[..., Any] = bn.find.label_issues if name == "burnish" else cleanlab
    more = () if name == "burnish" else (1,)
    act(*small, *more)
    with watched() as seen:
        act(labels, probs, *more)
    return max(seen[1:], default=seen[0]) / probs.nbytes - seen[0] / probs.nbytes


@contextmanager
def watched() -> Iterator[list[int]]:
    """Sample the memory of this process while something runs."""
    seen, stop = [_resident()], threading.Event()

    def sample() -> None:
        while not stop.wait(0.002):
            seen.append(_resident())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def edited(n_rows: int, n_classes: int, edits: int) -> None:
    """Time what one relabelled row costs."""
    from burnish.model.label_state import LabelState
    from burnish.model.probability_tables import ArrayTable

    labels, probs = made(n_rows, n_classes)
    state = LabelState(ArrayTable(probs), labels, "prune_by_noise_rate")
    rng = np.random.default_rng(1)
    codes = state.codes.copy()
    took = []
    for _ in range(edits):
        row = rng.integers(0, n_rows)
        codes[row] = (codes[row] + rng.integers(1, n_classes)) % n_classes
        took.append(seconds(lambda: state.update(codes)))
    anew = LabelState(ArrayTable(probs), codes, "prune_by_noise_rate")
    same = np.array_equal(anew.flagged, state.flagged)
    print(
        f"one relabel at {n_rows:,} × {n_classes}: median {duration(median(took))}, the first "
        f"{duration(took[0])}, the slowest {duration(max(took))}; equal to a first run: {same}"
    )


def whole_call(n_rows: int) -> None:
    """Time the public call on a dataset with keys that are texts."""
    labels, probs = made(n_rows, 10)
    names = np.array([f"class {k}" for k in range(10)])
    ids = [f"row-{i:07}" for i in range(n_rows)]
    table = pa.table({"id": ids, "label": names[labels].tolist()})
    with bn.create(None, table, key="id", label="label") as ds:
        keyed = bn.Probabilities(probs, ids, names)
        _ = ds.fingerprint
        first = [seconds(lambda: bn.find.label_issues(ds, keyed)) for _ in range(4)]
        issues = bn.find.label_issues(ds, keyed)
        again = []
        for i in range(6):
            ds.relabel(issues.keys[i], issues.suggestions[i])
            start = time.perf_counter()
            issues = bn.find.label_issues(ds, keyed, previous=issues)
            again.append(time.perf_counter() - start)
    print(
        f"bn.find.label_issues(ds, probs) at {n_rows:,} × 10: first {duration(first[0])}, then "
        f"{duration(median(first[1:]))}, with previous= after a relabel {duration(median(again))}"
    )


def curve(most: int) -> None:
    labels, probs = made(most, 10, np.float32)
    print("rows × 10 of 32-bit floats, median of 3")
    for share in (0.1, 0.25, 0.5, 1):
        n = int(most * share)
        took = [seconds(lambda n=n: bn.find.label_issues(labels[:n], probs[:n])) for _ in range(3)]
        print(f"  {n:>12,} {duration(median(took))}  {median(took) / n * 1e9:5.0f} ns a row")


def from_files(sizes: tuple[int, ...]) -> None:
    """Print time and memory of probabilities in a file, which memory should not follow."""
    print("probabilities in a Parquet file, 100 classes of 32-bit floats, plain labels")
    with scratch() as folder:
        for n in sizes:
            path = folder / f"{n}.parquet"
            _written(path, n)
            took, extra = alone(_read, str(path), n)
            print(
                f"  {n:>10,} rows, {n * 400 / 1e6:6.0f} MB in memory: {duration(took)}, "
                f"peak +{extra / 1e6:.0f} MB"
            )


def _written(path: Path, n_rows: int) -> None:
    step = 1 << 15
    names = [str(k) for k in range(100)]
    with pq.ParquetWriter(path, pa.schema([(name, pa.float32()) for name in names])) as writer:
        for start in range(0, n_rows, step):
            _, probs = made(min(step, n_rows - start), 100, np.float32, start)
            writer.write_table(pa.table(dict(zip(names, probs.T, strict=True))))


def _read(path: str, n_rows: int) -> tuple[float, float]:
    parts = range(0, n_rows, 1 << 15)
    labels = np.concatenate([made(1 << 15, 100, np.float32, start)[0] for start in parts])[:n_rows]
    bn.find.label_issues([0, 1], [[0.9, 0.1], [0.2, 0.8]])
    with watched() as seen:
        took = seconds(lambda: bn.find.label_issues(labels, path))
    return took, max(seen) - seen[0]


def main() -> None:
    small = quick()
    shape = ((20_000, 10),) if small else ((MILLION, 10), (MILLION, 100), (50_000, 1000))
    for n_rows, n_classes in shape:
        compared(n_rows, n_classes, 1 if small else 3)
    for n_rows, n_classes in shape:
        edited(n_rows, n_classes, 5 if small else 40)
    whole_call(20_000 if small else MILLION)
    curve(100_000 if small else 10 * MILLION)
    from_files((1 << 16,) if small else (1 << 18, 1 << 20))


if __name__ == "__main__":
    sys.exit(main())
