"""Versions in one SQLite file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from burnish.core.canonical import canonical_json
from burnish.errors import BusyError, CorruptError, FormatError, NotAStoreError, WriteError
from burnish.store import sweeping
from burnish.store.backend import CommitRecord, PurgeRecord, RefMove, StaleError, WorkingState
from burnish.store.base import flush
from burnish.store.erasing import epoch_of, erase, read_purges
from burnish.store.rows import Rows
from burnish.store.sqlite_file import SqliteFile, translated
from burnish.store.statements import (
    SCHEMA,
    SINCE_2,
    advance,
    empty_journal,
    has,
    has_purged,
    insert,
    move_ref,
    next_number,
    run,
    set_applied,
)
from burnish.store.sweeping import Litter

APPLICATION_ID = 0x42524E48
FORMAT = 2
_PAGE = 2048  # a commit of some hundred cells fills it better than the default of 4096
_CHECK = "$check"


class SqliteBackend(SqliteFile):
    """Versions in one SQLite file.

    Parameters
    ----------
    path : Path
    read_only : bool
        Work on a copy in memory and leave the file alone.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        super().__init__(path, read_only)
        self._check_format()

    @classmethod
    def create(cls, path: Path, meta: dict[str, str], first: CommitRecord) -> None:
        """Write a new file with its first version on the branch ``main``."""
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute(f"PRAGMA page_size={_PAGE}")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE")
            run(connection, SCHEMA + SINCE_2)
            connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            insert(connection, first)
            connection.execute("INSERT INTO refs VALUES ('branch', 'main', ?)", (first.id,))
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={FORMAT}")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def meta(self) -> dict[str, str]:
        """Return the store's own facts: format, id, base."""
        return dict(self._rows("SELECT name, value FROM meta"))

    def store_id(self) -> str:
        """Return the id of the store, the same in every copy of it."""
        found = self.meta().get("id")
        if found is None:
            raise self._corrupt("has no id")
        return found

    def gone(self) -> frozenset[int]:
        """Return the numbers of versions that were swept away."""
        with self._read("list of swept versions"):
            return frozenset(json.loads(self.meta().get("gone", "[]")))

    def epoch(self) -> int:
        """Return how often something was taken away: what was read before may be gone."""
        with translated(self.path):
            return epoch_of(self._connection())

    def commits(self, after: int = -1) -> list[CommitRecord]:
        """Return commits with a number above `after`, in order, without their deltas."""
        rows = self._rows(
            "SELECT id, number, header, seed FROM commits WHERE number > ? ORDER BY number", after
        )
        with self._read("version's header"):
            return [CommitRecord(i, n, json.loads(h), seed, b"") for i, n, h, seed in rows]

    def deltas(self, commits: Sequence[str]) -> list[bytes]:
        """Return the encoded deltas of commits."""
        rows = self._rows(
            "SELECT c.id, c.delta FROM json_each(?) AS wanted JOIN commits AS c "
            "ON c.id = wanted.value",
            json.dumps(commits),
        )
        found = {commit: bytes(delta) for commit, delta in rows if isinstance(delta, bytes)}
        for commit in commits:
            if commit not in found:
                raise self._corrupt(f"has no delta of version {commit[:8]}…")
        return [found[commit] for commit in commits]

    def refs(self, kind: str = "branch") -> dict[str, str]:
        """Return name → commit id of branches, tags or branches of other copies."""
        return dict(self._rows("SELECT name, target FROM refs WHERE kind = ? ORDER BY name", kind))

    def move_ref(self, move: RefMove) -> None:
        """Make, move or remove a name; StaleError when it does not stand where `old` says."""
        with self._write() as connection:
            move_ref(connection, move)

    def reflog(self) -> list[tuple[RefMove, str]]:
        """Return every move of a name and its time, in order."""
        rows = self._rows("SELECT kind, name, old, new, user, act, time FROM reflog ORDER BY place")
        return [(RefMove(*row[:6]), row[6]) for row in rows]

    def segments(self, after: int = 0) -> list[tuple[str, bytes]]:
        """Return the segments of added rows but the first few, with their ordinals."""
        return self._rows(
            "SELECT name, ordinals FROM segments ORDER BY place LIMIT -1 OFFSET ?", after
        )

    def add_segment(self, name: str, ordinals: bytes, seen: int) -> None:
        """Register a segment; StaleError when there are others than the `seen` ones."""
        with self._write() as connection:
            count = connection.execute("SELECT count(*) FROM segments").fetchone()[0]
            if count != seen or has_purged(connection, ordinals):
                raise StaleError
            connection.execute(
                "INSERT INTO segments (name, ordinals) VALUES (?, ?)", (name, ordinals)
            )

    def add_commits(
        self, records: list[CommitRecord], moves: list[RefMove], epoch: int | None = None
    ) -> None:
        """Add versions that were made elsewhere, parents first, and move names, all or nothing.

        Versions that are there already are left as they are.
        """
        with self._write() as connection:
            if epoch not in (None, epoch_of(connection)):
                raise StaleError
            for record in records:
                if has(connection, record.id):
                    continue
                insert(connection, replace(record, number=next_number(connection)))
            for move in moves:
                move_ref(connection, move)

    def keyframes(self) -> set[str]:
        """Return the versions whose state is kept."""
        return {str(commit) for (commit,) in self._rows("SELECT commit_id FROM keyframes")}

    def keyframe(self, commit: str) -> bytes | None:
        """Return the kept state of a version; a cache."""
        rows = self._rows("SELECT state FROM keyframes WHERE commit_id = ?", commit)
        return bytes(rows[0][0]) if rows else None

    def keep_keyframe(self, commit: str, state: bytes, epoch: int) -> None:
        """Keep the state of a version, as it was in an epoch; a cache."""
        with self._note() as connection:
            if epoch_of(connection) != epoch:  # it may hold what was erased since
                return
            connection.execute("INSERT OR REPLACE INTO keyframes VALUES (?, ?)", (commit, state))

    def link(self, commit: str, kind: str, content: dict[str, Any]) -> None:
        """Note what a version has to do with: an evaluation, an export, a training."""
        with self._write() as connection:
            connection.execute(
                "INSERT INTO links (commit_id, kind, content) VALUES (?, ?, ?)",
                (commit, kind, canonical_json(content).decode()),
            )

    def links(self, commit: str | None = None) -> list[tuple[str, str, dict[str, Any]]]:
        """Return version, kind and content of what was noted, in order."""
        rows = self._rows(
            "SELECT commit_id, kind, content FROM links WHERE ?1 IS NULL OR commit_id = ?1 "
            "ORDER BY place",
            commit,
        )
        with self._read("note on a version"):
            return [(target, kind, json.loads(content)) for target, kind, content in rows]

    def working(self, branch: str, user: str) -> WorkingState:
        """Return where a working copy stands; made at the branch's head when new."""
        found = self._read_working(branch, user)
        if found is not None:
            return found
        with self._note() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO working SELECT name, ?, target, 0, 0 FROM refs "
                "WHERE kind = 'branch' AND name = ?",
                (user, branch),
            )
        made = self._read_working(branch, user)
        if made is None:
            raise self._corrupt(f"has no branch {branch!r}")
        return made

    def working_copies(self) -> list[tuple[str, str]]:
        """Return branch and user of every working copy."""
        rows = self._rows("SELECT branch, user FROM working UNION SELECT branch, user FROM journal")
        return [(str(branch), str(user)) for branch, user in rows]

    def journal(self, branch: str, user: str) -> tuple[WorkingState, list[bytes]]:
        """Return where a working copy stands and its gestures of that moment, undone included."""
        self.working(branch, user)
        with self._transaction("BEGIN"):
            where = self.working(branch, user)
            rows = self._rows(
                "SELECT gesture FROM journal WHERE branch = ? AND user = ? ORDER BY position",
                branch,
                user,
            )
        return where, [bytes(gesture) for (gesture,) in rows]

    def append(self, branch: str, user: str, seen: WorkingState, blob: bytes) -> WorkingState:
        """Append a gesture after the applied ones; what was undone is gone."""
        applied = seen.applied
        with self._claim(branch, user, seen) as connection:
            connection.execute(
                "DELETE FROM journal WHERE branch = ? AND user = ? AND position >= ?",
                (branch, user, applied),
            )
            connection.execute(
                "INSERT INTO journal VALUES (?, ?, ?, ?)", (branch, user, applied, blob)
            )
            set_applied(connection, branch, user, applied + 1)
        return WorkingState(seen.head, applied + 1, applied + 1, seen.seq + 1)

    def move(self, branch: str, user: str, seen: WorkingState, applied: int) -> WorkingState:
        """Undo or redo: set how many gestures are applied."""
        with self._claim(branch, user, seen) as connection:
            set_applied(connection, branch, user, applied)
        return WorkingState(seen.head, applied, seen.recorded, seen.seq + 1)

    def rebase(
        self,
        branch: str,
        user: str,
        seen: WorkingState,
        head: str,
        journal: list[bytes] | None = None,
    ) -> WorkingState:
        """Put the staged gestures, or others in their place, on another head."""
        with self._claim(branch, user, seen, self._note()) as connection:
            connection.execute(
                "UPDATE working SET head = ? WHERE branch = ? AND user = ?", (head, branch, user)
            )
            if journal is None:
                return WorkingState(head, seen.applied, seen.recorded, seen.seq + 1)
            empty_journal(connection, branch, user)
            rows = [(branch, user, place, blob) for place, blob in enumerate(journal)]
            connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?)", rows)
            set_applied(connection, branch, user, len(journal))
        return WorkingState(head, len(journal), len(journal), seen.seq + 1)

    def clear(self, branch: str, user: str, seen: WorkingState) -> WorkingState:
        """Discard the journal."""
        with self._claim(branch, user, seen) as connection:
            empty_journal(connection, branch, user)
        return WorkingState(seen.head, 0, 0, seen.seq + 1)

    def commit(
        self, branch: str, user: str, seen: WorkingState, record: CommitRecord, act: str = "commit"
    ) -> tuple[CommitRecord, WorkingState]:
        """Add a version, move the branch, empty the journal."""
        with self._claim(branch, user, seen) as connection:
            numbered = replace(record, number=next_number(connection))
            insert(connection, numbered)
            where = advance(connection, branch, user, seen, record.id, act)
        return numbered, where

    def advance(
        self, branch: str, user: str, seen: WorkingState, head: str, act: str
    ) -> WorkingState:
        """Move the branch to a version that is there already; the journal must be empty."""
        with self._claim(branch, user, seen) as connection:
            return advance(connection, branch, user, seen, head, act)

    def find_txn(self, txn_id: str) -> CommitRecord | None:
        """Return the version that a transaction wrote, if it did."""
        rows = self._rows("SELECT number FROM commits WHERE txn_id = ?", txn_id)
        return self.commits(after=rows[0][0] - 1)[0] if rows else None

    def sums(self, commit: str) -> dict[str, int] | None:
        """Return the column sums of a version when they were kept."""
        kept = dict(self._rows("SELECT name, total FROM sums WHERE commit_id = ?", commit))
        if kept.pop(_CHECK, None) != _digest(kept):
            return None
        return {name: int(total, 16) for name, total in kept.items()}

    def keep_sums(self, commit: str, sums: dict[str, int], epoch: int) -> None:
        """Keep column sums, as they were in an epoch; a cache."""
        with self._note() as connection:
            if epoch_of(connection) != epoch:
                return
            kept = {name: f"{total:x}" for name, total in sums.items()}
            kept[_CHECK] = _digest(kept)
            connection.executemany(
                "INSERT OR REPLACE INTO sums VALUES (?, ?, ?)",
                [(commit, name, total) for name, total in kept.items()],
            )

    def purges(self) -> list[PurgeRecord]:
        """Return what was erased, in order."""
        with translated(self.path), self._read("note of a purge"):
            return read_purges(self._connection())

    def sweep(self, since: str | None = None, dry_run: bool = False) -> Litter:
        """Remove what nothing leads to, as `sweeping.find` tells; return what that is."""
        folder = self.path.parent
        if dry_run:
            with self._transaction("BEGIN") as connection:
                return sweeping.find(connection, folder, since)
        with self._write() as connection:
            litter = sweeping.find(connection, folder, since)
            sweeping.remove(connection, litter)
        if litter.files:
            with self._write() as connection:
                sweeping.unlink(sweeping.find(connection, folder, since).files)
        if litter:
            self._shrink()
        return litter

    def purge(
        self, rows: Rows, epoch: int, wanted: PurgeRecord, words: Sequence[str]
    ) -> PurgeRecord:
        """Erase rows in one transaction; StaleError when `rows` is not as of now.

        Files that hold their values are left to `finish`.
        """
        with self._write() as connection:
            return erase(connection, rows, epoch, wanted, words)

    def unfinished(self) -> list[str] | None:
        """Return the files that a purge still has to remove, None where it is done."""
        found = self.meta().get("unfinished")
        return None if found is None else [str(name) for name in json.loads(found)]

    def finish(self) -> bool:
        """Remove what a purge left behind; False where others hold on to it."""
        found = self.unfinished()
        if found is None:
            return True
        for name in found:
            with contextlib.suppress(PermissionError):  # somebody has it open, on Windows
                (self.path.parent / name).unlink(missing_ok=True)
        for folder in {(self.path.parent / name).parent for name in found}:
            with contextlib.suppress(OSError):
                flush(folder)
        left = [name for name in found if (self.path.parent / name).exists()]
        if left or not self._shrink():
            return False
        with self._write() as connection:
            connection.execute("DELETE FROM meta WHERE name = 'unfinished'")
        return True

    def _shrink(self) -> bool:
        """Give free pages back and empty the log; False where others or a full disk hinder it."""
        try:
            self._rows("VACUUM")
            return bool(self._rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0)
        except (BusyError, CorruptError, WriteError):
            return False

    def _check_format(self) -> None:
        try:
            application = self._rows("PRAGMA application_id")[0][0]
            version = self._rows("PRAGMA user_version")[0][0]
        except CorruptError as error:
            self.abandon()
            raise NotAStoreError(
                f"{self.path} is not a burnish store: {error.message}",
                hint="make one with bn.create(path, frame, key=…)",
            ) from error
        if application != APPLICATION_ID:
            self.abandon()
            raise NotAStoreError(
                f"{self.path} is a SQLite file of another program",
                hint="make a store with bn.create(path, frame, key=…)",
            )
        if version > FORMAT:
            self.abandon()
            raise FormatError(
                f"{self.path} has format {version}, this burnish reads up to {FORMAT}",
                hint="upgrade with: pip install --upgrade burnish",
            )
        if version < FORMAT:
            self._upgrade()

    def _upgrade(self) -> None:
        with self._transaction("BEGIN IMMEDIATE") as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] < FORMAT:
                run(connection, SINCE_2)
                connection.execute(f"PRAGMA user_version={FORMAT}")

    def _read_working(self, branch: str, user: str) -> WorkingState | None:
        rows = self._rows(
            "SELECT head, applied, (SELECT count(*) FROM journal j WHERE j.branch = w.branch "
            "AND j.user = w.user), seq FROM working w WHERE branch = ? AND user = ?",
            branch,
            user,
        )
        if not rows:
            return None
        found = WorkingState(*rows[0])
        if not 0 <= found.applied <= found.recorded:
            raise self._corrupt(
                f"has {found.recorded} staged steps of {user!r}, {found.applied} of them applied"
            )
        return found

    @contextmanager
    def _claim(
        self,
        branch: str,
        user: str,
        seen: WorkingState,
        write: AbstractContextManager[sqlite3.Connection] | None = None,
    ) -> Iterator[sqlite3.Connection]:
        with write or self._write() as connection:
            claimed = connection.execute(
                "UPDATE working SET seq = seq + 1 WHERE branch = ? AND user = ? AND seq = ?",
                (branch, user, seen.seq),
            )
            if claimed.rowcount != 1:
                raise StaleError
            yield connection


def _digest(values: dict[str, str]) -> str:
    return hashlib.sha256(canonical_json(values)).hexdigest()
