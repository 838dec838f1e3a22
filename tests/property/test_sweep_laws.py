"""Laws of garbage collection and of purging, on histories made at random."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import burnish as bn
from burnish.dataset import Dataset
from burnish.errors import BurnishError, NewClassWarning
from strategies import fingerprint_of

KEYS = ("a", "b", "c", "d", "e", "f")
FRAME = {"id": list(KEYS[:4]), "label": ["cat", "dog", "cat", "dog"], "n": [0, 1, 2, 3]}
BRANCHES = ("one", "two")
Act = tuple[Any, ...]

some_keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)
branches = st.sampled_from(BRANCHES)
acts: st.SearchStrategy[Act] = st.one_of(
    st.tuples(st.just("set"), some_keys, st.integers(0, 5)),
    st.tuples(st.just("relabel"), some_keys, st.sampled_from(["cat", "dog"])),
    st.tuples(st.just("drop"), some_keys),
    st.tuples(st.just("restore"), some_keys),
    st.tuples(st.just("decide"), some_keys, st.just("kept")),
    st.tuples(st.just("add"), st.sampled_from(KEYS), st.integers(0, 2)),
    st.tuples(st.just("add_column"), st.integers(0, 2)),
    st.tuples(st.just("undo")),
    st.tuples(st.just("commit")),
    st.tuples(st.just("commit")),
    st.tuples(st.just("branch"), branches),
    st.tuples(st.just("switch"), st.sampled_from(["main", *BRANCHES])),
    st.tuples(st.just("delete_branch"), branches),
    st.tuples(st.just("merge"), branches),
    st.tuples(st.just("tag"), branches),
)
histories = st.lists(acts, min_size=5, max_size=30)


def act(ds: Dataset, name: str, *args: Any) -> None:
    """Do one thing, where the dataset allows it."""
    calls: dict[str, Any] = {
        "set": lambda keys, value: ds.set(keys, "n", value),
        "add": lambda key, n: ds.add({"id": [key, "g"], "n": [n, n]}, parents={"g": key}),
        "add_column": lambda value: ds.add_column(f"c{value}", [value] * len(ds)),
        "commit": lambda: ds.commit("a version"),
        "merge": lambda ref: ds.merge(ref, resolve="theirs"),
        "tag": lambda ref: ds.tag(f"tag-{ref}", at=ref),
    }
    with contextlib.suppress(BurnishError):
        calls.get(name, getattr(ds, name, None))(*args)


@contextmanager
def lived(history: list[Act]) -> Iterator[Dataset]:
    """Make a dataset and let it live through a history, with a colleague's edits staged."""
    folder = Path(tempfile.mkdtemp(prefix="burnish-test-"))
    try:
        with warnings.catch_warnings(), bn.create(folder / "x", FRAME, key="id") as ds:
            warnings.simplefilter("ignore", NewClassWarning)
            ds.set_roles(label="label")
            ds.commit("roles")
            with bn.open(folder / "x", user="bob") as bob:
                act(bob, "set", ["a", "b"], 9)
                act(bob, "add", "e", 1)
                bob.undo()
            for step in history:
                act(ds, *step)
            yield ds
    finally:
        shutil.rmtree(folder)


def rows(ds: Dataset, *gone: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every version that something leads to, without some."""
    return {
        version.id: [row for row in ds.at(version).to_arrow().to_pylist() if row["id"] not in gone]
        for version in ds.log(all=True)
    }


def blamed(ds: Dataset) -> list[Any]:
    return list(ds.blame(column="label").frame().astype(str).values.tolist())


def told(ds: Dataset) -> list[Any]:
    """Return all that a dataset says about its past."""
    log = ds.log(all=True).frame().drop(columns="time")
    return [
        log.astype(str).values.tolist(),
        [version.fingerprint for version in ds.log(all=True)],
        ds.fingerprint,
        ds.staged.frame().astype(str).values.tolist(),
        ds.decisions.frame().astype(str).values.tolist(),
        ds.parents,
        {name: version.id for name, version in (ds.branches | ds.tags).items()},
    ]


def aged(path: Path) -> None:
    then = time.time() - 86_400
    for file in path.rglob("*.arrow"):
        os.utime(file, (then, then))


@settings(max_examples=15)
@given(histories)
def test_gc_changes_nothing_that_something_leads_to(history: list[Act]) -> None:
    with lived(history) as ds:
        before, blame = (told(ds), rows(ds)), blamed(ds)
        aged(ds.path)
        planned, done = ds.gc(dry_run=True), ds.gc()
        assert (planned.versions, planned.files, planned.size) == (
            done.versions,
            done.files,
            done.size,
        )
        assert (told(ds), rows(ds)) == before
        assert blamed(ds) == blame
        assert ds.verify() == []
        assert not ds.gc()
        path, user = ds.path, ds.user
        ds.close()
        with bn.open(path, user=user) as again:
            again.switch(ds._copy.branch)
            assert (told(again), rows(again)) == before
            again.discard()
            act(again, "set", again.keys[:1].tolist(), 77)
            assert again.commit("after").name.removeprefix("v") not in done.versions
            assert again.verify() == []


@settings(max_examples=20)
@given(histories, st.lists(st.sampled_from([*KEYS, "g"]), min_size=1, max_size=3, unique=True))
def test_a_purge_leaves_every_other_row_of_every_version(
    history: list[Act], wanted: list[str]
) -> None:
    with lived(history) as ds:
        before, ids = rows(ds, *wanted), [version.id for version in ds.log(all=True)]
        staged = [row for row in ds.to_arrow().to_pylist() if row["id"] not in wanted]
        for key in wanted:
            with contextlib.suppress(BurnishError):
                ds.purge(key)
        assert rows(ds) == before
        assert ds.to_arrow().to_pylist() == staged
        assert [version.id for version in ds.log(all=True)] == ids
        assert ds.verify() == []
        for version in ds.log(all=True):
            if len(left := ds.at(version).to_arrow()):
                assert version.fingerprint == fingerprint_of(left)
        old, new = ids[-1], ids[0]
        assert not set(ds.diff(old, new).frame()["key"]) & set(wanted)
        path, user, branch = ds.path, ds.user, ds.branch_name
        ds.close()
        with bn.open(path, user=user) as again:
            again.switch(branch)
            assert again.to_arrow().to_pylist() == staged
            again.commit("what was staged")
            for version in again.log():
                with contextlib.suppress(BurnishError):
                    again.revert(version)
            act(again, "add", wanted[0], 2)
            again.commit("back again")
            again.gc()
            assert again.verify() == []


@pytest.mark.slow
@settings(max_examples=300)
@given(histories, st.lists(st.sampled_from([*KEYS, "g"]), min_size=1, max_size=3, unique=True))
def test_purges_of_many_histories_leave_every_other_row(
    history: list[Act], wanted: list[str]
) -> None:
    test_a_purge_leaves_every_other_row_of_every_version.hypothesis.inner_test(  # type: ignore[attr-defined]
        history, wanted
    )
