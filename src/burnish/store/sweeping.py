"""What a store keeps although nothing leads to it, and how that goes.

Everything is kept that can be reached from a branch, a tag, a branch of another copy, the head or
the staged edits of a working copy, or a cell that names the version which made it.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from burnish.core.delta import VERSION, Delta
from burnish.core.schema import files_of
from burnish.store.base import BASE, INDEX, rewritten_base
from burnish.store.codec import decode
from burnish.store.rows import SWEPT

GRACE = timedelta(hours=1)  # a file this young may be one that another process is about to name
FOLDERS = ("segments", "columns")
_DRAFT = re.compile(rf"\.(base|keys)\..+|({'|'.join(map(re.escape, INDEX))})\.[0-9a-f]+")
_OF_VERSIONS = (
    ("parents", "child"),
    ("sums", "commit_id"),
    ("keyframes", "commit_id"),
    ("links", "commit_id"),
)
_REWRITTEN = re.compile(r"base\.[0-9a-f]+\.arrow")


@dataclass(frozen=True)
class Litter:
    """What nothing leads to.

    Attributes
    ----------
    versions : tuple of (int, str)
        Number and id.
    segments : tuple of (int, int)
        Place of a segment in the store, and the last of its ordinals.
    files : tuple of Path
    working : tuple of (str, str)
        Branch and user of working copies whose branch was removed.
    size : int
        Bytes.
    """

    versions: tuple[tuple[int, str], ...]
    segments: tuple[tuple[int, int], ...]
    files: tuple[Path, ...]
    working: tuple[tuple[str, str], ...]
    size: int

    def __bool__(self) -> bool:
        return bool(self.versions or self.segments or self.files or self.working)


def find(connection: sqlite3.Connection, folder: Path, since: str | None = None) -> Litter:
    """Return what nothing leads to.

    Parameters
    ----------
    connection : Connection
        In a transaction.
    folder : Path
        The store's folder.
    since : str, optional
        A time as in the reflog: versions that a name stood at since are kept too.
    """
    left = _left_behind(connection)
    reach = _Reach(connection)
    reach.follow(_roots(connection, since, left))
    staged = connection.execute("SELECT branch, user, gesture FROM journal").fetchall()
    for branch, user, blob in staged:
        if (branch, user) not in left:
            reach.note(decode(blob)[0])
    sizes = connection.execute(
        "SELECT number, id, length(delta) + length(seed) + length(header) FROM commits "
        "ORDER BY number"
    ).fetchall()
    versions = [row for row in sizes if row[1] not in reach.versions]
    segments, files = _unused(connection, folder, reach)
    return Litter(
        versions=tuple((number, commit) for number, commit, _ in versions),
        segments=tuple(segments),
        files=tuple(files),
        working=tuple(sorted(left)),
        size=sum(size for _, _, size in versions) + sum(map(_size, files)),
    )


def remove(connection: sqlite3.Connection, litter: Litter) -> None:
    """Take versions and registrations out of the store; their numbers and ordinals stay taken."""
    if not (litter.versions or litter.segments or litter.working):
        return
    connection.executemany("DELETE FROM commits WHERE number = ?", [v[:1] for v in litter.versions])
    for table, column in _OF_VERSIONS:
        connection.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM commits)")
    for table in ("working", "journal"):
        connection.executemany(
            f"DELETE FROM {table} WHERE branch = ? AND user = ?",
            litter.working,
        )
    connection.executemany(
        "UPDATE segments SET name = ?, ordinals = ? WHERE place = ?",
        [
            (f"{SWEPT}{place}", np.array([last], np.int64).tobytes(), place)
            for place, last in litter.segments
        ],
    )
    _note_gone(connection, [number for number, _ in litter.versions])
    turn(connection)


def turn(connection: sqlite3.Connection) -> None:
    """Tell every other handle that what it has read may be gone."""
    connection.execute(
        "INSERT INTO meta VALUES ('epoch', '1') "
        "ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )
    connection.execute("UPDATE working SET seq = seq + 1")


def unlink(files: Iterable[Path]) -> None:
    """Remove files, but those that somebody takes into use at this moment."""
    for path in files:
        aside = path.with_name(f".{path.name.lstrip('.')}.swept")
        try:
            path.rename(aside)
        except FileNotFoundError:
            continue
        if is_young(aside) and not path.exists():
            aside.rename(path)
        else:
            aside.unlink()


def is_young(path: Path) -> bool:
    """Whether a file was written, or taken into use again, a short while ago."""
    try:
        return path.stat().st_mtime > time.time() - GRACE.total_seconds()
    except FileNotFoundError:
        return False


def drafts(folder: Path) -> Iterator[Path]:
    """Return files that were to become others, whose writer may have been killed."""
    yield from (path for path in folder.iterdir() if _DRAFT.fullmatch(path.name))
    for name in FOLDERS:
        if (folder / name).is_dir():
            yield from (path for path in (folder / name).iterdir() if path.name.startswith("."))


def bases(folder: Path, current: str) -> list[Path]:
    """Return bases that purges wrote, but not the one in use."""
    found = (path for path in folder.iterdir() if _REWRITTEN.fullmatch(path.name))
    return [path for path in found if path.name != current]


class _Reach:
    """What can be reached: versions, and the files that they and staged edits refer to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.versions: set[str] = set()
        self.segments: set[str] = set()
        self.columns: set[str] = set()

    def follow(self, commits: Iterable[str]) -> None:
        todo = list(commits)
        while todo:
            commit = todo.pop()
            found = self._connection.execute(
                "SELECT header, delta FROM commits WHERE id = ?", (commit,)
            ).fetchone()
            if found is None or commit in self.versions:
                continue
            self.versions.add(commit)
            todo += json.loads(found[0])["parents"]
            todo += self.note(decode(found[1])[0])

    def note(self, delta: Delta) -> list[str]:
        """Take note of the files that a change refers to; return the versions it names."""
        segments, columns = files_of(delta)
        self.segments |= segments
        self.columns |= columns.keys()
        named = [t[VERSION].unique() for t in delta.cells.values() if VERSION in t.column_names]
        return [commit for names in named for commit in names.to_pylist() if commit is not None]


