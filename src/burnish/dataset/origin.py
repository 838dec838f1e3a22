"""What cells held before any edit: in the base, in added rows, in added columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import (
    ROW,
    Ordinals,
    is_system,
    numbers,
)
from burnish.core.schema import Schema
from burnish.dataset.coded import Coded
from burnish.dataset.layer import News
from burnish.dataset.placing import found, nothing, scatter, spread
from burnish.store.rows import PARENT, Rows


@dataclass(frozen=True, eq=False)
class Origin:
    """All cells as they came, by ordinal.

    Attributes
    ----------
    rows : Rows
        The rows as they were created or added.
    schema : Schema
    size : int
        Rows that ever were, dropped ones included.
    added_rows : Table
        The cells that let rows be added, by rising ordinal.
    """

    rows: Rows
    schema: Schema
    size: int
    added_rows: pa.Table

    def column(self, column: str) -> Coded:
        """Return a column, one value per ordinal."""
        size, kind, source = self.size, self._type(column), _source(self.schema, column)
        if source is not None:
            file = self.rows.column_file(source)
            coded = Coded.of(spread(file.ordinals, file.values, size))
        elif is_system(column):
            few = kind in (pa.bool_(), pa.string())
            coded = Coded((nothing(kind, 1),), np.zeros(size, np.uint8), few)
        else:
            base, words = self.rows.base, self.rows.base.words(column)
            coded = Coded((words[0],), words[1], True) if words else Coded.of(base.column(column))
        added = self._ordinals
        parts = self._added(column, added)
        return coded.longer(size).changed([News.of(added[at], values) for at, values in parts])

    def at(self, column: str, ordinals: Ordinals) -> pa.Array:
        """Return a column at some ordinals."""
        source = _source(self.schema, column)
        if source is not None:
            file = self.rows.column_file(source)
            array = found(file.ordinals, file.values, ordinals)
        elif is_system(column):
            array = nothing(self._type(column), len(ordinals))
        else:
            beyond = ordinals >= len(self.rows.base)
            array = self.rows.base.take(column, ordinals[~beyond])
            if beyond.any():
                array = array.take(pa.array(np.cumsum(~beyond) - 1, mask=beyond))
        for places, values in self._added(column, ordinals):
            array = scatter(array, places, values)
        return array

    @cached_property
    def _ordinals(self) -> Ordinals:
        return numbers(self.added_rows, "ordinal")

    def _type(self, column: str) -> pa.DataType:
        return type_of(self.rows, self.schema, column)

    def _added(
        self, column: str, ordinals: Ordinals
    ) -> Iterator[tuple[npt.NDArray[np.int64], pa.Array]]:
        """Return what segments hold of a column at some ordinals, by place among these."""
        added = self._ordinals
        if not len(added) or (is_system(column) and not column.startswith(PARENT)):
            return
        at = np.minimum(np.searchsorted(added, ordinals), len(added) - 1)
        hits = np.flatnonzero(added[at] == ordinals)
        names = self.added_rows["new"].take(pa.array(at[hits])).to_numpy()
        for name in dict.fromkeys(names):
            places = hits[names == name]
            values = self.rows.segment(name).take(column, ordinals[places])
            if values is not None:
                yield places, values


def type_of(rows: Rows, schema: Schema, column: str) -> pa.DataType:
    """Return the Arrow type of a column id."""
    if column == ROW:
        return pa.string()
    if column.startswith(PARENT):
        return type_of(rows, schema, column.removeprefix(PARENT))
    if is_system(column):
        return pa.bool_()
    source = _source(schema, column)
    if source is not None:
        return rows.column_file(source).values.type
    return rows.base.schema.field(column).type


def _source(schema: Schema, column: str) -> str | None:
    known = schema.by_id.get(column)
    return known.source if known else None
