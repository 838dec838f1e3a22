"""Votes, values, outliers, ambiguous rows and opinions side by side, on known answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

import burnish as bn
from burnish.core.finding import Findings
from burnish.errors import InputError, KeysError, ProbabilityError
from burnish.model.labelled import labelled


class Noisy:
    """Handwritten digits of which every tenth label is wrong."""

    def __init__(self) -> None:
        digits, random = load_digits(), np.random.default_rng(0)
        self.vectors, self.truth = digits.data, digits.target
        self.wrong = random.random(len(self.truth)) < 0.1
        shift = random.integers(1, 10, len(self.truth))
        self.labels = np.where(self.wrong, (self.truth + shift) % 10, self.truth)

    def precision(self, found: Findings) -> float:
        scores = np.zeros(len(self.truth))
        scores[found.keys.astype(int)] = found.scores
        return float(average_precision_score(self.wrong, scores))


@pytest.fixture(scope="module")
def noisy() -> Noisy:
    return Noisy()


def table(**more: Any) -> pd.DataFrame:
    """Two clusters of ten rows, one row of each with the label of the other."""
    x = [float(i) for i in range(10)] + [100.0 + i for i in range(10)]
    labels = ["a"] * 10 + ["b"] * 10
    labels[4], labels[15] = "b", "a"
    return pd.DataFrame({"id": range(20), "x": x, "label": labels, **more})


def made(frame: pd.DataFrame, **roles: Any) -> bn.dataset.Dataset:
    return bn.create(None, frame, key="id", label="label", features=["x"], **roles)


def test_the_vote_finds_the_rows_that_were_swapped() -> None:
    with made(table()) as ds:
        found = bn.find.knn_vote(ds, k=5)
    assert [(f.key, f.given, f.suggestion, f.score) for f in found] == [
        (4, "b", "a", 1.0),
        (15, "a", "b", 1.0),
    ]
    assert found.details["n_votes"].tolist() == [5, 5]


def test_a_twin_outvotes_all_others_where_distance_counts() -> None:
    vectors, labels = [[0.0], [0.0], [1.0], [1.1], [1.2]], ["a", "a", "b", "b", "b"]
    uniform = bn.find.knn_vote(vectors, labels, k=4)
    near = bn.find.knn_vote(vectors, labels, k=4, weights="distance")
    assert set(uniform.keys) == {0, 1}
    assert len(near) == 0


def test_rows_without_a_label_neither_vote_nor_are_judged() -> None:
    frame = table()
    frame.loc[[3, 5], "label"] = None
    with made(frame) as ds:
        found = bn.find.knn_vote(ds, k=5, min_score=0)
        valued = bn.find.knn_shapley(ds, k=5, min_score=0)
    votes = dict(zip(found.keys, found.details["n_votes"]))
    assert votes[4] == 3
    assert {3, 5}.isdisjoint(found.keys)
    assert {3, 5}.isdisjoint(valued.keys)
    assert found.provenance["n_null_labels"] == valued.provenance["n_null_labels"] == 2


def test_the_value_of_rows_finds_the_rows_that_were_swapped() -> None:
    with made(table()) as ds:
        found = bn.find.knn_shapley(ds, k=5)
    assert [(f.key, f.suggestion) for f in found[:2]] == [(4, "a"), (15, "b")]
    assert (found.details["value_if_changed"] > found.details["value"]).all()
    assert (found.details["value"] < 0).all()


def test_rows_of_a_split_judge_the_others() -> None:
    splits = ["train"] * 8 + ["test"] * 2 + ["train"] * 8 + ["test"] * 2
    with made(table(part=splits), split="part") as ds:
        found = bn.find.knn_shapley(ds, k=3, judges="test", min_score=0)
        with pytest.raises(InputError, match="'valid'"):
            bn.find.knn_shapley(ds, judges="valid")
    assert len(found) == found.n_rows == 16
    assert found.provenance["n_judges"] == 4
    assert set(found.keys[:2]) == {4, 15}


def test_on_digits_each_opinion_finds_most_wrong_labels_and_the_value_of_rows_nearly_all(
    noisy: Noisy,
) -> None:
    vote = bn.find.knn_vote(noisy.vectors, noisy.labels, min_score=0)
    value = bn.find.knn_shapley(noisy.vectors, noisy.labels, min_score=0)
    both = bn.find.second_opinions(vote, value)
    assert noisy.precision(vote) > 0.98
    assert noisy.precision(value) > 0.99
    assert noisy.precision(both) > 0.99
    top = value.keys[:100].astype(int)
    assert (value.suggestions[:100] == noisy.truth[top]).mean() > 0.98


def test_a_row_far_from_all_others_is_an_outlier_in_a_dense_and_in_a_sparse_place() -> None:
    random = np.random.default_rng(0)
    dense, sparse = random.normal(size=(100, 2)) * 0.01, random.normal(size=(100, 2)) + 50
    rows = np.concatenate([dense, sparse, [[0.2, 0.2]], [[80.0, 80.0]]])
    found = bn.find.outliers(rows, k=10)
    assert set(found.keys[:2]) == {200, 201}
    assert found.details["ratio"][0] > 3
    assert found.suggestions.tolist() == [None] * len(found)


@pytest.mark.parametrize("rows", [[], [[1.0]], [[1.0], [1.0]], [[0.0]] * 30])
def test_rows_that_are_all_alike_or_hardly_any_have_no_outliers(rows: list[Any]) -> None:
    assert len(bn.find.outliers(np.reshape(rows, (-1, 1)))) == 0


def test_one_row_beside_many_copies_is_an_outlier() -> None:
    found = bn.find.outliers([[0.0]] * 30 + [[1.0], [1.1], [9.0]], k=5)
    assert 32 in found.keys


def test_a_row_between_two_classes_is_ambiguous_and_a_wrong_label_is_not() -> None:
    x = [*range(10), 50, *range(91, 101)]
    labels = ["a"] * 10 + ["a"] + ["b"] * 10
    labels[2] = "b"
    sure = [[0.95, 0.05]] * 10 + [[0.52, 0.48]] + [[0.05, 0.95]] * 10
    frame = pd.DataFrame({"id": range(21), "x": x, "label": labels})
    with made(frame) as ds:
        probs = bn.Probabilities(np.array(sure), range(21), ["a", "b"])
        found = bn.find.ambiguous(ds, probs, k=8)
    assert found.keys.tolist() == [10]
    assert (found.details["first"][0], found.details["second"][0]) == ("a", "b")
    assert found.details["neighbour_margin"][0] == 0
    assert found.provenance["temperature"] != 1


def test_without_vectors_probabilities_alone_say_what_is_ambiguous() -> None:
    frame = table().drop(columns="x")
    sure = np.full((20, 2), [0.9, 0.1])
    sure[7] = [0.5, 0.5]
    with bn.create(None, frame, key="id", label="label") as ds:
        probs = bn.Probabilities(sure[:15], range(15), ["a", "b"])
        found = bn.find.ambiguous(ds, probs, min_score=0)
    assert found.keys[0] == 7
    assert found.scores[0] == 1
    assert set(found.details["neighbour_margin"]) == {None}
    assert found.provenance["n_without_probabilities"] == 5


def test_probabilities_of_other_rows_are_refused() -> None:
    with made(table()) as ds:
        probs = bn.Probabilities([[0.5, 0.5]], ["z"], ["a", "b"])
        with pytest.raises(ProbabilityError, match="other keys"):
            bn.find.ambiguous(ds, probs)
        with pytest.raises(ProbabilityError, match="carry keys"):
            bn.find.ambiguous(ds, np.full((20, 2), 0.5))
    with pytest.raises(ProbabilityError, match="2 labels and 1 rows"):
        bn.find.ambiguous(["a", "b"], [[0.5, 0.5]])


def opinion(name: str, keys: str, **more: Any) -> Findings:
    scores = np.linspace(0.9, 0.1, len(keys))
    suggested = more.pop("to", ["y"] * len(keys))
    return Findings(name, list(keys), scores, ["x"] * len(keys), suggested, **more)


def test_opinions_stand_side_by_side() -> None:
    one, two = opinion("one", "abc"), opinion("two", "bcd", to=["z", "z", None])
    three = opinion("three", "b", to=["z"])
    frame = bn.find.second_opinions(one, two, three).frame().set_index("key")
    assert frame.index[0] == "b"
    assert frame.loc["b", "suggestion"] == "z"
    assert frame.loc["a", "suggestion"] == "y"
    assert pd.isna(frame.loc["d", "suggestion"])
    assert frame["n_agree"].to_dict() == {"b": 2, "a": 1, "c": 1, "d": 0}
    assert frame.loc["b", ["one_rank", "two_rank", "three_rank"]].tolist() == [2.0, 1.0, 1.0]
    assert frame.loc["b", "one_score"] == 0.5


def test_agreement_is_stated_with_an_interval_that_holds_it(noisy: Noisy) -> None:
    n = 60
    random = np.random.default_rng(0)
    scores = random.random(n)
    one = Findings("one", range(n), scores, [None] * n, [None] * n)
    near = np.clip(scores + random.normal(size=n) * 0.05, 0, 1)
    two = Findings("two", range(n), near, [None] * n, [None] * n)
    against = Findings("against", range(n), 1 - scores, [None] * n, [None] * n)
    found = bn.find.second_opinions(one, two, against)
    pairs = {tuple(pair["between"]): pair for pair in found.provenance["agreement"]}
    assert pairs["one", "against"]["tau"] == pytest.approx(-1)
    mine = pairs["one", "two"]
    assert 0.7 < mine["low"] < mine["tau"] < mine["high"] < 1
    assert mine["overlap"] == 1


def test_opinions_without_rows_agree_on_nothing() -> None:
    found = bn.find.second_opinions(opinion("one", ""), opinion("two", ""))
    assert len(found) == 0
    assert found.provenance["agreement"][0]["tau"] is None
    some = bn.find.second_opinions(opinion("one", "a"), opinion("two", "", n_rows=10))
    assert some.scores.tolist() == [0.75]


def test_opinions_that_cannot_be_compared_are_refused() -> None:
    one = opinion("one", "ab")
    with pytest.raises(InputError, match="1 opinions"):
        bn.find.second_opinions(one)
    with pytest.raises(InputError, match="ndarray"):
        bn.find.second_opinions(one, np.zeros(2))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="different names"):
        bn.find.second_opinions(one, one)


def test_options_that_are_unknown_are_refused() -> None:
    vectors, labels = [[0.0], [1.0]], ["a", "b"]
    with pytest.raises(InputError, match="'rank'"):
        bn.find.knn_vote(vectors, labels, weights="rank")
    with pytest.raises(InputError, match="k=0"):
        bn.find.knn_shapley(vectors, labels, k=0)
    with pytest.raises(InputError, match="2 vectors and 1 labels"):
        bn.find.knn_vote(vectors, ["a"])
    with pytest.raises(InputError, match="2 vectors and 0 labels"):
        bn.find.knn_shapley(vectors)
    with pytest.raises(InputError, match="names a split"):
        bn.find.knn_shapley(vectors, labels, judges="test")
    with made(table()) as ds, pytest.raises(InputError, match="has its own"):
        labelled(ds, labels)


@pytest.mark.parametrize("name", ["knn_vote", "knn_shapley", "outliers"])
def test_an_analysis_of_neighbours_does_not_see_the_order_of_rows_or_change_them(name: str) -> None:
    frame = table(more=range(20))
    analysis = getattr(bn.find, name)
    with made(frame) as ds, made(frame.sample(frac=1, random_state=3)) as other:
        before = ds.fingerprint
        one, two = analysis(ds, min_score=0.0), analysis(other, min_score=0.0)
        assert ds.fingerprint == before
    pd.testing.assert_frame_equal(one.frame(), two.frame())
    assert one.id == two.id


@pytest.mark.parametrize("name", ["knn_vote", "knn_shapley"])
@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_rows_give_no_findings(name: str, n: int) -> None:
    with made(table()) as ds:
        ds.drop(list(range(n, 20)))
        assert len(getattr(bn.find, name)(ds)) == 0
    with made(table().assign(label=pd.Series([None] * 20, dtype="string"))) as ds:
        assert len(getattr(bn.find, name)(ds)) == 0


def test_neighbours_of_other_keys_are_refused() -> None:
    from burnish.model.neighbours import neighbours

    with pytest.raises(KeysError, match="unknown"):
        neighbours(np.zeros((2, 1))).align(["a", "b"])
