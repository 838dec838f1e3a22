"""Real text with labels that a simulated annotator got wrong.

Each row is the first paragraph of the documentation of a public function, class or method of a
library that burnish needs anyway; its label is the library. The text is what people wrote: short
and long, some of it copied from one library to another, which makes duplicates whose labels differ.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pandas as pd

MODULES = {
    "numpy": ("numpy", "numpy.fft", "numpy.linalg", "numpy.random"),
    "pandas": ("pandas", "pandas.tseries.offsets"),
    "pyarrow": ("pyarrow", "pyarrow.compute", "pyarrow.dataset", "pyarrow.parquet"),
    "scikit-learn": tuple(
        f"sklearn.{name}"
        for name in ("cluster", "ensemble", "linear_model", "metrics", "model_selection")
    ),
    "scipy": tuple(
        f"scipy.{name}"
        for name in ("interpolate", "linalg", "ndimage", "optimize", "signal", "stats")
    ),
}


@dataclass(frozen=True)
class NoisyDocstrings:
    """A frame with flipped training labels, the true labels by key, and the keys flipped."""

    frame: pd.DataFrame
    truth: dict[str, str]
    flipped: frozenset[str]


def original() -> pd.DataFrame:
    """Return each library's texts, once: ``id``, ``text``, ``label``, ``split``."""
    rows = {
        name: (text, library)
        for library, modules in MODULES.items()
        for module in modules
        for name, text in _documented(_imported(module))
    }
    first = {(text, library): name for name, (text, library) in sorted(rows.items(), reverse=True)}
    names = sorted(first.values())
    split = np.random.default_rng(0).permutation(
        np.where(np.arange(len(names)) % 10 < 8, "train", "test")
    )
    texts, labels = zip(*(rows[name] for name in names), strict=True)
    return pd.DataFrame({"id": names, "text": texts, "label": labels, "split": split})


def load(noise: float = 0.05, seed: int = 0) -> NoisyDocstrings:
    """Return the texts with a share of the training labels flipped to another library."""
    frame = original()
    truth = dict(zip(frame["id"], frame["label"], strict=True))
    random = np.random.default_rng(seed)
    training = np.flatnonzero(frame["split"] == "train")
    rows = random.choice(training, round(noise * len(training)), replace=False)
    libraries = sorted(MODULES)
    codes = frame["label"].map(libraries.index).to_numpy().copy()
    codes[rows] = (codes[rows] + random.integers(1, len(libraries), len(rows))) % len(libraries)
    frame["label"] = np.array(libraries, dtype=object)[codes]
    return NoisyDocstrings(frame, truth, frozenset(frame["id"].iloc[rows]))


def _imported(name: str) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def _documented(module: ModuleType) -> Iterator[tuple[str, str]]:
    for name, member in _public(module):
        yield from _with_text(f"{module.__name__}.{name}", member)
        if inspect.isclass(member):
            for part, method in _public(member):
                if callable(method):
                    yield from _with_text(f"{module.__name__}.{name}.{part}", method)


def _public(owner: object) -> Iterator[tuple[str, object]]:
    for name in dir(owner):
        if name.startswith("_"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            member = getattr(owner, name, None)
        if callable(member):
            yield name, member


def _with_text(name: str, member: object) -> Iterator[tuple[str, str]]:
    text = " ".join((inspect.getdoc(member) or "").split("\n\n")[0].split())
    if len(text) > 15:
        yield name, text
