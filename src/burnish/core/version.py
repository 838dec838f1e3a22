"""An immutable node of a dataset's history."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from burnish.core.canonical import canonical_json

_DOMAIN = b"burnish-commit-1\n"


@dataclass(frozen=True)
class Version:
    """A committed state of a dataset.

    Attributes
    ----------
    id : str
        64 hex digits, SHA-256 over the version's header.
    name : str
        ``v0``, ``v1``, …, unique in the store.
    message, author : str
    time : datetime
        In UTC. The order of versions is by parents, never by time.
    parents : tuple of str
        Ids of the versions this one was made from.
    n_cells : int
        Cells that it changed.
    """

    id: str
    name: str
    message: str
    author: str
    time: datetime
    parents: tuple[str, ...]
    n_cells: int
    _fingerprint: Callable[[str], str] = field(repr=False, compare=False)

    @property
    def fingerprint(self) -> str:
        """Content hash of the live rows, 64 hex digits; computed once and kept in the store."""
        return self._fingerprint(self.id)

    def __repr__(self) -> str:
        when = self.time.strftime("%Y-%m-%d %H:%M")
        cells = f"{self.n_cells:,} cell{'s' if self.n_cells != 1 else ''}"
        return f"{self.name} ({self.id[:8]}, {cells}, {self.author}, {when}): {self.message}"


def commit_id(header: Mapping[str, Any]) -> str:
    """Return the id of a version from its header: SHA-256 over canonical JSON."""
    return hashlib.sha256(_DOMAIN + canonical_json(dict(header))).hexdigest()
