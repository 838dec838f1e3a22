"""What every cell holds at one moment: the base and what changed since."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import logical_type
from burnish.core.delta import DROPPED, MARK, Delta, Ordinals, is_system, numbers, squash
from burnish.core.fingerprint import MODULUS, column_sum
from burnish.store.base import Base

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class State:
    """All cells at one moment, by ordinal.

    Attributes
    ----------
    base : Base
        The rows as they were created.
    changed : Delta
        The net change since.
    """

    base: Base
    changed: Delta
    _columns: dict[str, pa.Array] = field(default_factory=dict, repr=False)

    def apply(self, delta: Delta) -> State:
        """Return the state after a delta; columns that it leaves alone are shared."""
        kept = {n: array for n, array in self._columns.items() if n not in delta.cells}
        cells = squash([Delta(self.changed.cells), Delta(delta.cells)])
        return State(self.base, cells, kept)

    @property
    def names(self) -> list[str]:
        """The user's columns, in their order."""
        return list(self.base.schema.names)

    @property
    def n_ordinals(self) -> int:
        """Rows that ever were, dropped ones included."""
        return len(self.base)

    @property
    def n_live(self) -> int:
        """Rows that are not dropped."""
        return self.n_ordinals - len(self.changed.ordinals(DROPPED))

    @property
    def marks(self) -> list[str]:
        """Names of marks that some row has or had."""
        return [name.removeprefix(MARK) for name in self.changed.cells if name.startswith(MARK)]

    @cached_property
    def live_mask(self) -> Mask:
        """True for each ordinal that is not dropped."""
        mask = np.ones(self.n_ordinals, dtype=bool)
        mask[self.changed.ordinals(DROPPED)] = False
        return mask

    @cached_property
    def live(self) -> Ordinals:
        """Ordinals that are not dropped, rising."""
        return np.flatnonzero(self.live_mask).astype(np.int64)

    def type_of(self, name: str) -> pa.DataType:
        """Return the Arrow type of a column."""
        return pa.bool_() if is_system(name) else self.base.schema.field(name).type

    def column(self, name: str) -> pa.Array:
        """Return a column, one value per ordinal, dropped rows included."""
        found = self._columns.get(name)
        if found is None:
            found = self._compose(name)
            if is_system(name) or name in self.changed.cells:  # the base keeps its own columns
                self._columns[name] = found
        return found

    def live_column(self, name: str) -> pa.Array:
        """Return a column of the live rows."""
        column = self.column(name)
        return column if self.n_live == self.n_ordinals else column.take(pa.array(self.live))

    def take(self, name: str, ordinals: Ordinals) -> pa.Array:
        """Return a column at some ordinals, at the cost of those cells only."""
        if name in self._columns or is_system(name):
            return self.column(name).take(pa.array(ordinals))
        values = self.base.take(name, ordinals)
        table = self.changed.cells.get(name)
        if table is None:
            return values
        places = np.searchsorted(numbers(table, "ordinal"), ordinals)
        return _overlay(values, numbers(table, "ordinal"), places, ordinals, table["new"])

    def sums(self) -> dict[str, int]:
        """Return the fingerprint's column sums, from all cells."""
        keys = self.base.key_bytes(None if self.n_live == self.n_ordinals else self.live)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sums = pool.map(lambda n: column_sum(n, keys, self.live_column(n)), self.names)
            return dict(zip(self.names, sums, strict=True))

    def types(self) -> dict[str, str]:
        """Return the columns' types as the fingerprint sees them."""
        return {name: logical_type(self.type_of(name)) for name in self.names}

    def _compose(self, name: str) -> pa.Array:
        size = self.n_ordinals
        array = pa.array(np.zeros(size, bool)) if is_system(name) else self.base.column(name)
        table = self.changed.cells.get(name)
        if table is None:
            return array
        return scatter(array, numbers(table, "ordinal"), table["new"].combine_chunks())


def scatter(array: pa.Array, ordinals: Ordinals, values: pa.Array) -> pa.Array:
    """Return the array with new values at sorted places."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_nested(array.type) or pa.types.is_duration(array.type):  # have no such kernel
        places = np.arange(len(array))
        places[ordinals] = len(array) + np.arange(len(ordinals))
        return pa.concat_arrays([array, values.cast(array.type)]).take(pa.array(places))
    mask = np.zeros(len(array), dtype=bool)
    mask[ordinals] = True
    return pc.replace_with_mask(array, pa.array(mask), values)


def adjusted_sums(
    sums: dict[str, int], before: State, after: State, delta: Delta
) -> dict[str, int]:
    """Return the column sums after a delta, from those before it, at the cost of its cells."""
    toggled = delta.ordinals(DROPPED)
    out = dict(sums)
    for name in before.names:
        rows = np.union1d(toggled, delta.ordinals(name))
        if len(rows):
            gone = _part_sum(before, name, rows[before.live_mask[rows]])
            come = _part_sum(after, name, rows[after.live_mask[rows]])
            out[name] = (out[name] - gone + come) % MODULUS
    return out


def _part_sum(state: State, name: str, ordinals: Ordinals) -> int:
    if not len(ordinals):
        return 0
    return column_sum(name, state.base.key_bytes(ordinals), state.take(name, ordinals))


def _overlay(
    values: pa.Array,
    changed: Ordinals,
    places: npt.NDArray[np.intp],
    ordinals: Ordinals,
    new: pa.ChunkedArray,
) -> pa.Array:
    inside = np.minimum(places, len(changed) - 1)
    hit = changed[inside] == ordinals
    if not hit.any():
        return values
    at = np.flatnonzero(hit).astype(np.int64)
    return scatter(values, at, new.take(pa.array(inside[hit])).combine_chunks())
