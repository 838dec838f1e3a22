"""Deltas as bytes: a JSON header and one Arrow stream a part, compressed as a whole.

The four-byte mark names the layout, so that a store written today can be read for ever; the
CRC-32 after it covers everything that follows.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import pyarrow as pa

from burnish.core.canonical import canonical_json
from burnish.core.delta import DECISIONS, NO_DECISIONS, NO_FACTS, Delta
from burnish.errors import CorruptError

_MARK = b"BRN1"
_CODEC = pa.Codec("zstd", compression_level=3)
_DECISIONS = "$decisions"
_FACTS = "$facts"


def encode(delta: Delta, header: dict[str, Any]) -> bytes:
    """Return a delta and a JSON header as bytes."""
    parts = [(name, delta.cells[name]) for name in sorted(delta.cells)]
    if len(delta.decisions):
        parts.append((_DECISIONS, delta.decisions))
    if len(delta.facts):
        parts.append((_FACTS, delta.facts))
    streams = [_stream(table) for _, table in parts]
    layout = [[name, stream.size] for (name, _), stream in zip(parts, streams, strict=True)]
    head = canonical_json({"header": header, "parts": layout})
    body = b"".join([len(head).to_bytes(4, "little"), head, *map(bytes, streams)])
    packed = len(body).to_bytes(8, "little") + _CODEC.compress(body, asbytes=True)
    return b"".join([_MARK, zlib.crc32(packed).to_bytes(4, "little"), packed])


def decode(blob: bytes) -> tuple[Delta, dict[str, Any]]:
    """Return what `encode` was given.

    Raises
    ------
    CorruptError
        The bytes are not those that were written.
    """
    try:
        return _decode(blob)
    except (pa.ArrowException, ValueError, KeyError, OSError) as error:
        raise CorruptError(
            f"a change of {len(blob)} bytes cannot be read: {error}",
            hint="restore the store's folder from a copy",
        ) from error


def _decode(blob: bytes) -> tuple[Delta, dict[str, Any]]:
    if blob[:4] != _MARK:
        raise ValueError(f"starts with {blob[:4]!r}, expected {_MARK!r}")
    if zlib.crc32(blob[8:]) != int.from_bytes(blob[4:8], "little"):
        raise ValueError("its checksum does not fit")
    size = int.from_bytes(blob[8:16], "little")
    body = memoryview(_CODEC.decompress(blob[16:], size, asbytes=True))
    start = 4 + int.from_bytes(body[:4], "little")
    head = json.loads(bytes(body[4:start]))
    tables = {}
    for name, length in head["parts"]:
        tables[name] = pa.ipc.open_stream(body[start : start + length]).read_all()
        start += length
    decisions = tables.pop(_DECISIONS, NO_DECISIONS)
    facts = tables.pop(_FACTS, NO_FACTS)
    return Delta(tables, decisions.cast(DECISIONS), facts), head["header"]


def _stream(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
