"""Classes as small numbers that stay what they are for a whole session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.dataset.state import State

NO_CLASS = 0xFFFF
_TAKEN = set("npksuzdcx?/Z")
_FREE = "1234567890qwertyiafghjmo"
Codes = npt.NDArray[np.uint16]


class ClassTable:
    """The labels of a dataset; a class's code is its place, and new classes come last.

    Parameters
    ----------
    values : list
        Labels in the order of their codes.
    """

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self.names = [str(value) for value in values]

    @classmethod
    def of(cls, column: pa.Array) -> ClassTable:
        """Return the classes of a label column, sorted."""
        values = column.unique().drop_null().to_pylist()
        return cls(sorted(values, key=lambda value: (str(type(value)), value)))

    def extended(self, column: pa.Array) -> ClassTable:
        """Return the classes with those of a column that are new at the end."""
        known = set(self.values)
        fresh = [v for v in column.unique().drop_null().to_pylist() if v not in known]
        return ClassTable([*self.values, *fresh]) if fresh else self

    def renamed(self, before: Mapping[Any, Any], now: Mapping[Any, Any]) -> ClassTable:
        """Return the classes under new names and the same codes.

        Parameters
        ----------
        before, now : mapping
            First name → name of the classes that had, and have, another one.
        """
        moves = {before.get(first, first): now.get(first, first) for first in {*before, *now}}
        taken = set(self.values)
        values = [
            moves[value] if value in moves and moves[value] not in taken else value
            for value in self.values
        ]
        return ClassTable(values) if values != self.values else self

    def codes(self, column: pa.Array) -> Codes:
        """Return the code of each label, ``NO_CLASS`` for null."""
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        if not self.values:
            return np.full(len(column), NO_CLASS, np.uint16)
        places = pc.index_in(column, value_set=pa.array(self.values, column.type))
        codes = places.fill_null(NO_CLASS).to_numpy(zero_copy_only=False)
        return np.asarray(codes, dtype=np.uint16)

    def value(self, name: str) -> Any:
        """Return the label that a name means; a name that is new is a text label."""
        return self.values[self.names.index(name)] if name in self.names else name

    def keycaps(self) -> list[str | None]:
        """Return the key of each class: its own character, else a free one, else none.

        A character that is the key of an action is picked with Shift.
        """
        used: set[str] = set()
        caps = [_claim(_own_key(name), used) for name in self.names]
        shifted = [
            cap or _claim(_shifted(n), used) for cap, n in zip(caps, self.names, strict=True)
        ]
        free = (key for key in _FREE if key not in used)
        return [cap if cap is not None else next(free, None) for cap in shifted]

    def __len__(self) -> int:
        return len(self.values)


def label_codes(state: State, label: str, classes: ClassTable) -> Codes:
    """Return the code of each row's label, dropped rows included."""
    return classes.codes(state.column(label))


def _own_key(name: str) -> str | None:
    plain = len(name) == 1 and name.isprintable() and not name.isspace()
    return name if plain and name not in _TAKEN else None


def _shifted(name: str) -> str | None:
    return _own_key(name.upper()) if len(name) == 1 and name in _TAKEN else None


def _claim(key: str | None, used: set[str]) -> str | None:
    if key is None or key in used:
        return None
    used.add(key)
    return key
