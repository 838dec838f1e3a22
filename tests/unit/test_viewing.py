"""Looking at an old version in place of the working copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import burnish as bn
from burnish.core.finding import Findings
from burnish.dataset import Dataset
from burnish.errors import StagedError, UnknownVersionError, ViewingError
from burnish.session import Session, of
from burnish.session.classes import NO_CLASS

FRAME = {
    "id": list("abcdef"),
    "label": ["cat", "dog", "cat", "dog", "cat", None],
    "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
    "y": [0.0, 1.0, 0.0, 1.0, 0.0, 1.0],
}


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    path = tmp_path / "pets.burnish"
    with bn.create(path, FRAME, key="id", label="label", embedding=["x", "y"]) as dataset:
        yield dataset


@pytest.fixture
def session(ds: Dataset) -> Session:
    """Return a session whose dataset is at v1, one cell and one drop after v0."""
    session = of(ds)
    ds.relabel("a", "dog")
    ds.drop("b")
    ds.commit("one")
    return session


def names(session: Session) -> list[str | None]:
    return [session.class_name(int(code)) for code in session.live_codes]


def test_nothing_is_viewed_at_first(session: Session) -> None:
    assert session.viewing is None
    assert session.version == session.ds.head


def test_a_viewed_version_is_shown_without_what_is_staged(session: Session) -> None:
    session.ds.relabel("c", "dog")
    session.view("v0")
    assert session.viewing == session.ds.at("v0").version.id
    assert names(session) == ["cat", "dog", "cat", "dog", "cat", None]
    assert session.live.all()
    assert len(session.staged) == 0
    assert [len(part) for part in session.staged_codes()] == [0, 0]
    assert session.class_counts().tolist() == [3, 2]
    session.return_to_branch()
    assert names(session) == ["dog", "dog", "dog", "dog", "cat", None]
    assert np.flatnonzero(~session.live).tolist() == [1]
    assert len(session.staged) == 1


def test_the_head_with_nothing_staged_is_the_working_copy(session: Session) -> None:
    session.view("v1")
    assert session.viewing is None
    session.view("v0")
    session.view("v1")
    assert session.viewing is None
    session.ds.relabel("c", "dog")
    session.view("v1")
    assert session.viewing == session.ds.head.id
    assert names(session)[2] == "cat"


def test_an_unknown_version_leaves_what_is_shown(session: Session) -> None:
    session.view("v0")
    before = session.viewing
    with pytest.raises(UnknownVersionError):
        session.view("v9")
    assert session.viewing == before


ACTS: dict[str, Callable[[Session], Any]] = {
    "relabel": lambda session: session.relabel([0], "dog", None, False),
    "decide": lambda session: session.decide(0, "kept", None, False),
    "drop": lambda session: session.drop([0], None, False),
    "restore": lambda session: session.restore([1]),
    "mark": lambda session: session.mark([0], "hard"),
    "commit": lambda session: session.commit("two", None),
    "undo": lambda session: session.undo(),
    "redo": lambda session: session.redo(),
}


@pytest.mark.parametrize("act", ACTS)
def test_acts_are_refused_while_viewing_and_change_nothing(act: str, session: Session) -> None:
    session.review(Findings("label-issue", ["a"], [0.9], ["cat"], ["dog"]))
    session.ds.relabel("c", "dog")
    session.view("v0")
    before = session.ds.fingerprint, repr(session.ds.staged), len(session.acts)
    with pytest.raises(ViewingError, match="looking at v0.*\nHint: return to main first"):
        ACTS[act](session)
    assert (session.ds.fingerprint, repr(session.ds.staged), len(session.acts)) == before
    assert session.viewing == session.ds.at("v0").version.id


@pytest.mark.filterwarnings("ignore::burnish.errors.NewClassWarning")
def test_edits_from_code_while_viewing_are_there_on_return(session: Session) -> None:
    ds = session.ds
    session.view("v0")
    shown = names(session)
    ds.relabel("c", "dog")
    ds.relabel("d", "bird")
    ds.undo()
    assert names(session) == shown
    ds.commit("two")
    ds.relabel("e", "bird")
    assert names(session) == shown
    assert session.version.name == "v0"
    session.return_to_branch()
    assert session.version.name == "v2"
    assert names(session) == ["dog", "dog", "dog", "dog", "bird", None]
    assert session.head_codes[4] == session.classes.names.index("cat")


def test_another_kernels_commit_while_viewing_is_there_on_return(session: Session) -> None:
    session.view("v0")
    with bn.open(session.ds.path, user="bob") as bob:
        bob.relabel("c", "dog")
        bob.commit("by bob")
    assert session.ds.head.name == "v2"
    assert names(session)[2] == "cat"
    session.return_to_branch()
    assert names(session)[2] == "dog"


@pytest.mark.filterwarnings("ignore::burnish.errors.NewClassWarning")
def test_codes_of_classes_stay_what_they_are(session: Session) -> None:
    ds = session.ds
    ds.relabel(["c", "e"], "bird")
    ds.relabel("a", "bird")
    ds.commit("no cat left")
    names_now = session.classes.names
    session.view("v0")
    assert session.classes.names == names_now
    assert session.head_codes.tolist() == [0, 1, 0, 1, 0, NO_CLASS]


def test_viewing_is_said_and_written_as_python_once(session: Session) -> None:
    topics: list[str] = []
    session.subscribe(topics.append)
    session.view("v0")
    session.view("v0")
    assert topics == ["head"]
    assert (session.acts[-1].text, session.acts[-1].code) == ("look at v0", "ds.at('v0')")
    session.return_to_branch()
    session.return_to_branch()
    assert topics == ["head", "head"]


def test_a_revert_takes_back_and_shows_the_branch(session: Session) -> None:
    session.view("v0")
    assert session.revert("v1") == ("v2", "revert v1")
    assert session.viewing is None
    assert session.acts[-1].code == "ds.revert('v1')"
    assert names(session) == ["cat", "dog", "cat", "dog", "cat", None]
    assert session.live.all()


def test_a_revert_with_staged_edits_is_refused_and_leaves_what_is_shown(session: Session) -> None:
    session.ds.relabel("c", "dog")
    session.view("v0")
    with pytest.raises(StagedError, match="1 staged cells"):
        session.revert("v1")
    assert session.version.name == "v0"
    assert session.ds.head.name == "v1"


def test_a_version_stays_viewed_when_the_dataset_is_reopened(session: Session) -> None:
    session.view("v0")
    session.ds.close()
    with bn.open(session.ds.path) as again:
        assert of(again) is session
        assert session.version.name == "v0"
        assert names(session)[0] == "cat"
        session.return_to_branch()
        assert names(session)[0] == "dog"


def test_rows_and_columns_that_a_version_does_not_have_yet_are_not_there(ds: Dataset) -> None:
    session = of(ds)
    session.project("given")
    sizes: set[tuple[int, int]] = set()
    session.subscribe(lambda _: sizes.add((len(session.head_codes), len(session.hidden()))))
    ds.add({"id": ["g"], "label": ["dog"], "x": [6.0], "y": [0.0]})
    ds.commit("one more")
    ds.rename_label("dog", "hound")
    ds.rename_column("label", "animal")
    ds.commit("other names")
    assert sizes == {(7, 7)}
    session.view("v0")
    assert (session.label, session.n_rows) == ("label", 7)
    assert session.live.tolist() == [True] * 6 + [False]
    assert session.hidden().tolist() == [False] * 6 + [True]
    assert names(session) == ["cat", "dog", "cat", "dog", "cat", None, None]
    session.return_to_branch()
    assert session.label == "animal"
    assert names(session) == ["cat", "hound", "cat", "hound", "cat", None, "hound"]
    assert session.live.all()
