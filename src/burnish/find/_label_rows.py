"""Labels beside probabilities: each row's class as a small integer, without a loop over rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array, places_of, plain, plain_arrow, shorten
from burnish.core.probabilities import Probabilities, as_numbers
from burnish.errors import LabelError, ProbabilityError
from burnish.model.confident_learning import Codes, code_type
from burnish.model.probability_tables import ArrayTable, FileTable
from burnish.model.reading import (
    Mask,
    check_reading,
    is_null,
    label_column,
    read_from,
    sorted_values,
)

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

Rows = npt.NDArray[Any]
_SMALL = 1 << 16


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as places in a list of the distinct ones.

    Attributes
    ----------
    distinct : list
        Plain values.
    places : int array of shape (n_rows,)
        -1 for a null label.
    """

    distinct: list[Any]
    places: Rows

    def at(self, rows: Rows) -> KeyArray:
        """Return the labels of some rows as plain values."""
        return key_array(self.distinct)[self.places[rows]]

    def only(self, kept: Mask) -> Labels:
        """Return the labels of some rows, as null for all others."""
        return self if kept.all() else replace(self, places=np.where(kept, self.places, -1))

    def codes(self, classes: tuple[Any, ...], name: Callable[[int], Any]) -> Codes:
        """Return each row's place among the classes, -1 for a null label.

        Raises
        ------
        LabelError
            A label is not among the classes.
        """
        place = {each: i for i, each in enumerate(classes)}
        codes = np.array([*(place.get(each, -1) for each in self.distinct), -1])
        strange = codes[:-1] < 0
        bad = np.flatnonzero(strange[self.places] & (self.places >= 0)) if strange.any() else None
        if bad is not None and len(bad):
            names = {self.distinct[i] for i in np.unique(self.places[bad])}
            raise LabelError(
                f"{len(bad)} rows have labels that are not among the classes of the "
                f"probabilities: {shorten(sorted_values(names))}, first row {name(int(bad[0]))!r}; "
                f"the classes are {shorten(classes)}",
                hint="compute the probabilities again with the labels as they are now",
            )
        kind = code_type(len(classes))
        if tuple(self.distinct) == classes and self.places.dtype == kind:
            return self.places
        return codes.astype(kind)[self.places]


@dataclass(frozen=True, eq=False)
class LabelTable:
    """Labels beside probabilities.

    Attributes
    ----------
    table : ArrayTable or FileTable
        Probabilities, n_probs rows of them.
    classes : tuple
    codes : int array of shape (n_probs,)
        Place of each row's label among the classes; -1 where there is no row or no label.
    key_at : callable
        Places in the probabilities → keys.
    labels : Labels
    row_of : int array of shape (n_probs,) or None
        Which row of the labels the probabilities are of; None where it is the same row.
    probs : Probabilities or None
        The same as `table`, where they are in memory.
    keyed : bool
        Whether keys decide the order of equal rows.
    source : dict
        What was read, and what was left out and how many.
    """

    table: ArrayTable | FileTable
    classes: tuple[Any, ...]
    codes: Codes
    key_at: Callable[[Rows], KeyArray]
    labels: Labels
    row_of: Rows | None
    probs: Probabilities | None
    keyed: bool
    source: dict[str, Any]

    def given(self, places: Rows) -> KeyArray:
        """Return the labels beside some rows of the probabilities."""
        return self.labels.at(places if self.row_of is None else self.row_of[places])


def is_labels(given: Any) -> bool:
    """Return whether labels were passed, and no dataset, frame or path."""
    frame = hasattr(given, "columns") or isinstance(given, (str, Probabilities))
    return hasattr(given, "__iter__") and not hasattr(given, "roles") and not frame


def of_dataset(ds: Reading, probs: Any) -> LabelTable:
    """Return the labels of live rows beside their probabilities.

    Raises
    ------
    ProbabilityError
        ``probs`` carry no keys, or those of other rows.
    LabelError
        A label is not among the classes.
    """
    check_reading(ds)
    if not isinstance(probs, Probabilities):
        raise ProbabilityError(
            f"probs is a {type(probs).__name__}, expected bn.Probabilities, which carry keys",
            hint="bn.Probabilities(values, keys=ds.keys, classes=ds.classes)",
        )
    labels = encoded(label_column(ds))
    places = key_places(ds, probs)
    check_same_rows(ds, (places >= 0) | (labels.places < 0), probs)
    codes = labels.only(places >= 0).codes(probs.classes, lambda row: ds.keys[row])
    row_of, beside, counts = turned(labels, codes, places, len(probs))
    source = {**read_from(ds), **counts, "probabilities": dict(probs.provenance)}
    table = ArrayTable(probs.values)
    return LabelTable(
        table, probs.classes, beside, probs.key_at, labels, row_of, probs, True, source
    )


def turned(
    labels: Labels, codes: Codes, places: Rows, n_probs: int
) -> tuple[Rows, Codes, dict[str, int]]:
    """Turn labels of rows into labels beside probabilities, and count what is left out.

    Parameters
    ----------
    labels : Labels
    codes : int array of shape (n_rows,)
        Place of each row's label among the classes.
    places : int array of shape (n_rows,)
        Where each row stands in the probabilities, -1 for nowhere.
    n_probs : int

    Returns
    -------
    row of each place, code of each place, counts
    """
    covered, null = places >= 0, labels.places < 0
    here = np.flatnonzero(covered)
    row_of = np.full(n_probs, -1)
    row_of[places[here]] = here
    beside = np.full(n_probs, -1, codes.dtype)
    beside[places[here]] = codes[here]
    counts = {
        "n_null_labels": int(null.sum()),
        "n_without_probabilities": int((~covered & ~null).sum()),
    }
    return row_of, beside, counts


