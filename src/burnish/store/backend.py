"""What a place for versions must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from burnish.store.rows import Rows
    from burnish.store.sweeping import Litter


class StaleError(Exception):
    """Somebody else moved what a write was based on; read again and retry."""


@dataclass(frozen=True)
class CommitRecord:
    """A version as it is stored."""

    id: str
    number: int
    header: dict[str, Any]
    seed: bytes
    delta: bytes

    @property
    def name(self) -> str:
        """Name in the store: ``v0``, ``v1``."""
        return f"v{self.number}"


@dataclass(frozen=True)
class WorkingState:
    """Where a working copy stands: its head, its applied gestures, a counter of its writes."""

    head: str
    applied: int
    recorded: int
    seq: int


@dataclass(frozen=True)
class RefMove:
    """A name that is made (`old` is None), moved or removed (`new` is None), by whom and why."""

    kind: str
    name: str
    old: str | None
    new: str | None
    user: str
    act: str


@dataclass(frozen=True)
class Rewritten:
    """A file that a purge wrote anew.

    Attributes
    ----------
    kind : {"base", "segment", "column"}
    name : str
        What versions call it.
    before, after : str
        Hash of its content; the file bears the name of the latter.
    """

    kind: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, eq=False)
class PurgeRecord:
    """What was erased for good, as the store notes it: no key, no value, no hash of one.

    Attributes
    ----------
    author, reason, time : str
        Time as in ISO 8601.
    ordinals : array of int64
        Ordinals of the rows, which no row will have again.
    cells, decisions : int
        How many of committed versions were erased.
    versions : tuple of str
        Ids of versions in which a row of them was live.
    files : tuple of Rewritten
    """

    author: str
    reason: str | None
    time: str
    ordinals: npt.NDArray[np.int64]
    cells: int = 0
    decisions: int = 0
    versions: tuple[str, ...] = ()
    files: tuple[Rewritten, ...] = field(default=())


class Backend(Protocol):
    """Keeps commits, refs, working copies and journals; every write is atomic and durable."""

    read_only: bool

    def check_writable(self) -> None:
        """Raise ReadOnlyError where the store may only be read."""
        ...

    def meta(self) -> dict[str, str]:
        """Return the store's own facts: format, id, base."""
        ...

    def store_id(self) -> str:
        """Return the id of the store, the same in every copy of it."""
        ...

    def gone(self) -> frozenset[int]:
        """Return the numbers of versions that were swept away."""
        ...

    def epoch(self) -> int:
        """Return how often something was taken away: what was read before may be gone."""
        ...

    def commits(self, after: int = -1) -> list[CommitRecord]:
        """Return commits with a number above `after`, in order, without their deltas."""
        ...

    def deltas(self, commits: Sequence[str]) -> list[bytes]:
        """Return the encoded deltas of commits."""
        ...

    def refs(self, kind: str = "branch") -> dict[str, str]:
        """Return name → commit id of branches, tags or branches of other copies."""
        ...

    def move_ref(self, move: RefMove) -> None:
        """Make, move or remove a name; StaleError when it does not stand where `old` says."""
        ...

    def reflog(self) -> list[tuple[RefMove, str]]:
        """Return every move of a name and its time, in order."""
        ...

    def segments(self, after: int = 0) -> list[tuple[str, bytes]]:
        """Return the segments of added rows but the first few, with their ordinals."""
        ...

    def add_segment(self, name: str, ordinals: bytes, seen: int) -> None:
        """Register a segment; StaleError when there are others than the `seen` ones."""
        ...

    def add_commits(
        self, records: list[CommitRecord], moves: list[RefMove], epoch: int | None = None
    ) -> None:
        """Add versions that were made elsewhere, parents first, and move names, all or nothing.

        Versions that are there already are left as they are. StaleError when a name moved, or
        something was taken away since an epoch.
        """
        ...

    def keyframes(self) -> set[str]:
        """Return the versions whose state is kept."""
        ...

    def keyframe(self, commit: str) -> bytes | None:
        """Return the kept state of a version; a cache."""
        ...

    def keep_keyframe(self, commit: str, state: bytes, epoch: int) -> None:
        """Keep the state of a version, as it was in an epoch; a cache."""
        ...

    def link(self, commit: str, kind: str, content: dict[str, Any]) -> None:
        """Note what a version has to do with: an evaluation, an export, a training."""
        ...

    def links(self, commit: str | None = None) -> list[tuple[str, str, dict[str, Any]]]:
        """Return version, kind and content of what was noted, in order."""
        ...

    def working(self, branch: str, user: str) -> WorkingState:
        """Return where a working copy stands; made at the branch's head when new."""
        ...

    def working_copies(self) -> list[tuple[str, str]]:
        """Return branch and user of every working copy."""
        ...

    def journal(self, branch: str, user: str) -> tuple[WorkingState, list[bytes]]:
        """Return where a working copy stands and its gestures of that moment, undone included."""
        ...

    def append(self, branch: str, user: str, seen: WorkingState, blob: bytes) -> WorkingState:
        """Append a gesture after the applied ones; the undone are gone. May raise StaleError."""
        ...

    def move(self, branch: str, user: str, seen: WorkingState, applied: int) -> WorkingState:
        """Undo or redo: set how many gestures are applied. May raise StaleError."""
        ...

    def rebase(
        self,
        branch: str,
        user: str,
        seen: WorkingState,
        head: str,
        journal: list[bytes] | None = None,
    ) -> WorkingState:
        """Put the staged gestures, or others in their place, on another head.

        May raise StaleError.
        """
        ...

    def clear(self, branch: str, user: str, seen: WorkingState) -> WorkingState:
        """Discard the journal. May raise StaleError."""
        ...

    def commit(
        self, branch: str, user: str, seen: WorkingState, record: CommitRecord, act: str = "commit"
    ) -> tuple[CommitRecord, WorkingState]:
        """Add a version, move the branch, empty the journal. May raise StaleError."""
        ...

    def advance(
        self, branch: str, user: str, seen: WorkingState, head: str, act: str
    ) -> WorkingState:
        """Move the branch to a version that is there already; the journal must be empty.

        May raise StaleError.
        """
        ...

    def find_txn(self, txn_id: str) -> CommitRecord | None:
        """Return the version that a transaction wrote, if it did."""
        ...

    def sums(self, commit: str) -> dict[str, int] | None:
        """Return the column sums of a version when they were kept."""
        ...

    def keep_sums(self, commit: str, sums: dict[str, int], epoch: int) -> None:
        """Keep column sums, as they were in an epoch; a cache."""
        ...

    def purges(self) -> list[PurgeRecord]:
        """Return what was erased, in order."""
        ...

    def sweep(self, since: str | None = None, dry_run: bool = False) -> Litter:
        """Remove what nothing leads to, but what a name stood at since a time; return what."""
        ...

    def purge(
        self, rows: Rows, epoch: int, wanted: PurgeRecord, words: Sequence[str]
    ) -> PurgeRecord:
        """Erase rows for good, all or nothing. May raise StaleError."""
        ...

    def unfinished(self) -> list[str] | None:
        """Return the files that a purge still has to remove, None where it is done."""
        ...

    def finish(self) -> bool:
        """Remove what a purge left behind; False where it has to be tried again."""
        ...

    def integrity(self) -> list[str]:
        """Return what is wrong with the place itself, nothing when it is sound."""
        ...

    def close(self) -> None:
        """Checkpoint and close."""
        ...

    def abandon(self) -> None:
        """Close without a checkpoint, for a store that cannot be used."""
        ...
