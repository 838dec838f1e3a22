"""The kernel against cleanlab, and what was updated against what was computed anew."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

import burnish as bn
from burnish.find.label_issues import FILTERS, SCORES
from burnish.model.confident_learning import Sums, no_sums, sums_of, thresholds_of
from burnish.model.label_state import LabelState
from burnish.model.probability_tables import ArrayTable
from burnish.model.pruning import first

FEW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Problem(tuple):
    """Labels and probabilities, which need not be printed in full."""

    def __repr__(self):
        labels, probs = self
        return f"Problem({len(labels)} rows × {probs.shape[1]} classes, {probs.dtype})"


@st.composite
def problems(draw, most=400):
    """Few or many classes, rare and missing ones, ties, 32 bits."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes, n_rows = draw(st.integers(2, 30)), draw(st.integers(2, most))
    shares = random.dirichlet(np.full(n_classes, draw(st.sampled_from([0.2, 1.0, 20.0]))))
    labels = random.choice(n_classes, n_rows, p=shares)
    wrong = random.random(n_rows) < draw(st.sampled_from([0.0, 0.1, 0.5]))
    truth = np.where(wrong, random.integers(0, n_classes, n_rows), labels)
    probs = random.dirichlet(np.full(n_classes, draw(st.sampled_from([0.1, 1.0]))), n_rows)
    probs[np.arange(n_rows), truth] += draw(st.sampled_from([0.0, 0.3, 2.0]))
    probs /= probs.sum(axis=1, keepdims=True)
    steps = draw(st.sampled_from([None, 4, 10, 100]))
    if steps:  # trees and neighbours give such probabilities
        probs = np.round(probs * steps) / steps
    return Problem((labels, probs.astype(draw(st.sampled_from([np.float64, np.float32])))))


def proper(probs):
    """Return rows that sum to 1; rounding may have left nothing of one."""
    probs = probs.astype(np.float64)
    probs[probs.sum(axis=1) == 0] = 1
    return probs / probs.sum(axis=1, keepdims=True)


def oracle(labels, probs, filter_by):
    with warnings.catch_warnings():  # says which classes have one row only
        warnings.filterwarnings("ignore", message="May not flag all label issues")
        return find_label_issues(labels, probs, filter_by=filter_by, n_jobs=1)


def kernel(labels, probs, filter_by, **options):
    return LabelState(ArrayTable(probs), np.asarray(labels), filter_by, **options)


@FEW
@given(problems(), st.sampled_from(FILTERS))
def test_the_kernel_flags_the_rows_that_cleanlab_flags_ties_included(problem, filter_by):
    labels, probs = problem
    assume(len(set(labels.tolist())) > 1)
    assert np.array_equal(
        kernel(labels, probs, filter_by).flagged, oracle(labels, probs, filter_by)
    )


@FEW
@given(problems())
def test_thresholds_and_joint_are_those_of_cleanlab(problem):
    labels, probs = problem
    probs = probs.astype(np.float64)
    joint = kernel(labels, probs, "both").joint
    assert np.allclose(joint.thresholds, get_confident_thresholds(labels, probs), atol=1e-14)
    assert np.array_equal(joint.joint, compute_confident_joint(labels, probs))
    assert np.array_equal(joint.joint.sum(axis=1), np.bincount(labels, minlength=probs.shape[1]))


@FEW
@given(problems(), st.sampled_from(SCORES))
def test_scores_are_one_minus_those_of_cleanlab(problem, score):
    labels, probs = problem
    found = kernel(labels, probs, "both").scores(np.arange(len(labels)), score)
    quality = get_label_quality_scores(labels, probs, method=score)
    assert np.allclose(found, 1 - quality, atol=1e-6 if probs.dtype == np.float32 else 1e-14)
    assert ((found >= 0) & (found <= 1)).all()


@FEW
@given(problems(), st.sampled_from(FILTERS), st.data())
def test_after_edits_an_update_is_what_a_first_run_finds(problem, filter_by, data):
    labels, probs = problem
    state = kernel(labels, probs, filter_by)
    for _ in range(3):
        size = data.draw(st.integers(1, max(1, len(labels) // 9)))
        random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
        labels = labels.copy()
        labels[random.choice(len(labels), size)] = random.integers(-1, probs.shape[1], size)
        state.update(labels)
        anew = kernel(labels, probs, filter_by)
        assert np.array_equal(state.flagged, anew.flagged)
        assert np.array_equal(state.guess, anew.guess)
        assert np.array_equal(state.joint.quotas, anew.joint.quotas)
        assert np.array_equal(state.joint.thresholds, anew.joint.thresholds)


@FEW
@given(problems(), st.integers(0, 2**32 - 1))
def test_keys_and_not_the_order_of_rows_decide_between_equal_rows(problem, seed):
    labels, probs = problem
    order = np.random.default_rng(seed).permutation(len(labels))
    here = kernel(labels, probs, "both")
    there = kernel(
        labels[order], probs[order], "both", in_order=lambda rows: rows[np.argsort(order[rows])]
    )
    assert np.array_equal(here.flagged[order], there.flagged)
    assert np.array_equal(here.joint.thresholds, there.joint.thresholds)


@FEW
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.data())
def test_sums_do_not_depend_on_how_rows_are_cut_and_come_back_when_rows_go(values, data):
    own = np.array(values)
    codes = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(own), max_size=len(own))))
    cut = data.draw(st.integers(0, len(own)))
    whole = sums_of(codes, own, 3)
    parts = sums_of(codes[:cut], own[:cut], 3) + sums_of(codes[cut:], own[cut:], 3)
    assert same(whole, parts)
    assert same(whole - parts, no_sums(3))
    means = [own[codes == k].mean() if (codes == k).any() else 2 for k in range(3)]
    assert np.allclose(thresholds_of(whole), np.maximum(means, 2e-6), atol=1e-15)


