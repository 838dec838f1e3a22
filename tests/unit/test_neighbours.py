"""Neighbours of rows: what is read, what is kept, and what has none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import burnish as bn
from burnish.errors import InputError, KeysError
from burnish.model.graph_files import give_graph, take_graph
from burnish.model.neighbours import GraphCache, Neighbours, cache, neighbours

graph_module = sys.modules["burnish.model.neighbours"]


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many neighbours each graph that was computed was asked for."""
    asked: list[int] = []
    real = graph_module._graph

    def counted(keys: Any, values: Any, k: int, *rest: Any) -> Neighbours:
        asked.append(k)
        return real(keys, values, k, *rest)

    monkeypatch.setattr(graph_module, "_graph", counted)
    return asked


def table(n: int = 30, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {"id": range(n), "vec": list(random.normal(size=(n, 4))), "label": ["a", "b"] * (n // 2)}
    )


def test_a_relabel_does_not_compute_neighbours_again(made: list[int]) -> None:
    with bn.create(None, table(), key="id", embedding="vec", label="label") as ds:
        before = neighbours(ds)
        ds.relabel(3, "a")
        assert neighbours(ds) is before
        ds.commit("one")
        assert neighbours(ds) is before
        assert neighbours(ds.at("v0")) is before
    assert made == [15]


def test_another_vector_or_a_dropped_row_computes_them_again(made: list[int]) -> None:
    with bn.create(None, table(), key="id", embedding="vec") as ds:
        neighbours(ds)
        ds.set(3, "vec", [9.0, 9.0, 9.0, 9.0])
        assert neighbours(ds).distances[3, 0] > 5
        ds.drop(3)
        assert 3 not in neighbours(ds).keys
        ds.undo()
        ds.undo()
        neighbours(ds)
    assert len(made) == 3


def test_the_same_content_in_another_store_is_known(made: list[int]) -> None:
    for _ in range(2):
        with bn.create(None, table(), key="id", embedding="vec") as ds:
            neighbours(ds)
    assert len(made) == 1


def test_more_neighbours_serve_fewer_and_not_the_other_way(made: list[int]) -> None:
    values = np.random.default_rng(0).normal(size=(30, 3))
    many = neighbours(values, 12)
    few = neighbours(values, 5)
    assert few.indices.tolist() == many.indices[:, :5].tolist()
    neighbours(values, 13)
    neighbours(values, 40)
    neighbours(values, 80)
    assert made == [12, 13, 40]


def test_what_was_not_used_for_longest_is_let_go() -> None:
    random = np.random.default_rng(0)
    one, two, three = (neighbours(random.normal(size=(20, 2)), 3) for _ in range(3))
    kept = GraphCache(2 * graph_module._size(one))
    for name, graph in zip("abc", (one, two, three)):
        kept.keep((name,), 3, graph)
    assert [kept.find((name,), 3) is not None for name in "abc"] == [False, True, True]


def test_a_row_without_a_vector_has_no_neighbours_and_is_none() -> None:
    frame = table()
    frame.loc[4, "vec"] = None
    frame.at[7, "vec"] = [np.nan, 0.0, 0.0, 0.0]
    with bn.create(None, frame, key="id", embedding="vec") as ds:
        found = neighbours(ds, 5)
    assert np.flatnonzero(~found.has_vector).tolist() == [4, 7]
    assert np.isinf(found.distances[[4, 7]]).all()
    assert not np.isin(found.indices, [4, 7]).any()
    assert found.provenance["n_without_vector"] == 2


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_table_of_hardly_any_rows_has_hardly_any_neighbours(n: int) -> None:
    found = neighbours(np.zeros((n, 3)), 5)
    assert found.indices.tolist() == [[], [[]], [[1], [0]]][n]
    with bn.create(None, table(2), key="id", features=["label"]) as ds:
        ds.drop([0, 1][: 2 - n])
        assert neighbours(ds, 5).indices.shape == (n, max(n - 1, 0))


def test_a_vector_of_zeros_has_no_cosine() -> None:
    values = np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    found = neighbours(values, 2, metric="cosine")
    assert found.indices.tolist() == [[2, 3], [-1, -1], [0, 3], [0, 2]]
    assert found.distances[0].tolist() == [0.0, 1.0]


def test_keys_are_sorted_and_can_be_aligned_to_the_dataset() -> None:
    frame = table()[::-1]
    with bn.create(None, frame, key="id", embedding="vec") as ds:
        graph = neighbours(ds, 3)
        here = graph.align(ds.keys)
        assert graph.keys.tolist() == list(range(30))
        assert here.keys.tolist() == ds.keys.tolist()
    named = {key: graph.keys[row].tolist() for key, row in zip(graph.keys, graph.indices)}
    assert {key: here.keys[row].tolist() for key, row in zip(here.keys, here.indices)} == named
    with pytest.raises(KeysError, match="99"):
        graph.align([*range(29), 99])


def test_what_cannot_have_neighbours_is_refused() -> None:
    with pytest.raises(InputError, match="k=0"):
        neighbours(np.zeros((2, 2)), 0)
    with pytest.raises(InputError, match="'manhattan'"):
        neighbours(np.zeros((2, 2)), metric="manhattan")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="shape"):
        neighbours(np.zeros(3))
    with bn.create(None, table(), key="id") as ds, pytest.raises(InputError, match="role"):
        neighbours(ds)


def test_images_named_by_paths_are_read_each_time(tmp_path: Path, made: list[int]) -> None:
    from PIL import Image

    paths = [str(tmp_path / f"{i}.png") for i in range(4)]
    for i, path in enumerate(paths):
        Image.fromarray(np.full((2, 2), i * i, np.uint8)).save(path)
    with bn.create(None, pd.DataFrame({"id": range(4), "p": paths}), key="id", image="p") as ds:
        assert neighbours(ds, 1).indices.ravel().tolist() == [1, 0, 1, 2]
        Image.fromarray(np.full((2, 2), 200, np.uint8)).save(paths[0])
        assert neighbours(ds, 1).indices.ravel().tolist() == [3, 2, 1, 2]
    assert made == [1, 1]


def test_a_graph_is_handed_to_another_process_by_a_file(tmp_path: Path, made: list[int]) -> None:
    file = tmp_path / "graph.npz"
    with bn.create(None, table(), key="id", embedding="vec") as ds:
        assert not give_graph(ds, file)
        assert not take_graph(ds, file)
        assert give_graph(ds, file, compute=True)
        before = neighbours(ds)
        cache.clear()
        assert take_graph(ds, file)
        after = neighbours(ds)
        ds.set(3, "vec", [9.0, 9.0, 9.0, 9.0])
        assert not take_graph(ds, file)
    assert made == [15]
    assert after.indices.tolist() == before.indices.tolist()
    assert (after.keys.tolist(), after.provenance) == (before.keys.tolist(), before.provenance)


def test_the_map_is_drawn_from_the_shared_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    from burnish.model import project

    seen: dict[str, Any] = {}

    class FakeUMAP:
        def __init__(self, **options: Any) -> None:
            seen.update(options)

        def fit_transform(self, values: Any) -> Any:
            seen["values"] = values
            return values[:, :2]

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=FakeUMAP))
    frame = table()[::-1]
    frame.at[4, "vec"] = None
    with bn.create(None, frame, key="id", embedding="vec") as ds:
        project(ds, "umap")
    indices, distances = seen["precomputed_knn"]
    values = seen["values"]
    assert indices.shape == distances.shape == (29, seen["n_neighbors"])
    assert indices[:, 0].tolist() == list(range(29))
    gaps = np.linalg.norm(values[:, None] - values[indices], axis=2)
    assert distances == pytest.approx(gaps, abs=1e-5)
    assert (
        indices.tolist()
        == np.argsort(np.linalg.norm(values[:, None] - values[None], axis=2), axis=1)[
            :, : seen["n_neighbors"]
        ].tolist()
    )


@pytest.mark.slow
def test_many_rows_are_searched_approximately_with_a_stated_recall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = load_digits().data
    truth = neighbours(values)
    cache.clear()
    monkeypatch.setattr(graph_module, "EXACT_ROWS", 1000)
    found = neighbours(values)
    again = neighbours(values[:], 20).nearest(15)
    cache.clear()
    assert not found.exact
    assert neighbours(values, 20).nearest(15).indices.tolist() == again.indices.tolist()
    assert again.indices.tolist() == found.indices.tolist()
    share = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(found.indices, truth.indices)])
    assert share > 0.95
    assert found.provenance["recall"] == pytest.approx(share, abs=0.03)
