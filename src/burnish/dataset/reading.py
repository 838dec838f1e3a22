"""What a working copy and a snapshot have in common: ways to read the live rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import Ordinals
from burnish.core.keys import KeyArray, key_array, shorten
from burnish.core.selection import Selection
from burnish.core.slices import Slice
from burnish.dataset.predicate import evaluate
from burnish.dataset.state import State
from burnish.errors import ColumnError, KeysError
from burnish.io import frames

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Mask = npt.NDArray[np.bool_]


class Reading:
    """Reads the live rows of one state, in the order of the store."""

    def _state(self) -> State:
        raise AssertionError("a reader knows its state")

    @property
    def state(self) -> State:
        """All cells by ordinal, for burnish's own layers."""
        return self._state()

    @property
    def roles(self) -> dict[str, Any]:
        """Role → column name, or list of names."""
        return dict(self._state().schema.roles)

    @property
    def fingerprint(self) -> str:
        """Content hash of the live rows, 64 hex digits.

        Notes
        -----
        It does not depend on row order, history or file format. The first one costs about a
        second a column and million rows; later ones cost the changed cells.
        """
        raise AssertionError("a reader knows its fingerprint")

    @property
    def column_sums(self) -> dict[str, int]:
        """Column name → content hash of its live cells and their keys, in [0, 2**256).

        Notes
        -----
        Equal where the same keys hold the same values, in any order: what was computed from some
        columns holds as long as their sums are those it was computed from. The first one costs
        about a second a column and million rows; later ones cost the changed cells.
        """
        raise AssertionError("a reader knows its sums")

    @property
    def columns(self) -> list[str]:
        """Column names, in order."""
        return self._state().names

    @property
    def keys(self) -> KeyArray:
        """Keys of the live rows, in store order; tuples where the key has several columns."""
        return keys_at(self._state(), None)

    @property
    def classes(self) -> list[Any]:
        """Labels that occur in live rows, sorted, null left out."""
        label = self._label_column()
        return classes_of(self._state(), label)

    def to_arrow(self, columns: Iterable[str] | None = None) -> pa.Table:
        """Return the live rows as an Arrow table.

        Parameters
        ----------
        columns : iterable of str, optional
            Columns to read, all by default.

        Returns
        -------
        Table of n_live rows, in store order

        Raises
        ------
        ColumnError
            A column is unknown.
        """
        state = self._state()
        names = self._known(columns)
        return pa.table({name: state.live_pieces(name) for name in names})

    def to_pandas(self, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the live rows as a DataFrame; see `to_arrow`.

        Nested lists of one shape, such as images, come back as NumPy arrays.
        """
        return frames.to_pandas(self.to_arrow(columns))

    def to_polars(self, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """Return the live rows as a polars DataFrame; see `to_arrow`. Needs polars."""
        import polars

        frame = polars.from_arrow(self.to_arrow(columns))
        assert isinstance(frame, polars.DataFrame)
        return frame

    def rows_where(self, where: str | Slice | Selection) -> Mask:
        """Return which live rows a predicate, slice or selection holds.

        Parameters
        ----------
        where : str, Slice or Selection
            A SQL expression over the columns, or a set of keys.

        Returns
        -------
        bool array of shape (n_live,)
            In store order; False where the predicate is null.

        Raises
        ------
        PredicateError
            The predicate cannot be used.
        """
        if isinstance(where, Slice):
            return self.rows_where(where.where)
        state = self._state()
        if isinstance(where, Selection):
            wanted = find_keys(state, key_array(where.keys))
            return np.isin(state.live, wanted[wanted >= 0])
        return evaluate(where, state.names, state.live_column, state.n_live)

    def __len__(self) -> int:
        return self._state().n_live

    def _known(self, columns: Iterable[str] | None) -> list[str]:
        names = self._state().names
        if columns is None:
            return names
        wanted: list[str] = [columns] if isinstance(columns, str) else list(columns)
        known = set(names)
        for name in wanted:
            if name not in known:
                raise ColumnError(
                    f"there is no column {name!r}, only {', '.join(names)}",
                    hint="ds.columns lists them",
                )
        return wanted

    def _label_column(self) -> str:
        label = self.roles.get("label")
        if label is None:
            raise ColumnError(
                "the dataset has no label column", hint="make it with bn.create(…, label='…')"
            )
        return str(label)


def classes_of(state: State, label: str) -> list[Any]:
    """Return the labels that occur in live rows, sorted, null left out."""
    values = [value for value in state.counts(label) if value is not None]
    return sorted(values, key=lambda value: (str(type(value)), value))


def keys_at(state: State, ordinals: Ordinals | None) -> KeyArray:
    """Return keys as Python values, of all live rows when `ordinals` is None."""
    rows = state.live if ordinals is None else ordinals
    columns = [
        state.live_column(name) if ordinals is None else state.rows.key_column(name, rows)
        for name in state.key
    ]
    values = [column.to_pylist() for column in columns]
    if len(values) == 1:
        return key_array(values[0])
    out = np.empty(len(rows), dtype=object)
    out[:] = list(zip(*values, strict=True))
    return out


def find_keys(state: State, keys: KeyArray) -> Ordinals:
    """Return the ordinal of each key, -1 where no row has it; dropped rows are rows."""
    found = find_ever(state, keys)
    return np.where(state.is_there(found), found, -1)


def find_ever(state: State, keys: KeyArray) -> Ordinals:
    """Return the ordinal of each key, -1 where no row of any version, or staged, has it."""
    from burnish.core.canonical import key_bytes

    names = state.key
    parts = [keys.tolist()] if len(names) == 1 else _columns_of(keys, len(names))
    arrays = []
    known = np.ones(len(keys), dtype=bool)
    for name, part in zip(names, parts, strict=True):
        array, fits = _cast(part, state.type_of(name))
        arrays.append(array)
        known &= fits
    found = state.rows.find(key_bytes(arrays))
    return np.where(known, found, -1)


def live_ordinals(state: State, keys: KeyArray) -> Ordinals:
    """Return the ordinals of keys that must all be live rows.

    Raises
    ------
    KeysError
        A key is unknown, or its row was dropped.
    """
    found = known_ordinals(state, keys)
    gone = ~state.live_mask[found]
    if gone.any():
        raise KeysError(
            f"{int(gone.sum())} of {len(keys)} rows were dropped: {shorten(keys[gone])}",
            hint="bring them back first with ds.restore(keys)",
        )
    return found


def known_ordinals(state: State, keys: KeyArray) -> Ordinals:
    """Return the ordinals of keys that must all exist, dropped or not."""
    found = find_keys(state, keys)
    refuse_unknown(state, keys, ~state.is_there(found))
    return found


def refuse_unknown(state: State, keys: KeyArray, missing: Mask) -> None:
    """Refuse keys that name no row."""
    if missing.any():
        example = "".join(f", for example {key!r}" for key in keys_at(state, state.live[:1]))
        raise KeysError(
            f"{int(missing.sum())} of {len(keys)} keys are unknown: {shorten(keys[missing])}",
            hint=f"pass keys as in column {'/'.join(state.key)!r}{example}",
        )


def _columns_of(keys: KeyArray, width: int) -> list[list[Any]]:
    rows = [
        key if isinstance(key, tuple) and len(key) == width else (None,) * width for key in keys
    ]
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _cast(values: list[Any], kind: pa.DataType) -> tuple[pa.Array, Mask]:
    try:
        return frames.exact(values, kind), np.ones(len(values), dtype=bool)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        singles = [_cast_one(value, kind) for value in values]
        fits = np.array([value is not None for value in singles])
        return pa.array(singles, kind), fits


def _cast_one(value: Any, kind: pa.DataType) -> Any:
    try:
        return frames.exact([value], kind)[0].as_py()
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