def same(one: Sums, other: Sums) -> bool:
    parts = ("counts", "high", "low")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in parts)


@FEW
@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=80), st.data())
def test_the_first_values_are_those_that_sorting_puts_first(values, data):
    array = np.array(values)
    size = data.draw(st.integers(1, len(values)))
    expected = np.zeros(len(array), dtype=bool)
    expected[np.argsort(array)[:size]] = True
    assert np.array_equal(first(array, size, np.ones(len(array), dtype=bool)), expected)


@settings(FEW, max_examples=12)
@given(problems(most=120), st.sampled_from(FILTERS), st.data())
def test_previous_findings_change_the_cost_and_nothing_else(problem, filter_by, data):
    labels, probs = problem
    probs = proper(probs)
    names = [f"c{k:02}" for k in range(probs.shape[1])]
    frame = pd.DataFrame({"id": range(len(labels)), "label": np.array(names)[labels]})
    with bn.create(None, frame, key="id", label="label") as ds:
        keyed = bn.Probabilities(probs, frame["id"], names)
        issues = bn.find.label_issues(ds, keyed, filter_by)
        for _ in range(4):
            act(ds, names, data)
            issues = bn.find.label_issues(ds, keyed, filter_by, previous=issues)
            anew = bn.find.label_issues(ds, keyed, filter_by)
            pd.testing.assert_frame_equal(issues.frame(), anew.frame())
            assert issues.provenance == anew.provenance
            assert issues.n_rows == anew.n_rows


def act(ds, names, data):
    """Relabel, drop, restore or undo."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bn.errors.NewClassWarning)
        keys = ds.keys.tolist()
        what = data.draw(st.sampled_from(["relabel", "relabel", "drop", "undo"]))
        if what == "undo" and len(ds.staged):
            ds.undo()
        elif what == "drop" and len(keys) > 3:
            ds.drop(data.draw(st.sampled_from(keys)))
        else:
            ds.relabel(data.draw(st.sampled_from(keys)), data.draw(st.sampled_from(names)))


@settings(FEW, max_examples=15)
@given(problems(most=150), st.sampled_from(FILTERS), st.sampled_from(SCORES), st.data())
def test_files_of_any_cut_give_what_memory_gives(problem, filter_by, score, data):
    labels, probs = problem
    probs = proper(probs)
    names = [f"c{k:02}" for k in range(probs.shape[1])]
    keys = [f"k{i:03}" for i in range(len(labels))]
    frame = pd.DataFrame({"id": keys, "label": np.array(names)[labels]})
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    kept = random.permutation(len(labels))[: max(1, len(labels) * 9 // 10)]
    there = [keys[i] for i in kept]
    with tempfile.TemporaryDirectory() as folder, made(frame) as ds:
        write(Path(folder), there, probs[kept], names, data)
        keyed = bn.Probabilities(probs[kept], there, names)
        expected = bn.find.label_issues(ds, keyed, filter_by, score)
        found = bn.find.label_issues(ds, folder, filter_by, score)
    pd.testing.assert_frame_equal(found.frame(), expected.frame())
    left_out = "n_without_probabilities"
    assert found.provenance[left_out] == expected.provenance[left_out] == len(keys) - len(kept)


def made(frame):
    return bn.create(None, frame, key="id", label="label")


def write(folder, keys, probs, names, data):
    table = pa.table({"id": keys, **dict(zip(names, probs.T, strict=True))})
    cut = data.draw(st.integers(0, len(keys)))
    size = data.draw(st.integers(1, len(keys)))
    pq.write_table(table[:cut], folder / "a.parquet", row_group_size=size)
    pq.write_table(table[cut:], folder / "b.parquet", row_group_size=size)


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    random = np.random.default_rng(0)
    labels = data.target.copy()
    flipped = random.random(len(labels)) < 0.1
    labels[flipped] = (labels[flipped] + random.integers(1, 10, flipped.sum())) % 10
    model = LogisticRegression(max_iter=60, C=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        probs = cross_val_predict(model, data.data, labels, cv=3, method="predict_proba")
    return labels, probs


@pytest.mark.parametrize("filter_by", FILTERS)
def test_real_digits_with_wrong_labels_give_the_same_rows_as_cleanlab(digits, filter_by):
    labels, probs = digits
    found = bn.find.label_issues(labels, probs, filter_by)
    assert set(found.keys) == set(np.flatnonzero(oracle(labels, probs, filter_by)))
    assert len(found) > 100


@pytest.mark.parametrize("score", SCORES)
def test_real_digits_are_ranked_as_cleanlab_ranks_them(digits, score):
    labels, probs = digits
    found = bn.find.label_issues(labels, probs, score=score)
    ranked = find_label_issues(labels, probs, return_indices_ranked_by=score, n_jobs=1)
    assert found.keys.tolist() == ranked.tolist()
