"""What is shown of a dataset: its working copy, or an old version in its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from burnish.core.delta import ROW, Delta
from burnish.core.version import Version
from burnish.dataset import Dataset
from burnish.dataset.snapshot import Snapshot
from burnish.dataset.state import State
from burnish.errors import InputError, UnknownVersionError, ViewingError


class Shown:
    """The version that is looked at, else the working copy.

    Parameters
    ----------
    ds : Dataset

    Attributes
    ----------
    n_rows : int
        Ordinals of all rows that were seen, dropped ones included; never shrinks.
    revision : int
        How often `n_rows` grew.
    """

    def __init__(self, ds: Dataset) -> None:
        self.ds = ds
        self.n_rows = 0
        self.revision = -1
        self._viewed: Snapshot | None = None

    @property
    def viewing(self) -> str | None:
        """Id of the version that is looked at in place of the working copy, None for none."""
        return self._viewed.version.id if self._viewed else None

    @property
    def version(self) -> Version:
        """The version that is shown: the one looked at, else the head."""
        return self._viewed.version if self._viewed else self.ds.head

    @property
    def state(self) -> State:
        """All cells as they are shown: of the version looked at, else of the working copy."""
        return self._viewed.state if self._viewed else self.ds.state

    @property
    def roles(self) -> dict[str, Any]:
        """Role → column name, or list of names, as shown."""
        return self._viewed.roles if self._viewed else self.ds.roles

    @property
    def label(self) -> str | None:
        """Name of the label column."""
        return self.roles.get("label")

    @property
    def staged(self) -> Delta:
        """The staged change as shown: nothing while an old version is looked at."""
        return Delta() if self._viewed else self.ds.staged.delta

    @property
    def is_reshaped(self) -> bool:
        """Whether the staged change adds rows or changes columns, roles or classes."""
        staged = self.staged
        return ROW in staged.cells or bool(len(staged.facts))

    @property
    def ground(self) -> State:
        """What staged labels are drawn over: the head, unless rows or columns are staged too."""
        if self._viewed or self.is_reshaped:
            return self.state
        return self.ds.at(self.ds.head).state

    @property
    def live(self) -> npt.NDArray[np.bool_]:
        """Which of all rows are live as shown."""
        state = self.state
        if state.n_ordinals == self.n_rows:
            return state.live_mask
        return state.is_live(np.arange(self.n_rows, dtype=np.int64))

    def look_at(self, snapshot: Snapshot | None) -> None:
        """Show a version, None for the working copy."""
        self._viewed = snapshot

    def reopen(self, ds: Dataset) -> None:
        """Show the same through the dataset that is open now."""
        self.ds = ds
        if self._viewed is not None:
            try:
                self._viewed = ds.at(self._viewed.version)
            except UnknownVersionError:
                self._viewed = None

    def grow(self) -> bool:
        """Take in rows that were added; return whether there are any."""
        size = self.ds.state.n_ordinals
        if size <= self.n_rows:
            return False
        self.n_rows, self.revision = size, self.revision + 1
        return True

    def check_row(self, row: int) -> None:
        """Refuse a row that is not there.

        Raises
        ------
        InputError
        """
        if not 0 <= row < self.n_rows:
            raise InputError(
                f"there is no row {row}, rows go from 0 to {self.n_rows - 1}",
                hint="reload the widget: run its cell again",
            )

    def check_editable(self) -> None:
        """Refuse to change anything while an old version is looked at.

        Raises
        ------
        ViewingError
        """
        if self._viewed is not None:
            raise ViewingError(
                f"you are looking at {self.version.name}, which is read-only, so nothing was "
                "changed",
                hint=f"return to {self.ds.branch_name} first",
            )
