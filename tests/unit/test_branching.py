"""Branches, tags, the log and the reflog, and what they refuse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import burnish as bn
from burnish.core.conflicts import OPEN
from burnish.dataset import Change, Dataset
from burnish.errors import (
    ConflictError,
    CorruptError,
    InputError,
    RefError,
    StagedError,
    UndoError,
    UnknownVersionError,
)

FRAME: dict[str, Any] = {
    "id": ["a", "b", "c"],
    "label": ["cat", "dog", "cat"],
    "score": [1.0, 2.0, 3.0],
}


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label") as dataset:
        yield dataset


def edited(ds: Dataset, key: str, label: str | None, message: str = "edit") -> None:
    ds.relabel(key, label)
    ds.commit(message)


def two_sides(ds: Dataset) -> None:
    """Relabel one row on two branches; leave the first one open."""
    ds.branch("alice")
    edited(ds, "a", "dog", "mine")
    ds.switch("alice")
    ds.relabel("a", None, reason="blurred")
    ds.commit("hers", author="alice")
    ds.switch("main")


def refused(ds: Dataset, error: type[Exception], words: str, act: Callable[[], object]) -> None:
    before = ds.head, ds.branches, ds.tags, len(ds.staged), len(ds.reflog())
    with pytest.raises(error, match=words) as caught:
        act()
    assert "\nHint: " in str(caught.value)
    assert (ds.head, ds.branches, ds.tags, len(ds.staged), len(ds.reflog())) == before


@pytest.mark.parametrize("name", ["v7", "v007", "v７", "deadbeef", "0123456789", "facade"])
def test_a_name_may_not_look_like_a_version(ds: Dataset, name: str) -> None:
    refused(ds, RefError, f"branch name '{name}' looks like a version", lambda: ds.branch(name))
    refused(ds, RefError, f"tag name '{name}' looks like a version", lambda: ds.tag(name))


UNSAFE = ["..", "a/../b", "/etc", "a//b", "a/", "-rf", ".git", "a b", "a\nb", "a\\b", "a:b", "x\0"]


@pytest.mark.parametrize("name", [*UNSAFE, "a" * 101, "~root", "$HOME", "a..b", "*", "e\u0301-"])
def test_a_name_may_not_be_unsafe_as_a_path(ds: Dataset, name: str) -> None:
    for act in (ds.branch, ds.tag):
        refused(ds, RefError, "is not allowed: letters, digits", lambda act=act: act(name))


@pytest.mark.parametrize("name", ["", "  ", None, 7, b"x"])
def test_a_name_is_needed(ds: Dataset, name: Any) -> None:
    refused(ds, RefError, r"a branch needs a name.*\nHint: ds\.branch", lambda: ds.branch(name))


@pytest.mark.parametrize("name", ["alice", "fix/labels", "übung-2", "ветка", "v7-fixed", "a.b_c"])
def test_other_names_are_kept_and_found(ds: Dataset, name: str) -> None:
    ds.branch(name)
    ds.tag(f"t/{name}")
    edited(ds, "a", "dog")
    assert (ds.at(name).version.name, ds.at(f"t/{name}").version.name) == ("v0", "v0")
    with bn.open(ds.path, branch=name) as other:
        assert (other.branch_name, other.head.name) == (name, "v0")


def test_a_name_is_taken_by_a_branch_or_a_tag(ds: Dataset) -> None:
    ds.branch("alice")
    ds.tag("release")
    taken = r"there is a branch 'alice' already, at v0\nHint: work on it with ds\.switch\('alice'\)"
    refused(ds, RefError, taken, lambda: ds.branch("alice"))
    refused(ds, RefError, taken, lambda: ds.tag("alice"))
    refused(ds, RefError, r"a tag 'release' already.*\nHint: look", lambda: ds.branch("release"))
    refused(ds, RefError, "there is a branch 'main' already", lambda: ds.tag("main"))


def test_an_unknown_branch_is_told_with_the_nearest(ds: Dataset) -> None:
    ds.branch("alice")
    refused(ds, RefError, "no branch 'alcie'; the nearest is 'alice'", lambda: ds.switch("alcie"))
    refused(ds, RefError, "no branch 'q', only alice, main", lambda: ds.switch("q"))
    refused(ds, RefError, "no branch 'al ice'", lambda: ds.delete_branch("al ice"))
    refused(ds, RefError, "no tag 'x', only none", lambda: ds.delete_tag("x"))
    with pytest.raises(RefError, match="the nearest is 'alice'"):
        bn.open(ds.path, branch="alise")


@pytest.mark.parametrize("ref", ["nope", "v9", "", "abcdef12", "v-1", "HEAD", "main~1"])
def test_an_unknown_version_is_refused_everywhere(ds: Dataset, ref: str) -> None:
    acts: list[Callable[[], object]] = [
        lambda: ds.at(ref),
        lambda: ds.merge(ref),
        lambda: ds.cherry_pick(ref),
        lambda: ds.revert(ref),
        lambda: ds.branch("x", ref),
        lambda: ds.tag("x", ref),
        lambda: ds.diff("v0", ref),
        lambda: ds.diff(ref, "v0"),
    ]
    for act in acts:
        refused(ds, UnknownVersionError, "there is no version", act)


@pytest.mark.parametrize("act", ["merge", "cherry_pick", "revert"])
def test_staged_edits_are_in_the_way_and_stay(ds: Dataset, act: str) -> None:
    two_sides(ds)
    ds.set("b", "score", 9.0)
    words = r"1 staged cells and 0 decisions are in the way.*\nHint: commit them"
    refused(ds, StagedError, words, lambda: getattr(ds, act)("v2"))
    assert ds.undo_text == "set score of 1 row"


def test_staged_edits_stay_with_their_branch(ds: Dataset) -> None:
    ds.branch("alice")
    ds.relabel("a", "dog")
    ds.drop("c")
    ds.undo()
    ds.switch("alice")
    assert (len(ds.staged), ds.undo_text, ds.redo_text, len(ds)) == (0, None, None, 3)
    ds.set("b", "score", 0.0)
    ds.switch("main")
    assert (len(ds.staged), ds.redo_text) == (1, "drop 1 row")
    ds.redo()
    assert ds.keys.tolist() == ["a", "b"]
    with bn.open(ds.path, branch="alice") as other:
        assert other.staged.frame()["column"].tolist() == ["score"]


def test_switching_tells_listeners_once_and_keeps_them(ds: Dataset) -> None:
    seen: list[Change] = []
    ds.on_change(seen.append)
    ds.branch("alice")
    ds.switch("alice")
    ds.switch("alice")
    ds.relabel("a", "dog")
    assert [change.kind for change in seen] == ["refs", "switch", "edit"]
    assert (seen[1].code, seen[1].reshaped) == ("ds.switch('alice')", True)


def test_a_branch_is_removed_only_when_nothing_is_lost(ds: Dataset) -> None:
    ds.branch("alice")
    refused(ds, RefError, "'main' cannot be removed", lambda: ds.delete_branch("main"))
    with bn.open(ds.path, user="alice", branch="alice") as other:
        refused(other, RefError, "you are on it", lambda: other.delete_branch("alice"))
        other.relabel("a", "dog")
        words = r"'alice' has staged edits on the branch 'alice'\nHint"
        refused(ds, StagedError, words, lambda: ds.delete_branch("alice"))
        other.discard()
        ds.delete_branch("alice")
        with pytest.raises(RefError, match=r"was removed\nHint: .*switch\('main'\)"):
            other.to_arrow()
        other.switch("main")
        assert len(other) == 3
    assert list(ds.branches) == ["main"]
    assert ds.verify() == []


def test_a_branch_may_be_made_again_elsewhere(ds: Dataset) -> None:
    ds.branch("alice")
    with bn.open(ds.path, user="alice", branch="alice"):
        pass
    edited(ds, "a", "dog")
    ds.delete_branch("alice")
    ds.branch("alice")
    with bn.open(ds.path, user="alice", branch="alice") as other:
        assert (other.head.name, other.to_arrow()["label"][0].as_py()) == ("v1", "dog")


def test_a_tag_stays_when_its_branch_moves(ds: Dataset) -> None:
    ds.tag("release-1")
    edited(ds, "a", "dog")
    assert ds.at("release-1").version.name == "v0"
    ds.delete_tag("release-1")
    assert ds.tags == {}


def test_the_reflog_says_who_moved_what_and_why(ds: Dataset) -> None:
    two_sides(ds)
    ds.merge("alice", "theirs")
    ds.tag("done")
    ds.delete_branch("alice")
    frame = ds.reflog().frame()
    assert frame[["kind", "name", "old", "new", "act"]].values.tolist() == [
        ["branch", "alice", "v2", None, "remove branch alice"],
        ["tag", "done", None, "v3", "make tag done"],
        ["branch", "main", "v1", "v3", "merge alice"],
        ["branch", "alice", "v0", "v2", "hers"],
        ["branch", "main", "v0", "v1", "mine"],
        ["branch", "alice", None, "v0", "make branch alice"],
    ]
    assert set(frame["user"]) == {ds.user}
    first = repr(ds.reflog()).splitlines()[0]
    assert first.endswith(f"branch alice: v2 → ∅ (remove branch alice, {ds.user})")
    assert ds.at(frame["old"][0]).version.message == "hers"


def test_the_log_draws_both_lines_of_a_merge(ds: Dataset) -> None:
    two_sides(ds)
    ds.merge("alice", "ours", message="settled")
    ds.tag("release")
    lines = [line[:8].rstrip() for line in ds.log().graph().splitlines()]
    assert lines == ["*    v3", "| \\", "| *  v2", "* |  v1", "| /", "*    v0"]
    assert repr(ds.log()) == ds.log().graph()
    assert repr(ds.log()).splitlines()[0].endswith("settled [main, release]")
    frame = ds.log().frame()
    assert frame["parents"].tolist() == [["v1", "v2"], ["v0"], ["v0"], []]
    assert frame["refs"].tolist() == [["main", "release"], ["alice"], [], []]


def test_the_log_of_all_has_what_other_branches_did(ds: Dataset) -> None:
    two_sides(ds)
    assert [version.name for version in ds.log()] == ["v1", "v0"]
    assert [version.name for version in ds.log(all=True)] == ["v2", "v1", "v0"]


def test_a_merge_lists_both_sides_and_writes_nothing(ds: Dataset) -> None:
    two_sides(ds)
    merge = ds.merge("alice")
    assert (merge.version, len(merge.conflicts), ds.head.name) == (None, 1, "v1")
    (conflict,) = merge.conflicts
    assert conflict[:5] == ("a", "label", "cat", "dog", None)
    assert (conflict.theirs_reason, conflict.ours_author) == ("blurred", ds.user)
    assert "1 conflict of label" in repr(merge)
    assert merge.conflicts.frame()["theirs"].tolist() == [None]
    assert len(ds.log(all=True)) == 3


@pytest.mark.parametrize(
    ("rule", "label"),
    [
        ("ours", "dog"),
        ("theirs", None),
        ("newest", None),
        ({("a", "label"): "bird"}, "bird"),
        ({("a", "label"): None}, None),
        (lambda conflict: conflict.base, "cat"),
    ],
)
def test_a_rule_decides_conflicts(ds: Dataset, rule: Any, label: str | None) -> None:
    two_sides(ds)
    version = ds.merge("alice", rule).version
    assert version is not None
    assert ds.to_arrow()["label"][0].as_py() == label
    assert version.parents == (ds.at("v1").version.id, ds.at("v2").version.id)
    assert ds.merge("alice").version == version


def test_a_rule_may_leave_conflicts_open(ds: Dataset) -> None:
    two_sides(ds)
    assert len(ds.merge("alice", lambda _: OPEN).conflicts) == 1
    assert len(ds.merge("alice", {}).conflicts) == 1
    assert ds.head.name == "v1"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("mine", "'mine' is no rule"),
        (7, "resolve=7 is no rule"),
        ({("b", "label"): "cat"}, "choices are for no conflict"),
        (lambda _: None, None),
        ({("a", "label"): 3}, "does not fit"),
    ],
)
def test_a_wrong_rule_is_refused(ds: Dataset, rule: Any, words: str | None) -> None:
    two_sides(ds)
    if words is None:  # null is what one side has
        assert ds.merge("alice", rule).version
    else:
        refused(ds, InputError, words, lambda: ds.merge("alice", rule))


def test_order_is_by_the_graph_when_the_clock_goes_backwards(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for year in (2030, 2020, 1999):
        moment = dt.datetime(year, 1, 1, tzinfo=dt.UTC)

        class Clock(dt.datetime):
            @classmethod
            def now(cls, tz: Any = None, moment: dt.datetime = moment) -> Any:
                return moment

        for module in ("dataset.history", "dataset.gesture", "store.statements"):
            monkeypatch.setattr(f"burnish.{module}.datetime", Clock)
        edited(ds, "a", {2030: "dog", 2020: None, 1999: "cat"}[year], str(year))
    assert [version.message for version in ds.log()] == ["1999", "2020", "2030", "created"]
    assert [row.new for row, _ in ds.reflog()] == [version.id for version in ds.log()[:3]]
    assert ds.blame("a").frame()["version"].tolist() == ["v3"]
    assert ds.at("v2").to_arrow()["label"][0].as_py() is None
    with bn.open(ds.path) as again:
        assert (again.head.name, again.verify()) == ("v3", [])


def test_newest_is_by_time_and_takes_ours_where_times_are_equal(ds: Dataset) -> None:
    two_sides(ds)
    ds.switch("alice")
    assert ds.merge("main", "newest").version
    assert ds.to_arrow()["label"][0].as_py() is None


def test_a_fast_forward_moves_the_branch_and_makes_no_version(ds: Dataset) -> None:
    ds.branch("alice")
    edited(ds, "a", "dog")
    ds.switch("alice")
    merge = ds.merge("main", "ours")
    assert (merge.version, len(merge.conflicts)) == (ds.at("main").version, 0)
    assert len(ds.log(all=True)) == 2
    assert ds.reflog()[0][0].act == "merge main"


def test_picking_makes_the_change_and_only_that(ds: Dataset) -> None:
    ds.branch("alice")
    edited(ds, "a", "dog", "one")
    ds.set("b", "score", 9.0, reason="typo")
    ds.commit("two")
    ds.switch("alice")
    version = ds.cherry_pick("v2", author="alice")
    assert (version.name, version.author, version.message) == (
        "v3",
        "alice",
        "two (picked from v2)",
    )
    assert ds.to_arrow().to_pydict()["label"] == FRAME["label"]
    assert ds.blame("b", "score").frame()[["version", "reason"]].values.tolist() == [["v3", "typo"]]
    assert ds.cherry_pick("v2") == version
    assert ds.merge("main").version
    assert ds.to_arrow()["score"].to_pylist() == [1.0, 9.0, 3.0]


def test_a_pick_that_does_not_fit_is_refused_with_the_cells(ds: Dataset) -> None:
    two_sides(ds)
    words = r"not as picking v2 expects them, among them label of 'a'\nHint"
    refused(ds, ConflictError, words, lambda: ds.cherry_pick("v2"))


def test_a_merge_can_be_reverted_and_picked(ds: Dataset) -> None:
    two_sides(ds)
    before = ds.fingerprint
    merged = ds.merge("alice", "theirs").version
    assert merged
    after = ds.fingerprint
    assert ds.revert(merged).fingerprint == before
    assert ds.cherry_pick(merged).fingerprint == after
    assert ds.blame("a").frame()["version"].tolist() == ["v5"]
    assert ds.verify() == []


def test_the_first_version_has_nothing_to_take_back(ds: Dataset) -> None:
    refused(ds, UndoError, r"v0 changed no cell\nHint", lambda: ds.revert("v0"))


def test_a_store_without_its_first_branch_is_damaged(ds: Dataset) -> None:
    ds._history.backend._connection().execute("DELETE FROM refs")  # type: ignore[attr-defined]
    with pytest.raises(CorruptError, match="has no branch 'main'"):
        len(ds)


def test_decisions_of_both_sides_are_there_once(ds: Dataset) -> None:
    ds.branch("alice")
    ds.decide("a", "kept")
    ds.commit("mine")
    ds.switch("alice")
    ds.decide("b", "skipped")
    ds.commit("hers")
    ds.merge("main")
    ds.switch("main")
    ds.merge("alice")
    frame = ds.decisions.frame()
    assert sorted(zip(frame["key"], frame["verdict"], strict=True)) == [
        ("a", "kept"),
        ("b", "skipped"),
    ]


def test_a_diff_gives_a_row_that_comes_again_the_values_it_has_there() -> None:
    frame = pd.DataFrame({"id": ["a"], "label": ["cat"], "score": [0.0]})
    with bn.create(None, frame, key="id", label="label") as ds:
        ds.add({"id": ["p"], "label": ["cat"], "score": [1.0]})
        ds.commit("one life")
        ds.revert("v1")
        ds.add({"id": ["p"], "label": ["cat"], "score": [0.0]})
        ds.set("p", "score", 1.0)
        ds.commit("another")
        ds.revert("v3")
        for old, new in product(range(5), repeat=2):
            change = ds.diff(f"v{old}", f"v{new}")._delta
            made = ds.at(f"v{old}").state.apply(change)
            assert made.sums() == ds.at(f"v{new}").state.sums(), (old, new)
