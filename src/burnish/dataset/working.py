"""A working copy: a branch's head, and the staged gestures on top of it.

Gestures are written to the journal before they are seen, so a crash loses none of them. Undo and
redo move the number of applied gestures. Every write names the state it was based on; when
another process wrote in between, it is read again and the write is done anew.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Literal, TypeVar

import numpy as np

from burnish.core.conflicts import Conflicts, Rule
from burnish.core.delta import DROPPED, Delta, Ordinals, invert, squash, unnumbered
from burnish.core.merge import three_way
from burnish.core.version import Version
from burnish.dataset.applying import came_rows, check_schema, fitted, settled, signed
from burnish.dataset.gesture import Gesture, Provenance, count
from burnish.dataset.history import History
from burnish.dataset.losing import with_lost_edits
from burnish.dataset.merging import merged
from burnish.dataset.state import State
from burnish.dataset.views import ConflictTable
from burnish.errors import BurnishError, BusyError, ConflictError, StagedError, UndoError
from burnish.store.backend import StaleError

_TRIES = 20
T = TypeVar("T")
Kind = Literal["edit", "undo", "redo", "commit", "discard", "switch", "refs", "external"]


@dataclass(frozen=True)
class Change:
    """What happened to a working copy.

    Attributes
    ----------
    kind : str
        ``edit``, ``undo``, ``redo``, ``commit``, ``discard``, ``switch``, ``refs`` when a
        branch or tag came or went, or ``external`` when another process did it.
    text, code : str
        In words, and as the Python call that does the same.
    rows : array of ordinals
        Rows that an edit, an undo or a redo was about.
    reshaped : bool
        Whether rows came or went, or columns, roles or names of classes changed.
    """

    kind: Kind
    text: str
    code: str
    rows: Ordinals = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    reshaped: bool = False


@dataclass(frozen=True, eq=False)
class Standing:
    """Where a working copy stands at one moment: three things that fit each other."""

    head: str
    staged: Delta
    state: State


class WorkingCopy:
    """A branch as one user sees it, with staged gestures."""

    def __init__(self, history: History, branch: str, user: str) -> None:
        self.history = history
        self.branch = branch
        self.user = user
        self._lock = threading.RLock()
        self._listeners: list[Callable[[Change], None]] = []
        self._where = history.backend.working(branch, user)
        self._gestures: list[Gesture] = []
        self._staged = Delta()
        self._state: State = history.state(self._where.head)
        self._load()

    def now(self) -> Standing:
        """Return head, staged change and state of one moment."""
        self.refresh()
        with self._lock:
            return Standing(self._where.head, self._staged, self._state)

    @property
    def head(self) -> str:
        """Id of the version below the staged gestures."""
        self.refresh()
        return self._where.head

    @property
    def state(self) -> State:
        """All cells, staged edits included."""
        self.refresh()
        return self._state

    @property
    def staged(self) -> Delta:
        """The net change of the applied gestures."""
        self.refresh()
        return self._staged

    def applied(self) -> list[Gesture]:
        """Return the gestures that are applied, oldest first."""
        self.refresh()
        return self._gestures[: self._where.applied]

    def undone(self) -> list[Gesture]:
        """Return the gestures that redo would apply, next first."""
        self.refresh()
        return self._gestures[self._where.applied :]

    def on_change(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call back after each change; returns a function that stops it."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    def refresh(self) -> None:
        """Notice what other processes wrote."""
        with self._lock:
            epoch = self._epoch
            found = self.history.backend.working(self.branch, self.user)
            moved = found.seq != self._where.seq
            if moved:
                self._load()
            moved = self._follow() or moved
            reshaped = self._epoch != epoch
        if moved:
            self.tell(Change("external", "changed in another process", "", reshaped=reshaped))

    def reload(self, text: str, code: str) -> None:
        """Read everything anew after this process took something away."""
        with self._lock:
            self._load()
        self.tell(Change("external", text, code, reshaped=True))

    def stage(self, make: Callable[[State], Gesture]) -> Gesture:
        """Journal and apply a gesture made from the state of this moment."""
        self.history.backend.check_writable()

        def attempt() -> Gesture:
            gesture = make(self._state)
            if gesture.delta:
                self._append(gesture)
            return gesture

        gesture = self._retry(attempt)
        if gesture.delta:
            reshaped = gesture.changes_shape
            self.tell(Change("edit", gesture.text, gesture.code, gesture.rows, reshaped))
        return gesture

    def move(self, step: Literal[-1, 1]) -> Gesture:
        """Undo (-1) or redo (1) one gesture."""

        def attempt() -> Gesture:
            gesture = self._neighbour(step)
            target = self._where.applied + step
            self._where = self.history.backend.move(self.branch, self.user, self._where, target)
            self._derive()
            return gesture

        gesture = self._retry(attempt)
        kind: Kind = "undo" if step < 0 else "redo"
        text, reshaped = f"{kind}: {gesture.text}", gesture.changes_shape
        self.tell(Change(kind, text, f"ds.{kind}()", gesture.rows, reshaped))
        return gesture

    def discard(self) -> Delta:
        """Drop all staged gestures; return what they were."""

        def attempt() -> Delta:
            gone = self._staged
            self._where = self.history.backend.clear(self.branch, self.user, self._where)
            self._gestures = []
            self._derive()
            return gone

        gone = self._retry(attempt)
        self.tell(Change("discard", "discard staged edits", "ds.discard()"))
        return gone

    def revert(self, commit: str, author: str) -> Version:
        """Write a version that takes one version's cells back to what they were."""
        name = self.history.version(commit).name
        why = Provenance(author, f"revert {name}")
        before = self._parent(commit)
        hint = "set those cells by hand, or revert the later version first"

        def make() -> Delta:
            back = signed(invert(self.history.delta(commit)), why)
            if not len(back):
                raise UndoError(f"{name} changed no cell", hint="ds.log() shows what each changed")
            fitting = self._fitting(back, (commit, before), f"reverting {name}", hint)
            if fitting is None:
                raise UndoError(
                    f"nothing of {name} is left to take back", hint="ds.log() shows who did"
                )
            return fitting

        return self._write(make, f"revert {name}", author, f"ds.revert({name!r})")

    def cherry_pick(self, commit: str, author: str) -> Version:
        """Write a version that makes the change of another one here."""
        version = self.history.version(commit)
        hint = (
            f"merge the whole branch, or set those cells by hand: ds.diff('v0', {version.name!r})"
        )
        ends = self._parent(commit), commit

        def make() -> Delta | None:
            change = unnumbered(self.history.delta(commit))
            return self._fitting(change, ends, f"picking {version.name}", hint)

        message = f"{version.message} (picked from {version.name})"
        return self._write(make, message, author, f"ds.cherry_pick({version.name!r})")

    def merge(
        self, theirs: str, rule: Rule | None, message: str, author: str, code: str
    ) -> tuple[Version | None, Conflicts]:
        """Bring another version's changes in; nothing is written where conflicts are left."""
        left: list[Conflicts] = [Conflicts()]
        why = Provenance(author, message)
        graph = self.history.graph

        def make() -> Delta | None:
            self.refuse_staged(f"merging {self.history.version(theirs).name}")
            head = self._where.head
            if graph.contains(head, theirs):
                return None
            if graph.contains(theirs, head):
                self._forward(theirs, message)
                return None
            delta, left[0] = merged(self.history, head, theirs, rule, why)
            return None if len(left[0]) else self.history.signed(delta)

        version = self._write(make, message, author, code, others=(theirs,))
        return (None if len(left[0]) else version), left[0]

    def commit(self, message: str, author: str, code: str) -> Version:
        """Write the staged net change as a version; the head when there is none."""
        return self._write(lambda: self._staged or None, message, author, code)

    def _fitting(self, change: Delta, ends: tuple[str, str], doing: str, hint: str) -> Delta | None:
        """Return what a change from one version to another makes here."""
        self.refuse_staged(doing)
        taken, left = fitted(self._state, change)
        left = with_lost_edits(left, self._state, taken, partial(self._known_to, ends))
        if len(left):
            raise conflict_error(left, self._state, doing, hint)
        after = self._state.apply(taken)
        check_schema(after.schema)
        came = came_rows(taken)
        if len(came):
            taken = squash([taken, unnumbered(settled(after, self.history.state(ends[1]), came))])
        return taken or None

    def _parent(self, commit: str) -> str:
        parents = self.history.version(commit).parents
        return parents[0] if parents else commit

    def _known_to(self, ends: tuple[str, str]) -> list[State]:
        """Return the states that a change from one version to another, brought here, has seen."""
        bases = self.history.graph.merge_bases(ends[0], self._where.head)
        return [self.history.state(commit) for commit in dict.fromkeys([*ends, *bases])]

    def _forward(self, target: str, act: str) -> None:
        backend = self.history.backend
        self._where = backend.advance(self.branch, self.user, self._where, target, act)
        self._gestures = []
        self._derive()

    def refuse_staged(self, doing: str) -> None:
        """Refuse what needs a clean working copy."""
        if self._staged:
            raise StagedError(
                f"{len(self._staged)} staged cells and {len(self._staged.decisions)} "
                f"decisions are in the way of {doing}",
                hint="commit them with ds.commit('…'), or drop them with ds.discard()",
            )

    def _write(
        self,
        make: Callable[[], Delta | None],
        message: str,
        author: str,
        code: str,
        others: tuple[str, ...] = (),
    ) -> Version:
        """Write what `make` gives as a version; the head where it gives None."""
        txn_id = uuid.uuid4().hex
        start = self._where.head

        def attempt() -> Version | None:
            change = make()
            if change is None:
                return None
            parents = [self._where.head, *others]
            like = self._state if self._staged else None
            record = self.history.record(change, parents, message, author, txn_id)
            stored, self._where = self.history.backend.commit(
                self.branch, self.user, self._where, record, message
            )
            self.history.written(stored)
            self._gestures, self._staged = [], Delta()
            self._state = self.history.after(parents[0], stored.id, change, like)
            return self.history.version(stored.id)

        version = self._retry(attempt, txn_id)
        if version is None:
            version = self.history.version(self._where.head)
            if version.id != start:
                self.tell(
                    Change("commit", f"{message}: now at {version.name}", code, reshaped=True)
                )
            return version
        self.tell(Change("commit", f"commit {version.name}: {message}", code))
        return version

    def _append(self, gesture: Gesture) -> None:
        backend = self.history.backend
        applied = self._where.applied
        self._where = backend.append(self.branch, self.user, self._where, gesture.encode())
        self._gestures = [*self._gestures[:applied], gesture]
        self._staged = squash([self._staged, gesture.delta])
        self._state = self._state.apply(gesture.delta)

    def _neighbour(self, step: int) -> Gesture:
        place = self._where.applied - 1 if step < 0 else self._where.applied
        if 0 <= place < len(self._gestures):
            return self._gestures[place]
        if step > 0:
            raise UndoError("there is nothing to redo", hint="redo follows an undo directly")
        name = self.history.version(self._where.head).name
        raise UndoError(
            f"there is nothing to undo: all edits are committed in {name}",
            hint=f"to take a version back, use ds.revert({name!r})",
        )

    def _retry(self, attempt: Callable[[], T], txn_id: str | None = None) -> T:
        self.refresh()
        for _ in range(_TRIES):
            with self._lock:
                try:
                    return attempt()
                except StaleError:
                    self._catch_up()
                except BurnishError:
                    if txn_id and (found := self.history.backend.find_txn(txn_id)):
                        self._catch_up()
                        return self.history.version(found.id)  # type: ignore[return-value]
                    raise
        raise BusyError(
            f"{_TRIES} tries to write to {self.history.path} met other writers",
            hint="wait a moment, then try again",
        )

    def _catch_up(self) -> None:
        self._load()
        if not self._branch_moved() or self._follow():
            return
        # Another process of this user may have committed these very cells since the load.
        if self.history.backend.working(self.branch, self.user).seq == self._where.seq:
            raise ConflictError(
                f"branch {self.branch!r} moved on and changed cells that are staged here too",
                hint="ds.staged.frame() shows yours; ds.discard() takes the other side",
            )

    def _branch_moved(self) -> bool:
        return self.history.head(self.branch) != self._where.head

    def _follow(self) -> bool:
        """Move to the branch's new head where nobody changed the cells that are staged here."""
        if not self._branch_moved():
            return False
        self.history.refresh()
        target = self.history.head(self.branch)
        theirs = self.history.between(self._where.head, target)
        if not self._go_with([self._staged], theirs, target):
            return False
        steps = [gesture.delta for gesture in self._gestures]  # undone ones too, which may clash
        journal = None if self._go_with(steps, theirs, target) else self._collapsed()
        try:
            self._where = self.history.backend.rebase(
                self.branch, self.user, self._where, target, journal
            )
        except StaleError:
            return False
        self._load() if journal is not None else self._derive()
        return True

    def _go_with(self, steps: list[Delta], theirs: Delta, target: str) -> bool:
        """Whether changes that follow each other can stand on another head, each step of them."""
        steps = [step for step in steps if len(step)]
        if not steps:
            return True
        if any(_overlap(step, theirs) for step in steps):
            return False
        state = self.history.state(target)
        try:
            for step in steps:
                state = state.apply(step)
                check_schema(state.schema)
        except ConflictError:
            return False
        return True

    def _collapsed(self) -> list[bytes]:
        """Return the net change as one step: the old values in the steps no longer hold."""
        if not self._staged:
            return []
        return [Gesture(self._staged, "the edits so far", "").encode()]

    def _load(self) -> None:
        self._where, blobs = self.history.backend.journal(self.branch, self.user)
        self.history.refresh_rows()
        self._epoch = self.history.epoch
        self._gestures = [Gesture.decode(blob) for blob in blobs]
        self._derive()

    def _derive(self) -> None:
        applied = self._gestures[: self._where.applied]
        self._staged = squash(gesture.delta for gesture in applied)
        head = self.history.state(self._where.head)
        self._state = head.apply(self._staged) if self._staged else head

    def on(self, branch: str) -> WorkingCopy:
        """Return the user's working copy of another branch, with the same listeners."""
        other = WorkingCopy(self.history, branch, self.user)
        other._listeners = self._listeners
        return other

    def tell(self, change: Change) -> None:
        """Call the listeners."""
        failures: list[Exception] = []
        for callback in list(self._listeners):
            try:
                callback(change)
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]


def conflict_error(left: Conflicts, state: State, doing: str, hint: str) -> ConflictError:
    """Return the error that names the first conflicts of a change and carries them all."""
    table = ConflictTable(left, state)
    shown = ", ".join(f"{c.column} of {c.key!r}" for c in islice(table, 3))
    error = ConflictError(
        f"{count(len(left), 'cell')} {'is' if len(left) == 1 else 'are'} not as {doing} expects "
        f"them, among them {shown}",
        hint=hint,
    )
    error.conflicts = table
    return error


def _overlap(mine: Delta, theirs: Delta) -> bool:
    facts = set(mine.facts["name"].to_pylist()) & set(theirs.facts["name"].to_pylist())
    if facts or any(len(np.intersect1d(mine.ordinals(c), theirs.ordinals(c))) for c in mine.cells):
        return True
    if _drops_edited(mine, theirs) or _drops_edited(theirs, mine):
        return True
    return bool(len(three_way(mine, theirs).conflicts))


def _drops_edited(dropping: Delta, editing: Delta) -> bool:
    dropped = dropping.ordinals(DROPPED)
    return any(len(np.intersect1d(dropped, editing.ordinals(c))) for c in editing.cells)
