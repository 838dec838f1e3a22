import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import accuracy_score
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

import burnish as bn
from burnish.errors import (
    EstimatorError,
    InputError,
    LabelError,
    NewClassWarning,
    PredicateError,
    StagedError,
    UnknownVersionError,
)
from burnish.measure.comparison import COLUMNS

N = 300


def table(seed=0):
    random = np.random.default_rng(seed)
    kind = np.arange(N) % 2
    frame = pd.DataFrame({"id": [f"r{i:03d}" for i in range(N)]})
    frame["x"] = random.normal(size=N) + 3 * kind
    frame["y"] = random.normal(size=N)
    frame["label"] = np.where(kind == 1, "dog", "cat")
    frame["split"] = np.where(np.arange(N) % 3 == 0, "test", "train")
    return frame


def made(frame, **roles):
    named = {"label": "label", "split": "split", "features": ["x", "y"], **roles}
    return bn.create(None, frame, key="id", **{k: v for k, v in named.items() if v is not None})


def compare(ds, estimator=None, before="v0", after="v1", **options):
    chosen = GaussianNB() if estimator is None else estimator
    return bn.compare(ds, before, after, chosen, progress=False, **options)


def codes(comparison):
    return [flag.code for flag in comparison.flags]


@pytest.fixture
def cleaned():
    """A third of the training labels are wrong at v0 and right at v1."""
    truth = table()
    frame = truth.copy()
    wrong = (frame["split"] == "train") & (np.arange(N) % 5 < 2)
    frame.loc[wrong, "label"] = np.where(frame.loc[wrong, "x"] > 0, "cat", "dog")
    with made(frame) as ds:
        ds.relabel(truth.loc[wrong, "id"].tolist(), truth.loc[wrong, "label"].tolist())
        ds.commit("put right")
        yield ds


@pytest.fixture
def ds():
    with made(table()) as dataset:
        yield dataset


def test_a_real_gain_excludes_zero(cleaned):
    found = compare(cleaned, DecisionTreeClassifier(), metrics=["accuracy", "log_loss"])
    frame = found.frame()
    assert list(frame.columns) == list(COLUMNS)
    assert frame["slice"].tolist() == ["all rows"] * 2
    assert frame.loc[0, "low_all"] > 0
    assert frame.loc[1, "high_all"] < 0
    assert found.verdicts() == ["better", "better"]
    assert found.provenance["n_rows"] == 100


def test_scores_are_those_of_training_and_scoring_by_hand(cleaned):
    frame = compare(cleaned).frame()
    for side, version in (("before", "v0"), ("after", "v1")):
        rows = cleaned.at(version).to_pandas()
        train, test = rows[rows["split"] == "train"], rows[rows["split"] == "test"]
        model = GaussianNB().fit(train[["x", "y"]], train["label"])
        by_hand = accuracy_score(test["label"], model.predict(test[["x", "y"]]))
        assert np.isclose(frame.loc[0, side], by_hand)


def test_the_same_call_gives_the_same_numbers(cleaned):
    forest = RandomForestClassifier(5)
    one, other = compare(cleaned, forest, seeds=2), compare(cleaned, forest, seeds=2)
    pd.testing.assert_frame_equal(one.frame(), other.frame())


def test_the_order_of_the_rows_does_not_matter():
    frames = []
    for frame in (table(), table().sample(frac=1, random_state=0)):
        with made(frame) as ds:
            ds.relabel(["r001", "r002", "r004"], "dog")
            ds.commit("edit")
            frames.append(compare(ds, RandomForestClassifier(5), seeds=2).frame())
    pd.testing.assert_frame_equal(*frames)


def test_equal_training_rows_differ_by_exactly_nothing(ds):
    found = compare(ds, RandomForestClassifier(5), after="v0")
    row = found.frame().loc[0]
    assert (row["difference"], row["low"], row["high"], row["p_adjusted"]) == (0, 0, 0, 1)
    assert codes(found) == ["same-training-rows"]


def test_no_flipped_row_is_not_certainty(ds):
    ds.relabel("r001", "cat")
    ds.commit("one label")
    row = compare(ds, DummyClassifier(strategy="most_frequent")).frame().loc[0]
    assert row["difference"] == 0
    assert 0.02 < row["high"] < 0.05
    assert row["low"] == -row["high"]


def test_rows_dropped_on_one_side_are_scored_on_neither(ds):
    ds.drop(["r000", "r003"])
    ds.commit("drop")
    found = compare(ds)
    assert found.frame().loc[0, "n"] == 98
    assert found.frame().loc[0, "difference"] == 0
    assert "evaluation-rows-differ" in codes(found)


