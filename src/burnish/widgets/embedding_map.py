"""The map of a dataset."""

from __future__ import annotations

from burnish.dataset import Dataset
from burnish.widgets.base import bundle, session_of
from burnish.widgets.traits import MapTraits, lay_out


class EmbeddingMap(MapTraits):
    """A dataset as points: pan, zoom, hover, lasso, and relabel what is selected.

    Parameters
    ----------
    ds : Dataset
    projection : {"auto", "given", "pca", "umap"}, default "auto"
        ``"auto"`` draws a two-dimensional embedding as it is, and PCA of vectors otherwise.
        ``"umap"`` shows PCA first and settles into UMAP when another process has computed it.
    height : int, default 480
        Pixels.

    Attributes
    ----------
    selection : Selection
        The selected rows; observable, and settable with keys.

    Raises
    ------
    InputError
        The projection is unknown, or the dataset has nothing that can be drawn that way.

    Notes
    -----
    Sends 6 bytes a row once; relabelling and selecting send only what changed and a bitmap.
    Follows every other widget on the same dataset.
    """

    _esm = bundle("embedding_map")

    def __init__(self, ds: Dataset, projection: str = "auto", height: int = 480) -> None:
        session = session_of(ds)
        lay_out(session, projection)
        super().__init__(ds, height=height)