def _roots(
    connection: sqlite3.Connection, since: str | None, left: set[tuple[str, str]]
) -> set[str]:
    first = connection.execute("SELECT id FROM commits ORDER BY number LIMIT 1").fetchall()
    roots = {commit for (commit,) in [*first, *connection.execute("SELECT target FROM refs")]}
    for branch, user, head in connection.execute("SELECT branch, user, head FROM working"):
        if (branch, user) not in left:
            roots.add(head)
    if since is not None:
        for old, new in connection.execute("SELECT old, new FROM reflog WHERE time >= ?", (since,)):
            roots |= {old, new}
    return roots - {None}


def _left_behind(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return working copies of branches that were removed, nothing being staged there."""
    return set(
        connection.execute(
            "SELECT branch, user FROM working WHERE applied = 0 AND branch NOT IN "
            "(SELECT name FROM refs WHERE kind = 'branch')"
        )
    )


def _unused(
    connection: sqlite3.Connection, folder: Path, reach: _Reach
) -> tuple[list[tuple[int, int]], list[Path]]:
    """Return the segments and the files that nothing refers to, those left out that are young."""
    base, rewritten = _rewritten(connection)
    kept = {"segments": set(reach.segments), "columns": set(reach.columns)}
    unused = []
    for place, name, ordinals in connection.execute("SELECT place, name, ordinals FROM segments"):
        path = folder / "segments" / f"{rewritten.get(name, name)}.arrow"
        if name in reach.segments or is_young(path):
            kept["segments"].add(name)
        elif not name.startswith(SWEPT):
            unused.append((place, int(np.frombuffer(ordinals, np.int64).max(initial=-1))))
    files = [*drafts(folder), *bases(folder, base)]
    for part, names in kept.items():
        used = {f"{rewritten.get(name, name)}.arrow" for name in names}
        if (folder / part).is_dir():
            found = (path for path in (folder / part).iterdir() if not path.name.startswith("."))
            files += [path for path in found if path.name not in used]
    return unused, sorted(path for path in files if not is_young(path))


def _rewritten(connection: sqlite3.Connection) -> tuple[str, dict[str, str]]:
    """Return the name of the base, and that of each file which took the place of another."""
    base, names = BASE, {}
    for (content,) in connection.execute("SELECT content FROM purges ORDER BY place"):
        for kind, name, _, after in json.loads(content)["files"]:
            if kind == "base":
                base = rewritten_base(after)
            else:
                names[name] = after
    return base, names


def _note_gone(connection: sqlite3.Connection, numbers: list[int]) -> None:
    found = connection.execute("SELECT value FROM meta WHERE name = 'gone'").fetchone()
    gone = sorted({*json.loads(found[0] if found else "[]"), *numbers})
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('gone', ?)", (json.dumps(gone),))


def _size(path: Path) -> int:
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0
