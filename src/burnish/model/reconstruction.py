"""The exact rows that a model was trained on, from its training fingerprint."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import Ordinals
from burnish.core.keys import KeyArray, shorten
from burnish.dataset import open as open_dataset
from burnish.errors import (
    InputError,
    LibraryWarning,
    PredicateError,
    ReconstructionError,
    UnknownVersionError,
)
from burnish.io import frames
from burnish.model.fingerprinting import TrainingFingerprint, chosen_columns, current_versions
from burnish.model.links import remembered
from burnish.model.training_data import TrainingData, ranked, read_rows, rows_by_key

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Record = dict[str, Any]
_ID = re.compile("[0-9a-f]{6,64}")


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """The rows that a model was trained on, verified, in the recorded order.

    Attributes
    ----------
    fingerprint : TrainingFingerprint
    version : str
        Name of the version in the store that was read.
    keys : object array of shape (n_rows,)
    folds : int array of shape (n_rows,), or None
        Fold of each row, where a fold rule was recorded.
    seed : int
        What the estimator was seeded with.
    roles : dict
        Role → column name, or list of names, of the version.
    """

    fingerprint: TrainingFingerprint
    version: str
    keys: KeyArray
    folds: npt.NDArray[np.intp] | None
    seed: int
    roles: dict[str, Any]
    _table: pa.Table

    @property
    def columns(self) -> list[str]:
        """Names of the columns that were trained on, in the recorded order."""
        return list(self._table.column_names)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows as a DataFrame, with an index of 0 … n - 1."""
        return self.to_pandas()

    def to_arrow(self, columns: Iterable[str] | None = None) -> pa.Table:
        """Return the rows as an Arrow table, of some columns or all."""
        return self._table.select(chosen_columns(self, columns))

    def to_pandas(self, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the rows as a DataFrame; nested lists of one shape become NumPy arrays."""
        return frames.to_pandas(self.to_arrow(columns))

    def to_polars(self, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """Return the rows as a polars DataFrame. Needs polars."""
        import polars

        frame = polars.from_arrow(self.to_arrow(columns))
        assert isinstance(frame, polars.DataFrame)
        return frame

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        rule = self.fingerprint.record["folds"]
        folds = f" in {rule['cv']} folds" if rule else ""
        return (
            f"Reconstruction({len(self):,} rows × {len(self.columns)} columns of {self.version}"
            f"{folds}, as in {self.fingerprint.id[:8]}…)"
        )


def reconstruct(
    fingerprint: TrainingFingerprint | str | os.PathLike[str],
    store: Any = None,
) -> Reconstruction:
    """Return exactly what a model was trained on, or say what differs.

    Parameters
    ----------
    fingerprint : TrainingFingerprint, path or str
        The fingerprint, the JSON file that it was saved to, or its id (at least six digits) where
        the store remembers it.
    store : path or Dataset, optional
        The store, or a copy of it that holds the version. By default where the fingerprint was
        made, seen from the JSON file.

    Returns
    -------
    Reconstruction
        ``frame``, ``keys`` and ``folds``, in the recorded order.

    Raises
    ------
    ReconstructionError
        The version is missing, or the rows, their order, a column's content or the folds are not
        those that were recorded; the message names each.
    InputError
        No store is given and the fingerprint knows none, or the file does not exist.
    NotAStoreError
        The store's path holds no dataset.
    FormatError
        The fingerprint or the store was written by a newer burnish.

    Warns
    -----
    LibraryWarning
        Libraries have other versions than were recorded, so that a model trained again may
        differ although its rows do not.

    Notes
    -----
    A version is found by its id, or else by the content of its rows. Staged edits and later
    versions play no part. Costs what `training_fingerprint` costs: every cell is read and hashed
    again.

    Examples
    --------
    >>> import burnish as bn
    >>> frame = {"id": ["b", "a", "c"], "x": [2.0, 1.0, 3.0], "label": [1, 0, 1]}
    >>> ds = bn.create(None, frame, key="id", label="label", features=["x"])
    >>> fp = bn.training_fingerprint(ds, columns=["x", "label"], folds={"cv": 2})
    >>> rows = bn.reconstruct(fp)
    >>> rows.frame["x"].tolist(), rows.folds.tolist()
    ([1.0, 2.0, 3.0], [1, 0, 0])
    """
    given = _given(fingerprint)
    with _opened(given, store) as ds:
        found = _remembered(ds, given) if isinstance(given, str) else given
        record = found.record
        snapshot = _version(ds, record)
        data = _verified(ds, snapshot, record)
        rows = Reconstruction(
            found,
            snapshot.version.name,
            data.keys,
            data.folds,
            record["seed"],
            snapshot.roles,
            data.table,
        )
    _warn_of_libraries(record["libraries"])
    return rows


def _given(fingerprint: Any) -> TrainingFingerprint | str:
    if isinstance(fingerprint, TrainingFingerprint):
        return fingerprint
    if not isinstance(fingerprint, (str, os.PathLike)):
        raise InputError(
            f"cannot read a training fingerprint from {type(fingerprint).__name__}",
            hint="pass what bn.training_fingerprint made, or the path of what it saved",
        )
    text = os.fspath(fingerprint)
    is_id = _ID.fullmatch(text) and not Path(text).is_file()
    return text if is_id else TrainingFingerprint.load(text)


def _opened(given: TrainingFingerprint | str, store: Any) -> AbstractContextManager[Any]:
    place = store if store is not None or isinstance(given, str) else given.store
    if place is None:
        raise InputError(
            f"{given!r} does not say where its store lies",
            hint="pass store= the path of the store, or the open dataset",
        )
    return nullcontext(place) if hasattr(place, "at") else open_dataset(place)


def _remembered(ds: Any, start: str) -> TrainingFingerprint:
    every = {TrainingFingerprint(record, ds.path) for record in remembered(ds)}
    hits = [made for made in every if made.id.startswith(start)]
    if len(hits) == 1:
        return hits[0]
    known = shorten(sorted(made.id[:12] for made in every)) or "none"
    raise ReconstructionError(
        f"{ds.path.name} remembers {len(hits)} training fingerprints whose id starts with "
        f"{start[:12]!r}, expected one; it knows {known}",
        hint="pass more digits of the id, or the JSON file that was saved beside the model",
    )


def _version(ds: Any, record: Record) -> Any:
    for ref in (record["version_id"], record["fingerprint"]):
        try:
            return ds.at(ref)
        except UnknownVersionError:
            continue
    same = "the same store" if ds.store_id == record["store_id"] else "another store"
    raise ReconstructionError(
        f"the version {record['version']} ({record['version_id'][:12]}…) that was trained on is "
        f"not in {ds.path.name}, nor is one of equal rows ({record['fingerprint'][:12]}…); it is "
        f"a copy of {same}",
        hint="pass store= a copy that holds the version",
    )


def _verified(ds: Any, snapshot: Any, record: Record) -> TrainingData:
    try:
        return _as_recorded(snapshot, record)
    except ReconstructionError as error:
        purged = [purge for purge in ds.purges if snapshot.version.name in purge.versions]
        if purged:
            raise _purged(snapshot, purged) from error
        raise


def _purged(snapshot: Any, purges: list[Any]) -> ReconstructionError:
    rows, last = sum(purge.rows for purge in purges), purges[-1]
    why = f" ({last.reason})" if last.reason else ""
    return ReconstructionError(
        f"{snapshot.version.name} was affected by the purge of {rows:,} row{'s' * (rows != 1)} on "
        f"{last.time:%Y-%m-%d}{why}, so rows that it was trained on are gone",
        hint="train again on what is left: ds.purges lists what was erased",
    )


def _as_recorded(snapshot: Any, record: Record) -> TrainingData:
    names = [column["name"] for column in record["columns"]]
    group = (record["folds"] or {}).get("group")
    read = names if group is None else [*names, group]
    missing = [name for name in read if name not in snapshot.columns]
    if missing:
        raise _refusal(snapshot, [f"it has no column {shorten(missing)}"])
    ordinals = _ordinals(snapshot, record)
    if ordinals is None:
        raise _refusal(snapshot, ["it does not have the ranks of the recorded row set"])
    data = read_rows(snapshot, ordinals, names, record["folds"])
    differences = list(_differences(record, data.hashes))
    if differences:
        raise _refusal(snapshot, differences)
    return data


def _ordinals(snapshot: Any, record: Record) -> Ordinals | None:
    order = record["order"]
    if order["by"] == "rank":
        return ranked(snapshot, order["ranks"], record["n_rows"])
    try:
        return rows_by_key(snapshot, record["where"])
    except PredicateError as error:
        raise _refusal(snapshot, [error.message]) from error


def _differences(record: Record, found: Record) -> Iterator[str]:
    if found["row_set"] != record["row_set"] or found["n_rows"] != record["n_rows"]:
        yield (
            f"the row set is another: {found['n_rows']:,} rows of {record['where'] or 'all rows'!r}"
            f", {record['n_rows']:,} were recorded"
        )
        return  # sums over other rows say nothing about the columns
    if found["row_order"] != record["row_order"]:
        yield "the row order is another"
    yield from _column_differences(record["columns"], found["columns"])
    if found["fold_of_each_row"] != record["fold_of_each_row"]:
        yield f"the folds are others than by the recorded rule {record['folds']}"


def _column_differences(recorded: list[Record], found: list[Record]) -> Iterator[str]:
    pairs = list(zip(recorded, found, strict=True))
    for old, new in pairs:
        if old["type"] != new["type"]:
            yield f"column {old['name']!r} holds {new['type']}, {old['type']} was recorded"
    changed = [old["name"] for old, new in pairs if old["sum"] != new["sum"]]
    if changed:
        yield f"other values in {shorten(changed, 20)}"


def _refusal(snapshot: Any, differences: list[str]) -> ReconstructionError:
    return ReconstructionError(
        f"{snapshot.version.name} is not what was trained on: {'; '.join(differences)}",
        hint="ds.verify() says whether the store is damaged; else pass a copy of the store where "
        "the fingerprint was made",
    )


def _warn_of_libraries(recorded: dict[str, str]) -> None:
    now = current_versions(recorded)
    changed = [
        f"{name} {now[name] or '(not installed)'} (was {old})"
        for name, old in sorted(recorded.items())
        if now[name] != old
    ]
    if changed:
        warnings.warn(
            f"the rows are exactly those trained on, but libraries are not: {', '.join(changed)}. "
            "Hint: install the recorded versions to train the same model again",
            LibraryWarning,
            stacklevel=3,
        )
