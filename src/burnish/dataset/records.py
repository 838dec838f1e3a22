"""The versions of one store as they are kept: their records, their rows and what points to them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import key_bytes, logical_type
from burnish.core.delta import Ordinals
from burnish.core.graph import Graph
from burnish.core.version import commit_id
from burnish.errors import BurnishError, BusyError, CorruptError, RefError, UnknownVersionError
from burnish.store.adopted import open_base
from burnish.store.backend import Backend, CommitRecord, RefMove, StaleError
from burnish.store.base import Base, rewritten_base
from burnish.store.rows import Rows, Segment, apart, stored_keys, write_segment
from burnish.store.sqlite import SqliteBackend


class Records:
    """All versions of a store, as they are kept.

    Parameters
    ----------
    path : Path
        The store's folder.
    read_only : bool
        Leave the store alone.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        self._swept: dict[str, str] = {}
        self._records: dict[str, CommitRecord] = {}
        self.backend: Backend = SqliteBackend(path / "store.sqlite", read_only)
        try:
            if not read_only:
                self.backend.finish()
            self.store_id = self.backend.store_id()
            self._read()
        except BaseException:
            self.backend.abandon()
            raise

    def _read(self) -> None:
        """Read everything anew, as of one epoch."""
        while True:
            self.epoch = self.backend.epoch()
            try:
                self._read_once()
            except BurnishError:
                if self.backend.epoch() == self.epoch:
                    raise
            if self.backend.epoch() == self.epoch:
                return

    def _read_once(self) -> None:
        self._gone = self.backend.gone()
        self._records = {}
        self._numbers: dict[int, str] = {}
        self.graph = Graph({})
        self._load()
        self.purges = self.backend.purges()
        self.root = self._first()
        self.first_roles: dict[str, Any] = self._records[self.root].header["roles"]
        self.base = self._open_base()
        self._check_base()
        self.rows = Rows(self.base, self.path, self.purges)
        self._register()

    def _open_base(self) -> Base:
        key = self.first_roles["key"]
        written = self.base_hash()
        first = self._records[self.root].header["base"]
        file = None if written == first else rewritten_base(written)
        return open_base(self.path, [key] if isinstance(key, str) else list(key), first, file)

    def base_hash(self) -> str:
        """Return the hash of the base: that of the first version, or what purges made of it."""
        files = [file.after for p in self.purges for file in p.files if file.kind == "base"]
        return files[-1] if files else str(self._records[self.root].header["base"])

    def refresh(self) -> None:
        """Read versions that other processes wrote."""
        with self._lock:
            if self._renew():
                return
            known = len(self._records)
            self._load()
            if len(self._records) > known:
                self._register()

    def written(self, record: CommitRecord) -> None:
        """Take note of a version that was written here, and of those before it."""
        with self._lock:
            if record.number - 1 in self._numbers:
                self._take(replace(record, delta=b""))
            else:
                self.refresh()

    def refresh_rows(self) -> None:
        """Take note of rows that were added."""
        with self._lock:
            if not self._renew():
                self._register()

    def _renew(self) -> bool:
        """Read everything anew where something was taken away since it was read."""
        if self.backend.epoch() == self.epoch:
            return False
        known = {commit: record.name for commit, record in self._records.items()}
        self._read()
        self._swept |= {c: name for c, name in known.items() if c not in self._records}
        return True

    def _register(self) -> None:
        found = self.backend.segments(after=self.rows.n_segments)
        self.rows.register((name, np.frombuffer(o, np.int64)) for name, o in found)

    def has(self, commit: str) -> bool:
        """Whether there is a version of this id."""
        return commit in self._records

    def records(self) -> list[CommitRecord]:
        """Return all versions as they are stored, parents first."""
        return list(self._records.values())

    def line(self, commit: str) -> list[str]:
        """Return the versions from the first to this one, along first parents."""
        self._record(commit)
        return list(self.graph.up(commit))[::-1]

    def number(self, commit: str) -> int:
        """Return the number of a version: 3 for ``v3``."""
        return self._record(commit).number

    def add_rows(self, table: pa.Table) -> Segment:
        """Write rows to a segment of their own and number them.

        Parameters
        ----------
        table : Table
            Columns by id, keys among them, each key once.
        """
        while True:
            own = apart(table, self.rows.key, self.rows.taken)
            name = write_segment(self.path, own, self.rows.key)
            epoch = self.epoch
            try:
                self.register([name])
            except CorruptError:  # a purge in between may have taken the file
                self.refresh_rows()
                if self.epoch == epoch:
                    raise
            if self.epoch == epoch:
                return self.rows.segment(name)

    def register(self, segments: list[str]) -> None:
        """Give the rows of segments, whose files are there, their ordinals."""
        while new := [name for name in segments if not self.rows.has(name)]:
            seen = self.rows.n_segments
            keys = [stored_keys(self.path, name, self.rows.key) for name in new]
            ordinals = self.rows.numbered(pa.concat_arrays(keys))
            parts = np.split(ordinals, np.cumsum([len(part) for part in keys])[:-1])
            with contextlib.suppress(StaleError):
                for place, (name, part) in enumerate(zip(new, parts, strict=True), seen):
                    self.backend.add_segment(name, part.tobytes(), place)
            self.refresh_rows()

    def numbered(self, keys: pa.Table) -> Ordinals:
        """Return the ordinals of rows by their key columns, new ones where rows were never here."""
        canonical = key_bytes([keys[name] for name in self.rows.key])
        unknown = pa.array(self.rows.find(canonical) < 0)
        if pc.any(unknown).as_py():
            self.add_rows(keys.filter(unknown))
        return self.rows.find(canonical)

    def key_bytes(self, ordinals: Ordinals) -> pa.Array:
        """Return the canonical keys of ordinals."""
        return self.rows.key_bytes(ordinals)

    def add_commits(self, records: list[CommitRecord], moves: list[RefMove]) -> None:
        """Add versions that were put together from what this handle knows.

        Raises
        ------
        BusyError
            Another process moved a name, or took something away, in between.
        """
        try:
            self.backend.add_commits(records, moves, self.epoch)
        except StaleError:
            raise BusyError(
                f"another process changed the store {self.path} in between", hint="try again"
            ) from None
        self.refresh()

    def note(self, commit: str, kind: str, content: dict[str, Any]) -> None:
        """Note what was made of a version, once; a store that is only read takes no note."""
        if self.backend.read_only:
            return
        if not any((k, c) == (kind, content) for _, k, c in self.backend.links(commit)):
            self.backend.link(commit, kind, content)

    def head(self, branch: str) -> str:
        """Return the id a branch points to."""
        refs = self.backend.refs()
        if branch != "main" and branch not in refs:
            raise RefError(
                f"the branch {branch!r} was removed", hint="follow another: ds.switch('main')"
            )
        if branch not in refs:
            raise self._corrupt(f"has no branch {branch!r}, only {', '.join(refs)}")
        return refs[branch]

    def close(self) -> None:
        """Checkpoint and close the file."""
        self.backend.close()

    @contextlib.contextmanager
    def _blamed_on(self, commit: str) -> Iterator[None]:
        try:
            yield
        except CorruptError as error:
            self.refresh()
            name = self._record(commit).name
            raise CorruptError(f"{name}: {error.message}", hint=error.hint) from error

    def _load(self) -> None:
        last = next(reversed(self._records.values())).number if self._records else -1
        found = self.backend.commits(after=last)
        if found and found[0].number != last + 1:
            self._gone = self.backend.gone()
        for record in found:
            self._check(record, last)
            self._take(record)
            last = record.number

    def _take(self, record: CommitRecord) -> None:
        self._records[record.id] = record
        self._numbers[record.number] = record.id
        self.graph.add(record.id, tuple(record.header["parents"]))

    def _first(self) -> str:
        if not self._records:
            raise self._corrupt("holds no version")
        return next(iter(self._records))

    def _check(self, record: CommitRecord, last: int) -> None:
        if set(range(last + 1, record.number)) - self._gone:
            raise self._corrupt(f"has a version {record.name} where v{last + 1} was expected")
        if commit_id(record.header) != record.id:
            raise self._corrupt(f"has a version {record.name} whose header was changed")
        if not self._records.keys() >= set(record.header["parents"]):
            raise self._corrupt(f"misses a parent of version {record.name}")

    def _check_base(self) -> None:
        header = self._records[self.root].header
        schema = [[field.name, logical_type(field.type)] for field in self.base.schema]
        if len(self.base) != header["rows"] or schema != header["schema"]:
            raise self._corrupt("has a base that is not the table it was made from")

    def _corrupt(self, what: str) -> CorruptError:
        return CorruptError(f"the store {self.path} {what}", hint="restore the folder from a copy")

    def _record(self, commit: str) -> CommitRecord:
        if commit not in self._records:
            self.refresh()
        if commit in self._swept:
            raise UnknownVersionError(
                f"the version {self._swept[commit]} was swept away: no branch or tag led to it",
                hint="ds.log(all=True) lists what there is",
            )
        if commit not in self._records:
            raise self._corrupt(f"misses the version {commit[:8]}…")
        return self._records[commit]
