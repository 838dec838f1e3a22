"""Bad and unusual input: a clear error and an untouched store, or the same values back."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import burnish as bn
from burnish.dataset import Dataset
from burnish.errors import (
    BurnishError,
    ColumnError,
    InputError,
    KeysError,
    LabelError,
    NewClassWarning,
    NotAStoreError,
    PredicateError,
)

FRAME = {"id": ["a", "b", "c"], "label": ["x", "y", "x"], "n": [1, 2, 3], "v": np.eye(3)}


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label") as dataset:
        dataset.set("a", "n", 7)
        yield dataset


@pytest.mark.parametrize(
    ("frame", "options", "error", "words"),
    [
        ({"id": ["a", "a", "b"]}, {"key": "id"}, KeysError, "1 key occurs more than once: 'a'"),
        ({"id": ["a", None]}, {"key": "id"}, KeysError, "1 of 2 rows have no key"),
        ({"id": [1.0, np.nan]}, {"key": "id"}, KeysError, "have no key in column 'id'"),
        ({"a": [1, 1], "b": [2, 2]}, {"key": ["a", "b"]}, KeysError, r"\(1, 2\)"),
        ({"id": [1]}, {"key": []}, KeysError, "no column"),
        ({"id": [1]}, {"key": ["id", "id"]}, KeysError, "twice"),
        ({"id": [[1], [2]]}, {"key": "id"}, KeysError, "one value a row"),
        ({"id": [1]}, {"key": "di"}, ColumnError, "'di' is no column of the frame, which has id"),
        ({"id": [1]}, {"key": "id", "label": "y"}, ColumnError, "label='y' is no column"),
        ({"id": [1], "y": [[1]]}, {"key": "id", "label": "y"}, ColumnError, "one class a row"),
        ({"id": [1], "$x": [1]}, {"key": "id"}, ColumnError, "'\\$x' starts with"),
        ({"id": [1, 2], "m": [1, "a"]}, {"key": "id"}, ColumnError, "'m' holds values of mixed"),
        ({"id": [1, 2], "m": ["a", b"a"]}, {"key": "id"}, ColumnError, "'m' holds values of mixed"),
        ({"id": [1], "m": ["\ud800"]}, {"key": "id"}, ColumnError, "'m'"),
        ({"id": [1, 2], "m": [1]}, {"key": "id"}, InputError, "differ in length"),
        ({"id": []}, {"key": "id"}, InputError, "no rows"),
        ({}, {"key": "id"}, InputError, "0 columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), {"key": "a"}, ColumnError, "'a' occurs twice"),
        (pd.DataFrame([[1, 2]]), {"key": "a"}, ColumnError, "name of type int"),
        (7, {"key": "id"}, InputError, "cannot read a frame from int"),
        ({"id": [1]}, {"key": 0}, ColumnError, "key=0, expected the name of a column or a list"),
        ({"id": [1]}, {"key": ["id", 1]}, ColumnError, "expected the name of a column or a list"),
        (
            {"id": [1]},
            {"label": ["id"]},
            ColumnError,
            r"label=\['id'\], expected the name of a col",
        ),
        (pd.DataFrame({"n": [1]}, pd.Index([1], name="id")), {"key": "id"}, ColumnError, "reset_"),
    ],
)
def test_create_refuses(
    tmp_path: Path, frame: Any, options: dict[str, Any], error: type[BurnishError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        bn.create(tmp_path / "x.burnish", frame, **options)
    assert "\nHint: " in str(caught.value)
    assert list(tmp_path.iterdir()) == []


ROWS = [
    ("zz", "'zz'"),
    (["a", "zz"], "1 of 2 keys are unknown: 'zz'"),
    (None, "None"),
    (1.5, "1.5"),
    ("\ud800", "unknown"),
    ([["a"]], "unknown"),
    ({"a": "y"}, "cannot tell rows"),
    (pd.DataFrame({"id": ["a"]}), "cannot tell rows from a DataFrame"),
    ([True, False, True], r"pass ds.keys\[mask\]"),
    (bn.Selection(["q"]), "'q'"),
]


@pytest.mark.parametrize(("rows", "words"), ROWS, ids=str)
def test_every_edit_refuses_unknown_rows(ds: Dataset, rows: Any, words: str) -> None:
    edits = [
        lambda: ds.relabel(rows, "y"),
        lambda: ds.set(rows, "n", 1),
        lambda: ds.drop(rows),
        lambda: ds.restore(rows),
        lambda: ds.mark(rows, "hard"),
        lambda: ds.decide(rows, "kept"),
    ]
    for edit in edits:
        untouched(ds, KeysError, words, edit)


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda ds: ds.set("a", "nope", 1), ColumnError, "no column 'nope', only id, label, n"),
        (lambda ds: ds.set("a", "id", "z"), ColumnError, "part of the key"),
        (lambda ds: ds.set("a", "n", "z"), ColumnError, "'z' does not fit column 'n'"),
        (lambda ds: ds.set("a", "n", 1.5), ColumnError, "1.5 does not fit column 'n'"),
        (lambda ds: ds.set(["a", "b"], "n", [1, 2**70]), ColumnError, "does not fit"),
        (lambda ds: ds.set("a", "v", [1.0, 2.0]), ColumnError, "does not fit column 'v'"),
        (lambda ds: ds.set(["a", "b"], "n", [1, 2, 3]), InputError, "3 values for 2 rows"),
        (lambda ds: ds.set(["a", "b"], "n", {"a": 1}), InputError, "no value for 1 rows: 'b'"),
        (lambda ds: ds.set(["a", "a"], "n", [1, 2]), KeysError, "twice with different values: 'a'"),
        (lambda ds: ds.set(bn.Slice("s", "n > 1"), "n", [1, 2]), InputError, "no order of rows"),
        (lambda ds: ds.set("a", "n", 1, reason=5), InputError, "reason is 5"),
        (lambda ds: ds.relabel("a", 3), ColumnError, "3 does not fit column 'label'"),
        (lambda ds: ds.relabel("a", "z", strict=True), LabelError, "'z' is not among the 2"),
        (lambda ds: ds.mark("a", " "), InputError, "a mark needs a name"),
        (lambda ds: ds.decide("a", "yes"), InputError, "'yes' is no verdict"),
        (lambda ds: ds.commit("  "), InputError, "message"),
        (lambda ds: ds.commit(None), InputError, "message is None"),
        (lambda ds: ds.to_arrow(["nope"]), ColumnError, "'nope'"),
        (lambda ds: ds.rows_where("nope > 1"), PredicateError, "no column 'nope'"),
        (lambda ds: ds.rows_where("n >"), PredicateError, "syntax"),
        (lambda ds: ds.rows_where("n > 1; drop table live"), PredicateError, "cannot be used"),
        (lambda ds: ds.rows_where("n > (select 1)"), PredicateError, "sub-query"),
        (lambda ds: ds.rows_where("random() > n"), PredicateError, r"random\(\)"),
        (lambda ds: ds.rows_where("label"), PredicateError, "x"),
        (lambda ds: bn.Slice("", "n > 1"), PredicateError, "name"),
        (lambda ds: bn.Slice("s", " "), PredicateError, "empty predicate"),
    ],
)
def test_an_act_refuses_and_leaves_the_store_alone(
    ds: Dataset, act: Any, error: type[BurnishError], words: str
) -> None:
    untouched(ds, error, words, lambda: act(ds))


def untouched(ds: Dataset, error: type[BurnishError], words: str, act: Any) -> None:
    before = ds.fingerprint, ds.staged.frame().to_dict(), ds.undo_text, len(ds.log())
    with pytest.raises(error, match=words) as caught:
        act()
    assert "\nHint: " in str(caught.value)
    assert (ds.fingerprint, ds.staged.frame().to_dict(), ds.undo_text, len(ds.log())) == before


def test_a_warning_made_an_error_stages_nothing(ds: Dataset) -> None:
    with pytest.raises(NewClassWarning):
        ds.relabel("a", "new")
    assert len(ds.staged) == 1


def test_dropped_rows_must_be_restored_before_an_edit(ds: Dataset) -> None:
    ds.drop("b")
    untouched(ds, KeysError, r"dropped: 'b'\nHint: bring them back", lambda: ds.relabel("b", "x"))
    ds.restore("b")
    ds.relabel("b", "x")


@pytest.mark.parametrize("name", ["missing", "file", "folder"])
def test_open_refuses_what_is_no_store(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"hello")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    with pytest.raises(NotAStoreError, match=name) as caught:
        bn.open(tmp_path / name)
    assert "Hint" in str(caught.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "notes.txt"]


@pytest.mark.parametrize("name", ["file", "folder"])
def test_create_refuses_a_path_that_holds_something_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"hello")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    with pytest.raises(NotAStoreError, match="pass a path where nothing is yet"):
        bn.create(tmp_path / name, FRAME, key="id")
    assert (tmp_path / "folder" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "file").read_bytes() == b"hello"


KEYS: list[tuple[list[Any], Any]] = [
    ([1, 2, 3], 2),
    ([-(2**62), 0, 2**62], 0),
    (["1", "2", "3"], "2"),
    (["ключ", "🙂", "with 'quote' \"and\" ;--"], "🙂"),
    (["\x00", "", " "], ""),
    ([dt.date(2020, 1, 1), dt.date(2020, 1, 2), dt.date(2020, 1, 3)], dt.date(2020, 1, 2)),
    (list(pd.to_datetime(["2020", "2021", "2022"], utc=True)), pd.Timestamp("2021", tz="UTC")),
    (np.array(["2020", "2021", "2022"], "M8[ns]"), np.datetime64("2021", "ns")),  # type: ignore[list-item]
    ([1.5, 2.5, 3.5], 2.5),
    ([b"a", b"b", b"c"], b"b"),
    ([True, False], False),
    (["k" * 1_000_000, "k" * 999_999], "k" * 999_999),
]


@pytest.mark.parametrize(("keys", "one"), KEYS, ids=lambda value: str(value)[:30])
def test_keys_may_be_of_any_scalar_type(keys: Any, one: Any) -> None:
    frame = pd.DataFrame({"id": keys, "label": ["x", "y", "x"][: len(keys)]})
    with bn.create(None, frame, key="id", label="label") as ds:
        ds.relabel(one, "x")
        assert ds.to_pandas()["label"].tolist() == ["x"] * len(keys)
        ds.relabel(ds.keys, "x")
        ds.relabel(bn.Selection(ds.keys[:1]), "x")
        assert ds.staged.frame()["key"][0] in ds.keys.tolist()
        ds.drop(frame["id"])
        assert len(ds) == 0


def test_composite_keys_are_tuples() -> None:
    frame = {"a": ["p", "p", "q"], "b": [1, 2, 1], "label": ["x", "y", "x"]}
    with bn.create(None, frame, key=["a", "b"], label="label") as ds:
        ds.relabel(("p", 2), "x")
        ds.drop([("p", 1), ("q", 1)])
        assert ds.keys.tolist() == [("p", 2)]
        assert ds.at("v0").keys.tolist() == [("p", 1), ("p", 2), ("q", 1)]
        untouched(ds, KeysError, r"\('q', 2\)", lambda: ds.restore([("q", 2)]))
        untouched(ds, KeysError, "'p'", lambda: ds.drop(["p"]))


def test_rows_without_a_key_get_one_from_their_content(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["a", "b", "a", "a"], "label": ["x", "y", "x", "y"]})
    with bn.create(tmp_path / "x.burnish", frame, label="label") as ds:
        keys = ds.keys.tolist()
        assert len(set(keys)) == 4
        assert keys[2] == f"{keys[0]}-2"
        ds.relabel(keys[1], "x")
    shuffled = frame.sample(frac=1, random_state=3)
    with bn.create(tmp_path / "x.burnish", shuffled, label="label") as again:
        assert (again.keys.tolist(), len(again.staged)) == (keys, 1)


COLUMNS: list[tuple[Any, Any]] = [
    (np.zeros((3, 4, 4), np.uint8), np.ones((4, 4), np.uint8)),
    (np.zeros((3, 2, 2, 3), np.uint8), np.ones((2, 2, 3), np.uint8)),
    ([np.zeros((2, 2)), np.zeros((3, 3)), None], np.ones((2, 2))),
    (np.array([[1.0, np.nan], [2, 3], [4, 5]]), [np.nan, 1.0]),
    ([[1, 2], None, [3]], [4, 5, 6]),
    (np.array([[2**64 - 1], [0], [1]], np.uint64), np.array([2**63], np.uint64)),
    (["s" * 3_000_000, "", None], "t" * 2_000_000),
    (pd.Categorical(["p", "q", "p"]), "p"),
    (pd.to_datetime(["2020", None, "2022"]).tz_localize("Asia/Tokyo"), pd.Timestamp(0, tz="UTC")),
    ([None, None, None], "text"),
    (pd.array([1, None, 3], "Int64"), 5),
    (np.array([1, 2, 3], np.float16), 0.5),
    ([dt.timedelta(1), None, dt.timedelta(2)], dt.timedelta(3)),
    ([dt.time(1, 2, 3, 4), None, dt.time(5)], dt.time(6)),
]


@pytest.mark.parametrize(("column", "new"), COLUMNS, ids=lambda value: type(value).__name__)
def test_columns_of_every_kind_are_kept_edited_and_exported(
    tmp_path: Path, column: Any, new: Any
) -> None:
    frame = {"id": ["a", "b", "c"], "c": column}
    path = tmp_path / "x.burnish"
    with bn.create(path, frame, key="id") as ds:
        first = ds.fingerprint
        ds.set("b", "c", new)
        assert ds.fingerprint != first
        ds.commit("one")
        assert ds.verify() == []
        shown = ds.to_pandas()["c"][1]
        assert np.array_equal(shown, new, equal_nan=True) if np.ndim(new) else shown == new
        ds.export(tmp_path / "out.parquet")
        assert ds.revert("v1").fingerprint == first
    with bn.create(path, frame, key="id") as again:
        assert again.fingerprint == first


def test_text_inside_lists_and_structs_of_polars_survives_a_drop() -> None:
    cells = {"tags": [["x"], [], ["y", None]], "box": [{"name": "a"}, {"name": None}, None]}
    with bn.create(None, pl.DataFrame({"id": [1, 2, 3], **cells}), key="id") as ds:
        ds.drop(2)
        assert ds.to_arrow()["tags"].to_pylist() == [["x"], ["y", None]]
        assert ds.to_arrow()["box"].to_pylist() == [{"name": "a"}, None]


def test_a_mapping_may_hold_arrow_columns_with_null_lists() -> None:
    lists = pa.chunked_array([[[1.0], None], [[2.0]]])
    with bn.create(None, {"id": pa.array([1, 2, 3]), "v": lists}, key="id") as ds:
        assert ds.to_arrow()["v"].to_pylist() == [[1.0], None, [2.0]]


def test_ten_thousand_columns_and_one_row(tmp_path: Path) -> None:
    frame = {"id": ["a"], **{f"c{i}": [i] for i in range(10_000)}}
    with bn.create(tmp_path / "x.burnish", frame, key="id") as ds:
        ds.set("a", "c9999", -1)
        ds.commit("one")
        assert ds.to_pandas()["c9999"].tolist() == [-1]
        assert ds.rows_where("c9999 = -1 and c0 = 0").tolist() == [True]


@pytest.mark.parametrize("labels", [[0, 1, 0], [True, False, True], pd.Categorical([3, 1, 3])])
def test_labels_may_be_numbers_and_categories(labels: Any) -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c"], "label": labels})
    with bn.create(None, frame, key="id", label="label") as ds:
        other = ds.to_arrow()["label"].to_pylist()[1]
        ds.relabel("a", other, strict=True)
        assert ds.to_arrow()["label"].to_pylist()[0] == other
        assert ds.classes == sorted(set(labels))
        untouched(ds, ColumnError, "'cat' does not fit", lambda: ds.relabel("a", "cat"))


def test_a_predicate_reads_names_with_quotes_and_refuses_ambiguous_ones() -> None:
    frame = {"id": ["a", "b"], 'we "ird; --': [1, 2], "A": [1, 2], "a": [2, 1]}
    with bn.create(None, frame, key="id") as ds:
        assert ds.rows_where('"we ""ird; --" = 2 -- why').tolist() == [False, True]
        untouched(ds, PredicateError, "'A' or 'a'", lambda: ds.rows_where('"A" = 1'))


def test_a_predicate_on_moments_is_the_same_in_every_time_zone() -> None:
    code = (
        "import burnish as bn, pyarrow as pa\n"
        "moments = pa.array([0, 82_800], pa.timestamp('s', 'UTC'))\n"
        "with bn.create(None, {'id': [1, 2], 't': moments}, key='id') as ds:\n"
        "    print(ds.rows_where('hour(t) = 23').tolist())"
    )
    for zone in ("UTC", "Asia/Tokyo"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "TZ": zone},
        )
        assert done.stdout == "[False, True]\n"


def test_a_user_without_an_account_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.delenv("BURNISH_USER", raising=False)
    monkeypatch.setattr("getpass.getuser", unknown)
    with bn.create(None, FRAME, key="id") as ds:
        assert ds.user.startswith("user-")


def test_large_images_are_hashed_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pa.array(np.zeros(40 * 300, np.uint8))
    table = pa.table({"id": list(range(40)), "im": pa.FixedSizeListArray.from_arrays(images, 300)})
    with bn.create(None, table, key="id") as ds:
        whole = ds.fingerprint
    monkeypatch.setattr("burnish.core.fingerprint._CHUNK_BYTES", 1000)
    with bn.create(None, table, key="id") as ds:
        assert ds.fingerprint == whole


def test_integers_beyond_63_bits_are_set_and_found_as_they_are() -> None:
    big = 2**64 - 1
    frame = pa.table({"id": pa.array([1, big], pa.uint64()), "n": pa.array([0, None], pa.uint64())})
    with bn.create(None, frame, key="id") as ds:
        ds.set([big, 1], "n", [2**63, None])
        assert ds.to_arrow()["n"].to_pylist() == [None, 2**63]
        for wrong in (2**64, -1, 2.0**63):
            with pytest.raises(ColumnError, match="does not fit"):
                ds.set(big, "n", wrong)
