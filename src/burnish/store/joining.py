"""Put pieces of a column together, with no more than one piece in memory beside the result.

``pyarrow.concat_arrays`` needs all pieces at once, and so twice the memory of the column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa


def joined(pieces: Iterator[pa.Array], kind: pa.DataType, rows: int | None = None) -> pa.Array:
    """Return pieces of one type as one array; a single one as it is.

    Parameters
    ----------
    pieces : iterator of Array
    kind : DataType
    rows : int, optional
        How many there will be together.
    """
    filled = (piece for piece in pieces if len(piece))
    first, second = next(filled, None), next(filled, None)
    if first is None or second is None:
        return pa.nulls(0, kind) if first is None else first
    growing = _growing(kind, rows)
    for piece in (first, second):
        growing.add(piece)
    del first, second, piece
    for piece in filled:
        growing.add(piece)
    return growing.array()


class _Room:
    """Bytes that are appended to; as many as are known beforehand are taken at once.

    Parameters
    ----------
    size : int, optional
    """

    def __init__(self, size: int | None = None) -> None:
        self._content: Any = bytearray() if size is None else np.empty(size, np.uint8)
        self._end = 0

    def add(self, content: Any) -> None:
        """Append bytes."""
        if isinstance(self._content, bytearray):
            self._content += content
        else:
            self._content[self._end : self._end + len(content)] = content
            self._end += len(content)

    def buffer(self) -> pa.Buffer:
        """Return all that was appended."""
        return pa.py_buffer(self._content)


class _Growing(ABC):
    """An array that is appended to.

    Parameters
    ----------
    kind : DataType
    rows : int, optional
        How many there will be.
    """

    def __init__(self, kind: pa.DataType, rows: int | None) -> None:
        self._kind = kind
        self._size = 0
        self._valid: list[pa.Array] = []
        self._has_nulls = False

    def add(self, piece: pa.Array) -> None:
        """Append a piece."""
        if not len(piece):
            return
        self._size += len(piece)
        self._has_nulls |= piece.null_count > 0
        self._valid.append(piece.is_valid())
        self._add(piece)

    def array(self) -> pa.Array:
        """Return all that was appended."""
        valid = pa.concat_arrays(self._valid).buffers()[1] if self._has_nulls else None
        buffers, children = self._parts()
        return pa.Array.from_buffers(
            self._kind, self._size, [valid, *buffers], children=children or None
        )

    @abstractmethod
    def _add(self, piece: pa.Array) -> None: ...

    @abstractmethod
    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]: ...


class _Flat(_Growing):
    """Values of a fixed number of bytes."""

    def __init__(self, kind: pa.DataType, rows: int | None) -> None:
        super().__init__(kind, rows)
        self._width = kind.bit_width // 8
        self._content = _Room(None if rows is None else rows * self._width)

    def _add(self, piece: pa.Array) -> None:
        start, stop = piece.offset * self._width, (piece.offset + len(piece)) * self._width
        self._content.add(memoryview(piece.buffers()[1])[start:stop])

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        return [self._content.buffer()], []


class _Ragged(_Growing):
    """Text, bytes and lists: offsets into something longer."""

    def __init__(self, kind: pa.DataType, rows: int | None) -> None:
        super().__init__(kind, rows)
        wide = kind in (pa.large_string(), pa.large_binary()) or pa.types.is_large_list(kind)
        self._dtype: type[Any] = np.int64 if wide else np.int32
        width = self._dtype().itemsize
        self._offsets = _Room(None if rows is None else (rows + 1) * width)
        self._offsets.add(memoryview(bytes(width)))
        self._end = 0

    def _add(self, piece: pa.Array) -> None:
        offsets = np.frombuffer(piece.buffers()[1], self._dtype)[piece.offset :][: len(piece) + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        self._end += last - first
        if self._end > np.iinfo(self._dtype).max:
            raise pa.ArrowCapacityError(f"{self._kind} cannot hold {self._end:,} values")
        self._offsets.add(memoryview(offsets[1:] + self._dtype(self._end - last)).cast("B"))
        self._extend(piece, first, last)

    @abstractmethod
    def _extend(self, piece: pa.Array, first: int, last: int) -> None: ...


class _Bytes(_Ragged):
    """Text and bytes."""

    def __init__(self, kind: pa.DataType, rows: int | None) -> None:
        super().__init__(kind, rows)
        self._content = _Room()

    def _extend(self, piece: pa.Array, first: int, last: int) -> None:
        self._content.add(memoryview(piece.buffers()[2] or b"")[first:last])

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        return [self._offsets.buffer(), self._content.buffer()], []


class _Lists(_Ragged):
    """Lists of any length."""

    def __init__(self, kind: pa.DataType, rows: int | None) -> None:
        super().__init__(kind, rows)
        self._values = _growing(kind.value_type, None)

    def _extend(self, piece: pa.Array, first: int, last: int) -> None:
        self._values.add(piece.values.slice(first, last - first))

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        return [self._offsets.buffer()], [self._values.array()]


class _Vectors(_Growing):
    """Lists of one length."""

    def __init__(self, kind: pa.DataType, rows: int | None) -> None:
        super().__init__(kind, rows)
        self._values = _growing(kind.value_type, None if rows is None else rows * kind.list_size)

    def _add(self, piece: pa.Array) -> None:
        size = self._kind.list_size
        self._values.add(piece.values.slice(piece.offset * size, len(piece) * size))

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        return [], [self._values.array()]


class _Pieces(_Growing):
    """Whatever else there is, put together at the end."""

    def __init__(self, kind: pa.DataType, rows: int | None) -> None:
        super().__init__(kind, rows)
        self._pieces: list[pa.Array] = []

    def _add(self, piece: pa.Array) -> None:
        self._pieces.append(piece)

    def array(self) -> pa.Array:
        return pa.concat_arrays(self._pieces) if self._pieces else pa.nulls(0, self._kind)

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        raise NotImplementedError


def _growing(kind: pa.DataType, rows: int | None) -> _Growing:
    types = pa.types
    if kind in (pa.string(), pa.binary(), pa.large_string(), pa.large_binary()):
        return _Bytes(kind, rows)
    if types.is_list(kind) or types.is_large_list(kind):
        return _Lists(kind, rows)
    if types.is_fixed_size_list(kind):
        return _Vectors(kind, rows)
    flat = types.is_primitive(kind) or types.is_decimal(kind) or types.is_fixed_size_binary(kind)
    return _Flat(kind, rows) if flat and not types.is_boolean(kind) else _Pieces(kind, rows)
