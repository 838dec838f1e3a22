"""Probabilities in Parquet files beside labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from os import PathLike
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.core.keys import key_array, plain_arrow, shorten
from burnish.engine import local
from burnish.engine.splits import ParquetSplit, parquet_schema, parquet_splits
from burnish.errors import ColumnError, KeysError, ProbabilityError
from burnish.find._label_rows import (
    Labels,
    LabelTable,
    Rows,
    class_names,
    encoded,
    factorized,
    turned,
)
from burnish.model.probability_tables import FileTable, is_list
from burnish.model.reading import check_reading, label_column, read_from, sorted_values

if TYPE_CHECKING:
    import pyarrow as pa

    from burnish.dataset.reading import Reading

_KEYS = 1 << 16


def is_path(probs: Any) -> bool:
    """Return whether probabilities are given as a file or folder."""
    return isinstance(probs, (str, PathLike))


def of_dataset_and_files(ds: Reading, path: Any, options: dict[str, Any]) -> LabelTable:
    """Return the labels of live rows beside probabilities in Parquet files, by key.

    Raises
    ------
    ColumnError
        The key columns or a class are missing, or a column holds something else.
    ProbabilityError
        No row of the dataset has probabilities.
    KeysError
        A key is there twice.
    """
    check_reading(ds)
    labels = encoded(label_column(ds))
    table, classes = _opened(path, labels, ds.state.key, options)
    row_of = _rows_of(ds, table, options.get("cancel"))
    places = np.full(len(labels.places), -1)
    there = np.flatnonzero(row_of >= 0)
    places[row_of[there]] = there
    _check_once(ds, row_of, places, there)
    if len(places) and not len(there):
        raise ProbabilityError(
            f"none of the {len(places)} rows of the dataset has a key that is in {str(path)!r}",
            hint=f"write the keys as they are in column {'/'.join(ds.state.key)!r}",
        )
    codes = labels.codes(classes, lambda row: ds.keys[row])
    row_of, beside, counts = turned(labels, codes, places, len(row_of))
    source = {**read_from(ds), **counts, "probabilities": {"path": str(path)}}
    keys = ds.keys
    return LabelTable(
        table, classes, beside, lambda at: keys[row_of[at]], labels, row_of, None, True, source
    )


def of_labels_and_files(given: Any, path: Any, options: dict[str, Any]) -> LabelTable:
    """Return plain labels beside probabilities in Parquet files, in the same order.

    Raises
    ------
    ColumnError
        A class is missing, or a column holds something else.
    ProbabilityError
        Another number of rows.
    """
    labels = factorized(given)
    table, classes = _opened(path, labels, [], options)
    if table.shape[0] != len(labels.places):
        raise ProbabilityError(
            f"there are {len(labels.places)} labels and {table.shape[0]} rows of probabilities",
            hint="pass one label for each row of the files, in the same order",
        )
    counts = {"n_null_labels": int((labels.places < 0).sum()), "n_without_probabilities": 0}
    source = {**counts, "probabilities": {"path": str(path)}}
    codes = labels.codes(classes, lambda row: row)
    return LabelTable(
        table, classes, codes, lambda at: key_array(at.tolist()), labels, None, None, False, source
    )


def _opened(
    path: Any, labels: Labels, key: Sequence[str], options: dict[str, Any]
) -> tuple[FileTable, tuple[Any, ...]]:
    schema = parquet_schema(path)
    missing = [name for name in key if name not in schema.names]
    if missing:
        raise ColumnError(
            f"{str(path)!r} has no key column {shorten(missing)}, only {shorten(schema.names)}",
            hint="write the keys of the dataset beside the probabilities, under the same name",
        )
    fields = [field for field in schema if field.name not in key]
    _check_types(path, fields)
    columns = tuple(field.name for field in fields)
    if is_list(fields[0].type):
        classes = _listed(path, columns[0], labels)
    else:
        classes = _named(path, labels, columns)
    kind = _common([field.type for field in fields])
    return FileTable(parquet_splits(path), columns, len(classes), kind, **options), classes


def _check_types(path: Any, fields: list[pa.Field]) -> None:
    import pyarrow as pa

    kinds = [field.type.value_type if is_list(field.type) else field.type for field in fields]
    odd = [
        f"{field.name!r} ({field.type})"
        for field, kind in zip(fields, kinds, strict=True)
        if not pa.types.is_floating(kind) or (is_list(field.type) and len(fields) > 1)
    ]
    if odd or not fields:
        raise ColumnError(
            f"{str(path)!r} holds {', '.join(odd[:5]) or 'no columns'} where one column of "
            "numbers for each class was expected, or one column of lists",
            hint="write the key and the probabilities, and nothing else",
        )


def _common(types: list[pa.DataType]) -> np.dtype[Any]:
    kinds = {(kind.value_type if is_list(kind) else kind).to_pandas_dtype() for kind in types}
    return np.dtype(np.float32 if kinds == {np.float32} else np.float64)


def _listed(path: Any, column: str, labels: Labels) -> tuple[Any, ...]:
    for split in parquet_splits(path)[:1]:
        for _, batch in split.batches(1, [column]):
            return tuple(class_names(labels.distinct, len(batch.column(0)[0] or [])))
    return tuple(sorted_values(set(labels.distinct)))


def _named(path: Any, labels: Labels, columns: tuple[str, ...]) -> tuple[Any, ...]:
    by_text = {str(value): value for value in labels.distinct}
    missing = [value for text, value in by_text.items() if text not in columns]
    if missing or len(by_text) < len(labels.distinct):
        raise ColumnError(
            f"{str(path)!r} has no column for the labels {shorten(sorted_values(set(missing)))}, "
            f"only {shorten(columns)}",
            hint="write one column for each class, named as the class",
        )
    whole = all(type(value) is int for value in labels.distinct)
    return tuple(
        by_text.get(name, int(name) if whole and name.isdecimal() else name) for name in columns
    )


def _rows_of(ds: Reading, table: FileTable, cancel: Event | None) -> Rows:
    """Return which live row each row of the files is of, -1 for none."""
    found = np.full(table.shape[0], -1)
    names = ds.state.key
    place = _places(ds)

    def look(split: ParquetSplit) -> None:
        for part, batch in split.batches(_KEYS, names):
            found[part] = place(part, batch)

    local.run(look, lambda _, __: None, table.row_groups, cancel=cancel)
    return found


def _places(ds: Reading) -> Callable[[slice, pa.RecordBatch], Rows]:
    """Return what finds the live rows of a batch of keys."""
    names = ds.state.key
    column = plain_arrow(ds.to_arrow(names).column(0)) if len(names) == 1 else None
    known = None if column is None else column.combine_chunks()

    @cache
    def place() -> dict[Any, int]:
        return {key: i for i, key in enumerate(ds.keys)}

    @cache
    def index() -> Any:
        import pandas as pd

        return pd.Index(known.to_numpy(zero_copy_only=False))  # type: ignore[union-attr]  # typed keys only

    def look(part: slice, batch: pa.RecordBatch) -> Rows:
        keys = None if known is None else plain_arrow(batch.column(0))
        if known is None or keys is None or keys.type != known.type:
            columns = [batch.column(name).to_pylist() for name in names]
            rows = columns[0] if len(names) == 1 else zip(*columns, strict=True)
            return np.array([place().get(key, -1) for key in rows], dtype=np.intp)
        if keys.equals(known[part.start : part.stop]):
            return np.arange(part.start, part.stop)
        return np.asarray(index().get_indexer(keys.to_numpy(zero_copy_only=False)))

    return look


def _check_once(ds: Reading, row_of: Rows, places: Rows, there: Rows) -> None:
    twice = there[places[row_of[there]] != there]
    if len(twice):
        names = ds.keys[np.unique(row_of[twice])]
        raise KeysError(
            f"{len(names)} keys are there twice in the probabilities: {shorten(names)}",
            hint="write one row of probabilities for each key",
        )
