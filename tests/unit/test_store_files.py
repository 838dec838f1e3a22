"""The store's files: the first format opens for ever, damage is named, never read."""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
import sqlite3
import struct
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import burnish as bn
from burnish.errors import CorruptError, FormatError, NotAStoreError, StoreError
from strategies import fingerprint_of

GOLDEN = Path(__file__).parents[1] / "golden" / "format-1.zip"
PRINTS = {
    "v0": "0f6761ebb290d8eb3f797fd962709ceffeb3b7f40912c3362305fdaaf0ed3a78",
    "v1": "1f5bbd65562c2d7f4ebe3a69408f60570ae66946cd8b3296bd57ea96c4de4324",
    "v2": "a15db0a43d5c8f375c38bf07873c5ba6938fb67c30ec8f11769304b352a99e20",
}
STAGED = "3ffbb44e67aa60a2a66653360944245dfe7b03bb7c64df30186ca0f7dad6a7be"
FRAME: dict[str, Any] = {
    "id": ["a", "b", "ç"],
    "label": ["cat", "dog", None],
    "n": [1, None, -3],
    "x": [0.5, float("nan"), -0.0],
    "v": np.array([[1.0, np.nan], [2.0, 3.0], [4.0, 5.0]], np.float32),
    "t": np.array(["2020-01-01", "NaT", "1969-12-31T23:59:59.5"], "M8[us]"),
}


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    shutil.unpack_archive(GOLDEN, tmp_path / "format-1")
    return tmp_path / "format-1"


def test_a_store_of_the_first_format_opens_as_it_was_written(golden: Path) -> None:
    with bn.open(golden, user="golden") as ds:
        assert ds.verify() == []
        assert {version.name: version.fingerprint for version in ds.log()} == PRINTS
        assert (ds.fingerprint, ds.redo_text) == (STAGED, "set n of 1 row")
        assert ds.staged.frame()["new"].tolist() == [[9.0, 8.0]]
        assert ds.decisions.frame()["verdict"].tolist() == ["accepted", "kept"]
        assert [version.author for version in ds.log()] == ["bob", "ann", "golden"]
        frame = ds.diff("v0", "v1").frame()
        assert frame[["key", "column", "new"]].values.tolist() == [
            ["a", "$mark:hard", True],
            ["b", "label", "cat"],
        ]
        assert frame["reason"].tolist() == [None, "it purrs"]
        ds.redo()
        assert ds.commit("three").name == "v3"


def test_kept_column_sums_are_only_a_cache(golden: Path) -> None:
    change(golden, "DELETE FROM sums")
    with bn.open(golden, user="golden") as ds:
        assert {version.name: version.fingerprint for version in ds.log()} == PRINTS
        assert ds.fingerprint == STAGED


def test_the_fingerprint_is_what_its_description_says() -> None:
    """Computed here by hand, from nothing but hashlib."""

    def double(value: float) -> bytes:
        return struct.pack(">d", value)

    cells = {
        "id": (b"sa", b"sb", b"s\xc3\xa7"),
        "label": (b"scat", b"sdog", b"n"),
        "n": (b"f" + double(1), b"n", b"f" + double(-3)),
        "x": (b"f" + double(0.5), b"n", b"f" + double(0.0)),
        "v": (
            b"v2:" + double(1) + double(math.nan),
            b"v2:" + double(2) + double(3),
            b"v2:" + double(4) + double(5),
        ),
        "t": (b"t1577836800.0", b"n", b"t-1.500000000"),
    }
    types = {"id": "string", "label": "string", "n": "float", "x": "float"}
    types |= {"v": "list<float>", "t": "timestamp"}
    columns = []
    for name in sorted(cells):
        total = 0
        for key, cell in zip(cells["id"], cells[name], strict=True):
            parts = [name.encode(), key, cell]
            message = b"".join(b"%d:%s" % (len(part), part) for part in parts)
            total += int.from_bytes(hashlib.sha256(message).digest(), "big")
        columns.append([name, types[name], f"{total % 2**256:064x}"])
    content = {"columns": columns, "format": 1, "rows": 3}
    root = hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
    frame = FRAME | {"n": [1.0, None, -3.0]}
    assert fingerprint_of(frame) == root


