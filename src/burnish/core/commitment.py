"""Salted commitments: what a version changed can be checked, and later erased, cell by cell.

A leaf is SHA-256 over a salt and a cell with its provenance; a version's header holds SHA-256 over
its leaves. The salts are drawn from one random seed. To erase a cell for good, its value is
removed, the seed is replaced by the salts of the other cells, and the leaf stays: the chain still
verifies and the value cannot be guessed from the leaf.

Leaves stand in an order that does not depend on the store: columns by name and their cells by
canonical key, then decisions as they were made, then facts by name. A text that starts with ``2:``
was made so; one without a mark is of the first scheme, whose cells stood in the order of their
ordinals and whose salts were hashed one by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import cell_bytes, framed, frames
from burnish.core.delta import Delta, Ordinals, numbers
from burnish.core.fingerprint import Digests, digests, spans

SALT = 16
Keys = Callable[[Ordinals], pa.Array]
_MARK = "2:"
_NOTHING = pa.scalar(b"", pa.binary())


def commitment(delta: Delta, seed: bytes, keys: Keys) -> str:
    """Return the hash over the leaves of a delta, 64 hex digits after the scheme's mark.

    Parameters
    ----------
    delta : Delta
    seed : bytes
        32 random bytes.
    keys : callable
        Gives the canonical keys of ordinals.
    """
    return committed(leaves(delta, salts(seed, _size(delta)), keys))


def is_committed(text: str, delta: Delta, seed: bytes, keys: Keys) -> bool:
    """Whether a delta is what a commitment, of this scheme or an older one, was made of."""
    make = commitment if text.startswith(_MARK) else _first_scheme
    return make(delta, seed, keys) == text


def committed(hashes: Digests) -> str:
    """Return the commitment to leaves."""
    return _MARK + hashlib.sha256(hashes.tobytes()).hexdigest()


def leaves(delta: Delta, drawn: pa.Array, keys: Keys) -> Digests:
    """Return the leaf of each cell, decision and fact, shape (n, 32), given their salts."""
    hashes, start = [np.empty((0, 32), np.uint8)], 0
    for size, parts in _spelled(delta, keys, _by_key):
        hashes.append(digests(_join([drawn.slice(start, size), *parts])))
        start += size
    return np.concatenate(hashes)


def salts(seed: bytes, count: int) -> pa.Array:
    """Return the salts of `count` leaves: the bytes of SHAKE-128 over the seed, in order."""
    drawn = pa.py_buffer(hashlib.shake_128(seed).digest(SALT * count))
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(SALT), count, [None, drawn])
    return fixed.cast(pa.binary())


def _size(delta: Delta) -> int:
    return len(delta) + len(delta.decisions) + len(delta.facts)


Order = Callable[[pa.Array, pa.Table], tuple[pa.Array, pa.Table]]
Parts = list[bytes | pa.Array]  # what every row has in common, or a piece for each row


def _by_key(keys: pa.Array, table: pa.Table) -> tuple[pa.Array, pa.Table]:
    order = pc.sort_indices(keys)
    if np.array_equal(order, np.arange(len(order))):
        return keys, table
    return keys.take(order), table.take(order)


def _as_it_is(keys: pa.Array, table: pa.Table) -> tuple[pa.Array, pa.Table]:
    return keys, table


def _spelled(delta: Delta, keys: Keys, order: Order) -> Iterator[tuple[int, Parts]]:
    for name in sorted(delta.cells):
        table = delta.cells[name]
        yield from _rows(name, *order(keys(numbers(table, "ordinal")), table))
    decisions, facts = delta.decisions, delta.facts
    if len(decisions):
        yield from _rows("$decisions", keys(numbers(decisions, "ordinal")), decisions)
    if len(facts):
        yield from _rows("$facts", cell_bytes(facts["name"]), facts)


def _rows(name: str, keys: pa.Array, table: pa.Table) -> Iterator[tuple[int, Parts]]:
    """Spell rows, in pieces that fit into memory: the part's name, the key, the other columns."""
    for start, size in spans(table, 0, len(table)):
        columns = list(table.slice(start, size).itercolumns())[1:]
        known = keys.slice(start, size)
        spelled = [piece for column in columns for piece in _framed(column)]
        yield size, [_frame(name.encode()), frames(known), known, *spelled]


def _framed(column: pa.ChunkedArray) -> Parts:
    """Spell a column: once, where all its values are the same."""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if array.null_count == len(array):
        return [_frame(b"n")]
    if not pa.types.is_nested(array.type) and array[1:].equals(array[:-1]):
        return [_one(array[0])]
    cells = cell_bytes(array)
    return [frames(cells), cells]


@lru_cache(maxsize=256)
def _one(value: pa.Scalar) -> bytes:
    return _frame(cell_bytes(pa.repeat(value, 1))[0].as_py())


def _frame(part: bytes) -> bytes:
    return b"%d:%b" % (len(part), part)


def _join(parts: Parts) -> pa.Array:
    pieces: list[Any] = []
    for same, group in groupby(parts, lambda part: isinstance(part, bytes)):
        run = list(group)
        pieces += [pa.scalar(b"".join(run), pa.binary())] if same else run
    return pc.binary_join_element_wise(*pieces, _NOTHING)


def _first_scheme(delta: Delta, seed: bytes, keys: Keys) -> str:
    root, start = hashlib.sha256(), 0
    for size, parts in _spelled(delta, keys, _as_it_is):
        places = [place.to_bytes(8, "big") for place in range(start, start + size)]
        drawn = [hashlib.sha256(seed + place).digest()[:SALT] for place in places]
        root.update(digests(framed([pa.array(drawn, pa.binary()), _join(parts)])).tobytes())
        start += size
    return root.hexdigest()
