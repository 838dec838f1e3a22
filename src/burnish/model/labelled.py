"""Labels and vectors of the same rows, sorted by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array
from burnish.errors import InputError
from burnish.model.reading import (
    check_reading,
    is_null,
    key_order,
    labels_of,
    read_from,
    single_labels,
    sorted_values,
)

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows with their labels, sorted by key.

    Attributes
    ----------
    keys, labels : object array of shape (n,)
        A label is None where it is null.
    codes : int array of shape (n,)
        Position of each label in `classes`, -1 where it is null.
    classes : tuple
        The labels that occur, sorted.
    source : mapping
        ``fingerprint`` and ``version`` of what was read; empty for plain data.
    """

    keys: KeyArray
    labels: KeyArray
    codes: Codes
    classes: tuple[Any, ...]
    source: Mapping[str, Any]

    @property
    def n_null_labels(self) -> int:
        """How many rows have no label."""
        return int((self.codes < 0).sum())

    def names(self, codes: Codes) -> KeyArray:
        """Return the classes of some codes, None for -1."""
        return key_array([*self.classes, None])[codes]


def labelled(ds: Reading | Any, labels: Any = None) -> Labelled:
    """Return the labels of a dataset, or of plain data.

    Parameters
    ----------
    ds : Dataset, Snapshot, or array of shape (n, d)
        What has the vectors.
    labels : sequence of length n, optional
        Only with an array, whose keys are 0 … n-1.

    Returns
    -------
    Labelled

    Raises
    ------
    InputError
        There are no vectors, no labels, more or fewer labels than vectors, or labels beside a
        dataset.
    LabelError
        A label cannot be a class, such as a list.
    """
    if hasattr(ds, "roles"):
        if labels is not None:
            raise InputError(
                "labels were passed beside a dataset, which has its own",
                hint="leave labels= out, or pass an array of vectors",
            )
        order = key_order(ds.keys)
        source = read_from(ds)
        return _coded(ds.keys[order], labels_of(ds)[order], source)
    if isinstance(ds, (str, bytes)) or not hasattr(ds, "__len__"):
        check_reading(ds)
    given = single_labels([] if labels is None else labels)
    if len(given) != len(ds) or labels is None:
        raise InputError(
            f"there are {len(ds)} vectors and {len(given)} labels",
            hint="pass labels=[…], one for each vector, or a dataset with a label role",
        )
    return _coded(key_array(range(len(given))), given, {})


def _coded(keys: KeyArray, labels: KeyArray, source: Mapping[str, Any]) -> Labelled:
    null = is_null(labels)
    labels = key_array([None if no else x for x, no in zip(labels, null, strict=True)])
    classes = tuple(sorted_values(set(labels[~null])))
    place = {name: i for i, name in enumerate(classes)}
    codes = np.array([-1 if no else place[x] for x, no in zip(labels, null, strict=True)], np.intp)
    return Labelled(keys, labels, codes, classes, source)
