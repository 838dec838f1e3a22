"""The working copy that a user holds."""

from __future__ import annotations

import difflib
import getpass
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from burnish.core.delta import DROPPED, MARK, NO_DECISIONS, Delta, Ordinals, squash
from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, plain
from burnish.core.selection import Selection
from burnish.core.slices import Slice
from burnish.core.version import Version
from burnish.dataset.gesture import Gesture, Provenance, call, cells, count, decided
from burnish.dataset.history import History
from burnish.dataset.reading import Reading, classes_of, keys_at
from burnish.dataset.rows import once, ordinals_of, values_for
from burnish.dataset.snapshot import Snapshot
from burnish.dataset.state import State
from burnish.dataset.views import Decisions, Diff, Log, Staged, decisions_table, with_versions
from burnish.dataset.working import Change, WorkingCopy
from burnish.errors import (
    ClosedError,
    ColumnError,
    InputError,
    LabelError,
    NewClassWarning,
    StagedError,
)
from burnish.io.export import Export, write_export

VERDICTS = ("accepted", "kept", "skipped", "unsure")


def default_user() -> str:
    """Return who edits: ``BURNISH_USER``, else the name of the account."""
    return os.environ.get("BURNISH_USER") or _account()


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without an account
        return f"user-{os.getuid()}"


