"""How rows are erased for good: from versions, staged edits, added rows, columns and caches.

One transaction takes the values out of the store and points it to files that were written anew;
the files that still hold the values are noted in it and removed once it is on disk, by the next
process that opens the store if this one dies.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import canonical_json, key_bytes
from burnish.core.commitment import erased
from burnish.core.delta import DROPPED, ROW, Delta, Ordinals, numbers, touches, without_rows
from burnish.core.schema import files_of
from burnish.errors import CorruptError
from burnish.store.backend import PurgeRecord, Rewritten, StaleError
from burnish.store.base import BASE, INDEX, map_table, rewritten_base
from burnish.store.codec import decode, encode
from burnish.store.rows import (
    PARENT,
    SWEPT,
    Rows,
    apart,
    read_column,
    stored_keys,
    write_column,
    write_segment,
)
from burnish.store.sweeping import bases, drafts, turn

_WRITING = 60.0  # seconds for which a draft is one that a live process is writing
_ADOPTED = ("base.json", "keys.arrow")


def erase(
    connection: sqlite3.Connection,
    rows: Rows,
    epoch: int,
    wanted: PurgeRecord,
    words: Sequence[str],
) -> PurgeRecord:
    """Erase rows in the store and write its files anew; return what is noted of it.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes.
    rows : Rows
        All rows, as of the transaction.
    epoch : int
        That of `rows`.
    wanted : PurgeRecord
        Who, why, when and which rows, and the base that was written anew.
    words : sequence of str
        How keys of the rows are spelled in the text of a step.

    Raises
    ------
    StaleError
        `rows` is not as of now.
    """
    count = connection.execute("SELECT count(*) FROM segments").fetchone()[0]
    if (count, epoch) != (rows.n_segments, epoch_of(connection)):
        raise StaleError
    return _Eraser(connection, rows, wanted.ordinals, words).run(wanted)


def epoch_of(connection: sqlite3.Connection) -> int:
    """Return how often something was taken out of a store."""
    found = connection.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
    return int(found[0]) if found else 0


def read_purges(connection: sqlite3.Connection) -> list[PurgeRecord]:
    """Return what was erased, in order."""
    rows = connection.execute("SELECT ordinals, content FROM purges ORDER BY place").fetchall()
    return [_record(np.frombuffer(ordinals, np.int64), content) for ordinals, content in rows]


def _record(ordinals: Ordinals, text: str) -> PurgeRecord:
    content: dict[str, Any] = json.loads(text)
    files = tuple(Rewritten(*file) for file in content.pop("files"))
    versions = tuple(content.pop("versions"))
    return PurgeRecord(ordinals=ordinals, files=files, versions=versions, **content)


def _content(record: PurgeRecord) -> str:
    content = {
        "author": record.author,
        "reason": record.reason,
        "time": record.time,
        "cells": record.cells,
        "decisions": record.decisions,
        "versions": list(record.versions),
        "files": [list(astuple(file)) for file in record.files],
    }
    return canonical_json(content).decode()


@dataclass(eq=False)
class _Eraser:
    connection: sqlite3.Connection
    rows: Rows
    gone: Ordinals
    words: Sequence[str]
    columns: dict[str, str] = field(default_factory=dict)
    leftover: set[Path] = field(default_factory=set)

    def run(self, wanted: PurgeRecord) -> PurgeRecord:
        known = self.rows.key_bytes(self.gone)
        done = self._versions(wanted)
        self._journals()
        files = [*wanted.files, *self._segments(known), *self._columns()]
        done = replace(done, files=tuple(files))
        self._base(wanted)
        self._forget(done)
        self.connection.execute(
            "INSERT INTO purges (ordinals, content) VALUES (?, ?)",
            (done.ordinals.tobytes(), _content(done)),
        )
        turn(self.connection)
        return done

    def _versions(self, wanted: PurgeRecord) -> PurgeRecord:
        """Erase the rows from all versions."""
        presence = _Presence(self.gone, len(self.rows.base))
        cells = decisions = 0
        order = [c for (c,) in self.connection.execute("SELECT id FROM commits ORDER BY number")]
        for commit in order:
            header, seed, blob = self.connection.execute(
                "SELECT header, seed, delta FROM commits WHERE id = ?", (commit,)
            ).fetchone()
            head, delta = json.loads(header), decode(blob)[0]
            presence.step(commit, head["parents"], delta)
            self.columns |= files_of(delta)[1]
            if not touches(delta, self.gone):
                continue
            left, kept, size = erased(head["cells"], delta, seed, self.rows.key_bytes, self.gone)
            self.connection.execute(
                "UPDATE commits SET seed = ?, delta = ? WHERE id = ?",
                (kept, encode(left, {}), commit),
            )
            decided = len(delta.decisions) - len(left.decisions)
            cells, decisions = cells + size - decided, decisions + decided
        return replace(wanted, cells=cells, decisions=decisions, versions=presence.live())

    def _journals(self) -> None:
        """Erase the rows from the staged edits of all users, undone ones included."""
        for branch, user in self.connection.execute(
            "SELECT DISTINCT branch, user FROM journal"
        ).fetchall():
            found = self.connection.execute(
                "SELECT position, gesture FROM journal WHERE branch = ? AND user = ? "
                "ORDER BY position",
                (branch, user),
            ).fetchall()
            steps = [(position, self._step(blob)) for position, blob in found]
            if [blob for _, blob in steps] != [blob for _, blob in found]:
                self._rewrite_journal(branch, user, steps)

    def _rewrite_journal(
        self, branch: str, user: str, steps: list[tuple[int, bytes | None]]
    ) -> None:
        applied = self.connection.execute(
            "SELECT coalesce(max(applied), 0) FROM working WHERE branch = ? AND user = ?",
            (branch, user),
        ).fetchone()[0]
        left = [(position, blob) for position, blob in steps if blob is not None]
        self.connection.execute("DELETE FROM journal WHERE branch = ? AND user = ?", (branch, user))
        self.connection.executemany(
            "INSERT INTO journal VALUES (?, ?, ?, ?)",
            [(branch, user, place, blob) for place, (_, blob) in enumerate(left)],
        )
        self.connection.execute(
            "UPDATE working SET applied = ? WHERE branch = ? AND user = ?",
            (sum(position < applied for position, _ in left), branch, user),
        )

    def _step(self, blob: bytes) -> bytes | None:
        """Return a staged step without the rows, None where nothing is left of it."""
        delta, header = decode(blob)
        self.columns |= files_of(delta)[1]
        touched = touches(delta, self.gone)
        named = any(self._is_named(text) for text in header.values() if isinstance(text, str))
        if not touched and not named:
            return blob
        left = without_rows(delta, self.gone)
        if not left:
            return None
        text = "edits, some of them purged" if self._is_named(header["text"]) else header["text"]
        return encode(left, {**header, "text": text, "code": ""})

    def _is_named(self, text: str) -> bool:
        return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in self.words)

    def _segments(self, known: pa.Array) -> list[Rewritten]:
        """Write segments anew that hold the rows, or name one of them as a parent."""
        done, own = [], set()
        for place, name in self.connection.execute("SELECT place, name FROM segments").fetchall():
            if name.startswith(SWEPT):
                continue
            old = self.rows.path_of("segments", name)
            own.add(old)
            left = self._without(self.rows.segment(name).table, known)
            if left is None:
                continue
            table = apart(left, self.rows.key, self.rows.taken)
            new = write_segment(self.rows.folder, table, self.rows.key)
            self._renumber(place, new)
            done.append(Rewritten("segment", name, old.stem, new))
        kept = {f.after for f in done} | {p.stem for p in own} - {f.before for f in done}
        self.leftover |= {path for path in own if path.stem not in kept}
        for path in self._files("segments"):
            if path not in own and path.stem not in kept and self._holds(path, known):
                self.leftover.add(path)
        return done

    def _without(self, table: pa.Table, known: pa.Array) -> pa.Table | None:
        """Return added rows without the erased ones and their names; None where there are none."""
        keys = key_bytes([table[name] for name in self.rows.key])
        inside = pc.is_in(keys, value_set=known)
        parents = [PARENT + name for name in self.rows.key]
        left = table.filter(pc.invert(inside))
        if parents[0] in table.column_names:
            named = pc.is_in(key_bytes([left[name] for name in parents]), value_set=known)
            if pc.any(named).as_py():
                return _nulled(left, parents, named)
        return left if pc.any(inside).as_py() else None

    def _renumber(self, place: int, new: str) -> None:
        """Note the ordinals of a segment in the order in which its new file has the rows."""
        stored = stored_keys(self.rows.folder, new, self.rows.key)
        ordinals = self.rows.find(stored)
        self.connection.execute(
            "UPDATE segments SET ordinals = ? WHERE place = ?", (ordinals.tobytes(), place)
        )

    def _holds(self, path: Path, known: pa.Array) -> bool:
        """Whether a segment that nobody registered holds the rows; one that is damaged may."""
        try:
            return self._without(map_table(path), known) is not None
        except (CorruptError, KeyError):
            return True

    def _columns(self) -> list[Rewritten]:
        """Write added columns anew that hold values of the rows."""
        done, own = [], set()
        for name, column in sorted(self.columns.items()):
            old = self.rows.path_of("columns", name)
            own.add(old)
            file = self.rows.column_file(name)
            keep = ~np.isin(file.ordinals, self.gone)
            if keep.all():
                continue
            ordinals, values = file.ordinals[keep], file.values.filter(pa.array(keep))
            keys = self.rows.key_bytes(ordinals)
            taken = self.rows.taken
            new = write_column(self.rows.folder, column, keys, ordinals, values, taken)
            done.append(Rewritten("column", name, old.stem, new))
        kept = {f.after for f in done} | {p.stem for p in own} - {f.before for f in done}
        for path in self._files("columns"):
            if path.stem not in kept and (path in own or self._has_values(path)):
                self.leftover.add(path)
        return done

    def _has_values(self, path: Path) -> bool:
        try:
            return bool(np.isin(read_column(path).ordinals, self.gone).any())
        except (CorruptError, KeyError):
            return True

    def _files(self, part: str) -> Iterable[Path]:
        return (self.rows.folder / part).glob("[!.]*.arrow")

    def _base(self, wanted: PurgeRecord) -> None:
        """Note the bases that the one written anew takes the place of."""
        folder = self.rows.folder
        for file in wanted.files:
            current = rewritten_base(file.after)
            names = (BASE, *INDEX, *_ADOPTED)
            found = [*bases(folder, current), *(folder / name for name in names)]
            self.leftover |= {path for path in found if path.exists()}

    def _forget(self, done: PurgeRecord) -> None:
        """Drop caches, and note the files to remove."""
        self.connection.execute("DELETE FROM keyframes")
        self.connection.executemany(
            "DELETE FROM sums WHERE commit_id = ?", [(commit,) for commit in done.versions]
        )
        folder = self.rows.folder
        old = time.time() - _WRITING
        self.leftover |= {path for path in drafts(folder) if path.stat().st_mtime < old}
        names = {str(path.relative_to(folder)) for path in self.leftover}
        left = sorted(names | set(_unfinished(self.connection)))
        self.connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('unfinished', ?)", (json.dumps(left),)
        )


def _unfinished(connection: sqlite3.Connection) -> list[str]:
    """Return the files that an earlier purge could not remove yet."""
    found = connection.execute("SELECT value FROM meta WHERE name = 'unfinished'").fetchone()
    return [str(name) for name in json.loads(found[0])] if found else []


def _nulled(table: pa.Table, columns: list[str], where: pa.Array) -> pa.Table:
    """Return a table with null in some columns of some rows."""
    mask = np.asarray(where.to_numpy(zero_copy_only=False), bool)
    places = pa.array(np.arange(len(table)), mask=mask)
    for name in columns:
        column = table[name].combine_chunks().take(places)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


class _Presence:
    """In which versions a row of some was live."""

    def __init__(self, rows: Ordinals, n_base: int) -> None:
        self._rows = rows
        self._first = np.array([rows < n_base, np.zeros(len(rows), bool)])
        self._at: dict[str, npt.NDArray[np.bool_]] = {}

    def step(self, commit: str, parents: list[str], delta: Delta) -> None:
        found = self._at[parents[0]] if parents else self._first
        for part, column in enumerate((ROW, DROPPED)):
            table = delta.cells.get(column)
            if table is not None:
                found = self._changed(found, part, table)
        self._at[commit] = found

    def live(self) -> tuple[str, ...]:
        return tuple(c for c, (there, dropped) in self._at.items() if (there & ~dropped).any())

    def _changed(
        self, found: npt.NDArray[np.bool_], part: int, table: pa.Table
    ) -> npt.NDArray[np.bool_]:
        new = table["new"] if part else pc.is_valid(table["new"])
        ordinals = numbers(table, "ordinal")
        hit = np.isin(ordinals, self._rows)
        out = found.copy()
        values = np.asarray(new.to_numpy(zero_copy_only=False), bool)
        out[part, np.searchsorted(self._rows, ordinals[hit])] = values[hit]
        return out
