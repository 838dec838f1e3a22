"""What the figures share: the clock, the table, the frame and the facts about the machine."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

from burnish import __version__

MILLION = 1_000_000
CLASSES = np.array([f"class {i}" for i in range(10)])
WORDS = np.array(["a", "map", "of", "rows", "and", "what", "each", "says", "in", "short", "words"])
_PACKAGES = ("pandas", "pyarrow", "numpy", "duckdb")


def quick() -> bool:
    """Whether a small run was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args().quick


def machine() -> str:
    """Return what the figures depend on besides the code."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = " ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, "
        f"burnish {__version__}, {versions}"
    )


def seconds(act: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def interleaved(acts: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Measure in turns, so that what else the machine does meets all of them alike."""
    took: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(repeats):
        for name, act in acts.items():
            took[name].append(act())
    return took


def show(took: dict[str, list[float]], *, ours: str, notes: dict[str, str] | None = None) -> None:
    """Print a line for each name: median, spread, how many times ours it is, a note."""
    width = max(map(len, took))
    base = median(took[ours])
    print(f"  {'':{width}}   median   lowest  highest   × {ours}")
    for name, times in took.items():
        cells = [median(times), min(times), max(times)]
        ratio = f"{median(times) / base:8.2f}"
        note = (notes or {}).get(name, "")
        print(f"  {name:{width}} {' '.join(map(duration, cells))} {ratio}  {note}".rstrip())


def duration(value: float) -> str:
    """Return seconds as text of a fixed width."""
    return f"{value:6.2f} s" if value >= 1 else f"{value * 1000:5.1f} ms"


def megabytes(size: float) -> str:
    """Return bytes as text."""
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.2f} kB"


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="burnish-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of the files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def table(rows: int, width: int = 64) -> pa.Table:
    """Return id, label of ten, score, short text, and a vector of 32-bit floats."""
    rng = np.random.default_rng(0)
    words = WORDS[rng.integers(0, len(WORDS), (6, rows))]
    vectors = pa.array(rng.normal(size=rows * width).astype(np.float32))
    return pa.table(
        {
            "id": [f"row-{i:07}" for i in range(rows)],
            "label": CLASSES[rng.integers(0, len(CLASSES), rows)].tolist(),
            "score": rng.random(rows),
            "text": _sentences(words),
            "vector": pa.FixedSizeListArray.from_arrays(vectors, width),
        }
    )


def _sentences(words: np.ndarray[Any, Any]) -> Sequence[str]:
    return [" ".join(row) for row in words.T.tolist()]
