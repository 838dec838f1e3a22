from __future__ import annotations

import numpy as np
import pytest

from burnish.core.groups import GroupFindings
from burnish.errors import InputError


def groups() -> GroupFindings:
    return GroupFindings(
        "near-duplicate",
        [["a", "b"], ["c", "d", "e"], ["f", "g", "h"]],
        [0.8, 1.0, 0.9],
        details={
            "kind": ["near", "exact", "near"],
            "conflicting": [True, True, False],
            "crosses_splits": [False, True, False],
        },
        n_rows=9,
        members={
            "label": [["cat", "dog"], ["cat", "dog", "dog"], ["dog", None, "dog"]],
            "split": [["train"] * 2, ["train", "test", "test"], ["test"] * 3],
        },
    )


def test_groups_come_worst_first_with_what_belongs_to_them() -> None:
    found = groups()
    assert found.groups == (("c", "d", "e"), ("f", "g", "h"), ("a", "b"))
    assert found.details["kind"].tolist() == ["exact", "near", "near"]
    assert found.members["label"][2] == ("cat", "dog")
    assert [group.score for group in found] == [1.0, 0.9, 0.8]
    assert found[0].details == {"kind": "exact", "conflicting": True, "crosses_splits": True}


def test_the_frame_has_a_row_for_each_member() -> None:
    frame = groups().frame()
    assert frame["key"].tolist() == list("cdefghab")
    assert frame["group"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert frame.loc[frame["key"] == "d", ["label", "split", "kind"]].to_numpy().tolist() == [
        ["dog", "test", "exact"]
    ]


def test_where_keeps_the_groups_asked_for() -> None:
    found = groups()
    assert found.where(kind="near").groups == (("f", "g", "h"), ("a", "b"))
    assert found.where(conflicting=True, crosses_splits=False).groups == (("a", "b"),)
    assert found.where(min_score=0.85).scores.tolist() == [1.0, 0.9]
    assert found.where(kind="near").members["split"] == (("test",) * 3, ("train",) * 2)


def test_asking_for_what_is_not_known_is_refused() -> None:
    bare = GroupFindings("code", [["a", "b"]], [1.0])
    for ask in (lambda: bare.where(conflicting=True), bare.conflicts, lambda: bare.extras("x")):
        with pytest.raises(InputError, match="do not say"):
            ask()


def test_extras_leave_one_row_of_each_group() -> None:
    found = groups()
    assert found.extras().keys.tolist() == ["d", "e", "g", "h", "b"]
    assert found.extras().details["kept"].tolist() == ["c", "c", "f", "f", "a"]
    assert found.extras(keep="test").keys.tolist() == ["c", "e", "g", "h", "b"]
    assert found.extras().given.tolist() == ["dog", "dog", None, "dog", "dog"]


def test_conflicts_suggest_the_label_of_the_majority() -> None:
    frame = groups().conflicts().frame().set_index("key")
    assert set(frame.index) == {"c", "a", "b"}
    assert frame.loc["c", "suggestion"] == "dog"
    assert frame.loc["c", "score"] == pytest.approx(2 / 3)
    assert frame.loc["c", "others"] == "dog × 2"


def test_of_two_equally_frequent_labels_neither_is_suggested() -> None:
    frame = groups().conflicts().frame().set_index("key")
    assert frame.loc[["a", "b"], "suggestion"].isna().all()
    assert frame.loc[["a", "b"], "score"].tolist() == pytest.approx([0.4, 0.4])


def test_keys_of_several_columns_stay_whole() -> None:
    found = GroupFindings("code", [[(1, "a"), (1, "b")]], [1.0])
    assert found.extras().keys.tolist() == [(1, "b")]
    assert found.frame()["key"].tolist() == [(1, "a"), (1, "b")]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="scores lie between"):
        GroupFindings("code", [["a", "b"]], [1.5])
    with pytest.raises(InputError, match="groups has length 1, expected 2"):
        GroupFindings("code", [["a", "b"]], [1, 1])
    with pytest.raises(InputError, match="label has 1 values for the group"):
        GroupFindings("code", [["a", "b"]], [1], members={"label": [["x"]]})


def test_no_groups_read_as_such() -> None:
    none = GroupFindings("near-duplicate", [], [], n_rows=5)
    assert repr(none) == "GroupFindings(no near-duplicate groups in 5 rows)"
    assert len(none.frame()) == len(none.extras()) == len(list(none)) == 0
    assert "near-duplicate" in none._repr_html_()


def test_the_name_follows_what_is_said() -> None:
    assert groups().id == groups().id
    assert groups().id != groups()[np.array([0, 1])].id


def test_data_are_shown_as_text_never_as_markup() -> None:
    found = GroupFindings("code", [["<b>a", "<b>b"]], [1.0])
    assert "<b>" not in found._repr_html_()
