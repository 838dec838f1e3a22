"""A base whose rows stay in the files that others wrote.

``base.json`` in the store's folder says which files, with the SHA-256 of each, and as which types
their columns are read. The hash of that is the base's hash. A file is checked by size and time
before it is read, and hashed again where its time is another one.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import canonical_json, is_list, key_bytes
from burnish.core.normal import normalise
from burnish.errors import BurnishError, CorruptError, InputError
from burnish.store.base import (
    Base,
    KeyIndex,
    MappedBase,
    Ordinals,
    file_hash,
    map_table,
    write_table,
)
from burnish.store.caches import ArrayCache
from burnish.store.pins import Pin, Pins, pin_now
from burnish.store.references import Reference
from burnish.store.sources import ArrowPart, FileSource, LanceSource, ParquetPart, Part, Source

DESCRIPTOR = "base.json"
KEYS = "keys.arrow"
_COLUMNS = 1 << 28  # bytes of whole columns that are kept when nobody else holds them
_WIDE = 2**31
_PARTS: dict[str, type[Part]] = {
    "parquet": ParquetPart,
    "delta": ParquetPart,
    "arrow": ArrowPart,
    "huggingface": ArrowPart,
}


@dataclass(frozen=True)
class Descriptor:
    """What a store says about the files it refers to.

    Attributes
    ----------
    kind : str
    version : int or None
    root, relative : str
        Where the files were: absolute, and seen from the store.
    pins : tuple of Pin
    rows : int
    schema : str
        The columns and their types, as Arrow writes a schema, in base 64.
    keys : str or None
        SHA-256 of the file with content keys.
    """

    kind: str
    version: int | None
    root: str
    relative: str | None
    pins: tuple[Pin, ...]
    rows: int
    schema: str
    keys: str | None

    def content(self) -> dict[str, Any]:
        """Return all that the base's hash covers: not where the files are, and since when."""
        found = {n: v for n, v in asdict(self).items() if n not in {"root", "relative"}}
        return {"format": 1, **found, "pins": [pin.content() for pin in self.pins]}

    def hash(self) -> str:
        """Return the hash of the base, 64 hex digits."""
        return hashlib.sha256(canonical_json(self.content())).hexdigest()

    def origin(self) -> dict[str, Any]:
        """Return what a source that is passed again must agree in."""
        return {n: v for n, v in self.content().items() if n not in {"schema", "keys", "rows"}}

    def write(self, folder: Path) -> None:
        """Write the file anew."""
        draft = folder / f"{DESCRIPTOR}.{uuid.uuid4().hex[:8]}"
        draft.write_text(json.dumps({"format": 1, **asdict(self)}, indent=1) + "\n")
        draft.replace(folder / DESCRIPTOR)

    @classmethod
    def read(cls, folder: Path) -> Descriptor:
        """Read the file."""
        path = folder / DESCRIPTOR
        try:
            found = json.loads(path.read_text())
            found.pop("format")
            return cls(**{**found, "pins": tuple(Pin(**pin) for pin in found["pins"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CorruptError(
                f"{path} cannot be read: {error}", hint="restore the folder from a copy"
            ) from error


class AdoptedBase(Base):
    """A base in files outside of the store.

    A column is decoded as a whole when it is asked for, and shared for as long as anybody holds it;
    256 MB of columns and 128 MB of row groups are kept beyond that.

    Parameters
    ----------
    folder : Path
    key : list of str
    expected : str
        Hash of the base.
    """

    def __init__(self, folder: Path, key: list[str], expected: str) -> None:
        super().__init__(folder, key)
        self.descriptor = Descriptor.read(folder)
        if self.descriptor.hash() != expected:
            raise CorruptError(
                f"{folder / DESCRIPTOR} is not the one that was written",
                hint="restore the folder from a copy",
            )
        self._schema = _schema_of(self.descriptor.schema)
        self.pins = self._find()
        self._columns = ArrayCache(_COLUMNS)
        self._keys = map_table(folder / KEYS) if self.descriptor.keys else None
        self._source = self._open()

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self._schema

    def __len__(self) -> int:
        return self.descriptor.rows

    def column(self, name: str) -> pa.Array:
        """Return a column, one value per ordinal; decoded once while it is held or kept."""
        if self._keys is not None and name in self._keys.column_names:
            return self._keys[name].chunk(0)
        with _reading(name, self.pins):
            found = self._columns.get_or_make(name, lambda: self._source.column(name))
            if len(found) != len(self):
                raise ValueError(f"{len(found):,} rows, expected {len(self):,}")
            return found

    def take(self, name: str, ordinals: Ordinals) -> pa.Array:
        """Return a column at some ordinals; decodes the row groups they lie in."""
        whole = self._columns.get(name)
        if whole is not None or (self._keys is not None and name in self._keys.column_names):
            return self.column(name).take(pa.array(ordinals))
        with _reading(name, self.pins):
            return self._source.take(name, ordinals)

    def verify(self, expected: str) -> list[str]:
        """Hash all files; say which hold something else."""
        problems = list(self.pins.verify())
        if self._keys is not None and file_hash(self.folder / KEYS) != self.descriptor.keys:
            problems.append(f"{KEYS} is not the file that was written")
        return problems or self._verify_index()

    def _find(self) -> Pins:
        found = self.descriptor
        roots = [Path(found.root)]
        if found.relative is not None:
            roots.append(Path(os.path.normpath(self.folder.absolute() / found.relative)))
        errors = []
        for root in roots:
            pins = Pins(root, found.pins)
            try:
                if pins.check():
                    self._note_times(pins)
                return pins
            except CorruptError as error:
                errors.append(error)
        raise errors[0]

    def _note_times(self, pins: Pins) -> None:
        with contextlib.suppress(OSError):  # a store that can only be read hashes every time
            replace(self.descriptor, pins=tuple(pins.pins)).write(self.folder)

    def _open(self) -> Source:
        own = self._keys.column_names if self._keys is not None else []
        inside = pa.schema([field for field in self._schema if field.name not in own])
        return open_source(self.descriptor.kind, self.descriptor.version, self.pins, inside)


class Adoption:
    """Files on their way to be the base of a store.

    Parameters
    ----------
    reference : Reference

    Raises
    ------
    InputError
        The files cannot be read, or do not fit together.

    Attributes
    ----------
    source : Source
        Its types do not depend on values yet, so that nothing but the files' heads was read.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        try:
            self._pins, schema = _look_at(reference)
            self.source = open_source(reference.kind, reference.version, self._pins, schema)
        except (OSError, ValueError, TypeError, pa.ArrowException) as error:
            raise InputError(
                f"the files in {str(reference.root)!r} cannot be read as one table: {error}",
                hint="check that they are whole and that their columns have the same types",
            ) from error

    def is_in(self, base: Base) -> bool:
        """Whether a base refers to the same bytes; hashes those whose time is another one."""
        if not isinstance(base, AdoptedBase):
            return False
        pins = self._pins.hashed(known=base.pins)
        return self._describe(pins, pa.schema([]), None).origin() == base.descriptor.origin()

    def columns(self, names: Sequence[str]) -> pa.Table:
        """Return some whole columns."""
        return pa.table({name: self.source.column(name) for name in names})

    def settle_types(self) -> None:
        """Find the types of columns that depend on the values, by reading those once."""
        self.source.schema = _settled(self.source)

    def write(self, folder: Path, home: Path, keys: pa.Table) -> str:
        """Write what a store keeps of the files; return the base's hash.

        Parameters
        ----------
        folder : Path
            Where to write.
        home : Path
            Where the folder will be.
        keys : Table
            The key columns; those that no file holds come to lie in the store.
        """
        own = [name for name in keys.column_names if name not in self.source.schema.names]
        schema = pa.schema([keys.schema.field(name) for name in own] + list(self.source.schema))
        stored = write_table(folder / KEYS, keys.select(own)) if own else None
        KeyIndex.build(folder, key_bytes(keys.columns))
        found = self._describe(self._pins.hashed(), schema, stored)
        found = replace(found, relative=_relative(self._pins.root, home))
        found.write(folder)
        return found.hash()

    def _describe(self, pins: Pins, schema: pa.Schema, keys: str | None) -> Descriptor:
        content = base64.b64encode(schema.serialize().to_pybytes()).decode()
        return Descriptor(
            kind=self._reference.kind,
            version=self._reference.version,
            root=str(pins.root),
            relative=None,
            pins=tuple(pins.pins),
            rows=self.source.rows,
            schema=content,
            keys=keys,
        )


def open_base(folder: Path, key: list[str], expected: str, file: str | None = None) -> Base:
    """Open the base of a store, of whichever kind it is; a file in its place where one is named.

    Raises
    ------
    CorruptError
        It cannot be read, or files that it refers to are gone or hold other bytes.
    """
    if file is not None:
        return MappedBase(folder, key, file)
    if (folder / DESCRIPTOR).is_file():
        return AdoptedBase(folder, key, expected)
    return MappedBase(folder, key)


def open_source(kind: str, version: int | None, pins: Pins, schema: pa.Schema) -> Source:
    """Return the source of pinned files."""
    if kind == "lance":
        return LanceSource(pins, int(version or 0), schema)
    return FileSource(pins, schema, _PARTS[kind])


def _look_at(reference: Reference) -> tuple[Pins, pa.Schema]:
    pins = [pin_now(reference.root, name) for name in reference.names]
    if reference.kind not in _PARTS:
        return Pins(reference.root, pins), _plain(reference.schema)
    known = reference.constants or ({},) * len(pins)
    schemas = []
    for place, (pin, constants) in enumerate(zip(pins, known, strict=True)):
        part = _PARTS[reference.kind](reference.root / pin.name, 0, {}, ArrayCache(0))
        pins[place] = replace(pin, rows=int(part.starts[-1]), constants=constants)
        schemas.append(_plain(part.schema))
    return Pins(reference.root, pins), _united(schemas, reference)


def _united(schemas: list[pa.Schema], reference: Reference) -> pa.Schema:
    said = _plain(reference.schema) if reference.schema is not None else pa.schema([])
    if reference.kind in {"delta", "huggingface"}:
        return _known(said)
    names = set(said.names)
    files = [pa.schema([field for field in one if field.name not in names]) for one in schemas]
    return _known(pa.schema([*pa.unify_schemas(files, promote_options="permissive"), *said]))


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return the types that columns are read as, as far as they do not depend on the values."""
    return pa.schema([pa.field(field.name, _plain_type(field.type)) for field in schema])


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind if pa.types.is_null(kind) else normalise(pa.nulls(0, kind)).type


def _known(schema: pa.Schema) -> pa.Schema:
    return pa.schema(
        [(f.name, pa.string() if pa.types.is_null(f.type) else f.type) for f in schema]
    )


def _settled(source: Source) -> pa.Schema:
    tallies = {f.name: _Tally(f.type) for f in source.schema if _depends_on_values(f.type)}
    for batch in source.batches(list(tallies)) if tallies else ():
        for name, tally in tallies.items():
            tally.add(batch[name])
    kinds = [tallies[f.name].type() if f.name in tallies else f.type for f in source.schema]
    return pa.schema(list(zip(source.schema.names, kinds, strict=True)))


def _depends_on_values(kind: pa.DataType) -> bool:
    types = pa.types
    if types.is_list(kind) or types.is_large_list(kind):
        return bool(types.is_floating(kind.value_type) or types.is_integer(kind.value_type))
    return kind in (pa.string(), pa.binary())


class _Tally:
    """What the type of a column depends on: its bytes, or how long its lists are."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._bytes = 0
        self._lengths: set[int | None] = set()

    def add(self, values: pa.ChunkedArray) -> None:
        if not is_list(self._kind):
            self._bytes += values.nbytes
        elif len(self._lengths) < 2:
            self._lengths |= set(pc.unique(pc.list_value_length(values)).to_pylist())

    def type(self) -> pa.DataType:
        if not is_list(self._kind):
            wide = pa.large_string() if self._kind == pa.string() else pa.large_binary()
            return self._kind if self._bytes < _WIDE else wide
        size = self._lengths.pop() if len(self._lengths) == 1 else None
        return pa.list_(self._kind.value_type, size) if size else self._kind


def _schema_of(text: str) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))


def _relative(root: Path, home: Path) -> str | None:
    try:
        return Path(os.path.relpath(root, home.absolute())).as_posix()
    except ValueError:  # on another drive
        return None


@contextmanager
def _reading(name: str, pins: Pins) -> Iterator[None]:
    try:
        yield
    except BurnishError:
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        raise CorruptError(
            f"column {name!r} cannot be read from the files in {str(pins.root)!r}: {error}",
            hint="ds.verify() says which file was changed",
        ) from error
