"""What every cell holds at one moment: the rows that ever were, and the changes since.

A state is the base and a pile of deltas, so making one costs nothing. Columns, the mask of live
rows and the net change of a column are worked out when they are asked for, from what a state
below already knew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import logical_type
from burnish.core.delta import (
    COLUMN,
    DROPPED,
    MARK,
    ROW,
    VERSION,
    Delta,
    Ordinals,
    cells_schema,
    is_system,
    latest,
    latest_facts,
    numbers,
    stamped,
)
from burnish.core.fingerprint import column_sum
from burnish.core.schema import Facts, Schema, changed_facts
from burnish.dataset.coded import Coded
from burnish.dataset.layer import Layer, Made, News, joined
from burnish.dataset.origin import Origin, type_of
from burnish.dataset.placing import overlay
from burnish.store.rows import Rows

Mask = npt.NDArray[np.bool_]
STAGED = -1
T = TypeVar("T")


@dataclass(frozen=True)
class _Known(Generic[T]):
    """Something worked out from the first layers of a state."""

    depth: int
    value: T


@dataclass(frozen=True, eq=False)
class State:
    """All cells at one moment, by ordinal.

    Attributes
    ----------
    rows : Rows
        The rows as they were created or added.
    facts : mapping of str to str
        What is true of the dataset as a whole, as JSON texts.
    layers : tuple of Layer
        The changes since the first version, oldest first.
    """

    rows: Rows
    facts: Facts
    layers: tuple[Layer, ...] = ()
    _columns: dict[str, _Known[Coded]] = field(default_factory=dict, repr=False)
    _nets: dict[str, _Known[pa.Table]] = field(default_factory=dict, repr=False)
    _masks: dict[str, _Known[Mask]] = field(default_factory=dict, repr=False)

    def apply(self, delta: Delta, version: int = STAGED) -> State:
        """Return the state after a delta, at no cost: what is known is carried along."""
        return self.under(Made(stamped(delta, version)))

    def under(self, layer: Layer) -> State:
        """Return the state below one more layer."""
        columns = dict(self._columns)
        facts = changed_facts(self.facts, layer.facts)
        if ROW in layer.columns:
            columns.clear()
        if len(layer.facts):
            schema = Schema(facts)
            columns = {n: c for n, c in columns.items() if self._same_source(n, schema)}
        layers = (*self.layers, layer)
        return State(self.rows, facts, layers, columns, dict(self._nets), dict(self._masks))

    def flat(self, layer: Layer) -> State:
        """Return the same state with one layer in the place of all."""
        depth = len(self.layers)
        columns, nets = _at(self._columns, depth, 1), _at(self._nets, depth, 1)
        return State(self.rows, self.facts, (layer,), columns, nets, _at(self._masks, depth, 1))

    def settled(self, below: State, delta: Delta, version: int) -> State:
        """Return the same state as a version on another one, with what is known of the cells."""
        made = below.apply(delta, version)
        depth, top = len(self.layers), len(made.layers)
        if not changes_shape(delta) and self.layers[: top - 1] == below.layers:
            made._columns.update({n: k for n, k in self._columns.items() if k.depth < top})
            made._masks.update({n: k for n, k in self._masks.items() if k.depth < top})
        made._columns.update(_at(self._columns, depth, top))
        made._masks.update(_at(self._masks, depth, top))
        return made

    @cached_property
    def schema(self) -> Schema:
        """Columns, roles and classes."""
        return Schema(self.facts)

    @property
    def names(self) -> list[str]:
        """The user's columns, in their order."""
        return list(self.schema.names)

    @property
    def key(self) -> list[str]:
        """Names of the key columns."""
        return self.rows.key

    @cached_property
    def n_ordinals(self) -> int:
        """Rows that ever were on the way here, dropped ones included."""
        return max(len(self.rows.base), int(self.added.max(initial=-1)) + 1)

    @property
    def n_there(self) -> int:
        """Rows that are there, dropped ones included."""
        gone = np.count_nonzero(self.rows.purged < len(self.rows.base))
        return len(self.rows.base) - int(gone) + len(self.added)

    @cached_property
    def n_live(self) -> int:
        """Rows that are there and not dropped."""
        return int(np.count_nonzero(self.live_mask))

    @property
    def live_mask(self) -> Mask:
        """True for each ordinal that is there and not dropped."""
        known = self._masks.get("live")
        if known is None or known.depth < len(self.layers):
            known = _Known(len(self.layers), self._live_mask(known))
            self._masks["live"] = known
        return known.value

    @cached_property
    def live(self) -> Ordinals:
        """Ordinals that are there and not dropped, rising."""
        return np.flatnonzero(self.live_mask).astype(np.int64)

    @cached_property
    def gone(self) -> Ordinals:
        """Ordinals that are not live, rising."""
        return np.flatnonzero(~self.live_mask).astype(np.int64)

    @cached_property
    def added(self) -> Ordinals:
        """Ordinals of the rows that were added and are there, dropped ones included, rising."""
        return numbers(self._added_rows, "ordinal")

    @cached_property
    def _added_rows(self) -> pa.Table:
        rows = self.net(ROW)
        return rows.filter(pc.is_valid(rows["new"]))

    @property
    def marks(self) -> list[str]:
        """Names of marks that some row has or had."""
        return sorted(name.removeprefix(MARK) for name in self.touched if name.startswith(MARK))

    def is_live(self, ordinals: Ordinals) -> Mask:
        """Return which ordinals are live; those beyond the last row are not."""
        inside = np.minimum(ordinals, self.n_ordinals - 1)
        return np.asarray(self.live_mask[inside] & (ordinals < self.n_ordinals))

    def is_there(self, ordinals: Ordinals) -> Mask:
        """Return which ordinals are rows of the base or were added, dropped ones included."""
        there = (ordinals >= 0) & (ordinals < len(self.rows.base))
        if len(self.rows.purged):
            there &= ~np.isin(ordinals, self.rows.purged)
        return there | np.isin(ordinals, self.added) if len(self.added) else there

    @property
    def there(self) -> Ordinals:
        """Ordinals of the rows of the base and those that were added, dropped ones included."""
        own = np.arange(len(self.rows.base), dtype=np.int64)
        return np.concatenate([np.setdiff1d(own, self.rows.purged), self.added])

    @property
    def column_ids(self) -> set[str]:
        """Ids of the columns that there are or were on the way here."""
        ids = {name for name in self.touched if not is_system(name)}
        for layer in self.layers:
            names = layer.facts["name"].to_pylist()
            ids |= {name.removeprefix(COLUMN) for name in names if name.startswith(COLUMN)}
        return ids | set(self.rows.base.schema.names)

    def id_of(self, name: str) -> str:
        """Return the id of a column; one of burnish's own is its own id."""
        return name if is_system(name) else self.schema.by_name[name].id

    def name_of(self, column: str) -> str:
        """Return the name of a column id; the id where there is no such column."""
        found = self.schema.by_id.get(column)
        return found.name if found else column

    def type_of(self, name: str) -> pa.DataType:
        """Return the Arrow type of a column."""
        return self._type(self.id_of(name))

    def column(self, name: str) -> pa.Array:
        """Return a column, one value per ordinal, dropped rows included."""
        return self._coded(self.id_of(name)).all()

    def live_column(self, name: str) -> pa.Array:
        """Return a column of the live rows."""
        column = self._coded(self.id_of(name))
        return column.all() if self.n_live == self.n_ordinals else column.at(self.live)

    def live_pieces(self, name: str) -> pa.ChunkedArray:
        """Return a column of the live rows, made piece by piece, in little more than its memory."""
        if self.n_live == self.n_ordinals:
            return pa.chunked_array([self.column(name)])
        column = self._coded(self.id_of(name))
        return pa.chunked_array(column.pieces(self.live_mask), self.type_of(name))

    def counts(self, name: str) -> dict[Any, int]:
        """Return how many live rows hold each value of a column, null included."""
        return self._coded(self.id_of(name)).counts(self.live_mask)

    def take(self, name: str, ordinals: Ordinals) -> pa.Array:
        """Return a column at some ordinals, at the cost of those cells only."""
        return self.cells_at(self.id_of(name), ordinals)

    def cells_at(self, column: str, ordinals: Ordinals) -> pa.Array:
        """Return the cells of a column id at some ordinals, null where no row is."""
        known = self._columns.get(column)
        if is_system(column) or known is not None:
            coded = self._coded(column)
            if ordinals.max(initial=-1) < len(coded):
                return coded.at(ordinals)
        values = self.origin_at(column, ordinals)
        for news in self._news(column):
            values = overlay(values, news, ordinals)
        return values

    def _coded(self, column: str) -> Coded:
        known = self._columns.get(column)
        if known is None or known.depth < len(self.layers):
            below = known.value if known else self._first.column(column)
            news = self._news(column, known.depth if known else 0)
            known = _Known(len(self.layers), below.changed(news))
            if not self._is_base(column, known.value):
                self._columns[column] = known
        return known.value

    def net(self, column: str) -> pa.Table:
        """Return the last change of each cell of a column that ever changed, with its version.

        ``old`` is the value in the first version, which the cell may have come back to.
        """
        known = self._nets.get(column)
        if known is None or known.depth < len(self.layers):
            below = [known.value] if known else []
            tables = [*below, *self._tables(column, known.depth if known else 0)]
            value = latest(tables) if tables else self._no_cells(column)
            known = _Known(len(self.layers), value)
            self._nets[column] = known
        return known.value

    @property
    def changed(self) -> Delta:
        """All that changed since the first version, what came back to it included."""
        cells = {column: self.net(column) for column in sorted(self.touched)}
        facts = latest_facts(layer.facts for layer in self.layers)
        return Delta({name: table for name, table in cells.items() if len(table)}, facts=facts)

    def versions(self, column: str) -> npt.NDArray[np.int32]:
        """Return the number of the version that changed each cell last, by ordinal.

        Where none did since the row was added, that of the version which added it, 0 for the first.
        """
        out = np.zeros(self.n_ordinals, np.int32)
        out[self.added] = self._added_rows[VERSION].to_numpy()
        for layer in self._layers(column):
            ordinals, made = layer.news(column).ordinals, layer.versions(column)
            if ordinals.max(initial=-1) >= len(out):
                inside = ordinals < len(out)
                ordinals, made = ordinals[inside], made[inside]
            out[ordinals] = made
        out[self.added] = later(out[self.added], self._added_rows[VERSION].to_numpy())
        return out

    def came_with(self, ordinals: Ordinals) -> npt.NDArray[np.int32]:
        """Return the number of the version that added each row, 0 for rows of the base."""
        added = self.added
        if not len(added):
            return np.zeros(len(ordinals), np.int32)
        at = np.minimum(np.searchsorted(added, ordinals), len(added) - 1)
        made = self._added_rows[VERSION].to_numpy()[at]
        return np.where(added[at] == ordinals, made, 0).astype(np.int32)

    def keys(self) -> pa.Array:
        """Return canonical keys of the live rows."""
        if self.n_live == len(self.rows.base) == self.n_ordinals:
            return self.rows.base.key_bytes()
        return self.rows.key_bytes(self.live)

    def sums(self) -> dict[str, int]:
        """Return the fingerprint's column sums, from all cells."""
        keys = self.keys()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sums = pool.map(lambda n: column_sum(n, keys, self.live_column(n)), self.names)
            return dict(zip(self.names, sums, strict=True))

    def types(self) -> dict[str, str]:
        """Return the columns' types as the fingerprint sees them."""
        return {name: logical_type(self.type_of(name)) for name in self.names}

    @property
    def touched(self) -> set[str]:
        """Ids of the columns that some layer changes."""
        return {name for layer in self.layers for name in layer.columns}

    def _layers(self, column: str, depth: int = 0) -> Iterator[Layer]:
        """Return the layers above a depth that change a column, oldest first."""
        return (layer for layer in self.layers[depth:] if column in layer.columns)

    def _tables(self, column: str, depth: int) -> list[pa.Table]:
        return [layer.cells(column) for layer in self._layers(column, depth)]

    def _news(self, column: str, depth: int = 0) -> list[News]:
        return [layer.news(column) for layer in self._layers(column, depth)]

    def _no_cells(self, column: str) -> pa.Table:
        schema = cells_schema(self._type(column)).append(pa.field(VERSION, pa.int32()))
        return schema.empty_table()

    def _live_mask(self, known: _Known[Mask] | None) -> Mask:
        depth = known.depth if known else 0
        if known is None or any(self._layers(ROW, depth)):
            mask = np.zeros(self.n_ordinals, dtype=bool)
            mask[: len(self.rows.base)] = True
            mask[self.added] = True
            mask[self.rows.purged[self.rows.purged < len(mask)]] = False
            news = self._news(DROPPED)
        else:
            mask, news = known.value, self._news(DROPPED, depth)
            mask = mask.copy() if news else mask
        if news:
            ordinals, words, places = joined(news)
            dropped = words.to_numpy(zero_copy_only=False).astype(bool)[places]
            inside = ordinals < len(mask)
            mask[ordinals[inside]] = self.is_there(ordinals[inside]) & ~dropped[inside]
        return mask

    def _is_base(self, column: str, found: Coded) -> bool:
        """Whether a column is one that the base keeps, or lets go of, by itself."""
        base = self.rows.base
        whole = found.places is None and column in base.schema.names
        return whole and found.words[0] is base.column(column)

    def _same_source(self, column: str, schema: Schema) -> bool:
        if is_system(column):
            return True
        old, new = self.schema.by_id.get(column), schema.by_id.get(column)
        return bool(old and new and old.source == new.source)

    def _type(self, column: str) -> pa.DataType:
        return type_of(self.rows, self.schema, column)

    @cached_property
    def _first(self) -> Origin:
        return Origin(self.rows, self.schema, self.n_ordinals, self._added_rows)

    def origin_at(self, column: str, ordinals: Ordinals) -> pa.Array:
        """Return a column before any edit at some ordinals."""
        return self._first.at(column, ordinals)


def _at(kept: Mapping[str, _Known[T]], depth: int, new: int) -> dict[str, _Known[T]]:
    """Return what is known at a depth as known at another one."""
    return {name: _Known(new, known.value) for name, known in kept.items() if known.depth == depth}


def changes_shape(delta: Delta) -> bool:
    """Whether a change lets rows come or go, or changes columns, roles or classes."""
    return ROW in delta.cells or bool(len(delta.facts))


def later(one: npt.NDArray[np.int32], other: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the later of two numbers of versions, of which one led to the other."""
    staged = (one == STAGED) | (other == STAGED)
    return np.where(staged, STAGED, np.maximum(one, other)).astype(np.int32)
