"""Which version gave each cell of a column the value it has, by whom and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from burnish.core.delta import ROW, Ordinals
from burnish.core.version import Version
from burnish.dataset.applying import last_edits
from burnish.dataset.reading import keys_at
from burnish.dataset.state import STAGED, State
from burnish.dataset.views import as_html

_NAMES = ["key", "value", "version", "author", "reason", "finding", "time"]


@dataclass(frozen=True, eq=False)
class Blame:
    """The last change of each cell of a column.

    Attributes
    ----------
    column : str
    """

    column: str
    _state: State
    _ordinals: Ordinals
    _version: Callable[[int], Version]

    @cached_property
    def versions(self) -> npt.NDArray[np.int32]:
        """Number of the version that changed each cell last: 3 for ``v3``, -1 for staged."""
        return self._state.versions(self._state.id_of(self.column))[self._ordinals]

    def frame(self) -> pd.DataFrame:
        """Return one row a cell.

        Returns
        -------
        DataFrame
            Columns ``key, value, version, author, reason, finding, time``. A cell that nobody
            changed has the version that made its row; one that is staged has None.
        """
        column = self._state.id_of(self.column)
        edits = last_edits(self._state, column, self._ordinals).to_pandas()
        added = last_edits(self._state, ROW, self._ordinals).to_pandas()
        frame = edits.where(edits["time"].notna(), added).drop(columns="confidence")
        known = {int(n): self._version(int(n)) for n in np.unique(self.versions) if n != STAGED}
        makers = pd.Series([known.get(int(n)) for n in self.versions], dtype=object)
        untouched = frame["time"].isna() & makers.notna()
        frame = frame.astype(object).where(frame.notna(), None)
        frame.loc[untouched, "author"] = makers[untouched].map(lambda version: version.author)
        frame.loc[untouched, "time"] = makers[untouched].map(lambda version: version.time)
        names = [version.name if version else None for version in makers]
        frame["version"] = pd.Series(names, dtype=object)
        frame["value"] = pd.Series(
            self._state.take(self.column, self._ordinals).to_pylist(), dtype=object
        )
        frame["key"] = pd.Series(list(keys_at(self._state, self._ordinals)), dtype=object)
        return frame[_NAMES]

    def counts(self) -> pd.DataFrame:
        """Return how many cells each version changed last: ``version, author, message, cells``."""
        numbers, cells = np.unique(self.versions, return_counts=True)
        rows = []
        for number, n in zip(numbers[::-1].tolist(), cells[::-1].tolist(), strict=True):
            made = None if number == STAGED else self._version(number)
            names = (made.name, made.author, made.message) if made else (None, None, "staged")
            rows.append((*names, n))
        return pd.DataFrame(rows, columns=["version", "author", "message", "cells"])

    def __len__(self) -> int:
        return len(self._ordinals)

    def __repr__(self) -> str:
        shown = self.counts().head(5)
        parts = [f"{n:,} by {v or 'staged'}" for v, n in shown[["version", "cells"]].values]
        return f"Blame({self.column}, {len(self):,} cells: {', '.join(parts)})"

    def _repr_html_(self) -> str:
        return as_html(self.counts())
