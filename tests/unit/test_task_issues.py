"""Labels that are more than one class a row: findings are cleanlab's, and can be taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

import burnish as bn
from burnish.errors import ColumnError, InputError, LabelError, ProbabilityError
from burnish.find.object_detection_issues import ERRORS

FILTERS = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning")


def dataset(values, column="y", **more):
    frame = pd.DataFrame({"id": [f"k{i:03d}" for i in range(len(values))], **more})
    cells = np.empty(len(values), dtype=object)
    cells[:] = list(values)
    return bn.create(None, frame.assign(**{column: cells}), key="id")


def by_key(predictions):
    return {f"k{i:03d}": each for i, each in enumerate(predictions)}


def multilabel(n=240, n_classes=4):
    random = np.random.default_rng(0)
    truth = random.random((n, n_classes)) < 0.4
    probs = np.clip(truth * 0.7 + random.random((n, n_classes)) * 0.3, 0, 1)
    given = truth ^ (random.random(truth.shape) < 0.06)
    return [np.flatnonzero(row).tolist() for row in given], probs, given != truth


def tokens(n=80, n_classes=3):
    random = np.random.default_rng(1)
    labels, probs = [], []
    for size in random.integers(1, 12, n):
        truth = random.integers(0, n_classes, size)
        each = random.dirichlet(np.ones(n_classes), size) * 0.4
        each[np.arange(size), truth] += 0.6
        wrong = random.random(size) < 0.08
        labels.append(((truth + wrong) % n_classes).tolist())
        probs.append(each)
    return labels, probs


def segmented():
    """Real digits, of which ink is class 1; the model sees blurred ones."""
    images = load_digits().images[:120]
    truth = (images > 8).astype(int)
    ink = np.clip(images / 16 * 0.9 + 0.05, 0, 1)
    masks = truth.copy()
    masks[5, 2:5, 2:6] = 1 - masks[5, 2:5, 2:6]
    masks[77, :2, :2] = 1
    return masks, np.stack([1 - ink, ink], axis=1)


def detected(n=40):
    """Boxes with one error of each kind in images 3, 11 and 19, and predictions per class."""
    random = np.random.default_rng(2)
    labels, predictions = [], []
    for _ in range(n):
        corners = [(x + random.random() * 8, 60 * random.integers(0, 3)) for x in (0, 60, 120)]
        boxes = [[float(x), float(y), x + 40.0, y + 40.0] for x, y in corners]
        codes = random.integers(0, 2, 3).tolist()
        labels.append([{"class": c, "box": b} for c, b in zip(codes, boxes)])
        seen = [
            [[v + random.normal() for v in b] + [0.97] for b, c in zip(boxes, codes) if c == k]
            for k in (0, 1)
        ]
        predictions.append([np.array(each).reshape(-1, 5) for each in seen])
    del labels[3][1]
    labels[11][0]["box"] = [v + 24 for v in labels[11][0]["box"]]
    labels[19][2]["class"] = 1 - labels[19][2]["class"]
    return labels, predictions


def as_cleanlab(labels):
    return [
        {
            "bboxes": np.array([box["box"] for box in row], dtype=float).reshape(-1, 4),
            "labels": np.array([box["class"] for box in row], dtype=int),
        }
        for row in labels
    ]


@pytest.mark.parametrize("filter_by", FILTERS)
def test_multilabel_flags_and_scores_are_those_of_cleanlab(filter_by):
    from cleanlab.multilabel_classification import filter as peer
    from cleanlab.multilabel_classification import get_label_quality_scores

    labels, probs, _ = multilabel()
    flags = peer.find_multilabel_issues_per_class(labels, probs, filter_by=filter_by, n_jobs=1)
    found = bn.find.multilabel_issues(labels, probs, filter_by=filter_by)
    assert set(found.keys) == set(np.flatnonzero(flags.any(axis=1)))
    assert np.allclose(found.scores, 1 - get_label_quality_scores(labels, probs)[list(found.keys)])
    for key, given, suggestion in zip(found.keys, found.given, found.suggestions):
        assert given == tuple(labels[key])
        assert set(given) ^ set(suggestion) == set(np.flatnonzero(flags[key]))


def test_most_planted_multilabel_errors_are_found_and_can_be_taken():
    labels, probs, wrong = multilabel()
    names = np.array(list("abcd"))
    frame = pd.DataFrame(probs, columns=list("abcd"), index=[f"k{i:03d}" for i in range(240)])
    with dataset([names[row].tolist() for row in labels]) as ds:
        found = bn.find.multilabel_issues(ds, frame, column="y")
        hits = [wrong[int(key[1:])].any() for key in found.keys]
        assert sum(hits) >= 0.8 * wrong.any(axis=1).sum()
        assert np.mean(hits) >= 0.8
        ds.relabel(found, found.suggestions, column="y", because=found)
        after = dict(zip(ds.keys, ds.to_arrow(["y"])["y"].to_pylist()))
        assert all(tuple(after[key]) == new for key, new in zip(found.keys, found.suggestions))
        assert set(ds.decisions.frame()["verdict"]) == {"accepted"}
        again = bn.find.multilabel_issues(ds, frame, column="y")
        assert not set(again.keys) & set(found.keys)


def test_add_and_remove_say_in_what_a_suggestion_differs():
    labels, probs, _ = multilabel()
    found = bn.find.multilabel_issues(labels, probs)
    for row in found.frame().itertuples():
        assert set(row.suggestion) == (set(row.given) | set(row.add)) - set(row.remove)


def test_a_class_that_no_row_or_every_row_has_is_never_flagged():
    labels, probs, _ = multilabel()
    wide = np.column_stack([probs, np.full(240, 0.9), np.full(240, 0.1)])
    everywhere = [[*row, 5] for row in labels]
    found = bn.find.multilabel_issues(everywhere, wide)
    plain = bn.find.multilabel_issues(labels, probs)
    assert set(found.keys) == set(plain.keys)
    assert not any({4, 5} & set(found.details["add"][i]) for i in range(len(found)))


def test_token_flags_and_scores_are_those_of_cleanlab():
    from cleanlab.token_classification.filter import find_label_issues
    from cleanlab.token_classification.rank import get_label_quality_scores

    labels, probs = tokens()
    flagged = find_label_issues(labels, probs, n_jobs=1)
    _, quality = get_label_quality_scores(labels, probs)
    found = bn.find.token_issues(labels, probs)
    mine = [
        (key, spot) for key, spots in zip(found.keys, found.details["positions"]) for spot in spots
    ]
    assert sorted(mine) == sorted(flagged)
    for finding, spots in zip(found, found.details["positions"]):
        assert finding.score == pytest.approx(1 - min(quality[finding.key][s] for s in spots))


def test_token_findings_can_be_taken():
    labels, probs = tokens()
    names = np.array(["O", "PER", "LOC"])
    classes = names.tolist()
    with dataset([names[row].tolist() for row in labels]) as ds:
        found = bn.find.token_issues(ds, by_key(probs), column="y", classes=classes)
        ds.relabel(found, found.details["relabel_to"], column="y", because=found)
        again = bn.find.token_issues(ds, by_key(probs), column="y", classes=classes)
        assert len(found)
        assert not len(again)
        assert ds.commit("tokens").name == "v1"


def test_tokens_without_a_label_are_left_out_and_counted():
    labels, probs = tokens()
    found = bn.find.token_issues(labels, probs)
    hidden = [[None if j == 0 else label for j, label in enumerate(row)] for row in labels]
    without = bn.find.token_issues(hidden, probs)
    assert without.provenance["n_null_tokens"] == len(labels)
    assert not any(0 in spots for spots in without.details["positions"])
    assert len(without) < len(found)


def test_regression_flags_and_scores_are_those_of_cleanlab():
    from cleanlab.datalab.internal.issue_manager.regression.label import (
        find_issues_with_predictions,
    )

    data = load_diabetes()
    given = data.target.copy()
    wrong = np.random.default_rng(0).choice(len(given), 12, replace=False)
    given[wrong] *= 10
    model = RandomForestRegressor(n_estimators=40, random_state=0, max_features=0.5)
    predicted = cross_val_predict(model, data.data, data.target, cv=5)
    peer = find_issues_with_predictions(predicted, given, threshold=0.05)
    found = bn.find.regression_issues(given, predicted)
    assert set(found.keys) == set(np.flatnonzero(peer["is_label_issue"]))
    assert np.allclose(found.scores, 1 - peer["label_score"].to_numpy()[list(found.keys)])
    assert set(found.keys[:8]) <= set(wrong)


def test_regression_findings_can_be_taken_without_a_warning():
    truth = np.arange(60.0)
    given = truth.copy()
    given[[10, 40]] = [300.0, -200.0]
    with dataset(given) as ds:
        predictions = pd.Series(truth + 0.1 * (-1) ** truth, index=ds.keys)
        found = bn.find.regression_issues(ds, predictions, column="y")
        assert found.keys.tolist() == ["k010", "k040"]
        ds.relabel(found, found.suggestions, column="y", because=found)
        assert ds.to_pandas()["y"].between(0, 61).all()


def test_a_label_role_of_numbers_needs_no_column():
    frame = pd.DataFrame({"id": range(30), "y": [*map(float, range(29)), 500.0]})
    with bn.create(None, frame, key="id", label="y") as ds:
        predictions = {i: i + 0.1 * (-1) ** i for i in range(30)}
        found = bn.find.regression_issues(ds, predictions)
    assert found.keys.tolist() == [29]


def test_segmentation_flags_and_scores_are_those_of_cleanlab():
    from cleanlab.segmentation.filter import find_label_issues
    from cleanlab.segmentation.rank import get_label_quality_scores

    masks, probs = segmented()
    flags = find_label_issues(masks, probs, n_jobs=1, verbose=False)
    quality, _ = get_label_quality_scores(masks, probs, verbose=False)
    found = bn.find.segmentation_issues(masks, probs)
    assert set(found.keys) == set(np.flatnonzero(flags.any(axis=(1, 2))))
    shares = flags.mean(axis=(1, 2))
    assert np.allclose(found.details["share"].astype(float), shares[list(found.keys)])
    assert np.allclose(found.scores, 1 - quality[list(found.keys)])
    assert {5, 77} <= set(found.keys)


def test_segmentation_findings_can_be_taken():
    masks, probs = segmented()
    with dataset([mask.tolist() for mask in masks]) as ds:
        found = bn.find.segmentation_issues(ds, by_key(probs), column="y")
        ds.relabel(found, found.details["relabel_to"], column="y", because=found)
        after = np.array(ds.to_arrow(["y"])["y"].to_pylist())
    truth = load_digits().images[:120] > 8
    for row in (5, 77):
        wrong_before, wrong_after = (
            (masks[row] != truth[row]).sum(),
            (after[row] != truth[row]).sum(),
        )
        assert wrong_after < wrong_before


def test_masks_may_differ_in_size_and_have_pixels_without_a_label():
    masks, probs = segmented()
    cut = [mask[: 8 - i % 2] for i, mask in enumerate(masks.tolist())]
    seen = [each[:, : 8 - i % 2] for i, each in enumerate(probs)]
    cut[5] = [[255] * 8] * len(cut[5])
    cut[6][0][0] = None
    found = bn.find.segmentation_issues(cut, seen, ignore=255)
    assert 77 in found.keys.tolist()
    assert 5 not in found.keys.tolist()
    assert found.provenance["n_pixels"] == sum(8 * len(m) for m in cut) - 8 * len(cut[5]) - 1


def test_detection_flags_and_scores_are_those_of_cleanlab():
    from cleanlab.object_detection.filter import find_label_issues
    from cleanlab.object_detection.rank import get_label_quality_scores

    labels, predictions = detected()
    flags = find_label_issues(as_cleanlab(labels), predictions)
    quality = get_label_quality_scores(as_cleanlab(labels), predictions, verbose=False)
    found = bn.find.object_detection_issues(labels, predictions)
    assert set(found.keys) == set(np.flatnonzero(flags))
    assert np.allclose(found.scores, 1 - quality[list(found.keys)])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_detection_flags_are_those_of_cleanlab_on_noise(seed):
    from cleanlab.object_detection.filter import find_label_issues

    random = np.random.default_rng(seed)
    labels, predictions = detected(20)
    for row in predictions:
        for each in row:
            each[:, :4] += random.normal(0, 2, (len(each), 1))
            each[:, 4] = random.random(len(each)) * 0.2 + 0.8
    flags = find_label_issues(as_cleanlab(labels), predictions)
    found = bn.find.object_detection_issues(labels, predictions)
    assert 0 < len(found) < 20
    assert set(found.keys) == set(np.flatnonzero(flags))


def test_each_kind_of_detection_error_is_named_and_can_be_taken():
    labels, predictions = detected()
    with dataset(labels) as ds:
        found = bn.find.object_detection_issues(ds, by_key(predictions), column="y")
        kinds = dict(zip(found.keys, found.details["error"]))
        assert [kinds[key] for key in ("k003", "k011", "k019")] == list(ERRORS)
        assert found.given[found.keys.tolist().index("k003")] is None
        ds.relabel(found, found.details["relabel_to"], column="y", because=found)
        again = bn.find.object_detection_issues(ds, by_key(predictions), column="y")
    assert not {"k003", "k011", "k019"} & set(again.keys)


def test_predicted_boxes_may_be_mappings_and_name_their_classes():
    labels, predictions = detected()
    names = ["cat", "dog"]
    named = [[{**box, "class": names[box["class"]]} for box in row] for row in labels]
    seen = [
        [
            {"class": names[k], "box": box[:4].tolist(), "probability": box[4]}
            for k in (1, 0)
            for box in row[k]
        ]
        for row in predictions
    ]
    mine, peer = (
        bn.find.object_detection_issues(named, seen),
        bn.find.object_detection_issues(labels, predictions),
    )
    assert mine.keys.tolist() == peer.keys.tolist()
    assert np.allclose(mine.scores, peer.scores)


def test_two_classes_for_one_place_without_a_prediction_suggest_nothing():
    box = [0.0, 0.0, 9.0, 9.0]
    labels = [[{"class": c, "box": box} for c in ("cat", "dog")], [{"class": "cat", "box": box}]]
    seen = [[], [{"class": "cat", "box": box, "probability": 0.99}]]
    found = bn.find.object_detection_issues(labels, seen)
    assert all(len(each) for each in found.details["relabel_to"])
    assert all(suggestion is None for suggestion in found.suggestions)


BOX = {"class": "a", "box": [0, 0, 1, 1]}


@pytest.mark.parametrize(
    ("name", "labels", "predictions", "error", "message"),
    [
        ("multilabel_issues", ["a", "b"], [[0.1], [0.2]], LabelError, "expected a list of classes"),
        ("multilabel_issues", [["a"], []], [[0.1, 2], [0, 1]], ProbabilityError, "outside"),
        ("multilabel_issues", [["a"], []], [[0.1], [0, 1]], ProbabilityError, "row 1 names 2"),
        ("multilabel_issues", [["a"], []], [[0.1], [np.nan]], ProbabilityError, "NaN"),
        ("multilabel_issues", [["a"], ["b"]], [[0.1]], ProbabilityError, "2 labels and 1"),
        ("multilabel_issues", [["a"], ["b"]], [[0.1], [0.1]], LabelError, "2 classes"),
        ("multilabel_issues", [[0, 1, 0]], [[0.1, 0.2, 0.3]], LabelError, "twice"),
        ("token_issues", [[]], [0.5], ProbabilityError, "of shape"),
        ("object_detection_issues", [[]], [0.5], ProbabilityError, "expected a list"),
        ("token_issues", [["a", "b"]], [[[0.5, 0.5]]], ProbabilityError, r"\(1, 2\), expected \(2"),
        ("token_issues", [["a", "b"]], [[[0.5, 0.6], [0, 1]]], ProbabilityError, "sum to 1"),
        ("token_issues", ["ab"], [[[0.5, 0.5]]], LabelError, "token labels"),
        ("regression_issues", ["a", 2.0], [1.0, 2.0], LabelError, "row 0 is 'a'"),
        ("regression_issues", [1.0, np.inf], [1.0, 2.0], LabelError, "row 1 is inf"),
        ("regression_issues", [1.0, 2.0], [1.0, np.nan], ProbabilityError, "row 1 is .*nan"),
        ("segmentation_issues", [[[0, 1], [0]]], [np.ones((2, 2, 2))], LabelError, "no rectangle"),
        ("segmentation_issues", [[[0, 1]]], [np.ones((2, 2, 2))], ProbabilityError, r"\(2, 1, 2\)"),
        ("segmentation_issues", [[[0, 7, 8]]], [np.full((2, 1, 3), 0.5)], LabelError, "0, 7"),
        ("object_detection_issues", [["a"]], [[]], LabelError, "expected a box"),
        ("object_detection_issues", [[BOX]], [[BOX]], ProbabilityError, "probability None"),
        ("object_detection_issues", [[{**BOX, "box": [1, 1, 0, 2]}]], [[]], InputError, "x1 < x2"),
        ("object_detection_issues", [[BOX]], [[np.zeros((1, 4))]], ProbabilityError, r"\(n_boxes"),
    ],
)
def test_input_that_cannot_be_used_is_named(name, labels, predictions, error, message):
    with pytest.raises(error, match=message):
        getattr(bn.find, name)(labels, predictions)


TASKS = (
    "multilabel_issues",
    "token_issues",
    "regression_issues",
    "segmentation_issues",
    "object_detection_issues",
)


@pytest.mark.parametrize("name", TASKS)
def test_predictions_for_other_rows_or_without_keys_are_refused(name):
    analysis = getattr(bn.find, name)
    with dataset([[1], [2]]) as ds:
        with pytest.raises(ProbabilityError, match="other keys"):
            analysis(ds, {"x": [0.5]}, column="y")
        with pytest.raises(ProbabilityError, match="by key"):
            analysis(ds, [[0.5], [0.5]], column="y")
        with pytest.raises(ColumnError, match="no column 'z'"):
            analysis(ds, {"k000": [0.5]}, column="z")
        with pytest.raises(InputError, match="no label role"):
            analysis(ds, {"k000": [0.5]})
    with pytest.raises(InputError, match="got DataFrame"):
        analysis(pd.DataFrame({"y": [1]}), [[0.5]])
    with pytest.raises(ColumnError, match="leave|dataset"):
        analysis([[1]], [[0.5]], column="y")


def test_predictions_given_twice_are_refused():
    with dataset([1.0, 2.0]) as ds, pytest.raises(ProbabilityError, match="twice for 'k000'"):
        bn.find.regression_issues(ds, pd.Series([1.0, 2.0], index=["k000"] * 2), column="y")


def test_nothing_is_printed_and_no_warning_gets_out(capsys, recwarn):
    bn.find.multilabel_issues(*multilabel()[:2])
    bn.find.token_issues(*tokens())
    bn.find.segmentation_issues(*segmented())
    bn.find.object_detection_issues(*detected())
    written = capsys.readouterr()
    assert (written.out, written.err, len(recwarn)) == ("", "", 0)


def test_a_model_that_reads_the_digits_finds_the_ones_with_a_wrong_set_of_properties():
    digits = load_digits()
    truth = np.column_stack([digits.target % 2 == 0, digits.target > 4, digits.target % 3 == 0])
    random = np.random.default_rng(3)
    wrong = random.random(truth.shape) < 0.03
    probs = np.column_stack(
        [
            cross_val_predict(
                LogisticRegression(max_iter=3000),
                digits.data / 16,
                column,
                cv=3,
                method="predict_proba",
            )[:, 1]
            for column in (truth ^ wrong).T
        ]
    )
    names = np.array(["even", "large", "three"])
    labels = [names[row].tolist() for row in truth ^ wrong]
    found = bn.find.multilabel_issues(labels, probs, classes=names.tolist())
    worst = found.keys[:50]
    assert np.mean([wrong[key].any() for key in worst]) > 0.5


def test_relabel_takes_lists_of_a_named_column_with_their_finding_and_undoes_them():
    labels, probs, _ = multilabel()
    with dataset(labels) as ds:
        found = bn.find.multilabel_issues(ds, by_key(probs), column="y")
        before = ds.fingerprint
        ds.relabel(found, found.suggestions, column="y", because=found, reason="checked")
        version = ds.commit("labels")
        diff = ds.diff("v0", version.name).frame()
        assert set(diff["finding"]) == {found.id}
        assert diff["new"].map(tuple).tolist() == [
            dict(zip(found.keys, found.suggestions))[key] for key in diff["key"]
        ]
        ds.relabel(found[0].key, [1], column="y")
        ds.undo()
        assert ds.fingerprint == version.fingerprint != before


def test_keeping_a_set_of_classes_is_a_decision_to_keep():
    labels, probs, _ = multilabel()
    with dataset(labels) as ds:
        found = bn.find.multilabel_issues(ds, by_key(probs), column="y")
        ds.relabel(found.keys[:1], list(found.given[:1]), column="y", because=found)
        assert ds.decisions.frame()["verdict"].tolist() == ["kept"]


def test_relabel_refuses_a_column_that_is_unknown_or_the_key():
    with dataset([["a"]]) as ds:
        with pytest.raises(ColumnError, match="no column 'z'"):
            ds.relabel("k000", ["b"], column="z")
        with pytest.raises(ColumnError, match="part of the key"):
            ds.relabel("k000", "b", column="id")


def test_relabel_in_a_named_column_of_classes_warns_of_a_new_one():
    with dataset(["cat", "dog"]) as ds, pytest.warns(bn.errors.NewClassWarning, match="'dgo'"):
        ds.relabel("k000", "dgo", column="y")
