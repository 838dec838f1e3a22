"""Lines of a patch as rows and typed columns of a state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import key_bytes, logical_type
from burnish.core.delta import DROPPED, MARK, PROVENANCE, Ordinals
from burnish.core.patch import Line, Patch, broken, shown
from burnish.core.spelling import Json, read
from burnish.dataset.state import State
from burnish.errors import PatchError


@dataclass(frozen=True, eq=False)
class Lines:
    """Reads the lines of a patch by the columns of a state.

    Attributes
    ----------
    state : State
        Its columns are as the patch wants them.
    patch : Patch
    own_data : bool
        Whether the patch was made on the same dataset, maybe on another copy.
    """

    state: State
    patch: Patch
    own_data: bool

    def key_columns(self, lines: Sequence[Line]) -> list[pa.Array]:
        """Return the keys of lines, one column for each column of the key."""
        names = self.state.key
        for line in lines:
            if len(names) > 1 and not (isinstance(line.key, list) and len(line.key) == len(names)):
                raise broken(
                    line.number,
                    f"has the key {shown(line.key)}, expected {', '.join(names)}",
                    "a key of several columns is a list",
                )
        parts = [[line.key for line in lines]]
        if len(names) > 1:
            parts = [[line.key[place] for line in lines] for place in range(len(names))]
        return [self.values(n, lines, part) for n, part in zip(names, parts, strict=True)]

    def found(self, lines: Sequence[Line]) -> Ordinals:
        """Return the ordinal of each line's row, -1 where the store knows none."""
        if not lines:
            return np.empty(0, np.int64)
        return self.state.rows.find(key_bytes(self.key_columns(lines)))

    def ordinals(self, lines: Sequence[Line]) -> Ordinals:
        """Return the ordinal of each line's row, which must be known and occur once.

        Raises
        ------
        PatchError
            No row has the key, or two lines are about the same cell.
        """
        found = self.found(lines)
        self.refuse_unknown(lines, found)
        self.refuse_repeated(lines)
        return found

    def refuse_repeated(self, lines: Sequence[Line]) -> None:
        """Refuse two lines with one key."""
        if not lines:
            return
        known: dict[bytes, Line] = {}
        for key, line in zip(key_bytes(self.key_columns(lines)).to_pylist(), lines, strict=True):
            first = known.setdefault(key, line)
            if first is not line:
                raise broken(
                    line.number,
                    f"is about {line.what} of {shown(line.key)}, as line {first.number} is",
                    "leave one of the two",
                )

    def dropped(self) -> Ordinals:
        """Return the rows that the patch drops or restores."""
        return self.found(self.patch.by_column("cell").get(DROPPED, []))

    def column(self, line: Line) -> str:
        """Return the id of the column that a line of a cell names."""
        name = line.what
        if _is_flag(name):
            return name
        self._known(name, line)
        if name in self.state.key:
            raise broken(
                line.number,
                f"changes {name!r}, which is part of the key and never changes",
                "take the row out and add it under its new key",
            )
        return self.state.id_of(name)

    def values(self, name: str, lines: Sequence[Line], values: Sequence[Json]) -> pa.Array:
        """Return values of lines as a column of the type that the state has.

        Raises
        ------
        PatchError
            The column is unknown or of another type, or a value is none of its type.
        """
        if not lines:
            return pa.nulls(0, self.kind(name))
        self._known(name, lines[0])
        kind = self.kind(name)
        written = self.patch.header.types.get(name, kind)
        if logical_type(written) != logical_type(kind):
            raise broken(
                lines[0].number,
                f"has {name!r} as {written}, here it is {kind}",
                "the patch is for other data, or cast the column first",
            )
        return typed(name, lines, values, written, kind)

    def kind(self, name: str) -> pa.DataType:
        """Return the type of a column; of one that the patch itself adds, as the patch says."""
        if _is_flag(name):
            return pa.bool_()
        if name in self.patch.added and name in self.patch.header.types:
            return self.patch.header.types[name]
        return self.state.type_of(name)

    def _known(self, name: str, line: Line) -> None:
        if _is_flag(name) or name in self.state.schema.by_name:
            return
        raise broken(
            line.number,
            f"names the column {shown(name)}, not one of {', '.join(self.state.names)}",
            "the patch is for other data, or apply first the one that adds the column",
        )

    def refuse_unknown(self, lines: Sequence[Line], found: Ordinals) -> None:
        """Refuse lines whose row was not found."""
        missing = np.flatnonzero(found < 0)
        if not len(missing):
            return
        line, others = lines[missing[0]], len(missing) - 1
        more = f", nor do {others:,} more of its {len(lines):,} keys" if others else ""
        raise broken(
            line.number,
            f"is about {shown(line.key)}, a key that no row here has{more}",
            "apply first the patch that adds the rows, or fetch them from the other copy"
            if self.own_data
            else "the patch was made on another dataset; check that the keys mean the same rows",
        )


def _is_flag(name: str) -> bool:
    return name == DROPPED or name.startswith(MARK)


def typed(
    name: str,
    lines: Sequence[Line],
    values: Sequence[Json],
    written: pa.DataType,
    kind: pa.DataType,
) -> pa.Array:
    """Return values of lines, spelled for one type, as a column of another.

    Raises
    ------
    PatchError
        A value is none of these types; the message names its line.
    """
    try:
        return _typed(values, written, kind)
    except ValueError as error:
        raise _first_bad(name, lines, values, written, kind, error) from error


def stamps(lines: Sequence[Line]) -> pa.Table:
    """Return who made the changes of lines, why and when."""
    columns = [[getattr(line.stamp, name) for line in lines] for name in PROVENANCE.names]
    try:
        arrays = [_typed(c, k, k) for c, k in zip(columns, PROVENANCE.types, strict=True)]
    except ValueError as error:
        raise _bad_stamp(lines, error) from error
    return pa.table(arrays, schema=PROVENANCE)


def _bad_stamp(lines: Sequence[Line], error: ValueError) -> PatchError:
    for line in lines:
        for name, kind in zip(PROVENANCE.names, PROVENANCE.types, strict=True):
            value = getattr(line.stamp, name)
            if not _fits(value, kind, kind):
                return broken(
                    line.number, f"has the {name} {shown(value)}: {error}", "export the patch again"
                )
    raise AssertionError("no line has a bad stamp") from error


def _first_bad(
    name: str,
    lines: Sequence[Line],
    values: Sequence[Json],
    written: pa.DataType,
    kind: pa.DataType,
    error: ValueError,
) -> PatchError:
    for line, value in zip(lines, values, strict=True):
        if not _fits(value, written, kind):
            return broken(
                line.number,
                f"has the value {shown(value)} for {name!r} of type {kind}: {error}",
                "put the value right, or export the patch again",
            )
    raise AssertionError(name) from error


def _fits(value: Json, written: pa.DataType, kind: pa.DataType) -> bool:
    try:
        _typed([value], written, kind)
    except ValueError:
        return False
    return True


def _typed(values: Sequence[Json], written: pa.DataType, kind: pa.DataType) -> pa.Array:
    array = read(values, written)
    array = array if written == kind else array.cast(kind)
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_nan(array), pa.scalar(None, kind), array)
    return array
