"""Real images with labels that a simulated annotator got wrong, and a reviewer who knows better.

The images are the 1,797 handwritten digits that ship with scikit-learn. The annotator flips a
share of the training labels to another digit; the reviewer goes through flagged rows and gives
each its true label or keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from burnish.core.finding import Findings
from burnish.dataset import Dataset


@dataclass(frozen=True)
class NoisyDigits:
    """A frame with flipped training labels, the true labels by key, and the keys flipped."""

    frame: pd.DataFrame
    truth: dict[str, str]
    flipped: frozenset[str]


@dataclass(frozen=True)
class Review:
    """How many flagged rows the reviewer fixed and how many were right as they were."""

    fixed: int
    kept: int


def original() -> pd.DataFrame:
    """Return the digits as they are: ``id``, ``label``, ``image``, ``split``."""
    digits = load_digits()
    n = len(digits.target)
    split = np.random.default_rng(0).permutation(np.where(np.arange(n) % 10 < 7, "train", "test"))
    return pd.DataFrame(
        {
            "id": [f"img-{i:04d}" for i in range(n)],
            "label": digits.target.astype(str),
            "image": list(digits.images),
            "split": split,
        }
    )


def load(noise: float = 0.2, seed: int = 0) -> NoisyDigits:
    """Return the digits with a share of the training labels flipped to another digit."""
    frame = original()
    truth = dict(zip(frame["id"], frame["label"], strict=True))
    random = np.random.default_rng(seed)
    training = np.flatnonzero(frame["split"] == "train")
    rows = random.choice(training, round(noise * len(training)), replace=False)
    labels = frame["label"].astype(int).to_numpy().copy()
    labels[rows] = (labels[rows] + random.integers(1, 10, len(rows))) % 10
    frame["label"] = labels.astype(str)
    return NoisyDigits(frame, truth, frozenset(frame["id"].iloc[rows]))


def pipeline() -> object:
    """Return the model of the story: logistic regression on standardised pixels."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def review(ds: Dataset, issues: Findings, truth: dict[str, str]) -> Review:
    """Decide each flagged row as a person who knows the true label would."""
    fixed = kept = 0
    for issue in issues:
        if truth[issue.key] == issue.given:
            ds.decide(issue.key, "kept", because=issues)
            kept += 1
        else:
            ds.relabel(issue.key, truth[issue.key], reason="looked at the image", because=issues)
            fixed += 1
    return Review(fixed, kept)
