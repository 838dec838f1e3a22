"""What a place for versions must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


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


class Backend(Protocol):
    """Keeps commits, refs, working copies and journals; every write is atomic and durable."""

    def meta(self) -> dict[str, str]:
        """Return the store's own facts: format, id, base."""
        ...

    def store_id(self) -> str:
        """Return the id of the store, the same in every copy of it."""
        ...

    def commits(self, after: int = -1) -> list[CommitRecord]:
        """Return commits with a number above `after`, in order, without their deltas."""
        ...

    def delta(self, commit: str) -> bytes:
        """Return the encoded delta of a commit."""
        ...

    def refs(self) -> dict[str, str]:
        """Return branch name → commit id."""
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
        self, branch: str, user: str, seen: WorkingState, record: CommitRecord
    ) -> tuple[CommitRecord, WorkingState]:
        """Add a version, move the branch, empty the journal. May raise StaleError."""
        ...

    def find_txn(self, txn_id: str) -> CommitRecord | None:
        """Return the version that a transaction wrote, if it did."""
        ...

    def sums(self, commit: str) -> dict[str, int] | None:
        """Return the column sums of a version when they were kept."""
        ...

    def keep_sums(self, commit: str, sums: dict[str, int]) -> None:
        """Keep column sums; a cache."""
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
