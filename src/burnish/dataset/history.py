"""The versions of one store: their order, their states and their fingerprints."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import key_bytes, logical_type
from burnish.core.commitment import commitment
from burnish.core.delta import VERSION, Delta, Ordinals, invert, squash
from burnish.core.fingerprint import fingerprint
from burnish.core.graph import Graph
from burnish.core.schema import first_facts
from burnish.core.version import Version, commit_id
from burnish.dataset.layer import Stored, net
from burnish.dataset.state import State, adjusted_sums
from burnish.errors import BurnishError, BusyError, CorruptError, RefError, UnknownVersionError
from burnish.store.adopted import open_base
from burnish.store.backend import Backend, CommitRecord, RefMove, StaleError
from burnish.store.base import Base, rewritten_base
from burnish.store.codec import decode, encode, opened
from burnish.store.portable import Portable, portable
from burnish.store.rows import Rows, Segment, apart, stored_keys, write_segment
from burnish.store.sqlite import SqliteBackend

_SHORT = 6
_KEPT_STATES = 8
_KEYFRAME_VERSIONS = 256
_KEPT_BYTES = 1 << 26


class History:
    """All versions of a store.

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
        self._states: dict[str, State] = {}
        self._layers: dict[str, Stored] = {}
        self._fingerprints: dict[str, str] = {}
        self._decisions: dict[str, pa.Table] = {}
        self._load()
        self.purges = self.backend.purges()
        self.root = self._first()
        self.first_roles: dict[str, Any] = self._records[self.root].header["roles"]
        self.base = self._open_base()
        self._check_base()
        self.rows = Rows(self.base, self.path, self.purges)
        self._register()
        self._keyframes = self.backend.keyframes()

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

    def __iter__(self) -> Iterator[Version]:
        return (self.version(commit) for commit in list(self._records))

    def version(self, commit: str) -> Version:
        """Return a version by its full id."""
        record = self._record(commit)
        header = record.header
        return Version(
            id=record.id,
            name=record.name,
            message=header["message"],
            author=header["author"],
            time=datetime.fromisoformat(header["time"]),
            parents=tuple(header["parents"]),
            n_cells=header["n_cells"],
            _fingerprint=self.fingerprint,
        )

    def resolve(self, ref: str | Version) -> str:
        """Return the id of the version that a name, branch, id or fingerprint means."""
        if isinstance(ref, Version):
            ref = ref.id
        self.refresh()
        found = self._by_name(str(ref)) or self._by_prefix(str(ref)) or self._by_content(str(ref))
        if found is None:
            names = ", ".join(record.name for record in list(self._records.values())[-5:])
            raise UnknownVersionError(
                f"{self._absence(str(ref))}; the last ones are {names}",
                hint="ds.log() lists all versions",
            )
        return found

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

    def has(self, commit: str) -> bool:
        """Whether there is a version of this id."""
        return commit in self._records

    def record(
        self, delta: Delta, parents: list[str], message: str, author: str, txn_id: str
    ) -> CommitRecord:
        """Return a change as a version that the store can take; its number comes from there."""
        seed = secrets.token_bytes(32)
        head = header(
            parents=parents,
            author=author,
            message=message,
            txn_id=txn_id,
            cells=commitment(delta, seed, self.key_bytes),
            n_cells=len(delta),
        )
        return CommitRecord(commit_id(head), -1, head, seed, encode(delta, {}))

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

    def records(self) -> list[CommitRecord]:
        """Return all versions as they are stored, parents first."""
        return list(self._records.values())

    def line(self, commit: str) -> list[str]:
        """Return the versions from the first to this one, along first parents."""
        self._record(commit)
        return list(self.graph.up(commit))[::-1]

    def by_number(self, number: int) -> Version:
        """Return the version of a number: ``v3`` of 3."""
        return self.version(self._numbers[number])

    def number(self, commit: str) -> int:
        """Return the number of a version: 3 for ``v3``."""
        return self._record(commit).number

    def delta(self, commit: str) -> Delta:
        """Return what a version changed, compared with its first parent."""
        with self._blamed_on(commit):
            return decode(self.backend.deltas([commit])[0])[0]

    def portable(self, commit: str) -> Portable:
        """Return a version in the form in which it can leave the store."""
        with self._blamed_on(commit):
            return portable(self.rows, self._record(commit), self.backend.deltas([commit])[0])

    @contextlib.contextmanager
    def _blamed_on(self, commit: str) -> Iterator[None]:
        try:
            yield
        except CorruptError as error:
            self.refresh()
            name = self._record(commit).name
            raise CorruptError(f"{name}: {error.message}", hint=error.hint) from error

    def layers(self, commits: Sequence[str]) -> list[Stored]:
        """Return what versions changed, with the numbers of versions, read as far as needed."""
        with self._lock:
            new = [commit for commit in commits if commit not in self._layers]
            blobs = self.backend.deltas(new) if new else []
            self._layers |= zip(new, map(self._opened, new, blobs), strict=True)
            found = {commit: self._layers.pop(commit) for commit in commits}
            self._layers |= found
            if new:
                self._forget()
            return list(found.values())

    def _opened(self, commit: str, blob: bytes) -> Stored:
        number = self.number(commit)
        with self._blamed_on(commit):
            return Stored(opened(blob), number, partial(self._numbering, number))

    def _forget(self) -> None:
        """Let go of the layers that were not in use for longest, beyond a size."""
        size = sum(layer.size for layer in self._layers.values())
        while size > _KEPT_BYTES:
            size -= self._layers.pop(next(iter(self._layers))).size

    def _numbering(self, own: int, ids: pa.Array) -> pa.Array:
        """Return the numbers of versions, given their ids; numbers stay as they are."""
        if not pa.types.is_string(ids.type):
            return ids
        return pa.array([self._number_of(name, own) for name in ids.to_pylist()], pa.int32())

    def _number_of(self, commit: str | None, own: int) -> int:
        record = self._records.get(commit) if commit else None
        return record.number if record else own

    def signed(self, delta: Delta) -> Delta:
        """Return a change whose cells name the version that made them by id, null for this one."""
        cells = {name: self._signed(table) for name, table in delta.cells.items()}
        return Delta(cells, delta.decisions, delta.facts)

    def _signed(self, table: pa.Table) -> pa.Table:
        if VERSION not in table.column_names:
            return table
        coded = table[VERSION].combine_chunks().dictionary_encode()
        known = pa.array(map(self._numbers.get, coded.dictionary.to_pylist()), pa.string())
        place = table.schema.get_field_index(VERSION)
        return table.set_column(place, VERSION, known.take(coded.indices))

    def decisions(self, commit: str) -> pa.Table:
        """Return the decisions that a version holds; read from the store once."""
        found = self._decisions.get(commit)
        if found is None:
            table = self.layers([commit])[0].decisions
            found = table.take(pa.array(range(len(table)), pa.int64()))  # lets go of the cells
            self._decisions[commit] = found
        return found

    def state(self, commit: str) -> State:
        """Return all cells at a version."""
        with self._lock:
            found = self._states.pop(commit, None) or self._build(commit)
            return self.keep_state(commit, found)

    def keep_state(self, commit: str, state: State) -> State:
        """Remember the state of a version, for as long as it is one of the last few in use."""
        with self._lock:
            self._states[commit] = state = self._flat(commit, state)
            while len(self._states) > _KEPT_STATES:
                del self._states[next(iter(self._states))]
            return state

    def after(self, parent: str, commit: str, change: Delta, like: State | None) -> State:
        """Return the state at a version just written, from its parent's and one that is like it."""
        own, below = self.number(commit), self.state(parent)
        cells = {name: self._numbered(table, own) for name, table in change.cells.items()}
        change = Delta(cells, facts=change.facts)
        made = like.settled(below, change, own) if like else below.apply(change, own)
        return self.keep_state(commit, made)

    def _numbered(self, table: pa.Table, own: int) -> pa.Table:
        if VERSION not in table.column_names:
            return table
        coded = table[VERSION].combine_chunks().dictionary_encode()
        numbers = self._numbering(own, coded.dictionary).take(coded.indices).fill_null(own)
        return table.set_column(table.schema.get_field_index(VERSION), VERSION, numbers)

    def between(self, old: str, new: str) -> Delta:
        """Return the net change from one version to another, with version numbers.

        It goes back to the version that both came from along first parents, and forward from there.
        """
        self._record(old)
        self._record(new)
        back, forth = self.graph.path(old, new)
        if not back:
            return net(self.layers(forth))
        down = [invert(layer.delta()) for layer in self.layers(back)]
        return squash([*down, *(layer.delta() for layer in self.layers(forth))])

    def fingerprint(self, commit: str) -> str:
        """Return the content hash of a version's live rows."""
        with self._lock:
            found = self._fingerprints.get(commit)
            if found is None:
                state = self.state(commit)
                found = fingerprint(state.types(), self.sums(commit), state.n_live)
                self._fingerprints[commit] = found
            return found

    def known_fingerprint(self, commit: str) -> str | None:
        """Return the fingerprint of a version if it was computed before."""
        return self._fingerprints.get(commit)

    def sums(self, commit: str) -> dict[str, int]:
        """Return the column sums of a version, from those of its nearest ancestor that has them."""
        kept = self.backend.sums(commit)
        if kept is not None:
            return kept
        line = self.line(commit)
        for place in range(len(line) - 2, -1, -1):
            kept = self.backend.sums(line[place])
            if kept is not None:
                sums = self._moved_sums(kept, line[place], commit)
                break
        else:
            sums = self._first_sums(commit)
        self._keep_sums(commit, sums)
        return sums

    def _keep_sums(self, commit: str, sums: dict[str, int]) -> None:
        with contextlib.suppress(BurnishError):  # a cache, and the disk may be full
            self.backend.keep_sums(commit, sums, self.epoch)

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

    def _absence(self, ref: str) -> str:
        if ref[:1] == "v" and ref[1:].isdecimal() and int(ref[1:]) in self._gone:
            return f"the version {ref} was swept away: no branch or tag led to it"
        return f"there is no version {ref!r}"

    def _by_name(self, ref: str) -> str | None:
        if ref[:1] == "v" and ref[1:].isdecimal():
            return self._numbers.get(int(ref[1:]))
        kinds = map(self.backend.refs, ("branch", "tag", "remote"))
        return next((names[ref] for names in kinds if ref in names), None)

    def _by_prefix(self, ref: str) -> str | None:
        if len(ref) < _SHORT:
            return None
        hits = [commit for commit in self._records if commit.startswith(ref)]
        return hits[0] if len(hits) == 1 else None

    def _by_content(self, ref: str) -> str | None:
        if len(ref) < _SHORT or set(ref) - set("0123456789abcdef"):
            return None
        # Each fingerprint follows from its parent's at the cost of one delta, so oldest first.
        hits = [c for c in list(self._records) if self.fingerprint(c).startswith(ref)]
        return hits[-1] if hits else None

    def _build(self, commit: str) -> State:
        self._record(commit)
        todo: list[str] = []
        state: State | None = None
        for step in self.graph.up(commit):
            state = self._states.get(step) or self._keyframe(step)
            if state is not None:
                break
            todo.append(step)
        state = state or self._first_state()
        for step, layer in zip(todo[::-1], self.layers(todo[::-1]), strict=True):
            state = self._flat(step, state.under(layer))
        return state

    def _first_facts(self) -> dict[str, str]:
        return first_facts(self.base.schema.names, self.first_roles)

    def _flat(self, commit: str, state: State) -> State:
        """Return a state with its layers made one, and keep that, where they have become many."""
        if len(state.layers) <= _KEYFRAME_VERSIONS:
            return state
        blob = encode(state.changed, {})
        with contextlib.suppress(BurnishError):  # a cache
            self.backend.keep_keyframe(commit, blob, self.epoch)
            self._keyframes.add(commit)
        return state.flat(_kept(blob))

    def _first_state(self) -> State:
        return State(self.rows, self._first_facts())

    def _keyframe(self, commit: str) -> State | None:
        blob = self.backend.keyframe(commit) if commit in self._keyframes else None
        if blob is None:
            return None
        try:
            return self._first_state().under(_kept(blob))
        except CorruptError:
            return None

    def _first_sums(self, commit: str) -> dict[str, int]:
        base_sums = self.state(self.root).sums()
        self._keep_sums(self.root, base_sums)
        return self._moved_sums(base_sums, self.root, commit)

    def _moved_sums(self, sums: dict[str, int], old: str, new: str) -> dict[str, int]:
        if old == new:
            return sums
        return adjusted_sums(sums, self.state(old), self.state(new), self.between(old, new))

    def key_bytes(self, ordinals: Ordinals) -> pa.Array:
        """Return the canonical keys of ordinals."""
        return self.rows.key_bytes(ordinals)


def _kept(keyframe: bytes) -> Stored:
    return Stored(opened(keyframe), 0, lambda numbers: numbers)


def header(
    *,
    parents: list[str],
    author: str,
    message: str,
    txn_id: str,
    cells: str,
    n_cells: int,
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the header of a version, whose hash is the version's id."""
    return {
        "format": 1,
        "parents": parents,
        "author": author,
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
        "message": message,
        "txn_id": txn_id,
        "cells": cells,
        "n_cells": n_cells,
        **json.loads(json.dumps(extra or {})),
    }
