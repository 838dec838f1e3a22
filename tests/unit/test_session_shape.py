"""A session keeps its widgets right while rows, columns, classes and branches change under them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import burnish as bn
from burnish.dataset import Dataset
from burnish.errors import InputError, KeysError
from burnish.session import Session, of

FRAME = {
    "id": ["a", "b", "c"],
    "label": ["cat", "dog", "cat"],
    "kind": ["x", "y", "x"],
    "xy": np.arange(6.0).reshape(3, 2),
}


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label", embedding="xy") as made:
        yield made


def counts(session: Session) -> dict[str, int]:
    named = zip(session.classes.names, session.class_counts(), strict=True)
    return {name: int(n) for name, n in named if n}


def test_added_rows_get_a_class_a_place_and_a_new_revision(ds: Dataset) -> None:
    session = of(ds)
    session.project("auto")
    assert (session.n_rows, session.revision) == (3, 0)
    ds.add({"id": ["d"], "label": ["dog"], "xy": np.array([[7.0, 8.0]])})
    assert (session.n_rows, session.revision) == (4, 1)
    assert counts(session) == {"cat": 2, "dog": 2}
    assert session.layout is not None
    assert session.layout.coordinates[3].tolist() == [7.0, 8.0]
    ds.undo()
    assert (session.n_rows, counts(session)) == (4, {"cat": 2, "dog": 1})
    assert session.hidden().tolist() == [False, False, False, True]
    with pytest.raises(KeysError, match="unknown"):
        session.select(["d"])


def test_added_rows_without_vectors_are_counted_as_missing_from_the_map(ds: Dataset) -> None:
    session = of(ds)
    session.project("auto")
    ds.add({"id": ["d"], "label": ["dog"]})
    assert session.layout is not None
    assert session.layout.missing.tolist() == [False, False, False, True]
    assert session.hidden().tolist() == [False, False, False, True]


def test_a_renamed_class_keeps_its_code_and_so_its_colour(ds: Dataset) -> None:
    session = of(ds)
    ds.rename_label("cat", "kitty")
    assert session.classes.values == ["kitty", "dog"]
    assert counts(session) == {"kitty": 2, "dog": 1}
    ds.undo()
    assert session.classes.values == ["cat", "dog"]
    ds.redo()
    ds.commit("renamed")
    assert (session.classes.values, counts(session)) == (["kitty", "dog"], {"kitty": 2, "dog": 1})


def test_another_label_column_brings_its_own_classes(ds: Dataset) -> None:
    session = of(ds)
    ds.set_roles(label="kind")
    assert counts(session) == {"x": 2, "y": 1}
    ds.relabel("a", "y")
    assert counts(session) == {"x": 1, "y": 2}
    ds.set_roles(label=None)
    assert (session.label, counts(session)) == (None, {})


def test_a_session_follows_its_dataset_to_another_branch(ds: Dataset) -> None:
    session = of(ds)
    ds.branch("other")
    ds.relabel("a", "dog")
    ds.switch("other")
    assert of(ds) is session
    assert counts(session) == {"cat": 2, "dog": 1}
    ds.switch("main")
    assert of(ds) is session
    assert counts(session) == {"cat": 1, "dog": 2}


def test_a_bulk_act_on_a_selection_leaves_out_rows_that_went(ds: Dataset) -> None:
    session = of(ds)
    ds.add({"id": ["d"], "label": ["cat"]})
    session.select(["a", "d"])
    ds.undo()
    session.relabel(None, "dog", None, False)
    assert ds.to_pandas()["label"].tolist() == ["dog", "dog", "cat"]
    with pytest.raises(InputError, match="no row 9"):
        session.focus(9)
