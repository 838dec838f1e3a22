"""Deltas as bytes, so that one column of many deltas is read without the rest of them.

The four-byte mark names the layout, so that a store written today can be read for ever; the
CRC-32 after it covers the mark and what follows, which is compressed as a whole. Inside, a JSON
head says where each part stands. A part holds one Arrow record batch of a single row, in which
each column is the list of its distinct values, and for each column that has more than one of them
a small integer a row, its place in that list. Ordinals, which rise, are kept as the steps between
them.

``BRN3`` is compressed with LZ4 and ``BRN2``, for what is larger, with Zstandard: a third smaller,
but six times as long to read, which counts where a version is put together from hundreds of small
deltas. ``BRN1``, the layout before, is a JSON head and one Arrow stream a part; its CRC-32 leaves
the mark out.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.canonical import canonical_json
from burnish.core.delta import DECISIONS, NO_DECISIONS, NO_FACTS, Delta
from burnish.errors import CorruptError

_STREAMS, _LARGE, _SMALL = b"BRN1", b"BRN2", b"BRN3"
_ZSTD = pa.Codec("zstd", compression_level=3)
_CODECS = {_STREAMS: _ZSTD, _LARGE: _ZSTD, _SMALL: pa.Codec("lz4_raw")}
_FEW = 1 << 16  # bytes
_DECISIONS = "$decisions"
_FACTS = "$facts"
_UNNUMBERED = ("null", "one", "all")
_STREAM = 1 << 30  # bytes from which the values of a part do not fit into one batch
_COMMON = {
    str(kind): kind
    for kind in (
        *(pa.string(), pa.bool_(), pa.int32(), pa.int64(), pa.float32(), pa.float64()),
        pa.timestamp("us", "UTC"),
    )
}
Numbers = npt.NDArray[Any]
Listed = tuple[pa.Array | None, Numbers]  # values and the place of each row's; or plain numbers


def encode(delta: Delta, header: dict[str, Any]) -> bytes:
    """Return a delta and a JSON header as bytes."""
    parts = [(name, delta.cells[name]) for name in sorted(delta.cells)]
    if len(delta.decisions):
        parts.append((_DECISIONS, delta.decisions))
    if len(delta.facts):
        parts.append((_FACTS, delta.facts))
    written: list[bytes] = []
    layout = [[name, *_put(written, table)] for name, table in parts]
    head = canonical_json({"header": header, "parts": layout})
    body = b"".join([len(head).to_bytes(8, "little"), head, bytes(-len(head) % 8), *written])
    mark = _SMALL if len(body) <= _FEW else _LARGE
    packed = len(body).to_bytes(8, "little") + _CODECS[mark].compress(body, asbytes=True)
    return b"".join([mark, _checksum(mark, packed).to_bytes(4, "little"), packed])


def decode(blob: bytes) -> tuple[Delta, dict[str, Any]]:
    """Return what `encode` was given.

    Raises
    ------
    CorruptError
        The bytes are not those that were written.
    """
    with _blamed_on(blob):
        change = _open(blob)
        return change.delta(), change.header


@dataclass(frozen=True)
class Opened:
    """A delta whose parts are read when they are asked for.

    Attributes
    ----------
    header : dict
    size : int
        Bytes that it takes, not compressed.
    """

    header: dict[str, Any]
    size: int
    _parts: Mapping[str, _Part]

    @property
    def columns(self) -> list[str]:
        """Columns that have changed cells."""
        return [name for name in self._parts if name not in (_DECISIONS, _FACTS)]

    @cached_property
    def facts(self) -> pa.Table:
        """Changed facts."""
        return self._parts[_FACTS].table() if _FACTS in self._parts else NO_FACTS

    @property
    def decisions(self) -> pa.Table:
        """Decisions, in order."""
        if _DECISIONS not in self._parts:
            return NO_DECISIONS
        found = self._parts[_DECISIONS].table()
        return found if found.schema == DECISIONS else found.cast(DECISIONS)

    def cells(self, column: str) -> pa.Table:
        """Return the changed cells of a column."""
        return self._parts[column].table()

    def has(self, column: str, name: str) -> bool:
        """Whether the cells of a column have a field."""
        return name in self._parts[column].fields

    def listed(self, column: str, name: str) -> Listed:
        """Return a field of a column's cells as values, and the place of each cell's among them.

        The values are None for ordinals, which stand for themselves.
        """
        return self._parts[column].listed(name)

    def delta(self) -> Delta:
        """Return all of it."""
        cells = {name: self.cells(name) for name in self.columns}
        return Delta(cells, self.decisions, self.facts)


def opened(blob: bytes) -> Opened:
    """Return what `encode` was given, not read yet.

    Raises
    ------
    CorruptError
        The bytes are not those that were written.
    """
    with _blamed_on(blob):
        return _open(blob)


@contextmanager
def _blamed_on(blob: bytes) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, ValueError, KeyError, OSError) as error:
        raise CorruptError(
            f"a change of {len(blob)} bytes cannot be read: {error}",
            hint="restore the store's folder from a copy",
        ) from error


class _Part(Protocol):
    @property
    def fields(self) -> Sequence[str]: ...

    def table(self) -> pa.Table: ...

    def listed(self, name: str) -> Listed: ...


def _open(blob: bytes) -> Opened:
    mark, view = blob[:4], memoryview(blob)
    if mark not in _CODECS:
        raise ValueError(f"starts with {mark!r}, expected {_SMALL!r}")
    if _checksum(mark, view[8:]) != int.from_bytes(view[4:8], "little"):
        raise ValueError("its checksum does not fit")
    body = _CODECS[mark].decompress(view[16:], int.from_bytes(view[8:16], "little"))
    width = 4 if mark == _STREAMS else 8
    place = width + int.from_bytes(body[:width], "little")
    head = json.loads(body[width:place].to_pybytes())
    place += -place % 8 if width == 8 else 0
    parts: dict[str, _Part] = {}
    for name, size, *packed in head["parts"]:
        content = body.slice(place, size)
        parts[name] = _Packed(content, *packed) if packed else _Streamed(content)
        place += size
    return Opened(head["header"], len(body), parts)


def _checksum(mark: bytes, packed: bytes | memoryview) -> int:
    return zlib.crc32(packed, 0 if mark == _STREAMS else zlib.crc32(mark))


@dataclass(frozen=True)
class _Streamed:
    """A part that is an Arrow stream."""

    content: pa.Buffer

    @property
    def fields(self) -> Sequence[str]:
        return self.table().column_names  # type: ignore[no-any-return]

    def table(self) -> pa.Table:
        return pa.ipc.open_stream(self.content).read_all()

    def listed(self, name: str) -> Listed:
        column = _one_chunk(self.table()[name])
        if name == "ordinal":
            return None, column.to_numpy()
        return column, np.arange(len(column))


@dataclass(frozen=True)
class _Packed:
    """A part whose columns are lists of values and the place of each row's value.

    Attributes
    ----------
    rows, size : int
        Rows, and bytes of the batch of values, which the places of the rows follow.
    columns : list of [name, type, layout]
        The layout is ``null`` where no row has a value, ``one`` where the list has one for all of
        them, ``all`` where it has one for each of them, else the width of the places; ``+`` and a
        width for the steps of a rising column, which has no list.
    """

    content: pa.Buffer
    rows: int
    size: int
    columns: list[tuple[str, str, str]]

    def table(self) -> pa.Table:
        arrays = [self._column(place) for place in range(len(self.columns))]
        return pa.Table.from_arrays(arrays, self.fields)

    def listed(self, name: str) -> Listed:
        place = self.fields.index(name)
        if name == "ordinal":
            return None, self._column(place).to_numpy()
        _, kind, layout = self.columns[place]
        values = pa.nulls(1, _type(kind)) if layout == "null" else self._listed(name)
        if layout == "all":
            return values, np.arange(self.rows)
        once = layout in _UNNUMBERED
        return values, np.zeros(self.rows, np.uint8) if once else self._numbers(place)

    def _column(self, place: int) -> pa.Array:
        name, kind, layout = self.columns[place]
        if layout == "null":
            return pa.nulls(self.rows, _type(kind))
        if layout[0] == "+":
            return pa.array(self._numbers(place).cumsum(dtype=np.int64))
        values = self._listed(name)
        if layout == "all":
            return values
        if layout == "one":
            return pa.repeat(values[0], self.rows)
        return values.take(pa.array(self._numbers(place)))

    @cached_property
    def fields(self) -> Sequence[str]:
        return [name for name, _, _ in self.columns]

    @cached_property
    def _values(self) -> pa.RecordBatch:
        return pa.ipc.read_record_batch(self.content.slice(0, self.size), _schema(self.columns))

    def _listed(self, name: str) -> pa.Array:
        return self._values.column(name).values

    def _numbers(self, place: int) -> Numbers:
        start = self.size
        for _, _, layout in self.columns[:place]:
            size = 0 if layout in _UNNUMBERED else self.rows * int(layout[-1])
            start += size + -size % 8
        width = self.columns[place][2].removeprefix("+")
        return np.frombuffer(self.content, width, self.rows, start)


def _put(written: list[bytes], table: pa.Table) -> list[Any]:
    """Write a part; return its size and what `_Packed` has to know."""
    if table.get_total_buffer_size() >= _STREAM:
        return [_append(written, _stream(table))]
    columns, values, places = [], [], []
    for name, column in zip(table.schema.names, table.itercolumns(), strict=True):
        layout, listed, numbers = _split(name, _one_chunk(column))
        columns.append((name, _type_text(column.type), layout))
        if listed is not None:
            values.append(pa.ListArray.from_arrays(_whole(len(listed)), listed))
        if numbers is not None:
            places.append(numbers.tobytes())
    batch = pa.RecordBatch.from_arrays(values, schema=_schema(columns)).serialize()
    size = _append(written, batch)
    return [size + sum(_append(written, data) for data in places), len(table), size, columns]


@lru_cache(maxsize=256)
def _whole(size: int) -> pa.Array:
    """Return the offsets of one list that holds everything."""
    return pa.array([0, size], pa.int32())


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _append(written: list[bytes], data: Any) -> int:
    """Append bytes up to a multiple of eight, as Arrow wants to find them."""
    padding = -len(data) % 8
    written += [data, bytes(padding)]
    return len(data) + padding


def _split(name: str, array: pa.Array) -> tuple[str, pa.Array | None, Numbers | None]:
    """Return a column's layout, its list of values and the numbers of its rows."""
    if array.null_count == len(array) > 0:
        return "null", None, None
    if not len(array) or not _has_words(array.type):
        return "all", array, None
    steps = _steps(array) if name == "ordinal" else None
    if steps is not None:
        return "+" + steps.dtype.str[1:], None, steps
    if array[1:].equals(array[:-1]):
        return "one", array[:1], None
    encoded = array.dictionary_encode(null_encoding="encode")
    words = encoded.dictionary
    if 2 * len(words) > len(array):
        return "all", array, None
    numbers = encoded.indices.to_numpy().astype(np.min_scalar_type(len(words) - 1))
    return numbers.dtype.str[1:], words, numbers


