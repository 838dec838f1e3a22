"""Purging: no byte of a store holds a purged value any more, and all else is as it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import burnish as bn
import burnish.dataset.history as history_module
from burnish.core.canonical import cell_bytes
from burnish.core.fingerprint import digests
from burnish.dataset import Dataset
from burnish.errors import (
    BusyError,
    CorruptError,
    InputError,
    KeysError,
    ReadOnlyError,
    ReconstructionError,
    UndoError,
    WriteError,
)
from burnish.store.backend import StaleError
from burnish.store.codec import decode
from burnish.store.sqlite import SqliteBackend
from strategies import fingerprint_of

pytestmark = pytest.mark.filterwarnings("ignore::burnish.errors.NewClassWarning")

GOLDEN = Path(__file__).parents[1] / "golden" / "format-1.zip"
KEY = "person-4711"
NEW = "person-4712"
SECRETS = {
    "base": "Ursula of Basel",
    "old": "oldlabel-Quetzal",
    "new": "newlabel-Zanzibar",
    "reason": "she told me about Xanthippe",
    "segment": "segmentvalue-Wolfram",
    "column": "columnvalue-Ypsilon",
    "keyframe": "keyframevalue-Vercingetorix",
    "journal": "journalvalue-Nebukadnezar",
    "undone": "undonevalue-Tutanchamun",
    "decision": "decisionreason-Montezuma",
}
NUMBER = 0.123456789


def frame(**more: Any) -> dict[str, Any]:
    rows = {
        "id": ["a", KEY, "c", "d"],
        "label": ["cat", SECRETS["old"], "dog", "cat"],
        "name": ["Anna", SECRETS["base"], None, "Dora"],
        "x": [1.0, NUMBER, 3.0, 4.0],
        "v": np.array([[1.0, 2.0], [NUMBER, NUMBER * 3], [5.0, 6.0], [7.0, 8.0]], np.float32),
    }
    return rows | more


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with bn.create(tmp_path / "x.burnish", frame(), key="id", label="label") as found:
        yield found


def lived_in(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Put a secret everywhere a store can hold one."""
    monkeypatch.setattr(history_module, "_KEYFRAME_VERSIONS", 2)
    ds.relabel(KEY, SECRETS["new"], reason=SECRETS["reason"])
    ds.decide(KEY, "kept", reason=SECRETS["decision"])
    ds.mark(KEY, "hard")
    ds.commit("look at labels")
    added = {"id": [NEW, "e"], "label": ["dog", "cat"], "name": [SECRETS["segment"], "Emil"]}
    ds.add(added, parents={"e": KEY})
    ds.commit("add two")
    ds.add_column("extra", {KEY: SECRETS["column"], "a": "fine"})
    ds.commit("add a column")
    for value in (SECRETS["keyframe"], "other"):
        ds.set([KEY, "a"], "name", [value, "Anne"])
        ds.commit("names")
    ds.set([NEW, "c"], "name", ["someone", "Carl"])
    ds.commit("more names")
    for version in ds.log():
        ds.at(version).fingerprint  # noqa: B018 keeps the sums
    with bn.open(ds.path, user="bob") as bob:
        bob.set([KEY, "a"], "name", [SECRETS["journal"], "Anja"])
        bob.set("c", "name", "Karl")
        bob.set(KEY, "extra", SECRETS["undone"])
        bob.undo()
    ds.set("d", "x", 5.0)
    return ds


def held(path: Path) -> bytes:
    """Return every byte of a store's files, and what its compressed changes hold."""
    parts = [file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()]
    store = sqlite3.connect(path / "store.sqlite")
    for sql in (
        "SELECT delta FROM commits",
        "SELECT gesture FROM journal",
        "SELECT state FROM keyframes",
    ):
        for (blob,) in store.execute(sql):
            delta, header = decode(blob)
            tables = [*delta.cells.values(), delta.decisions, delta.facts]
            parts += [str([table.to_pylist() for table in tables]).encode(), str(header).encode()]
    store.close()
    return b"\0".join(parts)


