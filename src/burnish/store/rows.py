"""All rows that a store ever had, by ordinal: those of the base, then those that were added.

Added rows lie in segments, added columns in column files: Arrow files named by a hash of their
content, written once. A key has one ordinal in a store for good, whichever segments hold a row of
that key; a cell of the column ``$row`` says from which segment a version reads it.

A segment that was swept leaves its ordinals taken, without keys. A file that a purge wrote anew
bears another name, yet versions call it by the old one.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.canonical import canonical_json, key_bytes, logical_type
from burnish.core.delta import Ordinals
from burnish.core.fingerprint import column_sum, fingerprint
from burnish.errors import CorruptError
from burnish.store.backend import PurgeRecord
from burnish.store.base import Base, KeyIndex, flush, map_table
from burnish.store.files import place, write_once

PARENT = "$parent:"
AGAIN = "$again"
SWEPT = "swept:"
ORDINAL = "$ordinal"
VALUE = "$value"
_HINT = "restore the folder from a copy"
_OTHER_ROWS = "segments/{}.arrow holds other rows than were added"
_OTHER_VALUES = "columns/{}.arrow holds other values than were added"
_GARBAGE = (pa.ArrowException, LookupError, ValueError, OverflowError, TypeError)
_TAKEN = "restore the file from a copy"
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows that were added together.

    Attributes
    ----------
    id : str
        Fingerprint of the rows, 64 hex digits.
    ordinals : array of int64
        Ordinal of each row of the table.
    table : Table
        Columns by id, keys among them; those of ``$parent:`` hold the keys of parents.
    """

    id: str
    ordinals: Ordinals
    table: pa.Table

    @cached_property
    def _order(self) -> npt.NDArray[np.intp]:
        return np.argsort(self.ordinals)

    def places(self, ordinals: Ordinals) -> npt.NDArray[np.intp]:
        """Return where the rows of ordinals stand in the table; each must be there."""
        return self._order[np.searchsorted(self.ordinals, ordinals, sorter=self._order)]

    def take(self, column: str, ordinals: Ordinals) -> pa.Array | None:
        """Return the values of a column at ordinals, None when the segment has no such column."""
        if column not in self.table.column_names:
            return None
        return one_chunk(self.table[column]).take(pa.array(self.places(ordinals)))


@dataclass(frozen=True, eq=False)
class ColumnFile:
    """Values of a column that was added later, for the rows that were there then."""

    ordinals: Ordinals
    values: pa.Array
    again: int = 0


