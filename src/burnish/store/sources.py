"""Read columns and cells of tables in formats that others wrote.

A source gives values of one kind whatever the file's encoding: each column has the type that its
schema says, see `settle`. Rows are in the order of the files, and in each in the file's order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from burnish.core.normal import normalise
from burnish.errors import StoreError
from burnish.store.caches import ArrayCache
from burnish.store.joining import joined
from burnish.store.pins import Pins

Ordinals = npt.NDArray[np.int64]

_PIECES = 1 << 27  # bytes of decoded row groups that are kept for the next point read
_PIECE = 1 << 25  # bytes; a larger row group is read through and not kept
_BATCH = 1 << 22
_FIRST = 1 << 10  # rows, to learn how large they are
_BUFFER = 1 << 20
_OPEN = 64


class Source(ABC):
    """A table somewhere else.

    Attributes
    ----------
    schema : Schema
        Columns to read, with the types to read them as.
    rows : int
    """

    schema: pa.Schema
    rows: int

    @abstractmethod
    def stream(self, name: str) -> Iterator[pa.Array]:
        """Yield a whole column, piece by piece."""

    @abstractmethod
    def take(self, name: str, ordinals: Ordinals) -> pa.Array:
        """Return some cells of a column."""

    @abstractmethod
    def batches(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield columns side by side, a few rows at a time."""

    def column(self, name: str) -> pa.Array:
        """Return a whole column."""
        return joined(self.stream(name), self.schema.field(name).type, self.rows)


