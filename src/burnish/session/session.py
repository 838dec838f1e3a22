"""The state that all widgets of one dataset share, and the acts that change it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.core.delta import Delta, Ordinals
from burnish.core.finding import Findings
from burnish.core.version import Version
from burnish.dataset import Change, Dataset
from burnish.dataset.snapshot import Snapshot
from burnish.dataset.state import State
from burnish.review import ReviewPlan
from burnish.review.value import Evidence
from burnish.session.classes import ClassTable, Codes
from burnish.session.coding import Coding
from burnish.session.editing import Editing
from burnish.session.handles import Handles
from burnish.session.layout import Layout
from burnish.session.listeners import Listener, Listeners
from burnish.session.placing import Placing
from burnish.session.queue import Queue, bits
from burnish.session.reviewing import Reviewing
from burnish.session.shown import Shown
from burnish.session.weighing import Weighing

Mask = npt.NDArray[np.bool_]
_sessions: weakref.WeakValueDictionary[tuple[str, Path, str, str], Session]


@dataclass(frozen=True)
class Act:
    """Something that was done: in words and as Python."""

    text: str
    code: str
    seq: int


class Session(Editing):
    """What the widgets of one dataset share.

    Parameters
    ----------
    ds : Dataset

    Notes
    -----
    Every widget on the same working copy gets the same session from `of`, so they follow each
    other. Listeners are told what changed and read it anew.
    """

    def __init__(self, ds: Dataset) -> None:
        self.selected: Ordinals = np.empty(0, np.int64)
        self.source = ""
        self.acts: list[Act] = []
        self.memo: dict[str, Any] = {}
        self._listeners = Listeners()
        self._shown = Shown(ds)
        self._coding = Coding(self._shown)
        self._placing = Placing(self._shown)
        self._reviewing = Reviewing(self._shown, self._listeners)
        self._weighing = Weighing(self._shown, self._listeners)
        self._handles = Handles(self._hear, self._overhear)
        self._handles.work_with(ds)
        self._read_head()

    @property
    def ds(self) -> Dataset:
        """The working copy that is shown and changed."""
        return self._shown.ds

    @property
    def n_rows(self) -> int:
        """Ordinals of all rows that were seen, dropped ones included; never shrinks."""
        return self._shown.n_rows

    @property
    def revision(self) -> int:
        """How often `n_rows` grew."""
        return self._shown.revision

    @property
    def label(self) -> str | None:
        """Name of the label column."""
        return self._shown.label

    @property
    def viewing(self) -> str | None:
        """Id of the version that is looked at in place of the working copy, None for none."""
        return self._shown.viewing

    @property
    def version(self) -> Version:
        """The version that is shown: the one looked at, else the head."""
        return self._shown.version

    @property
    def state(self) -> State:
        """All cells as they are shown: of the version looked at, else of the working copy."""
        return self._shown.state

    @property
    def roles(self) -> dict[str, Any]:
        """Role → column name, or list of names, as shown."""
        return self._shown.roles

    @property
    def staged(self) -> Delta:
        """The staged change as shown: nothing while an old version is looked at."""
        return self._shown.staged

    @property
    def live(self) -> Mask:
        """Which of all rows are live as shown."""
        return self._shown.live

    @property
    def classes(self) -> ClassTable:
        """The classes, by code."""
        return self._coding.classes

    @property
    def head_codes(self) -> Codes:
        """Class code of every row without what is staged."""
        return self._coding.head_codes

    @property
    def live_codes(self) -> Codes:
        """Class code of every row now, staged edits included."""
        return self._coding.live_codes()

    @property
    def layout(self) -> Layout | None:
        """Where each row stands on the map, None until a picture is asked for."""
        return self._placing.layout

    @property
    def queue(self) -> Queue | None:
        """The findings under review, None for none."""
        return self._reviewing.queue

    @property
    def current(self) -> int:
        """The row that is looked at, -1 for none."""
        return self._reviewing.current

    @property
    def evidence_seq(self) -> int:
        """Grows when evidence that was given before may be out of date."""
        return self._weighing.seq

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call back with the topic of each change; returns a function that stops it."""
        self._listeners.add(listener)
        return lambda: self._listeners.remove(listener)

    def run_on(self, schedule: Callable[[Callable[[], None]], None]) -> None:
        """Say how work that ends in a thread is brought back to the kernel's own."""
        self._listeners.on_main = schedule

    def review(self, under: Findings | ReviewPlan) -> None:
        """Make findings the queue under review; the first undecided one becomes current.

        A plan also says which rows are drawn at random, and how many errors are left.
        """
        self._reviewing.start(under)

    def focus(self, row: int) -> None:
        """Make a row the current one, -1 for none."""
        self._reviewing.focus(row)

    def step(self, by: int, undecided: bool) -> None:
        """Move the current row along the queue."""
        self._reviewing.step(by, undecided)

    def evidence(self, row: int) -> Evidence:
        """Return what is known by now for and against the finding on a row; computes the rest."""
        return self._weighing.evidence(row, self.queue)

    def view(self, ref: str) -> None:
        """Look at a version in all widgets; nothing can be changed until `return_to_branch`.

        Parameters
        ----------
        ref : str
            A name, branch or id; the head where nothing is staged is the working copy itself.

        Raises
        ------
        UnknownVersionError
            There is no such version.
        """
        snapshot = self.ds.at(ref)
        if snapshot.version == self.ds.head and not self.ds.staged:
            self.return_to_branch()
        elif snapshot.version.id != self.viewing:
            name = snapshot.version.name
            self._say(f"look at {name}", f"ds.at({name!r})")
            self._show(snapshot)

    def return_to_branch(self) -> None:
        """Show the working copy again."""
        if self.viewing is not None:
            self._show(None)

    def revert(self, ref: str) -> tuple[str, str]:
        """Take a version back and show the branch; return the new version's name and its words."""
        version = self.ds.revert(ref)
        self.return_to_branch()
        return version.name, version.message

    def script(self) -> str:
        """Return the acts so far as Python that does the same on a dataset ``ds``."""
        lines = [act.code for act in self.acts]
        if self.queue is not None:
            lines = [*self.queue.assumed(lines), *lines]
        return "\n".join(lines)

    def project(self, method: str) -> None:
        """Lay the rows out for the map; UMAP follows in the background."""
        self._placing.draw(method)
        self._listeners.tell("layout")
        self._placing.improve(self._replace_layout)

    def close(self) -> None:
        """Stop background work."""
        self._weighing.stop()
        self._placing.stop()

    def staged_codes(self) -> tuple[npt.NDArray[np.uint32], Codes]:
        """Return the rows whose class is staged to change, and their new codes."""
        return self._coding.staged_codes()

    def class_counts(self) -> npt.NDArray[np.int64]:
        """Return how many live rows each class has."""
        return self._coding.counts()

    def label_codes(self, rows: list[int]) -> list[int]:
        """Return the code of the class that each row has as shown, ``NO_CLASS`` for none."""
        return self._coding.codes_at(rows)

    def class_name(self, code: int) -> str | None:
        """Return the name of a class, None for no class."""
        return self._coding.name_of(code)

    def selected_mask(self) -> Mask:
        """Return which rows are selected."""
        return bits(self.selected, self.n_rows)

    def hidden(self) -> Mask:
        """Return which rows the map does not show: dropped, or without coordinates."""
        gone = ~self.live
        if self.layout is None:
            return gone
        return np.asarray(gone | self.layout.missing)

    def flagged(self) -> Mask:
        """Return which rows have a finding without a verdict."""
        return bits(self._reviewing.undecided(), self.n_rows)

    def check_row(self, row: int) -> None:
        """Refuse a row that is not there."""
        self._shown.check_row(row)

    def rebind(self, ds: Dataset) -> None:
        """Follow another working copy of the same store, after the first was closed."""
        self._handles.work_with(ds)
        self._shown.reopen(ds)
        self._read_head()
        self._listeners.tell("head")
        self._reviewing.judge()

    def follow(self, ds: Dataset) -> None:
        """Notice at once what is done through another handle on the same working copy."""
        self._handles.follow(ds)

    def _hear(self, change: Change) -> None:
        self._record(change)
        if change.kind == "switch":
            self._move()
        whole = change.kind in ("commit", "external", "discard", "switch")
        if whole or change.reshaped or self._shown.is_reshaped:
            self._read_head()
            self._listeners.tell("head")
        else:
            self._coding.read_staged()
            self._listeners.tell("data")
        self._reviewing.judge()
        self._focus_undone(change)

    def _overhear(self, change: Change) -> None:
        if self.ds.is_open:
            self._record(change)
            bool(self.ds.staged)  # reading it notices the change
            self._focus_undone(change)

    def _record(self, change: Change) -> None:
        if change.code:
            self._say(change.text, change.code)

    def _say(self, text: str, code: str) -> None:
        self.acts.append(Act(text, code, len(self.acts) + 1))

    def _focus_undone(self, change: Change) -> None:
        if change.kind in ("undo", "redo") and len(change.rows) == 1:
            self.focus(int(change.rows[0]))

    def _show(self, snapshot: Snapshot | None) -> None:
        self._shown.look_at(snapshot)
        self._read_head()
        self._listeners.tell("head")

    def _read_head(self) -> None:
        if self._shown.grow():
            self._placing.grow()
        self._coding.read()

    def _replace_layout(self, settle: Callable[[], bool]) -> None:
        self._listeners.on_main(lambda: self._listeners.tell("layout") if settle() else None)

    def _move(self) -> None:
        """Be found under the branch that the dataset follows now."""
        for name in [name for name, session in _sessions.items() if session is self]:
            del _sessions[name]
        _sessions.setdefault(_name_of(self.ds), self)


_sessions = weakref.WeakValueDictionary()


def of(ds: Dataset) -> Session:
    """Return the session of a working copy, the same for each handle on it in this process."""
    name = _name_of(ds)
    found = _sessions.get(name)
    if found is None:
        found = Session(ds)
        _sessions[name] = found
    elif found.ds is not ds:
        found.follow(ds) if found.ds.is_open else found.rebind(ds)
    return found


def _name_of(ds: Dataset) -> tuple[str, Path, str, str]:
    return ds.store_id, ds.path.resolve(), ds.branch_name, ds.user  # a copy has the same id
