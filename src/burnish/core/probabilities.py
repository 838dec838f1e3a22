"""Class probabilities of rows, by key."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, arrow_keys, key_array, places_of, plain, shorten
from burnish.errors import ProbabilityError

NOISE = 1e-3
_AS_GIVEN: dict[np.dtype[Any], float] = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-5}
_BLOCK = 1 << 21
_LARGE = 1 << 25
_SHARES = 8
_NARROW_BLOCK = 1 << 16  # larger products go to BLAS's threads, which wait for each other
_WIDE = 32

Values = npt.NDArray[np.floating[Any]]
Keys = KeyArray | range
Mask = npt.NDArray[np.bool_]


class Probabilities:
    """Predicted class probabilities, one row per key.

    Parameters
    ----------
    values : array of shape (n_rows, n_classes)
        Probabilities in [0, 1] whose rows sum to 1. 32-bit floats stay as they are, other numbers
        become 64-bit floats. Numerical noise up to 1e-3 is clipped and such rows are normalised;
        rows that sum to 1 within 1e-6 (1e-5 for 32 bits) are left as given; more is refused.
    keys : sequence of length n_rows
        Row keys, each once.
    classes : sequence of length n_classes
        Class names, in the order of the columns.
    provenance : mapping, optional
        What made them: estimator, folds, seed, fingerprint of the data.

    Attributes
    ----------
    values : float32 or float64 array of shape (n_rows, n_classes)
        Read-only.
    keys : object array of shape (n_rows,)
    classes : tuple of length n_classes
    provenance : dict

    Raises
    ------
    ProbabilityError
        No numbers, a wrong shape, NaN or infinite values, rows that do not sum to 1, repeated keys
        or classes.

    Notes
    -----
    Holds one copy of ``values``; see `view` for none.

    Examples
    --------
    >>> import burnish as bn
    >>> bn.Probabilities([[0.9, 0.1], [0.2, 0.8]], keys=["a", "b"], classes=["cat", "dog"])
    Probabilities(2 rows × 2 classes: 'cat', 'dog')
    """

    values: Values
    classes: tuple[Any, ...]
    provenance: Mapping[str, Any]
    _keys: Keys

    def __init__(
        self,
        values: Any,
        keys: Iterable[Any],
        classes: Iterable[Any],
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        array = _numbers(values)
        own = array is not values and array.base is None
        self._hold(array if own else array.copy(), keys, classes, provenance)

    @classmethod
    def view(
        cls,
        values: Any,
        keys: Iterable[Any],
        classes: Iterable[Any],
        provenance: Mapping[str, Any] | None = None,
    ) -> Probabilities:
        """Return probabilities that stay where they are; see the class for what is checked.

        Parameters
        ----------
        values : array of shape (n_rows, n_classes)
            Copied only where they are no floats of 32 or 64 bits in row order, or have to be
            normalised. They must not change afterwards.
        keys, classes, provenance
            As for the class; a range of keys costs no memory.

        Returns
        -------
        Probabilities
        """
        made = cls.__new__(cls)
        made._hold(_numbers(values), keys, classes, provenance)
        return made

    def _hold(
        self,
        values: Values,
        keys: Iterable[Any],
        classes: Iterable[Any],
        provenance: Mapping[str, Any] | None,
    ) -> None:
        names = tuple(plain(name) for name in classes)
        held: Keys = keys if isinstance(keys, range) else key_array(keys)
        array = _checked(values, held, names).view()
        array.flags.writeable = False
        put = object.__setattr__
        put(self, "_keys", held)
        put(self, "classes", names)
        put(self, "values", array)
        put(self, "provenance", dict(provenance or {}))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"probabilities are fixed, {name!r} too: make new ones")

    @cached_property
    def keys(self) -> KeyArray:
        """Row keys, in the order of the values."""
        return key_array(self._keys)

    @cached_property
    def arrow_keys(self) -> Any:
        """The keys as an Arrow array of int64 or string, None where they are something else."""
        return arrow_keys(self.keys)

    def key_at(self, rows: npt.NDArray[Any]) -> KeyArray:
        """Return the keys of some rows, by place."""
        if isinstance(self._keys, range):
            return key_array((self._keys.start + self._keys.step * rows).tolist())
        return np.asarray(self._keys[rows])

    def align(self, keys: Iterable[Any]) -> Values:
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
        wanted = key_array(keys)
        found = places_of(wanted, self.keys)
        missing = wanted[found < 0]
        if len(missing):
            raise ProbabilityError(
                f"{len(missing)} of {len(wanted)} rows have no probabilities: {shorten(missing)}",
                hint="compute them on this dataset with bn.cross_val_probabilities(ds, estimator)",
            )
        return found

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        n_rows, n_classes = self.values.shape
        return f"Probabilities({n_rows:,} rows × {n_classes} classes: {shorten(self.classes)})"


def as_numbers(values: Any) -> Values:
    """Return probabilities as floats of 32 or 64 bits, in place where they are such.

    Raises
    ------
    ProbabilityError
        They are no numbers, or lists of different lengths.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "fiubO":
            raise TypeError(f"they are {array.dtype}")
        return array if array.dtype in _AS_GIVEN else array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ProbabilityError(
            f"probabilities are no numbers: {error}",
            hint="pass the output of predict_proba, one row for each label",
        ) from error


