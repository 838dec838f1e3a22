"""What a place for versions must be able to do to be measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from shared import CLASSES

RELABELS, DROPS = 500, 100


@dataclass(frozen=True)
class Edit:
    """Rows to relabel and rows to drop, by their keys."""

    keys: list[str]
    labels: list[str]
    drops: list[str]


class Editor:
    """Draws edits, the same ones for every system."""

    def __init__(self, table: pa.Table, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.keys = table["id"].to_numpy()
        self.codes = pc.index_in(table["label"], value_set=pa.array(CLASSES)).to_numpy().copy()
        self.live = np.arange(len(self.keys))

    def draw(self, relabels: int = RELABELS, drops: int = DROPS) -> Edit:
        """Return an edit of live rows: each relabelled one gets a label that it does not have."""
        drawn = self.rng.choice(len(self.live), relabels + drops, replace=False)
        rows, gone = self.live[drawn[:relabels]], drawn[relabels:]
        shift = self.rng.integers(1, len(CLASSES), relabels)
        self.codes[rows] = (self.codes[rows] + shift) % len(CLASSES)
        dropped = self.keys[self.live[gone]].tolist()
        self.live = np.delete(self.live, gone)
        return Edit(self.keys[rows].tolist(), CLASSES[self.codes[rows]].tolist(), dropped)


@dataclass(frozen=True)
class Timed:
    """A call to be measured, and what has to be done before it."""

    act: Callable[[], Any]
    before: Callable[[], Any] = lambda: None


class System:
    """A place for versions of one table; version 0 is the table as it was created.

    What a system cannot do, it does not define; that is printed as a dash.
    """

    most_commits = 20
    repeats = 20

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, table: pa.Table) -> None:
        """Make version 0."""
        raise NotImplementedError

    def open(self) -> None:
        """Open what is in the folder."""

    def commit(self, edit: Edit) -> Timed:
        """Make the next version."""
        raise NotImplementedError

    def labels(self, version: int) -> pa.Array:
        """Return the labels at a version."""
        return self.read(version, ["label"])["label"]

    def read(self, version: int, columns: list[str]) -> pa.Table:
        """Return columns at a version."""
        raise NotImplementedError

    def diff(self, old: int, new: int) -> int:
        """Return how many cells differ between two versions, all of them in hand."""
        raise NotImplementedError

    def close(self) -> None:
        """Put everything into files."""

    def size(self) -> int:
        """Return the bytes of all versions."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


def changed(old: pa.Table, new: pa.Table) -> int:
    """Return the changed cells between two tables of id and label, for who has to compare them."""
    both = old.join(new, "id", join_type="full outer", right_suffix="_new")
    unequal = pc.invert(pc.fill_null(pc.equal(both["label"], both["label_new"]), False))
    return int(pc.sum(unequal).as_py())
