"""Rows, columns, classes and roles that come, go and change their names, against a plain dict."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import burnish as bn
from burnish.core.delta import DROPPED
from burnish.dataset.reading import keys_at
from burnish.errors import (
    ColumnError,
    ConflictError,
    KeysError,
    LabelError,
    NewClassWarning,
    UndoError,
)
from losses import lost_edits
from strategies import fingerprint_of as of

BASE = ("a", "b", "c")
KEYS = (*BASE, "p", "ключ")
NAMES = ("label", "score", "x", "größe")
KINDS = {"int64": (1, 2, -3), "double": (0.5, 2.0), "string": ("1", "y")}
CASTS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("int64", "double"): float,
    ("int64", "string"): str,
    ("double", "int64"): lambda value: int(value) if value == int(value) else 1 / 0,
    ("string", "int64"): int,
}
some_keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)
names = st.sampled_from(NAMES)
classes = st.sampled_from(["cat", "dog", "1", "y"])
kinds = st.sampled_from(sorted(KINDS))


@dataclass
class Column:
    """A column's type and values; `serial` tells one from another that looks the same."""

    kind: str
    values: dict[str, Any]
    serial: int = 0


@dataclass
class Model:
    """What a dataset should hold."""

    columns: dict[str, Column]
    rows: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    roles: dict[str, str] = field(default_factory=dict)

    @property
    def live(self) -> set[str]:
        return self.rows - self.dropped

    @property
    def label(self) -> dict[str, Any]:
        return self.columns[self.roles["label"]].values

    @property
    def classes(self) -> set[Any]:
        return {self.label[key] for key in self.live} - {None}

    def put_column(self, old: str, new: str, column: Column) -> None:
        """Put a column in the place of another."""
        pairs = [(new, column) if name == old else (name, c) for name, c in self.columns.items()]
        self.columns = dict(pairs)
        self.roles = {role: new if name == old else name for role, name in self.roles.items()}

    def seen(self) -> Any:
        """Return what a reader can see."""
        columns = [(name, c.kind, c.values) for name, c in self.columns.items()]
        return columns, self.rows, self.dropped, self.roles


class SchemaMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        warnings.simplefilter("ignore", NewClassWarning)
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("burnish.dataset.history._KEYFRAME_VERSIONS", 3)
        self.folder = Path(tempfile.mkdtemp(prefix="burnish-test-"))
        frame = {"id": list(BASE), "label": ["cat"] * 3, "score": [1.0, 2.0, 3.0]}
        self.ds = bn.create(self.folder / "x.burnish", frame, key="id", label="label")
        label = Column("string", dict.fromkeys(BASE, "cat"))
        score = Column("double", dict(zip(BASE, [1.0, 2.0, 3.0], strict=True)))
        columns = {"id": Column("string", {k: k for k in BASE}), "label": label, "score": score}
        start = Model(columns, set(BASE), roles={"label": "label", "key": "id"})
        self.versions = {"v0": start}
        self.prints = {"v0": self.ds.fingerprint}
        self.now = deepcopy(start)
        self.undo_stack: list[Model] = []
        self.redo_stack: list[Model] = []
        self.serials = count(1)

    def teardown(self) -> None:
        self.ds.close()
        self.patch.undo()
        shutil.rmtree(self.folder)

    @property
    def head(self) -> str:
        return f"v{len(self.versions) - 1}"

    def step(self, after: Model) -> None:
        if after != self.now:
            self.undo_stack.append(self.now)
            self.redo_stack.clear()
            self.now = after

    def refused(self, error: Any, call: Callable[[], object]) -> None:
        before = self.ds.fingerprint, len(self.ds.staged), self.ds.undo_text, self.ds.columns
        with pytest.raises(error) as caught:
            call()
        assert "\nHint: " in str(caught.value)
        after = self.ds.fingerprint, len(self.ds.staged), self.ds.undo_text, self.ds.columns
        assert after == before

    @rule(rows=some_keys, name=names, data=st.data())
    def set_cells(self, rows: list[str], name: str, data: st.DataObject) -> None:
        if name not in self.now.columns:
            return self.refused(ColumnError, lambda: self.ds.set(rows, name, None))
        kind = self.now.columns[name].kind
        value = data.draw(st.sampled_from([None, *KINDS[kind]]))
        if not set(rows) <= self.now.live:
            return self.refused(KeysError, lambda: self.ds.set(rows, name, value))
        after = deepcopy(self.now)
        after.columns[name].values.update(dict.fromkeys(rows, value))
        self.ds.set(rows, name, value)
        self.step(after)
        return None

    @rule(rows=some_keys, dropping=st.booleans())
    def drop_or_restore(self, rows: list[str], dropping: bool) -> None:
        call = self.ds.drop if dropping else self.ds.restore
        if not set(rows) <= (self.now.live if dropping else self.now.rows):
            return self.refused(KeysError, lambda: call(rows))
        after = deepcopy(self.now)
        after.dropped = after.dropped | set(rows) if dropping else after.dropped - set(rows)
        call(rows)
        self.step(after)
        return None

    @rule(rows=some_keys, given=st.lists(names, max_size=2, unique=True), data=st.data())
    def add_rows(self, rows: list[str], given: list[str], data: st.DataObject) -> None:
        frame: dict[str, Any] = {"id": rows}
        for name in given:
            column = self.now.columns.get(name)
            choice = st.sampled_from(KINDS[column.kind if column else "string"])
            frame[name] = data.draw(st.lists(choice, min_size=len(rows), max_size=len(rows)))
        if set(frame) - set(self.now.columns):
            return self.refused(ColumnError, lambda: self.ds.add(frame))
        if set(rows) & self.now.rows:
            return self.refused(KeysError, lambda: self.ds.add(frame))
        after = deepcopy(self.now)
        after.rows |= set(rows)
        for name, column in after.columns.items():
            values = frame.get(name, [None] * len(rows))
            column.values.update(zip(rows, values, strict=True))
        assert set(self.ds.add(frame).keys) == set(rows)
        self.step(after)
        return None

    @rule(name=names, kind=kinds, few=st.booleans(), role=st.booleans(), data=st.data())
    def add_column(self, name: str, kind: str, few: bool, role: bool, data: st.DataObject) -> None:
        if not self.now.live:
            return
        keys = sorted(self.now.live)[: 1 if few else None]
        choice = st.sampled_from(KINDS[kind])
        values = {key: data.draw(choice) for key in keys}
        in_order = [values[key] for key in self.ds.keys] if not few else values
        named = "weight" if role else None
        if name in self.now.columns:
            self.refused(ColumnError, lambda: self.ds.add_column(name, in_order, named))
            return
        after = deepcopy(self.now)
        complete = dict.fromkeys(after.rows) | values
        after.columns[name] = Column(kind, complete, next(self.serials))
        after.roles |= {"weight": name} if role else {}
        self.ds.add_column(name, in_order, named)
        self.step(after)

    @rule(old=names, new=names)
    def rename_column(self, old: str, new: str) -> None:
        if old not in self.now.columns or new in self.now.columns:
            return self.refused(ColumnError, lambda: self.ds.rename_column(old, new))
        after = deepcopy(self.now)
        after.put_column(old, new, after.columns[old])
        self.ds.rename_column(old, new)
        self.step(after)
        return None

    @rule(name=names)
    def drop_column(self, name: str) -> None:
        if name not in self.now.columns:
            return self.refused(ColumnError, lambda: self.ds.drop_column(name))
        if name == self.now.roles["label"]:
            return None
        after = deepcopy(self.now)
        del after.columns[name]
        after.roles = {role: n for role, n in after.roles.items() if n != name}
        self.ds.drop_column(name)
        self.step(after)
        return None

    @rule(name=names, kind=kinds)
    def cast_column(self, name: str, kind: str) -> None:
        column = self.now.columns.get(name)
        if column is None or name == self.now.roles["label"]:
            return
        if (column.kind, kind) not in CASTS:
            return
        try:
            values = {key: self.cast(column, key, kind) for key in column.values}
        except ArithmeticError:
            self.refused(ColumnError, lambda: self.ds.cast_column(name, kind))
            return
        after = deepcopy(self.now)
        after.put_column(name, name, Column(kind, values, next(self.serials)))
        self.ds.cast_column(name, kind)
        self.step(after)

    def cast(self, column: Column, key: str, kind: str) -> Any:
        value = column.values[key]
        try:
            return None if value is None else CASTS[column.kind, kind](value)
        except (ArithmeticError, ValueError):
            if key in self.now.live:
                raise ArithmeticError from None
            return None

    @rule(old=classes, new=classes)
    def rename_a_class(self, old: str, new: str) -> None:
        if old not in self.now.classes or new in self.now.classes:
            return self.refused(LabelError, lambda: self.ds.rename_label(old, new))
        after = deepcopy(self.now)
        self.move_classes(after, {old: new})
        self.ds.rename_label(old, new)
        self.step(after)
        return None

    @rule(several=st.lists(classes, min_size=1, max_size=2, unique=True), into=classes)
    def merge_classes(self, several: list[str], into: str) -> None:
        if set(several) - {into} - self.now.classes:
            return self.refused(LabelError, lambda: self.ds.merge_labels(several, into))
        after = deepcopy(self.now)
        self.move_classes(after, dict.fromkeys(set(several) - {into}, into))
        self.ds.merge_labels(several, into)
        self.step(after)
        return None

    def move_classes(self, after: Model, moves: dict[str, str]) -> None:
        label = after.label
        label.update({key: moves.get(value, value) for key, value in label.items()})

    @rule(rows=some_keys, old=classes, new=classes)
    def split_a_class(self, rows: list[str], old: str, new: str) -> None:
        if not set(rows) <= self.now.live:
            return self.refused(KeysError, lambda: self.ds.split_label(old, {new: rows}))
        if any(self.now.label[key] != old for key in rows):
            return self.refused(LabelError, lambda: self.ds.split_label(old, {new: rows}))
        after = deepcopy(self.now)
        after.label.update(dict.fromkeys(rows, new))
        self.ds.split_label(old, {new: rows})
        self.step(after)
        return None

    @rule(role=st.sampled_from(["weight", "group", "label"]), name=st.one_of(st.none(), names))
    def set_a_role(self, role: str, name: str | None) -> None:
        if role == "label" and (name is None or self.kind_of(name) != "string"):
            return None
        if name is not None and name not in self.now.columns:
            return self.refused(ColumnError, lambda: self.ds.set_roles(**{role: name}))
        after = deepcopy(self.now)
        after.roles.pop(role, None)
        after.roles |= {role: name} if name is not None else {}
        self.ds.set_roles(**{role: name})
        self.step(after)
        return None

    def kind_of(self, name: str) -> str | None:
        return self.now.columns[name].kind if name in self.now.columns else None

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
        assert_holds(self.ds, self.versions[self.head])
        for _ in self.undo_stack:
            self.ds.redo()
        assert (self.ds.fingerprint, self.ds.to_arrow()) == seen

    @rule()
    def discard(self) -> None:
        self.ds.discard()
        self.now = deepcopy(self.versions[self.head])
        self.undo_stack.clear()
        self.redo_stack.clear()

    @rule()
    def commit(self) -> None:
        expected = self.ds.fingerprint
        version = self.ds.commit("done")
        assert version.fingerprint == expected
        if self.now.seen() != self.versions[self.head].seen():
            assert version.name == f"v{len(self.versions)}"
        if version.name != self.head:
            self.note()

    def note(self) -> None:
        name = f"v{len(self.versions)}"
        assert self.ds.head.name == name
        self.versions[name] = deepcopy(self.now)
        self.prints[name] = self.ds.fingerprint
        self.undo_stack.clear()
        self.redo_stack.clear()

    @precondition(lambda self: not self.ds.staged and len(self.versions) > 1)
    @rule()
    def revert_the_head(self) -> None:
        parent = f"v{len(self.versions) - 2}"
        self.now = deepcopy(self.versions[parent])
        assert self.ds.revert(self.head).fingerprint == self.prints[parent]
        self.note()

    @precondition(lambda self: not self.ds.staged and len(self.versions) > 2)
    @rule(data=st.data(), picking=st.booleans())
    def revert_or_pick_any(self, data: st.DataObject, picking: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.versions)[1:-1]))
        before = self.ds.fingerprint, self.ds.head
        state, parent = self.ds.state, f"v{int(name[1:]) - 1}"
        try:
            version = (self.ds.cherry_pick if picking else self.ds.revert)(name)
        except (ConflictError, UndoError):
            assert (self.ds.fingerprint, self.ds.head) == before
            assert_holds(self.ds, self.now)
            return
        known = [self.ds.at(end).state for end in (name, parent)]
        assert lost_edits(state, self.ds.state, known) == []
        if version != before[1]:
            self.now = read(self.ds)
            self.note()

    @rule()
    def close_and_open_again(self) -> None:
        self.ds.close()
        self.ds = bn.open(self.folder / "x.burnish")

    @rule(data=st.data())
    def look_at_a_version(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.versions)))
        with bn.open(self.folder / "x.burnish", user="someone else") as other:
            for ds in (self.ds, other):
                assert_holds(ds.at(name), self.versions[name])
                assert ds.at(name).fingerprint == self.prints[name]

    @rule(data=st.data())
    def compare_two_versions(self, data: st.DataObject) -> None:
        choice = st.sampled_from(sorted(self.versions))
        old, new = data.draw(choice), data.draw(choice)
        diff = self.ds.diff(old, new)
        moved = self.ds.at(old).state.apply(diff._delta)
        assert moved.sums() == self.ds.at(new).state.sums()
        assert len(diff.frame()) == len(diff)
        assert repr(diff)
        assert diff._repr_html_()

    @rule()
    def verify(self) -> None:
        assert self.ds.verify() == []

    @invariant()
    def reading_equals_the_model(self) -> None:
        assert_holds(self.ds, self.now)

    @invariant()
    def the_fingerprint_is_the_one_from_scratch(self) -> None:
        if len(self.ds):
            assert self.ds.fingerprint == of(self.ds.to_arrow())

    @invariant()
    def what_is_staged_can_be_told(self) -> None:
        assert len(self.ds.staged.frame()) == len(self.ds.staged)
        assert (self.ds.undo_text is None) == (not self.undo_stack)
        assert (self.ds.redo_text is None) == (not self.redo_stack)
        assert len(self.ds.blame()) == len(self.ds)
        assert len(self.ds.blame().frame()) == len(self.ds)


