"""The class of every row as a small number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import numbers
from burnish.session.classes import NO_CLASS, ClassTable, Codes, label_codes
from burnish.session.shown import Shown


class Coding:
    """Codes of the labels that are shown: those of the head, and the staged ones over them.

    Parameters
    ----------
    shown : Shown

    Attributes
    ----------
    classes : ClassTable
    head_codes : array of shape (n_rows,)
        What staged labels are drawn over; ``NO_CLASS`` for none.
    """

    def __init__(self, shown: Shown) -> None:
        self.classes = ClassTable([])
        self.head_codes: Codes = np.empty(0, np.uint16)
        self._shown = shown
        self._labelled: tuple[str | None, dict[Any, Any]] = (None, {})

    def read(self) -> None:
        """Read all labels anew; a class keeps its code for as long as the label column stays."""
        label, ground = self._shown.label, self._shown.ground
        if label is None:
            self.classes, self._labelled = ClassTable([]), (None, {})
            self.head_codes = np.full(self._shown.n_rows, NO_CLASS, np.uint16)
            return
        now = (ground.id_of(label), ground.schema.renamed_classes)
        column, self._labelled, before = ground.column(label), now, self._labelled
        if now[0] == before[0]:
            self.classes = self.classes.renamed(before[1], now[1]).extended(column)
        else:
            self.classes = ClassTable.of(column)
        self.read_staged()
        self.head_codes = self._sized(label_codes(ground, label, self.classes))

    def read_staged(self) -> None:
        """Take in the classes that only staged labels have."""
        table = self._staged_labels()
        if table is not None:
            self.classes = self.classes.extended(table["new"].combine_chunks())

    def staged_codes(self) -> tuple[npt.NDArray[np.uint32], Codes]:
        """Return the rows whose class is staged to change, and their new codes."""
        table = self._staged_labels()
        if table is None:
            return np.empty(0, np.uint32), np.empty(0, np.uint16)
        return numbers(table, "ordinal").astype(np.uint32), self.classes.codes(table["new"])

    def live_codes(self) -> Codes:
        """Return the class code of every row now, staged edits included."""
        codes = self.head_codes.copy()
        rows, new = self.staged_codes()
        codes[rows] = new
        return codes

    def counts(self) -> npt.NDArray[np.int64]:
        """Return how many live rows each class has."""
        codes = self.live_codes()[self._shown.live]
        return np.bincount(codes[codes != NO_CLASS], minlength=len(self.classes))

    def codes_at(self, rows: list[int]) -> list[int]:
        """Return the code of the class that each row has as shown, ``NO_CLASS`` for none."""
        label = self._shown.label
        if label is None:
            return [NO_CLASS] * len(rows)
        labels = self._shown.state.take(label, np.array(rows, np.int64))
        return [int(code) for code in self.classes.codes(labels)]

    def name_of(self, code: int) -> str | None:
        """Return the name of a class, None for no class."""
        return None if code == NO_CLASS else self.classes.names[code]

    def _staged_labels(self) -> pa.Table | None:
        label = self._shown.label
        if label is None or self._shown.is_reshaped:
            return None
        return self._shown.staged.cells.get(self._shown.state.id_of(label))

    def _sized(self, codes: Codes) -> Codes:
        """Return codes for all rows: those that a version does not have yet have no class."""
        missing = max(0, self._shown.n_rows - len(codes))
        return np.pad(codes[: self._shown.n_rows], (0, missing), constant_values=NO_CLASS)