class Rows:
    """Rows by ordinal.

    Parameters
    ----------
    base : Base
    folder : Path
        The store's folder; holds ``segments`` and ``columns``.
    purges : sequence of PurgeRecord
        What was erased.

    Attributes
    ----------
    purged : array of int64
        Ordinals of erased rows, rising; no version has them.
    rewritten : mapping of str to str
        Name of a segment or column file → name of the file that took its place.
    taken : set of str
        Names of files that purges removed; none bears them again.
    """

    def __init__(self, base: Base, folder: Path, purges: Sequence[PurgeRecord] = ()) -> None:
        self.base = base
        self.folder = folder
        self.key = base.key
        self._lock = threading.RLock()
        self._registered: dict[str, Ordinals] = {}
        self._segments: dict[str, Segment] = {}
        self._columns: dict[str, ColumnFile] = {}
        self._extra: _Extra | None = None
        self.purged: Ordinals = np.unique(np.concatenate([_NONE, *(p.ordinals for p in purges)]))
        self.rewritten = {f.name: f.after for p in purges for f in p.files if f.kind != "base"}
        self.taken = {name for p in purges for f in p.files for name in (f.name, f.before)}
        self.n_ordinals = max(len(base), int(self.purged.max(initial=-1)) + 1)

    @property
    def n_segments(self) -> int:
        """How many segments are known."""
        return len(self._registered)

    def has(self, segment: str) -> bool:
        """Whether a segment is known."""
        return segment in self._registered

    def register(self, segments: Iterable[tuple[str, Ordinals]]) -> None:
        """Take note of segments, in the order in which the store numbered their rows."""
        with self._lock:
            for name, ordinals in segments:
                self._registered[name] = ordinals
                self.n_ordinals = max(self.n_ordinals, int(ordinals.max(initial=-1)) + 1)
                self._extra = None

    def registered(self) -> Iterator[tuple[str, Ordinals]]:
        """Return the segments that are there, with their ordinals."""
        return (part for part in self._registered.items() if not part[0].startswith(SWEPT))

    def segment(self, name: str) -> Segment:
        """Return a segment, mapped from its file."""
        with self._lock:
            found = self._segments.get(name)
            if found is None:
                if name not in self._registered:
                    raise _missing(self.folder, f"the added rows {name[:12]}…")
                table = map_table(self.path_of("segments", name))
                found = Segment(name, self._registered[name], table)
                missing = [key for key in self.key if key not in table.column_names]
                if missing or len(table) != len(found.ordinals):
                    file = self.rewritten.get(name, name)
                    raise CorruptError(_OTHER_ROWS.format(file), hint=_HINT)
                self._segments[name] = found
            return found

    def column_file(self, name: str) -> ColumnFile:
        """Return the values of an added column, mapped from their file."""
        with self._lock:
            found = self._columns.get(name)
            if found is None:
                found = read_column(self.path_of("columns", name))
                self._columns[name] = found
            return found

    def path_of(self, folder: str, name: str) -> Path:
        """Return where a segment or a column file lies."""
        return self.folder / folder / f"{self.rewritten.get(name, name)}.arrow"

    def key_column(self, name: str, ordinals: Ordinals) -> pa.Array:
        """Return the values of a key column at ordinals."""
        extra = ordinals >= len(self.base)
        if not extra.any():
            return self.base.take(name, ordinals)
        own = self.base.take(name, ordinals[~extra])
        added = self._added().columns[name].take(pa.array(ordinals[extra] - len(self.base)))
        return woven(extra, own, added)

    def key_bytes(self, ordinals: Ordinals | None = None) -> pa.Array:
        """Return canonical keys of ordinals, of all rows that ever were when None."""
        if ordinals is None:
            if self.n_ordinals == len(self.base):
                return self.base.key_bytes()
            ordinals = np.arange(self.n_ordinals, dtype=np.int64)
        if not len(ordinals) or ordinals.max() < len(self.base):
            return self.base.key_bytes(ordinals)
        return key_bytes([self.key_column(name, ordinals) for name in self.key])

    def find(self, keys: pa.Array) -> Ordinals:
        """Return the ordinal of each canonical key, -1 where there is none."""
        found = self.base.find(keys)
        if self.n_ordinals == len(self.base) or not (found < 0).any():
            return found
        missing = np.flatnonzero(found < 0)
        added = self._added().find(keys.take(pa.array(missing)))
        found[missing] = np.where(added < 0, -1, added + len(self.base))
        return found

    def numbered(self, keys: pa.Array) -> Ordinals:
        """Return an ordinal for each key, a new one for each that is new, in order."""
        found = self.find(keys)
        new = np.flatnonzero(found < 0)
        if len(new):
            places = keys.take(pa.array(new)).dictionary_encode().indices
            found[new] = self.n_ordinals + places.to_numpy()
        return found

    def verify(self, segments: Iterable[str], columns: Mapping[str, str]) -> list[str]:
        """Return which files are not what they were.

        Parameters
        ----------
        segments : iterable of str
        columns : mapping of content id to column id
        """
        problems = [problem for name in segments for problem in self._check_segment(name)]
        for name, column in columns.items():
            problems += self._check_column(name, column)
        return problems

    def _added(self) -> _Extra:
        with self._lock:
            if self._extra is None:
                self._extra = _Extra(self)
            return self._extra

    def _check_segment(self, name: str) -> list[str]:
        file = self.rewritten.get(name, name)
        try:
            segment = self.segment(name)
            found = segment_id(segment.table, self.key)
            keys = key_bytes([segment.table[key] for key in self.key])
            if not self.key_bytes(segment.ordinals).equals(keys):
                return [f"the rows of segments/{file}.arrow stand in the place of others"]
        except CorruptError as error:
            return [error.message]
        except _GARBAGE as error:
            return [f"{_OTHER_ROWS.format(file)}: {error}"]
        return [] if found == file else [_OTHER_ROWS.format(file)]

    def _check_column(self, name: str, column: str) -> list[str]:
        file = self.rewritten.get(name, name)
        try:
            read = self.column_file(name)
            found = column_id(column, self.key_bytes(read.ordinals), read.values, read.again)
        except CorruptError as error:
            return [error.message]
        except _GARBAGE as error:
            return [f"{_OTHER_VALUES.format(file)}: {error}"]
        return [] if found == file else [_OTHER_VALUES.format(file)]


