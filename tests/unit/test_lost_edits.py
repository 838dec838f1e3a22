"""Reverting and picking what takes rows and columns away: no later edit goes with them unseen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import burnish as bn
from burnish.dataset.dataset import Dataset
from burnish.errors import ConflictError, NewClassWarning

Act = Callable[[Dataset], object]
FIELDS = ["key", "column", "base", "ours", "theirs", "ours_author", "ours_reason"]


@pytest.fixture
def ds(tmp_path: Path) -> Any:
    frame = {"id": ["a", "b", "c"], "label": ["cat", "dog", "cat"], "score": [1.0, 2.0, 3.0]}
    bn.create(tmp_path / "x.burnish", frame, key="id", label="label").close()
    with bn.open(tmp_path / "x.burnish", user="ann") as made:
        yield made


def commits(ds: Dataset, *acts: Act, author: str = "ann") -> None:
    for act in acts:
        act(ds)
        ds.commit("done", author=author)


def add_p(ds: Dataset) -> None:
    ds.add({"id": ["p"], "label": ["cat"], "score": [1.0]})


def add_x(ds: Dataset) -> None:
    ds.add_column("x", [7, 8, 9])


def seen(ds: Dataset) -> Any:
    return ds.head, ds.fingerprint, ds.columns, ds.to_arrow(), ds.state.marks, len(ds.staged)


def refused(ds: Dataset, act: Act) -> list[list[Any]]:
    """Return the conflicts of an act, after which nothing has changed."""
    before = seen(ds)
    with pytest.raises(ConflictError, match=r"not as (reverting|picking) v\d+ expects") as caught:
        act(ds)
    assert seen(ds) == before
    conflicts = caught.value.conflicts
    assert conflicts is not None
    assert len(conflicts) == len(list(conflicts))
    return conflicts.frame()[FIELDS].values.tolist()


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        (
            add_p,
            [lambda d: d.relabel("p", "dog", reason="it barks")],
            ["p", "label", "cat", "dog", None, "ann", "it barks"],
        ),
        (
            add_p,
            [lambda d: d.set("p", "score", None, reason="unknown")],
            ["p", "score", 1.0, None, None, "ann", "unknown"],
        ),
        (
            add_p,
            [lambda d: d.mark("p", "hard", reason="blurred")],
            ["p", "$mark:hard", False, True, None, "ann", "blurred"],
        ),
        (
            lambda d: (add_p(d), d.drop("p")),
            [lambda d: d.restore("p", reason="a good one")],
            ["p", "$dropped", True, False, None, "ann", "a good one"],
        ),
        (
            add_p,
            [lambda d: d.add_column("x", {"p": 4}, reason="by hand")],
            ["p", "x", None, 4, None, "ann", "by hand"],
        ),
        (
            add_p,
            [
                lambda d: d.cast_column("score", "int64"),
                lambda d: d.cast_column("score", "string"),
                lambda d: d.set("p", "score", "2", reason="two"),
            ],
            ["p", "score", "1", "2", None, "ann", "two"],
        ),
        (
            add_p,
            [
                lambda d: d.set("p", "score", 2.0, reason="two"),
                lambda d: d.cast_column("score", "int64", reason="whole"),
            ],
            ["p", "score", 1, 2, None, "ann", "whole"],
        ),
        (
            add_x,
            [lambda d: d.set("b", "x", 0, reason="none")],
            ["b", "x", 8, 0, None, "ann", "none"],
        ),
        (
            add_x,
            [lambda d: (d.set("b", "x", 0, reason="none"), d.drop("b"))],
            ["b", "x", 8, 0, None, "ann", "none"],
        ),
        (
            add_x,
            [lambda d: d.add({"id": ["p"], "x": [5]}, reason="one more")],
            ["p", "x", None, 5, None, "ann", "one more"],
        ),
        (
            lambda d: d.cast_column("score", "int64"),
            [lambda d: d.set("a", "score", 5, reason="five")],
            ["a", "score", 1, 5, None, "ann", "five"],
        ),
        (
            lambda d: (d.drop("a"), d.commit("out"), d.restore("a")),
            [lambda d: d.relabel("a", "dog", reason="it barks")],
            ["a", "$dropped", False, False, True, "ann", "it barks"],
        ),
    ],
)
def test_an_edit_that_a_revert_would_take_away_is_a_conflict(
    ds: Dataset, first: Act, later: list[Act], expected: list[Any]
) -> None:
    commits(ds, first)
    version = ds.head
    commits(ds, *later)
    assert refused(ds, lambda d: d.revert(version, author="bob")) == [expected]


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (add_p, [lambda d: d.set("p", "score", 5.0), lambda d: d.set("p", "score", 1.0)]),
        (add_p, [lambda d: d.mark("p", "hard"), lambda d: d.unmark("p", "hard")]),
        (add_p, [lambda d: d.drop("p")]),
        (add_p, [lambda d: d.cast_column("score", "string")]),
        (add_p, [lambda d: d.rename_column("score", "points")]),
        (add_p, [lambda d: d.set("a", "score", 5.0), lambda d: d.add_column("x", {"a": 1})]),
        (add_x, [lambda d: d.set("b", "x", 0), lambda d: d.set("b", "x", 8)]),
        (add_x, [lambda d: d.drop("b"), lambda d: d.set("a", "score", 9.0)]),
        (add_x, [lambda d: d.add({"id": ["p"], "score": [5.0]})]),
        (lambda d: d.cast_column("score", "int64"), [lambda d: d.relabel("a", "dog")]),
        (lambda d: d.drop("a"), [lambda d: d.relabel("b", "cat")]),
    ],
)
def test_what_was_not_edited_or_is_as_before_goes(
    ds: Dataset, first: Act, later: list[Act]
) -> None:
    commits(ds, first)
    version = ds.head
    commits(ds, *later)
    ds.revert(version)
    assert ds.verify() == []


def test_the_other_side_of_a_lost_edit_is_the_revert(ds: Dataset) -> None:
    commits(ds, add_p, lambda d: d.set("p", "score", 5.0))
    with pytest.raises(ConflictError) as caught:
        ds.revert("v1", author="bob")
    assert caught.value.conflicts is not None
    found = caught.value.conflicts.frame()[["theirs_author", "theirs_reason"]]
    assert found.values.tolist() == [["bob", "revert v1"]]


def test_a_column_and_a_row_that_go_together_name_each_cell_once(ds: Dataset) -> None:
    def both(d: Dataset) -> None:
        add_p(d)
        d.add_column("x", [1, 2, 3, 4])

    commits(ds, both, lambda d: (d.set("p", "x", 9), d.set("p", "score", 9.0), d.set("a", "x", 9)))
    found = [row[:5] for row in refused(ds, lambda d: d.revert("v1"))]
    assert found == [
        ["p", "score", 1.0, 9.0, None],
        ["a", "x", 1, 9, None],
        ["p", "x", 4, 9, None],
    ]


def test_after_the_edits_are_reverted_what_they_were_made_on_can_be(ds: Dataset) -> None:
    before = ds.fingerprint
    commits(ds, lambda d: (add_p(d), d.cast_column("score", "string")))
    commits(ds, lambda d: d.set("p", "score", "5.0"))
    refused(ds, lambda d: d.revert("v1"))
    ds.revert("v2")
    assert ds.revert("v1").fingerprint == before


def test_a_revert_of_a_revert_that_brought_rows_back_keeps_later_edits(ds: Dataset) -> None:
    commits(ds, add_p)
    ds.revert("v1")
    back = ds.revert("v2")
    commits(ds, lambda d: d.set("p", "score", 5.0, reason="five"))
    expected = [["p", "score", 1.0, 5.0, None, "ann", "five"]]
    for name in ("v1", back):
        assert refused(ds, lambda d, name=name: d.revert(name)) == expected


def test_a_revert_of_a_merge_keeps_edits_of_what_it_brought(ds: Dataset) -> None:
    ds.branch("side")
    commits(ds, lambda d: d.relabel("a", "dog"))
    ds.switch("side")
    commits(ds, add_p, add_x_of_four)
    ds.switch("main")
    merged = ds.merge("side").version
    assert merged is not None
    commits(ds, lambda d: (d.set("p", "score", 5.0), d.set("a", "x", 5)))
    found = [row[:5] for row in refused(ds, lambda d: d.revert(merged))]
    assert found == [["p", "score", 1.0, 5.0, None], ["a", "x", 1, 5, None]]


def add_x_of_four(ds: Dataset) -> None:
    ds.add_column("x", [1, 2, 3, 4])


def test_classes_that_come_back_leave_later_labels(ds: Dataset) -> None:
    commits(ds, lambda d: d.merge_labels(["cat", "dog"], "pet"))
    with pytest.warns(NewClassWarning):
        commits(ds, lambda d: d.relabel("a", "fox", reason="red"))
    found = refused(ds, lambda d: d.revert("v1"))
    assert found == [["a", "label", "pet", "fox", "cat", "ann", "red"]]


def test_a_column_that_was_dropped_comes_back_beside_later_edits(ds: Dataset) -> None:
    commits(ds, lambda d: d.drop_column("score"), lambda d: d.relabel("a", "dog"))
    ds.revert("v1")
    assert ds.to_pandas()["score"].tolist() == [1.0, 2.0, 3.0]
    assert ds.to_pandas()["label"].tolist() == ["dog", "dog", "cat"]


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        (
            lambda d: d.revert("v1"),
            lambda d: d.set("p", "score", 5.0, reason="five"),
            ["p", "score", 1.0, 5.0, None, "ann", "five"],
        ),
        (
            lambda d: d.drop("p"),
            lambda d: d.set("p", "score", 5.0, reason="five"),
            ["p", "$dropped", False, False, True, "ann", "five"],
        ),
        (
            lambda d: d.drop_column("score"),
            lambda d: d.set("p", "score", 5.0, reason="five"),
            ["p", "score", 1.0, 5.0, None, "ann", "five"],
        ),
        (
            lambda d: d.cast_column("score", "string"),
            lambda d: d.set("p", "score", 5.0, reason="five"),
            ["p", "score", 1.0, 5.0, None, "ann", "five"],
        ),
    ],
)
def test_picking_what_takes_edited_cells_away_is_a_conflict(
    ds: Dataset, there: Act, here: Act, expected: list[Any]
) -> None:
    commits(ds, add_p)
    ds.branch("side")
    commits(ds, here)
    ds.switch("side")
    commits(ds, there)
    picked = ds.head
    ds.switch("main")
    assert refused(ds, lambda d: d.cherry_pick(picked)) == [expected]


def test_picking_a_drop_of_a_row_that_was_edited_on_its_own_branch_only_goes(ds: Dataset) -> None:
    ds.branch("side")
    ds.switch("side")
    commits(ds, lambda d: d.relabel("a", "dog"), lambda d: d.drop("a"))
    ds.switch("main")
    commits(ds, lambda d: d.relabel("b", "cat"))
    ds.cherry_pick("v2")
    assert ds.keys.tolist() == ["b", "c"]
    ds.restore("a")
    assert ds.to_pandas()["label"].tolist() == ["cat", "cat", "cat"]


def test_picking_a_drop_beside_an_edit_that_both_made_goes(ds: Dataset) -> None:
    ds.branch("side")
    ds.switch("side")
    commits(ds, lambda d: (d.relabel("a", "dog"), d.drop("a")))
    ds.switch("main")
    commits(ds, lambda d: d.relabel("a", "dog"))
    ds.cherry_pick("v1")
    assert ds.keys.tolist() == ["b", "c"]
