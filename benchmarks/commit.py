"""Staging and committing 500 relabels on 1 M rows, beside rewriting the table as Parquet.

The rewrites come last: what they leave to the disk would hold up the durable writes of a commit.
"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from shared import CLASSES, MILLION, megabytes, quick, scratch, seconds, show, size_of, table

import burnish as bn

EDITS = 500


class Editor:
    """Relabels rows at random, in the store and in a plain table."""

    def __init__(self, rows: pa.Table, path: Path) -> None:
        self.rows = rows
        self.path = path
        self.rng = np.random.default_rng(1)
        self.keys = rows["id"].to_numpy()
        self.labels = rows["label"].to_numpy().copy()

    def draw(self, size: int) -> tuple[list[str], list[str]]:
        """Return keys, and for each a label that it does not have."""
        places = self.rng.choice(len(self.keys), size, replace=False)
        shift = self.rng.integers(1, len(CLASSES), size)
        now = np.searchsorted(CLASSES, self.labels[places])
        self.labels[places] = CLASSES[(now + shift) % len(CLASSES)]
        return self.keys[places].tolist(), self.labels[places].tolist()

    def rewrite(self) -> float:
        """Time a write of the whole table with the labels of now."""
        place = self.rows.column_names.index("label")
        rows = self.rows.set_column(place, "label", [self.labels])
        return seconds(lambda: pq.write_table(rows, self.path))


def stage(ds: bn.Dataset, editor: Editor, size: int) -> float:
    keys, labels = editor.draw(size)
    return seconds(lambda: ds.relabel(keys, labels, reason="looked again"))


def read_old(path: Path) -> float:
    """Read the labels of an early version in a store that was just opened."""
    with bn.open(path) as ds:
        return seconds(lambda: ds.at("v2").to_arrow(columns=["label"]))


def sync(folder: Path) -> float:
    """Time a durable write of one page, the floor under every commit."""
    with (folder / "page").open("ab") as file:
        file.write(bytes(4096))
        file.flush()
        return seconds(lambda: os.fsync(file.fileno()))


def main() -> None:
    small = quick()
    rows = table(20_000 if small else MILLION)
    commits, rewrites = (4, 1) if small else (20, 5)
    names = [f"commit of {EDITS}", "Parquet rewrite", "durable page", f"stage {EDITS}", "stage one"]
    took: dict[str, list[float]] = {name: [] for name in names}
    with scratch() as folder:
        store = folder / "t.burnish"
        editor = Editor(rows, folder / "t.parquet")
        with bn.create(store, rows, key="id", label="label") as ds:
            stage(ds, editor, EDITS)
            ds.commit("warm up")
        before = size_of(store / "store.sqlite")
        with bn.open(store) as ds:
            for _ in range(commits):
                took[names[3]].append(stage(ds, editor, EDITS))
                took[names[0]].append(seconds(lambda: ds.commit("looked again")))
                took["durable page"].append(sync(folder))
        grown = (size_of(store / "store.sqlite") - before) / commits
        with bn.open(store) as ds:
            stage(ds, editor, 1)
            took["stage one"] = [stage(ds, editor, 1) for _ in range(commits)]
            ds.discard()
        took["labels at v2"] = [read_old(store) for _ in range(commits)]
        took["Parquet rewrite"] = [editor.rewrite() for _ in range(rewrites)]
        written = size_of(editor.path)
    notes = {
        names[0]: f"{megabytes(grown)} a commit (targets ≤ 10 ms, ≤ 20 kB)",
        "Parquet rewrite": f"{megabytes(written)}, {written / grown:,.0f} × the bytes",
        "labels at v2": f"{median(took['labels at v2']) * 1e9 / len(rows):.0f} ns a row",
    }
    show(took, ours=names[0], notes=notes)


if __name__ == "__main__":
    main()
