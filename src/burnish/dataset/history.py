"""The versions of one store: what they changed, their states and their fingerprints."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa

from burnish.core.commitment import commitment
from burnish.core.delta import VERSION, Delta, invert, squash
from burnish.core.fingerprint import fingerprint
from burnish.core.schema import first_facts
from burnish.core.version import Version, commit_id
from burnish.dataset.layer import Stored, net
from burnish.dataset.records import Records
from burnish.dataset.state import State
from burnish.dataset.sums import adjusted_sums
from burnish.errors import BurnishError, CorruptError, UnknownVersionError
from burnish.store.backend import CommitRecord
from burnish.store.codec import decode, encode, opened
from burnish.store.portable import Portable, portable

_SHORT = 6
_KEPT_STATES = 8
_KEYFRAME_VERSIONS = 256
_KEPT_BYTES = 1 << 26


class History(Records):
    """All versions of a store, what they changed and what they hold.

    Parameters
    ----------
    path : Path
        The store's folder.
    read_only : bool
        Leave the store alone.
    """

    def _read_once(self) -> None:
        self._states: dict[str, State] = {}
        self._layers: dict[str, Stored] = {}
        self._fingerprints: dict[str, str] = {}
        self._decisions: dict[str, pa.Table] = {}
        super()._read_once()
        self._keyframes = self.backend.keyframes()

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

    def by_number(self, number: int) -> Version:
        """Return the version of a number: ``v3`` of 3."""
        return self.version(self._numbers[number])

    def delta(self, commit: str) -> Delta:
        """Return what a version changed, compared with its first parent."""
        with self._blamed_on(commit):
            return decode(self.backend.deltas([commit])[0])[0]

    def portable(self, commit: str) -> Portable:
        """Return a version in the form in which it can leave the store."""
        with self._blamed_on(commit):
            return portable(self.rows, self._record(commit), self.backend.deltas([commit])[0])

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
