"""What speaks for and against a finding, from Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import burnish as bn
from burnish.core.finding import Findings
from burnish.dataset import Dataset
from burnish.errors import InputError, KeysError
from burnish.model.binomial import wilson
from burnish.review.evidence import Evidence
from burnish.review.grounds import Graph, Groups
from burnish.review.part import Absent
from burnish.review.process import main, read, write

CATS = [0.0, 0.1, 0.25, 0.45]
DOGS = [5.0, 5.1, 5.25, 5.45]
MARKUP = "<img src=x onerror=alert(1)>"
LABELS = ["cat", "cat", "dog", "cat", "dog", "dog", "cat", "dog"]


def frame() -> dict[str, Any]:
    """Return two clouds of four, with one wrong label in each: c and g."""
    return {
        "id": list("abcdefgh"),
        "x": CATS + DOGS,
        "pet": list(LABELS),
        "split": ["train", "test"] * 4,
    }


def probabilities(keys: str = "abcdefgh") -> bn.Probabilities:
    """Return probabilities that know the clouds."""
    sure = {key: [0.9, 0.1] if key in "abcd" else [0.2, 0.8] for key in keys}
    return bn.Probabilities([sure[key] for key in keys], list(keys), ["cat", "dog"])


def flagged(probs: bn.Probabilities | None = None, code: str = "label-issue") -> Findings:
    """Return findings on the wrong labels."""
    given, suggested = ["dog", "cat"], ["cat", "dog"]
    return Findings(code, ["c", "g"], [0.9, 0.8], given, suggested, probabilities=probs)


@pytest.fixture
def ds() -> Iterator[Dataset]:
    with bn.create(None, frame(), key="id", label="pet", features=["x"], split="split") as dataset:
        yield dataset


@pytest.fixture
def issues() -> Findings:
    return flagged(probabilities())


def neighbours(found: Evidence) -> list[tuple[str, str]]:
    """Return the neighbours of one row with their labels."""
    lines = found.neighbours.of(0)
    return [(line["neighbour"], line["label"]) for line in lines]


def test_neighbours_come_nearest_first_with_their_labels_and_without_the_row(
    ds: Dataset, issues: Findings
) -> None:
    found = bn.evidence(ds, issues, "c", k=3)
    assert neighbours(found) == [("b", "cat"), ("d", "cat"), ("a", "cat")]
    similar = found.neighbours.frame()["similarity"].tolist()
    assert similar == sorted(similar, reverse=True)
    assert all(0 < value < 1 for value in similar)


def test_a_neighbour_is_shown_with_the_label_it_has_now_and_not_at_all_once_dropped(
    ds: Dataset, issues: Findings
) -> None:
    bn.evidence(ds, issues, "c")
    ds.relabel("b", "dog")
    ds.drop("d")
    assert neighbours(bn.evidence(ds, issues, "c", k=2)) == [("b", "dog"), ("a", "cat")]


def test_identical_rows_have_similarity_one() -> None:
    same = {"id": [1, 2, 3, 4], "x": [1.0, 1.0, 1.0, 9.0], "y": list("abab")}
    with bn.create(None, same, key="id", label="y", features=["x"]) as ds:
        empty = Findings("label-issue", [], [], [], [])
        similar = bn.evidence(ds, empty, 1).neighbours.frame()["similarity"]
        assert similar.tolist()[:2] == [1.0, 1.0]
        assert similar.tolist()[2] < 1


def test_the_rate_of_a_pair_is_its_share_of_confident_rows_with_wilsons_interval(
    ds: Dataset, issues: Findings
) -> None:
    pair = bn.evidence(ds, issues, "c").pair.frame().iloc[0]
    assert (pair["given"], pair["suggestion"]) == ("dog", "cat")
    assert pair["rate"] == 1 / 4
    assert (pair["low"], pair["high"]) == pytest.approx([float(x) for x in wilson(1, 4, 0.95)])
    assert pair["flagged"] == 1


def test_the_rate_stands_still_while_flagged_rows_are_relabelled(ds: Dataset) -> None:
    before = bn.evidence(ds, flagged(probabilities())).pair.frame()["rate"].tolist()
    for key, label in [("c", "cat"), ("g", "dog")]:
        ds.relabel(key, label)
    assert bn.evidence(ds, flagged(probabilities())).pair.frame()["rate"].tolist() == before


def test_accepted_and_kept_count_the_last_decision_on_each_row_of_the_pair(
    ds: Dataset, issues: Findings
) -> None:
    def counts(key: str) -> list[int]:
        return bn.evidence(ds, issues, key).pair.frame()[["accepted", "kept"]].iloc[0].tolist()

    ds.decide("c", "kept", because=issues)
    assert (counts("c"), counts("g")) == ([0, 1], [0, 0])
    ds.relabel("c", "cat", because=issues)
    ds.decide("g", "kept", because=issues)
    assert (counts("c"), counts("g")) == ([1, 0], [0, 1])
    ds.undo()
    ds.undo()
    assert (counts("c"), counts("g")) == ([0, 1], [0, 0])


def test_decisions_on_another_kind_of_findings_do_not_count_for_the_pair(
    ds: Dataset, issues: Findings
) -> None:
    ds.decide("c", "kept", because=flagged(code="outlier"))
    assert bn.evidence(ds, issues, "c").pair.frame()["kept"].tolist() == [0]


def test_the_margin_is_the_given_label_minus_the_likeliest_other(
    ds: Dataset, issues: Findings
) -> None:
    model = bn.evidence(ds, issues, ["c", "g", "a"]).model.frame()
    assert model["margin"].tolist() == pytest.approx([-0.8, -0.6, 0.8])
    assert model["likeliest"].tolist() == ["cat", "dog", "cat"]
    ds.relabel("c", "cat")
    again = bn.evidence(ds, issues, "c").model.frame()
    assert again["margin"].tolist() == pytest.approx([-0.8])


def test_a_label_that_no_probability_is_for_has_no_margin_and_no_rate(ds: Dataset) -> None:
    issues = Findings("label-issue", ["c"], [1.0], ["bird"], ["cat"], probabilities=probabilities())
    found = bn.evidence(ds, issues, "c")
    assert np.isnan(found.model.frame()["margin"].iloc[0])
    assert np.isnan(found.pair.frame()["rate"].iloc[0])
    assert "cat 0.90" in repr(found)


def test_decisions_say_by_whom_why_and_whether_on_findings_of_the_same_kind(
    ds: Dataset, issues: Findings
) -> None:
    earlier = Findings("label-issue", ["c"], [0.5], ["dog"], ["cat"])
    ds.decide("c", "unsure", because=earlier, reason="blurred")
    ds.decide("c", "kept", because=flagged(code="outlier"))
    ds.commit("looked")
    ds.decide("c", "kept", because=issues)
    said = bn.evidence(ds, issues, "c").decisions.frame()
    assert said["verdict"].tolist() == ["unsure", "kept", "kept"]
    assert said["same_kind"].tolist() == [True, False, True]
    assert said["reason"].tolist() == ["blurred", None, None]
    assert said["version"].tolist() == ["v1", "v1", None]
    assert set(said["author"]) == {ds.user}
    assert len(bn.evidence(ds, issues, "g").decisions) == 0


def test_what_is_not_there_is_said_and_is_no_error() -> None:
    bare = {"id": list("abcdefgh"), "pet": list(LABELS)}
    with bn.create(None, bare, key="id", label="pet") as ds:
        found = bn.evidence(ds, flagged())
        assert found.neighbours.absent is not None
        assert found.model.absent is not None
        assert len(found.neighbours.frame()) == len(found.model.frame()) == 0
        assert list(found.neighbours.frame())[:3] == ["key", "rank", "neighbour"]
        assert found.neighbours.absent.reason in repr(found)
        assert "carry no class probabilities" in repr(found)
        assert np.isnan(found.pair.frame()["rate"]).all()
        assert found.frame()["neighbours"].tolist() == [0, 0]


def test_findings_that_propose_nothing_have_no_pair(ds: Dataset) -> None:
    outliers = Findings("outlier", ["c"], [0.9], [None], [None])
    found = bn.evidence(ds, outliers)
    assert len(found.pair) == 0
    assert "no class pair" in repr(found)
    assert len(found.neighbours) == 7


def test_findings_on_lists_and_no_label_role_have_neighbours_and_no_rate() -> None:
    rows = {"id": [1, 2, 3], "x": [0.0, 1.0, 5.0], "tags": [["a"], ["a", "b"], []]}
    with bn.create(None, rows, key="id", features=["x"]) as ds:
        probs = bn.Probabilities([[0.5, 0.5]] * 3, [1, 2, 3], ["a", "b"])
        given = np.empty(1, dtype=object)
        given[0] = ["a", "b"]
        issues = Findings("multilabel-issue", [2], [0.9], given, ["a"], probabilities=probs)
        found = bn.evidence(ds, issues)
        assert found.neighbours.frame()["neighbour"].tolist() == [1, 3]
        assert np.isnan(found.pair.frame()["rate"]).all()
        assert len(found.model) == 1


def test_a_row_that_was_not_flagged_has_neighbours_and_no_pair(
    ds: Dataset, issues: Findings
) -> None:
    found = bn.evidence(ds, issues, "a", k=2)
    assert neighbours(found) == [("b", "cat"), ("c", "dog")]
    assert len(found.pair) == 0
    assert found.given.tolist() == [None]
    assert len(found.model) == 1


def test_all_flagged_rows_are_the_default_dropped_ones_included(
    ds: Dataset, issues: Findings
) -> None:
    ds.drop("c")
    found = bn.evidence(ds, issues)
    assert found.keys.tolist() == ["c", "g"]
    assert [one.keys.tolist() for one in found] == [["c"], ["g"]]


def test_one_row_of_many_says_the_same_as_asked_for_alone(ds: Dataset, issues: Findings) -> None:
    ds.decide("g", "kept", because=issues)
    many, alone = bn.evidence(ds, issues), bn.evidence(ds, issues, "g")
    assert repr(many["g"]) == repr(alone)
    for name, part in many["g"].parts.items():
        assert part.frame().to_dict("records") == alone.parts[name].frame().to_dict("records")


def test_the_frame_has_one_line_a_row_in_numbers(ds: Dataset, issues: Findings) -> None:
    lines = bn.evidence(ds, issues, k=3).frame()
    assert lines["key"].tolist() == ["c", "g"]
    assert lines["like_suggestion"].tolist() == [3, 3]
    assert lines["like_given"].tolist() == [0, 0]
    assert lines["margin"].tolist() == pytest.approx([-0.8, -0.6])


def test_evidence_does_not_depend_on_the_order_of_the_rows(issues: Findings) -> None:
    said = []
    for order in (list(range(8)), [5, 2, 7, 0, 3, 6, 1, 4]):
        rows = {name: [values[i] for i in order] for name, values in frame().items()}
        with bn.create(None, rows, key="id", label="pet", features=["x"]) as ds:
            said.append(repr(bn.evidence(ds, issues)))
    assert said[0] == said[1]


def test_looking_at_evidence_changes_nothing(ds: Dataset, issues: Findings) -> None:
    before = ds.fingerprint, repr(ds.staged), len(ds.decisions), issues.id
    bn.evidence(ds, issues)._repr_html_()
    assert (ds.fingerprint, repr(ds.staged), len(ds.decisions), issues.id) == before


def test_a_snapshot_has_evidence_but_keeps_no_decisions(ds: Dataset, issues: Findings) -> None:
    ds.relabel("b", "dog")
    found = bn.evidence(ds.at("v0"), issues, "c", k=1)
    assert neighbours(found) == [("b", "cat")]
    assert found.decisions.absent is not None


def test_whatever_comes_from_the_data_is_text_in_html() -> None:
    rows = {"id": [MARKUP, "b"], "x": [0.0, 1.0], "pet": [MARKUP, "cat"]}
    with bn.create(None, rows, key="id", label="pet", features=["x"]) as ds:
        issues = Findings("label-issue", [MARKUP], [1.0], [MARKUP], ["cat"])
        ds.decide(MARKUP, "kept", because=issues, reason=MARKUP)
        found = bn.evidence(ds, issues)
        shown = found._repr_html_() + found.neighbours._repr_html_() + found.pair._repr_html_()
        assert MARKUP not in shown
        assert shown.count("&lt;img") >= 4


def test_the_repr_is_plain_text_and_says_how_many_more_there_are(ds: Dataset) -> None:
    many = Findings("label-issue", list("abcdefgh"), [0.5] * 8, ["cat"] * 8, ["dog"] * 8)
    text = repr(bn.evidence(ds, many))
    assert text.startswith("Evidence(8 label-issues)\na: labelled cat, dog suggested\n")
    assert text.endswith("… and 5 more: evidence[key], evidence.frame()")
    assert "<" not in text


def test_no_findings_give_no_evidence(ds: Dataset) -> None:
    found = bn.evidence(ds, Findings("label-issue", [], [], [], []))
    assert (len(found), len(found.frame()), repr(found)) == (0, 0, "Evidence(0 label-issues)")


@pytest.mark.parametrize("wrong", [None, ["c"], "c"])
def test_what_is_no_findings_is_refused(ds: Dataset, wrong: Any) -> None:
    with pytest.raises(InputError, match="expected Findings"):
        bn.evidence(ds, wrong)


def test_unknown_rows_and_no_neighbours_are_refused(ds: Dataset, issues: Findings) -> None:
    with pytest.raises(KeysError, match="unknown"):
        bn.evidence(ds, issues, "z")
    with pytest.raises(InputError, match="k=0"):
        bn.evidence(ds, issues, k=0)
    with pytest.raises(KeysError, match="no evidence for 'a'"):
        bn.evidence(ds, issues)["a"]
    with pytest.raises(InputError, match="Snapshot"):
        bn.evidence(frame(), issues)  # type: ignore[arg-type]


def test_duplicates_are_the_other_rows_of_a_rows_groups(ds: Dataset) -> None:
    keys = [["a", "c", "h"], ["b", "d"], ["c", "h", "e"]]
    groups = Groups.of(keys, [False, True, False], ds.state)
    assert groups.others(2)[0].tolist() == [0, 7, 4]
    assert [part.tolist() for part in groups.others(1)] == [[3], [True]]
    assert groups.others(5)[0].tolist() == []
    assert Groups.of([], [], ds.state).others(0)[0].tolist() == []


TEXTS = {
    "id": list("abcde"),
    "text": ["The parcel came late and nobody answered my mails."] * 2
    + ["The parcel came late, and nobody answered my mails!", "Shoes fit well.", None],
    "label": ["cross", "cross", "happy", "happy", None],
    "split": ["train", "test", "train", "train", "test"],
}


def test_duplicates_say_how_alike_they_are_and_their_labels_and_splits() -> None:
    with bn.create(None, TEXTS, key="id", label="label", text="text", split="split") as ds:
        issues = Findings("label-issue", ["c", "a"], [0.9, 0.8], ["happy", "cross"], [None] * 2)
        found = bn.evidence(ds, issues)
        lines = found["a"].duplicates.frame().drop(columns="key").to_dict("split")["data"]
        assert lines == [["b", "exact", "cross", "test"], ["c", "near", "happy", "train"]]
        assert "1 exact and 1 near: 1 is cross, 1 is happy" in repr(found["a"])
        ds.drop("b")
        ds.relabel("c", "cross")
        again = bn.evidence(ds, issues, "a").duplicates.frame()
        assert again[["duplicate", "label"]].values.tolist() == [["c", "cross"]]


def test_vectors_that_are_equal_are_exact_duplicates() -> None:
    x = [0.0, 0.0, *np.linspace(5, 90, 12)]
    rows = {"id": list(range(14)), "x": x, "y": [2 * value for value in x], "label": ["a"] * 14}
    with bn.create(None, rows, key="id", label="label", embedding=["x", "y"]) as ds:
        none = Findings("outlier", [], [], [], [])
        said = bn.evidence(ds, none, 0).duplicates.frame()
        assert dict(said[["duplicate", "kind"]].values.tolist())[1] == "exact"
        assert set(said["kind"][said["duplicate"] != 1]) <= {"near"}


def test_duplicates_are_looked_for_once_for_the_same_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from burnish.review import grounds

    made: list[Any] = []
    real = grounds.Groups.of
    monkeypatch.setattr(grounds.Groups, "of", lambda *given: made.append(1) or real(*given))
    with bn.create(None, TEXTS, key="id", label="label", text="text", split="split") as ds:
        issues = Findings("label-issue", ["c"], [0.9], ["happy"], ["cross"])
        bn.evidence(ds, issues)
        ds.relabel("c", "cross")
        bn.evidence(ds, issues)
        assert len(made) == 1
        ds.set("d", "text", "The parcel came late, nobody answered my mails.")
        assert len(bn.evidence(ds, issues, "d").duplicates) == 3
        assert len(made) == 2


def test_another_process_writes_the_parts_and_says_their_names(
    ds: Dataset, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(ds.path), ds.head.id, str(tmp_path)])
    assert capsys.readouterr().out.split() == ["graph", "groups"]
    graph = read(tmp_path, "graph")
    assert isinstance(graph, Graph)
    assert graph.of(2)[0].tolist()[:2] == [1, 3]


def test_a_part_that_is_not_there_keeps_its_reason(tmp_path: Any) -> None:
    write(tmp_path, "groups", Absent("no text, ünd no images"))
    assert read(tmp_path, "groups") == Absent("no text, ünd no images")
    with pytest.raises(OSError, match="graph"):
        read(tmp_path, "graph")
