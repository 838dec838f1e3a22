"""The immutable first table of a dataset: written to its folder, or adopted where it lies.

The base that burnish writes is one Arrow IPC file, not compressed, so that any cell of any row is
read without decoding its neighbours and a checkout costs no memory of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import key_bytes
from burnish.core.fingerprint import digests
from burnish.errors import CorruptError

BASE = "base.arrow"
INDEX = ("keys.hash.npy", "keys.ordinal.npy")
Ordinals = npt.NDArray[np.int64]
Words = tuple[pa.Array, npt.NDArray[np.integer]]
_SAMPLE = 1 << 12
_FEW_WORDS = 256
_PIECE = 1 << 16


class Base(ABC):
    """The rows a dataset was made from, by ordinal.

    Parameters
    ----------
    folder : Path
        The store's folder; holds the key index, a cache that is rebuilt when missing.
    key : list of str
        Key columns.
    """

    def __init__(self, folder: Path, key: list[str]) -> None:
        self.folder = folder
        self.key = key
        self._words: dict[str, Words | None] = {}

    @property
    @abstractmethod
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def column(self, name: str) -> pa.Array:
        """Return a column, one value per ordinal."""

    @abstractmethod
    def take(self, name: str, ordinals: Ordinals) -> pa.Array:
        """Return a column at some ordinals, at the cost of those cells where the format allows."""

    @abstractmethod
    def verify(self, expected: str) -> list[str]:
        """Return what is wrong with the base, nothing when its bytes are those of `expected`."""

    def words(self, name: str) -> Words | None:
        """Return the few values that a column has and the place of each row's, None for many."""
        if name not in self._words:
            self._words[name] = words_of(self.column(name))
        return self._words[name]

    def key_bytes(self, ordinals: Ordinals | None = None) -> pa.Array:
        """Return canonical keys of ordinals, of all rows when None."""
        if ordinals is None:
            return key_bytes([self.column(name) for name in self.key])
        return key_bytes([self.take(name, ordinals) for name in self.key])

    def find(self, keys: pa.Array) -> Ordinals:
        """Return the ordinal of each canonical key, -1 where there is none."""
        return self._index.find(keys, self)

    @cached_property
    def _index(self) -> KeyIndex:
        return KeyIndex.open(self.folder, self)

    def _verify_index(self) -> list[str]:
        if self._index.equals(KeyIndex.of(self.key_bytes())):
            return []
        return ["the key index is damaged: delete keys.hash.npy and keys.ordinal.npy"]


class MappedBase(Base):
    """A base in a file of the store, mapped into memory.

    Parameters
    ----------
    folder : Path
    key : list of str
    file : str, default "base.arrow"
    """

    def __init__(self, folder: Path, key: list[str], file: str = BASE) -> None:
        super().__init__(folder, key)
        self.file = file
        self._table = map_table(folder / file)

    @staticmethod
    def write(folder: Path, table: pa.Table, key: list[str]) -> str:
        """Write the file and its index; return the file's SHA-256."""
        KeyIndex.build(folder, key_bytes([table[name] for name in key]))
        return write_table(folder / BASE, table)

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self._table.schema

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def column(self, name: str) -> pa.Array:
        """Return a column, one value per ordinal; costs no copy."""
        chunked = self._table[name]
        return chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()

    def take(self, name: str, ordinals: Ordinals) -> pa.Array:
        """Return a column at some ordinals, at the cost of those cells."""
        return self.column(name).take(pa.array(ordinals))

    def verify(self, expected: str) -> list[str]:
        """Return what is wrong with the file, nothing when its bytes are those written."""
        found = file_hash(self.folder / self.file)
        if found != expected:
            return [f"{self.file} has SHA-256 {found[:12]}…, expected {expected[:12]}…"]
        return self._verify_index()


class Keyed(Protocol):
    """Rows whose canonical keys can be read."""

    folder: Path

    def __len__(self) -> int: ...

    def key_bytes(self, ordinals: Ordinals | None = None) -> pa.Array:
        """Return canonical keys of ordinals, of all rows when None."""
        ...


