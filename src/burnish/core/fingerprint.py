"""Content hashes of rows that ignore their order, their history and their file format.

Each column has a sum, modulo 2²⁵⁶, of SHA-256 over (column, key, canonical value) of its live
rows; the fingerprint is SHA-256 over the schema, the number of rows and the column sums. A sum
can be updated by subtracting the cells that went and adding those that came, and it does not
depend on the order of the rows (Bellare and Micciancio 1997, *A new paradigm for collision-free
hashing: incrementality at reduced cost*; additive hashes of this width resist accidents and
careless editing, not an attacker who can choose millions of rows).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.canonical import Column, canonical_json, cell_bytes, framed

MODULUS = 2**256
CHUNK = 1 << 18
_CHUNK_BYTES = 1 << 25
_FEW = 1 << 16
_STEP = 1 << 10
_LONG = 256  # bytes; hashlib uses the processor's SHA instructions, the engine its many cores

Digests = npt.NDArray[np.uint8]
Sums = Mapping[str, int]


def digests(messages: pa.BinaryArray) -> Digests:
    """Return the SHA-256 of each message, shape (n, 32)."""
    few = len(messages) <= _FEW or messages.nbytes > _LONG * len(messages)
    raw = _one_by_one(messages) if few else _bulk(messages)
    return np.frombuffer(raw, dtype=np.uint8).reshape(len(messages), 32)


def _one_by_one(messages: pa.BinaryArray) -> bytes:
    sha256 = hashlib.sha256
    parts = [messages.slice(start, _STEP) for start in range(0, len(messages), _STEP)]
    return b"".join([sha256(m).digest() for part in parts for m in part.to_pylist()])


def _bulk(messages: pa.BinaryArray) -> bytes:
    with _engine(os.getpid()).cursor() as connection:
        connection.register("messages", pa.table({"m": messages}))
        hashed = connection.sql("SELECT unhex(sha256(m)) AS h FROM messages").to_arrow_table()
    column = pa.concat_arrays(hashed["h"].cast(pa.binary(32)).chunks)
    return bytes(column.buffers()[1])[column.offset * 32 : (column.offset + len(column)) * 32]


@cache
def _engine(process: int) -> Any:
    """Return a connection of this process: one does not survive a fork."""
    import duckdb

    return duckdb.connect(config={"preserve_insertion_order": "true"})


def column_sum(name: str, keys: pa.Array, column: Column) -> int:
    """Return the sum of the cells of one column.

    Parameters
    ----------
    name : str
        Column name.
    keys : BinaryArray of length n
        Canonical keys.
    column : Array or ChunkedArray of length n

    Returns
    -------
    int in [0, 2**256)
    """
    return sum(_chunk_sums(name, keys, column)) % MODULUS


def _chunk_sums(name: str, keys: pa.Array, column: Column) -> Iterator[int]:
    for start, size in spans(column, 0, len(keys)):
        cells = cell_bytes(column.slice(start, size))
        yield _total(digests(framed([name.encode(), keys.slice(start, size), cells])))


def row_hashes(keys: pa.Array) -> tuple[str, str]:
    """Return the hash of a set of rows and that of their order.

    Parameters
    ----------
    keys : BinaryArray of length n
        Canonical keys, in order.

    Returns
    -------
    str, str
        64 hex digits each: the sum modulo 2²⁵⁶ of the SHA-256 of each key, and the SHA-256 over
        those digests one after the other.
    """
    total, in_order = 0, hashlib.sha256()
    for start, size in spans(keys, 0, len(keys)):
        found = digests(keys.slice(start, size))
        total += _total(found)
        in_order.update(found.tobytes())
    return f"{total % MODULUS:064x}", in_order.hexdigest()


def spans(column: Column, start: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut a column into pieces whose canonical bytes fit into memory and into one array."""
    if size > 1 and (size > CHUNK or _is_long(column, start, size)):
        half = size // 2
        yield from spans(column, start, half)
        yield from spans(column, start + half, size - half)
    elif size:
        yield start, size


def _is_long(column: Column, start: int, size: int) -> bool:
    whole = column.get_total_buffer_size()  # known at once
    return bool(whole > _CHUNK_BYTES and column.slice(start, size).nbytes > _CHUNK_BYTES)


def _total(hashes: Digests) -> int:
    words = np.ascontiguousarray(hashes).view(">u4").astype(np.uint64).sum(axis=0)
    return sum(int(word) << (32 * (7 - place)) for place, word in enumerate(words))


def fingerprint(types: Mapping[str, str], sums: Sums, n_rows: int) -> str:
    """Return the fingerprint of a table from its column sums, 64 hex digits."""
    columns = [[name, types[name], f"{sums[name]:064x}"] for name in sorted(types)]
    content = canonical_json({"format": 1, "columns": columns, "rows": n_rows})
    return hashlib.sha256(content).hexdigest()
