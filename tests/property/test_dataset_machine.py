"""A dataset against a plain dict: after every step, reading equals the model."""

from __future__ import annotations

import math
import shutil
import tempfile
import warnings
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import burnish as bn
from burnish.core.delta import squash
from burnish.errors import BurnishError, ConflictError, KeysError, NewClassWarning, UndoError
from losses import lost_edits
from strategies import LABELS
from strategies import fingerprint_of as of

KEYS = ("a", "b", "c", "ключ", "with 'quote'")
keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)
labels = st.one_of(st.none(), st.sampled_from(LABELS))
scores = st.one_of(st.none(), st.floats(allow_nan=True), st.integers(-5, 5))
marks = st.sampled_from(["hard", "two words"])


@dataclass
class Model:
    """What a dataset should hold."""

    label: dict[str, Any]
    score: dict[str, Any]
    dropped: set[str] = field(default_factory=set)
    marks: dict[str, set[str]] = field(default_factory=dict)
    verdicts: list[tuple[str, str]] = field(default_factory=list)

    def content(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "score": self.score,
            "dropped": self.dropped,
            "marks": {name: rows for name, rows in self.marks.items() if rows},
        }


def clean(value: Any) -> Any:
    return None if value is None or math.isnan(value) else float(value)


class DatasetMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        warnings.simplefilter("ignore", NewClassWarning)
        self.folder = Path(tempfile.mkdtemp(prefix="burnish-test-"))
        self.path = self.folder / "x.burnish"
        start = Model(dict.fromkeys(KEYS, "cat"), {key: float(i) for i, key in enumerate(KEYS)})
        self.frame = {"id": list(KEYS), "label": ["cat"] * 5, "score": [0.0, 1.0, 2.0, 3.0, 4.0]}
        self.ds = bn.create(self.path, self.frame, key="id", label="label")
        self.versions = {"v0": start}
        self.line = ["v0"]
        self.prints = {"v0": self.ds.fingerprint}
        self.undo_stack: list[Model] = []
        self.redo_stack: list[Model] = []
        self.now = deepcopy(start)

    def teardown(self) -> None:
        self.ds.close()
        shutil.rmtree(self.folder)

    def step(self, after: Model) -> None:
        """Note an edit; one that changes nothing is no step."""
        if (after.content(), after.verdicts) == (self.now.content(), self.now.verdicts):
            return
        self.undo_stack.append(self.now)
        self.redo_stack.clear()
        self.now = after

    def live(self, rows: list[str]) -> bool:
        return not self.now.dropped & set(rows)

    def refused(self, error: type[BurnishError], call: Any, *args: Any) -> None:
        before = self.ds.fingerprint, len(self.ds.staged), self.ds.undo_text
        with pytest.raises(error):
            call(*args)
        assert (self.ds.fingerprint, len(self.ds.staged), self.ds.undo_text) == before

    @rule(rows=keys, to=labels)
    def relabel(self, rows: list[str], to: Any) -> None:
        if not self.live(rows):
            return self.refused(KeysError, self.ds.relabel, rows, to)
        after = deepcopy(self.now)
        after.label.update(dict.fromkeys(rows, to))
        self.ds.relabel(rows, to, reason="r")
        self.step(after)
        return None

    @rule(rows=keys, data=st.data())
    def set_scores(self, rows: list[str], data: st.DataObject) -> None:
        new = data.draw(st.lists(scores, min_size=len(rows), max_size=len(rows)))
        if not self.live(rows):
            return self.refused(KeysError, self.ds.set, rows, "score", new)
        after = deepcopy(self.now)
        after.score.update({key: clean(v) for key, v in zip(rows, new, strict=True)})
        self.ds.set(rows, "score", dict(zip(rows, new, strict=True)))
        self.step(after)
        return None

    @rule(rows=keys)
    def drop(self, rows: list[str]) -> None:
        if not self.live(rows):
            return self.refused(KeysError, self.ds.drop, rows)
        after = deepcopy(self.now)
        after.dropped |= set(rows)
        self.ds.drop(rows)
        self.step(after)
        return None

    @rule(rows=keys)
    def restore(self, rows: list[str]) -> None:
        after = deepcopy(self.now)
        after.dropped -= set(rows)
        self.ds.restore(rows)
        self.step(after)

    @rule(rows=keys, name=marks, on=st.booleans())
    def mark(self, rows: list[str], name: str, on: bool) -> None:
        if not self.live(rows):
            return
        after = deepcopy(self.now)
        marked = after.marks.setdefault(name, set())
        marked.update(rows) if on else marked.difference_update(rows)
        (self.ds.mark if on else self.ds.unmark)(rows, name)
        self.step(after)

    @rule(rows=keys, verdict=st.sampled_from(["accepted", "kept", "skipped", "unsure"]))
    def decide(self, rows: list[str], verdict: str) -> None:
        if not self.live(rows):
            return self.refused(KeysError, self.ds.decide, rows, verdict)
        after = deepcopy(self.now)
        after.verdicts += [(key, verdict) for key in sorted(rows, key=KEYS.index)]
        self.ds.decide(rows, verdict)
        self.step(after)
        return None

    @rule()
    def undo(self) -> None:
        if not self.undo_stack:
            return self.refused(UndoError, self.ds.undo)
        self.ds.undo()
        self.redo_stack.append(self.now)
        self.now = self.undo_stack.pop()
        return None

    @rule()
    def redo(self) -> None:
        if not self.redo_stack:
            return self.refused(UndoError, self.ds.redo)
        self.ds.redo()
        self.undo_stack.append(self.now)
        self.now = self.redo_stack.pop()
        return None

    @rule()
    def undo_all_and_redo_all(self) -> None:
        seen = self.ds.fingerprint, self.ds.to_arrow()
        for _ in self.undo_stack:
            self.ds.undo()
        assert self.ds.fingerprint == self.prints[self.line[-1]]
        for _ in self.undo_stack:
            self.ds.redo()
        assert (self.ds.fingerprint, self.ds.to_arrow()) == seen

    @rule()
    def discard(self) -> None:
        self.ds.discard()
        self.now = deepcopy(self.versions[self.line[-1]])
        self.undo_stack.clear()
        self.redo_stack.clear()

    @rule()
    def commit(self) -> None:
        before = self.ds.head
        head = self.versions[self.line[-1]]
        changed = (self.now.content(), self.now.verdicts) != (head.content(), head.verdicts)
        expected = self.ds.fingerprint
        version = self.ds.commit("done")
        if not changed:
            assert version == before
            return
        assert (version.name, version.fingerprint) == (f"v{len(self.versions)}", expected)
        assert version.parents == (before.id,)
        self.note(version.name)

    @rule(key=st.sampled_from(KEYS), to=labels)
    def relabel_and_commit(self, key: str, to: Any) -> None:
        self.relabel([key], to)
        self.commit()

    @precondition(lambda self: len(self.line) > 1)
    @rule()
    def look_back_from_the_head(self) -> None:
        head = self.versions[self.line[-1]]
        frame = self.ds.diff(self.line[-1], "v0").frame()
        changed = frame[frame["column"] == "label"]
        found = {key: (old, new) for key, old, new in changed[["key", "old", "new"]].values}
        first = self.versions["v0"].label
        assert found == {
            key: (head.label[key], first[key]) for key in KEYS if head.label[key] != first[key]
        }

    def note(self, name: str) -> None:
        self.versions[name] = deepcopy(self.now)
        self.line.append(name)
        self.prints[name] = self.ds.fingerprint
        self.undo_stack.clear()
        self.redo_stack.clear()

    @precondition(lambda self: not self.ds.staged and len(self.line) > 1)
    @rule()
    def revert_the_head(self) -> None:
        head, parent = self.versions[self.line[-1]], self.versions[self.line[-2]]
        if head.content() == parent.content():
            return
        version = self.ds.revert(self.line[-1])
        self.now = deepcopy(parent)
        self.now.verdicts = deepcopy(head.verdicts)
        self.note(version.name)
        assert version.fingerprint == self.prints[self.line[-3]]

    @precondition(lambda self: not self.ds.staged and len(self.line) > 2)
    @rule(data=st.data())
    def revert_any(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.line[1:-1]))
        frame = self.ds.diff(self.line[self.line.index(name) - 1], name).frame()
        before, state = self.ds.fingerprint, self.ds.state
        ends = name, self.line[self.line.index(name) - 1]
        try:
            version = self.ds.revert(name)
        except (ConflictError, UndoError):
            assert self.ds.fingerprint == before
            assert not self.ds.staged
            return
        known = [self.ds.at(end).state for end in ends]
        assert lost_edits(state, self.ds.state, known) == []
        for key, column, old in zip(frame["key"], frame["column"], frame["old"], strict=True):
            self.put(key, column, old)
        self.note(version.name)

    def put(self, key: str, column: str, value: Any) -> None:
        if column in ("label", "score"):
            getattr(self.now, column)[key] = value
            return
        rows = self.now.dropped
        if column != "$dropped":
            rows = self.now.marks.setdefault(column.removeprefix("$mark:"), set())
        rows.add(key) if value else rows.discard(key)

    @rule(data=st.data())
    def look_at_a_version(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.versions)))
        snapshot = self.ds.at(name)
        assert_reads(snapshot, self.versions[name])
        assert snapshot.fingerprint == self.prints[name]
        assert self.versions[self.ds.at(snapshot.fingerprint).version.name].content()[
            "label"
        ].keys() == set(KEYS)

    @rule(data=st.data())
    def compare_two_versions(self, data: st.DataObject) -> None:
        names = st.sampled_from(sorted(self.versions))
        old, new = data.draw(names), data.draw(names)
        forth, back = self.ds.diff(old, new), self.ds.diff(new, old)
        assert len(squash([forth._delta, back._delta])) == 0
        assert len(forth) == len(back)
        moved = self.ds.at(old)._state().apply(forth._delta)
        assert moved.sums() == self.ds.at(new)._state().sums()

    @rule()
    def close_and_open_again(self) -> None:
        self.ds.close()
        self.ds = bn.open(self.path)

    @rule(shuffled=st.permutations(range(5)))
    def create_again(self, shuffled: list[int]) -> None:
        self.ds.close()
        frame = {name: [cells[i] for i in shuffled] for name, cells in self.frame.items()}
        self.ds = bn.create(self.path, frame, key="id", label="label")

    @rule()
    def verify(self) -> None:
        assert self.ds.verify() == []

    @invariant()
    def reading_equals_the_model(self) -> None:
        assert_reads(self.ds, self.now)
        for name in ("hard", "two words"):
            wanted = self.now.marks.get(name, set()) - self.now.dropped
            assert set(self.ds.marked(name).keys) == wanted

    @invariant()
    def the_fingerprint_is_the_one_from_scratch(self) -> None:
        if len(self.ds):
            assert self.ds.fingerprint == of(self.ds.to_arrow())

    @invariant()
    def decisions_and_steps_are_kept(self) -> None:
        frame = self.ds.decisions.frame()
        assert list(zip(frame["key"], frame["verdict"], strict=True)) == self.now.verdicts
        assert (self.ds.undo_text is None) == (not self.undo_stack)
        assert (self.ds.redo_text is None) == (not self.redo_stack)

    @invariant()
    def staged_counts_changed_cells(self) -> None:
        head = self.versions[self.line[-1]]
        columns = [(getattr(self.now, name), getattr(head, name)) for name in ("label", "score")]
        changed = sum(now[key] != old[key] for now, old in columns for key in KEYS)
        changed += len(self.now.dropped ^ head.dropped)
        for name in ("hard", "two words"):
            changed += len(self.now.marks.get(name, set()) ^ head.marks.get(name, set()))
        assert len(self.ds.staged) == changed


def assert_reads(reader: Any, model: Model) -> None:
    live = [key for key in KEYS if key not in model.dropped]
    table = reader.to_arrow()
    assert table["id"].to_pylist() == live
    assert table["label"].to_pylist() == [model.label[key] for key in live]
    assert table["score"].to_pylist() == [model.score[key] for key in live]
    assert len(reader) == len(live)


DatasetMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
test_a_dataset_behaves_like_its_model = DatasetMachine.TestCase
