from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import burnish as bn
from burnish.errors import EstimatorError, InputError, LabelError
from burnish.model import assign_folds


def table(n=60, seed=0):
    random = np.random.default_rng(seed)
    label = np.array(["cat", "dog"])[np.arange(n) % 2]
    return pd.DataFrame(
        {
            "id": [f"r{i:03d}" for i in range(n)],
            "x": random.normal(size=n) + 2 * (label == "dog"),
            "label": label,
            "split": np.where(np.arange(n) % 3 == 0, "test", "train"),
        }
    )


def made(frame, **roles):
    named = {"label": "label", "split": "split", "features": ["x"], **roles}
    return bn.create(None, frame, key="id", **{k: v for k, v in named.items() if v is not None})


def predict(ds, estimator=None, **options):
    chosen = GaussianNB() if estimator is None else estimator
    return bn.cross_val_probabilities(ds, chosen, progress=False, **options)


class Recorder(GaussianNB):
    """Keeps what every clone was fitted on and asked to predict."""

    fitted: ClassVar[list] = []
    asked: ClassVar[list] = []

    def fit(self, X, y):
        Recorder.fitted.append(set(X["x"]))
        return super().fit(X, y)

    def predict_proba(self, X):
        Recorder.asked.append(set(X["x"]))
        return super().predict_proba(X)


@pytest.fixture
def recorder():
    Recorder.fitted, Recorder.asked = [], []
    return Recorder()


def test_every_live_row_is_predicted_once_by_a_model_that_never_saw_it(recorder):
    frame = table()
    with made(frame) as ds:
        probs = predict(ds, recorder)
    assert probs.keys.tolist() == frame["id"].tolist()
    assert probs.classes == ("cat", "dog")
    assert sum(map(len, Recorder.asked)) == len(frame)
    assert all(
        not seen & asked for seen, asked in zip(Recorder.fitted, Recorder.asked, strict=True)
    )


def test_models_are_fitted_on_training_rows_only(recorder):
    frame = table()
    with made(frame) as ds:
        predict(ds, recorder)
    assert set.union(*Recorder.fitted) == set(frame.loc[frame["split"] == "train", "x"])


def test_fit_on_none_and_no_split_role_train_on_all_rows(recorder):
    frame = table()
    with made(frame) as ds:
        predict(ds, recorder, fit_on=None)
    assert set.union(*Recorder.fitted) == set(frame["x"])
    Recorder.fitted = []
    with made(frame, split=None) as ds:
        predict(ds, recorder)
    assert set.union(*Recorder.fitted) == set(frame["x"])


def test_a_row_without_a_label_is_predicted_and_never_trained_on(recorder):
    frame = table()
    frame.loc[1, "label"] = None
    with made(frame) as ds:
        probs = predict(ds, recorder)
    assert "r001" in set(probs.keys)
    assert frame.loc[1, "x"] not in set.union(*Recorder.fitted)


def test_groups_are_never_split(recorder):
    frame = table()
    frame["family"] = np.arange(60) // 6
    with made(frame, group="family", split=None) as ds:
        predict(ds, recorder, cv=3)
    family = dict(zip(frame["x"], frame["family"], strict=True))
    for seen, asked in zip(Recorder.fitted, Recorder.asked, strict=True):
        assert not {family[x] for x in seen} & {family[x] for x in asked}


def test_the_order_of_the_rows_does_not_matter():
    frame = table()
    forest = RandomForestClassifier(5)
    with made(frame) as ds, made(frame.sample(frac=1, random_state=1)) as shuffled:
        one, other = predict(ds, forest), predict(shuffled, forest)
    assert one.keys.tolist() == other.keys.tolist()
    assert np.array_equal(one.values, other.values)


def test_the_seed_reaches_nested_steps_and_leaves_a_given_one():
    forest = make_pipeline(StandardScaler(), RandomForestClassifier(5))
    with made(table()) as ds:
        again = [predict(ds, forest, seed=1).values for _ in range(2)]
        fixed = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=9))
        provenance = predict(ds, fixed, seed=1).provenance
    assert np.array_equal(*again)
    assert provenance["estimator_params"]["randomforestclassifier__random_state"] == "9"
    assert forest.get_params()["randomforestclassifier__random_state"] is None