def _numbers(values: Any) -> Values:
    array = as_numbers(values)
    return np.ascontiguousarray(array) if array.ndim == 2 else array


def _checked(values: Values, keys: Keys, classes: tuple[Any, ...]) -> Values:
    if not isinstance(keys, range):
        _check_names(keys, "keys")
    _check_names(key_array(classes), "classes")
    if values.shape != (len(keys), len(classes)):
        raise ProbabilityError(
            f"probabilities have shape {values.shape}, "
            f"expected {(len(keys), len(classes))} for {len(keys)} keys × {len(classes)} classes",
            hint="pass one row per key and one column per class",
        )
    return normalised(values, keys)


def _check_names(names: KeyArray, what: str) -> None:
    if len(set(names)) == len(names):
        return
    seen: set[Any] = set()
    twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    raise ProbabilityError(
        f"{what} occur twice: {shorten(twice)}", hint=f"give each of the {what} once"
    )


def normalised(values: Values, keys: Keys) -> Values:
    """Return probabilities in [0, 1] whose rows sum to 1.

    Parameters
    ----------
    values : float32 or float64 array of shape (n_rows, n_classes)
    keys : sequence of length n_rows
        Named where rows are refused.

    Returns
    -------
    array of the same shape and type
        The same array where no row had to be clipped or normalised.

    Raises
    ------
    ProbabilityError
        A value is not finite, or is further from a probability than numerical noise.

    Notes
    -----
    One pass, block by block, on threads where it is long, without temporary arrays of the size of
    ``values``.
    """
    noisy = _noisy(values)
    with np.errstate(invalid="ignore", over="ignore"):
        for is_bad, what in _FAULTS:
            _refuse([(part, is_bad(values[part])) for part in noisy], keys, what, values)
    if not noisy:
        return values
    values = values.copy()
    for part in noisy:
        values[part] = _normalised(values[part])
    return values


def _noisy(values: Values) -> list[slice]:
    """Return the blocks in which something is not fine."""

    def within(parts: list[slice]) -> list[slice]:
        with np.errstate(invalid="ignore", over="ignore"):
            return [part for part in parts if not _fine(values[part])]

    blocks = list(_blocks(values))
    if values.nbytes < _LARGE:
        return within(blocks)
    size = -(-len(blocks) // (_SHARES * (os.cpu_count() or 1)))
    shares = [blocks[start : start + size] for start in range(0, len(blocks), size)]
    with ThreadPoolExecutor() as pool:
        return [part for noisy in pool.map(within, shares) for part in noisy]


def _blocks(values: Values) -> Iterator[slice]:
    size = _BLOCK if values.shape[1] >= _WIDE else _NARROW_BLOCK
    step = max(1, size // max(1, values.shape[1] * values.itemsize))
    return (slice(start, start + step) for start in range(0, len(values), step))


def _fine(block: Values) -> bool:
    if not block.shape[1]:
        return False
    sums = (
        block.sum(axis=1)
        if block.shape[1] >= _WIDE
        else block @ np.ones(block.shape[1], block.dtype)
    )
    near = np.abs(sums - 1).max() <= _AS_GIVEN[block.dtype]
    return bool(near and block.min() >= 0)


def _normalised(block: Values) -> Values:
    clipped = np.clip(block, 0, 1)
    sums = clipped.sum(axis=1, dtype=np.float64)
    noisy = np.abs(sums - 1) > _AS_GIVEN[block.dtype]
    clipped[noisy] /= sums[noisy, None].astype(block.dtype)
    return clipped


def _not_finite(block: Values) -> Mask:
    return np.asarray(~np.isfinite(block).all(axis=1))


def _outside(block: Values) -> Mask:
    low, high = block.min(axis=1, initial=0), block.max(axis=1, initial=0)
    return np.asarray((low < -NOISE) | (high > 1 + NOISE))


def _off(block: Values) -> Mask:
    sums = np.clip(block, 0, 1).sum(axis=1, dtype=np.float64)
    return np.asarray(np.abs(sums - 1) > NOISE)


_FAULTS = (
    (_not_finite, "are NaN or infinite"),
    (_outside, "lie outside [0, 1]"),
    (_off, "do not sum to 1"),
)


def _refuse(found: list[tuple[slice, Mask]], keys: Keys, what: str, values: Values) -> None:
    rows = [part.start + int(i) for part, bad in found for i in np.flatnonzero(bad)]
    if not rows:
        return
    row = np.array2string(values[rows[0]], precision=4, threshold=6)
    raise ProbabilityError(
        f"probabilities of {len(rows)} rows {what}, first {keys[rows[0]]!r}: {row}",
        hint="pass the output of predict_proba, unchanged",
    )
