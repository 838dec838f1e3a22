"""Class probabilities of rows, by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array, plain, shorten
from burnish.errors import ProbabilityError

NOISE = 1e-3


@dataclass(frozen=True, eq=False)
class Probabilities:
    """Predicted class probabilities, one row per key.

    Parameters
    ----------
    values : array of shape (n_rows, n_classes)
        Probabilities in [0, 1] whose rows sum to 1. Numerical noise up to 1e-3 is clipped and the
        rows are normalised; more is refused.
    keys : sequence of length n_rows
        Row keys, each once.
    classes : sequence of length n_classes
        Class names, in the order of the columns.
    provenance : mapping, optional
        What made them: estimator, folds, seed, fingerprint of the data.

    Raises
    ------
    ProbabilityError
        Wrong shape, NaN or infinite values, rows that do not sum to 1, repeated keys or classes.

    Notes
    -----
    Holds one float64 copy of ``values``.

    Examples
    --------
    >>> import burnish as bn
    >>> bn.Probabilities([[0.9, 0.1], [0.2, 0.8]], keys=["a", "b"], classes=["cat", "dog"])
    Probabilities(2 rows × 2 classes: 'cat', 'dog')
    """

    values: npt.NDArray[np.float64]
    keys: KeyArray
    classes: tuple[Any, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        values: Any,
        keys: Iterable[Any],
        classes: Iterable[Any],
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        names = tuple(plain(name) for name in classes)
        array = key_array(keys)
        put = object.__setattr__
        put(self, "keys", array)
        put(self, "classes", names)
        put(self, "values", _checked(values, array, names))
        put(self, "provenance", dict(provenance or {}))

    def align(self, keys: Iterable[Any]) -> npt.NDArray[np.float64]:
        """Return the values in the order of the given keys.

        Parameters
        ----------
        keys : iterable of keys
            Keys to look up.

        Returns
        -------
        array of shape (len(keys), n_classes)

        Raises
        ------
        ProbabilityError
            A key has no probabilities.
        """
        return self.values[self.positions(keys)]

    @cached_property
    def places(self) -> Mapping[Any, int]:
        """Key → where it stands; made once."""
        return {key: i for i, key in enumerate(self.keys)}

    def positions(self, keys: Iterable[Any]) -> npt.NDArray[np.intp]:
        """Return where each key stands, for keys that must all be there."""
        place = self.places
        wanted = key_array(keys)
        missing = [key for key in wanted if key not in place]
        if missing:
            raise ProbabilityError(
                f"{len(missing)} of {len(wanted)} rows have no probabilities: {shorten(missing)}",
                hint="compute them on this dataset with bn.cross_val_probabilities(ds, estimator)",
            )
        return np.fromiter((place[key] for key in wanted), dtype=np.intp, count=len(wanted))

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        n_rows, n_classes = self.values.shape
        return f"Probabilities({n_rows:,} rows × {n_classes} classes: {shorten(self.classes)})"


def _checked(values: Any, keys: KeyArray, classes: tuple[Any, ...]) -> npt.NDArray[np.float64]:
    array = np.array(values, dtype=np.float64)
    _check_names(keys, "keys")
    _check_names(key_array(classes), "classes")
    if array.shape != (len(keys), len(classes)):
        raise ProbabilityError(
            f"probabilities have shape {array.shape}, "
            f"expected {(len(keys), len(classes))} for {len(keys)} keys × {len(classes)} classes",
            hint="pass one row per key and one column per class",
        )
    return normalised(array, keys)


def _check_names(names: KeyArray, what: str) -> None:
    if len(set(names)) == len(names):
        return
    seen: set[Any] = set()
    twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    raise ProbabilityError(
        f"{what} occur twice: {shorten(twice)}", hint=f"give each of the {what} once"
    )


def normalised(values: npt.NDArray[np.float64], keys: KeyArray) -> npt.NDArray[np.float64]:
    """Return probabilities clipped to [0, 1] with rows that sum to exactly 1.

    Raises
    ------
    ProbabilityError
        A value is not finite, or is further from a probability than numerical noise.
    """
    _refuse(np.asarray(~np.isfinite(values).all(axis=1)), keys, "are NaN or infinite", values)
    low, high = values.min(axis=1, initial=0), values.max(axis=1, initial=0)
    _refuse((low < -NOISE) | (high > 1 + NOISE), keys, "lie outside [0, 1]", values)
    clipped = np.clip(values, 0.0, 1.0)
    sums = clipped.sum(axis=1, keepdims=True)
    off = np.asarray(np.abs(sums[:, 0] - 1) > NOISE)
    _refuse(off, keys, "do not sum to 1", values)
    return np.asarray(clipped / sums)


def _refuse(
    bad: npt.NDArray[np.bool_], keys: KeyArray, what: str, values: npt.NDArray[np.float64]
) -> None:
    if not bad.any():
        return
    first = int(np.argmax(bad))
    row = np.array2string(values[first], precision=4, threshold=6)
    raise ProbabilityError(
        f"probabilities of {int(bad.sum())} rows {what}, first {keys[first]!r}: {row}",
        hint="pass the output of predict_proba, unchanged",
    )
