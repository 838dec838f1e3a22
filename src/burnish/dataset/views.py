"""What a dataset answers when asked about its history: values that print well."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar, overload

import pandas as pd
import pyarrow as pa

from burnish.core.conflicts import Conflict, Conflicts
from burnish.core.delta import COLUMN, DROPPED, MARK, ROW, Delta, is_system, numbers, stamped
from burnish.core.lanes import as_text, lay_out
from burnish.core.schema import fact_in_words
from burnish.core.version import Version
from burnish.dataset.reading import keys_at
from burnish.dataset.state import STAGED, State
from burnish.errors import ColumnError, InputError
from burnish.store.backend import RefMove

T = TypeVar("T")
_ID = re.compile("[0-9a-f]{64}")
_DIFF = ["key", "column", "old", "new", "author", "reason", "finding", "version"]
_GROUPS = ("column", "author", "reason", "finding", "version")
_DECISION = ["key", "verdict", "finding", "position", "reason", "author", "time", "version"]


class Listed(Sequence[T]):
    """A sequence that is shown as text and as a table."""

    _items: tuple[T, ...]

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        return self._items[place]

    def __len__(self) -> int:
        return len(self._items)

    def frame(self) -> pd.DataFrame:
        """Return the items as a table."""
        raise AssertionError("a view knows its table")

    def _repr_html_(self) -> str:
        return as_html(self.frame())


@dataclass(frozen=True, eq=False, repr=False)
class Log(Listed[Version]):
    """Versions, newest first; children stand before their parents.

    Attributes
    ----------
    refs : mapping of str to list of str
        Branches and tags that stand at a version, by its id.
    """

    _items: tuple[Version, ...]
    refs: Mapping[str, list[str]]

    def frame(self) -> pd.DataFrame:
        """Return a table with columns ``name, id, parents, refs, author, time, message, cells``."""
        names = ["name", "id", "parents", "refs", "author", "time", "message", "cells"]
        known = {version.id: version.name for version in self}
        rows = [
            (
                v.name,
                v.id,
                [known.get(parent, parent[:8]) for parent in v.parents],
                self.refs.get(v.id, []),
                v.author,
                v.time,
                v.message,
                v.n_cells,
            )
            for v in self
        ]
        return pd.DataFrame(rows, columns=names)

    def graph(self) -> str:
        """Return the versions as text with a drawn graph, one line each."""
        rows = lay_out([(version.id, version.parents) for version in self])
        return as_text(rows, [self._line(version) for version in self])

    def _line(self, version: Version) -> str:
        names = ", ".join(self.refs.get(version.id, []))
        return f"{version!r} [{names}]" if names else repr(version)

    def __repr__(self) -> str:
        return self.graph() if any(len(v.parents) > 1 for v in self) else "\n".join(map(repr, self))


@dataclass(frozen=True, eq=False, repr=False)
class Reflog(Listed[tuple[RefMove, str]]):
    """Moves of branches and tags, newest first."""

    _items: tuple[tuple[RefMove, str], ...]
    _name_of: Callable[[str], str]

    def frame(self) -> pd.DataFrame:
        """Return a table with columns ``time, kind, name, old, new, user, act``."""
        rows = [
            (
                pd.Timestamp(time),
                m.kind,
                m.name,
                self._named(m.old),
                self._named(m.new),
                m.user,
                m.act,
            )
            for m, time in self
        ]
        names = ["time", "kind", "name", "old", "new", "user", "act"]
        frame = pd.DataFrame(rows, columns=names, dtype=object)
        return frame.astype({"time": "datetime64[us, UTC]"})

    def _named(self, commit: str | None) -> str | None:
        return None if commit is None else self._name_of(commit)

    def __repr__(self) -> str:
        return "\n".join(
            f"{time[:19]} {m.kind} {m.name}: {self._named(m.old) or '∅'} → "
            f"{self._named(m.new) or '∅'} ({m.act}, {m.user})"
            for m, time in self
        )


@dataclass(frozen=True, eq=False)
class Diff:
    """The net change between two versions, as cells.

    Attributes
    ----------
    old, new : str
        Names of the versions.
    """

    old: str
    new: str
    _delta: Delta
    _state_at: Callable[[], State]

    @cached_property
    def _state(self) -> State:
        return self._state_at()

    def frame(self) -> pd.DataFrame:
        """Return one row a changed cell.

        Returns
        -------
        DataFrame
            Columns ``key, column, old, new, author, reason, finding, version``. A dropped row is
            a cell of the column ``$dropped``, a mark one of ``$mark:<name>``, an added row one of
            ``$row``; a change of the columns, roles or classes has no key, and JSON for values.
        """
        return _frame(self._parts(), _DIFF)

    def flow(self, column: str) -> pd.DataFrame:
        """Return how often each old value became each new one, most frequent first.

        Returns
        -------
        DataFrame
            Columns ``old, new, cells``.
        """
        if column not in self._state.schema.by_name and not is_system(column):
            raise ColumnError(
                f"there is no column {column!r} in {self.new}", hint=f"ds.at({self.new!r}).columns"
            )
        table = self._delta.cells.get(self._state.id_of(column))
        if table is None:
            return pd.DataFrame({"old": [], "new": [], "cells": []}, dtype=object)
        pairs = Counter(zip(table["old"].to_pylist(), table["new"].to_pylist(), strict=True))
        rows = [(old, new, n) for (old, new), n in pairs.most_common()]
        return pd.DataFrame(rows, columns=["old", "new", "cells"])

    def label_flow(self) -> pd.DataFrame:
        """Return how many rows went from each class to each other one; see `flow`.

        Raises
        ------
        ColumnError
            The dataset has no label column.
        """
        label = self._state.schema.roles.get("label")
        if label is None:
            raise ColumnError(
                "the dataset has no label column", hint="name it with ds.set_roles(label='…')"
            )
        return self.flow(label)

    def by(self, what: str) -> pd.DataFrame:
        """Return how many cells changed, grouped.

        Parameters
        ----------
        what : {"column", "author", "reason", "finding", "version"}

        Returns
        -------
        DataFrame
            The group and ``cells``, largest first.
        """
        if what not in _GROUPS:
            raise InputError(
                f"cannot group by {what!r}, only by {', '.join(_GROUPS)}", hint="diff.by('author')"
            )
        counts = self.frame()[what].value_counts(dropna=False)
        return counts.rename_axis(what).rename("cells").reset_index()

    def _parts(self) -> Iterable[pd.DataFrame]:
        for column in sorted(self._delta.cells):
            part = _objects(self._delta.cells[column], self._state)
            part.insert(1, "column", self._state.name_of(column))
            part["version"] = [version_name(number) for number in part["version"]]
            yield part[_DIFF]
        if len(self._delta.facts):
            yield _facts_frame(self._delta.facts)

    def __len__(self) -> int:
        return len(self._delta)

    def __repr__(self) -> str:
        return f"{self.old} → {self.new}: {describe(self._delta, self._state)}"

    def _repr_html_(self) -> str:
        parts = [f"<div>{html.escape(repr(self))}</div>"]
        label = self._state.schema.roles.get("label")
        if label is not None and self._state.id_of(label) in self._delta.cells:
            parts.append(as_html(self.flow(label).head(10)))
        if len(self):
            parts.append(as_html(self._head(20)))
        return "".join(parts)

    def _head(self, rows: int) -> pd.DataFrame:
        cells = {name: table.slice(0, rows) for name, table in self._delta.cells.items()}
        short = Delta(cells, facts=self._delta.facts.slice(0, rows))
        return Diff(self.old, self.new, short, self._state_at).frame().head(rows)


@dataclass(frozen=True, eq=False)
class ConflictTable:
    """Cells that two sides changed, each to another value; sized and iterable."""

    _conflicts: Conflicts
    _state: State

    def frame(self) -> pd.DataFrame:
        """Return one row a conflict.

        Returns
        -------
        DataFrame
            Columns ``key, column, base, ours, theirs`` and, for both sides, ``author, reason,
            time``. A row that one side edited and the other dropped is a conflict of the column
            ``$dropped``; a conflict about a column, a role or a class has no key.
        """
        return pd.DataFrame(list(self), columns=list(Conflict._fields), dtype=object)

    def __iter__(self) -> Iterator[Conflict]:
        for conflict in self._conflicts.each(lambda rows: keys_at(self._state, rows)):
            yield conflict._replace(column=self._state.name_of(conflict.column))

    def __len__(self) -> int:
        return len(self._conflicts)

    def __repr__(self) -> str:
        if not len(self):
            return "no conflicts"
        counts = Counter(conflict.column for conflict in self)
        return ", ".join(f"{_plural(n, 'conflict')} of {name}" for name, n in counts.items())

    def _repr_html_(self) -> str:
        head = f"<div>{html.escape(repr(self))}</div>"
        return head + as_html(self.frame().head(20))


@dataclass(frozen=True, eq=False)
class Merge:
    """What a merge came to.

    Attributes
    ----------
    version : Version or None
        The head after it; None where conflicts are left, and nothing was written.
    conflicts : ConflictTable
        The conflicts that are left.
    """

    version: Version | None
    conflicts: ConflictTable

    def __repr__(self) -> str:
        if self.version is not None:
            return f"Merge({self.version!r})"
        return f"Merge(not done: {self.conflicts!r}. Hint: resolve='ours', 'theirs', 'newest', …)"

    def _repr_html_(self) -> str:
        return f"<div>{html.escape(repr(self))}</div>" + (
            self.conflicts._repr_html_() if len(self.conflicts) else ""
        )


@dataclass(frozen=True, eq=False)
class Staged:
    """Edits and decisions that are not committed yet; its length is the number of cells."""

    delta: Delta
    _state: State

    @property
    def decisions(self) -> int:
        """How many decisions are staged."""
        return len(self.delta.decisions)

    def frame(self) -> pd.DataFrame:
        """Return one row a staged cell, with the columns of `Diff.frame` but the version."""
        diff = Diff("head", "staged", stamped(self.delta, STAGED), lambda: self._state)
        return diff.frame().drop(columns=["version"])

    def __len__(self) -> int:
        return len(self.delta)

    def __bool__(self) -> bool:
        return bool(self.delta)

    def __repr__(self) -> str:
        return f"Staged({describe(self.delta, self._state)})"


@dataclass(frozen=True, eq=False)
class Decisions:
    """Verdicts on findings, in the order they were made."""

    _table: pa.Table
    _state: State

    def frame(self) -> pd.DataFrame:
        """Return one row a decision.

        Returns
        -------
        DataFrame
            Columns ``key, verdict, finding, position, reason, author, time, version``;
            ``position`` is the row's place in its queue, ``version`` is None while staged.
        """
        return _objects(self._table, self._state)[_DECISION]

    @property
    def table(self) -> pa.Table:
        """The decisions by ordinal, for burnish's own layers."""
        return self._table

    def counts(self) -> dict[str, int]:
        """Return how many rows have each verdict, by their last decision."""
        latest = self.frame().drop_duplicates("key", keep="last")
        return {str(k): int(n) for k, n in latest["verdict"].value_counts().items()}

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {verdict}" for verdict, n in self.counts().items())
        return f"Decisions({len(self)}{': ' + counts if counts else ''})"