def read(reader: Any) -> Model:
    """Return all that a reader holds, dropped rows included."""
    state = reader.state
    there = state.there
    keys = keys_at(state, there).tolist()
    columns = {
        name: Column(
            str(state.type_of(name)).replace("large_", ""),
            dict(zip(keys, state.take(name, there).to_pylist(), strict=True)),
        )
        for name in state.names
    }
    dropped = np.array(state.cells_at(DROPPED, there).to_pylist(), dtype=bool)
    gone = {key for key, hidden in zip(keys, dropped, strict=True) if hidden}
    return Model(columns, set(keys), gone, dict(reader.roles))


def assert_holds(reader: Any, model: Model) -> None:
    found = read(reader)
    for column in model.columns.values():
        column.values = {key: value for key, value in column.values.items() if key in model.rows}
    model.columns["id"].values = {key: key for key in model.rows}
    assert found.seen() == model.seen()
    table = reader.to_arrow().to_pydict()
    assert list(table) == list(model.columns)
    assert sorted(table["id"]) == sorted(model.live)
    for name, values in table.items():
        column = model.columns[name].values
        assert dict(zip(table["id"], values, strict=True)) == {k: column[k] for k in model.live}
    assert set(reader.classes) == model.classes


SchemaMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
test_a_changing_schema_behaves_like_its_model = SchemaMachine.TestCase


@pytest.mark.slow
@pytest.mark.timeout(1800)
class TestLongHistories(SchemaMachine.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
