"""What two branches, or two people on one, do to the same rows and columns."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import burnish as bn
from burnish.dataset import Dataset
from burnish.dataset.views import Merge
from burnish.errors import ColumnError, ConflictError, InputError, KeysError, UndoError

FRAME: dict[str, Any] = {
    "id": ["a", "b", "c"],
    "label": ["cat", "dog", "cat"],
    "score": [1.0, 2.0, 3.0],
}
Act = Callable[[Dataset], object]


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label") as dataset:
        yield dataset


def apart(ds: Dataset, ours: list[Act], theirs: list[Act]) -> None:
    """Let main and alice each commit some acts; stay on main."""
    ds.branch("alice")
    for branch, acts in (("main", ours), ("alice", theirs)):
        ds.switch(branch)
        for act in acts:
            act(ds)
            ds.commit("step")
    ds.switch("main")


def both_ways(ds: Dataset) -> Merge:
    """Merge alice into main, and main as it was into alice; the rows must be the same."""
    before = ds.head
    merge = ds.merge("alice")
    assert merge.version is not None, merge.conflicts.frame()
    ds.switch("alice")
    other = ds.merge(before)
    assert other.version is not None
    assert other.version.fingerprint == merge.version.fingerprint
    ds.switch("main")
    assert ds.verify() == []
    return merge


def row(key: str, **cells: Any) -> Act:
    return lambda ds: ds.add({"id": [key], **{name: [value] for name, value in cells.items()}})


def column(ds: Dataset, name: str) -> dict[Any, Any]:
    table = ds.to_arrow(["id", name])
    return dict(zip(table["id"].to_pylist(), table[name].to_pylist(), strict=True))


def conflicts(merge: Merge) -> set[tuple[Any, str]]:
    assert merge.version is None
    return {(conflict.key, conflict.column) for conflict in merge.conflicts}


def test_rows_of_both_sides_are_there(ds: Dataset) -> None:
    apart(ds, [row("p", score=1.0)], [row("q", score=2.0)])
    both_ways(ds)
    assert column(ds, "score") == {"a": 1.0, "b": 2.0, "c": 3.0, "p": 1.0, "q": 2.0}
    assert ds.state.n_ordinals == 5


def test_one_row_added_on_both_sides_is_one_row(ds: Dataset) -> None:
    apart(ds, [row("p", label="cat")], [row("p", label="cat")])
    both_ways(ds)
    assert column(ds, "label") == {"a": "cat", "b": "dog", "c": "cat", "p": "cat"}


def test_one_key_with_two_contents_conflicts_cell_by_cell(ds: Dataset) -> None:
    apart(ds, [row("p", label="cat", score=1.0)], [row("p", label="cat", score=2.0)])
    merge = ds.merge("alice")
    assert conflicts(merge) == {("p", "score")}
    assert merge.conflicts.frame()[["base", "ours", "theirs"]].values.tolist() == [[None, 1.0, 2.0]]
    ds.merge("alice", "theirs")
    assert column(ds, "score")["p"] == 2.0


def test_an_edit_of_a_row_added_twice_is_not_lost_by_the_next_merge(ds: Dataset) -> None:
    apart(ds, [row("p", score=1.0)], [row("p", score=2.0)])
    ds.merge("alice", "ours")
    ds.switch("alice")
    ds.set("p", "score", 3.0)
    ds.commit("three")
    assert conflicts(ds.merge("main")) == {("p", "score")}
    ds.switch("main")
    assert conflicts(ds.merge("alice")) == {("p", "score")}


def test_marks_and_drops_of_a_row_added_twice_are_kept(ds: Dataset) -> None:
    apart(ds, [row("p")], [row("p", score=2.0), lambda d: d.mark("p", "hard")])
    ds.merge("alice", "theirs")
    assert ds.marked("hard").keys == ["p"]
    ds.switch("alice")
    ds.drop("p")
    ds.commit("gone")
    ds.switch("main")
    ds.merge("alice")
    assert "p" not in ds.keys


def test_a_row_added_twice_and_dropped_on_one_side_is_a_conflict(ds: Dataset) -> None:
    apart(ds, [row("p", score=1.0)], [row("p", score=2.0), lambda d: d.drop("p")])
    assert conflicts(ds.merge("alice")) == {("p", "$dropped"), ("p", "score")}


def test_columns_of_the_other_side_come_with_rows_added_twice(ds: Dataset) -> None:
    def wide(d: Dataset) -> None:
        d.add_column("y", [1, 2, 3])
        d.add({"id": ["p"], "score": [1.0], "y": [5]})

    apart(ds, [row("p", score=1.0)], [wide, lambda d: d.set("a", "y", 7)])
    both_ways(ds)
    assert column(ds, "y") == {"a": 7, "b": 2, "c": 3, "p": 5}


def test_rows_added_beside_a_cast_are_cast(ds: Dataset) -> None:
    apart(ds, [lambda d: d.cast_column("score", "int64")], [row("p", score=7.0)])
    both_ways(ds)
    assert column(ds, "score") == {"a": 1, "b": 2, "c": 3, "p": 7}
    assert ds.blame("p", "score").frame()["version"].tolist() == ["v2"]


def test_an_added_value_that_does_not_fit_a_cast_is_a_conflict(ds: Dataset) -> None:
    apart(ds, [lambda d: d.cast_column("score", "int64")], [row("p", score=7.5)])
    with pytest.raises(ConflictError, match=r"added 'p' with values that do not fit(.|\n)*Hint"):
        ds.merge("alice")
    assert ds.head.name == "v1"


def test_an_edit_meets_a_cast_as_a_conflict(ds: Dataset) -> None:
    apart(ds, [lambda d: d.cast_column("score", "int64")], [lambda d: d.set("a", "score", 9.0)])
    assert conflicts(ds.merge("alice")) == {(None, "column:score")}


def test_an_edit_of_a_dropped_row_is_a_conflict_and_either_side_can_win(ds: Dataset) -> None:
    apart(ds, [lambda d: d.drop("a")], [lambda d: d.set("a", "score", 9.0)])
    assert conflicts(ds.merge("alice")) == {("a", "$dropped")}
    ds.merge("alice", {("a", "$dropped"): False})
    assert column(ds, "score")["a"] == 9.0


def test_the_same_change_on_both_sides_is_no_conflict(ds: Dataset) -> None:
    apart(ds, [lambda d: d.relabel("a", "dog")], [lambda d: d.relabel("a", "dog")])
    merge = both_ways(ds)
    assert merge.version is not None
    assert merge.version.n_cells == 0
    assert ds.blame("a").frame()["version"].tolist() == ["v1"]


def test_columns_of_both_sides_are_there(ds: Dataset) -> None:
    apart(
        ds,
        [lambda d: d.add_column("x", [1, 2, 3]), lambda d: d.rename_column("score", "points")],
        [lambda d: d.add_column("y", ["p", "q", "r"]), lambda d: d.set("a", "score", 5.0)],
    )
    both_ways(ds)
    assert set(ds.columns) == {"id", "label", "points", "x", "y"}
    assert column(ds, "points")["a"] == 5.0


def test_equal_columns_are_one_and_others_a_conflict(ds: Dataset) -> None:
    apart(
        ds,
        [lambda d: d.add_column("x", [1, 2, 3]), lambda d: d.add_column("y", [1, 2, 3])],
        [lambda d: d.add_column("x", [1, 2, 3]), lambda d: d.add_column("y", [1, 2, 4])],
    )
    assert conflicts(ds.merge("alice")) == {(None, "column:y")}
    ds.merge("alice", "theirs")
    assert (column(ds, "x")["c"], column(ds, "y")["c"]) == (3, 4)


def test_two_columns_of_one_name_are_refused(ds: Dataset) -> None:
    apart(
        ds,
        [lambda d: d.rename_column("score", "x")],
        [lambda d: d.add_column("x", [1, 2, 3])],
    )
    with pytest.raises(ConflictError, match=r"two columns 'x'.*\nHint: rename one of them"):
        ds.merge("alice")


def test_a_role_keeps_its_column(ds: Dataset) -> None:
    apart(ds, [lambda d: d.drop_column("score")], [lambda d: d.set_roles(weight="score")])
    with pytest.raises(ConflictError, match=r"the weight, the other dropped it.*\nHint: choose"):
        ds.merge("alice")


def test_a_renamed_class_meets_new_labels_of_the_old_name(ds: Dataset) -> None:
    apart(
        ds,
        [lambda d: d.rename_label("cat", "tiger")],
        [lambda d: d.relabel("b", "cat"), row("p", label="cat")],
    )
    both_ways(ds)
    assert ds.classes == ["tiger"]


@pytest.mark.parametrize(
    ("rule", "name"),
    [("ours", "tiger"), ("theirs", "lion"), ("newest", "lion"), (lambda c: "puma", "puma")],
)
def test_a_class_that_each_side_named_otherwise_gets_one_name(
    ds: Dataset, rule: Any, name: str
) -> None:
    def hers(d: Dataset) -> None:
        d.relabel("b", "cat")
        d.rename_label("cat", "lion")

    apart(ds, [lambda d: d.rename_label("cat", "tiger"), row("p", label="tiger")], [hers])
    assert conflicts(ds.merge("alice")) == {(None, 'class:"cat"')}
    ds.merge("alice", rule)
    assert ds.classes == [name]


def test_a_class_that_others_were_merged_into_can_be_renamed(ds: Dataset) -> None:
    def merged(d: Dataset) -> None:
        d.merge_labels(["cat", "dog"], "cat")
        d.rename_label("cat", "pet")

    apart(ds, [merged], [row("p", label="cat"), row("q", label="dog")])
    both_ways(ds)
    assert ds.classes == ["pet"]


def test_reverting_takes_out_rows_and_columns_with_their_edits(ds: Dataset) -> None:
    before = ds.fingerprint
    ds.add({"id": ["p"], "score": [1.0]})
    ds.set("p", "score", 9.0)
    ds.add_column("x", [1, 2, 3, 4])
    ds.set("a", "x", 9)
    ds.commit("one")
    after = ds.fingerprint
    assert ds.revert("v1").fingerprint == before
    assert ds.revert("v2").fingerprint == after
    with pytest.raises(UndoError, match="nothing of v2 is left"):
        ds.revert("v2")


def test_reverting_leaves_no_second_column_of_a_name(ds: Dataset) -> None:
    ds.drop_column("score")
    ds.commit("one")
    ds.add_column("score", [7, 8, 9])
    ds.commit("two")
    with pytest.raises(ConflictError, match="two columns 'score'"):
        ds.revert("v1")
    assert column(ds, "score") == {"a": 7, "b": 8, "c": 9}


def test_reverting_leaves_no_role_without_its_column(ds: Dataset) -> None:
    ds.add_column("x", ["p", "q", "r"])
    ds.commit("one")
    ds.set_roles(text="x")
    ds.commit("two")
    with pytest.raises(ConflictError, match="the text, the other dropped it: x"):
        ds.revert("v1")
    assert ds.roles["text"] == "x"


def taken_out_edited(ds: Dataset) -> None:
    """Take out a row that has edits, which only a merge does, and only when it is told to."""
    ds.add({"id": ["p"], "score": [1.0]})
    ds.commit("one")
    ds.branch("out")
    ds.set("p", "score", 5.0)
    ds.mark("p", "hard")
    ds.commit("two")
    ds.switch("out")
    ds.revert("v1")
    ds.switch("main")
    assert ds.merge("out", resolve="theirs").version
    assert ds.keys.tolist() == ["a", "b", "c"]


def test_a_row_that_comes_again_is_as_it_was_added(ds: Dataset) -> None:
    taken_out_edited(ds)
    ds.branch("again")
    ds.cherry_pick("v1")
    assert (column(ds, "score")["p"], len(ds.marked("hard"))) == (1.0, 0)
    ds.switch("again")
    ds.add({"id": ["p"], "score": [5.0]})
    ds.commit("added anew")
    assert (column(ds, "score")["p"], len(ds.marked("hard"))) == (5.0, 0)
    assert ds.blame("p", "score").frame()[["version", "reason"]].values.tolist() == [["v6", None]]


def test_a_new_column_never_reads_the_edits_of_an_old_one(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("burnish.dataset.history._KEYFRAME_VERSIONS", 1)
    ds.add_column("x", [1, 2, 3])
    ds.commit("one")
    ds.set("a", "x", 9)
    ds.commit("two")
    ds.drop_column("x")
    ds.commit("three")
    ds.add_column("x", ["p", "q", "r"])
    ds.set("b", "x", "s")
    ds.drop_column("x")
    with bn.open(ds.path) as again:
        again.add_column("x", [4, 5, 6])
        again.commit("four")
        assert again.to_arrow()["x"].to_pylist() == [4, 5, 6]
        assert again.at("v2").to_arrow()["x"].to_pylist() == [9, 2, 3]


def test_columns_that_came_and_went_are_nothing_to_commit(ds: Dataset) -> None:
    ds.add_column("x", [1, 2, 3])
    ds.set("a", "x", 9)
    ds.drop_column("x")
    assert len(ds.staged) == 0
    assert ds.commit("nothing").name == "v0"


@pytest.mark.parametrize(
    "act",
    [
        lambda d: d.relabel("p", "dog"),
        lambda d: d.set(["a", "p"], "score", 1.0),
        lambda d: d.drop("p"),
        lambda d: d.restore("p"),
        lambda d: d.mark("p", "hard"),
        lambda d: d.decide("p", "kept"),
        lambda d: d.blame("p"),
        lambda d: d.add({"id": ["q"]}, parents=["p"]),
    ],
)
def test_a_row_of_another_branch_is_unknown_here(ds: Dataset, act: Act) -> None:
    apart(ds, [], [row("p", label="cat"), row("q")])
    with pytest.raises(KeysError, match=r"unknown: 'p'\nHint"):
        act(ds)
    assert len(ds.rows_where(bn.Selection(["p"]))) == 3
    assert not ds.rows_where(bn.Selection(["p"])).any()


STAGED_AND_COMMITTED: list[tuple[Act, Act]] = [
    (lambda d: d.add_column("x", [1, 2, 3]), lambda d: d.rename_column("score", "x")),
    (lambda d: d.set_roles(weight="score"), lambda d: d.drop_column("score")),
    (lambda d: d.set("a", "score", 9.0), lambda d: d.drop_column("score")),
    (lambda d: d.set("a", "score", 9.0), lambda d: d.cast_column("score", "int64")),
    (lambda d: d.drop_column("score"), lambda d: d.set("a", "score", 9.0)),
    (lambda d: d.relabel("a", "dog"), lambda d: d.drop("a")),
    (lambda d: d.drop("a"), lambda d: d.relabel("a", "dog")),
    (row("p", score=1.0), row("p", score=2.0)),
    (lambda d: d.rename_column("score", "x"), lambda d: d.rename_column("score", "y")),
]


@pytest.mark.parametrize(("staged", "committed"), STAGED_AND_COMMITTED)
def test_what_others_commit_never_breaks_or_loses_what_is_staged(
    ds: Dataset, staged: Act, committed: Act
) -> None:
    with bn.open(ds.path, user="bob") as other:
        staged(ds)
        seen = ds.columns, ds.roles, ds.to_arrow(), len(ds.staged)
        committed(other)
        other.commit("bob's")
        assert (ds.columns, ds.roles, ds.to_arrow(), len(ds.staged)) == seen
        with pytest.raises(ConflictError, match=r"staged here too\nHint"):
            ds.commit("mine")
        ds.discard()
        assert (ds.head.name, ds.to_arrow()) == ("v1", other.to_arrow())


def test_an_edit_of_a_row_that_others_took_out_is_kept_and_told(ds: Dataset) -> None:
    ds.add({"id": ["p"], "score": [1.0]})
    ds.commit("one")
    with bn.open(ds.path, user="bob") as other:
        ds.set("p", "score", 9.0)
        other.revert("v1")
        assert (len(ds.staged), column(ds, "score")["p"]) == (1, 9.0)
        with pytest.raises(ConflictError):
            ds.commit("mine")


def test_an_undone_step_that_fits_no_more_cannot_be_done_again(ds: Dataset) -> None:
    with bn.open(ds.path, user="bob") as other:
        ds.add_column("x", [1, 2, 3])
        ds.undo()
        other.rename_column("score", "x")
        other.commit("bob's")
        with pytest.raises(UndoError):
            ds.redo()
        assert ds.columns == ["id", "label", "x"]


def test_staged_steps_stay_single_steps_on_a_new_head(ds: Dataset) -> None:
    with bn.open(ds.path, user="bob") as other:
        ds.add_column("x", [1, 2, 3])
        ds.set_roles(weight="x")
        ds.set("a", "x", 9)
        other.relabel("a", "dog")
        other.commit("bob's")
        assert (ds.head.name, ds.undo_text) == ("v1", "set x of 1 row")
        ds.undo()
        ds.undo()
        assert ds.roles == {"key": "id", "label": "label"}


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        ({"id": ["a"]}, KeysError, "1 key of the frame belongs to rows that are there: 'a'"),
        ({"id": ["a", "b"]}, KeysError, "2 keys of the frame belong to rows that are there"),
        ({"id": ["c"]}, KeysError, "belongs to dropped rows: 'c'\nHint: bring them back"),
        ({"id": ["p", "p"]}, KeysError, "1 key occurs more than once"),
        ({"id": ["p", None]}, KeysError, "have no key"),
        ({"label": ["cat"]}, KeysError, "no key column 'id'"),
        ({"id": ["p"], "z": [1]}, ColumnError, "columns that the dataset has not: 'z'"),
        ({"id": ["p"], "score": ["much"]}, ColumnError, "is string, expected double"),
        ({"id": []}, InputError, "no rows"),
    ],
)
def test_rows_that_cannot_be_added_are_refused(
    ds: Dataset, frame: dict[str, Any], error: type[Exception], words: str
) -> None:
    ds.drop("c")
    with pytest.raises(error, match=words) as caught:
        ds.add(frame)
    assert "\nHint: " in str(caught.value)
    assert (len(ds.staged), len(ds)) == (1, 2)


def test_parents_are_keys_of_the_dataset_or_the_frame(ds: Dataset) -> None:
    ds.add({"id": ["p", "q", "r"]}, parents=["a", "p", None])
    ds.commit("one")
    assert ds.parents == {"p": "a", "q": "p"}
    ds.drop("q")
    assert ds.parents == {"p": "a"}
    with pytest.raises(KeysError, match=r"1 parent unknown: 'zz'\nHint"):
        ds.add({"id": ["s"]}, parents={"s": "zz"})
    with pytest.raises(InputError, match=r"2 parents for 1 rows\nHint"):
        ds.add({"id": ["s"]}, parents=["a", "b"])


def test_parents_of_composite_keys_are_tuples() -> None:
    frame = {"a": ["p", "p"], "b": [1, 2], "label": ["x", "y"]}
    with bn.create(None, frame, key=["a", "b"], label="label") as ds:
        ds.add({"a": ["q", "q"], "b": [1, 2]}, parents={("q", 1): ("p", 2)})
        ds.commit("one")
        assert ds.parents == {("q", 1): ("p", 2)}
        assert ds.keys.tolist() == [("p", 1), ("p", 2), ("q", 1), ("q", 2)]
        ds.branch("side", "v0")
        ds.switch("side")
        ds.add({"a": ["q"], "b": [2], "label": ["z"]})
        ds.commit("two")
        assert conflicts(ds.merge("main")) == {(("q", 2), "label")}


def test_content_keys_count_rows_that_are_there() -> None:
    with bn.create(None, {"text": ["x", "y"], "label": ["p", "q"]}, label="label") as ds:
        first = ds.keys[0]
        ds.add({"text": ["x", "x"], "label": ["p", "p"]})
        assert ds.keys.tolist()[2:] == [f"{first}-2", f"{first}-3"]
        ds.drop(f"{first}-2")
        ds.commit("one")
        ds.add({"text": ["x"], "label": ["p"]})
        assert ds.keys.tolist()[-1] == f"{first}-4"
        ds.discard()
        ds.branch("side", "v0")
        ds.switch("side")
        ds.add({"text": ["x"], "label": ["p"]})
        ds.commit("two")
        assert conflicts(ds.merge("main")) == {(f"{first}-2", "$dropped")}


def test_a_dataset_of_one_row_and_no_label_has_all_of_this() -> None:
    with bn.create(None, {"id": [1]}, key="id") as ds:
        ds.branch("side")
        ds.add({"id": [2]})
        ds.commit("one")
        ds.drop([1, 2])
        ds.commit("two")
        ds.switch("side")
        ds.mark(1, "hard")
        ds.commit("three")
        ds.merge("main")
        assert (len(ds), len(ds.fingerprint), ds.verify()) == (0, 64, [])
        with pytest.raises(ColumnError, match="no label"):
            ds.diff("v0", "v2").label_flow()
        with pytest.raises(ColumnError, match=r"no column 'q' in v2\nHint"):
            ds.diff("v0", "v2").flow("q")


def test_a_label_may_not_hold_lists() -> None:
    vectors = pa.array([[1.0, 2.0]], pa.list_(pa.float64(), 2))
    with bn.create(None, {"id": [1], "v": vectors}, key="id") as ds:
        with pytest.raises(ColumnError, match=r"label='v' holds lists.*\nHint"):
            ds.set_roles(label="v")
        assert ds.roles == {"key": "id"}


CODE = """
import sys, warnings
import burnish as bn
warnings.simplefilter("ignore")
with bn.open(sys.argv[1], user="bob") as ds:
    ds.add({"id": ["ü"], "label": ["cat"]}, parents=["a"])
    ds.add_column("größe", [1, 2, 3, 4])
    ds.rename_column("score", "points")
    ds.rename_label("cat", "Katze")
    ds.cast_column("points", "string")
    ds.branch("neu")
    ds.tag("fertig")
    ds.commit("from another process")