INTEGERS: dict[str, Any] = {"id": [1, 2]}
IMAGES: dict[str, Any] = {"id": ["a"], "im": np.zeros((1, 2, 2), np.uint8)}
MIXED: dict[str, Any] = {"id": ["a"], "b": [True], "y": [b"\x00"], "l": [[]]}


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (FRAME, PRINTS["v0"]),
        (INTEGERS, "a145f080b5a5653aedfdb418ec17cbd5c80a4bdfa5106829816ece4c7a09ccc0"),
        (IMAGES, "20978489409a5a574d5620858ed026a6385c927e06ab00186dd3f123ae076edb"),
        (MIXED, "ec5da3ff0192ee04dc7a974d18052484a23755d580098d7b04d94b692032f11c"),
    ],
)
def test_fingerprints_of_known_frames_never_change(frame: dict[str, Any], expected: str) -> None:
    assert fingerprint_of(frame) == expected


def change(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path / "store.sqlite")
    with connection:
        connection.execute(sql)
    connection.close()


def test_a_newer_format_is_refused_with_the_way_out(golden: Path) -> None:
    change(golden, "PRAGMA user_version=3")
    with pytest.raises(FormatError, match=r"format 3.*up to 2\nHint: upgrade"):
        bn.open(golden)
    with pytest.raises(FormatError):
        bn.create(golden, FRAME, key="id")


def test_files_of_other_programs_are_refused(golden: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    connection = sqlite3.connect(other / "store.sqlite")
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(NotAStoreError, match="another program"):
        bn.open(other)
    (golden / "store.sqlite").write_bytes(random.Random(1).randbytes(9000))
    with pytest.raises(NotAStoreError, match="not a burnish store"):
        bn.open(golden)
    (golden / "store.sqlite").write_bytes(b"")
    with pytest.raises(NotAStoreError):
        bn.open(golden)


def test_a_missing_or_cut_base_is_named(golden: Path) -> None:
    whole = (golden / "base.arrow").read_bytes()
    for size in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        (golden / "base.arrow").write_bytes(whole[:size])
        with pytest.raises(CorruptError, match=r"base\.arrow"):
            bn.open(golden)
    (golden / "base.arrow").unlink()
    with pytest.raises(CorruptError, match=r"base\.arrow"):
        bn.open(golden)


def test_a_base_of_other_data_is_refused(golden: Path, tmp_path: Path) -> None:
    with bn.create(tmp_path / "other", {"id": ["a", "b", "ç"]}, key="id") as ds:
        shutil.copy(ds.path / "base.arrow", golden)
    with pytest.raises(CorruptError, match="not the table"):
        bn.open(golden)


def test_every_flipped_bit_of_the_base_is_named_by_verify(golden: Path) -> None:
    whole = (golden / "base.arrow").read_bytes()
    for place in random.Random(2).sample(range(len(whole)), 60):
        (golden / "base.arrow").write_bytes(flipped(whole, place))
        try:
            with bn.open(golden, user="golden") as ds:
                assert "base.arrow" in " ".join(ds.verify()), place
        except CorruptError:
            pass


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ (1 << (place % 8))]) + data[place + 1 :]


def told(path: Path) -> Any:
    """Return everything a store says."""
    with bn.open(path, user="golden") as ds:
        rows = [ds.at(version.name).to_arrow().to_pydict() for version in ds.log()]
        facts = [repr(ds.log()), [version.id for version in ds.log()], ds.decisions.frame()]
        steps = [ds.undo_text, ds.redo_text, ds.staged.frame(), ds.to_arrow().to_pydict()]
        prints = [ds.fingerprint, [version.fingerprint for version in ds.log()]]
        return repr([rows, facts, steps, prints])


