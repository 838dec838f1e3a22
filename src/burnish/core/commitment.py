"""Salted commitments: what a version changed can be checked, and later erased, cell by cell.

A leaf is SHA-256 over a salt and a cell; a version's header holds SHA-256 over its leaves. The
salts come from one random seed. To erase a cell for good, its value is removed, the seed is
replaced by the salts of the other cells, and the leaf stays: the chain still verifies and the
value cannot be guessed from the leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from burnish.core.canonical import cell_bytes, framed
from burnish.core.delta import Delta, Ordinals, numbers
from burnish.core.fingerprint import digests

SALT = 16


def commitment(delta: Delta, seed: bytes, keys: Callable[[Ordinals], pa.Array]) -> str:
    """Return the hash over the leaves of a delta, 64 hex digits.

    Parameters
    ----------
    delta : Delta
    seed : bytes
        32 random bytes.
    keys : callable
        Gives the canonical keys of ordinals.
    """
    root = hashlib.sha256()
    start = 0
    for messages in _messages(delta, keys):
        root.update(digests(framed([_salts(seed, start, len(messages)), messages])).tobytes())
        start += len(messages)
    return root.hexdigest()


def _messages(delta: Delta, keys: Callable[[Ordinals], pa.Array]) -> Iterator[pa.Array]:
    tables = [(name, delta.cells[name]) for name in sorted(delta.cells)]
    for name, table in [*tables, ("$decisions", delta.decisions)]:
        if not len(table):
            continue
        rest = [cell_bytes(table[c]) for c in table.column_names if c != "ordinal"]
        yield framed([name.encode(), keys(numbers(table, "ordinal")), *rest])
    if len(delta.facts):
        columns = [cell_bytes(delta.facts[name]) for name in delta.facts.column_names]
        yield framed([b"$facts", *columns])


def _salts(seed: bytes, start: int, count: int) -> pa.Array:
    places = np.arange(start, start + count, dtype=">u8").tobytes()
    messages = [seed + places[8 * i : 8 * i + 8] for i in range(count)]
    hashes = np.ascontiguousarray(digests(pa.array(messages, pa.binary()))[:, :SALT])
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(SALT), count, [None, pa.py_buffer(hashes.tobytes())]
    )
    return fixed.cast(pa.binary())
