"""Whether every byte of a store is as it was written, and what is not."""

from __future__ import annotations

import contextlib

import pyarrow as pa

from burnish.core.commitment import is_committed
from burnish.core.schema import files_of
from burnish.dataset.history import History
from burnish.errors import CorruptError
from burnish.store.backend import CommitRecord
from burnish.store.codec import decode


def problems_of(history: History) -> list[str]:
    """Return what is wrong with a store, nothing when all bytes are those written.

    Versions are read only where the files below them are sound.
    """
    backend = history.backend
    found = backend.integrity()
    if found:
        return found
    history.refresh()
    if backend.unfinished():
        return ["a purge is not finished, so that files still hold what it erased: open again"]
    found = history.base.verify(history.base_hash()) or _files(history)
    if found:
        return found
    for record in history.records():
        found += _commit(history, record)
    found += _refs(history)
    for branch, user in backend.working_copies():
        found += _working(history, branch, user)
    return found


def _commit(history: History, record: CommitRecord) -> list[str]:
    try:
        delta = history.delta(record.id)
    except CorruptError as error:
        return [error.message]
    try:
        good = is_committed(record.header["cells"], delta, record.seed, history.key_bytes)
    except (pa.ArrowException, LookupError):  # it has rows that are not there
        good = False
    return [] if good else [f"{record.name}: its cells are not those that were committed"]


def _files(history: History) -> list[str]:
    """Check the files of rows and columns that versions refer to."""
    segments: set[str] = set()
    columns: dict[str, str] = {}
    for record in history.records():
        with contextlib.suppress(CorruptError):  # which _commit tells
            parts = files_of(history.delta(record.id))
            segments |= parts[0]
            columns |= parts[1]
    return history.rows.verify(sorted(segments), columns)


def _refs(history: History) -> list[str]:
    """Check that names stand where they were moved last, at versions that are there."""
    known, moved, found = _names(history), None, []
    while moved is None or known != _names(history):  # others may move them meanwhile
        known = _names(history)
        moved = {(m.kind, m.name): m.new for m, _ in history.backend.reflog()}
    for kind, name in sorted(moved.keys() | known.keys()):
        target = known.get((kind, name))
        if (kind, name) in moved and target != moved[kind, name]:
            found.append(f"{kind} {name!r} does not stand where it was moved last")
        elif (kind, name) not in moved and (kind, name) != ("branch", "main"):
            found.append(f"{kind} {name!r} was never made")
        elif target is not None:
            found += _head(history, f"{kind} {name!r}", target)
    return found


def _names(history: History) -> dict[tuple[str, str], str]:
    return {
        (kind, name): target
        for kind in ("branch", "tag", "remote")
        for name, target in history.backend.refs(kind).items()
    }


def _working(history: History, branch: str, user: str) -> list[str]:
    what = f"the working copy of {user!r} on {branch!r}"
    try:
        where, blobs = history.backend.journal(branch, user)
        for blob in blobs:
            decode(blob)
    except CorruptError as error:
        return [f"{what}: {error.message}"]
    return _head(history, what, where.head)


def _head(history: History, what: str, commit: str) -> list[str]:
    if history.has(commit):
        return []
    return [f"{what} stands at {commit[:8]}…, which is no version"]
