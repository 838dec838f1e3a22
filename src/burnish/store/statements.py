"""The tables of a store, and the statements that several writes share."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import astuple
from datetime import UTC, datetime

import numpy as np

from burnish.errors import UnknownVersionError
from burnish.store.backend import CommitRecord, RefMove, StaleError, WorkingState
from burnish.store.erasing import read_purges

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE commits (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    txn_id TEXT NOT NULL UNIQUE,
    header TEXT NOT NULL,
    seed BLOB NOT NULL,
    delta BLOB NOT NULL
);
CREATE TABLE parents (
    child TEXT NOT NULL, position INTEGER NOT NULL, parent TEXT NOT NULL,
    PRIMARY KEY (child, position)
) WITHOUT ROWID;
CREATE TABLE refs (
    kind TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE working (
    branch TEXT NOT NULL, user TEXT NOT NULL, head TEXT NOT NULL,
    applied INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (branch, user)
) WITHOUT ROWID;
CREATE TABLE journal (
    branch TEXT NOT NULL, user TEXT NOT NULL, position INTEGER NOT NULL, gesture BLOB NOT NULL,
    PRIMARY KEY (branch, user, position)
);
CREATE TABLE sums (
    commit_id TEXT NOT NULL, name TEXT NOT NULL, total TEXT NOT NULL,
    PRIMARY KEY (commit_id, name)
) WITHOUT ROWID;
"""
SINCE_2 = """
CREATE TABLE segments (
    place INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, ordinals BLOB NOT NULL
);
CREATE TABLE reflog (
    place INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, old TEXT, new TEXT,
    user TEXT NOT NULL, act TEXT NOT NULL, time TEXT NOT NULL
);
CREATE TABLE purges (place INTEGER PRIMARY KEY, ordinals BLOB NOT NULL, content TEXT NOT NULL);
CREATE TABLE keyframes (commit_id TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE links (
    place INTEGER PRIMARY KEY, commit_id TEXT NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL
);
"""


def run(connection: sqlite3.Connection, statements: str) -> None:
    """Run statements that are separated by semicolons."""
    for statement in filter(str.strip, statements.split(";")):
        connection.execute(statement)


def insert(connection: sqlite3.Connection, record: CommitRecord) -> None:
    """Add a version whose parents are there."""
    header = json.dumps(record.header, ensure_ascii=False)
    connection.execute(
        "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?)",
        (record.number, record.id, record.header["txn_id"], header, record.seed, record.delta),
    )
    for parent in record.header["parents"]:
        check_there(connection, parent)
    parents = [(record.id, place, p) for place, p in enumerate(record.header["parents"])]
    connection.executemany("INSERT INTO parents VALUES (?, ?, ?)", parents)


def has(connection: sqlite3.Connection, commit: str) -> bool:
    """Whether there is a version of this id."""
    return bool(connection.execute("SELECT 1 FROM commits WHERE id = ?", (commit,)).fetchone())


def next_number(connection: sqlite3.Connection) -> int:
    """Return a number that no version has or had."""
    last = connection.execute(
        "SELECT max((SELECT max(number) FROM commits), coalesce((SELECT max(value) FROM "
        "json_each((SELECT value FROM meta WHERE name = 'gone'))), 0))"
    )
    return int(last.fetchone()[0]) + 1


def check_there(connection: sqlite3.Connection, commit: str) -> None:
    """Refuse a version that is not there."""
    if not has(connection, commit):
        raise UnknownVersionError(
            f"the version {commit[:8]}… is not in the store: it may have been swept away",
            hint="ds.log(all=True) lists what there is",
        )


def has_purged(connection: sqlite3.Connection, ordinals: bytes) -> bool:
    """Whether any of the packed ordinals is of a row that was purged."""
    wanted = np.frombuffer(ordinals, np.int64)
    return any(np.isin(purge.ordinals, wanted).any() for purge in read_purges(connection))


def move_ref(connection: sqlite3.Connection, move: RefMove) -> None:
    """Make, move or remove a name and note it; StaleError where it does not stand at `old`."""
    if move.new is not None:
        check_there(connection, move.new)
    values: tuple[str | None, ...]
    if move.old is None:
        sql = "INSERT OR IGNORE INTO refs VALUES (?, ?, ?)"
        values = (move.kind, move.name, move.new)
    elif move.new is None:
        sql = "DELETE FROM refs WHERE kind = ? AND name = ? AND target = ?"
        values = (move.kind, move.name, move.old)
    else:
        sql = "UPDATE refs SET target = ?3 WHERE kind = ?1 AND name = ?2 AND target = ?4"
        values = (move.kind, move.name, move.new, move.old)
    if connection.execute(sql, values).rowcount != 1:
        raise StaleError
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    connection.execute(
        "INSERT INTO reflog (kind, name, old, new, user, act, time) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*astuple(move), now),
    )


def advance(
    connection: sqlite3.Connection,
    branch: str,
    user: str,
    seen: WorkingState,
    head: str,
    act: str,
) -> WorkingState:
    """Move a branch to a version, and its working copy with it; the journal is emptied."""
    move_ref(connection, RefMove("branch", branch, seen.head, head, user, act))
    empty_journal(connection, branch, user)
    connection.execute(
        "UPDATE working SET head = ? WHERE branch = ? AND user = ?", (head, branch, user)
    )
    return WorkingState(head, 0, 0, seen.seq + 1)


def set_applied(connection: sqlite3.Connection, branch: str, user: str, applied: int) -> None:
    """Say how many gestures of a working copy are applied."""
    connection.execute(
        "UPDATE working SET applied = ? WHERE branch = ? AND user = ?", (applied, branch, user)
    )


def empty_journal(connection: sqlite3.Connection, branch: str, user: str) -> None:
    """Drop all gestures of a working copy."""
    connection.execute("DELETE FROM journal WHERE branch = ? AND user = ?", (branch, user))
    set_applied(connection, branch, user, 0)
