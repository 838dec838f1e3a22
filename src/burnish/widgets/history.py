"""The versions of a dataset."""

from __future__ import annotations

from burnish.dataset import Dataset
from burnish.widgets.base import bundle
from burnish.widgets.traits import HistoryTraits


class History(HistoryTraits):
    """Every version as a graph: who, when and why, what changed, and the way back.

    Parameters
    ----------
    ds : Dataset
    height : int, default 480
        Pixels.

    Attributes
    ----------
    selection : Selection
        The selected rows; observable, and settable with keys.

    Notes
    -----
    A version that is viewed is shown, read-only, by all widgets of the dataset until the way back
    to the branch is taken; edits made in Python meanwhile are kept and seen then. Up and down (or
    n and p) choose a version, Enter views it, Escape returns, r reverts it, ? shows all keys.
    Lines are fetched in pages as they scroll into view.
    """

    _esm = bundle("history")

    def __init__(self, ds: Dataset, height: int = 480) -> None:
        super().__init__(ds, height=height)
