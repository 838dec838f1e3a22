"""Evidence in a session: computed in the background, shown as far as it is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import burnish as bn
from burnish.core.finding import Findings
from burnish.dataset import Dataset
from burnish.review.part import Absent
from burnish.review.process import MAKERS
from burnish.session import background, of
from burnish.session.background import WAITING, Search
from burnish.widgets.evidence import evidence_of

FRAME = {
    "id": list("abcdef"),
    "pet": ["cat", "cat", "dog", "dog", "dog", "cat"],
    "x": [0.0, 0.1, 0.2, 5.0, 5.1, 5.2],
}


class Asked:
    """A search that finds nothing until it is told to."""

    made: list[Asked] = []

    def __init__(self, path: Path, version: str, found: Any) -> None:
        self.path, self.version, self.found = path, version, found
        self.cancelled = False
        Asked.made.append(self)

    def cancel(self) -> None:
        self.cancelled = True

    def find(self, name: str) -> None:
        """Find one part of the version."""
        with bn.open(self.path) as ds:
            self.found(name, MAKERS[name](ds.at(self.version)))


@pytest.fixture
def ds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Dataset]:
    Asked.made = []
    monkeypatch.setattr(background, "Search", Asked)
    with bn.create(tmp_path / "pets", FRAME, key="id", label="pet", features=["x"]) as dataset:
        yield dataset


def issues() -> Findings:
    probs = bn.Probabilities([[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 3, list("abcdef"), ["cat", "dog"])
    given, suggested = ["dog", "cat"], ["cat", "dog"]
    return Findings("label-issue", ["c", "f"], [0.9, 0.8], given, suggested, probabilities=probs)


def test_a_row_is_answered_at_once_and_told_when_its_neighbours_are_there(ds: Dataset) -> None:
    session, topics = of(ds), []
    session.review(issues())
    session.subscribe(topics.append)
    shown, _ = evidence_of(session, 2)
    assert (shown["neighbours"], shown["missing"]["neighbours"]) == ([], "")
    assert shown["pair"] is not None
    assert shown["margin"] == pytest.approx(-0.8)
    Asked.made[0].find("graph")
    assert (topics, session.evidence_seq) == (["evidence"], 1)
    shown, _ = evidence_of(session, 2)
    near = [(line["preview"]["key"], line["code"]) for line in shown["neighbours"]]
    assert near[:2] == [("b", 0), ("a", 0)]
    assert shown["missing"]["neighbours"] is None
    assert len(Asked.made) == 1


def test_a_relabel_asks_for_nothing_anew_and_shows_in_the_neighbours(ds: Dataset) -> None:
    session = of(ds)
    session.review(issues())
    session.evidence(2)
    Asked.made[0].find("graph")
    ds.relabel("b", "dog", because=issues())
    shown, _ = evidence_of(session, 2)
    assert shown["neighbours"][0]["preview"]["label"] == "dog"
    assert shown["neighbours"][0]["code"] == 1
    assert len(Asked.made) == 1


def test_after_a_commit_the_old_graph_stays_until_the_new_one_is_there(ds: Dataset) -> None:
    session = of(ds)
    session.review(issues())
    session.evidence(2)
    Asked.made[0].find("graph")
    ds.drop("b")
    ds.commit("one less")
    assert session.evidence(2).neighbours.frame()["neighbour"].tolist()[0] == "a"
    assert [search.cancelled for search in Asked.made] == [True, False]
    Asked.made[0].found("graph", Absent("too late"))
    assert session.evidence(2).neighbours.absent is None
    Asked.made[1].found("graph", Absent("gone"))
    assert session.evidence(2).neighbours.absent == Absent("gone")


def test_other_findings_keep_the_graph_and_change_the_pair(ds: Dataset) -> None:
    session = of(ds)
    session.review(issues())
    session.evidence(2)
    Asked.made[0].find("graph")
    session.review(Findings("outlier", ["a"], [0.9], [None], [None]))
    found = session.evidence(0)
    assert found.code == "outlier"
    assert len(found.neighbours) == 5
    assert (len(found.pair), found.model.absent is None) == (0, False)


def test_without_findings_a_row_still_has_neighbours_and_decisions(ds: Dataset) -> None:
    session = of(ds)
    ds.decide("a", "kept", because=issues())
    session.evidence(0)
    Asked.made[0].find("graph")
    shown, _ = evidence_of(session, 0)
    assert len(shown["neighbours"]) == 5
    assert [past["verdict"] for past in shown["decisions"]] == ["kept"]
    assert shown["decisions"][0]["finding"] == "label-issue"
    assert shown["missing"]["pair"]


def test_a_closed_session_stops_its_search(ds: Dataset) -> None:
    session = of(ds)
    session.evidence(0)
    session.close()
    assert Asked.made[0].cancelled


def test_a_real_search_ends_with_a_graph_and_a_reason(ds: Dataset) -> None:
    made: dict[str, Any] = {}
    search = Search(ds.path, ds.head.id, made.__setitem__)
    search.wait()
    assert set(made) == {"graph", "groups"}
    assert made["graph"].of(0)[0].tolist()[0] == 1


def test_a_search_that_dies_says_so(ds: Dataset) -> None:
    made: dict[str, Any] = {}
    search = Search(ds.path, "no such version", made.__setitem__)
    search.wait()
    assert set(made.values()) == {background.FAILED}


def test_a_cancelled_search_says_nothing(ds: Dataset) -> None:
    made: dict[str, Any] = {}
    search = Search(ds.path, ds.head.id, made.__setitem__)
    search.cancel()
    search.wait()
    assert made == {}


def test_what_is_awaited_has_no_words_yet() -> None:
    assert WAITING.waiting
    assert not Absent("nothing").waiting