def _steps(array: pa.Array) -> Numbers | None:
    values = array.to_numpy()
    steps = values.copy()
    steps[1:] -= values[:-1]
    return steps.astype(np.min_scalar_type(int(steps.max()))) if steps.min() >= 0 else None


@lru_cache(maxsize=256)
def _has_words(kind: pa.DataType) -> bool:
    """Whether equal values of a type are the same bytes, so that each can be listed once."""
    tests = ("string", "binary", "boolean", "integer", "timestamp")
    return any(getattr(pa.types, f"is_{test}")(kind) for test in tests)


@lru_cache(maxsize=256)
def _type_text(kind: pa.DataType) -> str:
    text = str(kind)
    return text if text in _COMMON else pa.schema([("", kind)]).serialize().to_pybytes().hex()


@lru_cache(maxsize=256)
def _type(text: str) -> pa.DataType:
    return _COMMON.get(text) or pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(text))).field(0).type


def _schema(columns: Sequence[Sequence[str]]) -> pa.Schema:
    """Return the schema of the lists that columns have."""
    listed = (c for c in columns if c[2] != "null" and c[2][0] != "+")
    return _lists(tuple((name, kind) for name, kind, _ in listed))


@lru_cache(maxsize=256)
def _lists(columns: tuple[tuple[str, str], ...]) -> pa.Schema:
    return pa.schema([(name, pa.list_(_type(kind))) for name, kind in columns])


def _stream(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
