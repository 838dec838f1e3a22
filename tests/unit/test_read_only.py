"""A store that is opened read-only is read in full and left as it is."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import burnish as bn
from burnish.dataset import Dataset
from burnish.errors import ReadOnlyError

FRAME: dict[str, Any] = {"id": ["a", "b"], "label": ["cat", "dog"], "n": [1, 2]}
GOLDEN = Path(__file__).parents[1] / "golden" / "format-1.zip"


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label") as ds:
        ds.branch("side")
        ds.add({"id": ["c"], "label": ["cat"]})
        ds.commit("one")
        ds.relabel("b", "cat")
    return tmp_path / "x.burnish"


def test_everything_is_read_and_no_byte_changes(path: Path) -> None:
    before = contents(path)
    with bn.open(path, read_only=True) as ds:
        assert (ds.keys.tolist(), len(ds.staged)) == (["a", "b", "c"], 1)
        assert {v.fingerprint for v in ds.log(all=True)} == {v.fingerprint for v in ds.log()}
        assert (ds.fingerprint == ds.head.fingerprint, ds.verify()) == (False, [])
        assert ds.at("side").keys.tolist() == ["a", "b"]
        assert ds.diff("v0", "v1").frame()["key"].tolist() == ["c"]
        assert ds.blame("c").frame()["version"].tolist() == ["v1"]
        assert (len(ds.reflog()), list(ds.branches)) == (2, ["main", "side"])
        ds.switch("side")
        assert len(ds) == 2
    assert contents(path) == before


def test_a_user_who_never_opened_it_reads_too(path: Path) -> None:
    with bn.open(path, user="someone new", read_only=True) as ds:
        assert (ds.head.name, len(ds.staged)) == ("v1", 0)


def test_staged_edits_follow_the_branch(path: Path) -> None:
    with bn.open(path, user="bob") as other:
        other.set("a", "n", 5)
        other.commit("two")
    before = contents(path)
    with bn.open(path, read_only=True) as ds:
        assert (ds.head.name, len(ds.staged)) == ("v2", 1)
        assert ds.to_arrow(["label", "n"]).to_pydict() == {
            "label": ["cat", "cat", "cat"],
            "n": [5, 2, None],
        }
    assert contents(path) == before


@pytest.mark.parametrize(
    "act",
    [
        lambda ds: ds.drop("a"),
        lambda ds: ds.undo(),
        lambda ds: ds.discard(),
        lambda ds: ds.commit("more"),
        lambda ds: ds.branch("more"),
        lambda ds: ds.tag("t"),
        lambda ds: ds.delete_branch("side"),
        lambda ds: ds.add_column("z", [1, 2, 3]),
        lambda ds: ds.add({"id": ["z"], "label": ["cat"]}),
        lambda ds: ds.rename_column("n", "m"),
    ],
)
def test_every_change_is_refused_with_the_way_out(
    path: Path, act: Callable[[Dataset], object]
) -> None:
    before = contents(path)
    with bn.open(path, read_only=True) as ds:
        with pytest.raises(ReadOnlyError, match=r"read-only\nHint: "):
            act(ds)
        assert (len(ds.staged), ds.undo_text) == (1, "relabel 1 row to cat")
    assert contents(path) == before


@pytest.mark.parametrize("act", [lambda d: d.revert("v1"), lambda d: d.merge("side2")])
def test_versions_are_refused_too(path: Path, act: Callable[[Dataset], object]) -> None:
    with bn.open(path) as ds:
        ds.discard()
        ds.branch("side2", "side")
        ds.switch("side2")
        ds.set("b", "n", 7)
        ds.commit("two")
    before = contents(path)
    with bn.open(path, read_only=True) as ds, pytest.raises(ReadOnlyError):
        act(ds)
    assert contents(path) == before


def test_a_folder_that_cannot_be_written_is_opened_read_only(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with bn.open(path) as ds:
        assert len(ds) == 3
        with pytest.raises(ReadOnlyError):
            ds.discard()
    assert contents(path) == before


def test_several_threads_read_at_once(path: Path) -> None:
    problems: list[BaseException] = []

    def read(ds: Dataset) -> None:
        try:
            for name in ("v0", "v1"):
                assert ds.at(name).fingerprint
                assert len(ds) == 3
        except BaseException as error:
            problems.append(error)

    with bn.open(path, read_only=True) as ds:
        threads = [threading.Thread(target=read, args=(ds,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []


def test_a_store_of_the_first_format_is_read_in_memory(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    shutil.unpack_archive(GOLDEN, folder)
    before = contents(folder)
    with bn.open(folder, user="golden", read_only=True) as ds:
        assert [version.name for version in ds.log()] == ["v2", "v1", "v0"]
        assert (len(ds.reflog()), ds.tags, ds.verify()) == (0, {}, [])
        ds.blame(column="label").frame()
    assert contents(folder) == before


def test_a_store_that_others_have_open_is_read_with_what_they_wrote(path: Path) -> None:
    with bn.open(path, user="bob") as other:
        other.set("a", "n", 5)
        other.commit("two")
        with bn.open(path, user="ann", read_only=True) as ds:
            assert ds.head.name == "v2"
            other.set("a", "n", 6)
            other.commit("three")
            assert ds.head.name == "v2"