def test_slices_are_frozen_at_the_version_before(ds):
    ds.set(["r000", "r003"], "y", 99.0)
    ds.commit("edit a feature")
    found = compare(ds, slices=[bn.Slice("high", "y > 50"), ("low", "y <= 50")])
    assert found.frame()["slice"].tolist() == ["all rows", "high", "low"]
    assert found.frame()["n"].tolist() == [100, 0, 100]
    assert np.isnan(found.frame().loc[1, "difference"])
    assert {"empty-slice", "evaluation-inputs-edited"} <= set(codes(found))


def test_a_slice_may_be_a_selection_of_keys(ds):
    ds.relabel("r001", "cat")
    ds.commit("edit")
    picked = bn.Slice("picked", bn.Selection([f"r{i:03d}" for i in range(0, 150)]))
    assert compare(ds, slices=[picked]).frame()["n"].tolist() == [100, 50]


def test_joint_intervals_are_wider_and_hold_the_single_ones(cleaned):
    slices = [(f"y above {cut}", f"y > {cut}") for cut in (-1, -0.5, 0, 0.5)]
    frame = compare(cleaned, RandomForestClassifier(5), slices=slices).frame()
    assert (frame["low_all"] < frame["low"]).all()
    assert (frame["high_all"] > frame["high"]).all()
    zero_outside = (frame["low_all"] > 0) | (frame["high_all"] < 0)
    assert (zero_outside == (frame["p_adjusted"] < 0.05)).all()


def test_one_statistic_needs_no_joint_interval(cleaned):
    row = compare(cleaned).frame().loc[0]
    assert (row["low"], row["high"]) == (row["low_all"], row["high_all"])


def edit_evaluation(ds):
    ds.relabel([f"r{i:03d}" for i in range(0, 30, 3)], "cat")
    ds.commit("edit evaluation labels")


def test_truth_decides_which_labels_both_sides_are_scored_on(ds):
    edit_evaluation(ds)
    frames = {t: compare(ds, truth=t).frame().loc[0] for t in ("before", "after", "untouched")}
    assert [frames[t]["n"] for t in frames] == [100, 100, 95]
    assert frames["before"]["before"] > frames["after"]["before"]
    assert all(row["difference"] == 0 for row in frames.values())


def test_edited_evaluation_labels_are_flagged_and_others_are_not(ds, cleaned):
    edit_evaluation(ds)
    assert "evaluation-labels-edited" in codes(compare(ds))
    assert "5 labels" in compare(ds).flags[0].text
    assert "evaluation-labels-edited" not in codes(compare(cleaned))


def test_evaluation_edits_that_a_finding_suggested_are_flagged(ds):
    probs = bn.cross_val_probabilities(ds, GaussianNB(), progress=False)
    found = bn.find.label_issues(ds, probs)
    split = dict(zip(ds.keys, ds.to_pandas()["split"], strict=True))
    tested = found[np.array([split[key] == "test" for key in found.keys])]
    assert len(tested)
    ds.relabel(tested, tested.suggestions.tolist(), because=tested)
    ds.commit("as suggested")
    assert "evaluation-edits-suggested" in codes(compare(ds))
    flag = compare(ds, truth="after").flags[1]
    assert "biased" in flag.text


def test_edits_without_a_finding_are_not_called_suggested(ds):
    edit_evaluation(ds)
    assert "evaluation-edits-suggested" not in codes(compare(ds))


def test_rows_that_changed_split_are_flagged_and_not_scored(ds):
    ds.set(["r000", "r001"], "split", ["train", "test"])
    ds.commit("move")
    found = compare(ds)
    assert "rows-changed-split" in codes(found)
    assert found.frame().loc[0, "n"] == 99


def test_seeds_are_flagged_by_how_many_there_are(cleaned):
    forest = RandomForestClassifier(3)
    assert "one-seed" in codes(compare(cleaned, forest, seeds=1))
    assert "few-seeds" in codes(compare(cleaned, forest, seeds=3))
    assert not {"one-seed", "few-seeds"} & set(codes(compare(cleaned, forest, seeds=5)))


def test_a_deterministic_estimator_is_trained_once_and_flagged(cleaned):
    found = compare(cleaned)
    assert found.provenance["n_seeds"] == 1
    assert codes(found) == ["deterministic-estimator"]


def test_small_slices_are_flagged(cleaned):
    rare = ("rare", "x > 4.5")
    found = compare(cleaned, slices=[rare, ("many", "x > -9")])
    assert codes(found).count("small-slice") == 1
    assert "too few rows" in found.verdicts()


def test_a_metric_that_cannot_move_is_flagged(cleaned):
    dummy = DummyClassifier(strategy="most_frequent")
    assert "constant-metric" in codes(compare(cleaned, dummy, metrics=["recall"]))
    assert "constant-metric" not in codes(compare(cleaned, metrics=["recall"]))


def test_a_new_training_class_is_flagged(ds):
    with pytest.warns(NewClassWarning):
        ds.relabel([f"r{i:03d}" for i in range(1, 60, 3)], "bird")
    ds.commit("split a class")
    assert "class-vocabulary-changed" in codes(compare(ds))


