"""What a caller passes for rows and values, as ordinals and an Arrow column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy as np
import pyarrow as pa

from burnish.core.delta import Ordinals
from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array, plain, shorten
from burnish.core.selection import Selection
from burnish.core.slices import Slice
from burnish.dataset.predicate import evaluate
from burnish.dataset.reading import keys_at, known_ordinals, live_ordinals
from burnish.dataset.state import State
from burnish.errors import ColumnError, InputError, KeysError
from burnish.io.frames import exact, list_depth


def ordinals_of(state: State, rows: Any, *, dropped: bool = False) -> Ordinals:
    """Return the ordinals of rows, in the order given.

    Parameters
    ----------
    state : State
    rows : key, sequence of keys, Selection, Slice or Findings
    dropped : bool
        Whether dropped rows are meant too.

    Raises
    ------
    KeysError
        A key is unknown, or its row was dropped.
    """
    if isinstance(rows, Slice) and isinstance(rows.where, str):
        hits = evaluate(rows.where, state.names, state.live_column, state.n_live)
        return state.live[hits]
    keys = explicit_keys(rows, len(state.key))
    _refuse_mask(state, keys)
    return known_ordinals(state, keys) if dropped else live_ordinals(state, keys)


def _refuse_mask(state: State, keys: KeyArray) -> None:
    of_bools = pa.types.is_boolean(state.type_of(state.key[0]))
    if len(keys) == state.n_live > 0 and not of_bools and all(type(key) is bool for key in keys):
        raise KeysError(
            f"{len(keys)} True or False are a mask, expected keys", hint="pass ds.keys[mask]"
        )


def explicit_keys(rows: Any, width: int) -> KeyArray:
    """Return the keys that rows name one by one."""
    if isinstance(rows, Slice):
        return explicit_keys(rows.where, width)
    if isinstance(rows, (Findings, Selection)):
        return key_array(rows.keys)
    if _is_one(rows, width):
        return key_array([plain(rows)])
    if hasattr(rows, "columns"):
        raise KeysError(
            f"cannot tell rows from a {type(rows).__name__}",
            hint="pass its keys, for example frame['id']",
        )
    if isinstance(rows, Mapping) or not hasattr(rows, "__iter__"):
        raise KeysError(
            f"cannot tell rows from {type(rows).__name__} {rows!r}",
            hint="pass a key, a list of keys, a Selection, a Slice or Findings",
        )
    return key_array(rows)


def values_for(state: State, column: str, rows: Any, ordinals: Ordinals, values: Any) -> pa.Array:
    """Return one value a row, cast to the column's type.

    Raises
    ------
    InputError
        There are more or fewer values than rows, or a mapping misses a key.
    ColumnError
        A value does not fit the column's type.
    """
    kind = state.type_of(column)
    if isinstance(values, (Iterator, Set)):
        values = list(values)
    if isinstance(values, Mapping):
        values = _mapped(values, keys_at(state, ordinals))
    elif _is_value(values, kind) and not _all_null(values, len(ordinals)):
        return _cast(column, [plain(values)], kind).take(pa.array(np.zeros(len(ordinals), int)))
    elif isinstance(rows, Slice):
        raise InputError(
            f"a slice names no order of rows, so {type(values).__name__} values do not fit it",
            hint="pass one value, or a mapping of key → value",
        )
    items = [plain(value) for value in values]
    if len(items) != len(ordinals):
        raise InputError(
            f"{len(items)} values for {len(ordinals)} rows",
            hint="pass one value, one per row, or a mapping of key → value",
        )
    return _cast(column, items, kind)


def once(ordinals: Ordinals, values: pa.Array, keys: KeyArray) -> tuple[Ordinals, pa.Array]:
    """Return rows sorted and each once.

    Raises
    ------
    KeysError
        A row occurs twice with different values.
    """
    unique, first, inverse = np.unique(ordinals, return_index=True, return_inverse=True)
    kept = values.take(pa.array(first))
    if len(unique) < len(ordinals) and kept.take(pa.array(inverse)) != values:
        counts = np.bincount(inverse)
        raise KeysError(
            f"rows are given twice with different values: {shorten(keys[first[counts > 1]])}",
            hint="give each row one value",
        )
    return unique, kept


def _is_one(rows: Any, width: int) -> bool:
    if isinstance(rows, tuple) and width > 1:
        return len(rows) == width and not isinstance(rows[0], tuple)
    return isinstance(rows, (str, bytes)) or not hasattr(rows, "__iter__")


def _is_value(values: Any, kind: pa.DataType) -> bool:
    if values is None or isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        return True
    return _nesting(values) <= list_depth(kind)


def _all_null(values: Any, count: int) -> bool:
    """Whether values are a null for each row, which a vector of nulls would look like."""
    return isinstance(values, list) and len(values) == count and all(v is None for v in values)


def _nesting(values: Any) -> int:
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values.ndim
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        return 0
    return 1 + _nesting(next((value for value in values if value is not None), None))


def _mapped(values: Mapping[Any, Any], keys: KeyArray) -> list[Any]:
    missing = [key for key in keys if key not in values]
    if missing:
        raise InputError(
            f"the mapping has no value for {len(missing)} rows: {shorten(missing)}",
            hint="give every row a value",
        )
    return [values[key] for key in keys]


def _cast(column: str, items: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        array = exact(items, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        bad = next((item for item in items if not _fits(item, kind)), items[0])
        raise ColumnError(
            f"{bad!r} does not fit column {column!r} of type {kind}",
            hint=f"pass text: {str(bad)!r}"
            if pa.types.is_string(kind)
            else f"pass values that Arrow can store as {kind}",
        ) from error
    return array


def _fits(item: Any, kind: pa.DataType) -> bool:
    try:
        exact([item], kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True
