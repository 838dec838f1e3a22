"""See, fix, version and measure a dataset without leaving the notebook.

An analysis reads a version and returns findings; a person turns findings into edits; a commit
turns edits into the next version; a comparison says what that was worth.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from burnish import find as find
    from burnish.core.probabilities import Probabilities as Probabilities
    from burnish.core.selection import Selection as Selection
    from burnish.core.slices import Slice as Slice
    from burnish.dataset import create as create
    from burnish.dataset import open as open
    from burnish.dataset import unpack as unpack
    from burnish.errors import BurnishError as BurnishError
    from burnish.measure.compare import compare as compare
    from burnish.model import TrainingFingerprint as TrainingFingerprint
    from burnish.model import cross_val_probabilities as cross_val_probabilities
    from burnish.model import reconstruct as reconstruct
    from burnish.model import training_fingerprint as training_fingerprint
    from burnish.review.error_rate import error_rate as error_rate
    from burnish.review.evidence import evidence as evidence
    from burnish.review.plan import ReviewPlan as ReviewPlan
    from burnish.review.sample import review_sample as review_sample
    from burnish.widgets import Curator as Curator
    from burnish.widgets import EmbeddingMap as EmbeddingMap
    from burnish.widgets import History as History
    from burnish.widgets import IssueList as IssueList
    from burnish.widgets import RelabelForm as RelabelForm

__version__ = "0.1.0"

_HOMES = {
    "BurnishError": "burnish.errors",
    "Curator": "burnish.widgets",
    "EmbeddingMap": "burnish.widgets",
    "History": "burnish.widgets",
    "IssueList": "burnish.widgets",
    "Probabilities": "burnish.core.probabilities",
    "RelabelForm": "burnish.widgets",
    "ReviewPlan": "burnish.review",
    "Selection": "burnish.core.selection",
    "Slice": "burnish.core.slices",
    "TrainingFingerprint": "burnish.model",
    "compare": "burnish.measure",
    "create": "burnish.dataset",
    "cross_val_probabilities": "burnish.model",
    "error_rate": "burnish.review",
    "evidence": "burnish.review.evidence",
    "open": "burnish.dataset",
    "reconstruct": "burnish.model",
    "review_sample": "burnish.review",
    "training_fingerprint": "burnish.model",
    "unpack": "burnish.dataset",
}
_MODULES = ("find",)

__all__ = ["__version__", *sorted([*_HOMES, *_MODULES])]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"burnish.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'burnish' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