class FileSource(Source):
    """Rows of files, one after the other.

    Parameters
    ----------
    pins : Pins
    schema : Schema
    part : type of Part
        How one file is read.
    """

    def __init__(self, pins: Pins, schema: pa.Schema, part: type[Part]) -> None:
        self.schema = schema
        self._pins = pins
        self._part = part
        self._parts: dict[int, Part] = {}
        self._pieces = ArrayCache(_PIECES)
        self._starts = _starts([pin.rows for pin in pins.pins])
        self.rows = int(self._starts[-1])

    def stream(self, name: str) -> Iterator[pa.Array]:
        """Yield a whole column, piece by piece."""
        kind = self.schema.field(name).type
        for place in range(len(self._pins)):
            for piece in self._at(place).stream(name, kind):
                yield settle(piece, kind)

    def take(self, name: str, ordinals: Ordinals) -> pa.Array:
        """Return some cells of a column; opens the files they lie in."""
        kind = self.schema.field(name).type
        return gather(
            self._starts, ordinals, kind, lambda i, local: self._at(i).take(name, kind, local)
        )

    def batches(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield columns side by side, a few rows at a time."""
        fields = [self.schema.field(name) for name in names]
        for place in range(len(self._pins)):
            for batch in self._at(place).batches(fields):
                columns = [settle(array, f.type) for array, f in zip(batch, fields, strict=True)]
                yield pa.table(columns, names=list(names))

    def _at(self, place: int) -> Part:
        path = self._pins.path(place)
        found = self._parts.get(place)
        if found is None:
            pin = self._pins.pins[place]
            found = self._part(path, pin.rows, pin.constants, self._pieces)
            self._parts[place] = found
            if len(self._parts) > _OPEN:
                self._parts.pop(next(iter(list(self._parts))), None)
        return found


class Part(ABC):
    """One file of a source.

    Parameters
    ----------
    path : Path
    rows : int
    constants : mapping
        Values, as text, of columns that the file does not hold.
    pieces : ArrayCache
        Where decoded groups of rows are kept.
    """

    def __init__(
        self, path: Path, rows: int, constants: Mapping[str, str | None], pieces: ArrayCache
    ) -> None:
        self.path = path
        self.rows = rows
        self._constants = constants
        self._pieces = pieces

    @property
    @abstractmethod
    def schema(self) -> pa.Schema:
        """What the file itself says."""

    @property
    @abstractmethod
    def starts(self) -> Ordinals:
        """First row of each group, and the number of rows."""

    @abstractmethod
    def _stream(self, name: str) -> Iterator[pa.Array]: ...

    @abstractmethod
    def _group(self, name: str, kind: pa.DataType, group: int) -> pa.Array: ...

    @abstractmethod
    def _batches(self, names: list[str]) -> Iterator[pa.RecordBatch]: ...

    def stream(self, name: str, kind: pa.DataType) -> Iterator[pa.Array]:
        """Yield a column of the file, piece by piece."""
        if self._has(name):
            return self._stream(name)
        return iter([self._fill(name, kind, self.rows)])

    def take(self, name: str, kind: pa.DataType, ordinals: Ordinals) -> pa.Array:
        """Return some cells of a column, given sorted rows of the file."""
        if not self._has(name):
            return self._fill(name, kind, len(ordinals))
        return gather(
            self.starts, ordinals, kind, lambda g, local: self._take(name, kind, g, local)
        )

    def batches(self, fields: list[pa.Field]) -> Iterator[list[pa.Array]]:
        """Yield columns side by side, a few rows at a time."""
        for batch in self._batches([field.name for field in fields if self._has(field.name)]):
            yield [
                _by_name(batch, field.name)
                if self._has(field.name)
                else self._fill(field.name, field.type, len(batch))
                for field in fields
            ]

    def _take(self, name: str, kind: pa.DataType, group: int, local: Ordinals) -> pa.Array:
        found = self._pieces.get_or_make(
            (self.path, group, name), lambda: settle(self._group(name, kind, group), kind)
        )
        return found.take(pa.array(local))

    def _has(self, name: str) -> bool:
        return name not in self._constants and name in self._names

    def _fill(self, name: str, kind: pa.DataType, size: int) -> pa.Array:
        value = pa.scalar(self._constants.get(name), pa.string())
        return pa.repeat(value.cast(kind), size) if value.is_valid else pa.nulls(size, kind)

    @cached_property
    def _names(self) -> set[str]:
        return set(self.schema.names)


class ParquetPart(Part):
    """A Parquet file, decoded a row group at a time."""

    @property
    def schema(self) -> pa.Schema:
        """What the file itself says."""
        return self._metadata.schema.to_arrow_schema()

    @cached_property
    def starts(self) -> Ordinals:
        """First row of each row group, and the number of rows."""
        groups = range(self._metadata.num_row_groups)
        return _starts([self._metadata.row_group(group).num_rows for group in groups])

    @cached_property
    def _metadata(self) -> pq.FileMetaData:
        return pq.read_metadata(self.path)

    def _open(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.path, metadata=self._metadata, buffer_size=_BUFFER)

    def _stream(self, name: str) -> Iterator[pa.Array]:
        return (_by_name(batch, name) for batch in self._batches([name]))

    def _group(self, name: str, kind: pa.DataType, group: int) -> pa.Array:
        with self._open() as file:
            return _by_name(file.read_row_group(group, columns=[name]), name)

    def _batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        with self._open() as file:
            if not names:
                yield from _empty_batches(self.rows)
                return
            for group in range(file.num_row_groups):
                size = max(1, int(_BATCH / max(1.0, self._row_bytes(names, group))))
                yield from file.iter_batches(min(size, 1 << 16), [group], columns=names)

    def _take(self, name: str, kind: pa.DataType, group: int, local: Ordinals) -> pa.Array:
        size = self._row_bytes([name], group) * (self.starts[group + 1] - self.starts[group])
        if size <= _PIECE:
            return super()._take(name, kind, group, local)
        return self._read_through(name, kind, group, local)

    def _read_through(self, name: str, kind: pa.DataType, group: int, local: Ordinals) -> pa.Array:
        parts, start = [], 0
        rows = max(1, int(_BATCH / self._row_bytes([name], group)))
        with self._open() as file:
            for batch in file.iter_batches(rows, [group], columns=[name]):
                inside = local[slice(*np.searchsorted(local, [start, start + len(batch)]))]
                if len(inside):
                    found = _by_name(batch, name).take(pa.array(inside - start))
                    parts.append(settle(found, kind))
                start += len(batch)
                if start > local[-1]:
                    break
        return joined(iter(parts), kind)

    def _row_bytes(self, names: list[str], group: int) -> float:
        found = self._metadata.row_group(group)
        sizes: list[int] = [
            found.column(place).total_uncompressed_size
            for place in range(found.num_columns)
            if found.column(place).path_in_schema in names
            or found.column(place).path_in_schema.startswith(tuple(f"{n}." for n in names))
        ]
        return sum(sizes) / max(1, int(found.num_rows))


class ArrowPart(Part):
    """An Arrow file or stream, mapped into memory where it is not compressed."""

    @cached_property
    def schema(self) -> pa.Schema:
        """What the file itself says."""
        return self._reader(None).schema

    @cached_property
    def starts(self) -> Ordinals:
        """First row of each record batch, and the number of rows."""
        if self._mapped is not None:
            return _starts([len(chunk) for chunk in self._mapped.column(0).chunks])
        return _starts([len(batch) for batch in self._records(_narrowest(self.schema))])

    @cached_property
    def _mapped(self) -> pa.Table | None:
        first = next(self._records(None), None)
        if first is None or not all(_lies_in(column, self._memory) for column in first.columns):
            return None
        return self._reader(None).read_all()

    def _stream(self, name: str) -> Iterator[pa.Array]:
        if self._mapped is not None:
            return iter(_by_name(self._mapped, name).chunks)
        return (_by_name(batch, name) for batch in self._records([name]))

    def _group(self, name: str, kind: pa.DataType, group: int) -> pa.Array:
        reader = self._reader([name])
        if isinstance(reader, pa.ipc.RecordBatchFileReader):
            return _by_name(reader.get_batch(group), name)
        return next(islice(self._stream(name), group, None))

    def _take(self, name: str, kind: pa.DataType, group: int, local: Ordinals) -> pa.Array:
        if self._mapped is None:
            return super()._take(name, kind, group, local)
        return settle(_by_name(self._mapped, name).chunk(group).take(pa.array(local)), kind)

    def _batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        if not names:
            yield from _empty_batches(self.rows)
            return
        for batch in self._side_by_side(names):
            rows = max(1, _BATCH * len(batch) // max(1, batch.nbytes))
            for start in range(0, len(batch), rows):
                yield batch.slice(start, rows)

    def _side_by_side(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        return self._records(names) if self._mapped is None else iter(self._mapped.to_batches())

    def _records(self, names: list[str] | None) -> Iterator[pa.RecordBatch]:
        reader = self._reader(names)
        if isinstance(reader, pa.ipc.RecordBatchFileReader):
            return (reader.get_batch(place) for place in range(reader.num_record_batches))
        return iter(reader)

    def _reader(self, names: list[str] | None) -> Any:
        """Return a reader; asked for some columns only, Arrow copies them even where mapped."""
        places = [] if names is None else [self.schema.get_field_index(name) for name in names]
        options = pa.ipc.IpcReadOptions(included_fields=places)
        content = pa.BufferReader(self._memory)
        if self._memory[:6].to_pybytes() == b"ARROW1":
            return pa.ipc.open_file(content, options=options)
        return pa.ipc.open_stream(content, options=options)

    @cached_property
    def _memory(self) -> pa.Buffer:
        return pa.memory_map(str(self.path)).read_buffer()


class LanceSource(Source):
    """A version of a Lance table; needs the library.

    Parameters
    ----------
    pins : Pins
        The version's files.
    version : int
    schema : Schema
    """

    def __init__(self, pins: Pins, version: int, schema: pa.Schema) -> None:
        self.schema = schema
        self._pins = pins
        self._table = _lance().dataset(str(pins.root), version=version)
        self.rows = self._table.count_rows()

    def stream(self, name: str) -> Iterator[pa.Array]:
        """Yield a whole column, piece by piece."""
        for batch in self._read([name]):
            yield settle(batch.column(0), self.schema.field(name).type)

    def take(self, name: str, ordinals: Ordinals) -> pa.Array:
        """Return some cells of a column, at the cost of those cells."""
        self._pins.check()
        found = self._table.take(ordinals.tolist(), columns=[name])
        return settle(found.column(0), self.schema.field(name).type)

    def batches(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield columns side by side, a few rows at a time."""
        for batch in self._read(list(names)):
            columns = [
                settle(_by_name(batch, name), self.schema.field(name).type) for name in names
            ]
            yield pa.table(columns, names=list(names))

    def _read(self, names: list[str]) -> Iterator[pa.Table]:
        """Yield windows of rows: a scan of all of them holds the whole column."""
        self._pins.check()
        start, size = 0, _FIRST
        while start < self.rows:
            found = self._table.to_table(columns=names, offset=start, limit=size)
            if not len(found):
                return
            start += len(found)
            size = max(1, min(1 << 16, 2 * _BATCH * len(found) // max(1, found.nbytes)))
            yield found


def _lance() -> Any:
    try:
        import lance
    except ImportError as error:
        raise StoreError(
            "the base is a Lance table, and the package 'pylance' is not installed",
            hint="pip install pylance",
        ) from error
    return lance


def settle(array: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """Return values as a type that burnish stores; NaN is null, dictionaries are decoded."""
    if not len(array) or pa.types.is_null(array.type):
        return pa.nulls(len(array), kind)
    found = normalise(array)
    return found if found.type.equals(kind) else found.cast(kind)


def gather(
    starts: Ordinals,
    ordinals: Ordinals,
    kind: pa.DataType,
    take: Callable[[int, Ordinals], pa.Array],
) -> pa.Array:
    """Take rows out of groups that lie one after the other, asking each group once.

    Parameters
    ----------
    starts : int array of length groups + 1
    ordinals : int array
        In any order, also repeated.
    kind : DataType
    take : callable
        Given a group and sorted rows within it.
    """
    if not len(ordinals):
        return pa.nulls(0, kind)
    order = np.argsort(ordinals, kind="stable")
    wanted = np.asarray(ordinals)[order]
    group = np.searchsorted(starts, wanted, side="right") - 1
    cuts = np.flatnonzero(np.diff(group, prepend=-1, append=len(starts)))
    parts = [
        take(int(group[low]), wanted[low:high] - starts[group[low]]) for low, high in pairwise(cuts)
    ]
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return joined(iter(parts), kind).take(pa.array(back))


def _starts(sizes: Sequence[int]) -> Ordinals:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)


def _by_name(table: Any, name: str) -> Any:
    """Return a column by its own name: what reads 'a' may also give 'a.b'."""
    return table.column(table.schema.get_field_index(name))


def _empty_batches(rows: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, rows, 1 << 16):
        yield pa.RecordBatch.from_arrays([pa.nulls(min(1 << 16, rows - start))], [""])


def _narrowest(schema: pa.Schema) -> list[str]:
    """Return the column that costs least to decode, to learn how long batches are."""

    def width(field: pa.Field) -> int:
        try:
            return int(field.type.bit_width)
        except ValueError:
            return 1 << 16

    return [min(schema, key=width).name]


def _lies_in(array: pa.Array, memory: pa.Buffer) -> bool:
    last = memory.address + memory.size
    buffers = [buffer for buffer in array.buffers() if buffer is not None and buffer.size]
    return all(memory.address <= buffer.address <= last for buffer in buffers)
