"""The working copy that a user holds."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from burnish.core.delta import NO_DECISIONS, ROW
from burnish.core.selection import Selection
from burnish.core.slices import Slice
from burnish.core.version import Version
from burnish.dataset.adding import Adding
from burnish.dataset.applying import settled_in, spelled_out
from burnish.dataset.blame import Blame
from burnish.dataset.classes import Classes
from burnish.dataset.columns import Columns
from burnish.dataset.gesture import count
from burnish.dataset.history import History
from burnish.dataset.housekeeping import Housekeeping
from burnish.dataset.patching import Patching
from burnish.dataset.rebasing import Rebasing
from burnish.dataset.rows import ordinals_of
from burnish.dataset.sharing import Sharing
from burnish.dataset.snapshot import Snapshot
from burnish.dataset.state import State
from burnish.dataset.verifying import problems_of
from burnish.dataset.views import Decisions, Diff, Staged, decisions_table
from burnish.dataset.working import Change, Standing, WorkingCopy
from burnish.errors import (
    ClosedError,
    InputError,
    StagedError,
)
from burnish.io.export import Export, write_export


def default_user() -> str:
    """Return who edits: ``BURNISH_USER``, else the name of the account."""
    return os.environ.get("BURNISH_USER") or _account()


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without an account
        return f"user-{os.getuid()}"


class Dataset(Adding, Columns, Classes, Patching, Rebasing, Sharing, Housekeeping):
    """A versioned table of examples, opened as a working copy.

    Made by `burnish.create` and `burnish.open`. Reading sees staged edits; each edit is one
    undoable step that is on disk before the call returns. A context manager that closes itself.

    Notes
    -----
    An edit costs a few milliseconds whatever the size of the table; the first reading of a column
    costs its size. Safe to use from several threads and several processes.
    """

    def __init__(self, path: Path, history: History, user: str) -> None:
        self._history = history
        self._copy = WorkingCopy(history, "main", user)
        self.path = path
        self.user = user
        self._open = True

    @property
    def store_id(self) -> str:
        """Name of the store, the same for every handle on it."""
        return self._history.store_id

    @property
    def is_open(self) -> bool:
        """Whether the dataset can be used; False after `close`."""
        return self._open

    @property
    def fingerprint(self) -> str:
        """Content hash of the live rows, staged edits included, 64 hex digits."""
        from burnish.core.fingerprint import fingerprint

        self._check_open()
        now = self._copy.now()
        if not len(now.staged):
            return self._history.fingerprint(now.head)
        return fingerprint(now.state.types(), self._sums(now), now.state.n_live)

    @property
    def column_sums(self) -> dict[str, int]:
        """Column name → content hash of its live cells, staged edits included."""
        self._check_open()
        return self._sums(self._copy.now())

    def _sums(self, now: Standing) -> dict[str, int]:
        from burnish.dataset.sums import adjusted_sums

        sums = self._history.sums(now.head)
        if not len(now.staged):
            return sums
        return adjusted_sums(sums, self._history.state(now.head), now.state, now.staged)

    @property
    def decisions(self) -> Decisions:
        """All decisions on this branch, staged ones included, in the order they were made."""
        self._check_open()
        now = self._copy.now()
        line = self._history.line(now.head)
        parts = [(self._name_of(commit), self._history.decisions(commit)) for commit in line]
        staged = (None, now.staged.decisions)
        return Decisions(decisions_table([*parts, staged], NO_DECISIONS), now.state)

    @property
    def staged(self) -> Staged:
        """Edits and decisions not committed yet; its length is the number of cells."""
        self._check_open()
        now = self._copy.now()
        return Staged(now.staged, now.state)

    def discard(self) -> None:
        """Drop everything that is staged. This cannot be undone."""
        self._check_open()
        self._copy.discard()

    def commit(self, message: str, author: str | None = None) -> Version:
        """Write what is staged as a new version.

        Parameters
        ----------
        message : str
            What was done and why.
        author : str, optional
            The user of the working copy by default.

        Returns
        -------
        Version
            The new version; the head where nothing is staged.

        Raises
        ------
        InputError
            The message is empty.
        ConflictError
            Someone else committed changes of the same cells.

        Notes
        -----
        Costs the staged cells, not the table.
        """
        self._check_open()
        if not isinstance(message, str) or not message.strip():
            raise InputError(
                f"the commit message is {message!r}, expected text",
                hint="say in a few words what was done",
            )
        signed = f", author={author!r}" if author else ""
        code = f"ds.commit({message!r}{signed})"
        return self._copy.commit(message, author or self.user, code)

    def at(self, ref: str | Version) -> Snapshot:
        """Return a version as a read-only snapshot.

        Parameters
        ----------
        ref : str or Version
            A name such as ``"v3"``, a branch, an id or a fingerprint (at least six digits).

        Raises
        ------
        UnknownVersionError
            There is no such version.
        """
        self._check_open()
        return Snapshot(self._history, self._history.resolve(ref))

    def diff(self, old: str | Version, new: str | Version) -> Diff:
        """Return the net change from one version to another.

        Parameters
        ----------
        old, new : str or Version
            As for `at`.

        Raises
        ------
        UnknownVersionError
            There is no such version.
        """
        self._check_open()
        start, end = self._history.resolve(old), self._history.resolve(new)
        delta = self._history.between(start, end)
        state = partial(self._history.state, end)
        if ROW in delta.cells:
            before, after = self._history.state(start), state()
            delta = settled_in(spelled_out(delta, before, after), before, after)
        return Diff(self._name_of(start), self._name_of(end), delta, state)

    def blame(self, rows: Any = None, column: str | None = None) -> Blame:
        """Return which version gave cells the value they have, staged edits included.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings, optional
            All live rows by default.
        column : str, optional
            The label column by default.

        Returns
        -------
        Blame

        Raises
        ------
        KeysError
            A key is unknown or its row was dropped.
        ColumnError
            The column is unknown, or the dataset has no label column.
        """
        self._check_open()
        state = self._copy.state
        name = self._known([column])[0] if column is not None else self._label_column()
        ordinals = state.live if rows is None else ordinals_of(state, rows)
        return Blame(name, state, ordinals, self._history.by_number)

    def export(
        self,
        path: str | os.PathLike[str],
        where: str | Slice | Selection | None = None,
        at: str | Version | None = None,
    ) -> Export:
        """Write a version's rows to a file, with a manifest beside it.

        Parameters
        ----------
        path : path
            Ends in ``.parquet`` or ``.csv``.
        where : str, Slice or Selection, optional
            Rows to write, all by default.
        at : str or Version, optional
            The version, the head by default.

        Returns
        -------
        Export
            Paths and counts.

        Raises
        ------
        StagedError
            Edits are staged and `at` is not given.
        InputError
            The suffix is unknown, or no row is left.
        PredicateError
            `where` cannot be used.

        Notes
        -----
        Both files are written under another name first and then moved into place.
        """
        self._check_open()
        now = self._copy.now()
        if at is None and len(now.staged):
            raise StagedError(
                f"{self.staged!r} is not part of any version yet",
                hint="commit first with ds.commit('…'), or name a version with at='v0'",
            )
        snapshot = self.at(now.head if at is None else at)
        made = write_export(Path(path), snapshot, where, str(self.path.name))
        noted = {"file": made.path.name, "path": str(made.path.resolve()), "rows": made.rows}
        self.note(snapshot.version, "export", {**noted, "fingerprint": made.fingerprint})
        return made

    def on_change(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call back after each change of this working copy.

        Parameters
        ----------
        callback : callable
            Gets a `Change`.

        Returns
        -------
        callable
            Stops the calls.
        """
        return self._copy.on_change(callback)

    def verify(self) -> list[str]:
        """Return what is wrong with the store, an empty list when every byte is as written.

        Notes
        -----
        Reads the whole store once.
        """
        self._check_open()
        return problems_of(self._history)

    def close(self) -> None:
        """Close the store; staged edits stay for the next time."""
        if self._open:
            self._open = False
            self._history.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if not self._open:
            return f"Dataset({self.path.name}, closed)"
        now = self._copy.now()
        state, head, staged = now.state, self._history.version(now.head), now.staged
        known = self._history.known_fingerprint(head.id)
        content = f" (fingerprint {known[:8]}…)" if known else ""
        waiting = f", {count(len(staged), 'cell')} staged" if len(staged) else ""
        if len(staged.decisions):
            waiting += f", {count(len(staged.decisions), 'decision')} staged"
        where = f"{self.branch_name} at {head.name}{content}"
        return f"Dataset({self.path.name}: {count(state.n_live)}, {where}{waiting})"

    def _state(self) -> State:
        self._check_open()
        return self._copy.state

    def _check_open(self) -> None:
        if not self._open:
            raise ClosedError(
                f"the dataset {self.path.name} is closed", hint="open it again with bn.open(path)"
            )
