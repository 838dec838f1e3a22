"""A column as places in a list of values, so that changing a cell moves no text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.delta import Ordinals
from burnish.core.normal import one_chunk
from burnish.dataset.layer import News
from burnish.store.base import tally

_MANY = 1 << 12
_PIECE = 1 << 16
Places = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Coded:
    """A column.

    Attributes
    ----------
    words : tuple of Array
        Values: those that were there first, and those that came with changes.
    places : array of int or None
        Where each row's value stands; None where row i's is the i-th.
    few : bool
        Whether the words are few and each is there once.
    """

    words: tuple[pa.Array, ...]
    places: Places | None = None
    few: bool = False

    @classmethod
    def of(cls, array: pa.Array) -> Coded:
        """Return a column as it is."""
        return cls((array,))

    def __len__(self) -> int:
        return self._n_words if self.places is None else len(self.places)

    def at(self, ordinals: Ordinals) -> pa.Array:
        """Return the values of some rows."""
        return self._taken(ordinals if self.places is None else self.places[ordinals])

    def pieces(self, rows: npt.NDArray[np.bool_]) -> Iterator[pa.Array]:
        """Give the values of the rows that are true, piece by piece."""
        words, pool = self._joined, pa.default_memory_pool()
        for start in range(0, len(rows), _PIECE):
            pool.release_unused()  # a piece's scratch would stay a while, and the next adds its own
            here = rows[start : start + _PIECE]
            if self.places is None:
                yield words.slice(start, _PIECE).filter(pa.array(here))
            else:
                yield self._taken(self.places[start : start + _PIECE][here])

    def all(self) -> pa.Array:
        """Return the values of all rows."""
        return self._joined if self.places is None else self.at(np.arange(len(self.places)))

    def longer(self, size: int) -> Coded:
        """Return the column with nulls at its end."""
        missing = np.arange(len(self), size)
        if not len(missing):
            return self
        nulls = pa.nulls(1, self.words[0].type)
        room = Coded(self.words, np.concatenate([self._places, missing * 0]), self.few)
        return room.changed([News(missing, nulls, missing * 0)])

    def changed(self, changes: Sequence[News]) -> Coded:
        """Return the column after changes, oldest first; rows beyond its end are left out."""
        if not any(len(news.ordinals) for news in changes):
            return self
        words, numbers = self._with(pa.concat_arrays([news.words for news in changes]))
        total, start = sum(map(len, words)), 0
        places = self._places.astype(np.min_scalar_type(total))
        for news in changes:  # of a row that is there twice, the last one counts
            n = int(np.searchsorted(news.ordinals, len(places)))
            places[news.ordinals[:n]] = numbers[start:][news.places[:n]]
            start += len(news.words)
        made = Coded(words, places, self.few)
        return made if self.few or total <= 2 * len(self) + _MANY else Coded.of(made.all())

    def counts(self, rows: npt.NDArray[np.bool_]) -> dict[Any, int]:
        """Return how often each value occurs in some rows, null included."""
        if not self.few:
            return tally(self.at(np.flatnonzero(rows)))
        found = np.bincount(self._places[rows], minlength=self._n_words)
        words = self._joined.to_pylist()
        return {words[i]: int(found[i]) for i in np.flatnonzero(found)}

    def _taken(self, places: Places) -> pa.Array:
        words, kind = self._joined, self.words[0].type
        found = words.take(pa.array(places))
        return found if found.type == kind else found.cast(kind)

    def _with(self, words: pa.Array) -> tuple[tuple[pa.Array, ...], Places]:
        """Return all words, and the place that each of the new ones has among them."""
        if not self.few:
            places = np.arange(len(words)) + self._n_words
            return (self.words[0], pa.concat_arrays([*self.words[1:], words])), places
        new = words.unique()
        new = new.filter(pc.invert(pc.is_in(new, value_set=self.words[0])))
        every = pa.concat_arrays([self.words[0], new])
        return (every,), pc.index_in(words, value_set=every).to_numpy()

    @property
    def _n_words(self) -> int:
        return sum(map(len, self.words))

    @property
    def _joined(self) -> pa.Array:
        return one_chunk(pa.chunked_array(self.words))

    @property
    def _places(self) -> Places:
        return np.arange(self._n_words, dtype=np.int32) if self.places is None else self.places