class Dataset(Reading):
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
    def roles(self) -> dict[str, Any]:
        """Role → column name, or list of names, as given to `create`."""
        return dict(self._history.roles)

    @property
    def branch_name(self) -> str:
        """Name of the branch that this working copy follows."""
        return self._copy.branch

    @property
    def store_id(self) -> str:
        """Name of the store, the same for every handle on it."""
        return self._history.store_id

    @property
    def is_open(self) -> bool:
        """Whether the dataset can be used; False after `close`."""
        return self._open

    @property
    def head(self) -> Version:
        """The version below the staged edits."""
        return self._history.version(self._copy.head)

    @property
    def fingerprint(self) -> str:
        """Content hash of the live rows, staged edits included, 64 hex digits."""
        from burnish.core.fingerprint import fingerprint
        from burnish.dataset.state import adjusted_sums

        self._check_open()
        now = self._copy.now()
        if not len(now.staged):
            return self._history.fingerprint(now.head)
        sums = self._history.sums(now.head)
        sums = adjusted_sums(sums, self._history.state(now.head), now.state, now.staged)
        return fingerprint(now.state.types(), sums, now.state.n_live)

    def relabel(
        self,
        rows: Any,
        to: Any,
        reason: str | None = None,
        because: Findings | None = None,
        strict: bool = False,
    ) -> None:
        """Give rows another label.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
            Rows to change. A bare str is one key.
        to : label, mapping of key to label, or one label per row
            The new labels; None makes a row unlabelled.
        reason : str, optional
            Why, kept with every cell.
        because : Findings, optional
            What suggested it. The rows that are among the findings also get a decision, in the
            same undoable step: ``kept`` where the label is the one given then, else ``accepted``.
        strict : bool, default False
            Refuse labels that no live row has; otherwise they only give a warning.

        Raises
        ------
        KeysError
            A key is unknown or its row was dropped.
        LabelError
            `strict`, and a label is not among the classes.
        ColumnError
            The dataset has no label column, it is part of the key, or a label does not fit its
            type.

        Warns
        -----
        NewClassWarning
            A label is new, with the nearest name there is.
        """
        column = self._label_column()
        self._refuse_key(column)
        why = self._why(reason, because)

        def make(state: State) -> Gesture:
            ordinals, new, keys = self._cells_for(state, rows, column, to)
            self._check_classes(classes_of(state, column), new, strict)
            confidence = _scores(because, keys)
            delta = cells(state, column, ordinals, new, why, confidence)
            verdicts = self._verdicts(keys, ordinals, new, because, why)
            text = f"relabel {count(len(ordinals))} to {_values_text(new)}"
            code = call("relabel", keys, _argument(new), reason=reason, because=_name(because))
            return Gesture(squash([delta, verdicts]), text, code)

        self._stage(make)

    def set(self, rows: Any, column: str, values: Any, reason: str | None = None) -> None:
        """Set cells of one column.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
        column : str
            Any column but a key column.
        values : value, mapping of key to value, or one value per row
        reason : str, optional
            Why, kept with every cell.

        Raises
        ------
        ColumnError
            The column is unknown or part of the key, or a value does not fit its type.
        KeysError
            A key is unknown or its row was dropped.
        """
        self._known([column])
        self._refuse_key(column)

        def make(state: State) -> Gesture:
            ordinals, new, keys = self._cells_for(state, rows, column, values)
            delta = cells(state, column, ordinals, new, self._why(reason))
            text = f"set {column} of {count(len(ordinals))}"
            return Gesture(delta, text, call("set", keys, column, _argument(new), reason=reason))

        self._stage(make)

    def drop(self, rows: Any, reason: str | None = None) -> None:
        """Drop rows; they can be brought back with `restore`.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
        reason : str, optional

        Raises
        ------
        KeysError
            A key is unknown or its row was dropped already.
        """
        self._flag(rows, DROPPED, True, "drop", reason)

    def restore(self, rows: Any, reason: str | None = None) -> None:
        """Bring dropped rows back; live rows stay as they are.

        Parameters
        ----------
        rows : key, sequence of keys, Selection or Findings
        reason : str, optional

        Raises
        ------
        KeysError
            A key is unknown.
        """
        self._flag(rows, DROPPED, False, "restore", reason)

    def mark(self, rows: Any, name: str, reason: str | None = None) -> None:
        """Mark rows with a name, for example ``"hard"``.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
        name : str
        reason : str, optional

        Raises
        ------
        InputError
            The name is empty.
        """
        self._flag(rows, MARK + _mark_name(name), True, "mark", reason, name)

    def unmark(self, rows: Any, name: str, reason: str | None = None) -> None:
        """Take a mark away; see `mark`."""
        self._flag(rows, MARK + _mark_name(name), False, "unmark", reason, name)

    def marked(self, name: str) -> Selection:
        """Return the live rows that carry a mark."""
        state = self._state()
        live = state.live
        hits = state.column(MARK + _mark_name(name)).to_numpy(zero_copy_only=False)[live]
        return Selection(keys_at(state, live[hits.astype(bool)]), source=f"mark {name}")

    def decide(
        self,
        rows: Any,
        verdict: str,
        because: Findings | None = None,
        reason: str | None = None,
    ) -> None:
        """Record a verdict on findings, without an edit.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
        verdict : {"accepted", "kept", "skipped", "unsure"}
        because : Findings, optional
            The findings that are judged.
        reason : str, optional

        Raises
        ------
        InputError
            The verdict is none of the four.
        KeysError
            A key is unknown or its row was dropped.
        """
        if verdict not in VERDICTS:
            raise InputError(
                f"{verdict!r} is no verdict, expected one of {', '.join(VERDICTS)}",
                hint="ds.decide(keys, 'kept', because=findings)",
            )
        why = self._why(reason, because)

        def make(state: State) -> Gesture:
            ordinals = np.unique(ordinals_of(state, rows))
            keys = keys_at(state, ordinals)
            delta = decided(ordinals, verdict, _positions(because, keys), why)
            text = f"{verdict} {count(len(ordinals))}"
            code = call("decide", keys, verdict, because=_name(because), reason=reason)
            return Gesture(delta, text, code)

        self._stage(make)

    @property
    def decisions(self) -> Decisions:
        """All decisions on this branch, staged ones included, in the order they were made."""
        self._check_open()
        now = self._copy.now()
        line = self._history.line(now.head)
        parts = [(self._name_of(commit), self._history.decisions(commit)) for commit in line]
        staged = (None, now.staged.decisions)
        return Decisions(decisions_table([*parts, staged], NO_DECISIONS), self._keys_at)

    def undo(self) -> None:
        """Take back the last staged step.

        Raises
        ------
        UndoError
            Nothing is staged.
        """
        self._check_open()
        self._copy.move(-1)

    def redo(self) -> None:
        """Do again what was undone last.

        Raises
        ------
        UndoError
            The last step was not an undo.
        """
        self._check_open()
        self._copy.move(1)

    @property
    def undo_text(self) -> str | None:
        """Name of the step that `undo` would take back."""
        applied = self._copy.applied()
        return applied[-1].text if applied else None

    @property
    def redo_text(self) -> str | None:
        """Name of the step that `redo` would do again."""
        undone = self._copy.undone()
        return undone[0].text if undone else None

    @property
    def staged(self) -> Staged:
        """Edits and decisions not committed yet; its length is the number of cells."""
        self._check_open()
        return Staged(self._copy.staged, self._keys_at)

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

    def revert(self, ref: str | Version, author: str | None = None) -> Version:
        """Write a version that takes another one's cells back to what they were.

        Parameters
        ----------
        ref : str or Version
            The version to take back, as for `at`.
        author : str, optional
            The user of the working copy by default.

        Returns
        -------
        Version

        Raises
        ------
        StagedError
            Edits are staged.
        ConflictError
            Some of the cells were changed again since.
        UndoError
            The version changed no cell.
        UnknownVersionError
            There is no such version.
        """
        self._check_open()
        return self._copy.revert(self._history.resolve(ref), author or self.user)

    def log(self) -> Log:
        """Return the versions of this branch, newest first."""
        self._check_open()
        line = self._history.line(self._copy.head)
        return Log(self._history.version(commit) for commit in reversed(line))

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
        steps = [(self._name_of(c), delta) for c, delta in self._history.between(start, end)]
        delta = squash(with_versions(steps))
        return Diff(self._name_of(start), self._name_of(end), delta, self._keys_at)

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
        return write_export(Path(path), snapshot, where, str(self.path.name))

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
        return self._history.verify()

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

    def _stage(self, make: Callable[[State], Gesture]) -> None:
        self._check_open()
        self._copy.stage(make)

    def _flag(
        self,
        rows: Any,
        column: str,
        value: bool,
        method: str,
        reason: str | None,
        *args: str,
    ) -> None:
        def make(state: State) -> Gesture:
            ordinals = np.unique(ordinals_of(state, rows, dropped=method == "restore"))
            keys = keys_at(state, ordinals)
            new = pa.array(np.full(len(ordinals), value))
            delta = cells(state, column, ordinals, new, self._why(reason))
            text = " ".join([method, count(len(ordinals)), *args])
            return Gesture(delta, text, call(method, keys, *args, reason=reason))

        self._stage(make)

    def _cells_for(
        self, state: State, rows: Any, column: str, values: Any
    ) -> tuple[Ordinals, pa.Array, KeyArray]:
        given = ordinals_of(state, rows)
        new = values_for(state, column, rows, given, values)
        ordinals, new = once(given, new, keys_at(state, given))
        return ordinals, new, keys_at(state, ordinals)

    def _refuse_key(self, column: str) -> None:
        if column in self._history.base.key:
            raise ColumnError(
                f"column {column!r} is part of the key, which never changes",
                hint="put it right in the frame and make another dataset from that",
            )

    def _why(self, reason: str | None, because: Findings | None = None) -> Provenance:
        if reason is not None and not isinstance(reason, str):
            raise InputError(f"the reason is {reason!r}, expected text", hint="reason='blurred'")
        return Provenance(self.user, reason, because.id if because is not None else None)

    def _verdicts(
        self,
        keys: KeyArray,
        ordinals: Ordinals,
        new: pa.Array,
        because: Findings | None,
        why: Provenance,
    ) -> Delta:
        places = _positions(because, keys)
        if because is None:
            return Delta()
        labels = new.to_pylist()
        rows: dict[str, list[int]] = {"accepted": [], "kept": []}
        for i, place in enumerate(places):
            if place is not None:
                same = labels[i] == plain(because.given[place])
                rows["kept" if same else "accepted"].append(i)
        return squash(
            decided(ordinals[chosen], verdict, [places[i] for i in chosen], why)
            for verdict, chosen in rows.items()
        )

    def _check_classes(self, known: list[Any], new: pa.Array, strict: bool) -> None:
        there = set(known)
        fresh = [v for v in new.unique().drop_null().to_pylist() if v not in there]
        if not fresh:
            return
        nearest = difflib.get_close_matches(str(fresh[0]), [str(name) for name in known], n=1)
        like = f"; the nearest is {nearest[0]!r}" if nearest else ""
        if strict:
            raise LabelError(
                f"{fresh[0]!r} is not among the {len(known)} classes{like}",
                hint="correct the label, or leave out strict=True to make a new class",
            )
        warnings.warn(
            f"{fresh[0]!r} is a new class{like}. Hint: ds.undo() takes it back",
            NewClassWarning,
            stacklevel=8,
        )

    def _keys_at(self, ordinals: Ordinals) -> KeyArray:
        return keys_at(self._state(), ordinals)

    def _name_of(self, commit: str) -> str:
        return self._history.version(commit).name


def _name(because: Findings | None) -> str | None:
    return "issues" if because is not None else None


def _mark_name(name: str) -> str:
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"a mark needs a name, got {name!r}", hint="ds.mark(keys, 'hard')")
    return name


def _positions(because: Findings | None, keys: KeyArray) -> list[int | None]:
    if because is None:
        return [None] * len(keys)
    return [because.ranks.get(key) for key in keys]


def _scores(because: Findings | None, keys: KeyArray) -> list[float | None] | None:
    if because is None:
        return None
    places = _positions(because, keys)
    return [None if place is None else float(because.scores[place]) for place in places]


def _values_text(new: pa.Array) -> str:
    different = new.unique().to_pylist()
    return str(different[0]) if len(different) == 1 else count(len(different), "label")


def _argument(new: pa.Array) -> Any:
    values = [plain(value) for value in new.to_pylist()]
    same = len(new) and all(value == values[0] for value in values)
    return values[0] if same else values