def test_a_flipped_bit_of_the_history_is_refused_named_or_harmless(golden: Path) -> None:
    whole = (golden / "store.sqlite").read_bytes()
    truth = told(golden)
    whole = (golden / "store.sqlite").read_bytes()
    used = [place for place, byte in enumerate(whole) if byte]
    silent = []
    for place in random.Random(3).sample(used, 120):
        for extra in golden.glob("store.sqlite-*"):
            extra.unlink()
        (golden / "store.sqlite").write_bytes(flipped(whole, place))
        if not refused_named_or_harmless(golden, truth):
            silent.append(place)
    assert silent == []


def refused_named_or_harmless(path: Path, truth: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with bn.open(path, user="golden") as ds:
                if ds.verify():
                    return True
            return bool(told(path) == truth)
    except StoreError:
        return True


def test_cut_history_is_refused_or_named(golden: Path) -> None:
    truth = told(golden)
    whole = (golden / "store.sqlite").read_bytes()
    for size in (10, 100, 4096, 5000, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
        (golden / "store.sqlite").write_bytes(whole[:size])
        assert refused_named_or_harmless(golden, truth), size


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE commits SET delta = zeroblob(50) WHERE number = 1", "v1"),
        ("UPDATE commits SET seed = zeroblob(32) WHERE number = 2", "v2: its cells"),
        ("UPDATE commits SET delta = (SELECT delta FROM commits WHERE number = 2)", "v1: its"),
        ("UPDATE journal SET gesture = zeroblob(9) WHERE position = 1", "working copy"),
    ],
)
def test_verify_names_what_is_wrong(golden: Path, sql: str, words: str) -> None:
    change(golden, sql)
    try:
        with bn.open(golden, user="someone else") as ds:
            problems = " ".join(ds.verify())
    except CorruptError as error:
        problems = str(error)
    assert words in problems


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM commits",
        "DELETE FROM commits WHERE number = 1",
        "UPDATE commits SET header = '{}' WHERE number = 1",
        "UPDATE commits SET header = 'x' WHERE number = 0",
        "UPDATE commits SET number = 7 WHERE number = 2",
        "UPDATE refs SET target = 'abc'",
        "DELETE FROM refs",
        "UPDATE working SET applied = 99",
        "UPDATE working SET head = 'abc'",
        "UPDATE journal SET gesture = zeroblob(9)",
        "DELETE FROM meta",
        "DROP TABLE journal",
    ],
)
def test_a_history_that_does_not_fit_together_is_refused(golden: Path, sql: str) -> None:
    change(golden, sql)
    with pytest.raises(CorruptError, match="Hint"), bn.open(golden, user="golden") as ds:
        ds.commit("more")


def test_the_key_index_is_rebuilt_when_missing_cut_or_of_another_kind(golden: Path) -> None:
    index = golden / "keys.hash.npy"
    whole = index.read_bytes()
    for data in (None, b"", whole[:-1], whole[:100], b"x" * 500):
        index.unlink()
        if data is not None:
            index.write_bytes(data)
        with bn.open(golden) as ds:
            ds.drop("b")
            assert ds.verify() == []
            ds.discard()
        assert index.read_bytes() == whole


def test_a_damaged_key_index_is_named(golden: Path) -> None:
    for name in ("keys.hash.npy", "keys.ordinal.npy"):
        whole = (golden / name).read_bytes()
        (golden / name).write_bytes(flipped(whole, len(whole) - 3))
        with bn.open(golden) as ds:
            assert "key index" in ds.verify()[0]
        (golden / name).write_bytes(whole)


def test_threads_that_ended_leave_no_connection_behind(golden: Path) -> None:
    with bn.open(golden, user="golden") as ds:
        for _ in range(20):
            thread = threading.Thread(target=len, args=(ds,))
            thread.start()
            thread.join()
        assert len(ds._history.backend._open) <= 2


def test_a_store_whose_folder_is_gone_takes_no_more_edits(tmp_path: Path) -> None:
    path = tmp_path / "gone.burnish"
    ds = bn.create(path, {"id": ["a", "b"], "label": ["x", "y"]}, key="id", label="label")
    path.rename(tmp_path / "elsewhere.burnish")
    with pytest.raises(CorruptError, match="removed or replaced"):
        ds.relabel("a", "y")
