"""Stores of every format open for ever, say what they said, and name any damage."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import pytest

import burnish as bn
from burnish.dataset import Dataset
from burnish.errors import CorruptError, StoreError

GOLDEN = Path(__file__).parents[1] / "golden"
TRUTH = json.loads((GOLDEN / "format-2.json").read_text())


def told(ds: Dataset) -> dict[str, Any]:
    """Return what a store says, as its maker wrote it down."""
    spec = importlib.util.spec_from_file_location("make_golden", GOLDEN / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    return dict(json.loads(json.dumps(make.told(ds))))


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    shutil.unpack_archive(GOLDEN / "format-2.zip", tmp_path / "format-2")
    return tmp_path / "format-2"


@pytest.fixture
def oldest(tmp_path: Path) -> Path:
    shutil.unpack_archive(GOLDEN / "format-1.zip", tmp_path / "format-1")
    return tmp_path / "format-1"


def asked(path: Path, sql: str) -> Any:
    connection = sqlite3.connect(path / "store.sqlite")
    with connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_the_second_format_says_what_it_said(golden: Path, read_only: bool) -> None:
    with bn.open(golden, user="golden", read_only=read_only) as ds:
        assert ds.verify() == []
        assert told(ds) == TRUTH
        frame = ds.diff("v0", "v1").frame()
        assert frame[["key", "column", "new", "reason"]].values.tolist() == [
            ["a", "$mark:hard", True, None],
            ["b", "label", "cat", "it purrs"],
        ]
        assert ds.decisions.frame()["verdict"].tolist() == ["accepted", "kept"]
        assert len(ds.purges) == 1


@pytest.mark.parametrize("caches", [["sums"], ["keyframes"], ["sums", "keyframes"]])
def test_caches_of_the_second_format_are_only_caches(golden: Path, caches: list[str]) -> None:
    for table in caches:
        assert asked(golden, f"SELECT count(*) FROM {table}") != [(0,)]
        asked(golden, f"DELETE FROM {table}")
    with bn.open(golden, user="golden") as ds:
        assert told(ds) == TRUTH


def test_work_goes_on_in_a_store_of_the_second_format(golden: Path) -> None:
    with bn.open(golden, user="golden") as ds:
        ds.redo()
        ds.commit("three")
        ds.switch("alice")
        ds.set("z", "w", 3.0)
        ds.commit("hers")
        ds.switch("main")
        assert ds.merge("alice").version
        assert ds.to_arrow(["id", "w"]).to_pylist()[-2] == {"id": "z", "w": 3.0}
        assert ds.verify() == []


def test_a_store_of_the_first_format_is_upgraded_where_it_lies(oldest: Path) -> None:
    assert asked(oldest, "PRAGMA user_version") == [(1,)]
    with bn.open(oldest, user="golden") as ds:
        prints = {version.id: version.fingerprint for version in ds.log()}
        ds.branch("side")
        ds.redo()
        ds.add({"id": ["new"], "label": ["dog"]}, parents=["a"])
        ds.rename_column("x", "y")
        ds.commit("three")
        ds.switch("side")
        ds.set("b", "x", 9.0)
        ds.commit("four")
        ds.merge("main")
        assert ds.verify() == []
    assert asked(oldest, "PRAGMA user_version") == [(2,)]
    with bn.open(oldest, user="golden", branch="side") as ds:
        assert ds.to_arrow(["id", "y"]).to_pylist()[1:] == [
            {"id": "b", "y": 9.0},
            {"id": "new", "y": None},
        ]
        assert prints.items() <= {v.id: v.fingerprint for v in ds.log(all=True)}.items()
        assert ds.verify() == []


def test_two_processes_may_upgrade_a_store_at_once(oldest: Path) -> None:
    with bn.open(oldest, user="one") as one, bn.open(oldest, user="two") as two:
        one.mark("a", "seen")
        one.commit("one")
        assert two.head == one.head


FILES = ["base.arrow", "segments/*", "columns/*"]


@pytest.mark.parametrize("pattern", FILES)
def test_a_cut_or_missing_file_is_named(golden: Path, pattern: str) -> None:
    for path in golden.glob(pattern):
        whole = path.read_bytes()
        for size in (0, 7, len(whole) // 2, len(whole) - 1, None):
            path.write_bytes(whole[:size]) if size is not None else path.unlink()
            assert path.name[:12] in problems(golden), (path, size)
        path.write_bytes(whole)
    assert problems(golden) == ""


@pytest.mark.parametrize("pattern", FILES)
def test_every_flipped_bit_of_a_file_is_named_or_harmless(golden: Path, pattern: str) -> None:
    for path in golden.glob(pattern):
        whole = path.read_bytes()
        for place in random.Random(4).sample(range(len(whole)), 40):
            path.write_bytes(flipped(whole, place))
            named = problems(golden)
            assert path.name[:12] in named or (not named and said(golden) == TRUTH), place
        path.write_bytes(whole)


def test_a_flipped_bit_of_the_second_history_is_refused_named_or_harmless(golden: Path) -> None:
    path = golden / "store.sqlite"
    whole = path.read_bytes()
    used = [place for place, byte in enumerate(whole) if byte]
    silent = []
    for place in random.Random(5).sample(used, 100):
        for extra in golden.glob("store.sqlite-*"):
            extra.unlink()
        path.write_bytes(flipped(whole, place))
        if not problems(golden) and said(golden) not in (TRUTH, None):
            silent.append(place)
    assert silent == []


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM segments", "misses"),
        ("UPDATE segments SET ordinals = zeroblob(8)", "segments/"),
        ("UPDATE segments SET ordinals = zeroblob(length(ordinals))", "in the place of others"),
        ("DELETE FROM refs WHERE name = 'alice'", ""),
        ("UPDATE refs SET target = 'x' WHERE kind = 'tag'", "tag 'release-1'"),
        ("UPDATE refs SET target = 'x' WHERE kind = 'remote'", "remote 'upstream'"),
        ("UPDATE commits SET delta = zeroblob(50) WHERE number = 7", "v7"),
        ("UPDATE commits SET seed = zeroblob(32) WHERE number = 4", "v4: its cells"),
    ],
)
def test_rows_of_the_second_history_that_do_not_fit_are_named(
    golden: Path, sql: str, words: str
) -> None:
    asked(golden, sql)
    assert words in problems(golden)


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ (1 << (place % 8))]) + data[place + 1 :]


def problems(path: Path) -> str:
    """Return what opening and verifying tell, nothing when all is well."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with bn.open(path, user="golden") as ds:
                return " ".join(ds.verify())
    except StoreError as error:
        return str(error)


def said(path: Path) -> dict[str, Any] | None:
    """Return what a store says, None where reading it is refused."""
    try:
        with bn.open(path, user="golden") as ds:
            return told(ds)
    except CorruptError:
        return None
