import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import burnish as bn
from burnish.model.features import inputs


def frame(**columns):
    return pd.DataFrame({"id": ["c", "a", "b"], "label": [0, 1, 0], **columns})


def png(value, size=2):
    stream = io.BytesIO()
    Image.fromarray(np.full((size, size), value, np.uint8)).save(stream, format="PNG")
    return stream.getvalue()


def test_features_are_a_frame_sorted_by_key():
    with bn.create(None, frame(x=[3, 1, 2], y=[6, 4, 5]), key="id", features=["y", "x"]) as ds:
        got = inputs(ds)
    assert got.X.to_dict("list") == {"y": [4, 5, 6], "x": [1, 2, 3]}
    assert got.keys.tolist() == ["a", "b", "c"]
    assert got.columns == ("y", "x")


def test_text_is_a_one_dimensional_array_and_null_is_empty():
    with bn.create(None, frame(words=["c!", "a!", None]), key="id", text="words") as ds:
        X = inputs(ds).X
    assert X.ndim == 1
    assert X.tolist() == ["a!", "", "c!"]


def test_an_embedding_is_two_dimensional_and_null_is_nan():
    table = frame(vec=[[3.0, 3.5, 1], None, [2.0, 2.5, 0]])
    with bn.create(None, table, key="id", embedding="vec") as ds:
        X = inputs(ds).X
    assert X.shape == (3, 3)
    assert np.isnan(X[0]).all()
    assert X[1:].tolist() == [[2.0, 2.5, 0], [3.0, 3.5, 1]]


def test_array_images_become_rows_of_pixels():
    pictures = [np.full((2, 3), value) for value in (3.0, 1.0, 2.0)]
    with bn.create(None, frame(picture=pictures), key="id", image="picture") as ds:
        X = inputs(ds).X
    assert X.tolist() == [[1.0] * 6, [2.0] * 6, [3.0] * 6]


def test_encoded_images_are_decoded():
    table = frame(picture=[png(30), png(10), png(20)])
    with bn.create(None, table, key="id", image="picture") as ds:
        assert inputs(ds).X.tolist() == [[10] * 4, [20] * 4, [30] * 4]


def test_images_of_different_sizes_are_refused_by_key():
    table = frame(picture=[png(30), png(10, size=3), png(20)])
    with (
        bn.create(None, table, key="id", image="picture") as ds,
        pytest.raises(bn.BurnishError, match="'a': \\(3, 3\\)"),
    ):
        inputs(ds)


def test_an_image_that_does_not_decode_names_its_row():
    table = frame(picture=[png(30), b"not a picture", png(20)])
    with (
        bn.create(None, table, key="id", image="picture") as ds,
        pytest.raises(bn.BurnishError, match="row 'a'"),
    ):
        inputs(ds)


def test_no_role_to_learn_from_is_refused():
    with (
        bn.create(None, frame(), key="id", label="label") as ds,
        pytest.raises(bn.BurnishError, match="no column has a role"),
    ):
        inputs(ds)


def test_unknown_columns_are_refused():
    with (
        bn.create(None, frame(x=[1, 2, 3]), key="id") as ds,
        pytest.raises(bn.BurnishError, match="'z'"),
    ):
        inputs(ds, columns=["x", "z"])


def test_named_columns_win_over_roles():
    with bn.create(None, frame(x=[3, 1, 2], y=[6, 4, 5]), key="id", features=["x"]) as ds:
        assert list(inputs(ds, columns=["y"]).X.columns) == ["y"]


@pytest.fixture
def several():
    table = frame(x=[3, 1, 2], words=["c", "a", "b"], vec=[[3.0, 0, 0], [1.0, 0, 0], [2.0, 0, 0]])
    with bn.create(None, table, key="id", features=["x"], text="words", embedding="vec") as ds:
        yield ds


def test_with_several_roles_a_vectoriser_gets_the_text(several):
    X = inputs(several, make_pipeline(TfidfVectorizer(), LogisticRegression())).X
    assert X.tolist() == ["a", "b", "c"]


def test_with_several_roles_a_numeric_estimator_gets_the_features(several):
    assert list(inputs(several, LogisticRegression()).X.columns) == ["x"]


@pytest.mark.parametrize(
    "first",
    [
        ColumnTransformer([("text", TfidfVectorizer(), "words")]),
        make_column_transformer(("passthrough", ["x"])),
        FunctionTransformer(lambda frame: frame[["x"]]),
    ],
)
def test_with_several_roles_what_picks_columns_gets_a_frame_of_all(several, first):
    X = inputs(several, make_pipeline(first, LogisticRegression())).X
    assert list(X.columns) == ["x", "vec", "words"]


def test_a_drawing_is_not_learned_from_where_there_are_images():
    table = frame(x=[1.0, 2, 3], y=[1.0, 2, 3], picture=[np.ones((2, 2))] * 3)
    with bn.create(None, table, key="id", image="picture", embedding=["x", "y"]) as ds:
        assert inputs(ds, LogisticRegression()).columns == ("picture",)
