"""A training fingerprint gives the rows again, or says what differs."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
import shutil
import struct
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier

import burnish as bn
from burnish.core.canonical import canonical_json
from burnish.dataset import Dataset
from burnish.errors import (
    ColumnError,
    FormatError,
    InputError,
    KeysError,
    LibraryWarning,
    NotAStoreError,
    PredicateError,
    ReconstructionError,
    StagedError,
    UnknownVersionError,
)
from burnish.model import TrainingFingerprint, assign_folds
from burnish.model.features import inputs
from burnish.model.reading import labels_of
from burnish.model.training_data import pack, unpack

N = 120
TRAIN = "split = 'train'"
COLUMNS = ["x", "y", "label"]


def frame(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, N))
    return pd.DataFrame(
        {
            "id": [f"row {i}" for i in rng.permutation(N)],
            "x": x,
            "y": y,
            "label": np.where(x + rng.normal(size=N) > 0, "cat", "dog"),
            "split": np.where(np.arange(N) % 4 == 0, "test", "train"),
            "patient": [f"p{i % 17}" for i in range(N)],
        }
    )


def make(path: Path, **roles: str) -> Dataset:
    """Return a dataset with two versions; v1 has other labels and lost two rows."""
    ds = bn.create(path, frame(), key="id", label="label", split="split", features=["x", "y"])
    ds.relabel(["row 3", "row 4"], "cat")
    ds.drop(["row 7", "row 8"])
    ds.commit("reviewed")
    return ds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pets.burnish"


@pytest.fixture
def ds(path: Path) -> Iterator[Dataset]:
    with make(path) as made:
        yield made


def rows_of(ds: Dataset, at: str = "v1") -> pd.DataFrame:
    whole = ds.at(at).to_pandas()
    return whole[whole["split"] == "train"].sort_values("id")[COLUMNS].reset_index(drop=True)


def changed(fp: TrainingFingerprint, **entries: Any) -> TrainingFingerprint:
    return TrainingFingerprint({**fp.record, **entries}, fp.store)


def test_the_rows_come_back_in_the_order_that_estimators_get(ds: Dataset) -> None:
    fp = bn.training_fingerprint(ds, where=TRAIN, columns=COLUMNS)
    rows = bn.reconstruct(fp)
    pd.testing.assert_frame_equal(rows.frame, rows_of(ds))
    assert rows.keys.tolist() == sorted(rows.keys)
    assert (rows.columns, len(rows), rows.version) == (COLUMNS, fp.record["n_rows"], "v1")
    with pytest.raises(ColumnError, match="split"):
        rows.to_pandas(["split"])
    assert rows.to_polars()["label"].to_list() == rows.to_pandas(["label"])["label"].tolist()


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(n_estimators=5), SGDClassifier(loss="log_loss")],
    ids=lambda estimator: type(estimator).__name__,
)
def test_training_again_gives_the_same_model_to_the_bit(
    path: Path, estimator: Any, tmp_path: Path
) -> None:
    with make(path) as ds:
        train = rows_of(ds)
        estimator.set_params(random_state=11)
        first = estimator.fit(train[["x", "y"]], train["label"]).predict_proba(train[["x", "y"]])
        fp = bn.training_fingerprint(ds, where=TRAIN, columns=COLUMNS, seed=11)
        fp.save(tmp_path / "model.fingerprint.json")
        ds.relabel(ds.keys[:30], "dog")
        ds.drop(ds.keys[50:60])
        ds.commit("much later")
    rows = bn.reconstruct(tmp_path / "model.fingerprint.json")
    estimator.set_params(random_state=rows.seed)
    again = estimator.fit(rows.frame[["x", "y"]], rows.frame["label"])
    assert again.predict_proba(rows.frame[["x", "y"]]).tobytes() == first.tobytes()


def test_later_versions_and_staged_edits_play_no_part(path: Path) -> None:
    with make(path) as ds:
        fp = bn.training_fingerprint(ds, where=TRAIN, columns=COLUMNS)
        expected = rows_of(ds)
        ds.drop(ds.keys[:40])
        ds.commit("fewer")
        ds.relabel(ds.keys[:40], "dog")
        pd.testing.assert_frame_equal(bn.reconstruct(fp, store=ds).frame, expected)
    pd.testing.assert_frame_equal(bn.reconstruct(fp).frame, expected)
    with bn.open(path) as ds:
        pd.testing.assert_frame_equal(bn.reconstruct(fp, store=ds).frame, expected)
        assert len(ds.staged)


def test_a_copy_of_the_store_will_do_and_the_first_may_be_gone(path: Path) -> None:
    with make(path) as ds:
        fp = bn.training_fingerprint(ds, where=TRAIN)
    copied = path.with_name("moved.burnish")
    shutil.move(path, copied)
    assert len(bn.reconstruct(fp, store=copied)) == fp.record["n_rows"]
    with pytest.raises(NotAStoreError, match="does not exist"):
        bn.reconstruct(fp)


def test_the_file_knows_the_store_from_where_it_lies(path: Path, tmp_path: Path) -> None:
    with make(path) as ds:
        fp = bn.training_fingerprint(ds)
    (tmp_path / "models").mkdir()
    saved = fp.save(tmp_path / "models" / "fp.json")
    assert json.loads(saved.read_text())["store"] == "../pets.burnish"
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    shutil.move(tmp_path, moved)
    loaded = bn.TrainingFingerprint.load(moved / "models" / "fp.json")
    assert (loaded, loaded.record) == (fp, fp.record)
    assert len(bn.reconstruct(str(moved / "models" / "fp.json"))) == fp.record["n_rows"]
    shutil.rmtree(moved)


def test_a_version_of_equal_rows_in_another_store_will_do(ds: Dataset, tmp_path: Path) -> None:
    fp = bn.training_fingerprint(ds, columns=COLUMNS, at="v0")
    shuffled = frame().sample(frac=1, random_state=5)
    with bn.create(tmp_path / "other", shuffled, key="id", label="label", split="split") as other:
        assert bn.reconstruct(fp, store=other).frame.equals(bn.reconstruct(fp, store=ds).frame)


def test_the_same_training_has_the_same_fingerprint(ds: Dataset) -> None:
    one = bn.training_fingerprint(ds, where=TRAIN, columns=COLUMNS, folds={"cv": 3})
    ds.relabel("row 1", "dog")
    ds.commit("later")
    assert bn.training_fingerprint(ds, TRAIN, COLUMNS, at="v1", folds={"cv": 3}) == one
    assert bn.training_fingerprint(ds.at("v1"), TRAIN, COLUMNS, folds={"cv": 3}) == one
    assert bn.training_fingerprint(ds.at("v2"), TRAIN, COLUMNS, at="v1", folds={"cv": 3}) == one


def test_all_that_training_depends_on_is_in_the_fingerprint(ds: Dataset) -> None:
    calls: list[dict[str, Any]] = [
        {},
        {"where": TRAIN},
        {"where": "split IN ('train')"},
        {"columns": COLUMNS},
        {"columns": COLUMNS[::-1]},
        {"at": "v0"},
        {"order": ds.keys},
        {"order": ds.keys[::-1]},
        {"seed": 1},
        {"folds": {"cv": 2}},
        {"folds": {"cv": 2, "seed": 9}},
        {"folds": {"cv": 3}},
        {"folds": {"cv": 2, "group": "patient"}},
        {"libraries": ["polars"]},
    ]
    assert len({bn.training_fingerprint(ds, **call).id for call in calls}) == len(calls)


def test_all_rows_and_columns_have_the_fingerprint_of_the_version(ds: Dataset) -> None:
    record = bn.training_fingerprint(ds).record
    assert record["content"] == record["fingerprint"] == ds.fingerprint


def test_the_hashes_are_what_their_description_says() -> None:
    """Computed here by hand, from nothing but hashlib."""
    with bn.create(None, {"id": ["b", "a"], "n": [1, None]}, key="id") as ds:
        fp = bn.training_fingerprint(ds, columns=["n"], folds={"cv": 2})

    def sha(message: bytes) -> bytes:
        return hashlib.sha256(message).digest()

    keys = [sha(b"sa"), sha(b"sb")]
    cells = [b"1:n2:sa1:n", b"1:n2:sb2:i1"]
    record = fp.record
    assert record["row_set"] == f"{sum(int.from_bytes(k) for k in keys) % 2**256:064x}"
    assert record["row_order"] == sha(b"".join(keys)).hex()
    total = sum(int.from_bytes(sha(cell)) for cell in cells) % 2**256
    assert record["columns"] == [{"name": "n", "type": "int", "sum": f"{total:064x}"}]
    folds = assign_folds(["a", "b"], 2, 0)
    assert record["fold_of_each_row"] == sha(struct.pack("<qq", *folds)).hex()
    assert fp.id == sha(canonical_json(record)).hex()


def test_an_explicit_order_comes_back_with_repeats(ds: Dataset) -> None:
    order = np.random.default_rng(1).choice(ds.keys, 300)
    fp = bn.training_fingerprint(ds, columns=["x"], order=order)
    rows = bn.reconstruct(fp)
    assert rows.keys.tolist() == order.tolist()
    x = dict(zip(ds.keys, ds.to_pandas()["x"]))
    assert rows.frame["x"].tolist() == [x[key] for key in order]
    assert fp.record["order"]["by"] == "rank"
    assert len(fp.record["order"]["ranks"]) == 4 * len(order) / 3


def test_an_explicit_order_may_be_one_of_the_filtered_rows_only(ds: Dataset) -> None:
    train = ds.keys[ds.rows_where(TRAIN)][::-1]
    fp = bn.training_fingerprint(ds, where=TRAIN, order=train)
    assert bn.reconstruct(fp).keys.tolist() == train.tolist()
    with pytest.raises(KeysError, match="differ in 1 keys"):
        bn.training_fingerprint(ds, where=TRAIN, order=train[1:])
    with pytest.raises(KeysError, match="unknown"):
        bn.training_fingerprint(ds, order=["nobody"])
    with pytest.raises(KeysError, match="were dropped"):
        bn.training_fingerprint(ds, order=["row 7"])


def test_an_explicit_order_is_found_in_a_store_with_another_order(
    ds: Dataset, tmp_path: Path
) -> None:
    order = ds.at("v0").keys[[5, 1, 7, 7]]
    fp = bn.training_fingerprint(ds, order=order, at="v0")
    shuffled = frame().sample(frac=1, random_state=5)
    with bn.create(tmp_path / "other", shuffled, key="id") as other:
        assert bn.reconstruct(fp, store=other).keys.tolist() == order.tolist()


def test_slices_and_selections_are_filters_too(ds: Dataset) -> None:
    named = bn.training_fingerprint(ds, where=bn.Slice("training", TRAIN))
    assert (named.record["slice"], named.record["where"]) == ("training", TRAIN)
    chosen = bn.Selection(["row 9", "row 11", "row 10"], source="lasso")
    for where in (chosen, bn.Slice("few", chosen)):
        fp = bn.training_fingerprint(ds, where=where)
        assert bn.reconstruct(fp).keys.tolist() == ["row 10", "row 11", "row 9"]


def test_folds_are_those_of_the_cross_validation(path: Path) -> None:
    with bn.create(path, frame(), key="id", label="label", group="patient") as ds:
        rule = {"cv": 4, "seed": 2}
        by_role = bn.reconstruct(bn.training_fingerprint(ds, folds=rule))
        assert by_role.fingerprint.record["folds"] == {**rule, "group": "patient"}
        patients = by_role.frame["patient"]
        identities = [("group", patient) for patient in patients]
        assert by_role.folds is not None
        assert by_role.folds.tolist() == assign_folds(identities, 4, 2).tolist()
        assert (
            by_role.frame.assign(fold=by_role.folds).groupby("patient").fold.nunique() == 1
        ).all()
        by_key = bn.reconstruct(bn.training_fingerprint(ds, folds={**rule, "group": None}))
        assert by_key.folds is not None
        assert by_key.folds.tolist() == assign_folds(by_key.keys, 4, 2).tolist()
        assert bn.reconstruct(bn.training_fingerprint(ds)).folds is None


def test_an_analysis_reads_the_rows_like_a_version(ds: Dataset) -> None:
    rows: Any = bn.reconstruct(bn.training_fingerprint(ds))
    tree = RandomForestClassifier(n_estimators=3)
    given = inputs(rows, tree)
    expected = inputs(ds, tree)
    pd.testing.assert_frame_equal(given.X, expected.X)
    assert given.keys.tolist() == rows.keys.tolist() == expected.keys.tolist()
    assert labels_of(rows).tolist() == labels_of(ds)[expected.order].tolist()


def test_staged_edits_are_refused_unless_a_version_is_named(ds: Dataset) -> None:
    ds.drop("row 1")
    with pytest.raises(StagedError, match="not part of any version"):
        bn.training_fingerprint(ds)
    assert bn.training_fingerprint(ds, at="v1").record["version"] == "v1"


@pytest.mark.parametrize(
    ("error", "call", "match"),
    [
        (InputError, {"where": "x > 1e9"}, "no row to train on"),
        (PredicateError, {"where": "nothing = 1"}, "nothing"),
        (ColumnError, {"columns": ["x", "z"]}, "'z'"),
        (ColumnError, {"columns": []}, "none given"),
        (UnknownVersionError, {"at": "v9"}, "v9"),
        (InputError, {"seed": None}, "seed is None"),
        (InputError, {"seed": True}, "seed is True"),
        (InputError, {"folds": 5}, "folds=5"),
        (InputError, {"folds": {"seed": 1}}, "cv"),
        (InputError, {"folds": {"cv": 5, "groups": "x"}}, "groups"),
        (InputError, {"folds": {"cv": 1}}, "at least 2"),
        (InputError, {"folds": {"cv": 5, "seed": "a"}}, "seed of the folds"),
        (ColumnError, {"folds": {"cv": 5, "group": "ward"}}, "ward"),
        (InputError, {"libraries": ["no-such-library"]}, "no-such-library"),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    ds: Dataset, error: type[Exception], call: dict[str, Any], match: str
) -> None:
    with pytest.raises(error, match=match):
        bn.training_fingerprint(ds, **call)


def test_a_frame_is_no_dataset() -> None:
    with pytest.raises(InputError, match="expected a Dataset"):
        bn.training_fingerprint(frame())  # type: ignore[arg-type]


def test_a_missing_version_is_named(ds: Dataset, tmp_path: Path) -> None:
    fp = bn.training_fingerprint(ds, columns=COLUMNS)
    bn.create(tmp_path / "other", frame(1), key="id").close()
    with pytest.raises(ReconstructionError, match="version v1 .* copy of another store"):
        bn.reconstruct(fp, store=tmp_path / "other")
    with pytest.raises(ReconstructionError, match="version v1 .* copy of the same store"):
        bn.reconstruct(changed(fp, version_id="0" * 64, fingerprint="1" * 64), store=ds)


Edit = Callable[[pd.DataFrame], pd.DataFrame]
EDITS: list[tuple[str, Edit]] = [
    ("row set is another: 88 rows .* 89 were", lambda rows: rows.drop(index=rows.index[1])),
    ("row set is another", lambda rows: rows.replace({"id": {"row 1": "row 999"}})),
    ("other values in 'label'", lambda rows: rows.assign(label=rows["label"].replace("cat", "c"))),
    ("other values in 'x', 'y'", lambda rows: rows.assign(x=rows["y"], y=rows["x"])),
    ("column 'x' holds string, float", lambda rows: rows.assign(x=rows["x"].astype(str))),
    ("has no column 'x'", lambda rows: rows.drop(columns="x")),
    ("has no column 'patient'", lambda rows: rows.drop(columns="patient")),
    ("the predicate .* no column 'split'", lambda rows: rows.drop(columns="split")),
]


@pytest.mark.parametrize(("match", "edit"), EDITS, ids=[match for match, _ in EDITS])
def test_rows_that_are_not_those_are_refused_with_what_differs(
    ds: Dataset, tmp_path: Path, match: str, edit: Edit
) -> None:
    folds = {"cv": 2, "group": "patient"}
    fp = bn.training_fingerprint(ds, where=TRAIN, columns=COLUMNS, folds=folds)
    rows = edit(ds.to_pandas())
    with bn.create(tmp_path / "other", rows, key="id") as other:
        claimed = changed(fp, version_id=other.head.id)
    with pytest.raises(ReconstructionError, match=match) as caught:
        bn.reconstruct(claimed, store=tmp_path / "other")
    assert "is not what was trained on" in str(caught.value)
    assert caught.value.code == "reconstruction"


def test_a_base_that_was_tampered_with_is_refused(path: Path) -> None:
    with make(path) as ds:
        fp = bn.training_fingerprint(ds, where=TRAIN, columns=COLUMNS)
        table = ds.at("v0").to_arrow()
    place = table.schema.get_field_index("y")
    table = table.set_column(place, "y", pc.add(table["y"], 1e-12))
    with pa.ipc.new_file(path / "draft", table.schema) as writer:
        writer.write_table(table)
    (path / "draft").replace(path / "base.arrow")  # the old file is still mapped
    with pytest.raises(ReconstructionError, match="other values in 'y'\n"):
        bn.reconstruct(fp)


def test_an_order_of_keys_with_several_columns_is_tuples() -> None:
    frame = {"site": ["b", "a", "a"], "visit": [1, 2, 1], "x": [1, 2, 3]}
    order = [("a", 1), ("b", 1)]
    with bn.create(None, frame, key=["site", "visit"]) as ds:
        fp = bn.training_fingerprint(ds, columns=["x"], order=order)
        rows = bn.reconstruct(fp, store=ds)
    assert rows.keys.tolist() == order
    assert rows.frame["x"].tolist() == [3, 1]
    assert fp.record["key"] == ["site", "visit"]


def test_another_order_is_refused(ds: Dataset) -> None:
    one, other = (bn.training_fingerprint(ds, order=keys) for keys in (ds.keys, ds.keys[::-1]))
    mixed = changed(one, order=other.record["order"])
    with pytest.raises(ReconstructionError, match="the row order is another"):
        bn.reconstruct(mixed, store=ds)


@pytest.mark.parametrize("ranks", [pack(np.array([0, 5_000])), "AA==", "", "?", "ÿ"])
def test_ranks_that_no_row_has_are_refused(ds: Dataset, ranks: str) -> None:
    fp = bn.training_fingerprint(ds, order=ds.keys[:2])
    with pytest.raises(ReconstructionError, match="does not have the ranks"):
        bn.reconstruct(changed(fp, order={"by": "rank", "ranks": ranks}), store=ds)


def test_other_folds_are_refused_with_their_rule(ds: Dataset) -> None:
    fp = bn.training_fingerprint(ds, folds={"cv": 3})
    other = changed(fp, folds={"cv": 3, "seed": 1, "group": None})
    with pytest.raises(ReconstructionError, match="folds are others .* 'seed': 1"):
        bn.reconstruct(other, store=ds)


def test_other_libraries_are_a_warning_that_names_each(ds: Dataset) -> None:
    fp = bn.training_fingerprint(ds)
    libraries = {**fp.record["libraries"], "numpy": "1.0", "gone": "2.0", "python": "2.7.18"}
    with pytest.warns(LibraryWarning) as caught:
        rows = bn.reconstruct(changed(fp, libraries=libraries), store=ds)
    text = str(caught[0].message)
    assert f"numpy {np.__version__} (was 1.0)" in text
    assert "gone (not installed) (was 2.0)" in text
    assert "(was 2.7.18)" in text
    assert "pandas" not in text
    assert caught[0].filename == __file__
    assert len(rows) == fp.record["n_rows"]


def test_the_record_names_the_libraries_and_python(ds: Dataset) -> None:
    libraries = bn.training_fingerprint(ds, libraries="polars").record["libraries"]
    assert {"burnish", "numpy", "pandas", "polars", "pyarrow", "python", "scikit-learn"} <= set(
        libraries
    )
    assert libraries["burnish"] == bn.__version__


def test_a_fingerprint_is_a_value(ds: Dataset) -> None:
    fp = bn.training_fingerprint(ds)
    fp.record["seed"] = 99
    assert fp.record["seed"] == 0
    with pytest.raises(AttributeError, match="cannot be changed"):
        fp.id = "0"
    for copied in (copy.deepcopy(fp), pickle.loads(pickle.dumps(fp))):
        assert (copied, hash(copied), copied.store) == (fp, hash(fp), fp.store)
    assert repr(fp) == f"TrainingFingerprint({fp.id[:8]}…: 118 rows × 6 columns of v1)"
    assert repr(bn.reconstruct(fp)) == (
        f"Reconstruction(118 rows × 6 columns of v1, as in {fp.id[:8]}…)"
    )


def test_a_changed_file_is_noticed(ds: Dataset, tmp_path: Path) -> None:
    saved = bn.training_fingerprint(ds).save(tmp_path / "fp.json")
    saved.write_text(saved.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(ReconstructionError, match=r"fp\.json was changed"):
        bn.reconstruct(saved)


@pytest.mark.parametrize("text", ["", "{}", "[]", '"a"', '{"record": {"kind": "else"}}', "\x00"])
def test_a_file_that_is_no_fingerprint_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "fp.json").write_text(text)
    with pytest.raises(ReconstructionError, match="no (record of a )?training fingerprint"):
        bn.TrainingFingerprint.load(tmp_path / "fp.json")


def test_a_newer_format_is_refused_with_the_way_out(ds: Dataset) -> None:
    with pytest.raises(FormatError, match="newer burnish"):
        changed(bn.training_fingerprint(ds), format=2)


def test_what_says_nothing_of_a_store_asks_for_one(ds: Dataset, tmp_path: Path) -> None:
    fp = TrainingFingerprint(bn.training_fingerprint(ds).record)
    with pytest.raises(InputError, match="store="):
        bn.reconstruct(fp)
    with pytest.raises(InputError, match="store="):
        bn.reconstruct(fp.id)
    assert json.loads(fp.save(tmp_path / "fp.json").read_text())["store"] is None
    with pytest.raises(InputError, match="no training fingerprint"):
        bn.reconstruct(tmp_path / "none.json", store=ds)
    with pytest.raises(InputError, match="from int"):
        bn.reconstruct(7, store=ds)  # type: ignore[arg-type]


def test_the_store_remembers_its_fingerprints_by_id(path: Path) -> None:
    with make(path) as ds:
        ds._history.backend.link(ds.head.id, "export", {"path": "a.csv"})
        fp = bn.training_fingerprint(ds, where=TRAIN)
        bn.training_fingerprint(ds, where=TRAIN)
        other = bn.training_fingerprint(ds)
        assert len(ds._history.backend.links(ds.head.id)) == 3
    assert bn.reconstruct(fp.id, store=path).fingerprint == fp
    assert bn.reconstruct(other.id[:8], store=path).fingerprint == other
    with pytest.raises(ReconstructionError, match="remembers 0 training fingerprints"):
        bn.reconstruct("0" * 64, store=path)


def test_a_store_that_remembers_nothing_says_so(ds: Dataset) -> None:
    with pytest.raises(ReconstructionError, match="it knows none"):
        bn.reconstruct("abcdef", store=ds)


@pytest.mark.parametrize(
    "ranks",
    [[0], [255], [3, 1, 2, 1], list(range(1000)), [2**31, 0, 2**40], [127, 0], [0, 128]],
    ids=str,
)
def test_ranks_survive_as_text(ranks: list[int]) -> None:
    found = unpack(pack(np.array(ranks)), len(ranks))
    assert found is not None
    assert found.tolist() == ranks


def test_nothing_is_said_where_nothing_differs(ds: Dataset) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bn.reconstruct(bn.training_fingerprint(ds), store=ds)
