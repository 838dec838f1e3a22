"""Write the store that pins a format, and what it must say for ever, in this folder.

The store of a format is written once and opened for ever; make a new one beside it when the
format changes. ``format-1.zip`` was written like this too, by the code of its time.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import burnish as bn
import burnish.dataset.history
from burnish.core.finding import Findings
from burnish.dataset import Dataset
from burnish.errors import NewClassWarning

NAME = "format-2"
FRAME: dict[str, Any] = {
    "id": ["a", "b", "ç", "d"],
    "label": ["cat", "dog", None, "cat"],
    "n": [1, None, -3, 4],
    "x": [0.5, float("nan"), -0.0, 1.5],
    "v": np.array([[1.0, np.nan], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]], np.float32),
    "t": np.array(["2020-01-01", "NaT", "1969-12-31T23:59:59.5", "2021-06-01"], "M8[us]"),
}


def main(folder: Path) -> dict[str, Any]:
    """Write the store and return what it says."""
    with bn.create(folder, FRAME, key="id", label="label", embedding="v") as ds:
        first_edits(ds)
        two_branches(ds)
        other_columns_and_classes(ds)
        staged(ds)
        assert ds.verify() == []
        assert ds._history.backend.keyframes()
        return told(ds)


def first_edits(ds: Dataset) -> None:
    """Relabel with a reason and a finding, mark, decide, tag, and take a newer edition in."""
    findings = Findings("label-issue", ["b"], [0.75], ["dog"], ["cat"])
    ds.relabel("b", "cat", reason="it purrs", because=findings)
    ds.mark("a", "hard")
    ds.decide("a", "kept")
    ds.commit("one", author="ann")
    ds.tag("release-1")
    ds.rebase({**FRAME, "x": [0.5, 2.5, -0.0, 1.5]}, message="refreshed")


def two_branches(ds: Dataset) -> None:
    """Add rows and a column on two branches, and merge them with a conflict."""
    ds.branch("alice")
    ds.add({"id": ["p", "q"], "label": ["dog", "dog"], "n": [7, 8]}, parents=["a", None])
    ds.commit("rows", author="ann")
    ds.switch("alice")
    ds.add_column("w", {"a": 0.25, "b": 0.5}, role="weight")
    ds.add({"id": ["p", "z"], "label": ["cat", "cat"], "n": [7, 9], "w": [1.0, 2.0]})
    ds.commit("hers", author="alice")
    ds.drop("ç", reason="blurred")
    ds.commit("dropped", author="alice")
    ds.switch("main")
    ds.merge("alice", "theirs", message="both")


def other_columns_and_classes(ds: Dataset) -> None:
    """Rename, cast and drop columns, rename and merge classes, take a version back, erase a row."""
    ds.rename_column("n", "count")
    ds.cast_column("count", "float64")
    ds.rename_label("cat", "Katze")
    ds.commit("renamed", author="bob")
    ds.drop_column("t")
    ds.merge_labels(["dog"], "Hund")
    ds.commit("merged classes", author="bob")
    ds.set("p", "count", 0.5)
    ds.commit("typo", author="bob")
    ds.revert(ds.head)
    ds.purge("d", reason="asked to")


def staged(ds: Dataset) -> None:
    """Leave an edit, an added row and an undone step."""
    ds.set("a", "v", [9.0, 8.0])
    ds.add({"id": ["s"], "label": ["Hund"]})
    ds.set("a", "x", 7.0)
    ds.undo()


def told(ds: Dataset) -> dict[str, Any]:
    """Return what the store must say for ever."""
    versions = ds.log(all=True)
    return {
        "ids": {version.name: version.id for version in versions},
        "fingerprints": {version.name: version.fingerprint for version in versions},
        "keys": {version.name: ds.at(version).keys.tolist() for version in versions},
        "columns": {version.name: ds.at(version).columns for version in versions},
        "branches": {name: version.name for name, version in ds.branches.items()},
        "tags": {name: version.name for name, version in ds.tags.items()},
        "authors": [version.author for version in versions],
        "blame": ds.blame().frame()[["key", "value", "version"]].values.tolist(),
        "acts": [move.act for move, _ in ds.reflog()],
        "roles": ds.roles,
        "parents": ds.parents,
        "staged": [ds.fingerprint, len(ds.staged), ds.undo_text, ds.redo_text],
        "graph": [line[:12].rstrip() for line in ds.log(all=True).graph().splitlines()],
    }


if __name__ == "__main__":
    os.environ["BURNISH_USER"] = "golden"
    warnings.simplefilter("ignore", NewClassWarning)
    burnish.dataset.history._KEYFRAME_VERSIONS = 4
    with tempfile.TemporaryDirectory() as scratch:
        facts = main(Path(scratch, NAME))
        here = Path(__file__).parent
        shutil.make_archive(str(here / NAME), "zip", Path(scratch, NAME))
        text = json.dumps(facts, indent=2, ensure_ascii=False)
        (here / f"{NAME}.json").write_text(text + "\n")
