"""What a dataset lets go of: versions that nothing leads to, and rows that must be forgotten."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from burnish.core.delta import Delta, Ordinals
from burnish.core.keys import KeyArray, plain
from burnish.core.slices import Slice
from burnish.dataset.editing import Editing
from burnish.dataset.gesture import count
from burnish.dataset.history import History
from burnish.dataset.reading import find_ever, keys_at, refuse_unknown
from burnish.dataset.rows import explicit_keys, ordinals_of
from burnish.dataset.state import State
from burnish.dataset.views import Listed
from burnish.errors import BusyError, InputError, KeysError
from burnish.store.adopted import AdoptedBase
from burnish.store.backend import PurgeRecord, Rewritten, StaleError
from burnish.store.base import BASE, write_without

_TRIES = 20
_COPIES = (
    "copies of this folder, packed ones, and stores that fetched from it",
    "backups and snapshots, free blocks of the disk, and what the operating system caches",
    "tables that were read before, in this process and in others",
)
_SHORT = 3


@dataclass(frozen=True)
class Swept:
    """What `gc` removed, or would remove.

    Attributes
    ----------
    versions : tuple of str
        Names of versions; no other version will bear them.
    files : tuple of str
        Files of added rows and columns, and what killed processes left, seen from the store.
    size : int
        Bytes.
    dry_run : bool
        Whether all of it is still there.
    """

    versions: tuple[str, ...]
    files: tuple[str, ...]
    size: int
    dry_run: bool

    def __bool__(self) -> bool:
        return bool(self.versions or self.files)

    def __repr__(self) -> str:
        if not self:
            return "Swept(nothing: everything is in use)"
        named = f" ({', '.join(self.versions[:5])}{', …' * (len(self.versions) > 5)})"
        versions = count(len(self.versions), "version") + named * bool(self.versions)
        what = f"{versions} and {count(len(self.files), 'file')}, {_bytes(self.size)}"
        return f"Swept({'would remove ' if self.dry_run else ''}{what})"


@dataclass(frozen=True)
class Purge:
    """What was erased for good.

    Attributes
    ----------
    rows, cells, decisions : int
        How many; cells and decisions are those of versions.
    versions : tuple of str
        Names of the versions in which one of the rows was live: they have other fingerprints now.
    time : datetime
    author : str
    reason : str or None
    files : tuple of (str, str, str, str)
        Kind and name of each file that was written anew, its hash before and after.
    remaining : tuple of str
        Where values or keys may still be, which `purge` cannot reach. Empty in `purges`.
    """

    rows: int
    cells: int
    decisions: int
    versions: tuple[str, ...]
    time: datetime
    author: str
    reason: str | None
    files: tuple[tuple[str, str, str, str], ...] = ()
    remaining: tuple[str, ...] = ()

    def __repr__(self) -> str:
        cells = f"{count(self.cells, 'cell')} and {count(self.decisions, 'decision')}"
        where = f" in {_few(self.versions)}" if self.versions else ""
        text = f"purged {count(self.rows)}{where}, {cells} of versions"
        if self.remaining:
            text += "; these may still hold them:" + "".join(f"\n  - {it}" for it in self.remaining)
        return f"Purge({text})"


@dataclass(frozen=True, eq=False, repr=False)
class Purges(Listed[Purge]):
    """What was erased for good, in order."""

    _items: tuple[Purge, ...]

    def frame(self) -> pd.DataFrame:
        """Return a table: ``time, author, reason, rows, cells, decisions, versions``."""
        names = ["time", "author", "reason", "rows", "cells", "decisions", "versions"]
        rows = [
            (p.time, p.author, p.reason, p.rows, p.cells, p.decisions, list(p.versions))
            for p in self
        ]
        return pd.DataFrame(rows, columns=names)

    def __repr__(self) -> str:
        lines = [f"  {p.time:%Y-%m-%d %H:%M} {p.author}: {p!r}" for p in self]
        return "\n".join([f"Purges({len(self)})", *lines])


class Housekeeping(Editing):
    """Lets go of versions and rows."""

    def gc(self, dry_run: bool = False, older_than: timedelta | None = None) -> Swept:
        """Remove versions and files that nothing leads to any more.

        Parameters
        ----------
        dry_run : bool, default False
            Only say what would be removed.
        older_than : timedelta, optional
            Keep versions that a branch or tag stood at within this time. By default age does not
            matter.

        Returns
        -------
        Swept

        Raises
        ------
        InputError
            `older_than` is no positive time.
        ReadOnlyError
            The store was opened read-only.
        BusyError
            Another process is writing.

        Notes
        -----
        Kept is what can be reached from a branch, a tag, a branch of another copy, the head or the
        staged edits (undone ones too) of any working copy. Reads every change that is kept once.
        A file that was written within the last hour stays until the next time, as another process
        may be about to refer to it. Other processes may have the dataset open; a version that was
        removed is unknown to them from then on.
        """
        self._check_open()
        history = self._history
        litter = history.backend.sweep(_since(older_than), dry_run)
        names = tuple(f"v{number}" for number, _ in litter.versions)
        files = tuple(str(path.relative_to(history.path)) for path in litter.files)
        if litter and not dry_run:
            self._copy.reload(f"sweep {count(len(names), 'version')}", "ds.gc()")
        return Swept(names, files, litter.size, dry_run)

    def purge(self, keys: Any, reason: str | None = None, author: str | None = None) -> Purge:
        """Erase rows for good, in every version: their values, keys, edits and decisions.

        This cannot be undone. It is meant for personal data that has to go; use `drop` to leave
        rows out.

        Parameters
        ----------
        keys : key, sequence of keys, Selection, Slice or Findings
            Rows that are or ever were in the dataset.
        reason : str, optional
            Kept with the note of the purge; it must not name what is erased.
        author : str, optional
            The user of the working copy by default.

        Returns
        -------
        Purge
            What was erased, and where values may still be.

        Raises
        ------
        KeysError
            A key is unknown, or was purged before.
        InputError
            The reason names a key.
        ReadOnlyError
            The store was opened read-only.
        BusyError
            Other processes keep writing.
        CorruptError
            A file cannot be read; nothing was erased then.

        Notes
        -----
        Files that hold values of the rows are written anew, so this costs the size of the table,
        in time, disk and memory, when the rows were there from the start. Version ids stay, since
        the hashes of erased cells do; the fingerprints of versions that had the rows change.
        Edits staged by any user lose the rows too. A row of the same key can be added later, as a
        new one. Other processes may have the dataset open: from their next call on they read what
        is left. A process that dies in the middle leaves the old store or the new one, and the
        next one that opens it removes what is left of the old.
        """
        self._check_open()
        history = self._history
        history.backend.check_writable()
        wanted = PurgeRecord(author or self.user, reason, "", np.empty(0, np.int64))
        for _ in range(_TRIES):
            history.refresh()
            history.refresh_rows()
            gone, words = self._to_purge(keys)
            _refuse_naming(reason, words)
            wanted = _prepared(history, wanted, gone)
            try:
                record = history.backend.purge(history.rows, history.epoch, wanted, words)
            except StaleError:
                continue
            return self._purged(record, words)
        raise BusyError(
            f"{_TRIES} tries to purge met other writers", hint="wait a moment, then try again"
        )

    @property
    def purges(self) -> Purges:
        """What was erased for good, in order."""
        self._check_open()
        self._history.refresh()
        return Purges(tuple(_shown(self._history, record) for record in self._history.purges))

    def _to_purge(self, keys: Any) -> tuple[Ordinals, list[str]]:
        state = self._copy.state
        gone = np.unique(_ever(state, keys))
        if not len(gone):
            raise KeysError("there is no row to purge", hint="pass at least one key")
        return gone, _spelled(keys_at(state, gone))

    def _purged(self, record: PurgeRecord, words: list[str]) -> Purge:
        history = self._history
        outside = list(_outside(history, record))
        done = history.backend.finish()
        self._copy.reload(f"purge {count(len(record.ordinals))}", "")
        held = () if done else ("files that another process holds: open the dataset again",)
        named = dict.fromkeys(_mentions(history, words))
        remaining = (*held, *outside, *named, *_COPIES)
        return _shown(history, record, remaining)


def _ever(state: State, rows: Any) -> Ordinals:
    """Return the ordinals of rows of whichever version."""
    if isinstance(rows, Slice) and isinstance(rows.where, str):
        return ordinals_of(state, rows)
    keys = explicit_keys(rows, len(state.key))
    found = find_ever(state, keys)
    refuse_unknown(state, keys, found < 0)
    return found


def _prepared(history: History, wanted: PurgeRecord, gone: Ordinals) -> PurgeRecord:
    """Return what to purge, with the base written anew where it holds a row of it."""
    before, size = history.base_hash(), len(history.base)
    known = all(file.before == before for file in wanted.files)
    if wanted.time and known and np.array_equal(wanted.ordinals, gone):
        return wanted
    files: tuple[Rewritten, ...] = ()
    if (gone < size).any():
        every = np.union1d(gone, history.rows.purged)
        files = (Rewritten("base", BASE, before, write_without(history.base, every[every < size])),)
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    return replace(wanted, time=now, ordinals=gone, files=files)


def _shown(history: History, record: PurgeRecord, remaining: tuple[str, ...] = ()) -> Purge:
    numbers = sorted(history.number(c) for c in record.versions if history.has(c))
    return Purge(
        rows=len(record.ordinals),
        cells=record.cells,
        decisions=record.decisions,
        versions=tuple(f"v{number}" for number in numbers),
        time=datetime.fromisoformat(record.time),
        author=record.author,
        reason=record.reason,
        files=tuple((f.kind, f.name, f.before, f.after) for f in record.files),
        remaining=remaining,
    )


def _outside(history: History, record: PurgeRecord) -> Iterator[str]:
    """Return files outside of the store that hold the rows."""
    base = history.base
    if isinstance(base, AdoptedBase) and (record.ordinals < len(base)).any():
        yield f"files that the dataset was made from, in {base.pins.root}"
    for name in history.backend.unfinished() or []:
        with contextlib.suppress(OSError):
            if (history.path / name).stat().st_nlink > 1:
                yield f"a file that is {name} here and has another name elsewhere, as in packs"
    versions = set(record.versions)
    exports = [
        content.get("path", content.get("file"))
        for commit, kind, content in history.backend.links()
        if kind == "export" and commit in versions
    ]
    yield from (f"the export {path}" for path in dict.fromkeys(exports))


def _mentions(history: History, words: list[str]) -> Iterator[str]:
    """Return what names a key in words: messages, reasons of other rows, facts, notes, names."""
    for version in history:
        if _is_named(version.message, words):
            yield f"the message of {version.name}"
        if any(_is_named(text, words) for text in _texts(history.delta(version.id))):
            yield f"a reason or a fact in {version.name}"
    for commit, kind, content in history.backend.links():
        if history.has(commit) and _is_named(json.dumps(content, ensure_ascii=False), words):
            yield f"what {history.version(commit).name} notes of its {kind}"
    for move, _ in history.backend.reflog():
        if _is_named(move.name, words) or _is_named(move.act, words):
            yield f"the reflog of {move.kind} {move.name}"


def _texts(delta: Delta) -> Iterator[str]:
    tables = [*delta.cells.values(), delta.decisions, delta.facts]
    yield from (text for table in tables for text in _words(table["reason"]))
    for name in ("name", "old", "new"):
        yield from _words(delta.facts[name])


def _words(column: pa.ChunkedArray) -> list[str]:
    return [text for text in column.unique().to_pylist() if text is not None]


def _spelled(keys: KeyArray) -> list[str]:
    parts = [part for key in keys for part in (key if isinstance(key, tuple) else (key,))]
    return sorted({str(plain(part)) for part in parts})


def _is_named(text: str | None, words: list[str]) -> bool:
    long = (word for word in words if len(word) >= _SHORT)
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text or "") for word in long)


def _refuse_naming(reason: str | None, words: list[str]) -> None:
    if reason is not None and (not isinstance(reason, str) or _is_named(reason, words)):
        raise InputError(
            "the reason of a purge has to be text that names none of the keys, as it is kept",
            hint="say why without saying who, for example reason='asked to be forgotten'",
        )


def _since(older_than: timedelta | None) -> str | None:
    if older_than is None:
        return None
    if not isinstance(older_than, timedelta) or older_than <= timedelta(0):
        raise InputError(
            f"older_than={older_than!r}, expected a positive time",
            hint="pass for example datetime.timedelta(days=30)",
        )
    return (datetime.now(UTC) - older_than).isoformat(timespec="microseconds")


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _bytes(size: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
