"""One change below a state, read column by column when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import (
    PROVENANCE,
    ROW,
    VERSION,
    Delta,
    Ordinals,
    added_rows,
    last_of,
    netted,
    numbers,
    without_no_ops,
)
from burnish.core.normal import one_chunk
from burnish.store.codec import Opened

_NO_ROWS = np.empty(0, np.int64)
Places = npt.NDArray[np.integer]
Numbering = Callable[[pa.Array], pa.Array]  # ids of versions to their numbers, null for its own


class News(NamedTuple):
    """New values of rising ordinals: a list of values, and the place of each row's among them."""

    ordinals: Ordinals
    words: pa.Array
    places: Places

    @classmethod
    def of(cls, ordinals: Ordinals, values: pa.Array) -> News:
        """Return new values, one a row."""
        return cls(ordinals, values, np.arange(len(values)))


def joined(changes: Sequence[News]) -> News:
    """Return changes one after the other, at least one; rows may be there several times."""
    words = [news.words for news in changes]
    starts = np.cumsum([0, *map(len, words[:-1])])
    places = [
        np.add(news.places, start, dtype=np.int32)
        for news, start in zip(changes, starts, strict=True)
    ]
    ordinals = np.concatenate([news.ordinals for news in changes])
    return News(ordinals, pa.concat_arrays(words), np.concatenate(places))


class Layer(Protocol):
    """What one version, or what is staged, changes; its cells carry numbers of versions."""

    @property
    def columns(self) -> Collection[str]:
        """Ids of the columns that have changed cells."""
        ...

    @property
    def facts(self) -> pa.Table:
        """Changed facts."""
        ...

    def cells(self, column: str) -> pa.Table:
        """Return the changed cells of a column."""
        ...

    def news(self, column: str) -> News:
        """Return the new values of a column."""
        ...

    def versions(self, column: str) -> npt.NDArray[np.int32]:
        """Return the number of the version that made each changed cell of a column."""
        ...

    def delta(self) -> Delta:
        """Return its cells and facts."""
        ...


class Made:
    """A change in memory.

    Parameters
    ----------
    delta : Delta
        Its cells carry the numbers of their versions.
    """

    def __init__(self, delta: Delta) -> None:
        self._delta = Delta(delta.cells, facts=delta.facts)
        self._news: dict[str, News] = {}

    @property
    def columns(self) -> Collection[str]:
        """Ids of the columns that have changed cells."""
        return self._delta.cells.keys()

    @property
    def facts(self) -> pa.Table:
        """Changed facts."""
        return self._delta.facts

    def cells(self, column: str) -> pa.Table:
        """Return the changed cells of a column."""
        return self._delta.cells[column]

    def news(self, column: str) -> News:
        """Return the new values of a column."""
        if column not in self._news:
            table = self._delta.cells[column]
            self._news[column] = News.of(numbers(table, "ordinal"), one_chunk(table["new"]))
        return self._news[column]

    def versions(self, column: str) -> npt.NDArray[np.int32]:
        """Return the number of the version that made each changed cell of a column."""
        return np.asarray(self._delta.cells[column][VERSION].to_numpy(), np.int32)

    def delta(self) -> Delta:
        """Return its cells and facts."""
        return self._delta


class Stored:
    """A change in the store.

    Parameters
    ----------
    change : Opened
    number : int
        Of its version.
    numbering : callable
        Gives the numbers of versions that its cells name by id.
    """

    def __init__(self, change: Opened, number: int, numbering: Numbering) -> None:
        self._change = change
        self._number = number
        self._numbering = numbering
        self._news: dict[str, News] = {}
        self.columns: Collection[str] = frozenset(change.columns)
        self.facts: pa.Table = change.facts

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return self._change.size

    @property
    def decisions(self) -> pa.Table:
        """Decisions that it holds, in order."""
        return self._change.decisions

    def cells(self, column: str) -> pa.Table:
        """Return the changed cells of a column."""
        return _cells([self], column)

    def field(self, column: str, name: str) -> News:
        """Return a field of the changed cells of a column."""
        return News(self.news(column).ordinals, *self._change.listed(column, name))

    def news(self, column: str) -> News:
        """Return the new values of a column."""
        if column not in self._news:
            ordinals = self._change.listed(column, "ordinal")[1]
            self._news[column] = News(ordinals, *self._change.listed(column, "new"))
        return self._news[column]

    def versions(self, column: str) -> npt.NDArray[np.int32]:
        """Return the number of the version that made each changed cell of a column."""
        if not self._change.has(column, VERSION):
            return np.full(len(self.news(column).ordinals), self._number, np.int32)
        ids, places = self._change.listed(column, VERSION)
        known = self._numbering(ids).fill_null(self._number).to_numpy(zero_copy_only=False)
        return np.asarray(known[places], np.int32)

    def delta(self) -> Delta:
        """Return its cells and facts."""
        cells = {column: self.cells(column) for column in sorted(self.columns)}
        return Delta(cells, facts=self.facts)


def net(layers: Sequence[Stored]) -> Delta:
    """Return the net change of layers that follow each other, as `squash` does of deltas."""
    if len(layers) == 1:
        return layers[0].delta()
    columns = sorted({column for layer in layers for column in layer.columns})
    fresh = added_rows(_net(layers, ROW)) if ROW in columns else _NO_ROWS
    cells = {c: _net(layers, c, fresh if c != ROW else _NO_ROWS) for c in columns}
    return netted(cells, (layer.facts for layer in layers))


def _net(layers: Sequence[Stored], column: str, fresh: Ordinals = _NO_ROWS) -> pa.Table:
    own = [layer for layer in layers if column in layer.columns]
    table = _cells(own, column)
    return table if len(own) == 1 else without_no_ops(last_of(table), fresh)


def _cells(layers: Sequence[Stored], column: str) -> pa.Table:
    """Return the cells of layers that all change a column, one after the other."""
    arrays = [pa.array(np.concatenate([layer.news(column).ordinals for layer in layers]))]
    names = ["old", "new", *PROVENANCE.names]
    for name in names:
        _, words, places = joined([layer.field(column, name) for layer in layers])
        arrays.append(words.take(pa.array(places)))
    arrays.append(pa.array(np.concatenate([layer.versions(column) for layer in layers])))
    return pa.Table.from_arrays(arrays, ["ordinal", *names, VERSION])