def key_places(ds: Reading, probs: Probabilities) -> Rows:
    """Return where each live row stands in the probabilities, -1 where it has none."""
    names = ds.state.key
    if len(names) == 1:
        column = plain_arrow(ds.to_arrow(names).column(0))
        among = None if column is None else probs.arrow_keys
        if among is not None and among.type == column.type:
            return places_of(column, among)
    return places_of(ds.keys, probs.keys)


def check_same_rows(ds: Reading, covered: Mask, probs: Probabilities) -> None:
    """Refuse probabilities that were computed for rows of another dataset.

    Raises
    ------
    ProbabilityError
        Rows of the dataset have none, and no row, dropped ones included, has some of their keys.
    """
    if covered.all():
        return
    from burnish.dataset.reading import find_ever

    others = probs.keys[find_ever(ds.state, probs.keys) < 0]
    if not len(others) and len(probs):
        return
    raise ProbabilityError(
        f"the probabilities are for other keys: {len(others)} of theirs are not in the dataset "
        f"({shorten(others) or 'none'}), {int((~covered).sum())} rows of the dataset have none "
        f"({shorten(ds.keys[~covered])})",
        hint="compute them on this dataset: bn.cross_val_probabilities(ds, estimator)",
    )


def of_arrays(given: Any, probs: Any) -> LabelTable:
    """Return plain labels beside probabilities in the same order.

    Raises
    ------
    ProbabilityError
        Another number of rows, or no probabilities.
    LabelError
        A label is not among the classes.
    """
    labels = factorized(given)
    if not isinstance(probs, Probabilities):
        probs = _named(probs, labels)
    if len(probs) != len(labels.places):
        raise ProbabilityError(
            f"there are {len(labels.places)} labels and {len(probs)} rows of probabilities",
            hint="pass one row of probabilities for each label, in the same order",
        )
    codes = labels.codes(probs.classes, lambda row: probs.key_at(np.array([row]))[0])
    source = {
        "n_null_labels": int((labels.places < 0).sum()),
        "n_without_probabilities": 0,
        "probabilities": dict(probs.provenance),
    }
    table = ArrayTable(probs.values)
    return LabelTable(table, probs.classes, codes, probs.key_at, labels, None, probs, False, source)


def _named(values: Any, labels: Labels) -> Probabilities:
    n_rows = len(labels.places)
    array = as_numbers(values)
    if array.ndim != 2 or len(array) != n_rows:
        raise ProbabilityError(
            f"probabilities have shape {array.shape}, expected ({n_rows}, n_classes) for "
            f"{n_rows} labels",
            hint="pass the output of predict_proba, one row for each label",
        )
    classes = class_names(labels.distinct, array.shape[1])
    return Probabilities.view(array, range(n_rows), classes)


def class_names(present: Sequence[Any], n_classes: int) -> list[Any]:
    """Return what the columns of a plain array stand for: 0 … K-1, or the sorted labels."""
    if all(type(value) is int and 0 <= value < n_classes for value in present):
        return list(range(n_classes))
    if len(present) == n_classes:
        return sorted_values(set(present))
    raise LabelError(
        f"the labels hold {len(present)} classes ({shorten(sorted_values(set(present)))}), the "
        f"probabilities {n_classes} columns",
        hint="pass bn.Probabilities(values, keys, classes), which names the columns",
    )


def encoded(column: Any) -> Labels:
    """Return an Arrow column of labels as places among the distinct ones, -1 for null or NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    whole = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    coded = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
    places = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return _compact(coded.dictionary.to_pylist(), places)


def factorized(given: Any) -> Labels:
    """Return plain labels as places among the distinct ones, -1 for null or NaN.

    Raises
    ------
    LabelError
        A label cannot be a class, such as a list.
    """
    import pandas as pd

    values = given if isinstance(given, np.ndarray) and given.ndim == 1 else key_array(given)
    if values.dtype.kind in "iu" and len(values) and 0 <= values.min() <= values.max() < _SMALL:
        return _counted(values)
    try:
        places, distinct = pd.factorize(values)
    except TypeError as error:
        raise LabelError(
            f"labels must be single values, such as texts or integers: {error}",
            hint="pass one label for each row",
        ) from error
    return _compact([plain(value) for value in key_array(distinct)], places)


def _counted(values: Rows) -> Labels:
    """Return small integers as places, without a table of hashes."""
    distinct = np.flatnonzero(np.bincount(values))
    lut = np.zeros(int(distinct[-1]) + 1, code_type(len(distinct)))
    lut[distinct] = np.arange(len(distinct))
    return Labels(distinct.tolist(), lut[values])


def _compact(distinct: list[Any], places: Rows) -> Labels:
    """Take null labels out of the distinct ones, in the smallest integers."""
    kept = np.flatnonzero(~is_null(key_array(distinct))).tolist()
    lut = np.full(len(distinct) + 1, -1, code_type(len(distinct) + 1))
    lut[kept] = np.arange(len(kept))
    return Labels([distinct[i] for i in kept], lut[places])