def spellings(value: object) -> Iterable[bytes]:
    """Return how a value may stand in a file."""
    if isinstance(value, float):
        yield from (np.float64(value).tobytes(), np.float32(value).tobytes())
        yield np.array(value, ">f8").tobytes()
        yield repr(value).encode()
        return
    text = str(value)
    yield from (text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"))
    yield from (text.encode().hex().encode(), repr(text)[1:-1].encode("unicode_escape"))
    key = digests(cell_bytes(pa.array([text])))[0]
    yield from (key.tobytes(), key[:8].tobytes(), key[:8][::-1].tobytes())


def found_in(path: Path, value: object) -> bool:
    raw = held(path)
    return any(spelled in raw for spelled in spellings(value))


def rows_but(ds: Dataset, *gone: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every version, without some."""
    return {
        v.id: [row for row in ds.at(v).to_arrow().to_pylist() if row["id"] not in gone]
        for v in ds.log(all=True)
    }


def test_no_byte_of_a_purged_row_is_left(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    lived_in(ds, monkeypatch)
    for secret in (KEY, NEW, *SECRETS.values(), NUMBER):
        assert found_in(ds.path, secret), secret
    others = rows_but(ds, KEY, NEW)
    ds.purge([KEY, NEW], reason="asked to be forgotten")
    left = [secret for secret in (KEY, NEW, *SECRETS.values(), NUMBER) if found_in(ds.path, secret)]
    assert left == []
    assert rows_but(ds) == others
    assert ds.verify() == []


def test_what_is_left_reads_as_before_also_after_reopening(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(ds, monkeypatch)
    ids = [version.id for version in ds.log()]
    others = rows_but(ds, KEY, NEW)
    ds.purge([KEY, NEW])
    path = ds.path
    ds.close()
    with bn.open(path) as again:
        assert [version.id for version in again.log()] == ids
        assert rows_but(again) == others
        assert again.verify() == []
        assert again.undo_text == "set x of 1 row"
        assert again.fingerprint == fingerprint_of(again.to_arrow())
        assert again.parents == {}
        assert again.decisions.frame().empty
        diff = again.diff(ids[-1], ids[0]).frame()
        assert set(diff["key"]) - {None} == {"a", "c", "e"}
        again.commit("five")
        assert again.verify() == []


def test_every_version_has_the_fingerprint_of_what_is_left_of_it(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(ds, monkeypatch)
    ds.discard()
    ds.purge([KEY, NEW])
    for version in ds.log():
        assert version.fingerprint == fingerprint_of(ds.at(version).to_arrow())


def test_staged_edits_of_others_lose_the_row_and_keep_the_rest(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(ds, monkeypatch)
    ds.purge(KEY)
    with bn.open(ds.path, user="bob") as bob:
        assert bob.staged.frame()[["key", "new"]].values.tolist() == [["a", "Anja"], ["c", "Karl"]]
        with pytest.raises(UndoError):
            bob.redo()
        bob.undo()
        assert bob.staged.frame()["new"].tolist() == ["Anja"]
        bob.redo()
        bob.commit("names of bob")
        assert bob.verify() == []


def test_a_step_that_names_the_row_without_changing_it_is_cleaned_too(ds: Dataset) -> None:
    ds.relabel([KEY, "c"], SECRETS["old"])  # it has that label already
    ds.purge(KEY)
    assert not found_in(ds.path, KEY)
    assert ds.staged.frame()["key"].tolist() == ["c"]


def test_the_row_is_gone_for_ever_and_its_key_can_come_as_a_new_row(ds: Dataset) -> None:
    ds.drop("c")
    ds.commit("drop c")
    ds.purge([KEY, "c"])
    for act in (lambda: ds.restore(KEY), lambda: ds.purge(KEY), lambda: ds.set("c", "x", 1.0)):
        with pytest.raises(KeysError, match="unknown"):
            act()
    ds.add({"id": [KEY], "label": ["cat"], "name": ["another"]})
    ds.commit("another person")
    assert ds.keys.tolist() == ["a", "d", KEY]
    assert ds.at("v1").keys.tolist() == ["a", "d"]
    assert ds.diff("v0", "v2").frame()["key"].unique().tolist() == [KEY]
    ds.purge(KEY)
    assert not found_in(ds.path, KEY)
    assert ds.verify() == []
    assert len(ds.purges) == 2


def test_the_very_rows_and_columns_that_were_purged_can_be_added_again(ds: Dataset) -> None:
    rows = {"id": [NEW, "e"], "label": ["dog", "cat"], "name": ["x", "y"]}
    for turn in range(3):
        ds.add(rows)
        ds.add_column("extra", list("abcdef"))
        ds.commit(f"add {turn}")
        expected = ds.to_arrow(["id", "name", "extra"]).to_pylist()
        ds.purge([NEW])
        assert ds.verify() == []
        assert [row for row in expected if row["id"] != NEW] == ds.to_arrow(
            ["id", "name", "extra"]
        ).to_pylist()
        ds.revert(ds.head)
        assert ds.keys.tolist() == ["a", KEY, "c", "d"]
    assert ds.verify() == []


def test_reverting_a_version_takes_back_what_is_left_of_it(ds: Dataset) -> None:
    ds.set([KEY, "a"], "x", [8.0, 9.0])
    ds.commit("two cells")
    ds.set(KEY, "x", 7.0)
    ds.commit("one cell")
    ds.purge(KEY)
    ds.revert("v1")
    assert ds.to_arrow(["x"])["x"].to_pylist() == [1.0, 3.0, 4.0]
    with pytest.raises(UndoError, match="changed no cell"):
        ds.revert("v2")
    assert ds.verify() == []


def test_a_row_of_another_branch_is_purged(ds: Dataset) -> None:
    ds.branch("side")
    ds.switch("side")
    ds.add({"id": [NEW], "label": ["dog"], "name": [SECRETS["segment"]]})
    ds.commit("add")
    ds.switch("main")
    assert ds.purge(NEW).versions == ("v1",)
    assert not found_in(ds.path, NEW)
    assert not found_in(ds.path, SECRETS["segment"])
    assert ds.at("side").keys.tolist() == ["a", KEY, "c", "d"]
    assert ds.verify() == []


def test_branches_merge_across_a_purge(ds: Dataset) -> None:
    ds.branch("side")
    ds.set([KEY, "a"], "x", [8.0, 9.0])
    ds.commit("here")
    ds.switch("side")
    ds.set([KEY, "c"], "x", [18.0, 19.0])
    ds.commit("there")
    ds.purge(KEY)
    ds.switch("main")
    merge = ds.merge("side")
    assert not len(merge.conflicts)
    assert ds.to_arrow(["x"])["x"].to_pylist() == [9.0, 19.0, 4.0]
    assert ds.verify() == []


def test_it_says_what_was_erased_and_where_else_it_may_be(ds: Dataset, tmp_path: Path) -> None:
    export = ds.export(tmp_path / "out.csv").path
    ds.relabel(KEY, "cat")
    ds.set("a", "name", "Anne", reason=f"not to be mixed up with {KEY}")
    ds.commit(f"about {KEY}")
    bn.training_fingerprint(ds, columns=["x"], where=f"id <> '{KEY}'")
    made = ds.purge(KEY, reason="asked to be forgotten", author="dpo")
    assert (made.rows, made.cells, made.decisions, made.versions) == (1, 1, 0, ("v0", "v1"))
    assert made.remaining[:3] == (
        f"the export {export}",
        "the message of v1",
        "a reason or a fact in v1",
    )
    assert {"the reflog of branch main", "what v1 notes of its training"} < {*made.remaining}
    text = repr(made)
    assert "purged 1 row in v0, v1, 1 cell and 0 decisions of versions" in text
    assert f"- the export {export}" in text
    assert "backups" in text
    frame_ = ds.purges.frame()
    assert frame_[["author", "reason", "rows"]].values.tolist() == [
        ["dpo", "asked to be forgotten", 1]
    ]
    assert "Purges(1)" in repr(ds.purges)
    assert KEY not in repr(ds.purges)


@pytest.mark.parametrize("reason", [f"{KEY} asked", 7])
def test_a_reason_that_names_the_row_is_refused(ds: Dataset, reason: Any) -> None:
    with pytest.raises(InputError, match="names none of the keys"):
        ds.purge(KEY, reason=reason)
    assert ds.keys.tolist()[1] == KEY


def test_unknown_keys_erase_nothing(ds: Dataset) -> None:
    for keys in ([KEY, "nobody"], []):
        with pytest.raises(KeysError):
            ds.purge(keys)
    assert KEY in ds.keys
    assert len(ds.purges) == 0


def test_a_store_that_is_only_read_is_not_purged(ds: Dataset) -> None:
    ds.close()
    with bn.open(ds.path, read_only=True) as reader, pytest.raises(ReadOnlyError):
        reader.purge(KEY)
    assert [path.name for path in ds.path.glob("*.arrow")] == ["base.arrow"]


def test_another_handle_reads_what_is_left_from_its_next_call_on(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(ds, monkeypatch)
    with bn.open(ds.path, user="cleo") as cleo:
        snapshot = cleo.at("v0")
        assert KEY in cleo.keys
        assert KEY in snapshot.keys
        cleo.set([KEY, "d"], "x", [0.5, 0.25])
        before = ds.head.fingerprint
        ds.purge([KEY, NEW])
        told: list[bool] = []
        cleo.on_change(lambda change: told.append(change.reshaped))
        assert KEY not in snapshot.keys
        assert KEY not in cleo.keys
        assert told == [True]
        assert cleo.head.fingerprint == fingerprint_of(cleo.at(cleo.head).to_arrow()) != before
        with pytest.raises(KeysError):
            cleo.set(KEY, "x", 0.5)
        assert cleo.staged.frame()["key"].tolist() == ["d"]
        cleo.commit("d")
        assert cleo.verify() == []
    assert not found_in(ds.path, KEY)


def test_a_handle_that_read_before_writes_no_erased_value_back(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(ds, monkeypatch)
    with bn.open(ds.path, user="cleo") as cleo:
        state, history = cleo._copy.state, cleo._history
        stale = history.epoch
        ds.purge([KEY, NEW])
        history.backend.keep_sums(history.root, {"label": 1}, stale)
        assert history.backend.sums(history.root) is None
        history.epoch, history.backend.epoch = stale, lambda: stale  # type: ignore[method-assign]
        history._flat(history.root, state)
    assert not found_in(ds.path, SECRETS["keyframe"])


def test_what_a_model_was_trained_on_is_refused_with_the_reason(ds: Dataset) -> None:
    made = bn.training_fingerprint(ds, columns=["x", "label"])
    without = bn.training_fingerprint(ds, columns=["x", "label"], where="id in ('a', 'd')")
    ds.purge(KEY, reason="asked to be forgotten")
    with pytest.raises(ReconstructionError, match=r"v0 was affected by the purge of 1 row on 20"):
        bn.reconstruct(made, ds)
    assert bn.reconstruct(without, ds).keys.tolist() == ["a", "d"]


def test_damage_after_a_purge_is_still_found(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    lived_in(ds, monkeypatch)
    ds.purge([KEY, NEW])
    ds.close()
    for path in [*ds.path.glob("base*.arrow"), *ds.path.rglob("*/*.arrow")]:
        copy = ds.path.with_name("copy.burnish")
        shutil.copytree(ds.path, copy)
        raw = bytearray((copy / path.relative_to(ds.path)).read_bytes())
        place = raw.find(b"Anna") if b"Anna" in raw else raw.find(b"Emil")
        place = place if place >= 0 else raw.find(b"fine")
        raw[place] ^= 1
        (copy / path.relative_to(ds.path)).write_bytes(raw)
        with bn.open(copy) as damaged:
            assert len(damaged.verify()) == 1
        shutil.rmtree(copy)


def test_a_damaged_store_is_not_purged_by_half(ds: Dataset) -> None:
    ds.add({"id": [NEW], "label": ["dog"]})
    ds.commit("add")
    (segment,) = ds.path.glob("segments/*.arrow")
    path = ds.path
    ds.close()
    segment.write_bytes(segment.read_bytes()[:50])
    with bn.open(path) as again:
        with pytest.raises(CorruptError):
            again.purge("a")
        assert len(again.purges) == 0
        assert "a" in again.at("v0").keys


def test_what_killed_processes_left_goes_too(ds: Dataset) -> None:
    ds.add({"id": [NEW], "label": ["dog"], "name": [SECRETS["segment"]]})
    ds.discard()
    (segment,) = ds.path.glob("segments/*.arrow")
    shutil.copy(segment, segment.with_name(".x.arrow.0123abcd"))
    shutil.copy(ds.path / "base.arrow", ds.path / "base.0123456789abcdef.arrow")
    shutil.copy(ds.path / "base.arrow", ds.path / ".base.arrow.0123abcd")
    then = time.time() - 100
    for path in ds.path.rglob("*.0123abcd"):
        os.utime(path, (then, then))
    ds.purge([KEY, NEW])
    assert not found_in(ds.path, KEY)
    assert not found_in(ds.path, SECRETS["segment"])


def test_a_purge_that_others_hold_up_is_finished_by_the_next_to_open(ds: Dataset) -> None:
    ds.set(KEY, "name", SECRETS["new"])
    ds.commit("name")
    history = ds._history
    history.backend.finish = lambda: False  # type: ignore[method-assign]
    made = ds.purge(KEY)
    assert made.remaining[0] == "files that another process holds: open the dataset again"
    assert "not finished" in ds.verify()[0]
    assert found_in(ds.path, KEY)
    ds.close()
    with bn.open(ds.path) as again:
        assert again.verify() == []
    assert not found_in(ds.path, KEY)


def test_two_purges_that_are_held_up_are_both_finished(ds: Dataset) -> None:
    ds.add({"id": [NEW, "e"], "label": ["dog", "cat"], "name": [SECRETS["segment"], "Emil"]})
    ds.commit("add two")
    ds._history.backend.finish = lambda: False  # type: ignore[method-assign]
    ds.purge(KEY)
    ds.purge(NEW)
    ds.close()
    with bn.open(ds.path) as again:
        assert again.verify() == []
    assert not found_in(ds.path, KEY)
    assert not found_in(ds.path, SECRETS["segment"])


def test_rows_numbered_before_a_purge_are_not_registered_after_it(ds: Dataset) -> None:
    ds.purge(KEY)
    backend = ds._history.backend
    with pytest.raises(StaleError):
        backend.add_segment("0" * 64, np.array([1], np.int64).tobytes(), 0)
    with pytest.raises(StaleError):
        backend.add_commits([], [], epoch=0)


def test_other_writers_make_it_try_again(ds: Dataset) -> None:
    backend = ds._history.backend
    real, tries = backend.purge, []

    def racing(*args: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            with bn.open(ds.path, user="bob") as bob:
                bob.add({"id": [NEW], "label": ["dog"], "name": [SECRETS["segment"]]})
        return real(*args)

    backend.purge = racing  # type: ignore[method-assign]
    ds.purge(KEY)
    assert len(tries) == 2
    assert ds.verify() == []
    backend.purge = lambda *args: real(args[0], -1, *args[2:])  # type: ignore[method-assign]
    with pytest.raises(BusyError, match="met other writers"):
        ds.purge("a")


def test_several_key_columns_and_other_types_are_purged(tmp_path: Path) -> None:
    import datetime

    rows = {
        "who": ["anna", "bert-4711"],
        "when": [datetime.date(2020, 1, 1), datetime.date(2021, 2, 3)],
        "struct": [{"a": "x"}, {"a": "nested-secret"}],
        "lists": [["p"], ["listed-secret", "q"]],
        "blob": [b"1", b"binary-secret"],
        "cat": pa.array(["red", "word-secret"]).dictionary_encode(),
        "flag": [True, None],
    }
    with bn.create(tmp_path / "x", rows, key=["who", "when"]) as ds:
        ds.set(("bert-4711", datetime.date(2021, 2, 3)), "cat", "red")
        ds.commit("red")
        ds.purge([("bert-4711", datetime.date(2021, 2, 3))])
        for secret in ("bert-4711", "nested-secret", "listed-secret", "binary-secret"):
            assert not found_in(ds.path, secret)
        assert not found_in(ds.path, "word-secret")
        assert len(ds) == 1
        assert ds.verify() == []
        ds.purge(ds.keys)
        assert len(ds) == 0
        assert ds.verify() == []


def test_an_adopted_base_moves_into_the_store(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table = pa.table({k: v for k, v in frame().items() if k != "v"})
    pq.write_table(table, tmp_path / "t.parquet")
    with bn.create(tmp_path / "x", tmp_path / "t.parquet", key="id", label="label") as ds:
        others = rows_but(ds, KEY)
        made = ds.purge(KEY)
        assert any(str(tmp_path) in place for place in made.remaining)
        assert rows_but(ds) == others
    with bn.open(tmp_path / "x") as again:
        assert again.verify() == []
        assert rows_but(again) == others
    assert not found_in(tmp_path / "x", KEY)


def test_values_do_not_come_back_from_other_copies(ds: Dataset, tmp_path: Path) -> None:
    packed = ds.pack(tmp_path / "packed").path
    with bn.unpack(packed, tmp_path / "copy.burnish") as copy:
        copy.set([KEY, "a"], "name", [SECRETS["new"], "Anne"])
        copy.commit("names")
        copy.pack(packed)
        made = ds.purge(KEY)
        assert any("has another name" in place for place in made.remaining)
        for source in (copy, packed):
            with pytest.raises(InputError, match="changes rows that were purged here"):
                ds.fetch(source)
        copy.purge(KEY)
        assert len(ds.fetch(copy).versions) == 1
        ds.merge("copy/main")
    assert ds.to_arrow(["name"])["name"].to_pylist() == ["Anne", None, "Dora"]
    assert ds.verify() == []
    assert not found_in(ds.path, KEY)
    assert not found_in(ds.path, SECRETS["new"])


def test_what_was_purged_is_neither_packed_nor_fetched(ds: Dataset, tmp_path: Path) -> None:
    with bn.unpack(ds.pack(tmp_path / "packed").path, tmp_path / "copy.burnish") as copy:
        ds.add({"id": [NEW, "e"], "label": ["dog", "cat"]})
        ds.commit("add two")
        ds.purge(NEW)
        with pytest.raises(InputError, match="were purged"):
            ds.pack(tmp_path / "other")
        with pytest.raises(InputError, match="were purged there"):
            copy.fetch(ds)
        assert copy.verify() == []


def test_an_added_column_that_was_purged_is_not_taken_in_again(ds: Dataset, tmp_path: Path) -> None:
    ds.add_column("extra", {KEY: SECRETS["column"], "a": "fine"})
    ds.commit("add a column")
    with bn.unpack(ds.pack(tmp_path / "packed").path, tmp_path / "copy.burnish") as copy:
        copy.drop_column("extra")
        copy.commit("drop it")
        ds.purge(KEY)
        ds.fetch(copy)
    assert not found_in(ds.path, SECRETS["column"])
    ds.merge("copy/main")
    ds.revert(ds.head)
    assert ds.to_arrow(["extra"])["extra"].to_pylist() == ["fine", None, None]
    assert ds.verify() == []


def test_a_store_of_the_first_format_is_purged(tmp_path: Path) -> None:
    shutil.unpack_archive(GOLDEN, tmp_path / "format-1")
    with bn.open(tmp_path / "format-1", user="golden") as ds:
        ds.purge("a")
        assert ds.verify() == []
        assert [version.fingerprint for version in ds.log()] == [
            fingerprint_of(ds.at(version).to_arrow()) for version in ds.log()
        ]
    with bn.open(tmp_path / "format-1") as ds:
        assert ds.verify() == []


def test_a_store_opens_though_the_disk_is_too_full_to_shrink_it(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = SqliteBackend._rows

    def full(self: SqliteBackend, sql: str, *values: object) -> list[Any]:
        if sql == "VACUUM":
            raise WriteError("the disk is full", hint="check the disk's free space and rights")
        return rows(self, sql, *values)

    with monkeypatch.context() as patched:
        patched.setattr(SqliteBackend, "_rows", full)
        ds.purge([KEY])
        with bn.open(ds.path, user="another") as other:
            assert KEY not in other.keys
            assert "not finished" in other.verify()[0]
    with bn.open(ds.path, user="another") as other:
        assert other.verify() == []


def test_a_purged_row_is_not_counted_as_dropped(ds: Dataset) -> None:
    before = ds.state.n_there
    ds.drop("a")
    ds.purge([KEY])
    state = ds.state
    assert (state.n_there, state.n_there - state.n_live) == (before - 1, 1)
