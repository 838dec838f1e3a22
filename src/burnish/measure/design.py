"""Which rows a comparison trains on, which it is scored on, and with which labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array
from burnish.core.slices import Slice
from burnish.errors import InputError
from burnish.model.features import inputs
from burnish.model.reading import (
    Mask,
    identities_of,
    is_null,
    labels_of,
    rows_in_split,
)

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

ALL_ROWS = "all rows"
TRUTHS = ("before", "after", "untouched")


@dataclass(frozen=True)
class TrainingRows:
    """What one version trains on, sorted by key."""

    X: Any
    y: KeyArray
    keys: KeyArray


@dataclass(frozen=True)
class EvaluationRows:
    """What both versions are scored on, sorted by key.

    Attributes
    ----------
    X : frame or array
        One input per row, the same for both sides.
    truth : object array of shape (n_rows,)
        One label per row, the same for both sides.
    keys : object array of shape (n_rows,)
    clusters : int array of shape (n_rows,), or None
        Rows that are drawn together, where there is a group role.
    slices : tuple of str
    members : bool array of shape (n_slices, n_rows)
    edited : object array
        Keys of evaluation rows whose label differs between the versions.
    n_inputs_edited : int
        Rows whose inputs differ between the versions.
    n_one_sided : int
        Evaluation rows of one version that are not in both.
    """

    X: Any
    truth: KeyArray
    keys: KeyArray
    clusters: npt.NDArray[np.intp] | None
    slices: tuple[str, ...]
    members: npt.NDArray[np.bool_]
    edited: KeyArray
    n_inputs_edited: int
    n_one_sided: int


@dataclass(frozen=True)
class Version:
    """One side: a snapshot and what was read from it, by key."""

    reading: Reading
    given: Any
    labels: dict[Any, Any]
    train: frozenset[Any]
    evaluate: frozenset[Any]
    place: dict[Any, int]


def read_version(
    reading: Reading, estimator: Any, columns: Any, train: Any, evaluate: Any
) -> Version:
    """Read what a comparison needs of one version."""
    given = inputs(reading, estimator, columns)
    keys = reading.keys
    return Version(
        reading,
        given,
        dict(zip(keys, labels_of(reading), strict=True)),
        frozenset(keys[rows_in_split(reading, train, "train")]),
        frozenset(keys[rows_in_split(reading, evaluate, "evaluate")]),
        {key: i for i, key in enumerate(given.keys)},
    )


def training_rows(version: Version) -> TrainingRows:
    """Return the labelled training rows of a version."""
    keys = version.given.keys
    labels = key_array([version.labels[key] for key in keys])
    keep = np.array([key in version.train for key in keys], dtype=bool) & ~is_null(labels)
    return TrainingRows(take(version.given.X, keep.nonzero()[0]), labels[keep], keys[keep])


def same_training(one: TrainingRows, other: TrainingRows) -> bool:
    """Return whether two versions train on equal rows."""
    same = len(one.keys) == len(other.keys) and bool((one.keys == other.keys).all())
    return same and bool((one.y == other.y).all()) and not differing(one.X, other.X).any()


def evaluation_rows(
    before: Version, after: Version, truth: str, slices: Sequence[Slice]
) -> EvaluationRows:
    """Return the rows that both versions are scored on.

    Raises
    ------
    InputError
        No labelled row is left.
    """
    shared = before.evaluate & after.evaluate
    keys = key_array([key for key in before.given.keys if key in shared])
    old, new = (key_array([side.labels[key] for key in keys]) for side in (before, after))
    edited = _differ(old, new)
    labels = new if truth == "after" else old
    keep = ~is_null(labels)
    if truth == "untouched":
        keep &= ~edited
    if not keep.any():
        raise InputError(
            f"no labelled evaluation row is alive on both sides with truth={truth!r}",
            hint="check the split column, or take truth='before'",
        )
    yardstick = after if truth == "after" else before
    return _evaluation(before, after, yardstick, slices, keys[keep], labels[keep], keys[edited])


def _evaluation(
    before: Version,
    after: Version,
    yardstick: Version,
    slices: Sequence[Slice],
    keys: KeyArray,
    truth: KeyArray,
    edited: KeyArray,
) -> EvaluationRows:
    X = _inputs_of(yardstick, keys)
    changed = differing(_inputs_of(before, keys), _inputs_of(after, keys))
    members = [np.ones(len(keys), dtype=bool)]
    members += [_members(before.reading, each, keys) for each in slices]
    return EvaluationRows(
        X,
        truth,
        keys,
        _clusters(before.reading, keys),
        (ALL_ROWS, *(each.name for each in slices)),
        np.array(members),
        edited,
        int(changed.sum()),
        len(before.evaluate ^ after.evaluate),
    )


def _inputs_of(version: Version, keys: KeyArray) -> Any:
    return take(version.given.X, np.array([version.place[key] for key in keys], dtype=np.intp))


def _members(reading: Reading, each: Slice, keys: KeyArray) -> Mask:
    frozen = set(reading.keys[reading.rows_where(each)])
    return np.array([key in frozen for key in keys], dtype=bool)


def _clusters(reading: Reading, keys: KeyArray) -> npt.NDArray[np.intp] | None:
    if not reading.roles.get("group"):
        return None
    identity = dict(zip(reading.keys, identities_of(reading), strict=True))
    codes: dict[Any, int] = {}
    return np.array([codes.setdefault(identity[key], len(codes)) for key in keys], dtype=np.intp)


def take(X: Any, rows: npt.NDArray[np.intp]) -> Any:
    """Return some rows of a frame or an array."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def differing(one: Any, other: Any) -> Mask:
    """Return which rows of two inputs of the same rows differ; nulls are equal."""
    if one.shape != other.shape:
        return np.ones(len(one), dtype=bool)
    if not hasattr(one, "columns"):
        unequal = _differ(one, other)
        return np.asarray(unequal if unequal.ndim == 1 else unequal.any(axis=1))
    if list(one.columns) != list(other.columns):
        return np.ones(len(one), dtype=bool)
    parts = [_differ(one[name].to_numpy(), other[name].to_numpy()) for name in one.columns]
    return np.asarray(np.any(parts, axis=0)) if parts else np.zeros(len(one), dtype=bool)


