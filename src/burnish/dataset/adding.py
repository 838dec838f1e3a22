"""Rows that are added to a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from burnish.core.canonical import key_bytes
from burnish.core.delta import DROPPED, MARK, ROW, Delta, squash
from burnish.core.keys import KeyArray, key_array, shorten
from burnish.core.selection import Selection
from burnish.dataset.editing import Editing
from burnish.dataset.gesture import Gesture, Provenance, cells, code_of, count
from burnish.dataset.identity import CONTENT_KEY, check_keys, content_keys
from burnish.dataset.reading import find_keys, keys_at
from burnish.dataset.state import State
from burnish.errors import ColumnError, InputError, KeysError
from burnish.io.frames import to_table
from burnish.store.rows import PARENT, Segment, one_chunk


class Adding(Editing):
    """Adds rows to a working copy."""

    def add(
        self,
        frame: Any,
        parents: Mapping[Any, Any] | Sequence[Any] | None = None,
        reason: str | None = None,
    ) -> Selection:
        """Add rows.

        Parameters
        ----------
        frame : pandas or polars DataFrame, Arrow table or mapping of columns
            Columns of the dataset, the key among them; those left out are null. A dataset without
            a key of its own gives the rows content keys.
        parents : mapping of key to key, or one key per row, optional
            The row that each new one was made from, None for none; a split can then keep both
            together. See `parents`.
        reason : str, optional
            Why, kept with every row.

        Returns
        -------
        Selection
            Keys of the new rows.

        Raises
        ------
        KeysError
            A key is null, occurs twice, or is that of a row that is there; or a parent is unknown.
        ColumnError
            A column is unknown, or a value does not fit its type.

        Notes
        -----
        Writes the rows once, to a file named by their content; undoing leaves it for `gc`.
        """
        table = to_table(frame)
        added: list[KeyArray] = []

        def make(state: State) -> Gesture:
            keyed = _keyed(state, conformed(state, table))
            _refuse_present(state, keyed)
            complete = _with_parents(state, keyed, parents)
            ids = [
                name if name.startswith("$") else state.id_of(name)
                for name in complete.column_names
            ]
            segment = self._history.add_rows(complete.rename_columns(ids))
            delta = rows_added(state, segment, self._why(reason))
            added[:] = [keys_at(state, segment.ordinals)]
            return Gesture(
                delta, f"add {count(len(table))}", code_of("add", "frame", reason=reason)
            )

        self._stage(make)
        return Selection(added[0], source="added")

    @property
    def parents(self) -> dict[Any, Any]:
        """Key → key of the row it was made from, for live rows that were added with parents."""
        state = self._state()
        rows = state.added[state.is_live(state.added)]
        columns = [state.take(PARENT + name, rows) for name in state.key]
        known = np.asarray(columns[0].is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        values = [column.filter(pa.array(known)).to_pylist() for column in columns]
        keys = values[0] if len(values) == 1 else list(zip(*values, strict=True))
        return dict(zip(keys_at(state, rows[known]), keys, strict=True))


def rows_added(state: State, segment: Segment, why: Provenance) -> Delta:
    """Return the change that puts rows of a segment into a state as the segment has them."""
    rows = np.sort(segment.ordinals)
    names = pa.array([segment.id], pa.string()).take(pa.array(np.zeros(len(rows), np.int64)))
    delta = cells(state, ROW, rows, names, why)
    steps = [delta]
    after = state.apply(delta)
    hidden = rows[~after.is_live(rows)]
    steps.append(cells(state, DROPPED, hidden, pa.array(np.zeros(len(hidden), bool)), why))
    for mark in state.marks:
        steps.append(cells(after, MARK + mark, rows, pa.array(np.zeros(len(rows), bool)), why))
    for column in after.schema.columns:
        if not np.isin(rows, after.net(column.id)["ordinal"].to_numpy()).any():
            continue
        values = segment.take(column.id, rows)
        wanted = pa.nulls(len(rows), after.type_of(column.name)) if values is None else values
        steps.append(cells(after, column.name, rows, wanted, why))
    return squash(steps)


def conformed(state: State, table: pa.Table) -> pa.Table:
    """Return a frame's columns in the order and of the types that the dataset has.

    Raises
    ------
    ColumnError
        A column is unknown, or a value does not fit.
    KeysError
        A key column is missing.
    """
    unknown = [name for name in table.column_names if name not in state.schema.by_name]
    if unknown:
        raise ColumnError(
            f"the frame has columns that the dataset has not: {shorten(unknown)}",
            hint=f"add the column first with ds.add_column({unknown[0]!r}, …), or leave it out",
        )
    missing = [name for name in state.key if name not in table.column_names]
    if missing and state.key != [CONTENT_KEY]:
        raise KeysError(
            f"the frame has no key column {missing[0]!r}, only {', '.join(table.column_names)}",
            hint=f"give each new row a key in {missing[0]!r}",
        )
    names = [name for name in state.names if name in table.column_names]
    return pa.table({name: _fitted(state, name, one_chunk(table[name])) for name in names})


def _fitted(state: State, name: str, array: pa.Array) -> pa.Array:
    kind = state.type_of(name)
    try:
        return array.cast(kind)
    except pa.ArrowException as error:
        raise ColumnError(
            f"column {name!r} of the frame is {array.type}, expected {kind}: {error}",
            hint=f"convert it first, for example to {kind}",
        ) from error


def with_content_key(
    state: State, table: pa.Table, taken: Callable[[pa.Array], Any] | None = None
) -> pa.Table:
    """Return rows with the keys that their content gives them, where the dataset has no others."""
    if state.key != [CONTENT_KEY] or CONTENT_KEY in table.column_names:
        return table
    names = [name for name in state.names if name != CONTENT_KEY]
    whole = pa.table({name: _or_null(state, table, name) for name in names})
    return table.add_column(0, CONTENT_KEY, content_keys(whole, taken))


def _keyed(state: State, table: pa.Table) -> pa.Table:
    def taken(keys: pa.Array) -> Any:
        return state.is_there(state.rows.find(key_bytes([keys])))

    table = with_content_key(state, table, taken)
    check_keys(table, state.key)
    return table


def _or_null(state: State, table: pa.Table, name: str) -> Any:
    return table[name] if name in table.column_names else pa.nulls(len(table), state.type_of(name))


def _keys_of(state: State, table: pa.Table) -> KeyArray:
    columns = [table[name].to_pylist() for name in state.key]
    return key_array(columns[0] if len(columns) == 1 else list(zip(*columns, strict=True)))


def _refuse_present(state: State, table: pa.Table) -> None:
    keys = _keys_of(state, table)
    ordinals = find_keys(state, keys)
    there = ordinals >= 0
    if not there.any():
        return
    live = there & state.is_live(np.maximum(ordinals, 0))
    if live.any():
        raise KeysError(
            f"{_belong(keys[live])} rows that are there: {shorten(keys[live])}",
            hint="change cells of rows with ds.set(keys, column, values)",
        )
    raise KeysError(
        f"{_belong(keys[there])} dropped rows: {shorten(keys[there])}",
        hint="bring them back with ds.restore(keys), then ds.set(keys, column, values)",
    )


def _belong(keys: KeyArray) -> str:
    verb = "belongs" if len(keys) == 1 else "belong"
    return f"{count(len(keys), 'key')} of the frame {verb} to"


def _with_parents(state: State, table: pa.Table, parents: Any) -> pa.Table:
    if parents is None:
        return table
    keys = _keys_of(state, table)
    if not isinstance(parents, Mapping):
        if len(parents) != len(keys):
            raise InputError(
                f"{len(parents)} parents for {len(keys)} rows",
                hint="pass one key per row, None for none, or a mapping of key → key",
            )
        parents = dict(zip(keys, parents, strict=True))
    given = key_array([parents.get(key) for key in keys])
    known = {key for key in given if key is not None} - set(keys)
    missing = [k for k, o in zip(known, find_keys(state, key_array(known)), strict=True) if o < 0]
    if missing:
        raise KeysError(
            f"{count(len(missing), 'parent')} unknown: {shorten(missing)}",
            hint="a parent is the key of a row of the dataset, or of the frame",
        )
    for place, name in enumerate(state.key):
        parts = [key if key is None or len(state.key) == 1 else key[place] for key in given]
        table = table.append_column(PARENT + name, pa.array(parts, state.type_of(name)))
    return table
