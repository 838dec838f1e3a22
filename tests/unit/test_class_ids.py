"""A class keeps its id through renaming; merged classes lose theirs to the one they went into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import burnish as bn
from burnish.dataset import Dataset

FRAME = {"id": list("abcd"), "label": ["cat", "dog", "bird", "cow"]}
FIRST = {"bird": "bird", "cat": "cat", "cow": "cow", "dog": "dog"}


@pytest.fixture
def ds() -> Iterator[Dataset]:
    with bn.create(None, FRAME, key="id", label="label") as made:
        yield made


def test_a_class_keeps_its_id_however_often_it_is_renamed_and_back(ds: Dataset) -> None:
    assert ds.class_ids == FIRST
    ds.rename_label("cat", "kitty")
    ds.rename_label("kitty", "tom")
    assert ds.class_ids == {"bird": "bird", "cow": "cow", "dog": "dog", "tom": "cat"}
    ds.commit("renamed")
    ds.rename_label("tom", "cat")
    assert ds.class_ids == FIRST
    assert ds.state.schema.facts.keys().isdisjoint({'class:"cat"'})


def test_a_class_that_others_are_merged_into_keeps_its_id(ds: Dataset) -> None:
    ds.rename_label("cat", "kitty")
    ds.merge_labels(["dog"], "kitty")
    assert ds.class_ids == {"bird": "bird", "cow": "cow", "kitty": "cat"}
    assert repr(ds.staged).endswith("class cat is kitty, class dog merged into kitty)")
    ds.rename_label("kitty", "tom")
    assert ds.class_ids == {"bird": "bird", "cow": "cow", "tom": "cat"}
    ds.merge_labels(["tom"], "cow")
    assert ds.class_ids == {"bird": "bird", "cow": "cow"}


def test_an_edit_of_another_branch_takes_the_name_that_the_class_has_by_now(ds: Dataset) -> None:
    ds.branch("other")
    ds.rename_label("cat", "kitty")
    ds.merge_labels(["dog"], "kitty")
    ds.commit("classes")
    ds.switch("other")
    ds.relabel("c", "cat")
    ds.relabel("d", "dog")
    ds.commit("labels")
    assert ds.merge("main").version == ds.head
    assert ds.to_pandas()["label"].tolist() == ["kitty"] * 4
    assert ds.class_ids == {"kitty": "cat"}
