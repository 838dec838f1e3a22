"""Labels of any task beside what a model says of the same rows."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array, plain, shorten
from burnish.core.probabilities import Probabilities
from burnish.errors import ColumnError, LabelError, ProbabilityError
from burnish.model.reading import (
    check_reading,
    key_order,
    labels_of,
    read_from,
    sorted_values,
    values_of,
)


@dataclass(frozen=True, eq=False)
class Labelled:
    """The rows that have both a label and a prediction, sorted by key.

    Attributes
    ----------
    keys : array of shape (n,)
    labels : array of shape (n,)
        Lists, numbers or whatever the task's labels are; never null.
    predictions : list of length n
    names : tuple or None
        Class names, where the predictions carry them.
    provenance : dict
        What was read, and how many rows were left out and why.
    """

    keys: KeyArray
    labels: KeyArray
    predictions: list[Any]
    names: tuple[Any, ...] | None
    provenance: dict[str, Any]

    def made_by(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Return the provenance of findings that an analysis made of these rows."""
        return {
            "made_by": name,
            **parameters,
            "n_rows": len(self.keys),
            **self.provenance,
        }


def labelled(ds: Any, predictions: Any, column: str | None = None) -> Labelled:
    """Return labels and predictions of the rows that have both.

    Parameters
    ----------
    ds : Dataset, Snapshot, or sequence of labels of length n_rows
        Plain labels are taken with keys 0 … n-1.
    predictions : mapping of key to prediction, Series, DataFrame, Probabilities, or sequence
        By key; a DataFrame or Series by its index, the columns of a DataFrame are the classes. A
        plain sequence of length n_rows goes with plain labels only. None is no prediction.
    column : str, optional
        Where a dataset keeps the labels, the label role by default.

    Raises
    ------
    ProbabilityError
        The predictions have no keys, or those of other rows, or are more or fewer than the labels.
    InputError
        No label role and no column named, or what was passed is no dataset.
    ColumnError
        There is no such column.

    Notes
    -----
    O(n log n) for the order of the keys. Deterministic; row order does not matter.
    """
    keys, labels, source = _labels(ds, column)
    given, names = _by_key(predictions, keys, plain_labels=not source)
    _check_keys(keys, labels, given)
    null = np.array([is_missing(value) for value in labels], dtype=bool)
    lacking = np.array([given.get(key) is None for key in keys], dtype=bool)
    order = key_order(keys)
    kept = order[~(null | lacking)[order]]
    counts = {
        "n_null_labels": int(null.sum()),
        "n_without_predictions": int((lacking & ~null).sum()),
    }
    chosen = [given[key] for key in keys[kept]]
    return Labelled(keys[kept], labels[kept], chosen, names, {**source, **counts})


def class_places(
    present: set[Any], n_classes: int, names: tuple[Any, ...] | None, classes: Any
) -> tuple[tuple[Any, ...], dict[Any, int]]:
    """Return the names of the classes in the order of a model's outputs, and each one's place.

    Parameters
    ----------
    present : set
        Classes among the labels.
    n_classes : int
        How many the model knows.
    names, classes : sequence of length n_classes, optional
        Names that the predictions carry, or that the caller gave, which win. Else they are
        0 … n_classes-1 where the labels are such integers, else the sorted labels.

    Raises
    ------
    LabelError
        The names do not fit the number of classes, or a label is none of them.
    """
    named = names if classes is None else tuple(plain(name) for name in classes)
    chosen = _guessed(present, n_classes) if named is None else named
    if len(chosen) != n_classes or len(set(chosen)) != n_classes:
        raise LabelError(
            f"there are {len(chosen)} class names ({shorten(chosen)}) for {n_classes} classes of "
            "the predictions",
            hint="name each class once, in the order of the predictions",
        )
    strange = present - set(chosen)
    if strange:
        raise LabelError(
            f"the labels hold {shorten(sorted_values(strange))}, none of the classes of the "
            f"predictions, which are {shorten(chosen)}",
            hint="correct these labels, or pass classes= in the order of the predictions",
        )
    return chosen, {name: i for i, name in enumerate(chosen)}


