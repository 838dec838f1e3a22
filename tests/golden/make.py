"""Write the store that pins the first format, as ``format-1.zip`` in this folder.

The store of a format is written once and opened for ever; make a new one beside it when the
format changes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import burnish as bn
from burnish.core.finding import Findings

FRAME: dict[str, Any] = {
    "id": ["a", "b", "ç"],
    "label": ["cat", "dog", None],
    "n": [1, None, -3],
    "x": [0.5, float("nan"), -0.0],
    "v": np.array([[1.0, np.nan], [2.0, 3.0], [4.0, 5.0]], np.float32),
    "t": np.array(["2020-01-01", "NaT", "1969-12-31T23:59:59.5"], "M8[us]"),
}


def main(folder: Path) -> None:
    """Write the store: two versions, a staged edit, an undone one and decisions."""
    with bn.create(folder, FRAME, key="id", label="label", embedding="v") as ds:
        findings = Findings("label-issue", ["b"], [0.75], ["dog"], ["cat"])
        ds.relabel("b", "cat", reason="it purrs", because=findings)
        ds.mark("a", "hard")
        ds.commit("one", author="ann")
        ds.drop("ç")
        ds.decide("a", "kept")
        ds.commit("two", author="bob")
        ds.set("a", "v", [9.0, 8.0])
        ds.set("a", "n", 7)
        ds.undo()
        assert ds.fingerprint


if __name__ == "__main__":
    os.environ["BURNISH_USER"] = "golden"
    with tempfile.TemporaryDirectory() as scratch:
        main(Path(scratch, "format-1"))
        archive = Path(__file__).with_name("format-1")
        shutil.make_archive(str(archive), "zip", Path(scratch, "format-1"))