"""


def test_what_another_process_does_is_seen_at_once(ds: Dataset) -> None:
    assert len(ds.to_arrow()) == 3
    ds.set("b", "label", None)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(ds.path)],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ds.columns == ["id", "label", "points", "größe"]
    assert column(ds, "label") == {"a": "Katze", "b": None, "c": "Katze", "ü": "Katze"}
    assert column(ds, "points") == {"a": "1", "b": "2", "c": "3", "ü": None}
    assert (ds.parents, ds.head.name, len(ds.staged)) == ({"ü": "a"}, "v1", 1)
    assert (list(ds.branches), list(ds.tags)) == (["main", "neu"], ["fertig"])
    ds.set("ü", "größe", 9)
    ds.commit("mine")
    assert ds.blame("ü", "größe").frame()["version"].tolist() == ["v2"]
    assert ds.verify() == []


def test_a_row_added_again_is_told_in_full_to_those_who_never_had_it(ds: Dataset) -> None:
    taken_out_edited(ds)
    ds.add({"id": ["p"], "score": [2.0]})
    ds.set("p", "score", 5.0)
    ds.commit("again")
    moved = ds.at("v0").state.apply(ds.diff("v0", "v5")._delta)
    assert moved.sums() == ds.at("v5").state.sums()
    ds.branch("side", "v0")
    ds.switch("side")
    ds.cherry_pick("v5")
    assert column(ds, "score")["p"] == 5.0


def test_a_difference_between_two_lives_of_a_row_is_its_cells(ds: Dataset) -> None:
    ds.add({"id": ["p"], "label": ["cat"], "score": [1.0]})
    ds.commit("one")
    ds.revert("v1")
    ds.add({"id": ["p"], "label": ["dog"], "score": [2.0]})
    ds.set("p", "score", 1.0)
    ds.commit("again")
    frame = ds.diff("v3", "v1").frame()
    assert frame[["key", "column", "old", "new"]].values.tolist() == [["p", "label", "dog", "cat"]]
