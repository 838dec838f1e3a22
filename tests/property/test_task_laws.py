"""Whatever the labels and predictions, findings are cleanlab's and do not depend on row order."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import burnish as bn
from burnish.model.boxes import Boxes, average_precision

SHARE = st.integers(1, 99).map(lambda value: value / 100)


@st.composite
def multilabels(draw):
    n_rows, n_classes = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    given_ = draw(
        st.lists(st.sets(st.integers(0, n_classes - 1)), min_size=n_rows, max_size=n_rows)
    )
    row = st.lists(SHARE, min_size=n_classes, max_size=n_classes)
    return [sorted(each) for each in given_], draw(st.lists(row, min_size=n_rows, max_size=n_rows))


@st.composite
def images(draw):
    corner = st.integers(0, 60)
    size = st.integers(5, 40)

    def box(x, y, w, h):
        return [x, y, x + w, y + h]

    boxes = st.builds(box, corner, corner, size, size)
    labels = draw(st.lists(st.tuples(st.integers(0, 1), boxes), max_size=6))
    seen = draw(st.lists(st.tuples(st.integers(0, 1), boxes, SHARE), max_size=6))
    near = draw(st.booleans())
    if near:
        seen += [(code, [v + 1 for v in each], 0.97) for code, each in labels]
    return labels, seen


@given(multilabels(), st.randoms(use_true_random=False))
def test_multilabel_suggestions_differ_in_add_and_remove_in_any_order(data, random):
    labels, probs = data
    found = bn.find.multilabel_issues(labels, probs, classes=range(len(probs[0])))
    for given_, suggestion, add, remove in zip(
        found.given, found.suggestions, found.details["add"], found.details["remove"]
    ):
        assert set(suggestion) == (set(given_) | set(add)) - set(remove) != set(given_)
    order = list(range(len(labels)))
    random.shuffle(order)
    keyed = dict(zip(order, np.array(probs)[order]))
    again = bn.find.multilabel_issues(labels, keyed, classes=range(len(probs[0])))
    assert again.id == found.id


@given(multilabels())
def test_multilabel_flags_are_those_of_cleanlab_where_a_class_has_both(data):
    from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class

    labels, probs = data
    values = np.array(probs)
    both = [k for k in range(values.shape[1]) if 0 < sum(k in row for row in labels) < len(labels)]
    place = {k: i for i, k in enumerate(both)}
    held = [[place[k] for k in row if k in place] for row in labels]
    flags = np.zeros((len(labels), 1), dtype=bool)
    if both:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = find_multilabel_issues_per_class(held, values[:, both], n_jobs=1)
    found = bn.find.multilabel_issues(labels, probs, classes=range(values.shape[1]))
    assert set(found.keys) == set(np.flatnonzero(flags.any(axis=1)))


@settings(max_examples=60)
@given(images())
def test_detection_is_that_of_cleanlab_on_any_one_image(image):
    from cleanlab.object_detection.filter import _get_per_class_ap, find_label_issues

    labels, seen = image
    peer = [
        {
            "bboxes": np.array([each for _, each in labels], dtype=float).reshape(-1, 4),
            "labels": np.array([code for code, _ in labels], dtype=int),
        }
    ]
    arrays = [
        np.array([[*each, p] for code, each, p in seen if code == k], dtype=float).reshape(-1, 5)
        for k in (0, 1)
    ]
    mine = Boxes.of(labels, [code for code, _ in labels])
    rows = sorted(seen, key=lambda each: each[0])
    codes, probs = [code for code, *_ in rows], [p for *_, p in rows]
    theirs = Boxes.of([each[:2] for each in rows], codes, probs)
    expected = _get_per_class_ap(peer, [arrays])
    for code in (0, 1):
        got = 0.25 * average_precision([mine], [theirs], code)
        assert np.isclose(got, expected[code], atol=1e-6)
    found = bn.find.object_detection_issues(
        [[{"class": code, "box": each} for code, each in labels]], [arrays]
    )
    assert len(found) == int(find_label_issues(peer, [arrays])[0])


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40), st.randoms(use_true_random=False))
def test_regression_findings_are_the_same_in_any_order(numbers, random):
    import pandas as pd

    frame = pd.DataFrame({"id": range(len(numbers)), "y": numbers})
    predictions = {i: value * 0.9 + 1 for i, value in enumerate(numbers)}
    order = list(range(len(numbers)))
    random.shuffle(order)
    ids = []
    for each in (frame, frame.iloc[order]):
        with bn.create(None, each, key="id", label="y") as ds:
            ids.append(bn.find.regression_issues(ds, predictions).id)
    assert ids[0] == ids[1]


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=40))
def test_regression_scores_are_those_of_cleanlab(pairs):
    from cleanlab.regression.rank import get_label_quality_scores

    numbers, predicted = np.array(pairs).T
    quality = get_label_quality_scores(numbers, predicted)
    found = bn.find.regression_issues(numbers, predicted, threshold=1.0)
    assert np.allclose(found.scores, 1 - quality[found.keys.astype(int)], atol=1e-6)
