"""A column as places in a list of values, so that changing a cell moves no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import Ordinals
from burnish.core.normal import one_chunk
from burnish.dataset.layer import News, joined
from burnish.store.base import tally

_MANY = 1 << 12


@dataclass(frozen=True, eq=False)
class Coded:
    """A column.

    Attributes
    ----------
    words : tuple of Array
        Values, in pieces.
    places : array of int or None
        Where each row's value stands; None where row i's is the i-th.
    few : bool
        Whether the words are few, each listed once or so.
    """

    words: tuple[pa.Array, ...]
    places: npt.NDArray[np.int32] | None = None
    few: bool = False

    @classmethod
    def of(cls, array: pa.Array) -> Coded:
        """Return a column as it is."""
        return cls((array,))

    def __len__(self) -> int:
        return self._n_words if self.places is None else len(self.places)

    def at(self, ordinals: Ordinals) -> pa.Array:
        """Return the values of some rows."""
        places = ordinals if self.places is None else self.places[ordinals]
        return self._taken(places)

    def all(self) -> pa.Array:
        """Return the values of all rows."""
        return self._joined if self.places is None else self._taken(self.places)

    def longer(self, size: int) -> Coded:
        """Return the column with nulls at its end."""
        missing = size - len(self)
        if missing <= 0:
            return self
        nulls = pa.nulls(1, self.words[0].type)
        places = np.concatenate([self._places, np.full(missing, self._n_words, np.int32)])
        return Coded((*self.words, nulls), places, self.few)

    def changed(self, changes: Sequence[News]) -> Coded:
        """Return the column after changes, oldest first; rows beyond its end are left out."""
        if not any(len(news.ordinals) for news in changes):
            return self
        ordinals, words, fresh = joined(changes)
        if self.few:
            coded = words.dictionary_encode(null_encoding="encode")
            words, fresh = coded.dictionary, coded.indices.to_numpy()[fresh]
        places = self._places.copy()
        inside = ordinals < len(places)
        if not inside.all():
            ordinals, fresh = ordinals[inside], fresh[inside]
        places[ordinals] = fresh + self._n_words  # of a row that is there twice, the last counts
        return Coded((*self.words, words), places, self.few)._tidy()

    def counts(self, rows: npt.NDArray[np.bool_]) -> dict[Any, int]:
        """Return how often each value occurs in some rows, null included."""
        if not self.few:
            return tally(self.at(np.flatnonzero(rows)))
        found: Counter[Any] = Counter()
        for word, n in zip(self._joined.to_pylist(), np.bincount(self._places[rows]), strict=False):
            found[word] += int(n)
        return +found

    def _taken(self, places: npt.NDArray[np.integer]) -> pa.Array:
        found = self._joined.take(pa.array(places))
        kind = self.words[0].type
        return found if found.type == kind else found.cast(kind)

    def _tidy(self) -> Coded:
        """Return the same with each word once, or without those that nobody uses, when many."""
        if self._n_words <= 2 * (len(self.words[0]) if self.few else len(self)) + _MANY:
            return self
        if not self.few:
            return Coded.of(self.all())
        coded = self._joined.dictionary_encode(null_encoding="encode")
        return Coded((coded.dictionary,), coded.indices.to_numpy()[self._places], True)

    @property
    def _n_words(self) -> int:
        return sum(map(len, self.words))

    @property
    def _joined(self) -> pa.Array:
        return one_chunk(pa.chunked_array(self.words))

    @property
    def _places(self) -> npt.NDArray[np.int32]:
        return np.arange(self._n_words, dtype=np.int32) if self.places is None else self.places
