"""The row under review, and what to do with it."""

from __future__ import annotations

from burnish.dataset import Dataset
from burnish.widgets.base import bundle
from burnish.widgets.traits import QueueTraits


class RelabelForm(QueueTraits):
    """The current row in full, with one key for each class and verdict.

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
    Shows the row that is current in the other widgets of the dataset. Enter takes the suggestion,
    k keeps the label, s skips, u is unsure, z undoes, ? shows all keys.
    """

    _esm = bundle("relabel_form")

    def __init__(self, ds: Dataset, height: int = 480) -> None:
        super().__init__(ds, height=height)
