"""What an estimator is given, by role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array, shorten
from burnish.errors import ColumnError, InputError
from burnish.model.arrays import dense, holds_arrays
from burnish.model.images import pixels
from burnish.model.reading import Order, key_order, values_of

if TYPE_CHECKING:
    import pandas as pd

    from burnish.dataset.reading import Reading

INPUT_ROLES = ("features", "embedding", "image", "text")
DRAWN = 2


@dataclass(frozen=True)
class Inputs:
    """Inputs of an estimator, with rows sorted by key.

    Attributes
    ----------
    X : DataFrame, or array of shape (n_rows,) or (n_rows, n_columns)
        What ``fit`` and ``predict`` take.
    keys : object array of shape (n_rows,)
        The key of each row of ``X``.
    order : array of int, shape (n_rows,)
        Where each row of ``X`` stands in the dataset.
    columns : tuple of str
        The columns that were read.
    """

    X: Any
    keys: KeyArray
    order: Order
    columns: tuple[str, ...]


def inputs(
    reading: Reading, estimator: Any = None, columns: str | Sequence[str] | None = None
) -> Inputs:
    """Return what an estimator gets from a dataset, with rows sorted by key.

    Parameters
    ----------
    reading : Dataset or Snapshot
        Where the rows are.
    estimator : estimator, optional
        Consulted only where several roles could be read.
    columns : str or list of str, optional
        Read these columns instead: a text or vector column alone becomes an array, several
        become a frame.

    Returns
    -------
    Inputs
        One row per live row.

    Raises
    ------
    InputError
        No role that can be learned from, vectors of different lengths, or images of different
        sizes.
    ColumnError
        A column of ``columns`` is unknown.

    Notes
    -----
    With one role: ``features`` is a frame, ``text`` a 1-D array of str (null is ``""``;
    several text columns are a frame),
    ``image`` a 2-D array of pixels, ``embedding`` a 2-D array.

    With several, the first step of the estimator decides. One that reads raw text (a
    vectoriser) gets the text. One that picks columns or takes anything (``ColumnTransformer``,
    ``FunctionTransformer``, a class from outside scikit-learn) gets a frame of all of them, with
    texts and vectors as objects. Any other needs numbers and gets the first that is set of
    features, an embedding of more than two columns, image, a two-column embedding (which is
    usually a drawing), text.

    Examples
    --------
    >>> import pandas as pd
    >>> import burnish as bn
    >>> frame = pd.DataFrame({"id": ["b", "a"], "review": ["bad", "good"], "label": [0, 1]})
    >>> with bn.create(None, frame, key="id", label="label", text="review") as ds:
    ...     inputs(ds).X.tolist()
    ['good', 'bad']
    """
    order = key_order(reading.keys)
    if columns is not None:
        X, read = _explicit(reading, columns, order)
    else:
        X, read = _by_role(reading, estimator, order)
    return Inputs(X, reading.keys[order], order, tuple(read))


def column_list(value: Any) -> list[str]:
    """Return a role's columns as a list, whether it has one or several."""
    return [value] if isinstance(value, str) else list(value)


def vectors(reading: Reading, columns: list[str]) -> npt.NDArray[np.float64]:
    """Return an embedding as a 2-D array in store order, NaN where a vector is null.

    Raises
    ------
    InputError
        Vectors have different lengths or hold something else than numbers.
    """
    if len(columns) > 1 or not holds_arrays(reading, columns[0]):
        try:
            return np.asarray(reading.to_pandas(columns)[columns].to_numpy(dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise InputError(
                f"the columns {shorten(columns)} of the embedding hold no numbers: {error}",
                hint="give the embedding role to a column of vectors, or the text role to text",
            ) from error
    return dense(reading, columns[0])


def embedding_width(reading: Reading) -> int:
    """Return how many numbers an embedding has per row, 0 where there is none."""
    columns = column_list(reading.roles.get("embedding") or [])
    if len(columns) != 1 or not holds_arrays(reading, columns[0]):
        return len(columns)
    return int(vectors(reading, columns).shape[1])


def _explicit(
    reading: Reading, columns: str | Sequence[str], order: Order
) -> tuple[Any, list[str]]:
    names = column_list(columns)
    unknown = [name for name in names if name not in reading.columns]
    if unknown or not names:
        raise ColumnError(
            f"columns={names!r} holds unknown columns {shorten(unknown) or '(none given)'}, "
            f"expected some of {shorten(reading.columns)}",
            hint="ds.columns lists the columns",
        )
    if len(names) == 1 and holds_arrays(reading, names[0]):
        return vectors(reading, names)[order], names
    if isinstance(columns, str):
        return _texts(reading, columns)[order], names
    return _frame(reading, names, order), names


def _by_role(reading: Reading, estimator: Any, order: Order) -> tuple[Any, list[str]]:
    present = [role for role in INPUT_ROLES if reading.roles.get(role)]
    if not present:
        raise InputError(
            "no column has a role that a model can learn from "
            f"(features, embedding, image, text), only {shorten(sorted(reading.roles))}",
            hint="pass columns=[…], or name them when creating: bn.create(…, features=[…])",
        )
    role = present[0] if len(present) == 1 else _choice(reading, estimator, present)
    if role == "several":
        names = [name for each in present for name in column_list(reading.roles[each])]
        names = list(dict.fromkeys(names))
        return _frame(reading, names, order), names
    names = column_list(reading.roles[role])
    return _of_role(reading, role, names, order), names


def _choice(reading: Reading, estimator: Any, present: list[str]) -> str:
    reads = _reads(estimator)
    if reads == "text" and "text" in present:
        return "text"
    if reads == "anything":
        return "several"
    if "features" in present:
        return "features"
    if "embedding" in present and ("image" not in present or embedding_width(reading) > DRAWN):
        return "embedding"
    return present[0] if present[0] != "embedding" else "image"


def _reads(estimator: Any) -> str:
    step = estimator
    while hasattr(step, "steps"):
        step = step.steps[0][1]
    module = type(step).__module__
    if hasattr(step, "build_analyzer") or module.startswith("sklearn.feature_extraction.text"):
        return "text"
    picks = module.startswith(("sklearn.compose._column", "sklearn.preprocessing._function"))
    foreign = estimator is not None and not module.startswith("sklearn")
    return "anything" if picks or foreign else "numbers"


def _of_role(reading: Reading, role: str, names: list[str], order: Order) -> Any:
    if role == "features":
        return _frame(reading, names, order)
    if role == "text" and len(names) > 1:
        return _frame(reading, names, order)
    if role == "text":
        return _texts(reading, names[0])[order]
    if role == "embedding":
        return vectors(reading, names)[order]
    return pixels(reading, names[0])[order]


def _frame(reading: Reading, names: list[str], order: Order) -> pd.DataFrame:
    return reading.to_pandas(names)[names].iloc[order].reset_index(drop=True)


def _texts(reading: Reading, name: str) -> KeyArray:
    return key_array(["" if text is None else str(text) for text in values_of(reading, name)])