class _Extra:
    """Keys of all added rows, in the order of their ordinals; null where they are gone."""

    def __init__(self, rows: Rows) -> None:
        self.folder = rows.folder
        start, total = len(rows.base), 0
        known = np.full(rows.n_ordinals - start, -1, np.int64)
        parts: dict[str, list[pa.Array]] = {
            name: [pa.array([], rows.base.schema.field(name).type)] for name in rows.key
        }
        for name, ordinals in rows.registered():
            fresh = np.flatnonzero(ordinals >= start)
            fresh = fresh[known[ordinals[fresh] - start] < 0]
            if not len(fresh):
                continue
            known[ordinals[fresh] - start] = total + np.arange(len(fresh))
            total += len(fresh)
            table = rows.segment(name).table
            for key, columns in parts.items():
                columns.append(one_chunk(table[key]).take(pa.array(fresh)))
        places = pa.array(known, mask=known < 0)
        self.columns = {
            name: pa.concat_arrays(columns).take(places) for name, columns in parts.items()
        }
        self._keys = key_bytes(list(self.columns.values()))
        self._index = KeyIndex.of(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def key_bytes(self, ordinals: Ordinals | None = None) -> pa.Array:
        return self._keys if ordinals is None else self._keys.take(pa.array(ordinals))

    def find(self, keys: pa.Array) -> Ordinals:
        return self._index.find(keys, self)


def segment_id(table: pa.Table, key: list[str]) -> str:
    """Return the content id of added rows: their fingerprint."""
    keys = key_bytes([table[name] for name in key])
    types = {field.name: logical_type(field.type) for field in table.schema}
    sums = {name: column_sum(name, keys, table[name]) for name in table.column_names}
    return fingerprint(types, sums, len(table))


def column_id(name: str, keys: pa.Array, values: pa.Array, again: int = 0) -> str:
    """Return the content id of an added column, the same in every order of the rows."""
    total = f"{column_sum(name, keys, values):064x}"
    content = {"format": 1, "column": [name, logical_type(values.type), total], "rows": len(keys)}
    if again:
        content["again"] = again
    return hashlib.sha256(canonical_json(content)).hexdigest()


def write_segment(folder: Path, table: pa.Table, key: list[str]) -> str:
    """Write added rows and return their content id."""
    name = segment_id(table, key)
    _write_once(folder / "segments" / f"{name}.arrow", table)
    return name


def apart(table: pa.Table, key: list[str], taken: Container[str]) -> pa.Table:
    """Return added rows so that their content id is none of those that a purge left behind."""
    again, found = 0, table
    bare = table.drop_columns([AGAIN]) if AGAIN in table.column_names else table
    while taken and segment_id(found, key) in taken:
        again += 1
        found = bare.append_column(AGAIN, pa.array(np.full(len(table), again)))
    return found


def take_segment(folder: Path, name: str, source: Path, key: list[str]) -> None:
    """Take in a file of added rows that another store wrote.

    Raises
    ------
    CorruptError
        It holds other rows than its content id says.
    """
    try:
        found = segment_id(map_table(source), key)
    except (pa.ArrowException, LookupError) as error:
        raise CorruptError(f"{source} cannot be read: {error}", hint=_TAKEN) from error
    if found != name:
        raise CorruptError(f"{source} holds other rows than were added", hint=_TAKEN)
    write_once(folder / "segments" / f"{name}.arrow", lambda draft: place(source, draft))


def stored_keys(folder: Path, segment: str, key: list[str]) -> pa.Array:
    """Return the canonical keys of a segment's rows, in the order of its file."""
    table = map_table(folder / "segments" / f"{segment}.arrow")
    return key_bytes([table[name] for name in key])


def write_column(
    folder: Path,
    name: str,
    keys: pa.Array,
    ordinals: Ordinals,
    values: pa.Array,
    taken: Container[str] = (),
) -> str:
    """Write the values of an added column; return their content id, none of the taken ones."""
    again = 0
    while (content := column_id(name, keys, values, again)) in taken:
        again += 1
    columns = {ORDINAL: pa.array(ordinals), VALUE: values}
    if again:
        columns[AGAIN] = pa.array(np.full(len(values), again))
    _write_once(folder / "columns" / f"{content}.arrow", pa.table(columns))
    return content


def read_column(path: Path) -> ColumnFile:
    """Return the values that `write_column` wrote, mapped."""
    table = map_table(path)
    again = table[AGAIN][0].as_py() if AGAIN in table.column_names and len(table) else 0
    if not {ORDINAL, VALUE} <= set(table.column_names):
        raise CorruptError(_OTHER_VALUES.format(path.stem), hint=_HINT)
    return ColumnFile(one_chunk(table[ORDINAL]).to_numpy(), one_chunk(table[VALUE]), again)


def woven(second: npt.NDArray[np.bool_], a: pa.Array, b: pa.Array) -> pa.Array:
    """Return one array of both: where `second` is true the next of `b`, else the next of `a`."""
    places = np.empty(len(second), np.int64)
    places[~second] = np.arange(len(a))
    places[second] = len(a) + np.arange(len(b))
    return pa.concat_arrays([a, b.cast(a.type)]).take(pa.array(places))


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _write_once(path: Path, table: pa.Table) -> None:
    """Write a table; where one of its name is there, its rows may stand in another order."""

    def fill(draft: Path) -> None:
        with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        flush(draft)

    write_once(path, fill)


def _missing(folder: Path, what: str) -> CorruptError:
    return CorruptError(f"the store {folder} misses {what}", hint=_HINT)
