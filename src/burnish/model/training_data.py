"""Which rows a model is trained on, in which order and folds, and the hashes of what they hold."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.canonical import key_bytes, logical_type
from burnish.core.delta import Ordinals
from burnish.core.fingerprint import column_sum, fingerprint, row_hashes
from burnish.core.keys import KeyArray, key_array, shorten
from burnish.core.selection import Selection
from burnish.dataset.reading import keys_at, live_ordinals
from burnish.errors import KeysError
from burnish.model.features import column_list
from burnish.model.folds import assign_folds
from burnish.model.reading import grouped, key_order

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

Ranks = npt.NDArray[np.int64]
Folds = npt.NDArray[np.intp]


@dataclass(frozen=True)
class TrainingData:
    """Rows as they are trained on.

    Attributes
    ----------
    table : Table
        The columns, one row for each row of the training, in its order.
    keys : object array of shape (n_rows,)
    folds : int array of shape (n_rows,), or None
    hashes : dict
        What a training fingerprint says about them.
    """

    table: pa.Table
    keys: KeyArray
    folds: Folds | None
    hashes: dict[str, Any]


def read_rows(
    reading: Reading, ordinals: Ordinals, columns: list[str], rule: Mapping[str, Any] | None
) -> TrainingData:
    """Read some rows of a version, in order, and hash them.

    Parameters
    ----------
    reading : Dataset or Snapshot
    ordinals : int array of shape (n_rows,)
    columns : list of str
    rule : mapping, optional
        ``cv``, ``seed`` and ``group`` of the folds.
    """
    state = reading.state
    keys = keys_at(state, ordinals)
    canonical = key_bytes([state.take(name, ordinals) for name in key_columns(reading)])
    table = pa.table({name: state.take(name, ordinals) for name in columns})
    folds = None if rule is None else _folds(reading, ordinals, keys, rule)
    return TrainingData(table, keys, folds, _hashes(canonical, table, folds))


def key_columns(reading: Reading) -> list[str]:
    """Return the names of the key columns."""
    return column_list(reading.roles["key"])


def rows_by_key(reading: Reading, where: str | Selection | None) -> Ordinals:
    """Return the ordinals of the live rows that a filter holds, sorted by key."""
    state = reading.state
    found = state.live if where is None else state.live[reading.rows_where(where)]
    return found[key_order(keys_at(state, found))]


def rows_in_order(reading: Reading, order: Iterable[Any], allowed: Ordinals | None) -> Ordinals:
    """Return the ordinals of keys, in their order.

    Raises
    ------
    KeysError
        A key is unknown or dropped, or the keys are not those of the `allowed` rows.
    """
    keys = key_array(order)
    found = live_ordinals(reading.state, keys)
    if allowed is None:
        return found
    odd = np.setxor1d(found, allowed)
    if len(odd):
        raise KeysError(
            f"the rows of order= and of where= differ in {len(odd):,} keys: "
            f"{shorten(keys_at(reading.state, odd))}",
            hint="pass the keys of all rows that the filter holds, or leave where= out",
        )
    return found


def rank(reading: Reading, ordinals: Ordinals) -> str:
    """Return as text which places rows have among all live rows sorted by key."""
    every = rows_by_key(reading, None)
    place = np.empty(len(every), np.int64)
    place[np.searchsorted(reading.state.live, every)] = np.arange(len(every))
    return pack(place[np.searchsorted(reading.state.live, ordinals)])


def ranked(reading: Reading, text: str, n_rows: int) -> Ordinals | None:
    """Return the ordinals that `rank` was given, None where there are no such places."""
    every, ranks = rows_by_key(reading, None), unpack(text, n_rows)
    if ranks is None or (len(ranks) and not 0 <= ranks.min() <= ranks.max() < len(every)):
        return None
    return every[ranks]


def pack(ranks: Ranks) -> str:
    """Return integers as text: Base64 of zigzag differences, each in as few bytes as all need.

    Sorted ranks take a byte or two a row, a permutation of a million three.
    """
    steps = np.diff(ranks, prepend=0)
    zigzag = ((steps << 1) ^ (steps >> 63)).astype("<u8")
    width = max(1, (int(zigzag.max(initial=0)).bit_length() + 7) // 8)
    raw = zigzag.view(np.uint8).reshape(-1, 8)[:, :width]
    return base64.b64encode(raw.tobytes()).decode()


def unpack(text: str, n_rows: int) -> Ranks | None:
    """Return the integers that `pack` was given, None where the text is no such thing."""
    try:
        raw = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except ValueError:
        return None
    width = len(raw) // n_rows if n_rows else 0
    if width * n_rows != len(raw) or not 1 <= width <= 8:
        return None
    wide = np.zeros((n_rows, 8), np.uint8)
    wide[:, :width] = raw.reshape(n_rows, width)
    zigzag = wide.view("<u8").ravel().astype(np.uint64)
    steps = (zigzag >> np.uint64(1)).astype(np.int64) ^ -(zigzag & np.uint64(1)).astype(np.int64)
    return np.cumsum(steps)


def _folds(reading: Reading, ordinals: Ordinals, keys: KeyArray, rule: Mapping[str, Any]) -> Folds:
    identities = keys
    if rule["group"] is not None:
        identities = grouped(keys, reading.state.take(rule["group"], ordinals).to_pylist())
    return assign_folds(identities, rule["cv"], rule["seed"])


def _hashes(keys: pa.Array, table: pa.Table, folds: Folds | None) -> dict[str, Any]:
    row_set, row_order = row_hashes(keys)
    names = table.column_names
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda name: column_sum(name, keys, table[name]), names)
        sums = dict(zip(names, found, strict=True))
    types = {field.name: logical_type(field.type) for field in table.schema}
    return {
        "n_rows": len(table),
        "row_set": row_set,
        "row_order": row_order,
        "columns": [{"name": n, "type": types[n], "sum": f"{sums[n]:064x}"} for n in names],
        "content": fingerprint(types, sums, len(table)),
        "fold_of_each_row": None if folds is None else _digest(folds),
    }


def _digest(folds: Folds) -> str:
    return hashlib.sha256(folds.astype("<i8").tobytes()).hexdigest()
