"""The one vector of each row that distances and pictures are taken from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from burnish.errors import InputError
from burnish.model.arrays import Matrix, holds_arrays
from burnish.model.features import column_list, vectors
from burnish.model.images import pixels
from burnish.model.reading import Order, check_reading, key_order, values_of
from burnish.model.similar_text import as_text

if TYPE_CHECKING:
    import pandas as pd

    from burnish.dataset.reading import Reading

VECTOR_ROLES = ("embedding", "features", "image", "text")
TEXT_DIMENSIONS = 50
CATEGORIES = 50
LARGEST = 1e36  # beyond it distances overflow 32 bits


class RowVectors(NamedTuple):
    """One vector for each row, and what it was read from.

    Attributes
    ----------
    values : float64 array of shape (n_rows, n_numbers)
        In store order; a row of NaN where a row has no vector of numbers within ±1e36.
    columns : tuple of str
        The columns that were read.
    """

    values: Matrix
    columns: tuple[str, ...]


def row_vectors(reading: Reading, seed: int = 0) -> RowVectors:
    """Return one vector for each row.

    Parameters
    ----------
    reading : Dataset or Snapshot
        The rows.
    seed : int, default 0
        For the reduction of text.

    Returns
    -------
    RowVectors

    Raises
    ------
    InputError
        No role that has vectors, vectors of different lengths, or features that are neither
        numbers nor few different texts.

    Notes
    -----
    Reads the first role that is set of ``embedding``, ``features``, ``image``, ``text``. Numeric
    features are standardised, missing ones and those beyond ±1e36 count as the mean; a feature of
    at most 50 different texts becomes a standardised column for each; other features are left
    out. A picture that does not decode is no vector. Text becomes TF-IDF reduced to 50 dimensions.
    Costs a pass over the columns. The vector of a row does not depend on the order of the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> import burnish as bn
    >>> frame = pd.DataFrame({"id": [1, 2], "x": [0.0, 3.0], "y": [1.0, 4.0]})
    >>> with bn.create(None, frame, key="id", embedding=["x", "y"]) as ds:
    ...     row_vectors(ds).values.tolist()
    [[0.0, 1.0], [3.0, 4.0]]
    """
    role, columns = vector_role(reading)
    return RowVectors(_usable(_of_role(reading, role, columns, seed)), tuple(columns))


def given_vectors(values: Any) -> Matrix:
    """Return plain vectors as float64, a row of NaN where one holds a number that is no use.

    Parameters
    ----------
    values : array of shape (n_rows, n_numbers)

    Raises
    ------
    InputError
        They are no numbers, of different lengths, or no two-dimensional array.
    """
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        check_reading(values)
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "fiubO":
            raise TypeError(f"they are {array.dtype}")
        numbers = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the vectors are no numbers of one length: {error}",
            hint="pass an array of shape (n_rows, n_numbers)",
        ) from error
    if numbers.ndim != 2:
        raise InputError(
            f"vectors have shape {numbers.shape}, expected (n_rows, n_numbers)",
            hint="pass one row of numbers for each row",
        )
    return _usable(numbers)


def _usable(values: Matrix) -> Matrix:
    lacking = np.asarray(~(np.abs(values) <= LARGEST).all(axis=1))
    return np.where(lacking[:, None], np.nan, values) if lacking.any() else values


def vector_role(reading: Reading) -> tuple[str, list[str]]:
    """Return the role that gives rows their vectors, and its columns.

    Raises
    ------
    InputError
        No such role is set.
    """
    for role in VECTOR_ROLES:
        if reading.roles.get(role):
            return role, column_list(reading.roles[role])
    raise InputError(
        "no column has a role that can be drawn (embedding, features, image, text)",
        hint="name one when creating: bn.create(…, embedding='vec')",
    )


def reads_files(reading: Reading) -> bool:
    """Return whether vectors depend on files that the columns only name."""
    import pyarrow as pa

    role, columns = vector_role(reading)
    if role != "image" or holds_arrays(reading, columns[0]):
        return False
    kind = reading.to_arrow(columns).schema.field(0).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _of_role(reading: Reading, role: str, columns: list[str], seed: int) -> Matrix:
    if role == "embedding":
        return vectors(reading, columns)
    if role == "image":
        return pixels(reading, columns[0], leave_out_broken=True)
    order = key_order(reading.keys)
    if role == "features":
        found = _standardised(reading, columns, order)
    else:
        texts = _joined_texts(reading, columns)
        found = _text_vectors([texts[i] for i in order], seed)
    back = np.empty_like(found)
    back[order] = found
    return back


def _standardised(ds: Reading, columns: list[str], order: Order) -> Matrix:
    import pandas as pd

    given = ds.to_pandas(columns)[columns].iloc[order]
    numeric = given.select_dtypes(include=["number", "bool"])
    texts = [n for n in columns if n not in numeric and _is_categorical(given[n])]
    frame = pd.concat([numeric, *(pd.get_dummies(given[name]) for name in texts)], axis=1)
    if len(given) and not frame.shape[1]:
        raise InputError(
            f"none of the {len(columns)} feature columns holds numbers or at most "
            f"{CATEGORIES} different texts",
            hint="give the embedding role to a column of vectors",
        )
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    return _scaled(np.where(np.abs(values) <= LARGEST, values, np.nan))


def _is_categorical(column: pd.Series[Any]) -> bool:
    known = column.dropna()
    return all(isinstance(cell, str) for cell in known) and 0 < known.nunique() <= CATEGORIES


def _scaled(values: Matrix) -> Matrix:
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    centred = values - np.where(known, values, 0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, centred, 0) ** 2).sum(axis=0) / count)
    scaled = np.where(known, centred, 0) / np.where(spread > 0, spread, 1)
    scaled[~known.any(axis=1)] = np.nan
    return scaled


def _joined_texts(ds: Reading, columns: list[str]) -> list[str]:
    cells = zip(*(values_of(ds, column) for column in columns), strict=True)
    return [" ".join(as_text(cell) for cell in row if cell is not None).strip() for row in cells]


def _text_vectors(texts: list[str], seed: int) -> Matrix:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = np.full((len(texts), TEXT_DIMENSIONS), np.nan)
    there = np.array([bool(text) for text in texts], dtype=bool)
    if not there.any():
        return rows
    words = TfidfVectorizer(token_pattern=r"(?u)\b\w+\b", sublinear_tf=True, max_features=50_000)
    try:
        sparse = words.fit_transform([text for text in texts if text])
    except ValueError:
        return rows
    width = min(TEXT_DIMENSIONS, sparse.shape[0], sparse.shape[1] - 1)
    rows[there] = 0.0
    if width >= 1:
        reduction = TruncatedSVD(width, random_state=seed)
        with np.errstate(divide="ignore", invalid="ignore"):  # explained shares of no variance
            rows[there, :width] = reduction.fit_transform(sparse)
    return rows
