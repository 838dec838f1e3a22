"""The state that all widgets of one dataset share, and the acts that change it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import ROW, Delta, Ordinals, numbers
from burnish.core.finding import Findings
from burnish.core.keys import key_array
from burnish.core.selection import Selection
from burnish.core.version import Version
from burnish.dataset import Change, Dataset
from burnish.dataset.reading import keys_at, known_ordinals
from burnish.dataset.snapshot import Snapshot
from burnish.dataset.state import State
from burnish.errors import BurnishError, InputError, UnknownVersionError, ViewingError
from burnish.review import ReviewPlan
from burnish.review.lines import View, lay_out
from burnish.review.value import Evidence
from burnish.session.background import NEIGHBOURS, Background
from burnish.session.classes import NO_CLASS, ClassTable, Codes, label_codes
from burnish.session.layout import Layout, Projector, check_method, empty_layout, first_layout
from burnish.session.queue import Queue, bits

Topic = Literal["data", "head", "selection", "current", "queue", "layout", "evidence"]
Listener = Callable[[Topic], None]
Mask = npt.NDArray[np.bool_]
_sessions: weakref.WeakValueDictionary[tuple[str, Path, str, str], Session]
_NO_FINDINGS = Findings("label-issue", key_array(()), np.empty(0), key_array(()), key_array(()))


@dataclass(frozen=True)
class Act:
    """Something that was done: in words and as Python."""

    text: str
    code: str
    seq: int


class Session:
    """What the widgets of one dataset share.

    Parameters
    ----------
    ds : Dataset

    Attributes
    ----------
    n_rows : int
        Ordinals of all rows that were seen, dropped ones included; never shrinks.
    revision : int
        How often `n_rows` grew.

    Notes
    -----
    Every widget on the same working copy gets the same session from `of`, so they follow each
    other. Listeners are told what changed and read it anew.
    """

    def __init__(self, ds: Dataset) -> None:
        self.ds = ds
        self.queue: Queue | None = None
        self.current = -1
        self.selected: Ordinals = np.empty(0, np.int64)
        self.source = ""
        self.acts: list[Act] = []
        self.memo: dict[str, Any] = {}
        self.layout: Layout | None = None
        self.n_rows = 0
        self.revision = -1
        self._viewed: Snapshot | None = None
        self._listeners: list[Listener] = []
        self._projector: Projector | None = None
        self._others: weakref.WeakKeyDictionary[Dataset, Callable[[], None]]
        self._others = weakref.WeakKeyDictionary()
        self._on_main: Callable[[Callable[[], None]], None] = lambda call: call()
        self._background = self._make_background()
        self.classes = ClassTable([])
        self._labelled: tuple[str | None, dict[Any, Any]] = (None, {})
        self._watch(ds)
        self._read_head()

    @property
    def label(self) -> str | None:
        """Name of the label column."""
        return self.roles.get("label")

    @property
    def viewing(self) -> str | None:
        """Id of the version that is looked at in place of the working copy, None for none."""
        return self._viewed.version.id if self._viewed else None

    @property
    def version(self) -> Version:
        """The version that is shown: the one looked at, else the head."""
        return self._viewed.version if self._viewed else self.ds.head

    @property
    def state(self) -> State:
        """All cells as they are shown: of the version looked at, else of the working copy."""
        return self._viewed.state if self._viewed else self.ds.state

    @property
    def roles(self) -> dict[str, Any]:
        """Role → column name, or list of names, as shown."""
        return self._viewed.roles if self._viewed else self.ds.roles

    @property
    def staged(self) -> Delta:
        """The staged change as shown: nothing while an old version is looked at."""
        return Delta() if self._viewed else self.ds.staged.delta

    @property
    def _ground(self) -> State:
        """What staged labels are drawn over: the head, unless rows or columns are staged too."""
        if self._viewed or _reshapes(self.staged):
            return self.state
        return self.ds.at(self.ds.head).state

    @property
    def selection(self) -> Selection:
        """The selected rows by key."""
        return Selection(keys_at(self.ds.state, self.selected), self.source or None)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call back with the topic of each change; returns a function that stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def run_on(self, schedule: Callable[[Callable[[], None]], None]) -> None:
        """Say how work that ends in a thread is brought back to the kernel's own."""
        self._on_main = schedule

    def review(self, under: Findings | ReviewPlan) -> None:
        """Make findings the queue under review; the first undecided one becomes current.

        A plan also says which rows are drawn at random, and how many errors are left.
        """
        plan, findings = (under, under.issues) if isinstance(under, ReviewPlan) else (None, under)
        ordinals = known_ordinals(self.ds.state, findings.keys)
        self.queue = self._judged(Queue.of(findings, ordinals, plan))
        self._tell("queue")
        if self.current not in self.queue.rank_of:
            first = self.queue.after(-1)
            self.focus(first if first != -1 else int(ordinals[0]) if len(ordinals) else -1)

    def select(self, rows: Selection | list[Any] | None) -> None:
        """Replace the selection by keys."""
        chosen = (
            rows if isinstance(rows, Selection) else Selection(rows if rows is not None else ())
        )
        ordinals = known_ordinals(self.ds.state, key_array(chosen.keys))
        self.select_rows(np.unique(ordinals), chosen.source or "")

    def check_keys(self, rows: Selection) -> None:
        """Refuse a selection of keys that are unknown."""
        known_ordinals(self.ds.state, key_array(rows.keys))

    def select_rows(self, ordinals: Ordinals, source: str) -> None:
        """Replace the selection by ordinals."""
        self.selected = ordinals
        self.source = source
        self._tell("selection")

    def focus(self, row: int) -> None:
        """Make a row the current one, -1 for none."""
        if row != -1:
            self.check_row(row)
        if row != self.current:
            self.current = row
            self._tell("current")

    def step(self, by: int, undecided: bool) -> None:
        """Move the current row along the queue."""
        if self.queue is not None:
            self.focus(self.queue.step(self.current, by, undecided))

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
        if self._viewed is not None:
            self._show(None)

    def check_editable(self) -> None:
        """Refuse to change anything while an old version is looked at.

        Raises
        ------
        ViewingError
        """
        if self._viewed is not None:
            raise ViewingError(
                f"you are looking at {self.version.name}, which is read-only, so nothing was "
                "changed",
                hint=f"return to {self.ds.branch_name} first",
            )

    def undo(self) -> None:
        """Take the last step back."""
        self.check_editable()
        self.ds.undo()

    def redo(self) -> None:
        """Do again what was undone."""
        self.check_editable()
        self.ds.redo()

    def revert(self, ref: str) -> tuple[str, str]:
        """Take a version back and show the branch; return the new version's name and its words."""
        version = self.ds.revert(ref)
        self.return_to_branch()
        return version.name, version.message

    def relabel(self, rows: list[int] | None, to: str, reason: str | None, advance: bool) -> None:
        """Give rows, or the selection, a class."""
        self.check_editable()
        ordinals = self._rows(rows)
        value = self.classes.value(to)
        self.ds.relabel(self._keys(ordinals), value, reason=reason, because=self._because(ordinals))
        self._advance(advance)

    def decide(self, row: int, verdict: str, reason: str | None, advance: bool) -> None:
        """Record a verdict on the finding of a row."""
        self.check_editable()
        self.check_row(row)
        because = self._because(np.array([row]))
        if because is None:
            raise InputError(
                f"row {keys_at(self.ds.state, np.array([row]))[0]!r} has no finding to judge",
                hint="choose a row of the list",
            )
        self.ds.decide(self._keys(np.array([row])), verdict, because=because, reason=reason)
        self._advance(advance)

    def drop(self, rows: list[int] | None, reason: str | None, advance: bool) -> None:
        """Drop rows, or the selection."""
        self.check_editable()
        self.ds.drop(self._keys(self._rows(rows)), reason=reason)
        self._advance(advance)

    def restore(self, rows: list[int] | None) -> None:
        """Bring dropped rows, or those of the selection, back."""
        self.check_editable()
        ordinals = self.selected if rows is None else self._rows(rows)
        self.ds.restore(self._keys(ordinals))

    def mark(self, rows: list[int] | None, name: str) -> None:
        """Mark rows, or the selection."""
        self.check_editable()
        self.ds.mark(self._keys(self._rows(rows)), name)

    def commit(self, message: str, author: str | None) -> tuple[str, str]:
        """Commit what is staged; return the version's name and what it holds."""
        self.check_editable()
        text = repr(self.ds.staged).removeprefix("Staged(").removesuffix(")")
        return self.ds.commit(message, author=author).name, text

    def script(self) -> str:
        """Return the acts so far as Python that does the same on a dataset ``ds``."""
        lines = [act.code for act in self.acts]
        if self.queue is not None:
            lines = [*self.queue.assumed(lines), *lines]
        return "\n".join(lines)

    def project(self, method: str) -> None:
        """Lay the rows out for the map; UMAP follows in the background."""
        check_method(method)
        try:
            layout = first_layout(self.ds, method)
        except BurnishError:
            if method != "auto":
                raise
            layout = empty_layout(self.n_rows)
        self._stop_projecting()
        self._set_layout(layout)
        if layout.pending:
            self._projector = Projector(self.ds, self._replacer(self.layout))

    def close(self) -> None:
        """Stop background work."""
        self._background.stop()
        self._stop_projecting()

    def _stop_projecting(self) -> None:
        if self._projector is not None:
            self._projector.cancel()

    @property
    def live_codes(self) -> Codes:
        """Class code of every row now, staged edits included."""
        codes = self.head_codes.copy()
        rows, new = self.staged_codes()
        codes[rows] = new
        return codes

    @property
    def live(self) -> Mask:
        """Which of all rows are live as shown."""
        state = self.state
        if state.n_ordinals == self.n_rows:
            return state.live_mask
        return state.is_live(np.arange(self.n_rows, dtype=np.int64))

    def staged_codes(self) -> tuple[npt.NDArray[np.uint32], Codes]:
        """Return the rows whose class is staged to change, and their new codes."""
        table = self._staged_labels()
        if table is None:
            return np.empty(0, np.uint32), np.empty(0, np.uint16)
        return numbers(table, "ordinal").astype(np.uint32), self.classes.codes(table["new"])

    def class_counts(self) -> npt.NDArray[np.int64]:
        """Return how many live rows each class has."""
        codes = self.live_codes[self.live]
        return np.bincount(codes[codes != NO_CLASS], minlength=len(self.classes))

    def selected_mask(self) -> Mask:
        """Return which rows are selected."""
        return bits(self.selected, self.n_rows)

    def hidden(self) -> Mask:
        """Return which rows the map does not show: dropped, or without coordinates."""
        gone = ~self.live
        if self.layout is None:
            return gone
        return np.asarray(gone | self.layout.missing)

    @property
    def evidence_seq(self) -> int:
        """Grows when evidence that was given before may be out of date."""
        return self._background.seq

    def evidence(self, row: int) -> Evidence:
        """Return what is known by now for and against the finding on a row; computes the rest."""
        self.check_row(row)
        findings = self.queue.findings if self.queue else _NO_FINDINGS
        grounds = self._background.grounds(self.ds, findings)
        view = View(self.state, self.ds.decisions.table)
        return lay_out(view, findings, grounds, np.array([row], np.int64), NEIGHBOURS)

    def flagged(self) -> Mask:
        """Return which rows have a finding without a verdict."""
        return bits(self.queue.undecided() if self.queue else [], self.n_rows)

    def label_codes(self, rows: list[int]) -> list[int]:
        """Return the code of the class that each row has as shown, ``NO_CLASS`` for none."""
        if self.label is None:
            return [NO_CLASS] * len(rows)
        labels = self.state.take(self.label, np.array(rows, np.int64))
        return [int(code) for code in self.classes.codes(labels)]

    def class_name(self, code: int) -> str | None:
        """Return the name of a class, None for no class."""
        return None if code == NO_CLASS else self.classes.names[code]

    def _make_background(self) -> Background:
        session = weakref.ref(self)

        def schedule(call: Callable[[], None]) -> None:
            alive = session()
            if alive is not None:
                alive._on_main(call)

        def told() -> None:
            alive = session()
            if alive is not None:
                alive._tell("evidence")

        return Background(schedule, told)

    def _watch(self, ds: Dataset) -> None:
        session = weakref.ref(self)

        def hear(change: Change) -> None:
            alive = session()
            if alive is not None:
                alive._hear(change)

        self._unwatch = ds.on_change(hear)

    def rebind(self, ds: Dataset) -> None:
        """Follow another working copy of the same store, after the first was closed."""
        self._unwatch()
        self.ds = ds
        stop = self._others.pop(ds, None)
        if stop is not None:
            stop()
        self._watch(ds)
        self._look_again()
        self._read_head()
        self._tell("head")
        self._judge()

    def follow(self, ds: Dataset) -> None:
        """Notice at once what is done through another handle on the same working copy."""
        if ds in self._others:
            return
        session = weakref.ref(self)

        def hear(change: Change) -> None:
            alive = session()
            if alive is not None and alive.ds.is_open:
                alive._record(change)
                bool(alive.ds.staged)  # reading it notices the change
                alive._focus_undone(change)

        self._others[ds] = ds.on_change(hear)

    def _record(self, change: Change) -> None:
        if change.code:
            self._say(change.text, change.code)

    def _say(self, text: str, code: str) -> None:
        self.acts.append(Act(text, code, len(self.acts) + 1))

    def _hear(self, change: Change) -> None:
        self._record(change)
        if change.kind == "switch":
            self._move()
        whole = change.kind in ("commit", "external", "discard", "switch")
        if whole or change.reshaped or _reshapes(self.staged):
            self._read_head()
            self._tell("head")
        else:
            self._grow_classes()
            self._tell("data")
        self._judge()
        self._focus_undone(change)

    def _focus_undone(self, change: Change) -> None:
        if change.kind in ("undo", "redo") and len(change.rows) == 1:
            self.focus(int(change.rows[0]))

    def _judge(self) -> None:
        if self.queue is not None:
            self.queue = self._judged(self.queue)
            self._tell("queue")

    def _judged(self, queue: Queue) -> Queue:
        queue = queue.planned()
        live = self.ds.state.is_live(queue.ordinals)
        return queue.judged(self.ds.decisions.table, queue.ordinals[~live].tolist())

    def _show(self, snapshot: Snapshot | None) -> None:
        self._viewed = snapshot
        self._read_head()
        self._tell("head")

    def _look_again(self) -> None:
        """Read the version that is looked at through the dataset that is open now."""
        if self._viewed is not None:
            try:
                self._viewed = self.ds.at(self._viewed.version)
            except UnknownVersionError:
                self._viewed = None

    def _read_head(self) -> None:
        self._grow()
        label, ground = self.label, self._ground
        if label is None:
            self.classes, self._labelled = ClassTable([]), (None, {})
            self.head_codes: Codes = np.full(self.n_rows, NO_CLASS, np.uint16)
            return
        now = (ground.id_of(label), ground.schema.renamed_classes)
        column, self._labelled, before = ground.column(label), now, self._labelled
        if now[0] == before[0]:
            self.classes = self.classes.renamed(before[1], now[1]).extended(column)
        else:
            self.classes = ClassTable.of(column)
        self._grow_classes()
        self.head_codes = self._sized(label_codes(ground, label, self.classes))

    def _grow(self) -> None:
        """Take in rows that were added, and give them a place; who reads the head then tells."""
        size = self.ds.state.n_ordinals
        if size <= self.n_rows:
            return
        self.n_rows, self.revision = size, self.revision + 1
        if self.layout is not None:
            again = self.layout.name in ("given", "pca")
            made = first_layout(self.ds, self.layout.name) if again else self.layout
            self._place(made)

    def _move(self) -> None:
        """Be found under the branch that the dataset follows now."""
        for name in [name for name, session in _sessions.items() if session is self]:
            del _sessions[name]
        _sessions.setdefault(_name_of(self.ds), self)

    def _sized(self, codes: Codes) -> Codes:
        """Return codes for all rows: those that a version does not have yet have no class."""
        missing = max(0, self.n_rows - len(codes))
        return np.pad(codes[: self.n_rows], (0, missing), constant_values=NO_CLASS)

    def _staged_labels(self) -> pa.Table | None:
        label, staged = self.label, self.staged
        if label is None or _reshapes(staged):
            return None
        return staged.cells.get(self.state.id_of(label))

    def _grow_classes(self) -> None:
        table = self._staged_labels()
        if table is not None:
            self.classes = self.classes.extended(table["new"].combine_chunks())

    def _place(self, layout: Layout) -> None:
        seq = self.layout.seq + 1 if self.layout else 0
        self.layout = replace(layout.extended(self.n_rows), seq=seq)

    def _set_layout(self, layout: Layout) -> None:
        self._place(layout)
        self._tell("layout")

    def _replacer(self, shown: Layout | None) -> Callable[[Layout | None], None]:
        return lambda made: self._on_main(lambda: self._settle(made, shown))

    def _settle(self, made: Layout | None, shown: Layout | None) -> None:
        if shown is None or self.layout is not shown:
            return
        self._set_layout(made if made is not None else Layout(shown.name, shown.coordinates))

    def _advance(self, advance: bool) -> None:
        if advance and self.queue is not None and self.current in self.queue.rank_of:
            self.focus(self.queue.after(self.current))

    def _rows(self, rows: list[int] | None) -> Ordinals:
        if rows is None:
            return self.selected[self.ds.state.is_live(self.selected)]
        for row in rows:
            self.check_row(row)
        return np.array(rows, dtype=np.int64)

    def check_row(self, row: int) -> None:
        """Refuse a row that is not there."""
        if not 0 <= row < self.n_rows:
            raise InputError(
                f"there is no row {row}, rows go from 0 to {self.n_rows - 1}",
                hint="reload the widget: run its cell again",
            )

    def _keys(self, ordinals: Ordinals) -> list[Any]:
        return list(keys_at(self.ds.state, ordinals))

    def _because(self, ordinals: Ordinals) -> Findings | None:
        if self.queue is None or not any(int(o) in self.queue.rank_of for o in ordinals):
            return None
        if len(ordinals) == 1:
            return self.queue.because(int(ordinals[0]))
        return self.queue.findings

    def _tell(self, topic: Topic) -> None:
        for listener in list(self._listeners):
            listener(topic)


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


def _reshapes(staged: Delta) -> bool:
    """Whether a change adds rows or changes columns, roles or classes."""
    return ROW in staged.cells or bool(len(staged.facts))
