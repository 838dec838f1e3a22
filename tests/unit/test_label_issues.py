import numpy as np
import pandas as pd
import pytest
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

import burnish as bn
from burnish.errors import InputError, LabelError, ProbabilityError
from burnish.find.label_issues import FILTERS


@pytest.fixture(scope="module")
def noisy():
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 400)
    probs = random.dirichlet(np.ones(4), 400) * 0.3
    probs[np.arange(400), truth] += 0.7
    labels = truth.copy()
    flipped = random.random(400) < 0.15
    labels[flipped] = (labels[flipped] + 1) % 4
    return labels, probs / probs.sum(axis=1, keepdims=True), flipped


def dataset(labels, keys=None):
    keys = list(range(len(labels))) if keys is None else keys
    return bn.create(None, pd.DataFrame({"id": keys, "label": labels}), key="id", label="label")


@pytest.mark.parametrize("filter_by", FILTERS)
def test_flags_the_rows_that_cleanlab_flags(noisy, filter_by):
    labels, probs, _ = noisy
    found = bn.find.label_issues(labels, probs, filter_by=filter_by)
    expected = find_label_issues(labels, probs, filter_by=filter_by, n_jobs=1).nonzero()[0]
    assert set(found.keys) == set(expected.tolist())


def test_the_score_is_one_minus_the_probability_of_the_given_label(noisy):
    labels, probs, _ = noisy
    found = bn.find.label_issues(labels, probs)
    rows = found.keys.astype(int)
    assert np.allclose(found.scores, 1 - probs[rows, labels[rows]])
    assert (np.diff(found.scores) <= 0).all()
    assert found.suggestions.tolist() == probs[rows].argmax(axis=1).tolist()
    assert found.given.tolist() == labels[rows].tolist()


def test_a_dataset_and_plain_arrays_give_the_same(noisy):
    labels, probs, _ = noisy
    names = np.array(["ant", "bee", "cat", "dog"])[labels]
    plain = bn.find.label_issues(names, probs)
    order = np.random.default_rng(1).permutation(400)
    keyed = bn.Probabilities(probs[order], order.tolist(), ["ant", "bee", "cat", "dog"])
    with dataset(names) as ds:
        found = bn.find.label_issues(ds, keyed)
    pd.testing.assert_frame_equal(found.frame(), plain.frame())


def test_null_labels_are_left_out_and_counted(noisy):
    labels, probs, _ = noisy
    given = [None, float("nan"), *labels[2:].tolist()]
    found = bn.find.label_issues(given, probs)
    assert not {0, 1} & set(found.keys)
    assert (found.n_rows, found.provenance["n_null_labels"]) == (398, 2)


def test_dropped_rows_are_ignored_and_edits_are_seen(noisy):
    labels, probs, _ = noisy
    with dataset(labels) as ds:
        keyed = bn.Probabilities(probs, range(400), range(4))
        first = bn.find.label_issues(ds, keyed)
        ds.drop(first.keys[:3].tolist())
        ds.relabel(first.keys[3:6].tolist(), first.suggestions[3:6].tolist())
        second = bn.find.label_issues(ds, keyed)
    assert not set(first.keys[:6]) & set(second.keys)
    assert second.n_rows == 397


def test_probabilities_for_some_rows_are_used_and_the_others_counted(noisy):
    labels, probs, _ = noisy
    with dataset(labels) as ds:
        found = bn.find.label_issues(ds, bn.Probabilities(probs[:300], range(300), range(4)))
    assert found.provenance["n_without_probabilities"] == 100
    assert found.n_rows == 300


def test_probabilities_for_other_keys_are_refused(noisy):
    labels, probs, _ = noisy
    for keys in (range(1, 401), [f"k{i}" for i in range(400)]):
        with dataset(labels) as ds, pytest.raises(ProbabilityError, match="other keys"):
            bn.find.label_issues(ds, bn.Probabilities(probs, keys, range(4)))


def test_a_plain_array_of_probabilities_for_a_dataset_is_refused(noisy):
    labels, probs, _ = noisy
    with dataset(labels) as ds, pytest.raises(ProbabilityError, match="carry keys"):
        bn.find.label_issues(ds, probs)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda probs: probs[:-1], "expected \\(400"),
        (lambda probs: probs[:, 0], "expected \\(400"),
        (lambda probs: probs * 2, "outside|sum to 1"),
        (lambda probs: np.where(probs > 0.9, np.nan, probs), "NaN"),
    ],
)
def test_probabilities_that_are_none_are_refused(noisy, spoil, message):
    labels, probs, _ = noisy
    with pytest.raises(ProbabilityError, match=message):
        bn.find.label_issues(labels, spoil(probs))


def test_numerical_noise_is_forgiven(noisy):
    labels, probs, _ = noisy
    noise = probs * (1 + 5e-4)
    assert set(bn.find.label_issues(labels, noise).keys) == set(
        bn.find.label_issues(labels, probs).keys
    )


def test_a_label_that_is_no_class_is_named_with_its_row(noisy):
    labels, probs, _ = noisy
    with (
        dataset([9, *labels[1:].tolist()]) as ds,
        pytest.raises(LabelError, match="9, first row 0"),
    ):
        bn.find.label_issues(ds, bn.Probabilities(probs, range(400), range(4)))


def test_more_labels_than_columns_are_refused(noisy):
    _, probs, _ = noisy
    with pytest.raises(LabelError, match="5 classes"):
        bn.find.label_issues(list("abcde") * 80, probs)


def test_an_unknown_filter_is_refused(noisy):
    labels, probs, _ = noisy
    with pytest.raises(InputError, match="'prune_by_class'"):
        bn.find.label_issues(labels, probs, filter_by="low_normalized_margin")


def test_one_class_and_no_rows_find_nothing():
    assert len(bn.find.label_issues([0, 0], [[0.1, 0.9], [0.2, 0.8]])) == 0
    assert len(bn.find.label_issues([None, None], [[0.1, 0.9], [0.2, 0.8]])) == 0


def test_most_flips_of_real_digits_are_found():
    digits = load_digits()
    random = np.random.default_rng(0)
    labels = digits.target.copy()
    flipped = random.random(len(labels)) < 0.1
    labels[flipped] = (labels[flipped] + random.integers(1, 10, flipped.sum())) % 10
    frame = pd.DataFrame(digits.data).add_prefix("p").assign(label=labels)
    frame["id"] = [f"d{i:04d}" for i in range(len(frame))]
    pixels = [name for name in frame if name.startswith("p")]
    with bn.create(None, frame, key="id", label="label", features=pixels) as ds:
        model = GaussianNB(var_smoothing=0.05)
        found = bn.find.label_issues(ds, bn.cross_val_probabilities(ds, model, progress=False))
    hits = [flipped[int(key[1:])] for key in found.keys]
    assert sum(hits) > 0.85 * flipped.sum()
    assert found.provenance["probabilities"]["made_by"] == "cross_val_probabilities"


def test_find_offers_one_function_for_each_file():
    import burnish.find.label_issues as module

    assert "label_issues" in bn.find.__all__
    assert callable(bn.find.label_issues)
    assert "half" in bn.find.label_issues.__doc__
    assert module is not None


def test_a_frame_for_labels_is_refused():
    with pytest.raises(InputError, match="got DataFrame"):
        bn.find.label_issues(pd.DataFrame({"label": ["a", "b"]}), [[0.5, 0.5]] * 2)


def test_predictions_for_probabilities_are_refused():
    with pytest.raises(ProbabilityError, match="are no numbers") as caught:
        bn.find.label_issues(["a", "b"], ["a", "b"])
    assert "predict_proba" in caught.value.hint