def number_array(values: Any, key: Any, ndim: int) -> npt.NDArray[np.float64]:
    """Return one row's prediction as finite numbers.

    Raises
    ------
    ProbabilityError
        They are no numbers, not finite, or have another number of dimensions than `ndim`.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ProbabilityError(
            f"the prediction of row {key!r} holds no numbers: {error}",
            hint="pass the output of the model, one array for each row",
        ) from error
    if array.ndim != ndim or not np.isfinite(array).all():
        what = "NaN or infinite" if array.ndim == ndim else f"of shape {array.shape}"
        raise ProbabilityError(
            f"the prediction of row {key!r} is {what}, expected finite numbers in "
            f"{ndim} dimensions",
            hint="pass the output of the model, unchanged",
        )
    return array


def items_of(label: Any, key: Any, what: str) -> list[Any]:
    """Return a label that is a list, as plain Python values.

    Raises
    ------
    LabelError
        It is a single value.
    """
    if isinstance(label, (str, bytes, Mapping)) or not hasattr(label, "__iter__"):
        raise LabelError(
            f"the label of row {key!r} is {label!r}, expected {what}",
            hint="pass column= for the column that holds them, or lists as labels",
        )
    return [plain(item) for item in label]


def is_missing(value: Any) -> bool:
    """Return whether a label is null, NaN, pandas' NA or NaT; a list never is."""
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep cleanlab's warnings, which name its own parameters, from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _labels(ds: Any, column: str | None) -> tuple[KeyArray, KeyArray, dict[str, Any]]:
    if hasattr(ds, "roles"):
        labels = labels_of(ds) if column is None else values_of(ds, column)
        name = ds.roles.get("label") if column is None else column
        source = {**read_from(ds), "column": str(name)}
        return ds.keys, labels, source
    if column is not None:
        raise ColumnError(
            f"column={column!r} is for a dataset, and the labels were passed themselves",
            hint="leave column= out",
        )
    if hasattr(ds, "columns") or isinstance(ds, (str, bytes)) or not hasattr(ds, "__iter__"):
        check_reading(ds)
    values = list(ds)
    labels = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        labels[i] = plain(value)
    return key_array(range(len(values))), labels, {}


def _by_key(
    predictions: Any, keys: KeyArray, plain_labels: bool
) -> tuple[dict[Any, Any], tuple[Any, ...] | None]:
    if isinstance(predictions, Probabilities):
        return _paired(predictions.keys, predictions.values), predictions.classes
    if hasattr(predictions, "columns") and hasattr(predictions, "index"):
        names = tuple(plain(name) for name in predictions.columns)
        return _paired(predictions.index, predictions.to_numpy()), names
    if isinstance(predictions, Mapping):
        return dict(predictions), None
    if hasattr(predictions, "index") and hasattr(predictions, "to_numpy"):
        return _paired(predictions.index, predictions.to_numpy()), None
    if not plain_labels:
        raise ProbabilityError(
            f"predictions are a {type(predictions).__name__}, expected them by key",
            hint="pass a mapping of key → prediction, or a frame with the keys as its index",
        )
    return _in_sequence(predictions, keys), None


def _in_sequence(predictions: Any, keys: KeyArray) -> dict[Any, Any]:
    size = len(predictions) if hasattr(predictions, "__len__") else -1
    if size != len(keys):
        raise ProbabilityError(
            f"there are {len(keys)} labels and {max(size, 0)} predictions",
            hint="pass one prediction for each label, in the same order",
        )
    return dict(zip(keys, predictions, strict=True))


def _paired(index: Any, values: Any) -> dict[Any, Any]:
    names = [plain(key) for key in index]
    if len(set(names)) < len(names):
        twice = sorted_values({key for key, n in Counter(names).items() if n > 1})
        raise ProbabilityError(
            f"predictions are given twice for {shorten(twice)}", hint="give each row one prediction"
        )
    return dict(zip(names, values, strict=True))


def _check_keys(keys: KeyArray, labels: KeyArray, given: dict[Any, Any]) -> None:
    if not len(keys) or any(key in given for key in keys):
        return
    if given or any(value is not None for value in labels):
        raise ProbabilityError(
            f"the predictions are for other keys ({shorten(list(given)) or 'none'}) than the "
            f"rows ({shorten(keys)})",
            hint="predict the rows of this dataset, and name each prediction by its key",
        )


def _guessed(present: set[Any], n_classes: int) -> tuple[Any, ...]:
    if all(type(value) is int and 0 <= value < n_classes for value in present):
        return tuple(range(n_classes))
    if len(present) == n_classes:
        return tuple(sorted_values(present))
    raise LabelError(
        f"the labels hold {len(present)} classes ({shorten(sorted_values(present))}), the "
        f"predictions {n_classes}",
        hint="pass classes= in the order of the predictions",
    )
