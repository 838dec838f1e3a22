"""A read-only version of a dataset."""

from __future__ import annotations

import contextlib

from burnish.core.version import Version
from burnish.dataset.history import History
from burnish.dataset.reading import Reading
from burnish.dataset.state import State
from burnish.errors import ClosedError


class Snapshot(Reading):
    """A version, with the same reading methods as a dataset.

    Attributes
    ----------
    version : Version
    """

    def __init__(self, history: History, commit: str) -> None:
        self._history = history
        self.version: Version = history.version(commit)

    def _state(self) -> State:
        with contextlib.suppress(ClosedError):  # what was read before stays readable
            self._history.refresh_rows()
        return self._history.state(self.version.id)

    @property
    def fingerprint(self) -> str:
        """Content hash of the live rows, 64 hex digits."""
        return self.version.fingerprint

    @property
    def column_sums(self) -> dict[str, int]:
        """Column name → content hash of its live cells and their keys."""
        return self._history.sums(self.version.id)

    def __repr__(self) -> str:
        return f"Snapshot({self.version.name}, {len(self):,} rows)"
