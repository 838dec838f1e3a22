"""Copies of a dataset: what one fetches from another, and the folder that carries it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import burnish as bn
from burnish.core.version import commit_id
from burnish.dataset import Dataset
from burnish.errors import (
    BurnishError,
    CorruptError,
    DivergedWarning,
    FormatError,
    InputError,
    NotAStoreError,
    OtherDatasetError,
    ReadOnlyError,
    RefError,
)
from burnish.store import packed as packed_module
from burnish.store.portable import dump, load

FRAME: dict[str, Any] = {
    "id": ["a", "b", "c", "d"],
    "label": ["cat", "dog", "cat", "dog"],
    "n": [1, 2, 3, 4],
}
ROWS = {"id": ["f", "e"], "label": ["dog", "cat"], "n": [6, 5]}


@pytest.fixture
def ann(tmp_path: Path) -> Iterator[Dataset]:
    bn.create(tmp_path / "ann.burnish", FRAME, key="id", label="label").close()
    with bn.open(tmp_path / "ann.burnish", user="ann") as ds:
        yield ds


@pytest.fixture
def bob(ann: Dataset, tmp_path: Path) -> Iterator[Dataset]:
    shutil.copytree(ann.path, tmp_path / "bob.burnish")
    with bn.open(tmp_path / "bob.burnish", user="bob") as ds:
        yield ds


def with_everything(ds: Dataset) -> Dataset:
    """Make versions of every kind: cells, decisions, rows, columns, names, branches, a merge."""
    ds.relabel("a", "dog", reason="it barks")
    ds.decide("b", "kept")
    ds.commit("labels")
    ds.add(ROWS, parents={"e": "a"})
    ds.decide(["f", "a"], "unsure")
    ds.commit("rows")
    ds.add_column("vec", {"f": [1.0, 2.0], "c": [3.0, None], "e": [5.0, 6.0]}, role="embedding")
    ds.commit("a column with added rows")
    ds.branch("side", at="v1")
    ds.switch("side")
    ds.add({"id": ["0", "f"], "label": ["cat", "dog"], "n": [0, 6]})
    ds.mark(["0", "b"], "hard")
    ds.add_column("day", [date(2020, 1, i + 1) for i in range(len(ds))])
    ds.commit("more rows and a column")
    ds.rename_column("n", "count")
    ds.commit("renamed")
    ds.switch("main")
    ds.tag("first", at="v1")
    ds.merge("side")
    ds.drop("d")
    ds.commit("dropped")
    return ds


def contents(ds: Dataset) -> dict[str, tuple[str, str, str, tuple[str, ...]]]:
    log = ds.log(all=True)
    return {v.id: (v.fingerprint, v.message, v.author, v.parents) for v in log}


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_all_versions_of_a_copy_come_in_as_they_are(ann: Dataset, bob: Dataset) -> None:
    with_everything(ann)
    bob.add({"id": ["x"], "label": ["cat"], "n": [9]})  # other ordinals from here on
    bob.commit("a row")
    found = bob.fetch(ann)
    assert len(found.versions) == 7
    assert {name: v.message for name, v in found.branches.items()} == {
        "ann/main": "dropped",
        "ann/side": "renamed",
    }
    assert {name: v.name for name, v in found.tags.items()} == {"first": bob.tags["first"].name}
    theirs = contents(ann)
    assert {id: contents(bob)[id] for id in theirs} == theirs
    assert bob.at("ann/main").to_arrow().equals(ann.to_arrow())
    assert bob.verify() == []


def test_fetching_again_brings_nothing_and_what_is_new_moves_the_branch(
    ann: Dataset, bob: Dataset
) -> None:
    with_everything(ann)
    bob.fetch(ann)
    log = bob.reflog()
    again = bob.fetch(ann.path)
    assert (again.versions, len(bob.reflog())) == ((), len(log))
    ann.relabel("b", "cat")
    ann.delete_branch("side")
    new = ann.commit("later")
    assert [v.id for v in bob.fetch(ann.path).versions] == [new.id]
    assert bob.branches["ann/main"].id == new.id
    assert "ann/side" in bob.branches


def test_what_is_staged_stays_private(ann: Dataset, bob: Dataset, tmp_path: Path) -> None:
    ann.relabel("a", "dog", reason="a secret")
    ann.add({"id": ["secret"], "label": ["cat"], "n": [0]})
    assert bob.fetch(ann).versions == ()
    ann.pack(tmp_path / "packed")
    assert not any(b"secret" in content for content in files(tmp_path / "packed").values())
    assert len(ann.staged) == 2


def test_two_people_edit_two_copies_and_merge(ann: Dataset, bob: Dataset) -> None:
    ann.add(ROWS)
    ann.add_column("seen", [True] * 6)
    ann.relabel("a", "dog")
    ann.commit("ann's")
    bob.add({"id": ["e", "x"], "label": ["cat", "dog"], "n": [5, 7]})
    bob.rename_column("n", "count")
    bob.relabel("b", "cat")
    bob.commit("bob's")
    ann.fetch(bob)
    bob.fetch(ann)
    assert len(ann.merge("bob/main").conflicts) == len(bob.merge("ann/main").conflicts) == 0
    assert ann.fingerprint == bob.fingerprint
    assert sorted(ann.keys) == sorted(bob.keys) == ["a", "b", "c", "d", "e", "f", "x"]
    assert ann.columns == bob.columns == ["id", "label", "count", "seen"]
    assert ann.verify() == bob.verify() == []


def test_two_copies_that_merged_each_other_merge_again(ann: Dataset, bob: Dataset) -> None:
    first = [edited(ann, "a", 10), edited(bob, "b", 20)]
    for here, there, other in ((ann, bob, first[1]), (bob, ann, first[0])):
        here.fetch(there)
        here.merge(other)
    last = [edited(ann, "c", 30), edited(bob, "d", 40)]
    for here, there, other in ((ann, bob, last[1]), (bob, ann, last[0])):
        here.fetch(there)
        assert len(here.merge(other).conflicts) == 0
        assert here.to_pandas()["n"].tolist() == [10, 20, 30, 40]
    assert ann.fingerprint == bob.fingerprint


def edited(ds: Dataset, row: str, value: int) -> str:
    ds.set(row, "n", value)
    return ds.commit("n").id


def test_rows_that_both_added_otherwise_are_a_conflict(ann: Dataset, bob: Dataset) -> None:
    ann.add({"id": ["e"], "label": ["cat"], "n": [5]})
    ann.commit("ann's")
    bob.add({"id": ["e"], "label": ["dog"], "n": [5]})
    bob.commit("bob's")
    ann.fetch(bob)
    assert [c.key for c in ann.merge("bob/main").conflicts] == ["e"]
    assert ann.merge("bob/main", resolve="theirs").version is not None
    assert ann.to_pandas().set_index("id")["label"]["e"] == "dog"


def test_a_tag_that_stands_elsewhere_is_kept_under_the_other_copys_name(
    ann: Dataset, bob: Dataset
) -> None:
    ann.relabel("a", "dog")
    ann.commit("x")
    ann.tag("release")
    mine = bob.tag("release")
    found = bob.fetch(ann)
    assert (bob.tags["release"].id, list(found.tags)) == (mine.id, ["ann/release"])
    assert bob.at("ann/release").fingerprint == ann.fingerprint


def test_another_dataset_and_the_copy_itself_are_refused(ann: Dataset, tmp_path: Path) -> None:
    with bn.create(tmp_path / "other", FRAME, key="id", label="label") as other:
        other.pack(tmp_path / "packed")
        for what in (other, tmp_path / "other", tmp_path / "packed"):
            with pytest.raises(OtherDatasetError, match=r"another dataset: its first version"):
                ann.fetch(what)
        with pytest.raises(OtherDatasetError):
            ann.pack(tmp_path / "packed")
        with pytest.raises(OtherDatasetError):
            bn.unpack(tmp_path / "packed", ann.path)
    with pytest.raises(InputError, match="this copy itself"):
        ann.fetch(ann.path)
    with pytest.raises(NotAStoreError, match="neither"):
        ann.fetch(tmp_path)
    with pytest.raises(RefError):
        ann.fetch(tmp_path / "other", name="../x")


def test_a_branch_is_not_hidden_by_one_of_another_copy(ann: Dataset, bob: Dataset) -> None:
    bob.branch("ann/main")
    with pytest.raises(RefError, match="ann/main"):
        bob.fetch(ann)
    assert list(bob.fetch(ann, name="theirs").branches) == ["theirs/main"]


def test_a_copy_that_may_not_be_written_says_so(ann: Dataset, bob: Dataset) -> None:
    with_everything(ann)
    with bn.open(bob.path, read_only=True) as reader, pytest.raises(ReadOnlyError):
        reader.fetch(ann)
    assert not (bob.path / "segments").exists()


def test_a_damaged_version_of_another_copy_stays_out(ann: Dataset, bob: Dataset) -> None:
    import sqlite3

    with_everything(ann)
    ann.close()
    with sqlite3.connect(ann.path / "store.sqlite") as connection:
        (blob,) = connection.execute("SELECT delta FROM commits WHERE number = 2").fetchone()
        (other,) = connection.execute("SELECT delta FROM commits WHERE number = 1").fetchone()
        for wrong in (blob[:-1] + bytes([blob[-1] ^ 1]), other):
            connection.execute("UPDATE commits SET delta = ? WHERE number = 2", (wrong,))
            connection.commit()
            with pytest.raises(CorruptError):
                bob.fetch(ann.path)
    connection.close()
    assert (len(bob.log(all=True)), list(bob.branches)) == (1, ["main"])


def test_an_unpacked_dataset_is_the_one_that_was_packed(ann: Dataset, tmp_path: Path) -> None:
    with_everything(ann)
    told = ann.pack(tmp_path / "packed")
    assert (len(told.versions), set(told.moved)) == (8, {"main", "side", "first"})
    with bn.unpack(tmp_path / "packed", tmp_path / "new.burnish", user="eve") as new:
        assert contents(new) == contents(ann)
        assert {n: v.id for n, v in new.branches.items()} == {
            n: v.id for n, v in ann.branches.items()
        }
        assert {n: v.id for n, v in new.tags.items()} == {n: v.id for n, v in ann.tags.items()}
        assert (new.store_id, new.user, new.verify()) == (ann.store_id, "eve", [])
        assert new.to_arrow().equals(ann.to_arrow().take(order(new, ann)))
        assert new.decisions.frame()["key"].tolist() == ann.decisions.frame()["key"].tolist()
        new.pack(tmp_path / "again")
    assert files(tmp_path / "again") == files(tmp_path / "packed")


def order(new: Dataset, old: Dataset) -> list[int]:
    """Return where the rows of one copy stand in the other; rows that were added may differ."""
    return [old.keys.tolist().index(key) for key in new.keys]


def test_packing_again_writes_nothing(ann: Dataset, tmp_path: Path) -> None:
    with_everything(ann)
    ann.pack(tmp_path / "packed")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "packed").rglob("*")}
    told = ann.pack(tmp_path / "packed")
    assert (told.versions, told.moved) == ((), {})
    after = {p: p.stat().st_mtime_ns for p in (tmp_path / "packed").rglob("*")}
    assert {p: t for p, t in after.items() if p.is_file()} == {
        p: t for p, t in before.items() if p.is_file()
    }


def test_a_commit_more_adds_files_and_changes_one_ref(ann: Dataset, tmp_path: Path) -> None:
    with_everything(ann)
    ann.pack(tmp_path / "packed")
    before = files(tmp_path / "packed")
    ann.relabel("a", "cat")
    new = ann.commit("again")
    ann.pack(tmp_path / "packed")
    after = files(tmp_path / "packed")
    assert {name for name in after if after[name] != before.get(name)} == {
        "refs/branch/main",
        f"versions/{new.id[:2]}/{new.id}",
    }
    assert after["refs/branch/main"] == f"{new.id}\n".encode()
    assert before.keys() <= after.keys()


def test_unpacking_moves_branches_on_and_keeps_those_that_went_apart(
    ann: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "packed"
    ann.branch("calm")
    ann.pack(folder)
    with bn.unpack(folder, tmp_path / "eve.burnish", user="eve") as eve:
        eve.relabel("c", "dog", reason="staged")
        ann.relabel("a", "dog")
        ann.commit("ann's")
        ann.branch("new")
        ann.pack(folder)
        with bn.unpack(folder, eve.path, user="eve") as moved:
            assert moved.branches["main"].id == ann.head.id == moved.branches["new"].id
            assert moved.branches["packed/main"].id == ann.head.id
            assert len(moved.staged) == 1
        eve.commit("eve's")
        ann.relabel("b", "cat")
        ann.commit("ann's again")
        ann.pack(folder)
        with pytest.raises(RefError, match=r"bn\.unpack\(folder, path\)"):
            eve.pack(folder)
        before = eve.head
        with (
            pytest.warns(DivergedWarning, match=r"branch main .*ds\.merge\('packed/main'\)"),
            bn.unpack(folder, eve.path) as apart,
        ):
            assert apart.branches["main"] == before
        eve.merge("packed/main")
        assert set(eve.pack(folder).moved) == {"main"}
        assert bn.unpack(folder, ann.path).head.id == eve.head.id
        assert ann.fingerprint == eve.fingerprint


def test_a_tag_in_the_folder_stays_where_it_stands(ann: Dataset, tmp_path: Path) -> None:
    ann.tag("release")
    ann.pack(tmp_path / "packed")
    ann.delete_tag("release")
    ann.relabel("a", "dog")
    ann.commit("x")
    ann.tag("release")
    with pytest.raises(RefError, match="tag 'release'"):
        ann.pack(tmp_path / "packed")


def test_branch_names_are_safe_as_file_names(ann: Dataset, tmp_path: Path) -> None:
    for name in ("fix", "fix/labels", "ключ"):
        ann.branch(name)
    ann.pack(tmp_path / "packed")
    assert sorted(path.name for path in (tmp_path / "packed/refs/branch").iterdir()) == sorted(
        ["fix", "fix%2Flabels", "%D0%BA%D0%BB%D1%8E%D1%87", "main"]
    )
    with bn.unpack(tmp_path / "packed", tmp_path / "new") as new:
        assert set(new.branches) == {"main", "fix", "fix/labels", "ключ"}


def test_folders_that_hold_something_else_are_refused(ann: Dataset, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(NotAStoreError, match="something else"):
        ann.pack(tmp_path / "full")
    with pytest.raises(NotAStoreError, match=r"no burnish\.json"):
        bn.unpack(tmp_path / "full", tmp_path / "new")
    ann.pack(tmp_path / "packed")
    with pytest.raises(NotAStoreError, match="something else"):
        bn.unpack(tmp_path / "packed", tmp_path / "full")
    shutil.rmtree(tmp_path / "packed" / "refs")
    with pytest.raises(NotAStoreError, match="cut short"):
        bn.unpack(tmp_path / "packed", tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ann.burnish", "full", "packed"]


def test_a_folder_of_a_newer_format_is_refused(ann: Dataset, tmp_path: Path) -> None:
    ann.pack(tmp_path / "packed")
    marker = tmp_path / "packed" / "burnish.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"format": 2}))
    with pytest.raises(FormatError, match="format 2"):
        bn.unpack(tmp_path / "packed", tmp_path / "new")


def test_line_ends_that_git_changed_are_read(ann: Dataset, tmp_path: Path) -> None:
    ann.pack(tmp_path / "packed")
    for path in (tmp_path / "packed/burnish.json", tmp_path / "packed/refs/branch/main"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with bn.unpack(tmp_path / "packed", tmp_path / "new") as new:
        assert new.head.id == ann.head.id


def test_a_flipped_byte_in_any_packed_file_is_named(ann: Dataset, tmp_path: Path) -> None:
    with_everything(ann)
    folder = tmp_path / "packed"
    ann.pack(folder)
    generator = np.random.default_rng(0)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        places = {0, len(whole) - 1, *generator.integers(0, len(whole), 6).tolist()}
        for place in places:
            damaged = bytearray(whole)
            damaged[place] ^= int(generator.integers(1, 256))
            replace(path, bytes(damaged))
            with pytest.raises((CorruptError, FormatError)) as told:
                bn.unpack(folder, tmp_path / "new").close()
            assert path.name in str(told.value), (path, place)
        replace(path, whole[: len(whole) // 2])
        with pytest.raises((CorruptError, FormatError), match=path.name[:16]):
            bn.unpack(folder, tmp_path / "new").close()
        replace(path, whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ann.burnish", "packed"]
    bn.unpack(folder, tmp_path / "new").close()


def replace(path: Path, content: bytes) -> None:
    path.unlink()  # other names of the file keep what it held
    path.write_bytes(content)


def test_a_missing_packed_file_is_named(ann: Dataset, tmp_path: Path) -> None:
    with_everything(ann)
    folder = tmp_path / "packed"
    ann.pack(folder)
    for kind in ("base", "segments", "columns", "versions"):
        for path in sorted(path for path in (folder / kind).rglob("*") if path.is_file()):
            content = path.read_bytes()
            path.unlink()
            with pytest.raises(CorruptError, match=path.name[:64]):
                bn.unpack(folder, tmp_path / "new").close()
            path.write_bytes(content)


@pytest.mark.parametrize("what", ["header", "seed", "value", "key", "ordinal"])
def test_a_forged_version_is_refused(ann: Dataset, tmp_path: Path, what: str) -> None:
    ann.add(ROWS)
    ann.set(["e", "a"], "n", 50)
    commit = ann.commit("rows").id
    folder = tmp_path / "packed"
    ann.pack(folder)
    path = folder / "versions" / commit[:2] / commit
    found = load(commit, path.read_bytes())
    replace(path, dump(FORGERIES[what](found)))
    with pytest.raises(CorruptError, match=commit[:8]):
        bn.unpack(folder, tmp_path / "new").close()
    assert not (tmp_path / "new").exists()


def forged(version: Any, **changes: Any) -> Any:
    return type(version)(**{**vars(version), **changes})


def forged_table(version: Any, column: str, values: list[Any]) -> Any:
    cells = dict(version.delta.cells)
    table = cells["n"]
    place = table.schema.get_field_index(column)
    field = table.schema.field(place)
    cells["n"] = table.set_column(place, field, [values])
    delta = type(version.delta)(cells, version.delta.decisions, version.delta.facts)
    return forged(version, delta=delta)


FORGERIES: dict[str, Callable[[Any], Any]] = {
    "header": lambda v: forged(v, header=v.header | {"author": "eve"}),
    "seed": lambda v: forged(v, seed=bytes(32)),
    "value": lambda v: forged_table(v, "new", [51, 50]),
    "key": lambda v: forged(v, keys=v.keys.set_column(0, "id", [["x", "y"]])),
    "ordinal": lambda v: forged_table(v, "ordinal", [0, 99]),
}


def test_names_of_files_in_a_forged_version_stay_inside_the_folder(
    ann: Dataset, bob: Dataset, tmp_path: Path
) -> None:
    ann.add_column("x", [1, 2, 3, 4])
    real = ann._history.portable(ann.commit("column").id)
    facts = real.delta.facts
    text = json.dumps(json.loads(facts["new"][0].as_py()) | {"source": "../../secret"})
    forgery = facts.set_column(facts.schema.get_field_index("new"), "new", [[text]])
    delta = type(real.delta)(facts=forgery)
    keys = ann._history.key_bytes
    from burnish.core.commitment import commitment

    header = real.header | {"cells": commitment(delta, real.seed, keys)}
    commit = commit_id(header)
    folder = tmp_path / "packed"
    ann.pack(folder)
    target = packed_module.PackedFolder(folder)
    target.add_version(commit, dump(forged(real, id=commit, header=header, delta=delta)))
    target.set_ref("branch", "main", commit)
    with pytest.raises(CorruptError, match="no content id"):
        bob.fetch(folder)


def test_a_column_of_rows_that_no_version_here_added_comes_whole(
    ann: Dataset, tmp_path: Path
) -> None:
    ann.branch("side")
    ann.switch("side")
    ann.add(ROWS)
    ann.commit("rows")
    ann.add_column("x", [1, 2, 3, 4, 5, 6])
    ann.commit("column")
    ann.switch("main")
    ann.cherry_pick("side")
    ann.delete_branch("side")
    ann.pack(tmp_path / "packed")
    with bn.unpack(tmp_path / "packed", tmp_path / "new") as new:
        assert (new.fingerprint, new.verify()) == (ann.fingerprint, [])
        new.add(ROWS)
        assert new.to_pandas()["x"].tolist() == [*ann.to_pandas()["x"].tolist(), 6, 5]
        new.discard()
        new.pack(tmp_path / "again")
    assert files(tmp_path / "again") == files(tmp_path / "packed")


def test_keys_of_several_columns_and_of_content_cross(tmp_path: Path) -> None:
    two = {"day": [date(2020, 1, 1), date(2020, 1, 2)], "n": [1, 1], "x": [0.5, None]}
    more = {"day": [date(2019, 1, 1), date(2020, 1, 1)], "n": [3, 2], "x": [1.5, 2.5]}
    for place, key in enumerate((["day", "n"], None)):
        with bn.create(tmp_path / f"{place}.burnish", two, key=key) as ds:
            shutil.copytree(ds.path, tmp_path / f"other{place}.burnish")
            rows = ds.add(more)
            ds.set(rows.keys[0], "x", 9.5)
            ds.commit("rows")
            with bn.open(tmp_path / f"other{place}.burnish") as other:
                other.add({name: values[1:] for name, values in more.items()})
                other.commit("a row")
                other.fetch(ds)
                assert other.at(f"{place}/main").fingerprint == ds.fingerprint
                assert other.merge(f"{place}/main").version is not None
                assert (len(other), other.verify()) == (4, [])


def test_a_folder_without_hard_links_gets_copies(
    ann: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("not here")

    with_everything(ann)
    ann.pack(tmp_path / "linked")
    monkeypatch.setattr("burnish.store.files.os.link", refuse)
    ann.pack(tmp_path / "packed")
    monkeypatch.undo()
    assert files(tmp_path / "packed") == files(tmp_path / "linked")
    assert all(path.stat().st_nlink == 1 for path in (tmp_path / "packed/base").iterdir())
    assert all(path.stat().st_nlink == 2 for path in (tmp_path / "linked/base").iterdir())


def test_what_a_killed_packing_left_is_swept(ann: Dataset, tmp_path: Path) -> None:
    ann.pack(tmp_path / "packed")
    (tmp_path / "packed" / ".draft-12345678").write_bytes(b"half")
    (tmp_path / "packed" / ".gitignore").write_bytes(b"")
    ann.pack(tmp_path / "packed")
    assert sorted(p.name for p in (tmp_path / "packed").glob(".*")) == [".gitignore"]


def test_a_packed_folder_can_lie_on_a_medium_that_cannot_be_written(
    ann: Dataset, tmp_path: Path
) -> None:
    with_everything(ann)
    ann.pack(tmp_path / "packed")
    for path in [tmp_path / "packed", *(tmp_path / "packed").rglob("*")]:
        os.chmod(path, 0o555 if path.is_dir() else 0o444)
    try:
        with bn.unpack(tmp_path / "packed", tmp_path / "new") as new:
            assert new.fingerprint == ann.fingerprint
            new.relabel("a", "cat")
            new.commit("works")
    finally:
        for path in [tmp_path / "packed", *(tmp_path / "packed").rglob("*")]:
            os.chmod(path, 0o755)


def test_a_base_by_reference_is_fetched_but_not_packed(tmp_path: Path) -> None:
    pq.write_table(pa.table(FRAME), tmp_path / "rows.parquet")
    with bn.create(tmp_path / "ann", tmp_path / "rows.parquet", key="id", label="label") as ann:
        shutil.copytree(ann.path, tmp_path / "bob")
        ann.add(ROWS)
        ann.add_column("x", [1, 2, 3, 4, 5, 6])
        ann.commit("rows and a column")
        with bn.open(tmp_path / "bob") as bob:
            bob.fetch(ann)
            assert bob.at("ann/main").fingerprint == ann.fingerprint
        with pytest.raises(InputError, match="outside of its store"):
            ann.pack(tmp_path / "packed")
        assert not (tmp_path / "packed").exists()


def test_the_views_read_well(ann: Dataset, bob: Dataset, tmp_path: Path) -> None:
    ann.relabel("a", "dog")
    ann.commit("x")
    assert repr(bob.fetch(ann)) == "Fetched(1 new version; ann/main at v1)"
    assert repr(ann.pack(tmp_path / "p")) == "Packed(p: 2 new versions; main at v1)"
    assert repr(ann.pack(tmp_path / "p")) == "Packed(p: 0 new versions; nothing moved)"
    assert issubclass(OtherDatasetError, BurnishError)
