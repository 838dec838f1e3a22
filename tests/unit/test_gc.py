"""Garbage collection: what nothing leads to goes, what something leads to stays as it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

import burnish as bn
from burnish.core.delta import Delta
from burnish.dataset import Dataset
from burnish.errors import InputError, ReadOnlyError, UnknownVersionError
from burnish.store.backend import RefMove

FRAME = {"id": ["a", "b", "c"], "label": ["cat", "dog", "cat"], "n": [1, 2, 3]}


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label") as found:
        yield found


def aged(ds: Dataset) -> None:
    """Let a day pass for the files of a store."""
    then = time.time() - 86_400
    for path in ds.path.rglob("*"):
        os.utime(path, (then, then))


def files(ds: Dataset, part: str) -> list[str]:
    return sorted(path.stem for path in (ds.path / part).glob("*.arrow"))


def side_branch(ds: Dataset) -> None:
    """Leave two versions with rows and a column of their own, which nothing leads to."""
    ds.branch("side")
    ds.switch("side")
    ds.add({"id": ["x"], "label": ["dog"], "n": [9]})
    ds.commit("add x")
    ds.add_column("m", [1.0, 2.0, 3.0, 4.0])
    ds.commit("add m")
    ds.switch("main")
    ds.delete_branch("side")


def test_versions_of_a_removed_branch_go_with_their_rows_columns_and_notes(ds: Dataset) -> None:
    side_branch(ds)
    ds.set("a", "n", 5)
    kept = ds.commit("five")
    prints = {v.id: v.fingerprint for v in ds.log()}
    aged(ds)
    planned = ds.gc(dry_run=True)
    assert len(files(ds, "segments")) == len(files(ds, "columns")) == 1
    done = ds.gc()
    assert (done.versions, len(done.files), done.size) == (("v1", "v2"), 2, planned.size)
    assert (planned.versions, planned.files) == (done.versions, done.files)
    assert files(ds, "segments") == files(ds, "columns") == []
    assert {v.id: v.fingerprint for v in ds.log(all=True)} == prints
    assert ds.verify() == []
    assert not ds.gc()
    ds.set("a", "n", 6)
    assert (ds.commit("six").name, ds.at("v3").version) == ("v4", kept)
    assert [move.name for move, _ in ds.reflog()].count("side") == 4


def test_the_numbers_of_the_last_versions_are_not_given_again(ds: Dataset) -> None:
    side_branch(ds)
    ds.gc()
    path = ds.path
    ds.close()
    with bn.open(path) as again:
        again.set("a", "n", 5)
        assert again.commit("five").name == "v3"
        with pytest.raises(UnknownVersionError, match="v1 was swept away"):
            again.at("v1")
        assert "v0" in again.log().frame()["name"].tolist()
        assert again.verify() == []


def test_keys_of_swept_rows_can_be_added_again_and_other_rows_keep_theirs(ds: Dataset) -> None:
    side_branch(ds)
    ds.add({"id": ["y"], "label": ["cat"], "n": [7]})
    ds.commit("add y")
    aged(ds)
    ds.gc()
    assert ds.keys.tolist() == ["a", "b", "c", "y"]
    assert ds.at("v3").to_arrow(["n"])["n"].to_pylist() == [1, 2, 3, 7]
    ds.add({"id": ["x"], "label": ["dog"], "n": [9]})
    ds.commit("x again")
    assert ds.keys.tolist() == ["a", "b", "c", "y", "x"]
    path = ds.path
    ds.close()
    with bn.open(path) as again:
        assert again.keys.tolist() == ["a", "b", "c", "y", "x"]
        assert again.verify() == []


def test_a_tag_a_remote_name_and_a_working_copy_keep_versions(ds: Dataset) -> None:
    ds.branch("tagged")
    ds.switch("tagged")
    ds.set("a", "n", 10)
    tagged = ds.commit("tagged")
    ds.tag("t")
    ds.set("a", "n", 11)
    ds.commit("not tagged")
    ds.switch("main")
    ds.delete_branch("tagged")
    ds.branch("remote")
    ds.switch("remote")
    ds.set("a", "n", 12)
    far = ds.commit("far")
    ds._history.backend.move_ref(RefMove("remote", "bob/main", None, far.id, "bob", "fetch"))
    ds.switch("main")
    ds.delete_branch("remote")
    assert ds.gc().versions == ("v2",)
    assert ds.at("t").version == tagged
    assert ds.at("bob/main").version == far
    assert ds.verify() == []


def test_staged_and_undone_edits_keep_their_rows_and_columns(ds: Dataset) -> None:
    with bn.open(ds.path, user="bob") as bob:
        bob.add({"id": ["x"], "label": ["dog"], "n": [9]})
        bob.add_column("m", [1.0, 2.0, 3.0, 4.0])
        bob.undo()
        bob.undo()
    aged(ds)
    assert not ds.gc()
    with bn.open(ds.path, user="bob") as bob:
        bob.redo()
        bob.redo()
        assert bob.to_arrow(["m"])["m"].to_pylist() == [1.0, 2.0, 3.0, 4.0]
        bob.discard()
    aged(ds)
    assert len(ds.gc().files) == 2


def test_a_version_that_cells_name_as_their_maker_stays(ds: Dataset) -> None:
    ds.branch("side")
    ds.switch("side")
    ds.relabel("b", "cat", reason="looked again")
    made = ds.commit("relabel")
    ds.switch("main")
    ds.delete_branch("side")
    history = ds._history
    table = history.delta(made.id).cells["label"].append_column("version", pa.array([made.id]))
    naming = history.record(Delta({"label": table}), [history.root], "take it", "ann", "0")
    move = RefMove("tag", "t", None, naming.id, "ann", "make tag t")
    history.add_commits([naming], [move])
    assert not ds.gc()
    assert ds.at(made.id).fingerprint == made.fingerprint
    ds.delete_tag("t")
    assert ds.gc().versions == ("v1", "v2")


def test_young_files_are_left_as_another_process_may_be_about_to_name_them(ds: Dataset) -> None:
    ds.add({"id": ["x"], "label": ["dog"], "n": [9]})
    ds.discard()
    (ds.path / "segments" / ".draft.arrow.1234abcd").write_bytes(b"half")
    assert ds.gc().files == ()
    aged(ds)
    ds.add({"id": ["x"], "label": ["dog"], "n": [9]})  # takes the file into use again
    ds.discard()
    assert ds.gc().files == ("segments/.draft.arrow.1234abcd",)
    aged(ds)
    assert len(ds.gc().files) == 1
    assert ds.verify() == []


def test_older_than_keeps_what_a_name_stood_at_since(ds: Dataset) -> None:
    side_branch(ds)
    assert ds.gc(older_than=timedelta(days=1)).versions == ()
    assert ds.gc(older_than=timedelta(microseconds=1)).versions == ("v1", "v2")


@pytest.mark.parametrize("given", [timedelta(0), timedelta(days=-1), 30])
def test_a_time_that_is_none_is_refused(ds: Dataset, given: object) -> None:
    with pytest.raises(InputError, match="expected a positive time"):
        ds.gc(older_than=given)  # type: ignore[arg-type]


def test_another_handle_goes_on_and_says_what_is_gone(ds: Dataset) -> None:
    side_branch(ds)
    with bn.open(ds.path, user="bob") as bob:
        snapshot, version = bob.at("v2"), bob.at("v1").version
        bob.set("b", "n", 5)
        ds.gc()
        with pytest.raises(UnknownVersionError, match="v2 was swept away"):
            snapshot.to_arrow()
        for act in (lambda: bob.at(version), lambda: bob.branch("late", at=version)):
            with pytest.raises(UnknownVersionError):
                act()
        assert bob.commit("five").name == "v3"
        bob.set("a", "n", 7)
        bob.commit("seven")
    assert ds.to_arrow(["n"])["n"].to_pylist() == [7, 5, 3]
    assert ds.verify() == []


def test_a_handle_that_knew_swept_rows_adds_them_anew(ds: Dataset) -> None:
    added = {"id": ["x"], "label": ["dog"], "n": [9]}
    ds.add(added)
    ds.discard()
    with bn.open(ds.path, user="bob") as bob:
        assert bob.keys.tolist() == ["a", "b", "c"]
        aged(ds)
        assert len(ds.gc().files) == 1
        bob.add(added)
        bob.commit("add x")
    assert ds.to_arrow(["n"])["n"].to_pylist() == [1, 2, 3, 9]
    assert ds.verify() == []


def test_the_file_shrinks(ds: Dataset) -> None:
    ds.branch("side")
    ds.switch("side")
    for turn in range(40):
        ds.set("a", "n", turn + 10, reason=os.urandom(500).hex())
        ds.commit(f"turn {turn}")
    ds.switch("main")
    ds.delete_branch("side")
    other = sqlite3.connect(ds.path / "store.sqlite")
    other.execute("SELECT count(*) FROM commits").fetchall()
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = (ds.path / "store.sqlite").stat().st_size
    freed = ds.gc().size
    assert before - (ds.path / "store.sqlite").stat().st_size > freed / 2 > 10_000
    assert (ds.path / "store.sqlite-wal").stat().st_size == 0
    other.close()


def test_a_store_that_is_only_read_can_say_what_would_go(ds: Dataset) -> None:
    side_branch(ds)
    copy = ds.path.with_name("copy.burnish")
    ds.close()
    shutil.copytree(ds.path, copy)
    with bn.open(copy, read_only=True) as reader:
        assert reader.gc(dry_run=True).versions == ("v1", "v2")
        with pytest.raises(ReadOnlyError):
            reader.gc()


def test_it_says_in_a_line_what_it_did(ds: Dataset) -> None:
    assert repr(ds.gc()) == "Swept(nothing: everything is in use)"
    side_branch(ds)
    assert repr(ds.gc(dry_run=True)).startswith(
        "Swept(would remove 2 versions (v1, v2) and 0 files, 1."
    )
