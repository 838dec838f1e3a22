"""A picture of a dataset in two dimensions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from burnish.errors import InputError
from burnish.model.arrays import Matrix
from burnish.model.features import DRAWN, column_list, vectors
from burnish.model.neighbours import K, Neighbours, neighbours
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
    Reads what `row_vectors` does. PCA is randomised, with a fixed sign, and takes
    O(rows × columns). UMAP reads the graph of `neighbours`, which others share, and starts from
    at most 50 principal components; its first call in a process compiles for a while, so call it
    in a thread or another process.

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
    values = row_vectors(ds, seed).values
    reduce = partial(_umap, ds) if chosen == "umap" else _pca
    return Projection(_reduced(values, reduce, seed), chosen)


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


def _reduced(
    values: Matrix, reduce: Callable[[Matrix, int], Matrix], seed: int
) -> npt.NDArray[np.float32]:
    coordinates = np.full((len(values), 2), np.nan, dtype=np.float32)
    finite = np.isfinite(values).all(axis=1)
    if not finite.any() or not values.shape[1]:
        return coordinates
    reduce = reduce if finite.sum() > DRAWN + 1 else _pca
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


def _umap(ds: Reading, values: Matrix, seed: int) -> Matrix:
    import umap

    short = values
    if values.shape[1] > UMAP_DIMENSIONS:
        short = _pca(values, seed, min(UMAP_DIMENSIONS, len(values)))
    width = min(UMAP_NEIGHBOURS, len(values) - 1)
    start: Any = "spectral" if len(values) > UMAP_NEIGHBOURS else "random"
    model = umap.UMAP(
        n_neighbors=width,
        init=start,
        random_state=seed,
        n_jobs=1,
        precomputed_knn=_with_itself(neighbours(ds, K, seed=seed), ds, width),
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"precomputed_knn\[2\]", UserWarning)
        return np.asarray(model.fit_transform(short.astype(np.float32)))


def _with_itself(
    graph: Neighbours, ds: Reading, width: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return positions and distances among the rows that have a vector, each row's own first."""
    here = graph.nearest(width - 1).align(ds.keys)
    drawn = here.has_vector
    place = np.cumsum(drawn, dtype=np.int32) - 1
    own = np.arange(int(drawn.sum()), dtype=np.int32)[:, None]
    near = np.hstack([np.zeros(own.shape, np.float32), here.distances[drawn]])
    return np.hstack([own, place[here.indices[drawn]]]), near
