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

from burnish.core.delta import Ordinals
from burnish.core.finding import Findings
from burnish.core.keys import key_array
from burnish.dataset.reading import Reading, find_keys
from burnish.errors import InputError
from burnish.model.features import column_list
from burnish.review.confusion import Confusion, confusion_of
from burnish.review.flags import Flags
from burnish.review.part import Absent

if TYPE_CHECKING:
    from burnish.dataset.state import State

T = TypeVar("T")
DEPTH = 10
SHARED = 15
LATEST = 3
CONTENT = ("image", "text", "embedding", "features")


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
    exact : bool array of shape (n_groups,)
        Whether all rows of a group are the same.
    """

    ordinals: Ordinals
    numbers: npt.NDArray[np.int64]
    exact: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, groups: Sequence[Sequence[Any]], exact: Sequence[bool], state: State) -> Groups:
        """Return groups of keys by ordinal."""
        keys = key_array([key for group in groups for key in group])
        ordinals = find_keys(state, keys) if len(keys) else np.empty(0, np.int64)
        numbers = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        order = np.argsort(ordinals, kind="stable")
        return cls(ordinals[order], numbers[order].astype(np.int64), np.array(exact, bool))

    @cached_property
    def members(self) -> list[Ordinals]:
        """The rows of each group."""
        order = np.argsort(self.numbers, kind="stable")
        cuts = np.searchsorted(self.numbers[order], np.arange(1, len(self.exact)))
        return np.split(self.ordinals[order], cuts)

    def others(self, ordinal: int) -> tuple[Ordinals, npt.NDArray[np.bool_]]:
        """Return the rows that share a group with a row, each once, and which are the same."""
        start, stop = np.searchsorted(self.ordinals, [ordinal, ordinal + 1])
        numbers = self.numbers[start:stop]
        parts = [self.members[number] for number in numbers]
        rows = np.concatenate([np.empty(0, np.int64), *parts])
        same = np.repeat(self.exact[numbers], [len(part) for part in parts])
        first = np.sort(np.unique(rows, return_index=True)[1])
        kept = first[rows[first] != ordinal]
        return rows[kept], same[kept]


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
    confusion = _confusions.get(findings, rows, lambda: confusion_of(reading, findings, flags))
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
    from burnish.find.near_duplicates import near_duplicates

    def make() -> Groups:
        found = near_duplicates(reading)
        exact = [kind == "exact" for kind in found.details["kind"]]
        return Groups.of(found.groups, exact, reading.state)

    name = compared(reading)
    try:
        return make() if name is None else _groups.get(name, reading.state.rows, make)
    except InputError as error:
        return Absent(error.message)


def compared(reading: Reading) -> tuple[Any, ...] | None:
    """Return what names the content that duplicates depend on, None where it is in files."""
    role = next((role for role in CONTENT if reading.roles.get(role)), None)
    columns = [] if role is None else column_list(reading.roles[role])
    kind = reading.state.type_of(columns[0]) if role == "image" else None
    if kind is not None and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return None
    sums = reading.column_sums
    return (role, *((name, sums[name]) for name in (*reading.state.key, *columns)))


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
_groups: _Kept[Groups] = _Kept(_Latest())
