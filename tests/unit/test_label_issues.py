import numpy as np
import pandas as pd
import pytest
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

import burnish as bn
from burnish.errors import InputError, LabelError, NewClassWarning, ProbabilityError
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


def test_one_class_with_rows_finds_nothing_and_a_class_of_one_row_is_left_alone():
    probs = np.array([[0.9, 0.1]] * 5 + [[0.8, 0.2]] * 4 + [[0.99, 0.01]])
    assert len(bn.find.label_issues([0] * 10, probs)) == 0
    assert len(bn.find.label_issues([0] * 9 + [1], probs)) == 0


@pytest.mark.parametrize("filter_by", FILTERS)
def test_labels_of_several_types_are_classes_like_others(noisy, filter_by):
    labels, probs, _ = noisy
    names = np.array(["ant", 1, ("a", "b"), 2.5], dtype=object)
    names[2] = ("a", "b")
    mixed = [names[code] for code in labels]
    found = bn.find.label_issues(mixed, bn.Probabilities(probs, range(400), names), filter_by)
    expected = bn.find.label_issues(labels, probs, filter_by)
    assert found.keys.tolist() == expected.keys.tolist()
    assert found.suggestions.tolist() == [names[code] for code in expected.suggestions]


def test_labels_that_are_lists_are_refused(noisy):
    _, probs, _ = noisy
    with pytest.raises(LabelError, match="single values"):
        bn.find.label_issues([["a"]] * 400, probs)


def test_infinite_probabilities_are_refused(noisy):
    labels, probs, _ = noisy
    for bad in (np.inf, -np.inf, np.nan):
        spoilt = probs.copy()
        spoilt[7, 2] = bad
        with pytest.raises(ProbabilityError, match="1 rows are NaN or infinite, first 7"):
            bn.find.label_issues(labels, spoilt)


def test_32_bit_probabilities_are_read_in_place(noisy):
    labels, probs, _ = noisy
    given = probs.astype(np.float32)
    found = bn.find.label_issues(labels, given)
    assert np.shares_memory(found.probabilities.values, given)
    assert found.keys.tolist() == bn.find.label_issues(labels, probs).keys.tolist()
    assert given.flags.writeable
    assert not found.probabilities.values.flags.writeable


def test_probabilities_keep_a_copy_of_what_they_were_made_from(noisy):
    _, probs, _ = noisy
    given = probs.copy()
    kept = bn.Probabilities(given, range(400), range(4))
    given[:] = 0
    assert np.array_equal(kept.values, probs)
    with pytest.raises(AttributeError, match="'classes'"):
        kept.classes = ()


def test_the_margin_is_another_score(noisy):
    labels, probs, _ = noisy
    found = bn.find.label_issues(labels, probs, score="normalized_margin")
    rows = found.keys.astype(int)
    best = np.where(np.eye(4, dtype=bool)[labels[rows]], -1, probs[rows]).max(axis=1)
    assert np.allclose(found.scores, 1 - (probs[rows, labels[rows]] - best + 1) / 2)
    assert (np.diff(found.scores) <= 0).all()
    assert found.provenance["score"] == "normalized_margin"
    with pytest.raises(InputError, match="'self_confidence', 'normalized_margin'"):
        bn.find.label_issues(labels, probs, score="entropy")


def test_equal_scores_come_in_the_order_of_the_keys():
    labels = ["a"] * 20 + ["b"] * 20
    probs = [[0.1, 0.9]] * 4 + [[0.9, 0.1]] * 16 + [[0.1, 0.9]] * 16 + [[0.9, 0.1]] * 4
    keys = [f"k{i:02}" for i in np.random.default_rng(0).permutation(40)]
    with dataset(labels, keys) as ds:
        found = bn.find.label_issues(ds, bn.Probabilities(probs, keys, "ab"))
    assert len(found) == 8
    assert found.keys.tolist() == sorted(found.keys)


def test_dropped_rows_and_rows_without_probabilities_go_together(noisy):
    labels, probs, _ = noisy
    with dataset(labels) as ds:
        ds.drop([0, 1])
        found = bn.find.label_issues(ds, bn.Probabilities(probs[:300], range(300), range(4)))
    assert (found.n_rows, found.provenance["n_without_probabilities"]) == (298, 100)


def test_keys_of_several_columns_are_found(noisy):
    labels, probs, _ = noisy
    frame = pd.DataFrame({"a": np.arange(400) // 20, "b": np.arange(400) % 20, "label": labels})
    keys = list(zip(frame["a"].tolist(), frame["b"].tolist()))
    with bn.create(None, frame, key=["a", "b"], label="label") as ds:
        found = bn.find.label_issues(ds, bn.Probabilities(probs, keys, range(4)))
    rows = bn.find.label_issues(labels, probs).keys
    assert found.keys.tolist() == [keys[row] for row in rows]


def test_previous_must_be_findings(noisy):
    labels, probs, _ = noisy
    with pytest.raises(InputError, match="previous is a ndarray"):
        bn.find.label_issues(labels, probs, previous=probs)


def test_previous_findings_of_other_probabilities_do_no_harm(noisy):
    labels, probs, _ = noisy
    expected = bn.find.label_issues(labels, probs).frame()
    others = [
        bn.find.label_issues(labels, np.roll(probs, 1, axis=1)),
        bn.find.label_issues(labels, probs, "both"),
        bn.find.label_issues(labels, probs)[:3],
    ]
    for previous in others:
        found = bn.find.label_issues(labels, probs, previous=previous)
        pd.testing.assert_frame_equal(found.frame(), expected)


def test_previous_findings_may_be_used_again_and_for_other_branches(noisy):
    labels, probs, _ = noisy
    first = bn.find.label_issues(labels, probs)
    changed = labels.copy()
    changed[:30] = (changed[:30] + 1) % 4
    for now in (changed, labels, changed):
        found = bn.find.label_issues(now, probs, previous=first)
        pd.testing.assert_frame_equal(found.frame(), bn.find.label_issues(now, probs).frame())


def test_a_label_that_is_new_since_is_refused_and_the_state_stays_sound(noisy):
    labels, probs, _ = noisy
    keyed = bn.Probabilities(probs, range(400), range(4))
    with dataset(labels) as ds:
        issues = bn.find.label_issues(ds, keyed)
        with pytest.warns(NewClassWarning):
            ds.relabel(3, 9)
        with pytest.raises(LabelError, match="9, first row 3"):
            bn.find.label_issues(ds, keyed, previous=issues)
        ds.undo()
        again = bn.find.label_issues(ds, keyed, previous=issues)
    pd.testing.assert_frame_equal(issues.frame(), again.frame())


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
