"""What analyses make of input as it comes: refused with a hint, or read for what it is."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import burnish as bn
from burnish.core.finding import Findings
from burnish.errors import InputError, LabelError, ProbabilityError
from burnish.model.features import inputs
from burnish.model.neighbours import neighbours
from burnish.model.vectors import row_vectors

POINTS = np.random.default_rng(0).normal(size=(12, 3))
LABELS = list("aabbab" * 2)


@pytest.fixture
def ds() -> Iterator[bn.Dataset]:
    frame = pd.DataFrame({"id": range(12), "v": list(POINTS), "y": LABELS})
    with bn.create(None, frame, key="id", label="y", embedding="v") as made:
        yield made


@pytest.fixture
def probs(ds: bn.Dataset) -> bn.Probabilities:
    return bn.Probabilities([[0.9, 0.1]] * 6 + [[0.2, 0.8]] * 6, ds.keys, ["a", "b"])


CALLS: dict[str, Callable[..., Any]] = {
    "knn_vote": lambda ds, probs, **more: bn.find.knn_vote(ds, **more),
    "knn_shapley": lambda ds, probs, **more: bn.find.knn_shapley(ds, **more),
    "outliers": lambda ds, probs, **more: bn.find.outliers(ds, **more),
    "ambiguous": bn.find.ambiguous,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "options",
    [
        *({"k": k} for k in (0, 1.5, "3", None)),
        *({"min_score": least} for least in (-0.1, 2, float("nan"), "x")),
        *({"seed": seed} for seed in (-1, 1.5, "x", None)),
    ],
    ids=str,
)
def test_an_option_out_of_its_range_is_refused_by_name(
    call: Any, options: dict[str, Any], ds: bn.Dataset, probs: bn.Probabilities
) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        call(ds, probs, **options)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_options_may_be_numpy_numbers(call: Any, ds: bn.Dataset, probs: bn.Probabilities) -> None:
    odd: dict[str, Any] = {"k": np.int64(3), "seed": np.int32(1), "min_score": np.float32(0.5)}
    plain = call(ds, probs, k=3, seed=1, min_score=0.5)
    assert call(ds, probs, **odd).keys.tolist() == plain.keys.tolist()


def test_evidence_refuses_half_a_neighbour(ds: bn.Dataset, probs: bn.Probabilities) -> None:
    issues = bn.find.label_issues(ds, probs, min_score=0)
    with pytest.raises(InputError, match=r"k=1\.5"):
        bn.evidence(ds, issues, k=1.5)  # type: ignore[arg-type]


def test_label_issues_refuses_a_least_score_above_1(
    ds: bn.Dataset, probs: bn.Probabilities
) -> None:
    with pytest.raises(InputError, match="min_score=2"):
        bn.find.label_issues(ds, probs, min_score=2)


def test_opinions_refuse_a_seed_below_0() -> None:
    one, two = (bn.find.knn_vote(POINTS, LABELS, k=k, min_score=0) for k in (2, 3))
    both: dict[str, Findings] = {"one": one, "two": two}
    with pytest.raises(InputError, match="seed=-1"):
        bn.find.second_opinions(both, seed=-1)


def of_texts(texts: list[Any]) -> bn.Dataset:
    labels = ["a", "b"] * (len(texts) // 2)
    frame = pd.DataFrame({"id": range(len(texts)), "t": texts, "y": labels})
    return bn.create(None, frame, key="id", label="y", text="t")


def test_equal_texts_share_one_place_without_a_warning() -> None:
    with of_texts(["the same text"] * 6) as ds:
        assert not np.ptp(row_vectors(ds).values, axis=0).any()
        assert len(bn.find.outliers(ds, k=3)) == 0


def test_bytes_are_read_as_the_text_they_spell() -> None:
    texts = ["cat dog", "bird song", "dog fish", "fish"]
    with of_texts(texts) as ds, of_texts([text.encode() for text in texts]) as raw:
        assert np.array_equal(row_vectors(ds).values, row_vectors(raw).values)


GIVEN: dict[str, Any] = {
    "path": "a.burnish",
    "nothing": None,
    "generator": (row for row in POINTS),
    "ragged": [[1.0], [1.0, 2.0]],
    "flat": np.arange(5.0),
    "texts": [["a", "b"]],
    "complex": np.array([[1j], [2.0]]),
    "dates": np.array([["2020-01-01"]], dtype="datetime64[D]"),
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_what_is_no_array_of_vectors_is_refused(given: Any) -> None:
    labels = ["a"] * (len(given) if hasattr(given, "__len__") else 0)
    for call in (bn.find.knn_vote, bn.find.knn_shapley):
        with pytest.raises(InputError):
            call(given, labels, k=1)
    with pytest.raises(InputError):
        bn.find.outliers(given, k=1)
    with pytest.raises(InputError):
        bn.find.near_duplicates(given, by="embedding")


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("filler", [1e200, 1.7e308, float(np.finfo(np.float32).max)])
def test_a_filler_that_would_overflow_is_no_vector(filler: float, metric: Any) -> None:
    values = np.vstack([POINTS, np.full((2, 3), filler)])
    found = bn.find.outliers(values, k=3, metric=metric, min_score=0)
    assert found.provenance["n_without_vector"] == 2
    assert found.keys.max() == len(POINTS) - 1
    labels = [*LABELS, "a", "b"]
    assert bn.find.knn_shapley(values, labels, metric=metric, min_score=0).n_rows == len(POINTS)
    assert bn.find.near_duplicates(values).provenance["n_rows"] == len(values)


def test_angles_are_told_between_vectors_of_very_different_lengths() -> None:
    values = np.array([[1e30, 0.0], [0.0, 1e30], [1e-150, 0.0], [0.0, 1e-150]])
    assert neighbours(values, 1, "cosine").indices.ravel().tolist() == [2, 3, 0, 1]


def test_a_feature_that_would_overflow_counts_as_missing() -> None:
    frame = pd.DataFrame({"id": range(4), "x": [1e200, 1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0, 4.0]})
    with bn.create(None, frame, key="id", features=["x", "y"]) as ds:
        assert row_vectors(ds).values[0, 0] == 0


def test_an_embedding_of_texts_is_refused_with_a_hint() -> None:
    frame = pd.DataFrame({"id": range(4), "x": list("abcd"), "y": [1.0, 2.0, 3.0, 4.0]})
    with (
        bn.create(None, frame, key="id", embedding=["x", "y"]) as ds,
        pytest.raises(InputError, match="hold no numbers"),
    ):
        bn.find.outliers(ds)


@pytest.mark.parametrize("label", [["a"], np.array([1])], ids=["list", "array"])
def test_a_label_that_cannot_be_a_class_is_refused(label: Any) -> None:
    labels = [label] * len(POINTS)
    for call in (bn.find.knn_vote, bn.find.knn_shapley):
        with pytest.raises(LabelError, match="single values"):
            call(POINTS, labels)
    with pytest.raises(LabelError, match="single values"):
        bn.find.ambiguous(labels, [[0.5, 0.5]] * len(POINTS))
    with pytest.raises(LabelError, match="single values"):
        bn.find.near_duplicates(["x"] * len(POINTS), labels=labels)


@pytest.mark.parametrize("given", ["a.burnish", None, pd.DataFrame({"y": LABELS})], ids=str)
def test_a_path_or_a_frame_is_not_taken_for_labels(given: Any) -> None:
    with pytest.raises(InputError, match="expected a Dataset"):
        bn.find.ambiguous(given, [[0.5, 0.5]] * 9)


@pytest.mark.parametrize(
    "values",
    [[["a", "b"]] * 2, [[1.0], [0.5, 0.5]], None, "probs.parquet", np.array([[1j, 0], [0, 1]])],
    ids=["texts", "ragged", "nothing", "path", "complex"],
)
def test_probabilities_that_are_no_numbers_are_refused(values: Any) -> None:
    with pytest.raises(ProbabilityError):
        bn.Probabilities(values, range(2), "ab")
    with pytest.raises(ProbabilityError):
        bn.find.ambiguous([0, 1], values)


def test_an_ambiguous_row_shows_its_label_though_the_model_does_not_know_it(
    ds: bn.Dataset, probs: bn.Probabilities
) -> None:
    ds.rename_label("a", "z")
    found = bn.find.ambiguous(ds, probs, min_score=0)
    assert set(found.given) == {"z", "b"}


def png(colour: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), (colour, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("broken", [b"xx", png()[:45], png()[:20] + b"?" * 50], ids=len)
def test_an_estimator_is_told_which_image_is_broken_and_where_all_are(broken: bytes) -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c"], "im": [png(), broken, png()]})
    with bn.create(None, frame, key="id", image="im") as ds:
        with pytest.raises(InputError, match=r"row 'b' \(\d+ bytes\)") as caught:
            inputs(ds)
        assert "broken_images" in caught.value.hint
        assert "0x" not in caught.value.message
        assert bn.find.broken_images(ds).keys.tolist() == ["b"]


@pytest.mark.parametrize("null", [None, float("nan"), pd.NA, pd.NaT], ids=str)
def test_a_null_number_is_left_out_however_it_is_spelled(null: Any) -> None:
    found = bn.find.regression_issues([1.0, null, 3.0], [1.0, 2.0, 3.0])
    assert (found.n_rows, found.provenance["n_null_labels"]) == (2, 1)


@pytest.mark.parametrize("number", [1e200, 10**400, float("inf"), "7"], ids=lambda n: str(n)[:5])
def test_a_number_too_large_to_square_is_refused(number: Any) -> None:
    with pytest.raises(LabelError, match="row 1 "):
        bn.find.regression_issues([1.0, number, 3.0], [1.0, 2.0, 3.0])


def test_a_list_among_the_classes_of_a_row_is_refused() -> None:
    with pytest.raises(LabelError, match="single values"):
        bn.find.multilabel_issues([[["a"]], ["b"]], [[0.9, 0.1], [0.2, 0.8]])


def test_opinions_that_suggest_a_box_agree_where_the_boxes_are_equal() -> None:
    boxes = [{"class": "cat", "box": [0, 0, 5, n]} for n in (5, 5, 6)]
    opinions = [Findings(f"of-{i}", ["k"], [0.5], [None], [box]) for i, box in enumerate(boxes)]
    both = bn.find.second_opinions(*opinions)
    assert both.suggestions[0] == boxes[0]
    assert both.details["n_agree"].tolist() == [2]


@pytest.mark.parametrize("seed", [0, 5])
def test_duplicates_compare_the_vectors_that_the_seed_makes(seed: int) -> None:
    random, words = np.random.default_rng(0), [f"w{i}" for i in range(300)]
    texts = [" ".join(random.choice(words, 8)) for _ in range(80)]
    with of_texts([*texts, *(f"{text} {text}" for text in texts)]) as ds:
        found = bn.find.near_duplicates(ds, by="embedding", seed=seed)
        plain = bn.find.near_duplicates(row_vectors(ds, seed).values)
        assert len(found)
        assert found.scores.tolist() == plain.scores.tolist()


def test_a_row_without_probabilities_may_be_of_a_class_they_do_not_know(
    ds: bn.Dataset, probs: bn.Probabilities
) -> None:
    before = bn.find.label_issues(ds, probs)
    ds.add(pd.DataFrame({"id": [12], "v": [[0.0, 0.0, 0.0]], "y": ["c"]}))
    after = bn.find.label_issues(ds, probs)
    assert after.frame().equals(before.frame())
    assert after.provenance["n_without_probabilities"] == 1
    assert len(bn.find.label_issues(ds, probs, previous=before)) == len(before)


@pytest.mark.parametrize("confidence", ["0.95", None, 1.0], ids=str)
def test_a_confidence_that_is_none_is_refused(confidence: Any, ds: bn.Dataset) -> None:
    sample = bn.review_sample(ds, 5)
    with pytest.raises(InputError, match="confidence="):
        bn.error_rate(ds, sample, confidence=confidence)


def test_an_image_that_does_not_decode_has_no_neighbours_and_stops_nothing() -> None:
    pictures = [png(shade) for shade in range(0, 240, 20)]
    pictures[5] = b"no image"
    frame = pd.DataFrame({"id": range(12), "image": pictures, "y": LABELS})
    with bn.create(None, frame, key="id", label="y", image="image") as ds:
        assert bn.find.broken_images(ds).keys.tolist() == [5]
        found = bn.find.knn_vote(ds, k=3, min_score=0)
        assert 5 not in found.keys
        assert len(found) == 11
        graph = neighbours(ds, k=3).align(ds.keys)
        assert (graph.indices[5] == -1).all()
