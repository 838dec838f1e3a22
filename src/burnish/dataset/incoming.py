"""What a dataset is made from: a frame to write, or files to leave where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from burnish.core.canonical import key_bytes, logical_type
from burnish.core.fingerprint import column_sum
from burnish.dataset.identity import CONTENT_KEY, content_keys, content_names, counted_keys
from burnish.errors import InputError
from burnish.io.frames import check_names, to_table
from burnish.store.adopted import Adoption
from burnish.store.base import Base, MappedBase
from burnish.store.references import reference_to


class Incoming(Protocol):
    """Rows that a dataset is made from."""

    @property
    def schema(self) -> pa.Schema:
        """The columns, content keys included."""

    def __len__(self) -> int: ...

    def own_keys(self) -> str:
        """Return the name of the column of content keys, which is added where it is missing."""

    def keys(self, names: list[str]) -> pa.Table:
        """Return the key columns."""

    def write(self, folder: Path, home: Path, keys: pa.Table) -> str:
        """Write the base into a folder that will be moved to `home`; return its hash."""

    def difference(self, base: Base) -> str | None:
        """Return in what a base is not made from this, None where it is."""


def incoming(source: Any) -> Incoming:
    """Return what was passed to `create` as rows to write or to refer to."""
    reference = reference_to(source)
    return _Frame(to_table(source)) if reference is None else _Files(Adoption(reference))


class _Frame:
    """Rows in memory."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @property
    def schema(self) -> pa.Schema:
        return self._table.schema

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def own_keys(self) -> str:
        if CONTENT_KEY not in self._table.column_names:
            keys = content_keys(self._table)
            self._table = self._table.add_column(0, CONTENT_KEY, keys)
        return CONTENT_KEY

    def keys(self, names: list[str]) -> pa.Table:
        return self._table.select(names)

    def write(self, folder: Path, home: Path, keys: pa.Table) -> str:
        return MappedBase.write(folder, self._table, keys.column_names)

    def difference(self, base: Base) -> str | None:
        table = self._table
        if len(base) != len(table):
            return f"{len(base):,} rows, the frame has {len(table):,}"
        if base.schema.names != table.schema.names:
            return f"other columns: {', '.join(base.schema.names)}"
        ordinals = base.find(key_bytes([table[name] for name in base.key]))
        if len(np.unique(ordinals)) != len(table) or ordinals.min() < 0:
            return "other keys"
        if not np.array_equal(ordinals, np.arange(len(table))):
            table = table.take(pa.array(np.argsort(ordinals)))
        keys = base.key_bytes()
        changed = [n for n in table.column_names if not _same(n, keys, base.column(n), table[n])]
        return f"other values in {', '.join(changed)}" if changed else None


class _Files:
    """Rows in files that stay where they are."""

    def __init__(self, adoption: Adoption) -> None:
        self._adoption = adoption
        self._has_own_keys = False
        check_names(adoption.source.schema.names)
        if not len(self):
            raise InputError(
                "the files hold no rows, expected at least one row",
                hint="check what was written before bn.create",
            )

    @property
    def schema(self) -> pa.Schema:
        own = [pa.field(CONTENT_KEY, pa.string())] if self._has_own_keys else []
        return pa.schema([*own, *self._adoption.source.schema])

    def __len__(self) -> int:
        return self._adoption.source.rows

    def own_keys(self) -> str:
        self._has_own_keys = CONTENT_KEY not in self._adoption.source.schema.names
        return CONTENT_KEY

    def keys(self, names: list[str]) -> pa.Table:
        self._adoption.settle_types()
        source = self._adoption.source
        if self._has_own_keys and names == [CONTENT_KEY]:
            pieces = source.batches(source.schema.names)
            found = counted_keys([name for piece in pieces for name in content_names(piece)])
            return pa.table({CONTENT_KEY: found})
        return self._adoption.columns(names)

    def write(self, folder: Path, home: Path, keys: pa.Table) -> str:
        return self._adoption.write(folder, home, keys)

    def difference(self, base: Base) -> str | None:
        if not self._adoption.is_in(base):
            return "a base that is not made from these files"
        same = base.schema.names == self.schema.names
        return None if same else f"other columns: {', '.join(base.schema.names)}"


def _same(name: str, keys: pa.Array, old: pa.Array, new: pa.ChunkedArray) -> bool:
    """Whether two columns hold the same values, whatever their width; NaN equals NaN."""
    if pa.chunked_array([old]).equals(new):
        return True
    if logical_type(old.type) != logical_type(new.type):
        return False
    return column_sum(name, keys, old) == column_sum(name, keys, new)
