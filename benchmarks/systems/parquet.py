"""A Parquet file a version, written anew."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from systems.base import Edit, System, Timed, changed


def edited(table: pa.Table, edit: Edit) -> pa.Table:
    """Return a table with the edit in it."""
    places = pc.index_in(pa.array(edit.keys), value_set=table["id"]).to_numpy()
    labels = table["label"].to_numpy().copy()
    labels[places] = edit.labels
    table = table.set_column(table.column_names.index("label"), "label", pa.array(labels))
    gone = pc.is_in(table["id"], value_set=pa.array(edit.drops, pa.string()))
    return table.filter(pc.invert(gone)) if edit.drops else table


class Parquet(System):
    """A Parquet file a version, each written and synchronised as a whole."""

    repeats = 10

    def create(self, table: pa.Table) -> None:
        self.folder.mkdir()
        self.table, self.version = table, 0
        self._write()

    def _write(self) -> None:
        path = self._path(self.version)
        pq.write_table(self.table, path)
        with path.open("rb") as file:
            os.fsync(file.fileno())

    def _path(self, version: int) -> Path:
        return self.folder / f"{version}.parquet"

    def commit(self, edit: Edit) -> Timed:
        def act() -> None:
            self.table = edited(self.table, edit)
            self.version += 1
            self._write()

        return Timed(act)

    def read(self, version: int, columns: list[str]) -> pa.Table:
        return pq.read_table(self._path(version), columns=columns)

    def diff(self, old: int, new: int) -> int:
        return changed(self.read(old, ["id", "label"]), self.read(new, ["id", "label"]))

    def blame(self) -> int:
        """Return the newest version that changed each row's label, by comparing all of them."""
        first = self.read(0, ["id", "label"])
        ids, last = first["id"], first["label"]
        found = np.zeros(len(ids), np.int32)
        for version in range(1, self.version + 1):
            table = self.read(version, ["id", "label"])
            now = table["label"].take(pc.index_in(ids, value_set=table["id"]))
            found[pc.fill_null(pc.not_equal(now, last), False).to_numpy()] = version
            last = now
        return len(found)
