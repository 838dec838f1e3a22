"""A picture of a dataset in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from burnish.errors import InputError
from burnish.model.arrays import Matrix
from burnish.model.features import DRAWN, column_list, vectors
from burnish.model.vectors import row_vectors

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

METHODS = ("auto", "given", "pca", "umap")
UMAP_DIMENSIONS = 50
UMAP_NEIGHBOURS = 15


class Projection(NamedTuple):
    """Coordinates of rows and how they were made.

    Attributes
    ----------
    coordinates : float32 array of shape (n_rows, 2)
        In store order; NaN where a row has no finite vector.
    method : str
        ``"given"``, ``"pca"`` or ``"umap"``.
    """

    coordinates: npt.NDArray[np.float32]
    method: str


def project(ds: Reading, method: str = "auto", seed: int = 0) -> Projection:
    """Project rows to two dimensions.

    Parameters
    ----------
    ds : Dataset or Snapshot
        The rows.
    method : {"auto", "given", "pca", "umap"}, default "auto"
        ``"auto"`` draws an embedding of two columns as it is, and does PCA otherwise.
    seed : int, default 0
        The same seed gives the same picture.

    Returns
    -------
    Projection
        Coordinates and the method that made them.

    Raises
    ------
    InputError
        An unknown method, ``"given"`` without an embedding of two columns, or no column that can
        be projected.

    Notes
    -----
    Reads the first role that is set of ``embedding``, ``features``, ``image``, ``text``. Numeric
    features are standardised and missing ones count as the mean; a feature of at most 50 different
    texts becomes a standardised column for each; other features are left out;
    text becomes TF-IDF reduced to 50 dimensions. PCA is randomised, with a fixed sign, and takes
    O(rows × columns). UMAP reads at most 50 principal components; its first call in a process
    compiles for about half a minute, so call it in a thread.

    References
    ----------
    Halko, Martinsson and Tropp (2011), Finding structure with randomness. McInnes, Healy and
    Melville (2018), UMAP.

    Examples
    --------
    >>> import pandas as pd
    >>> import burnish as bn
    >>> from burnish.model import project
    >>> frame = pd.DataFrame({"id": [1, 2], "x": [0.0, 3.0], "y": [1.0, 4.0]})
    >>> with bn.create(None, frame, key="id", embedding=["x", "y"]) as ds:
    ...     project(ds).method, project(ds).coordinates.tolist()
    ('given', [[0.0, 1.0], [3.0, 4.0]])
    """
    if method not in METHODS:
        raise InputError(
            f"method={method!r}, expected one of {', '.join(map(repr, METHODS))}",
            hint="leave it out for 'auto'",
        )
    drawn = _drawn(ds) if method in ("auto", "given") else None
    if drawn is not None:
        return Projection(_blank_unless_finite(drawn), "given")
    if method == "given":
        raise InputError(
            "method='given' needs an embedding of two columns",
            hint="pass method='pca', or bn.create(…, embedding=['x', 'y'])",
        )
    chosen = "pca" if method == "auto" else method
    return Projection(_reduced(row_vectors(ds, seed).values, chosen, seed), chosen)


def _drawn(ds: Reading) -> Matrix | None:
    columns = column_list(ds.roles.get("embedding") or [])
    if not columns:
        return None
    embedding = vectors(ds, columns)
    return embedding if embedding.shape[1] == DRAWN else None


def _blank_unless_finite(coordinates: Matrix) -> npt.NDArray[np.float32]:
    blank = coordinates.astype(np.float32)
    finite = np.isfinite(blank)
    blank[~(finite[:, 0] & finite[:, 1])] = np.nan
    return blank


def _reduced(values: Matrix, method: str, seed: int) -> npt.NDArray[np.float32]:
    coordinates = np.full((len(values), 2), np.nan, dtype=np.float32)
    finite = np.isfinite(values).all(axis=1)
    if not finite.any() or not values.shape[1]:
        return coordinates
    reduce = _umap if method == "umap" and finite.sum() > DRAWN + 1 else _pca
    coordinates[finite] = reduce(values[finite], seed)
    return coordinates


def _pca(values: Matrix, seed: int, width: int = 2) -> Matrix:
    from sklearn.decomposition import PCA

    result = np.zeros((len(values), width))
    kept = min(width, *values.shape)
    scale = np.abs(values - values.mean(axis=0)).max()
    if len(values) > 1 and scale > 0:
        model = PCA(kept, svd_solver="randomized", random_state=seed)
        result[:, :kept] = model.fit_transform(values)
    return result


def _umap(values: Matrix, seed: int) -> Matrix:
    import umap

    short = values
    if values.shape[1] > UMAP_DIMENSIONS:
        short = _pca(values, seed, min(UMAP_DIMENSIONS, len(values)))
    neighbours = min(UMAP_NEIGHBOURS, len(values) - 1)
    start: Any = "spectral" if len(values) > UMAP_NEIGHBOURS else "random"
    model = umap.UMAP(n_neighbors=neighbours, init=start, random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(short.astype(np.float32)))