def test_text_goes_through_a_pipeline():
    frame = table()
    frame["words"] = np.where(frame["label"] == "cat", "meow purr", "woof bark")
    with made(frame, features=None, text="words") as ds:
        probs = predict(ds, make_pipeline(CountVectorizer(), MultinomialNB()))
    assert (probs.values.max(axis=1) > 0.9).all()


def test_a_class_that_a_fold_has_not_seen_gets_probability_zero():
    keys = [i for i in range(400) if assign_folds([i], 3)[0] == 0][:6]
    rest = [i for i in range(400) if assign_folds([i], 3)[0] != 0][:40]
    frame = pd.DataFrame({"id": keys + rest, "x": range(len(keys + rest))})
    frame["label"] = ["rare"] * 6 + ["cat", "dog"] * 20
    with bn.create(None, frame, key="id", label="label", features=["x"]) as ds:
        probs = predict(ds, cv=3)
    rare = probs.values[:, probs.classes.index("rare")]
    assert (rare[probs.positions(keys)] == 0).all()
    assert np.allclose(probs.values.sum(axis=1), 1)


def test_provenance_tells_how_to_do_it_again():
    with made(table()) as ds:
        told = predict(ds, LogisticRegression(C=3), cv=4, seed=7).provenance
        assert told["fingerprint"] == ds.fingerprint
    assert (told["cv"], told["seed"], told["fit_on"]) == (4, 7, "train")
    assert (told["version"], told["estimator_params"]["C"]) == ("v0", "3")
    assert set(told["libraries"]) == {"numpy", "pandas", "scikit-learn"}


def test_labels_keep_their_python_type():
    frame = table()
    frame["label"] = (frame["label"] == "dog").astype("Int64")
    frame.loc[3, "label"] = pd.NA
    with made(frame) as ds:
        assert [type(name) for name in predict(ds).classes] == [int, int]


def test_an_estimator_without_probabilities_is_refused_before_any_work():
    with pytest.raises(EstimatorError, match=r"RidgeClassifier.*predict_proba"):
        bn.cross_val_probabilities(None, RidgeClassifier())  # type: ignore[arg-type]


def test_a_class_instead_of_an_estimator_is_refused():
    with made(table()) as ds, pytest.raises(EstimatorError, match="is a class"):
        predict(ds, GaussianNB)


def test_a_class_with_fewer_rows_than_folds_is_named_with_its_count():
    frame = table()
    frame.loc[[1, 2], "label"] = "bird"
    with made(frame) as ds, pytest.raises(LabelError, match="'bird' \\(2\\)"):
        predict(ds)


def test_one_class_only_is_refused():
    frame = table()
    frame["label"] = "cat"
    with made(frame) as ds, pytest.raises(LabelError, match="1 classes"):
        predict(ds)


def test_a_split_that_is_not_there_is_refused_with_those_that_are():
    with made(table()) as ds, pytest.raises(InputError, match="'test', 'train'"):
        predict(ds, fit_on="training")


@pytest.mark.parametrize("cv", [1, 0, "5", 2.0])
def test_a_cv_that_makes_no_sense_is_refused(cv):
    with made(table()) as ds, pytest.raises(InputError, match="cv="):
        predict(ds, cv=cv)


def test_an_estimator_that_fails_says_what_it_was_given():
    frame = table()
    frame["words"] = "some text"
    with (
        made(frame, features=["words"]) as ds,
        pytest.raises(EstimatorError, match="failed to fit on DataFrame") as caught,
    ):
        predict(ds, DecisionTreeClassifier())
    assert caught.value.__cause__ is not None


def test_progress_is_shown_only_when_asked_for(capsys):
    with made(table()) as ds:
        bn.cross_val_probabilities(ds, GaussianNB(), progress=False)
        assert capsys.readouterr().err == ""
        bn.cross_val_probabilities(ds, GaussianNB(), progress=True)
        assert "cross-validation" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["reviews.burnish", {"id": [1]}, None], ids=repr)
def test_what_is_no_dataset_is_refused_with_how_to_get_one(given):
    with pytest.raises(InputError, match="expected a Dataset or a Snapshot, got") as caught:
        bn.cross_val_probabilities(given, LogisticRegression())
    opened = "bn.open('reviews.burnish')" if isinstance(given, str) else "bn.create("
    assert opened in caught.value.hint
