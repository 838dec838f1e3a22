import sys
import threading
import types

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import burnish as bn
from burnish.errors import InputError
from burnish.model import project


def made(n=30, **columns):
    roles = {role: columns.pop(role) for role in list(columns) if role in ROLES}
    frame = pd.DataFrame({"id": range(n), **columns})
    return bn.create(None, frame, key="id", **roles)


ROLES = ("features", "embedding", "image", "text")


@pytest.fixture(scope="module")
def digits():
    return load_digits().data[:200]


def test_two_columns_are_drawn_as_they_are():
    x, y = np.arange(30.0), -np.arange(30.0)
    with made(x=x, y=y, embedding=["x", "y"]) as ds:
        drawn = project(ds)
    assert drawn.method == "given"
    assert drawn.coordinates.dtype == np.float32
    assert np.array_equal(drawn.coordinates, np.column_stack([x, y]))


def test_a_vector_column_of_length_two_is_drawn_with_nulls_left_blank():
    vectors = [[float(i), 1.0] for i in range(30)]
    vectors[3], vectors[4] = None, [np.inf, 0.0]
    with made(vec=vectors, embedding="vec") as ds:
        coordinates = project(ds).coordinates
    assert np.flatnonzero(np.isnan(coordinates).any(axis=1)).tolist() == [3, 4]
    assert np.isnan(coordinates[4]).all()


def test_pca_spans_what_scikit_learn_finds(digits):
    with made(200, vec=list(digits), embedding="vec") as ds:
        drawn = project(ds)
    exact = PCA(2, svd_solver="full").fit_transform(digits)
    assert drawn.method == "pca"
    assert np.allclose(drawn.coordinates, exact, atol=0.05 * np.abs(exact).max())


def test_the_same_seed_gives_the_same_picture(digits):
    with made(200, vec=list(digits), embedding="vec") as ds:
        assert np.array_equal(project(ds, seed=1).coordinates, project(ds, seed=1).coordinates)


def test_features_are_standardised_and_missing_ones_count_as_the_mean():
    random = np.random.default_rng(0)
    small, large = random.normal(size=30), random.normal(size=30) * 1e6
    small[5] = np.nan
    with made(a=small, b=large, c=["x"] * 30, features=["a", "b", "c"]) as ds:
        coordinates = project(ds).coordinates
    assert np.isfinite(coordinates).all()
    assert 0.5 < coordinates[:, 0].std() / coordinates[:, 1].std() < 2


def test_a_row_without_a_vector_is_blank_and_the_others_are_drawn(digits):
    vectors = [None, *list(digits[1:])]
    with made(200, vec=vectors, embedding="vec") as ds:
        coordinates = project(ds).coordinates
    assert np.isnan(coordinates[0]).all()
    assert np.isfinite(coordinates[1:]).all()


def test_images_and_texts_are_drawn(digits):
    with made(200, picture=[row.reshape(8, 8) for row in digits], image="picture") as ds:
        assert np.isfinite(project(ds).coordinates).all()
    words = [f"word{i % 7} other{i % 3}" for i in range(29)] + [None]
    with made(words=words, text="words") as ds:
        coordinates = project(ds).coordinates
    assert np.isfinite(coordinates[:29]).all()
    assert np.isnan(coordinates[29]).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_rows_are_drawn(n):
    with made(n, vec=[[float(i), 0.0, 1.0] for i in range(n)], embedding="vec") as ds:
        assert np.isfinite(project(ds).coordinates).all()


def test_constant_and_single_columns_are_drawn():
    with made(a=np.ones(30), features=["a"]) as ds:
        assert (project(ds).coordinates == 0).all()
    with made(a=np.arange(30.0), features=["a"]) as ds:
        assert np.ptp(project(ds).coordinates[:, 0]) > 0


def test_umap_gets_few_components_a_seed_and_only_finite_rows(digits, monkeypatch):
    seen = {}

    class FakeUMAP:
        def __init__(self, **options):
            seen.update(options)

        def fit_transform(self, values):
            seen["shape"] = values.shape
            return values[:, :2]

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=FakeUMAP))
    with made(200, vec=[None, *list(digits[1:])], embedding="vec") as ds:
        drawn = project(ds, method="umap", seed=4)
    assert drawn.method == "umap"
    assert (seen["shape"], seen["random_state"], seen["n_jobs"]) == ((199, 50), 4, 1)
    assert np.isnan(drawn.coordinates[0]).all()


def test_a_projection_can_be_made_in_another_thread(digits):
    with made(200, vec=list(digits), embedding="vec") as ds:
        found = []
        thread = threading.Thread(target=lambda: found.append(project(ds)))
        thread.start()
        thread.join()
        assert np.array_equal(found[0].coordinates, project(ds).coordinates)


def test_what_cannot_be_drawn_is_refused(digits):
    with made(label=["a"] * 30) as ds, pytest.raises(InputError, match="no column has a role"):
        project(ds)
    with made(200, vec=list(digits), embedding="vec") as ds:
        with pytest.raises(InputError, match="two columns"):
            project(ds, method="given")
        with pytest.raises(InputError, match="'tsne'"):
            project(ds, method="tsne")


def test_a_table_of_categories_has_a_picture_where_rows_alike_lie_together():
    n = 30
    columns = {"age": ["young", "old"] * 15, "sex": ["f", "f", "m"] * 10}
    with made(n, **columns, features=["age", "sex"]) as ds:
        drawn = project(ds).coordinates
    kinds = pd.DataFrame(columns).agg(" ".join, axis=1)
    assert np.isfinite(drawn).all()
    assert len(np.unique(drawn.round(4), axis=0)) == kinds.nunique()


def test_features_that_are_all_different_texts_are_refused():
    words = "holds numbers or at most 50 different texts"
    notes = [f"note {i}" for i in range(60)]
    with made(60, note=notes, features=["note"]) as ds, pytest.raises(InputError, match=words):
        project(ds)
