"""Branches, merges, picks and added rows against a plain dict that knows who changed what last."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import burnish as bn
from burnish.dataset.reading import keys_at
from burnish.dataset.state import State
from burnish.errors import BurnishError, ConflictError, KeysError, NewClassWarning, UndoError
from losses import lost_edits
from strategies import fingerprint_of as of

BASE = ("a", "b", "c")
NEW = ("p", "q")
DROPPED, ROW, HARD = "$dropped", "$row", "$mark:hard"
USER = ("label", "score")
COLUMNS = (*USER, DROPPED, HARD)
LABELS = ("cat", "dog", None)
SCORES = (0.0, 1.0, 2.0)
some_keys = st.lists(st.sampled_from(BASE + NEW), min_size=1, max_size=2, unique=True)
values = {"label": st.sampled_from(LABELS), "score": st.sampled_from(SCORES)}
values |= {DROPPED: st.booleans(), HARD: st.booleans()}


@dataclass(frozen=True)
class Cell:
    """A value, the version that made it (None while staged) and when."""

    value: Any
    made: str | None = "v0"
    time: int = 0


@dataclass
class World:
    """The rows of one version, with where they come from, and their cells."""

    rows: dict[str, Any] = field(default_factory=dict)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def put(self, key: str, column: str, value: Any, made: str | None, time: int) -> None:
        if self.cells[key, column].value != value:
            self.cells[key, column] = Cell(value, made, time)

    def come(self, key: str, source: Any, cells: dict[str, Cell]) -> None:
        self.rows[key] = source
        self.cells |= {(key, column): cell for column, cell in cells.items()}

    def go(self, key: str) -> None:
        self.rows.pop(key, None)
        for column in COLUMNS:
            self.cells.pop((key, column), None)

    def of(self, key: str) -> dict[str, Cell]:
        return {column: self.cells[key, column] for column in COLUMNS}

    def value(self, key: str, column: str) -> Any:
        return self.rows.get(key) if column == ROW else self.cells[key, column].value

    def live(self, key: str) -> bool:
        return key in self.rows and not self.value(key, DROPPED)

    def content(self) -> Any:
        return self.rows, {place: cell.value for place, cell in self.cells.items()}


def changes(old: World, new: World) -> list[tuple[str, str, Any, Any]]:
    """Return key, column, old and new value of what differs, rows first."""
    keys = [key for key in BASE + NEW if key in old.rows or key in new.rows]
    out = [
        (key, ROW, old.rows.get(key), new.rows.get(key))
        for key in keys
        if old.rows.get(key) != new.rows.get(key)
    ]
    for key in set(old.rows) & set(new.rows):
        pairs = [(column, old.value(key, column), new.value(key, column)) for column in COLUMNS]
        out += [(key, column, a, b) for column, a, b in pairs if a != b]
    return out


class Merging:
    """A three-way merge of worlds, key by key."""

    def __init__(self, base: World, ours: World, theirs: World, made: str, rule: Any) -> None:
        self.base, self.ours, self.theirs, self.made, self.rule = base, ours, theirs, made, rule
        self.out = deepcopy(ours)
        self.conflicts: set[tuple[str, str]] = set()
        for key in BASE + NEW:
            self._key(key)

    def _key(self, key: str) -> None:
        b, o, t = (world.rows.get(key) for world in (self.base, self.ours, self.theirs))
        if t is None and o is None:
            return
        if b is None:
            self._came(key, o, t)
        elif o is None or t is None:
            self._went(key)
        else:
            self._cells(key)

    def _came(self, key: str, o: Any, t: Any) -> None:
        if o is None:
            self.out.come(key, t, self.theirs.of(key))
        elif t is not None:
            for column in USER:
                if self.ours.value(key, column) != self.theirs.value(key, column):
                    self._conflict(key, column)
            marked = self.theirs.cells[key, HARD]
            if marked.value and not self.ours.value(key, HARD):
                self.out.cells[key, HARD] = marked
            dropped = [world.value(key, DROPPED) for world in (self.ours, self.theirs)]
            if dropped[0] != dropped[1]:
                self._dropped_one(key, dropped[0], o != t or self._edited_since_added(key))

    def _edited_since_added(self, key: str) -> bool:
        side = self.theirs if self.ours.value(key, DROPPED) else self.ours
        other = self.ours if side is self.theirs else self.theirs
        return any(side.value(key, column) != other.value(key, column) for column in USER)

    def _dropped_one(self, key: str, ours_dropped: bool, edited: bool) -> None:
        if edited:
            self._conflict(key, DROPPED)
        elif not ours_dropped:
            self.out.cells[key, DROPPED] = self.theirs.cells[key, DROPPED]

    def _went(self, key: str) -> None:
        ours_went = key not in self.ours.rows
        stayed, gone = (self.theirs, self.ours) if ours_went else (self.ours, self.theirs)
        if any(stayed.value(key, c) != self.base.value(key, c) for c in USER):
            self.conflicts.add((key, ROW))
            if self._takes_theirs(key, ROW):
                self._take_row(key)
        elif gone is self.theirs:
            self.out.go(key)

    def _take_row(self, key: str) -> None:
        if key in self.theirs.rows:
            self.out.come(key, self.theirs.rows[key], self.theirs.of(key))
        else:
            self.out.go(key)

    def _cells(self, key: str) -> None:
        for column in (*USER, HARD):
            b, o, t = (w.value(key, column) for w in (self.base, self.ours, self.theirs))
            if b != o != t != b:
                self._conflict(key, column)
            elif t != b and o == b:
                self.out.cells[key, column] = self.theirs.cells[key, column]
        b, o, t = (w.value(key, DROPPED) for w in (self.base, self.ours, self.theirs))
        if o == t:
            return
        if b:  # one side restored it
            if o:
                self.out.cells[key, DROPPED] = self.theirs.cells[key, DROPPED]
            return
        editing, dropping = (self.theirs, self.ours) if o else (self.ours, self.theirs)
        edits = [
            editing.value(key, c) != self.base.value(key, c)
            and editing.value(key, c) != dropping.value(key, c)
            for c in USER
        ]
        self._dropped_one(key, o, any(edits))

    def _conflict(self, key: str, column: str) -> None:
        self.conflicts.add((key, column))
        if self._takes_theirs(key, column):
            value = self.theirs.value(key, column)
            self.out.cells[key, column] = Cell(
                value, self.made, self._time(self.theirs, key, column)
            )

    def _takes_theirs(self, key: str, column: str) -> bool:
        if self.rule == "newest":
            times = [self._time(world, key, column) for world in (self.ours, self.theirs)]
            return times[1] > times[0]
        return bool(self.rule == "theirs")

    def _time(self, world: World, key: str, column: str) -> int:
        if column in (DROPPED, ROW):
            if key not in world.rows or (column == DROPPED and world.value(key, DROPPED)):
                return world.cells[key, column].time if key in world.rows else 0
            return max(world.cells[key, name].time for name in USER)
        return world.cells[key, column].time


class GraphMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        warnings.simplefilter("ignore", NewClassWarning)
        self.folder = Path(tempfile.mkdtemp(prefix="burnish-test-"))
        frame = {"id": list(BASE), "label": ["cat"] * 3, "score": [0.0] * 3}
        self.ds = bn.create(self.folder / "x.burnish", frame, key="id", label="label")
        start = World()
        for key in BASE:
            start.come(
                key, "base", dict(zip(COLUMNS, map(Cell, ("cat", 0.0, False, False)), strict=True))
            )
        self.worlds = {"v0": start}
        self.parents: dict[str, tuple[str, ...]] = {"v0": ()}
        self.prints = {"v0": self.ds.fingerprint}
        self.heads = {"main": "v0"}
        self.tags: dict[str, str] = {}
        self.sources: dict[str, Any] = {}
        self.clock = count(1)

    def teardown(self) -> None:
        self.ds.close()
        shutil.rmtree(self.folder)

    @property
    def branch(self) -> str:
        return self.ds.branch_name

    @property
    def now(self) -> World:
        return self.worlds[self.heads[self.branch]]

    def ancestors(self, *names: str) -> set[str]:
        seen: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self.parents[name]
        return seen

    def bases(self, a: str, b: str) -> set[str]:
        shared = self.ancestors(a) & self.ancestors(b)
        older = self.ancestors(*(parent for name in shared for parent in self.parents[name]))
        return shared - older

    def note(self, version: Any, world: World, *others: str) -> None:
        head = self.heads[self.branch]
        assert version.name == f"v{len(self.worlds)}"
        self.worlds[version.name] = world
        self.parents[version.name] = (head, *others)
        self.heads[self.branch] = version.name
        self.prints[version.name] = version.fingerprint

    def refused(
        self, error: type[BurnishError] | tuple[type[BurnishError], ...], call: Any
    ) -> None:
        before = self.ds.head, self.ds.fingerprint, len(self.ds.staged), len(self.ds.log(all=True))
        with pytest.raises(error):
            call()
        after = self.ds.head, self.ds.fingerprint, len(self.ds.staged), len(self.ds.log(all=True))
        assert after == before

    @rule(rows=some_keys, column=st.sampled_from(COLUMNS), data=st.data())
    def edit_and_commit(self, rows: list[str], column: str, data: st.DataObject) -> None:
        value = data.draw(values[column])
        world = deepcopy(self.now)
        restoring = column == DROPPED and not value
        if not all(key in world.rows if restoring else world.live(key) for key in rows):
            return self.refused(KeysError, lambda: self.edit(rows, column, value))
        self.edit(rows, column, value)
        name, time = f"v{len(self.worlds)}", next(self.clock)
        for key in rows:
            world.put(key, column, value, name, time)
        self.commit(world)
        return None

    def edit(self, rows: list[str], column: str, value: Any) -> None:
        ds = self.ds
        if column == "label":
            ds.relabel(rows, value)
        elif column == "score":
            ds.set(rows, column, value)
        elif column == DROPPED:
            (ds.drop if value else ds.restore)(rows)
        else:
            (ds.mark if value else ds.unmark)(rows, "hard")

    def commit(self, world: World) -> None:
        before = self.ds.head
        version = self.ds.commit("edit")
        if world.content() == self.now.content():
            assert version == before
        else:
            self.note(version, world)

    @rule(
        rows=st.lists(st.sampled_from(NEW), min_size=1, max_size=2, unique=True),
        label=values["label"],
        score=values["score"],
        edited=st.booleans(),
        undone=st.booleans(),
    )
    def add(self, rows: list[str], label: Any, score: float, edited: bool, undone: bool) -> None:
        frame = {"id": rows, "label": [label] * len(rows), "score": [score] * len(rows)}
        if any(key in self.now.rows for key in rows):
            return self.refused(KeysError, lambda: self.ds.add(frame))
        if undone:
            self.ds.add({"id": rows, "label": ["bird"] * len(rows)})
            self.ds.set(rows, "score", 5.0)
            self.ds.undo()
            self.ds.undo()
        self.ds.add(frame)
        world, name = deepcopy(self.now), f"v{len(self.worlds)}"
        for key in rows:
            cells = dict(zip(COLUMNS, (label, score, False, False), strict=True))
            time = next(self.clock)
            made = {column: Cell(value, name, time) for column, value in cells.items()}
            world.come(key, (tuple(sorted(rows)), label, score), made)
        if edited:
            self.ds.set(rows, "score", 1.0)
            time = next(self.clock)
            for key in rows:
                world.put(key, "score", 1.0, name, time)
        state = self.ds.state
        segment = state.cells_at(ROW, np.array([ordinals(state)[rows[0]]]))[0].as_py()
        self.sources[segment] = world.rows[rows[0]]
        self.commit(world)
        return None

    @rule(name=st.sampled_from(["one", "two"]), data=st.data())
    def make_a_branch(self, name: str, data: st.DataObject) -> None:
        at = data.draw(st.sampled_from(sorted(self.worlds)))
        if name in self.heads:
            return self.refused(BurnishError, lambda: self.ds.branch(name, at))
        self.ds.branch(name, at)
        self.heads[name] = at
        return None

    @rule(data=st.data())
    def switch(self, data: st.DataObject) -> None:
        self.ds.switch(data.draw(st.sampled_from(sorted(self.heads))))

    @rule(data=st.data())
    def tag(self, data: st.DataObject) -> None:
        name = f"t{len(self.tags)}"
        self.tags[name] = data.draw(st.sampled_from(sorted(self.worlds)))
        self.ds.tag(name, self.tags[name])

    @rule(data=st.data())
    def delete_a_branch(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.heads)))
        if name in ("main", self.branch):
            return self.refused(BurnishError, lambda: self.ds.delete_branch(name))
        self.ds.delete_branch(name)
        del self.heads[name]
        return None

    @precondition(lambda self: len(self.worlds) > 2)
    @rule(resolve=st.sampled_from([None, "ours", "theirs", "newest", "cells"]), data=st.data())
    def merge(self, resolve: str | None, data: st.DataObject) -> None:
        ours = self.heads[self.branch]
        theirs = data.draw(st.sampled_from(sorted(self.worlds)))
        if theirs in self.ancestors(ours):
            assert self.ds.merge(theirs, resolve="ours").version == self.ds.head
            return
        if ours in self.ancestors(theirs):
            assert self.ds.merge(theirs).version.name == theirs
            self.heads[self.branch] = theirs
            return
        bases = self.bases(ours, theirs)
        if len(bases) > 1:
            self.merge_by_the_laws(theirs, resolve)
            return
        base, name = self.worlds[next(iter(bases))], f"v{len(self.worlds)}"
        wanted = Merging(base, self.now, self.worlds[theirs], name, resolve)
        found = self.ds.merge(theirs)
        assert {(c.key, c.column) for c in found.conflicts} == wanted.conflicts
        if not wanted.conflicts:
            self.note(found.version, wanted.out, theirs)
        elif resolve is None:
            assert found.version is None
        elif resolve == "cells":
            choices = {(c.key, c.column): c.theirs for c in found.conflicts}
            if any(column == ROW for _, column in choices):
                return
            wanted = Merging(base, self.now, self.worlds[theirs], name, "theirs")
            self.note(self.ds.merge(theirs, choices).version, wanted.out, theirs)
        else:
            if resolve == "newest" and any(column == ROW for _, column in wanted.conflicts):
                return
            self.note(self.ds.merge(theirs, resolve).version, wanted.out, theirs)

    def merge_by_the_laws(self, theirs: str, resolve: str | None) -> None:
        rule = "theirs" if resolve in (None, "cells", "newest") else resolve
        found = self.ds.merge(theirs, rule)
        ours, other = self.now, self.worlds[theirs]
        world = self.read(found.version.name)
        for key in world.rows:
            for column in USER:
                made = [w.value(key, column) for w in (ours, other) if key in w.rows]
                assert world.value(key, column) in made
        for key in set(ours.rows) & set(other.rows):
            for column in USER:
                if ours.value(key, column) == other.value(key, column) and key in world.rows:
                    assert world.value(key, column) == ours.value(key, column)
        self.note(found.version, world, theirs)

    def read(self, name: str) -> World:
        """Return what a version holds, where the model cannot say."""
        world, state = World(), self.ds.at(name).state
        for key, ordinal in ordinals(state).items():
            row = np.array([ordinal])
            source = "base" if key in BASE else self.sources[state.cells_at(ROW, row)[0].as_py()]
            cells = {}
            for column in COLUMNS:
                made = f"v{state.versions(column)[ordinal]}"
                cells[column] = Cell(state.cells_at(column, row)[0].as_py(), made, next(self.clock))
            world.come(key, source, cells)
        return world

    @precondition(lambda self: len(self.worlds) > 1)
    @rule(data=st.data(), back=st.booleans())
    def pick_or_revert(self, data: st.DataObject, back: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.worlds)[1:]))
        start, end = (name, self.parents[name][0]) if back else (self.parents[name][0], name)
        old, new = self.worlds[start], self.worlds[end]
        change = changes(old, new)
        if self.is_there_otherwise(change, new):
            return None
        wanted = self.fitted(change, new)
        act = self.ds.revert if back else self.ds.cherry_pick
        if wanted is None:
            return self.refused((ConflictError, UndoError), lambda: act(name))
        known = {start, end, *self.bases(start, self.heads[self.branch])}
        if any(self.loses(wanted, key, [self.worlds[n] for n in known]) for key in self.now.rows):
            return self.refused(ConflictError, lambda: act(name))
        if wanted.content() == self.now.content():
            if back:
                return self.refused(UndoError, lambda: act(name))
            assert act(name) == self.ds.head
            return None
        before = self.ds.state
        self.note(act(name), wanted)
        seen = [self.ds.at(version).state for version in sorted(known)]
        assert lost_edits(before, self.ds.state, seen) == []
        return None

    def loses(self, wanted: World, key: str, known: list[World]) -> bool:
        """Whether a row that goes or is dropped has edits that no known world has."""
        now, there = self.now, [world for world in known if key in world.rows]
        edited = any(
            now.value(key, column) not in [world.value(key, column) for world in there]
            for column in USER
        )
        if key in wanted.rows:
            return edited and now.live(key) and not wanted.live(key)
        marked = now.value(key, HARD) and not any(w.value(key, HARD) for w in there)
        restored = now.live(key) and not any(w.live(key) for w in there)
        return edited or marked or restored

    def is_there_otherwise(self, change: list[tuple[str, str, Any, Any]], there: World) -> bool:
        """Whether a row that a change adds is there, edited: which edits it holds is not known."""
        added = [key for key, column, _, new in change if column == ROW and new is not None]
        return any(
            self.now.rows.get(key) == there.rows[key]
            and any(self.now.value(key, c) != there.value(key, c) for c in COLUMNS)
            for key in added
        )

    def fitted(self, change: list[tuple[str, str, Any, Any]], there: World) -> World | None:
        """Return the world after a change made elsewhere, None where it conflicts."""
        world, name, time = deepcopy(self.now), f"v{len(self.worlds)}", next(self.clock)
        for key in dict.fromkeys(key for key, *_ in change):
            cells = {column: (old, new) for k, column, old, new in change if k == key}
            if ROW in cells and not self.fit_row(world, key, cells.pop(ROW), there):
                return None
            if ROW not in cells and not self.fit_cells(world, key, cells, (name, time)):
                return None
        return world

    def fit_row(self, world: World, key: str, tokens: tuple[Any, Any], there: World) -> bool:
        old, new = tokens
        now, name, time = world.rows.get(key), f"v{len(self.worlds)}", next(self.clock)
        if now == old and new is None:
            world.go(key)
        elif now == old is None:
            cells = there.of(key).items()
            world.come(key, new, {c: replace(cell, made=name, time=time) for c, cell in cells})
        elif now == old:
            world.rows[key] = new
        return now in (old, new)

    def fit_cells(
        self, world: World, key: str, cells: dict[str, tuple[Any, Any]], made: tuple[str, int]
    ) -> bool:
        if key not in world.rows:
            return not cells.keys() & set(USER)
        for column, (old, new) in cells.items():
            if world.value(key, column) not in (old, new):
                return False
            world.put(key, column, new, *made)
        return True

    @rule()
    def reopen(self) -> None:
        branch = self.branch
        self.ds.close()
        self.ds = bn.open(self.folder / "x.burnish", branch=branch)

    @rule(data=st.data())
    def look_at_a_version_from_elsewhere(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.worlds)))
        with bn.open(self.folder / "x.burnish", user="someone else") as other:
            assert_reads(other.at(name), self.worlds[name])
            assert other.at(name).fingerprint == self.prints[name]
            assert {n: v.name for n, v in other.branches.items()} == self.heads
            assert {n: v.name for n, v in other.tags.items()} == self.tags

    @rule(data=st.data())
    def compare_two_versions(self, data: st.DataObject) -> None:
        names = st.sampled_from(sorted(self.worlds))
        old, new = data.draw(names), data.draw(names)
        delta = self.ds.diff(old, new)._delta
        assert self.ds.at(old).state.apply(delta).sums() == self.ds.at(new).state.sums()

    @rule()
    def verify(self) -> None:
        assert self.ds.verify() == []

    @invariant()
    def reading_equals_the_model(self) -> None:
        assert self.ds.head.name == self.heads[self.branch]
        assert_reads(self.ds, self.now)
        if len(self.ds):
            assert self.ds.fingerprint == of(self.ds.to_arrow())

    @invariant()
    def blame_names_the_version_that_changed_each_cell_last(self) -> None:
        for column in USER:
            frame = self.ds.blame(column=column).frame()
            found = dict(zip(frame["key"], frame["version"], strict=True))
            wanted = {key: self.now.cells[key, column].made for key in found}
            assert found == wanted, column

    @invariant()
    def the_log_has_each_version_once_and_children_first(self) -> None:
        names = [version.name for version in self.ds.log()]
        assert sorted(names) == sorted(self.ancestors(self.heads[self.branch]))
        for name in names:
            assert all(names.index(parent) > names.index(name) for parent in self.parents[name])


def ordinals(state: State) -> dict[str, int]:
    """Return key → ordinal of every row that is there, dropped or not."""
    return dict(zip(keys_at(state, state.there), state.there.tolist(), strict=True))


def assert_reads(reader: Any, world: World) -> None:
    live = {key for key in world.rows if world.live(key)}
    table = reader.to_arrow().to_pydict()
    assert sorted(table["id"]) == sorted(live)
    for column in USER:
        found = dict(zip(table["id"], table[column], strict=True))
        assert found == {key: world.value(key, column) for key in live}, column
    state = reader.state
    assert set(ordinals(state)) == set(world.rows)
    marked = state.cells_at(HARD, state.live).to_pylist()
    found = dict(zip(keys_at(state, state.live), marked, strict=True))
    assert found == {key: world.value(key, HARD) for key in live}


GraphMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
test_a_graph_of_branches_behaves_like_its_model = GraphMachine.TestCase


@pytest.mark.slow
@pytest.mark.timeout(1800)
class TestLongHistories(GraphMachine.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
