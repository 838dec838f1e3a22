"""Laws of merging, rebasing and remembering versions, on random edits."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import burnish as bn
from burnish.dataset import Dataset
from burnish.errors import ColumnError, ConflictError, InputError, KeysError, NewClassWarning

KEYS = ["a", "b", "c", "d"]
FRAME: dict[str, Any] = {
    "id": KEYS,
    "label": ["cat", "dog", "cat", "dog"],
    "score": [0.0, 1.0, 2.0, 3.0],
}
few = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
Act = tuple[Any, ...]

rows = st.lists(st.sampled_from([*KEYS, "p", "q"]), min_size=1, max_size=2, unique=True)
acts: st.SearchStrategy[Act] = st.one_of(
    st.tuples(st.just("relabel"), rows, st.sampled_from(["cat", "dog", None])),
    st.tuples(st.just("set"), rows, st.just("score"), st.sampled_from([0.0, 5.0, None])),
    st.tuples(st.just("drop"), rows),
    st.tuples(st.just("restore"), rows),
    st.tuples(st.just("mark"), rows, st.just("hard")),
    st.tuples(
        st.just("add"),
        rows.map(lambda keys: {"id": keys, "label": ["cat"] * len(keys)}),
    ),
    st.tuples(st.just("rename_label"), st.just("cat"), st.just("tiger")),
    st.tuples(st.just("rename_column"), st.just("score"), st.just("points")),
    st.tuples(st.just("cast_column"), st.just("score"), st.just("string")),
    st.tuples(st.just("add_column"), st.sampled_from(["x", "y"]), st.just({"a": 1, "b": 2})),
    st.tuples(st.just("drop_column"), st.just("x")),
)
sides = st.lists(acts, min_size=1, max_size=4)


@contextmanager
def store() -> Iterator[Dataset]:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", NewClassWarning)
        with bn.create(Path(folder, "x.burnish"), FRAME, key="id", label="label") as ds:
            yield ds


def play(ds: Dataset, side: list[Act]) -> None:
    """Commit each act that the dataset takes."""
    for name, *args in side:
        try:
            getattr(ds, name)(*args)
        except (KeysError, ColumnError, InputError):
            continue
        ds.commit(name)


def apart(ds: Dataset, ours: list[Act], theirs: list[Act]) -> None:
    ds.branch("alice")
    play(ds, ours)
    ds.switch("alice")
    play(ds, theirs)
    ds.switch("main")


def content(ds: Dataset, ref: Any) -> Any:
    """Return what a version holds but for the order of rows and columns."""
    snapshot = ds.at(ref)
    table = snapshot.to_arrow()
    names = sorted(table.column_names)
    found = sorted(zip(*(table[name].to_pylist() for name in names), strict=True), key=repr)
    state = snapshot.state
    marked = state.cells_at("$mark:hard", state.live).to_pylist()
    keys = snapshot.keys.tolist()
    hard = sorted(key for key, on in zip(keys, marked, strict=True) if on)
    return names, found, hard, snapshot.roles, snapshot.fingerprint


def tried(act: Callable[[], Any]) -> Any:
    try:
        merge = act()
    except ConflictError:
        return None
    return merge.version


@few
@given(sides, sides)
def test_a_clean_merge_gives_the_same_rows_in_either_order(
    ours: list[Act], theirs: list[Act]
) -> None:
    with store() as ds:
        apart(ds, ours, theirs)
        before = ds.head
        merged = tried(lambda: ds.merge("alice"))
        ds.switch("alice")
        other = tried(lambda: ds.merge(before))
        assert (merged is None) == (other is None)
        if merged:
            assert content(ds, merged) == content(ds, other)
            assert tried(lambda: ds.merge("main")) is not None
            assert content(ds, "alice") == content(ds, merged)
        assert ds.verify() == []


@few
@given(sides, sides, st.sampled_from(["ours", "theirs", "newest"]))
def test_merging_again_or_an_ancestor_changes_nothing(
    ours: list[Act], theirs: list[Act], rule: Any
) -> None:
    with store() as ds:
        apart(ds, ours, theirs)
        if tried(lambda: ds.merge("alice", rule)) is None:
            return
        head, count = ds.head, len(ds.log(all=True))
        for version in ds.log():
            assert ds.merge(version).version == head
        assert len(ds.log(all=True)) == count
        ds.switch("alice")
        assert ds.merge("main").version == head


@few
@given(sides, sides, sides, sides, st.sampled_from(["ours", "theirs"]))
def test_histories_that_cross_merge_in_either_order(
    first: list[Act], second: list[Act], third: list[Act], fourth: list[Act], rule: Any
) -> None:
    with store() as ds:
        apart(ds, first, second)
        main, alice = ds.head, ds.at("alice").version
        other = {"ours": "theirs", "theirs": "ours"}[rule]
        if tried(lambda: ds.merge(alice, rule)) is None:
            return
        play(ds, third)
        ds.switch("alice")
        if tried(lambda: ds.merge(main, other)) is None:
            return
        play(ds, fourth)
        ours, theirs = ds.at("main").version, ds.head
        merged = tried(lambda: ds.merge(ours))
        ds.switch("main")
        again = tried(lambda: ds.merge(theirs))
        assert (merged is None) == (again is None)
        if merged:
            assert content(ds, merged) == content(ds, again)
        assert tried(lambda: ds.merge(theirs, "ours")) or merged is None
        assert ds.verify() == []


@few
@given(sides, sides, sides)
def test_keyframes_change_no_reading_fingerprint_or_blame(
    ours: list[Act], theirs: list[Act], more: list[Act]
) -> None:
    with store() as ds:
        apart(ds, ours, theirs)
        tried(lambda: ds.merge("alice", "theirs"))
        play(ds, more)
        truth = told(ds)
        ds.close()
        for versions, states, size in ((1, 1, 1), (2, 8, 1 << 26), (5, 1, 1 << 26)):
            folder = ds.path.with_name(f"copy-{versions}")
            shutil.copytree(ds.path, folder)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("burnish.dataset.history._KEYFRAME_VERSIONS", versions)
                patch.setattr("burnish.dataset.history._KEPT_STATES", states)
                patch.setattr("burnish.dataset.history._KEPT_BYTES", size)
                for newest_first in (False, True, False):
                    forget_sums(folder)
                    with bn.open(folder) as copy:
                        assert told(copy, newest_first) == truth


def forget_sums(folder: Path) -> None:
    with sqlite3.connect(folder / "store.sqlite") as connection:
        connection.execute("DELETE FROM sums")
    connection.close()


def told(ds: Dataset, newest_first: bool = False) -> Any:
    """Return all that is read of every version."""
    versions = sorted(ds.log(all=True), key=lambda v: int(v.name[1:]), reverse=newest_first)
    out = {}
    for version in versions:
        snapshot = ds.at(version)
        state = snapshot.state
        blamed = {name: state.versions(state.id_of(name)).tolist() for name in state.names}
        columns = {name: state.column(name).to_pylist() for name in state.names}
        facts = state.schema.columns, snapshot.roles, state.schema.renamed_classes
        out[version.name] = snapshot.fingerprint, columns, blamed, facts, state.live.tolist()
    return dict(sorted(out.items())), repr(ds.to_arrow())


@pytest.mark.parametrize("limit", [256, 7])
def test_three_hundred_versions_are_read_right_cold_and_warm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("burnish.dataset.history._KEYFRAME_VERSIONS", limit)
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label") as ds:
        for i in range(310):
            ds.set(KEYS[i % 4], "score", 10.0 + i)
            ds.commit(f"step {i}")
        check_every_depth(ds)
    with bn.open(tmp_path / "x.burnish") as ds:
        check_every_depth(ds)
        assert ds.verify() == []


def check_every_depth(ds: Dataset) -> None:
    for number in (310, 1, 309, 8, 200, 255, 256, 257, 258, 300, 13, 0):
        last = {key: float(i) for i, key in enumerate(KEYS)}
        last |= {KEYS[i % 4]: 10.0 + i for i in range(number)}
        snapshot = ds.at(f"v{number}")
        assert snapshot.to_arrow()["score"].to_pylist() == [last[key] for key in KEYS]
        made = [max((i + 1 for i in range(number) if i % 4 == k), default=0) for k in range(4)]
        assert snapshot.state.versions("score").tolist() == made
    assert len(ds.diff("v0", "v310")) == 4


editions = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "p", "q"]),
        st.sampled_from(["cat", "dog"]),
        st.sampled_from([0.0, 1.0, 5.0]),
    ),
    min_size=1,
    unique_by=lambda row: row[0],
)


def edition(given_rows: list[tuple[str, str, float]]) -> dict[str, Any]:
    return dict(
        zip(("id", "label", "score"), map(list, zip(*given_rows, strict=True)), strict=True)
    )


@few
@given(editions, st.randoms(use_true_random=False))
def test_a_rebase_without_edits_gives_the_new_edition(given_rows: Any, random: Any) -> None:
    shuffled = list(given_rows)
    random.shuffle(shuffled)
    with store() as one, store() as other, bn.create(None, edition(given_rows), key="id") as new:
        found = one.rebase(edition(given_rows))
        assert found.merge.version
        assert one.fingerprint == new.fingerprint
        other.rebase(edition(shuffled))
        assert other.fingerprint == one.fingerprint
        kept = {key for key, *_ in given_rows} & set(KEYS)
        counts = (len(kept), len(KEYS) - len(kept), len(given_rows) - len(kept))
        assert (found.matched, found.gone, found.new) == counts
        assert one.verify() == []


@few
@given(sides, editions, editions)
def test_a_rebase_on_the_same_edition_changes_nothing(
    mine: list[Act], first: Any, second: Any
) -> None:
    with store() as ds:
        play(ds, mine)
        head = ds.head
        assert ds.rebase(FRAME).merge.version == head
        for new in (first, second):
            try:
                ds.rebase(edition(new), resolve="ours")
            except ConflictError:
                return
            head, count = ds.head, len(ds.log(all=True))
            again = ds.rebase(edition(new))
            assert (again.merge.version, again.changed, again.new) == (head, 0, 0)
            assert len(ds.log(all=True)) == count


@few
@given(sides, editions)
def test_edits_survive_a_rebase_that_they_win(mine: list[Act], new: Any) -> None:
    with store() as ds:
        play(ds, [act for act in mine if "column" not in act[0] and act[0] != "rename_label"])
        before = ds.head
        edits = ds.diff("v0", before).frame()
        ds.rebase(edition(new), resolve="ours")
        after = ds.to_arrow().to_pydict()
        for key, name, value in edits[["key", "column", "new"]].values:
            if name in ("label", "score") and key in after["id"]:
                assert after[name][after["id"].index(key)] == value