def version_name(number: int) -> str | None:
    """Return the name of the version with a number, None for what is staged."""
    return f"v{number}" if number >= 0 else None


def as_html(frame: pd.DataFrame) -> str:
    """Return a table for a notebook: text escaped, ids short, times to the minute."""
    shown = frame.map(_brief).rename(columns=lambda name: name.replace("_", " "))
    return str(shown.to_html(index=False, escape=True, na_rep=""))


def _brief(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, str) and _ID.fullmatch(value):
        return value[:8]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return "" if value is None else value


def describe(delta: Delta, state: State) -> str:
    """Return a delta in words: cells by column, rows dropped, columns added, decisions."""
    parts = [_column_text(state.name_of(name), table) for name, table in delta.cells.items()]
    parts += _fact_texts(delta.facts)
    if len(delta.decisions):
        parts.append(_plural(len(delta.decisions), "decision"))
    return ", ".join(parts) or "no change"


def _fact_texts(facts: pa.Table) -> list[str]:
    rows = facts.select(["name", "old", "new"]).to_pylist()
    cast = {json.loads(row["new"] or "{}").get("cast_from") for row in rows if _is_column(row)}
    return [
        fact_in_words(row["name"], row["old"], row["new"])
        for row in rows
        if not (_is_column(row) and row["name"].removeprefix(COLUMN) in cast)
    ]


