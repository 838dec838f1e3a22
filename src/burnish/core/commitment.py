"""Salted commitments: what a version changed can be checked, and later erased, cell by cell.

A leaf is SHA-256 over a salt and a cell with its provenance; a version's header holds SHA-256 over
its leaves. The salts are drawn from one random seed. To erase a cell for good, its value is
removed, the seed is replaced by the salts of the other cells, and the leaf stays: the chain still
verifies and the value cannot be guessed from the leaf. See `erased`.

Leaves stand in an order that does not depend on the store: columns by name and their cells by
canonical key, then decisions as they were made, then facts by name. A text that starts with ``2:``
was made so; one without a mark is of the first scheme, whose cells stood in the order of their
ordinals and whose salts were hashed one by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import cell_bytes, framed, frames, moment_bytes
from burnish.core.delta import Delta, Ordinals, numbers, without_rows
from burnish.core.fingerprint import Digests, digests, spans

SALT = 16
SEED = 32
Keys = Callable[[Ordinals], pa.Array]
Order = Callable[[pa.Array, pa.Table], tuple[pa.Array, pa.Table]]
Parts = list[bytes | pa.Array]  # what every row has in common, or a piece for each row
_MARK = "2:"
_ERASED = b"BRE1"
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
    """Whether a delta is what a commitment was made of, whatever its scheme and what was erased.

    Parameters
    ----------
    text : str
    delta : Delta
    seed : bytes
        The random bytes, or what `erased` put in their place.
    keys : callable
    """
    scheme = _scheme(text)
    hashes = _all_leaves(scheme, delta, seed, keys)
    return hashes is not None and scheme.mark + _root(hashes) == text


def erased(
    text: str, delta: Delta, seed: bytes, keys: Keys, gone: Ordinals
) -> tuple[Delta, bytes, int]:
    """Erase the cells and decisions of some rows from a committed change.

    Parameters
    ----------
    text : str
        The commitment.
    delta : Delta
    seed : bytes
        The random bytes, or what an earlier call put in their place.
    keys : callable
        Gives the canonical keys of ordinals, those of the rows to erase included.
    gone : array of ordinals

    Returns
    -------
    Delta, bytes, int
        What is left; what takes the place of the seed, with the salts of what is left and the
        leaves of what is gone; and how many cells and decisions went. With both `is_committed`
        still holds, and nothing tells which salt a leaf that is gone had.
    """
    scheme = _scheme(text)
    kept = _Kept.of(scheme, seed, _size(delta))
    hit = np.isin(_placed(scheme, delta, keys), gone)
    every = kept.woven(_leaves(scheme, delta, kept.drawn(), keys))
    places = np.concatenate([kept.places, kept.free()[hit]])
    places.sort()
    left = _Kept(kept.salts[~hit], places, every[places])
    return without_rows(delta, gone), left.as_bytes(), int(np.count_nonzero(hit))


def committed(hashes: Digests) -> str:
    """Return the commitment to leaves."""
    return _MARK + _root(hashes)


def _root(hashes: Digests) -> str:
    return hashlib.sha256(hashes.tobytes()).hexdigest()


def leaves(delta: Delta, drawn: pa.Array, keys: Keys) -> Digests:
    """Return the leaf of each cell, decision and fact, shape (n, 32), given their salts."""
    return _leaves(_SECOND, delta, drawn, keys)


def _leaves(scheme: _Scheme, delta: Delta, drawn: pa.Array, keys: Keys) -> Digests:
    hashes, start = [np.empty((0, 32), np.uint8)], 0
    for size, parts in _spelled(delta, keys, scheme.order):
        hashes.append(digests(scheme.salted(drawn.slice(start, size), parts)))
        start += size
    return np.concatenate(hashes)


def salts(seed: bytes, count: int) -> pa.Array:
    """Return the salts of `count` leaves: the bytes of SHAKE-128 over the seed, in order."""
    return _salt_array(hashlib.shake_128(seed).digest(SALT * count))


def _salt_array(raw: bytes) -> pa.Array:
    buffers = [None, pa.py_buffer(raw)]
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(SALT), len(raw) // SALT, buffers)
    return fixed.cast(pa.binary())


def _size(delta: Delta) -> int:
    return len(delta) + len(delta.decisions)


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
    if pa.types.is_timestamp(value.type):
        return _frame(moment_bytes(value))
    return _frame(cell_bytes(pa.repeat(value, 1))[0].as_py())


def _frame(part: bytes) -> bytes:
    return b"%d:%b" % (len(part), part)


def _join(parts: Parts) -> pa.Array:
    pieces: list[Any] = []
    for same, group in groupby(parts, lambda part: isinstance(part, bytes)):
        run = list(group)
        pieces += [pa.scalar(b"".join(run), pa.binary())] if same else run
    return pc.binary_join_element_wise(*pieces, _NOTHING)


def _one_by_one(seed: bytes, count: int) -> pa.Array:
    places = (place.to_bytes(8, "big") for place in range(count))
    drawn = b"".join(hashlib.sha256(seed + place).digest()[:SALT] for place in places)
    return _salt_array(drawn)


@dataclass(frozen=True)
class _Scheme:
    mark: str
    order: Order
    salts: Callable[[bytes, int], pa.Array]
    salted: Callable[[pa.Array, Parts], pa.Array]


_FIRST = _Scheme("", _as_it_is, _one_by_one, lambda drawn, parts: framed([drawn, _join(parts)]))
_SECOND = _Scheme(_MARK, _by_key, salts, lambda drawn, parts: _join([drawn, *parts]))


def _scheme(text: str) -> _Scheme:
    return _SECOND if text.startswith(_MARK) else _FIRST


@dataclass(frozen=True, eq=False)
class _Kept:
    """What takes the place of a seed: the salts of the leaves that are left, and the others.

    Attributes
    ----------
    salts : uint8 array of shape (n, 16)
        In the order of the leaves.
    places : int64 array of shape (m,)
        Where the erased leaves stand among all, rising.
    hashes : uint8 array of shape (m, 32)
    """

    salts: npt.NDArray[np.uint8]
    places: npt.NDArray[np.int64]
    hashes: Digests

    @classmethod
    def of(cls, scheme: _Scheme, seed: bytes, count: int) -> _Kept:
        if not seed.startswith(_ERASED) or len(seed) == SEED:
            raw = b"".join(scheme.salts(seed, count).to_pylist())
            nothing = np.empty((0, 32), np.uint8)
            return cls(_rows_of(raw, SALT), np.empty(0, np.int64), nothing)
        n = int.from_bytes(seed[4:12], "little")
        m = int.from_bytes(seed[12:20], "little")
        after = 20 + SALT * n
        places = np.frombuffer(seed, "<i8", m, after).astype(np.int64)
        return cls(_rows_of(seed[20:after], SALT), places, _rows_of(seed[after + 8 * m :], 32))

    def as_bytes(self) -> bytes:
        sizes = [len(part).to_bytes(8, "little") for part in (self.salts, self.places)]
        places = self.places.astype("<i8")
        parts = [self.salts.tobytes(), places.tobytes(), self.hashes.tobytes()]
        return b"".join([_ERASED, *sizes, *parts])

    def drawn(self) -> pa.Array:
        return _salt_array(self.salts.tobytes())

    def free(self) -> npt.NDArray[np.int64]:
        """Return where the leaves that are left stand among all."""
        mask = np.ones(len(self.salts) + len(self.places), bool)
        mask[self.places] = False
        return np.flatnonzero(mask)

    def woven(self, left: Digests) -> Digests:
        """Return all leaves, given those that are left."""
        every = np.empty((len(self.salts) + len(self.places), 32), np.uint8)
        every[self.free()] = left
        every[self.places] = self.hashes
        return every


def _rows_of(raw: bytes, width: int) -> npt.NDArray[np.uint8]:
    return np.frombuffer(raw, np.uint8).reshape(-1, width)


def _all_leaves(scheme: _Scheme, delta: Delta, seed: bytes, keys: Keys) -> Digests | None:
    """Return all leaves, those of erased cells included; None where the seed does not fit."""
    if len(seed) == SEED:
        return _leaves(scheme, delta, scheme.salts(seed, _size(delta)), keys)
    try:
        kept = _Kept.of(scheme, seed, _size(delta))
        if not seed.startswith(_ERASED) or len(kept.salts) != _size(delta):
            return None
        return kept.woven(_leaves(scheme, delta, kept.drawn(), keys))
    except (ValueError, IndexError):
        return None


def _placed(scheme: _Scheme, delta: Delta, keys: Keys) -> Ordinals:
    """Return the ordinal behind each leaf, -1 for facts."""
    parts = []
    for name in sorted(delta.cells):
        table = delta.cells[name]
        parts.append(numbers(scheme.order(keys(numbers(table, "ordinal")), table)[1], "ordinal"))
    facts = np.full(len(delta.facts), -1, np.int64)
    return np.concatenate([*parts, numbers(delta.decisions, "ordinal"), facts])
