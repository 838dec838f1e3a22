"""A revert or a pick never loses a later edit in silence: it is refused, or all edits are there."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import burnish as bn
from burnish.dataset.dataset import Dataset
from burnish.errors import BurnishError, ConflictError, NewClassWarning, UndoError
from losses import lost_edits

keys = st.sampled_from(["a", "p"])
numbers = st.sampled_from([0, 1, 2, None])


def act(name: str, *arguments: Any) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(name), *arguments)


shapes = st.one_of(
    act("add", st.builds(lambda value: {"id": ["p"], "score": [value]}, numbers)),
    act("add_column", st.just("x"), st.builds(lambda value: {"a": value}, st.integers(0, 2))),
    act("cast_column", st.sampled_from(["score", "x"]), st.sampled_from(["string", "int64"])),
    act("drop", keys),
    act("restore", keys),
    act("drop_column", st.sampled_from(["score", "x"])),
    act("rename_column", st.just("score"), st.just("points")),
    act("merge_labels", st.just(["cat", "dog"]), st.just("pet")),
)
edits = st.one_of(
    act("relabel", keys, st.sampled_from(["cat", "dog", None])),
    act("set", keys, st.sampled_from(["score", "x"]), numbers),
    act("set", keys, st.sampled_from(["score", "x"]), st.just("1")),
    act("mark", keys, st.just("hard")),
    act("unmark", keys, st.just("hard")),
)
before = st.lists(st.one_of(shapes, edits), max_size=1)
change = st.lists(shapes, min_size=1, max_size=2)
later = st.lists(st.one_of(edits, edits, shapes), min_size=1, max_size=3)


def commit(ds: Dataset, acts: list[Any]) -> bool:
    """Make acts a version, without those that are refused; False where nothing is left."""
    head = ds.head
    for name, *arguments in acts:
        try:
            getattr(ds, name)(*arguments)
        except BurnishError:
            continue
    return ds.commit("done") != head


def made(folder: str) -> Dataset:
    warnings.simplefilter("ignore", NewClassWarning)
    frame = {"id": ["a", "b"], "label": ["cat", "dog"], "score": [1, 2]}
    return bn.create(Path(folder) / "x.burnish", frame, key="id", label="label")


def check(ds: Dataset, call: Any, known: list[str]) -> None:
    seen, state = (ds.head, ds.fingerprint, ds.to_arrow()), ds.state
    try:
        call()
    except (ConflictError, UndoError):
        assert (ds.head, ds.fingerprint, ds.to_arrow(), len(ds.staged)) == (*seen, 0)
        return
    assert lost_edits(state, ds.state, [ds.at(name).state for name in known]) == []


@settings(max_examples=80)
@given(before, change, st.lists(later, min_size=1, max_size=2))
def test_a_revert_is_refused_or_keeps_every_later_edit(
    first: list[Any], reverted: list[Any], after: list[list[Any]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, made(folder) as ds:
        commit(ds, first)
        parent = ds.head.name
        if not commit(ds, reverted):
            return
        version = ds.head.name
        for acts in after:
            commit(ds, acts)
        check(ds, lambda: ds.revert(version), [version, parent])


@settings(max_examples=60)
@given(before, change, later)
def test_a_pick_is_refused_or_keeps_every_edit_made_here(
    first: list[Any], picked: list[Any], here: list[Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder, made(folder) as ds:
        commit(ds, first)
        parent = ds.head.name
        ds.branch("side")
        commit(ds, here)
        ds.switch("side")
        if not commit(ds, picked):
            return
        version = ds.head.name
        ds.switch("main")
        check(ds, lambda: ds.cherry_pick(version), [parent, version])


@settings(max_examples=40)
@given(before, change)
def test_a_revert_of_the_head_is_never_refused(first: list[Any], reverted: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, made(folder) as ds:
        commit(ds, first)
        parent = ds.head.name
        if commit(ds, reverted):
            assert ds.revert(ds.head).fingerprint == ds.at(parent).fingerprint
            assert ds.revert(ds.head).fingerprint == ds.at("main").fingerprint