def _differ(one: Any, other: Any) -> Mask:
    import pandas as pd

    if object in (one.dtype, other.dtype):
        pairs = zip(one, other, strict=True)
        return np.array([not _equal(left, right) for left, right in pairs], dtype=bool)
    both_null = np.asarray(pd.isna(one)) & np.asarray(pd.isna(other))
    return np.asarray((one != other) & ~both_null, dtype=bool)


def _equal(left: Any, right: Any) -> bool:
    if left is right:
        return True
    if np.ndim(left) or np.ndim(right):
        return np.array_equal(np.asarray(left), np.asarray(right))
    null = is_null(key_array([left, right]))
    return bool(null.all() if null.any() else left == right)


def named_slices(slices: Iterable[Any]) -> list[Slice]:
    """Return slices given as slices, (name, predicate) pairs or predicates.

    Raises
    ------
    InputError
        Something else, or one name twice.
    """
    found = [_slice(each) for each in ([slices] if isinstance(slices, (str, Slice)) else slices)]
    names = [ALL_ROWS, *(each.name for each in found)]
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise InputError(
            f"the slice name {twice[0]!r} is used twice ({ALL_ROWS!r} is always there)",
            hint="give each slice a name of its own",
        )
    return found


def _slice(given: Any) -> Slice:
    if isinstance(given, Slice):
        return given
    if isinstance(given, str):
        return Slice(given, given)
    if isinstance(given, tuple) and len(given) == 2:
        return Slice(*given)
    raise InputError(
        f"{given!r} is not a slice", hint="pass bn.Slice('short', 'length(text) < 40')"
    )
