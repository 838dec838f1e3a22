"""Delta Lake through delta-rs: a merge a commit, with the change data feed."""

from __future__ import annotations

import pyarrow as pa

from systems.base import Edit, System, Timed


class Delta(System):
    """A Delta table with its change data feed on."""

    repeats = 10

    def create(self, table: pa.Table) -> None:
        from deltalake import DeltaTable, write_deltalake

        feed = {"delta.enableChangeDataFeed": "true"}
        write_deltalake(str(self.folder), table, configuration=feed)
        self.table = DeltaTable(str(self.folder))

    def open(self) -> None:
        from deltalake import DeltaTable

        self.table = DeltaTable(str(self.folder))

    def commit(self, edit: Edit) -> Timed:
        def act() -> None:
            kept, gone = len(edit.keys), len(edit.drops)
            new = {
                "id": [*edit.keys, *edit.drops],
                "label": pa.array([*edit.labels, *[None] * gone], pa.string()),
                "gone": [False] * kept + [True] * gone,
            }
            merge = self.table.merge(pa.table(new), "t.id = s.id", "s", "t")
            merge = merge.when_matched_delete("s.gone").when_matched_update({"label": "s.label"})
            merge.execute()

        return Timed(act)

    def read(self, version: int, columns: list[str]) -> pa.Table:
        self.table.load_as_version(version)
        found = self.table.to_pyarrow_dataset().to_table(columns=columns)
        self.table.update_incremental()
        return found

    def diff(self, old: int, new: int) -> int:
        names = ["id", "label", "_change_type"]
        feed = pa.table(self.table.load_cdf(old + 1, new, columns=names))
        kinds = feed["_change_type"].to_pylist()
        return kinds.count("update_postimage") + kinds.count("delete")
