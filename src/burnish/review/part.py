"""One kind of evidence for some rows, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.delta import Ordinals
from burnish.core.keys import KeyArray, plain

if TYPE_CHECKING:
    import pandas as pd

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Absent:
    """Why there is no evidence of a kind.

    Attributes
    ----------
    reason : str
        In words, such as what the dataset lacks.
    waiting : bool
        Whether it is being computed.
    """

    reason: str
    waiting: bool = False


@dataclass(frozen=True, eq=False)
class Part:
    """One kind of evidence for some rows.

    Attributes
    ----------
    keys : array of shape (n_rows,)
        The rows that were asked about.
    rows : int array of shape (n,)
        Which of `keys` each line is about, rising.
    columns : mapping of str to array of shape (n,)
    others : int array of shape (n,), optional
        Ordinal of the row that each line compares with.
    absent : Absent, optional
        Why there is nothing, None where the evidence is there.
    """

    keys: KeyArray
    rows: Places
    columns: Mapping[str, Any] = field(default_factory=dict)
    others: Ordinals | None = None
    absent: Absent | None = None

    @classmethod
    def missing(cls, keys: KeyArray, names: tuple[str, ...], absent: Absent) -> Part:
        """Return a part that only says why it is empty."""
        nothing = np.empty(0, dtype=object)
        return cls(keys, np.empty(0, np.intp), dict.fromkeys(names, nothing), None, absent)

    def frame(self) -> pd.DataFrame:
        """Return the lines as a table whose first column is ``key``."""
        import pandas as pd

        columns = {"key": self.keys[self.rows], **self.columns}
        return pd.DataFrame({n: pd.Series(c, dtype=c.dtype) for n, c in columns.items()})

    def of(self, place: int) -> list[dict[str, Any]]:
        """Return the lines of one of the rows."""
        start, stop = np.searchsorted(self.rows, [place, place + 1])
        return [
            {name: plain(values[i]) for name, values in self.columns.items()}
            for i in range(start, stop)
        ]

    def only(self, place: int) -> Part:
        """Return the part of one of the rows."""
        mine = slice(*np.searchsorted(self.rows, [place, place + 1]))
        columns = {name: values[mine] for name, values in self.columns.items()}
        others = None if self.others is None else self.others[mine]
        rows = np.zeros_like(self.rows[mine])
        return Part(self.keys[place : place + 1], rows, columns, others, self.absent)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        if self.absent is not None:
            return f"Part(nothing: {self.absent.reason})"
        return f"Part({len(self):,} lines for {len(self.keys):,} rows: {', '.join(self.columns)})"

    def _repr_html_(self) -> str:
        import html

        table = "" if self.absent is not None else self.frame().head(10).to_html(escape=True)
        return f"<div>{html.escape(repr(self))}</div>{table}"