def test_groups_on_both_sides_are_flagged_and_drawn_whole():
    frame = table()
    frame["family"] = np.arange(N) // 3
    frame["alone"] = np.where(frame["split"] == "test", "t", "n") + (frame.index // 6).astype(str)
    with made(frame, group="family") as ds, made(frame, group="alone") as apart:
        for each in (ds, apart):
            each.relabel(["r001", "r002", "r005"], "cat")
            each.commit("edit")
        assert "groups-leak" in codes(compare(ds))
        found = compare(apart)
    assert "groups-leak" not in codes(found)
    assert found.table.loc[0, "units"] == 50


def test_metrics_may_be_functions(cleaned):
    def cost(y_true, y_pred):
        return float(np.mean((y_true == "dog") & (y_pred == "cat")))

    cost.greater_is_better = False
    found = compare(cleaned, DecisionTreeClassifier(), metrics=["accuracy", cost])
    assert found.frame()["metric"].tolist() == ["accuracy", "cost"]
    assert found.frame().loc[1, "difference"] < 0
    assert np.isfinite(found.frame().loc[1, "low_all"])


def test_flips_are_counted_by_row(cleaned):
    found = compare(cleaned, DecisionTreeClassifier())
    flips = found.flips()
    assert list(flips.columns) == ["key", "truth", "before", "after", "change"]
    fixed = flips[flips["change"] == "fixed"]
    assert (fixed["after"] == fixed["truth"]).all()
    assert (fixed["before"] != fixed["truth"]).all()
    assert len(fixed) > (flips["change"] == "broken").sum()


def test_the_text_says_what_was_compared_and_escapes_names(cleaned):
    found = compare(cleaned, slices=[("<b>bold</b>", "x > 0")])
    assert "v0 → v1 · GaussianNB · 100 held-out rows · 1 seed" in repr(found)
    assert "deterministic-estimator" in repr(found)
    assert "<b>bold" not in found._repr_html_()
    assert "&lt;b&gt;bold" in found._repr_html_()
    assert "<b>bold" not in found.plot().to_json()


def test_the_plot_colours_only_what_the_joint_interval_shows(cleaned):
    from burnish.measure.plot import COLOURS

    better = compare(cleaned, DecisionTreeClassifier()).plot().to_json()
    assert COLOURS["better"] in better
    unclear = compare(cleaned, GaussianNB(), slices=[("few", "x > 4.5")], before="v1")
    assert COLOURS["better"] not in unclear.plot().to_json()


def test_staged_edits_are_refused(ds):
    ds.relabel("r001", "cat")
    with pytest.raises(StagedError, match="commit"):
        compare(ds, after="v0")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metrics": ["acuracy"]}, InputError, "acuracy"),
        ({"metrics": []}, InputError, "at least one"),
        ({"metrics": ["accuracy", "accuracy"]}, InputError, "each once"),
        ({"truth": "now"}, InputError, "untouched"),
        ({"protocol": "kfold"}, InputError, "holdout"),
        ({"confidence": 95}, InputError, "\\(0, 1\\)"),
        ({"seeds": 0}, InputError, "seeds"),
        ({"train": "test"}, InputError, "both"),
        ({"evaluate": "valid"}, InputError, "'test', 'train'"),
        ({"slices": [3]}, InputError, "not a slice"),
        ({"slices": [("a", "x > 0"), ("a", "x < 0")]}, InputError, "twice"),
        ({"slices": [("all rows", "x > 0")]}, InputError, "twice"),
        ({"slices": [("a", "x >")]}, PredicateError, "x >"),
        ({"before": "v7"}, UnknownVersionError, "v7"),
        (
            {"metrics": ["log_loss"], "estimator": RidgeClassifier()},
            EstimatorError,
            "predict_proba",
        ),
        ({"estimator": object()}, EstimatorError, "no fit"),
    ],
)
def test_bad_input_is_refused(ds, options, error, message):
    with pytest.raises(error, match=message):
        compare(ds, **{"after": "v0", **options})


def test_an_estimator_that_fails_on_one_side_says_which(ds):
    class Picky(GaussianNB):
        def fit(self, X, y):
            if "bird" in set(y):
                raise ValueError("no birds")
            return super().fit(X, y)

    with pytest.warns(NewClassWarning):
        ds.relabel(["r001", "r002"], "bird")
    ds.commit("birds")
    with pytest.raises(EstimatorError, match=r"the after version.*no birds"):
        compare(ds, Picky())


def test_a_side_with_one_class_is_refused():
    frame = table()
    frame.loc[frame["split"] == "train", "label"] = "cat"
    with made(frame) as ds, pytest.raises(LabelError, match="before version"):
        compare(ds, after="v0")


def test_no_split_role_is_refused():
    with made(table(), split=None) as ds, pytest.raises(InputError, match="no split role"):
        compare(ds, after="v0")
