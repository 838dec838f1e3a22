"""Put pieces of a column together, with no more than one piece in memory beside the result.

``pyarrow.concat_arrays`` needs all pieces at once, and so twice the memory of the column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa


def joined(pieces: Iterator[pa.Array], kind: pa.DataType) -> pa.Array:
    """Return pieces of one type as one array; a single one as it is."""
    filled = (piece for piece in pieces if len(piece))
    first, second = next(filled, None), next(filled, None)
    if first is None or second is None:
        return pa.nulls(0, kind) if first is None else first
    growing = _growing(kind)
    for piece in (first, second):
        growing.add(piece)
    del first, second, piece
    for piece in filled:
        growing.add(piece)
    return growing.array()


class _Growing(ABC):
    """An array that is appended to.

    Parameters
    ----------
    kind : DataType
    """

    def __init__(self, kind: pa.DataType) -> None:
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

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._content = bytearray()

    def _add(self, piece: pa.Array) -> None:
        width = self._kind.bit_width // 8
        start, stop = piece.offset * width, (piece.offset + len(piece)) * width
        self._content += memoryview(piece.buffers()[1])[start:stop]

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        return [pa.py_buffer(self._content)], []


class _Ragged(_Growing):
    """Text, bytes and lists: offsets into something longer."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        wide = kind in (pa.large_string(), pa.large_binary()) or pa.types.is_large_list(kind)
        self._dtype: type[Any] = np.int64 if wide else np.int32
        self._offsets = bytearray(self._dtype(0).tobytes())
        self._end = 0

    def _add(self, piece: pa.Array) -> None:
        offsets = np.frombuffer(piece.buffers()[1], self._dtype)[piece.offset :][: len(piece) + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        self._end += last - first
        if self._end > np.iinfo(self._dtype).max:
            raise pa.ArrowCapacityError(f"{self._kind} cannot hold {self._end:,} values")
        self._offsets += memoryview(offsets[1:] + self._dtype(self._end - last)).cast("B")
        self._extend(piece, first, last)

    @abstractmethod
    def _extend(self, piece: pa.Array, first: int, last: int) -> None: ...


class _Bytes(_Ragged):
    """Text and bytes."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._content = bytearray()

    def _extend(self, piece: pa.Array, first: int, last: int) -> None:
        self._content += memoryview(piece.buffers()[2] or b"")[first:last]

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        return [pa.py_buffer(self._offsets), pa.py_buffer(self._content)], []


class _Lists(_Ragged):
    """Lists of any length."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._values = _growing(kind.value_type)

    def _extend(self, piece: pa.Array, first: int, last: int) -> None:
        self._values.add(piece.values.slice(first, last - first))

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        return [pa.py_buffer(self._offsets)], [self._values.array()]


class _Vectors(_Growing):
    """Lists of one length."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._values = _growing(kind.value_type)

    def _add(self, piece: pa.Array) -> None:
        size = self._kind.list_size
        self._values.add(piece.values.slice(piece.offset * size, len(piece) * size))

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        return [], [self._values.array()]


class _Pieces(_Growing):
    """Whatever else there is, put together at the end."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._pieces: list[pa.Array] = []

    def _add(self, piece: pa.Array) -> None:
        self._pieces.append(piece)

    def array(self) -> pa.Array:
        return pa.concat_arrays(self._pieces) if self._pieces else pa.nulls(0, self._kind)

    def _parts(self) -> tuple[list[pa.Buffer], list[pa.Array]]:
        raise NotImplementedError


def _growing(kind: pa.DataType) -> _Growing:
    types = pa.types
    if kind in (pa.string(), pa.binary(), pa.large_string(), pa.large_binary()):
        return _Bytes(kind)
    if types.is_list(kind) or types.is_large_list(kind):
        return _Lists(kind)
    if types.is_fixed_size_list(kind):
        return _Vectors(kind)
    flat = types.is_primitive(kind) or types.is_decimal(kind) or types.is_fixed_size_binary(kind)
    return _Flat(kind) if flat and not types.is_boolean(kind) else _Pieces(kind)
