"""One SQLite file: its connections, its transactions, and what its errors mean."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from burnish.errors import BusyError, ClosedError, CorruptError, ReadOnlyError, WriteError

_BUSY_SECONDS = 30
_UNWRITTEN = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_TRUNCATE")
_STILL = "mode=ro&immutable=1"  # reads a file without a log, leaving nothing beside it


class SqliteFile:
    """A SQLite file in write-ahead mode.

    Every write is one ``BEGIN IMMEDIATE`` transaction with full synchronisation; each thread has
    a connection of its own.

    Parameters
    ----------
    path : Path
    read_only : bool
        Work on a copy in memory and leave the file alone.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._copy = f"file:burnish-{uuid.uuid4().hex}?mode=memory&cache=shared"
        self._file = _identity(path)
        self._local = threading.local()
        self._open: dict[threading.Thread, sqlite3.Connection] = {}
        self._lock = threading.Lock()
        self._closed = False

    def check_writable(self) -> None:
        """Raise ReadOnlyError where nothing may be written."""
        if self.read_only:
            raise ReadOnlyError(
                f"the store {self.path.parent} was opened read-only",
                hint="open it with bn.open(path) where the folder can be written, "
                "or copy the folder first",
            )

    def integrity(self) -> list[str]:
        """Return what SQLite finds wrong with the file, nothing when it is sound."""
        try:
            found = [str(row[0]) for row in self._rows("PRAGMA integrity_check")]
        except CorruptError as error:
            return [error.message]
        return [] if found == ["ok"] else found

    def close(self) -> None:
        """Checkpoint, so that one file holds everything, and close all connections."""
        if self._closed:
            return
        try:
            self._rows("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._closed = True
            with self._lock:
                for connection in self._open.values():
                    connection.close()
                self._open.clear()

    def abandon(self) -> None:
        """Close without a checkpoint, for a store that cannot be used."""
        self._closed = True
        for connection in self._open.values():
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise ClosedError(
                f"the store {self.path.parent} is closed", hint="open it again with bn.open(path)"
            )
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._connect()
            self._local.connection = found
        return found

    def _connect(self) -> sqlite3.Connection:
        connection = self._copied() if self.read_only else _connect(self._uri("mode=rw"))
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        with self._lock:
            for thread in [thread for thread in self._open if not thread.is_alive()]:
                self._open.pop(thread).close()
            self._open[threading.current_thread()] = connection
        return connection

    def _uri(self, options: str) -> str:
        return f"{self.path.absolute().as_uri()}?{options}"

    def _copied(self) -> sqlite3.Connection:
        """Return a connection to a copy in memory, which the first connection fills."""
        connection = _connect(self._copy)
        connection.execute("PRAGMA read_uncommitted=ON")  # such readers wait for no writer
        copied = bool(self._open)
        while not copied:
            before = self._traces()
            with closing(_connect(self._uri("mode=ro" if before[1] else _STILL))) as source:
                source.backup(connection)
            copied = before[1] or before == self._traces()
        return connection

    def _traces(self) -> tuple[int, bool]:
        """Return what shows that somebody writes: when the file changed, and a log beside it."""
        log = self.path.with_name(self.path.name + "-wal")
        return self.path.stat().st_mtime_ns, log.exists()

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with translated(self.path):
            return self._connection().execute(sql, values).fetchall()

    @contextmanager
    def _read(self, what: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError, KeyError) as error:
            raise self._corrupt(f"has a {what} that cannot be read: {error}") from error

    def _check_file(self) -> None:
        if _identity(self.path) != self._file:
            raise self._corrupt("was removed or replaced while it was open")

    def _corrupt(self, what: str) -> CorruptError:
        return CorruptError(
            f"the store {self.path.parent} {what}", hint="restore the folder from a copy"
        )

    def _write(self) -> AbstractContextManager[sqlite3.Connection]:
        self.check_writable()
        return self._note()

    def _note(self) -> AbstractContextManager[sqlite3.Connection]:
        """Begin a write that follows from what is there, which a copy in memory takes too."""
        return self._transaction("BEGIN IMMEDIATE")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with translated(self.path):
            connection = self._connection()
            self._check_file()
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _reason(error: sqlite3.Error) -> str:
    return str(getattr(error, "sqlite_errorname", ""))  # the binding's own errors have none


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise what SQLite says of a file as errors of burnish."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise BusyError(
                f"another process has held {path.parent} for {_BUSY_SECONDS} s",
                hint="close the other notebook or wait, then try again",
            ) from error
        kind = WriteError if _reason(error).startswith(_UNWRITTEN) else CorruptError
        raise kind(
            f"SQLite cannot use {path}: {error}", hint="check the disk's free space and rights"
        ) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # its message may hold the bytes
        raise CorruptError(
            f"SQLite cannot read {path}: {error}", hint="restore the folder from a copy"
        ) from error
