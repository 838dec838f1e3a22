"""What the evidence of all rows stands on, made once and then shared by every row.

Everything here is by ordinal, so that one row costs what its own lines cost.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.delta import Ordinals
from burnish.core.finding import Findings
from burnish.core.keys import key_array
from burnish.dataset.reading import Reading, find_keys, known_ordinals
from burnish.errors import InputError
from burnish.review.confusion import Confusion, confusion_of
from burnish.review.part import Absent

if TYPE_CHECKING:
    from burnish.dataset.state import State

T = TypeVar("T")
DEPTH = 10
SHARED = 15
LATEST = 3


@dataclass(frozen=True, eq=False)
class Graph:
    """The nearest rows of each row.

    Attributes
    ----------
    ordinals : int array of shape (n,)
        Rows that were looked at.
    indices : int array of shape (n, k)
        Places in `ordinals` of the nearest rows, nearest first, -1 where there are fewer.
    distances : float array of shape (n, k)
    """

    ordinals: Ordinals
    indices: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """Where each ordinal stands among the keys, -1 where it has no neighbours."""
        places = np.full(int(self.ordinals.max(initial=-1)) + 1, -1, np.int64)
        there = self.ordinals >= 0
        places[self.ordinals[there]] = np.flatnonzero(there)
        return places

    @cached_property
    def typical(self) -> float:
        """Median distance of a row to the last of its first ten neighbours."""
        first = self.distances[:, :DEPTH]
        last = np.where(np.isfinite(first), first, -1).max(axis=1, initial=-1)
        known = last[last >= 0]
        return float(np.median(known)) if len(known) else 0.0

    def of(self, ordinal: int) -> tuple[Ordinals, npt.NDArray[np.float64]]:
        """Return the rows nearest to a row, nearest first, and how far they are."""
        place = self.places[ordinal] if ordinal < len(self.places) else -1
        if place < 0:
            return np.empty(0, np.int64), np.empty(0)
        found = self.indices[place]
        there = found >= 0
        distances = self.distances[place][there].astype(np.float64)
        return self.ordinals[found[there]], distances

    def similarity(self, distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return distances as similarities: 1 the same place, 0.5 as far as is typical."""
        if self.typical == 0:
            return np.where(distances > 0, 0.0, 1.0)
        return 1 / (1 + distances / self.typical)


@dataclass(frozen=True, eq=False)
class Groups:
    """Which rows are duplicates of which.

    Attributes
    ----------
    ordinals, numbers : int array of shape (n,)
        A row and the group it is in, rising by row; each group has rows.
    """

    ordinals: Ordinals
    numbers: npt.NDArray[np.int64]

    @classmethod
    def of(cls, groups: Sequence[Sequence[Any]], state: State) -> Groups:
        """Return groups of keys by ordinal."""
        keys = key_array([key for group in groups for key in group])
        ordinals = find_keys(state, keys) if len(keys) else np.empty(0, np.int64)
        numbers = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        order = np.argsort(ordinals, kind="stable")
        return cls(ordinals[order], numbers[order].astype(np.int64))

    @cached_property
    def members(self) -> list[Ordinals]:
        """The rows of each group."""
        order = np.argsort(self.numbers, kind="stable")
        size = int(self.numbers.max(initial=-1)) + 1
        cuts = np.searchsorted(self.numbers[order], np.arange(1, size))
        return np.split(self.ordinals[order], cuts)

    def others(self, ordinal: int) -> Ordinals:
        """Return the rows that share a group with a row."""
        start, stop = np.searchsorted(self.ordinals, [ordinal, ordinal + 1])
        if start == stop:
            return np.empty(0, np.int64)
        rows = np.concatenate([self.members[number] for number in self.numbers[start:stop]])
        _, first = np.unique(rows, return_index=True)
        rows = rows[np.sort(first)]
        return np.asarray(rows[rows != ordinal], dtype=np.int64)


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
        pairs = list(zip(findings.given, findings.suggestions, strict=True))
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


@dataclass(frozen=True, eq=False)
class Grounds:
    """What there is, and why the rest is not there."""

    flags: Flags
    graph: Graph | Absent
    groups: Groups | Absent
    confusion: Confusion | Absent


def gather(reading: Reading, findings: Findings, k: int) -> Grounds:
    """Return everything that the evidence of these findings stands on; slow the first time."""
    rows = reading.state.rows
    flags = _flags.get(findings, rows, lambda: Flags.of(findings, reading.state))
    confusion = _confusions.get(findings, rows, lambda: confusion_of(reading, findings))
    return Grounds(flags, graph_of(reading, k), groups_of(reading), confusion)


def graph_of(reading: Reading, k: int) -> Graph | Absent:
    """Return the nearest rows of every row; slow the first time for the data that it reads."""
    from burnish.model.neighbours import neighbours

    try:
        found = neighbours(reading, k=max(k, SHARED))
    except InputError as error:
        return Absent(error.message)

    def make() -> Graph:
        ordinals = find_keys(reading.state, found.keys)
        return Graph(ordinals, found.indices, found.distances)

    name = found.provenance["token"]
    return make() if name is None else _graphs.get((name, found.k), reading.state.rows, make)


def groups_of(reading: Reading) -> Groups | Absent:
    """Return the duplicates of every row; slow the first time for the data that it reads."""
    from burnish import find

    if not hasattr(find, "near_duplicates"):
        return Absent("near duplicates are not looked for")
    try:
        found = find.near_duplicates(reading)
    except InputError as error:
        return Absent(error.message)
    return Groups.of(found.groups, reading.state)


class _Kept(Generic[T]):
    """What was made for some source and the rows of one store."""

    def __init__(self, held: MutableMapping[Any, tuple[weakref.ref[Any], T]]) -> None:
        self._held = held
        self._lock = threading.RLock()

    def get(self, source: Any, rows: Any, make: Callable[[], T]) -> T:
        """Return what was made before for the same rows, else make it."""
        with self._lock:
            held = self._held.get(source)
            if held is not None and held[0]() is rows:
                return held[1]
            made = make()
            self._held[source] = (weakref.ref(rows), made)
            return made


class _Latest(OrderedDict[Any, Any]):
    """The last few entries."""

    def __setitem__(self, name: Any, value: Any) -> None:
        super().__setitem__(name, value)
        while len(self) > LATEST:
            self.popitem(last=False)


_flags: _Kept[Flags] = _Kept(weakref.WeakKeyDictionary())
_confusions: _Kept[Confusion | Absent] = _Kept(weakref.WeakKeyDictionary())
_graphs: _Kept[Graph] = _Kept(_Latest())