def _is_column(fact: dict[str, Any]) -> bool:
    return bool(fact["name"].startswith(COLUMN))


def _objects(table: pa.Table, state: State) -> pd.DataFrame:
    """Return a table of cells or decisions by key, None where there is no value."""
    columns = {n: pd.Series(table[n].to_pylist(), dtype=object) for n in table.column_names[1:]}
    return pd.DataFrame({"key": keys_at(state, numbers(table, "ordinal")), **columns})


def _facts_frame(facts: pa.Table) -> pd.DataFrame:
    columns = facts.rename_columns(["column", *facts.column_names[1:]]).to_pydict()
    return pd.DataFrame({"key": None, **columns, "version": None}, dtype=object)[_DIFF]


def _column_text(name: str, table: pa.Table) -> str:
    if not name.startswith("$"):
        return f"{_plural(len(table), 'cell')} of {name}"
    on = sum(bool(value) for value in table["new"].to_pylist())
    mark = name.removeprefix(MARK)
    words = {DROPPED: ("dropped", "restored"), ROW: ("added", "taken out")}
    there, back = words.get(name, (f"marked {mark}", f"unmarked {mark}"))
    texts = [(on, there), (len(table) - on, back)]
    return ", ".join(f"{_plural(n, 'row')} {word}" for n, word in texts if n)


def _plural(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _frame(parts: Iterable[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    found = list(parts)
    if not found:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    return pd.concat(found, ignore_index=True)


def decisions_table(parts: list[tuple[Any, pa.Table]], empty: pa.Table) -> pa.Table:
    """Return all decisions with the version that holds them."""
    tables = [
        table.append_column("version", pa.repeat(pa.scalar(name, pa.string()), len(table)))
        for name, table in [(None, empty), *parts]
    ]
    return pa.concat_tables(tables)
