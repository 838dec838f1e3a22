"""The rows that findings are about, by ordinal."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.delta import Ordinals
from burnish.core.finding import Findings
from burnish.dataset.reading import known_ordinals

if TYPE_CHECKING:
    from burnish.dataset.state import State


@dataclass(frozen=True, eq=False)
class Flags:
    """The rows that findings are about, and their class pairs.

    Attributes
    ----------
    code : str
        Kind of the findings.
    ordinals, ranks : int array of shape (n,)
        A flagged row and its place in the findings, rising by row.
    pairs : list of tuple
        Given and suggested value of each finding, in their own order.
    """

    code: str
    ordinals: Ordinals
    ranks: npt.NDArray[np.int64]
    pairs: list[tuple[Any, Any]]

    @classmethod
    def of(cls, findings: Findings, state: State) -> Flags:
        """Return the flags of findings by ordinal.

        Raises
        ------
        KeysError
            The findings are about other rows.
        """
        ordinals = known_ordinals(state, findings.keys)
        order = np.argsort(ordinals, kind="stable")
        pairs = [
            (_hashable(given), _hashable(suggestion))
            for given, suggestion in zip(findings.given, findings.suggestions, strict=True)
        ]
        return cls(findings.code, ordinals[order], order, pairs)

    @cached_property
    def names(self) -> dict[tuple[Any, Any], int]:
        """Number of each pair of given and suggested value."""
        return {pair: number for number, pair in enumerate(dict.fromkeys(self.pairs))}

    @cached_property
    def numbers(self) -> npt.NDArray[np.int64]:
        """Pair of each flagged row, in the order of `ordinals`."""
        return np.array([self.names[pair] for pair in self.pairs], np.int64)[self.ranks]

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many rows are flagged with each pair."""
        return np.bincount(self.numbers, minlength=len(self.names))

    def ranks_of(self, ordinals: Ordinals) -> list[int | None]:
        """Return the place of each row in the findings, None where it was not flagged."""
        at, there = self._find(ordinals)
        return [int(self.ranks[i]) if hit else None for i, hit in zip(at, there, strict=True)]

    def verdicts(self, decisions: pa.Table) -> dict[str, npt.NDArray[np.int64]]:
        """Return how many rows of each pair were accepted and kept, by their last decision."""
        table = decisions.filter(about(decisions, self.code))
        rows = table["ordinal"].to_numpy()
        _, first = np.unique(rows[::-1], return_index=True)
        last = len(rows) - 1 - first
        at, there = self._find(rows[last])
        words = table["verdict"].to_numpy()[last]
        return {
            word: np.bincount(self.numbers[at[there & (words == word)]], minlength=len(self.names))
            for word in ("accepted", "kept")
        }

    def _find(self, ordinals: Ordinals) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        if not len(self.ordinals):
            return np.zeros(len(ordinals), np.intp), np.zeros(len(ordinals), bool)
        at = np.minimum(np.searchsorted(self.ordinals, ordinals), len(self.ordinals) - 1)
        return at, np.asarray(self.ordinals[at] == ordinals, dtype=bool)


def about(decisions: pa.Table, code: str) -> pa.ChunkedArray:
    """Return which decisions are on findings of a kind, those of earlier ones included."""
    names = decisions["finding"].unique().to_pylist()
    alike = [name for name in names if (name or code).split(":")[0] == code]
    return pc.is_in(decisions["finding"], value_set=pa.array(alike, pa.string()))


def _hashable(value: Any) -> Any:
    return value if isinstance(value, Hashable) else str(value)