class KeyIndex:
    """Sorted 64-bit hashes of the keys beside their ordinals."""

    def __init__(self, hashes: npt.NDArray[np.uint64], ordinals: Ordinals) -> None:
        self._hashes = hashes
        self._ordinals = ordinals

    @classmethod
    def of(cls, keys: pa.Array) -> KeyIndex:
        """Build the index."""
        hashes = _short_hashes(keys)
        order = np.argsort(hashes, kind="stable")
        return cls(hashes[order], order.astype(np.int64))

    @classmethod
    def build(cls, folder: Path, keys: pa.Array) -> KeyIndex:
        """Build the index and write it where the folder can be written."""
        index = cls.of(keys)
        with contextlib.suppress(OSError):
            for name, values in zip(INDEX, (index._hashes, index._ordinals), strict=True):
                _save(folder / name, values)
        return index

    @classmethod
    def open(cls, folder: Path, base: Keyed) -> KeyIndex:
        """Map the index, or build it again where it is missing or of another length."""
        try:
            hashes, ordinals = (np.load(folder / name, mmap_mode="r") for name in INDEX)
        except (OSError, ValueError, EOFError):
            return cls.build(folder, base.key_bytes())
        shapes = [(array.dtype.str, array.shape) for array in (hashes, ordinals)]
        if shapes == [("<u8", (len(base),)), ("<i8", (len(base),))]:
            return cls(hashes, ordinals)
        return cls.build(folder, base.key_bytes())

    def find(self, keys: pa.Array, base: Keyed) -> Ordinals:
        """Return the ordinal of each canonical key, -1 where there is none."""
        if not len(keys):
            return np.empty(0, np.int64)
        hashes = _short_hashes(keys)
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        found = np.asarray(self._ordinals[places], dtype=np.int64)
        if found.min() < 0 or found.max() >= len(base):
            raise CorruptError(
                f"the key index in {base.folder} is damaged",
                hint="delete keys.hash.npy and keys.ordinal.npy; they are made again",
            )
        right = base.key_bytes(found)
        wrong = np.flatnonzero(_differ(right, keys))
        for i in wrong:
            found[i] = self._search(hashes[i], keys[int(i)].as_py(), int(places[i]), base)
        return found

    def equals(self, other: KeyIndex) -> bool:
        """Whether both say the same."""
        return np.array_equal(self._hashes, other._hashes) and np.array_equal(
            self._ordinals, other._ordinals
        )

    def _search(self, wanted: np.uint64, key: bytes, place: int, base: Keyed) -> int:
        while place < len(self._hashes) and self._hashes[place] == wanted:
            ordinal = int(self._ordinals[place])
            if base.key_bytes(np.array([ordinal]))[0].as_py() == key:
                return ordinal
            place += 1
        return -1


def write_without(base: Base, gone: Ordinals) -> str:
    """Write a base again without the values of some rows; return the file's SHA-256.

    Costs the memory of the whole table. The file is `rewritten_base` of what is returned; all
    cells of those rows, keys too, are null in it.
    """
    mask = np.zeros(len(base), bool)
    mask[gone] = True
    places = pa.array(np.arange(len(base)), mask=mask)
    columns = [base.column(name).take(places) for name in base.schema.names]
    draft = base.folder / f".{BASE}.{uuid.uuid4().hex[:8]}"
    try:
        found = write_table(draft, pa.Table.from_arrays(columns, schema=base.schema))
        draft.replace(base.folder / rewritten_base(found))
        flush(base.folder)
    finally:
        draft.unlink(missing_ok=True)
    return found


def rewritten_base(content: str) -> str:
    """Return the name of the base that a purge wrote, given its SHA-256."""
    return f"base.{content[:16]}.arrow"


def words_of(column: pa.Array) -> Words | None:
    """Return the values of a column, each once, and the place of each row's; None for many.

    Floats are many: equal ones may differ in a sign.
    """
    kind, tests = column.type, ("string", "large_string", "boolean", "integer")
    if not any(getattr(pa.types, f"is_{test}")(kind) for test in tests):
        return None
    if len(set(column.slice(0, _SAMPLE).to_pylist())) > _FEW_WORDS:
        return None
    starts = range(0, len(column), _PIECE)  # whole, it would take four bytes a row on the way
    pieces = [_encoded(column.slice(start, _PIECE)) for start in starts]
    words = pa.chunked_array([words for words, _ in pieces], kind).unique()
    if len(words) > max(_FEW_WORDS, len(column) // 16):
        return None
    places = np.empty(len(column), np.min_scalar_type(len(words)))
    for start, (own, numbers) in zip(starts, pieces, strict=True):
        among = pc.index_in(own, value_set=words).to_numpy()
        places[start : start + _PIECE] = among[numbers]
    return words, places


def _encoded(column: pa.Array) -> Words:
    coded = column.dictionary_encode(null_encoding="encode")
    size = np.min_scalar_type(len(coded.dictionary))
    return coded.dictionary, coded.indices.to_numpy().astype(size)


def tally(column: pa.Array | pa.ChunkedArray) -> dict[Any, int]:
    """Return how often each value occurs, null included."""
    found = column.value_counts()
    return dict(
        zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    )


def write_table(path: Path, table: pa.Table) -> str:
    """Write a table as an Arrow file that can be mapped; return the file's SHA-256."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    flush(path)
    return file_hash(path)


def flush(path: Path) -> None:
    """Put a file, or the names in a folder, on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _save(path: Path, values: npt.NDArray[Any]) -> None:
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    with draft.open("wb") as file:
        np.save(file, values)
    flush(draft)
    draft.replace(path)  # whoever has mapped the old file keeps it


def map_table(path: Path) -> pa.Table:
    """Map a table that `write_table` wrote."""
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        table.validate()
        return table
    except (OSError, ValueError, pa.ArrowException) as error:
        raise CorruptError(
            f"the table {path} cannot be read: {error}",
            hint="restore the folder from a copy",
        ) from error


def _short_hashes(keys: pa.Array) -> npt.NDArray[np.uint64]:
    head = np.ascontiguousarray(digests(keys)[:, :8])
    return head.view(">u8").ravel().astype(np.uint64)


def _differ(left: pa.Array, right: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.not_equal(left, right).to_numpy(zero_copy_only=False), dtype=bool)
