"""What a model needs from a dataset, and how it reads roles."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array, plain, shorten
from burnish.errors import ColumnError, InputError, LabelError

if TYPE_CHECKING:
    import pyarrow as pa

    from burnish.dataset.reading import Reading

Order = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


def check_reading(ds: Any) -> None:
    """Refuse what is no dataset, such as the frame or the path it was made from.

    Raises
    ------
    InputError
        `ds` is neither a Dataset nor a Snapshot.
    """
    if hasattr(ds, "roles"):
        return
    path = isinstance(ds, (str, PathLike))
    raise InputError(
        f"expected a Dataset or a Snapshot, got {type(ds).__name__}",
        hint=f"ds = bn.open({ds!r})" if path else "ds = bn.create(path, frame, key=…, label=…)",
    )


def read_from(ds: Reading) -> dict[str, Any]:
    """Return which rows were read: their fingerprint, and the name of the version below them."""
    version = getattr(ds, "head", None) or getattr(ds, "version", None)
    name = getattr(version, "name", version)
    return {"fingerprint": ds.fingerprint, "version": None if name is None else str(name)}


def key_order(keys: KeyArray) -> Order:
    """Return the positions that sort keys, for keys of one type or of several."""
    try:
        order = sorted(range(len(keys)), key=keys.__getitem__)
    except TypeError:
        order = sorted(range(len(keys)), key=lambda i: (type(keys[i]).__name__, repr(keys[i])))
    return np.array(order, dtype=np.intp)


def values_of(reading: Reading, column: str) -> KeyArray:
    """Return one column as plain Python values, None where it is null."""
    if column not in reading.columns:
        raise ColumnError(
            f"there is no column {column!r}, only {shorten(reading.columns)}",
            hint="ds.columns lists the columns",
        )
    return key_array(reading.to_arrow([column]).column(column).to_pylist())


def role_values(reading: Reading, role: str) -> KeyArray | None:
    """Return the column of a role as plain Python values, None where the role is not set."""
    column = reading.roles.get(role)
    return None if column is None else values_of(reading, str(column))


def labels_of(reading: Reading) -> KeyArray:
    """Return the labels as plain Python values, None where a row has none.

    Raises
    ------
    InputError
        The dataset has no ``label`` role.
    """
    return values_of(reading, _label_name(reading))


def label_column(reading: Reading) -> pa.ChunkedArray:
    """Return the labels as an Arrow column.

    Raises
    ------
    InputError
        The dataset has no ``label`` role.
    """
    return reading.to_arrow([_label_name(reading)]).column(0)


def _label_name(reading: Reading) -> str:
    name = reading.roles.get("label")
    if name is None:
        raise InputError(
            f"the dataset has no label role, only {shorten(sorted(reading.roles)) or 'none'}",
            hint="name the label column when creating it: bn.create(…, label='label')",
        )
    return str(name)


def identities_of(reading: Reading) -> KeyArray:
    """Return what must stay together in folds: the group, or the key where there is none."""
    groups = role_values(reading, "group")
    return reading.keys if groups is None else grouped(reading.keys, groups)


def grouped(keys: KeyArray, groups: Iterable[Any]) -> KeyArray:
    """Return each row's group, or its key where the group is null."""
    pairs = zip(groups, keys, strict=True)
    return key_array([("key", key) if group is None else ("group", group) for group, key in pairs])


def is_null(values: KeyArray) -> Mask:
    """Return where values are None or NaN."""
    import pandas as pd

    return np.asarray(pd.isna(values), dtype=bool)


def single_labels(given: Iterable[Any]) -> KeyArray:
    """Return plain labels as plain Python values.

    Raises
    ------
    InputError
        They are a path, or something else that holds no labels.
    LabelError
        A label cannot be a class, such as a list.
    """
    if (
        isinstance(given, (str, bytes))
        or hasattr(given, "columns")
        or not hasattr(given, "__iter__")
    ):
        check_reading(given)
    labels = key_array([plain(value) for value in given])
    check_single(labels)
    return labels


def check_single(labels: Iterable[Any]) -> None:
    """Refuse labels that cannot be classes, such as lists.

    Raises
    ------
    LabelError
        One of them is no single value.
    """
    try:
        set(labels)
    except TypeError as error:
        raise LabelError(
            f"labels must be single values, such as texts or integers: {error}",
            hint="pass one label for each row",
        ) from error


def sorted_values(values: set[Any]) -> list[Any]:
    """Return distinct values in their own order, or by type and text where types are mixed."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__name__, repr(value)))


def rows_in_split(reading: Reading, name: Any, argument: str) -> Mask:
    """Return which rows belong to a split.

    Raises
    ------
    InputError
        No split role, or no row of that split.
    """
    splits = role_values(reading, "split")
    if splits is None:
        raise InputError(
            f"{argument}={name!r} names a split, but the dataset has no split role",
            hint=f"give the frame a column that says {name!r} where it holds, and create it with "
            "bn.create(…, split='split')",
        )
    mask = np.array([value == name for value in splits], dtype=bool)
    if not mask.any():
        present = shorten(sorted_values({value for value in splits if value is not None}))
        raise InputError(
            f"{argument}={name!r} is not a split of this dataset, whose splits are {present}",
            hint=f"pass one of them as {argument}",
        )
    return mask
