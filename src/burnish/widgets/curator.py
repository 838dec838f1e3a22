"""Map, list and form in one cell."""

from __future__ import annotations

from burnish.core.finding import Findings
from burnish.dataset import Dataset
from burnish.review import ReviewPlan
from burnish.widgets.base import bundle, checked_review, session_of
from burnish.widgets.traits import MapTraits, QueueTraits, lay_out


class Curator(MapTraits, QueueTraits):
    """The workbench: the map, the findings and the row under review in one cell.

    Parameters
    ----------
    ds : Dataset
    findings : Findings or ReviewPlan, optional
        What to review; the findings under review on this dataset already, by default. A plan
        draws rows at random in between and says how many errors are left.
    projection : {"auto", "given", "pca", "umap"}, default "auto"
        As for `EmbeddingMap`.
    height : int, default 640
        Pixels.

    Attributes
    ----------
    selection : Selection
        The selected rows; observable, and settable with keys.

    Raises
    ------
    InputError
        The projection is unknown, or the dataset has nothing that can be drawn that way.
    KeysError
        The findings are about other rows.
    """

    _esm = bundle("curator")

    def __init__(
        self,
        ds: Dataset,
        findings: Findings | ReviewPlan | None = None,
        projection: str = "auto",
        height: int = 640,
    ) -> None:
        session = session_of(ds)
        if findings is not None:
            session.review(checked_review(ds, findings))
        lay_out(session, projection)
        super().__init__(ds, height=height)
