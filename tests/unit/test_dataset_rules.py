"""The rules of behaviour of a dataset, each as a claim."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import burnish as bn
from burnish.core.finding import Findings
from burnish.dataset import Change, Dataset
from burnish.errors import (
    ClosedError,
    ColumnError,
    ConflictError,
    InputError,
    LabelError,
    NewClassWarning,
    StagedError,
    UndoError,
    UnknownVersionError,
)

FRAME = {
    "id": ["a", "b", "c", "d"],
    "label": ["cat", "dog", "cat", "dog"],
    "score": [0.1, 0.2, 0.3, 0.4],
}


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label") as dataset:
        yield dataset


@pytest.fixture
def issues() -> Findings:
    return Findings("label-issue", ["c", "a"], [0.9, 0.4], ["cat", "cat"], ["dog", "dog"])


def test_every_reader_sees_staged_edits(ds: Dataset) -> None:
    before = ds.fingerprint
    ds.relabel("a", "dog")
    ds.drop("b")
    assert ds.to_pandas()["label"].tolist() == ["dog", "cat", "dog"]
    assert ds.to_polars()["id"].to_list() == ["a", "c", "d"]
    assert ds.to_arrow(["label"])["label"].to_pylist() == ["dog", "cat", "dog"]
    assert ds.rows_where("label = 'dog'").tolist() == [True, False, True]
    assert ds.keys.tolist() == ["a", "c", "d"]
    assert len(ds) == 3
    assert ds.fingerprint != before
    assert len(ds.at("v0")) == 4


def test_v0_is_what_create_makes(ds: Dataset) -> None:
    assert (ds.head.name, ds.head.parents, len(ds.staged)) == ("v0", (), 0)
    assert [version.name for version in ds.log()] == ["v0"]
    assert ds.at("v0").to_pandas().equals(pd.DataFrame(FRAME).astype(ds.to_pandas().dtypes))


def test_an_empty_commit_returns_the_head(ds: Dataset) -> None:
    assert ds.commit("nothing") == ds.head
    ds.relabel("a", "dog")
    ds.relabel("a", "cat")
    assert ds.commit("there and back") == ds.head
    assert len(ds.log()) == 1


def test_undo_after_a_commit_raises_and_points_to_revert(ds: Dataset) -> None:
    ds.relabel("a", "dog")
    ds.commit("one")
    with pytest.raises(UndoError, match=r"ds\.revert\('v1'\)"):
        ds.undo()
    assert ds.to_pandas()["label"][0] == "dog"


def test_revert_takes_a_version_back_and_keeps_later_ones(ds: Dataset) -> None:
    ds.relabel("a", "dog")
    ds.commit("one")
    ds.relabel("c", "dog")
    ds.commit("two")
    version = ds.revert("v1")
    assert version.name == "v3"
    assert ds.to_pandas()["label"].tolist() == ["cat", "dog", "dog", "dog"]
    with pytest.raises(UndoError, match="nothing of v1 is left"):
        ds.revert("v1")
    assert (ds.head.name, len(ds.staged), ds.undo_text) == ("v3", 0, None)
    ds.relabel("c", None)
    ds.commit("three")
    with pytest.raises(ConflictError, match="label of 'c'") as caught:
        ds.revert("v2")
    frame = caught.value.conflicts.frame()
    assert frame[["key", "base", "ours", "theirs"]].values.tolist() == [["c", "dog", None, "cat"]]


def test_revert_refuses_staged_edits(ds: Dataset) -> None:
    ds.relabel("a", "dog")
    ds.commit("one")
    ds.drop("b")
    with pytest.raises(StagedError, match="Hint"):
        ds.revert("v1")
    assert len(ds.staged) == 1


def test_create_on_an_equal_base_opens_it_with_its_edits(ds: Dataset) -> None:
    ds.relabel("a", "dog")
    shuffled = pd.DataFrame(FRAME).sample(frac=1, random_state=1)
    with bn.create(ds.path, shuffled, key="id", label="label") as again:
        assert again.keys.tolist() == FRAME["id"]
        assert len(again.staged) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": ["cat", "dog", "cat", "cat"]}, "other values in label"),
        ({"id": ["a", "b", "c", "e"]}, "other keys"),
        ({"id": ["a", "b", "c", "c"]}, "other keys"),
        ({"more": [1, 2, 3, 4]}, "other columns"),
        ({"score": ["0.1", "0.2", "0.3", "0.4"]}, "other values in score"),
    ],
)
def test_create_on_another_base_raises(ds: Dataset, change: dict[str, Any], words: str) -> None:
    before = ds.fingerprint
    with pytest.raises(InputError, match=words):
        bn.create(ds.path, FRAME | change, key="id", label="label")
    with pytest.raises(InputError, match="3"):
        bn.create(ds.path, pd.DataFrame(FRAME)[:3], key="id", label="label")
    with pytest.raises(InputError, match="other roles"):
        bn.create(ds.path, FRAME, key="id")
    assert ds.fingerprint == before


def test_nothing_prints(
    ds: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str], issues: Findings
) -> None:
    ds.relabel(issues, ["dog", "dog"], because=issues)
    ds.undo()
    ds.redo()
    ds.commit("one")
    ds.export(tmp_path / "out.csv")
    bn.open(ds.path).close()
    assert (ds.fingerprint, ds.verify()) == (ds.head.fingerprint, [])
    assert capfd.readouterr() == ("", "")


def test_a_bare_string_is_one_key(tmp_path: Path) -> None:
    frame = {"id": ["a", "b", "ab"], "label": ["x", "y", "x"]}
    with bn.create(tmp_path / "x.burnish", frame, key="id", label="label") as ds:
        ds.relabel("ab", "y")
        assert ds.to_pandas()["label"].tolist() == ["x", "y", "y"]


@pytest.mark.parametrize(
    "to", ["dog", {"a": "dog", "c": "dog"}, ["dog", "dog"], np.array(["dog", "dog"])], ids=str
)
def test_values_are_one_a_mapping_or_one_per_row(ds: Dataset, to: Any) -> None:
    ds.relabel(["a", "c"], to)
    assert ds.to_pandas()["label"].tolist() == ["dog"] * 4


def test_rows_are_keys_selections_slices_or_findings(ds: Dataset, issues: Findings) -> None:
    rows = [
        ("a", 1),
        (["a", "c"], 2),
        (bn.Selection(["a", "c"]), 2),
        (bn.Slice("cats", "label = 'cat'"), 2),
        (bn.Slice("named", bn.Selection(["a"])), 1),
        (issues, 2),
        (issues[1:], 1),
        (pd.Series(["a"]), 1),
        ({"a", "c"}, 2),
        ([], 0),
    ]
    for given, count in rows:
        ds.relabel(given, "dog")
        assert len(ds.staged) == count, given
        ds.discard()


def test_a_new_class_warns_with_the_nearest_name(ds: Dataset) -> None:
    with pytest.warns(NewClassWarning, match="'dgo' is a new class; the nearest is 'dog'") as seen:
        ds.relabel("a", "dgo")
    assert seen[0].filename == __file__
    assert ds.classes == ["cat", "dgo", "dog"]


def test_strict_refuses_a_new_class(ds: Dataset) -> None:
    with pytest.raises(LabelError, match="nearest is 'dog'"):
        ds.relabel("a", "dgo", strict=True)
    assert not ds.staged


def test_a_label_may_become_null_without_a_warning(ds: Dataset) -> None:
    ds.relabel("a", None, strict=True)
    assert ds.to_arrow()["label"].to_pylist()[0] is None
    assert ds.classes == ["cat", "dog"]


def test_diff_names_what_changed_who_and_why(ds: Dataset, issues: Findings) -> None:
    ds.relabel("c", "dog", reason="it barks", because=issues)
    ds.drop("b")
    ds.mark("d", "hard")
    ds.commit("one", author="rex")
    frame = ds.diff("v0", "v1").frame()
    wanted = ["key", "column", "old", "new", "author", "reason", "version"]
    assert set(wanted) <= set(frame.columns)
    assert frame[["key", "column", "old", "new", "version"]].values.tolist() == [
        ["b", "$dropped", False, True, "v1"],
        ["d", "$mark:hard", False, True, "v1"],
        ["c", "label", "cat", "dog", "v1"],
    ]
    assert frame.iloc[2][["author", "reason", "finding"]].tolist() == [
        ds.user,
        "it barks",
        issues.id,
    ]
    back = ds.diff("v1", "v0").frame()
    assert back[["old", "new"]].values.tolist()[2] == ["dog", "cat"]
    assert list(ds.diff("v0", "v0").frame().columns) == list(frame.columns)


def test_staged_counts_cells(ds: Dataset) -> None:
    ds.relabel(["a", "c"], "dog")
    ds.set("a", "score", 1.0)
    ds.drop("d")
    assert len(ds.staged) == 4
    ds.set("a", "score", 0.1)
    assert len(ds.staged) == 3
    assert len(ds.staged.frame()) == 3


def test_an_accepted_decision_is_undone_with_its_edit(ds: Dataset, issues: Findings) -> None:
    ds.relabel(["c", "b"], ["dog", "cat"], because=issues)
    frame = ds.decisions.frame()
    assert frame[["key", "verdict", "finding", "position"]].values.tolist() == [
        ["c", "accepted", issues.id, 0]
    ]
    ds.undo()
    assert (len(ds.decisions), len(ds.staged)) == (0, 0)
    ds.redo()
    assert (len(ds.decisions), len(ds.staged)) == (1, 2)


def test_decisions_survive_reopening_and_commits(ds: Dataset, issues: Findings) -> None:
    ds.decide(["a"], "kept", because=issues, reason="sure")
    with bn.open(ds.path) as again:
        assert len(again.decisions) == 1
        assert len(again.staged) == 0
        assert bool(again.staged)
        version = again.commit("looked")
    assert (version.name, version.n_cells) == ("v1", 0)
    assert ds.decisions.frame()["version"].tolist() == ["v1"]
    assert ds.decisions.frame()["position"].tolist() == [1]


def test_a_verdict_is_one_of_four(ds: Dataset) -> None:
    with pytest.raises(InputError, match="accepted, kept, skipped, unsure"):
        ds.decide("a", "maybe")


def test_a_kernel_that_goes_away_loses_no_step(tmp_path: Path) -> None:
    first = bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label")
    first.relabel("a", "dog")
    first.drop("b")
    first.undo()
    del first  # never closed
    with bn.open(tmp_path / "x.burnish") as ds:
        assert (len(ds.staged), ds.redo_text) == (1, "drop 1 row")
        ds.redo()
        assert len(ds) == 3


def test_two_datasets_of_one_user_share_steps(ds: Dataset) -> None:
    seen: list[Change] = []
    with bn.open(ds.path) as other:
        other.on_change(seen.append)
        ds.relabel("a", "dog")
        assert other.to_pandas()["label"][0] == "dog"
        assert [change.kind for change in seen] == ["external"]
        other.undo()
        assert (len(ds.staged), ds.redo_text) == (0, "relabel 1 row to dog")
        ds.redo()
        other.commit("both")
        assert (ds.head.name, len(ds.staged)) == ("v1", 0)


def test_two_users_see_each_others_commits_but_not_their_staging(ds: Dataset) -> None:
    with bn.open(ds.path, user="bob") as other:
        ds.relabel("a", "dog")
        assert len(other.staged) == 0
        other.relabel("c", "dog")
        other.commit("bob's")
        assert (ds.head.name, len(ds.staged)) == ("v1", 1)
        ds.commit("mine")
        assert other.to_pandas()["label"].tolist() == ["dog"] * 4


def test_a_conflict_says_so_and_loses_nothing(ds: Dataset) -> None:
    with bn.open(ds.path, user="bob") as other:
        ds.relabel(["a", "b"], ["dog", "cat"])
        other.drop("a")
        other.commit("bob's")
        with pytest.raises(ConflictError, match="staged"):
            ds.commit("mine")
        assert (len(ds.staged), ds.head.name) == (2, "v0")
        assert ds.to_pandas()["label"].tolist() == ["dog", "cat", "cat", "dog"]
        ds.discard()
        assert (ds.head.name, len(ds)) == ("v1", 3)


def test_old_values_stay_right_when_others_commit_below_undone_steps(ds: Dataset) -> None:
    with bn.open(ds.path, user="bob") as other:
        ds.relabel("a", "dog")
        ds.relabel("a", "cat")
        ds.relabel("c", "dog")
        ds.undo()
        other.relabel(["a", "c"], "dog")
        other.commit("bob's")
        with pytest.raises(UndoError):
            ds.redo()
        ds.relabel("a", None)
        assert ds.staged.frame()[["key", "old", "new"]].values.tolist() == [["a", "dog", None]]
        ds.commit("mine")
        assert ds.diff("v2", "v1").frame()["new"].tolist() == ["dog"]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_export_writes_a_manifest_that_proves_it(ds: Dataset, tmp_path: Path, suffix: str) -> None:
    ds.relabel("a", "dog")
    ds.commit("one")
    out = ds.export(tmp_path / f"train.{suffix}", where="label = 'dog'")
    assert "manifest" in out.manifest.name
    assert out.manifest.parent == out.path.parent
    manifest = json.loads(out.manifest.read_text())
    assert manifest["fingerprint"] == ds.head.fingerprint == ds.fingerprint
    assert (manifest["version"], manifest["rows"], manifest["rows_in_version"]) == ("v1", 3, 4)
    assert (manifest["filter"], manifest["classes"]) == ("label = 'dog'", {"dog": 3})
    assert manifest["file_sha256"] == hashlib.sha256(out.path.read_bytes()).hexdigest()
    read = pq.read_table(out.path).to_pandas() if suffix == "parquet" else pd.read_csv(out.path)
    assert read["id"].tolist() == ["a", "b", "d"]


def test_export_refuses_staged_edits_and_leaves_nothing(ds: Dataset, tmp_path: Path) -> None:
    ds.relabel("a", "dog")
    with pytest.raises(StagedError, match=r"Hint: commit first"):
        ds.export(tmp_path / "train.csv")
    with pytest.raises(InputError, match="no row"):
        ds.export(tmp_path / "train.csv", where="score > 9", at="v0")
    with pytest.raises(InputError, match="suffix"):
        ds.export(tmp_path / "train.docx", at="v0")
    assert [path.name for path in tmp_path.iterdir()] == ["x.burnish"]
    assert ds.export(tmp_path / "train.csv", at="v0").version == "v0"


def test_at_takes_names_ids_fingerprints_branches_and_versions(ds: Dataset) -> None:
    ds.relabel("a", "dog")
    version = ds.commit("one")
    refs = ["v1", "main", version.id, version.id[:8], version.fingerprint[:10], version]
    assert {ds.at(ref).version for ref in refs} == {version}
    for ref in ("v2", "", "nonsense", "abcdef12"):
        with pytest.raises(UnknownVersionError, match="Hint"):
            ds.at(ref)


def test_reprs_are_short_and_true(ds: Dataset) -> None:
    assert repr(ds) == "Dataset(x.burnish: 4 rows, main at v0)"
    ds.drop("a")
    ds.decide("b", "kept")
    assert repr(ds) == "Dataset(x.burnish: 3 rows, main at v0, 1 cell staged, 1 decision staged)"
    assert repr(ds.staged) == "Staged(1 row dropped, 1 decision)"
    ds.commit("gone")
    assert repr(ds.diff("v0", "v1")) == "v0 → v1: 1 row dropped"
    ds.close()
    assert repr(ds) == "Dataset(x.burnish, closed)"


def test_a_closed_dataset_says_so(ds: Dataset) -> None:
    snapshot = ds.at("v0")
    ds.close()
    ds.close()
    calls = [ds.to_pandas, ds.undo, ds.log, lambda: len(ds), lambda: ds.relabel("a", "dog")]
    for act in [*calls, lambda: ds.fingerprint, lambda: ds.staged, lambda: ds.at("v0")]:
        with pytest.raises(ClosedError, match="open it again"):
            act()
    assert len(snapshot) == 4
    assert not list(ds.path.glob("*-wal"))


def deltas_read(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    deltas = ds._history.backend.deltas
    monkeypatch.setattr(ds._history.backend, "deltas", lambda c: (read.extend(c), deltas(c))[1])
    return read


def test_decisions_of_a_version_are_read_once(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in range(3):
        ds.decide("a", "kept")
        ds.commit(f"step {place}")
    assert len(ds.decisions) == 3
    read = deltas_read(ds, monkeypatch)
    ds.decide("b", "skipped")
    assert [len(ds.decisions), len(ds.decisions), read] == [4, 4, []]


def test_looking_for_a_fingerprint_reads_each_delta_a_few_times(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bn.open(ds.path) as first:
        for place in range(20):
            first.relabel("a", "dog" if place % 2 == 0 else "cat")
            first.commit(f"step {place}")
    with bn.open(ds.path) as again:
        read = deltas_read(again, monkeypatch)
        with pytest.raises(UnknownVersionError):
            again.at("abcdef12")
        assert len(read) <= 3 * 21
        assert again.at(again.at("v1").fingerprint).version.name == "v19"


def test_a_label_that_is_the_key_cannot_be_relabelled(tmp_path: Path) -> None:
    with bn.create(tmp_path / "y.burnish", FRAME, key="id", label="id") as ds:
        with pytest.raises(ColumnError, match="part of the key"):
            ds.relabel("a", "b")
        assert len(ds.staged) == 0


def test_a_decision_alone_does_not_hold_up_an_export(ds: Dataset, tmp_path: Path) -> None:
    ds.decide("a", "kept")
    assert ds.export(tmp_path / "train.csv").version == "v0"


def test_a_selection_and_a_slice_of_it_can_be_copied() -> None:
    chosen = bn.Selection(["b", "a"], source="lasso")
    again = copy.deepcopy(bn.Slice("mine", chosen)).where
    assert (again, again.keys, again.source) == (chosen, ["b", "a"], "lasso")
