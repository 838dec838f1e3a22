"""Columns, roles and classes of a version, as its facts say.

A column has an id, the first name it had in its history, and keeps it when it is renamed; cells
and roles hold on to the id. A class keeps its first name as its id in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from burnish.core.canonical import canonical_json
from burnish.core.delta import COLUMN, ROW, Delta

ROLE = "role:"
CLASS = "class:"
MERGED = "merged"
Facts = Mapping[str, str]


@dataclass(frozen=True)
class Column:
    """One column of a version.

    Attributes
    ----------
    id : str
        Its first name, for good.
    name : str
        Its name now.
    place : int
        Columns are shown in this order.
    source : str, optional
        Content id of the file that its values are in; None for a column of the base.
    cast_from : str, optional
        Id of the column whose values it holds in another type.
    """

    id: str
    name: str
    place: int
    source: str | None = None
    cast_from: str | None = None

    def fact(self) -> tuple[str, str]:
        """Return the column as the name and the value of a fact."""
        content = {key: value for key, value in asdict(self).items() if value is not None}
        del content["id"]
        return COLUMN + self.id, fact_text(content)


@dataclass(frozen=True, eq=False)
class Schema:
    """What the facts of a version say about its columns, roles and classes."""

    facts: Facts

    @cached_property
    def columns(self) -> list[Column]:
        """The columns in their order."""
        found = [Column(name, **value) for name, value in self.named(COLUMN).items()]
        return sorted(found, key=lambda column: (column.place, column.id))

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Column of each name."""
        return {column.name: column for column in self.columns}

    @cached_property
    def by_id(self) -> dict[str, Column]:
        """Column of each id."""
        return {column.id: column for column in self.columns}

    @cached_property
    def roles(self) -> dict[str, Any]:
        """Role → column name, or list of names."""
        return {role: self._names_of(ids) for role, ids in self.named(ROLE).items()}

    @cached_property
    def renamed_classes(self) -> dict[Any, Any]:
        """Id of each class that has another name now → that name."""
        return {json.loads(n): class_name(value) for n, value in self.named(CLASS).items()}

    @cached_property
    def class_ids(self) -> dict[Any, Any]:
        """Name of each class that was renamed → its id; those merged into it are left out."""
        facts = self.named(CLASS).items()
        return {value: json.loads(name) for name, value in facts if not isinstance(value, dict)}

    def named(self, prefix: str) -> dict[str, Any]:
        """Return the facts of one kind, by what follows the prefix."""
        return {
            name.removeprefix(prefix): json.loads(value)
            for name, value in self.facts.items()
            if name.startswith(prefix)
        }

    def _names_of(self, ids: str | list[str]) -> Any:
        if isinstance(ids, str):
            return self.by_id[ids].name
        return [self.by_id[name].name for name in ids]


def class_name(value: Any) -> Any:
    """Return the name that the fact of a class gives it, by renaming it or merging it away."""
    return value[MERGED] if isinstance(value, dict) else value


def fact_text(value: Any) -> str:
    """Return the value of a fact as text: canonical JSON."""
    return canonical_json(value).decode()


def first_facts(names: list[str], roles: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts of a dataset's first version."""
    columns = [Column(name, name, place).fact() for place, name in enumerate(names)]
    return dict(columns) | {ROLE + role: fact_text(ids) for role, ids in roles.items()}


def changed_facts(facts: Facts, changes: pa.Table) -> Facts:
    """Return facts after a change."""
    if not len(changes):
        return facts
    out = dict(facts)
    for name, new in zip(changes["name"].to_pylist(), changes["new"].to_pylist(), strict=True):
        if new is None:
            out.pop(name, None)
        else:
            out[name] = new
    return out


def fact_in_words(name: str, old: str | None, new: str | None) -> str:
    """Return the change of a fact in words."""
    before, after = (None if text is None else json.loads(text) for text in (old, new))
    if name.startswith(COLUMN):
        return _column_in_words(before, after)
    if name.startswith(ROLE):
        role = name.removeprefix(ROLE)
        return f"no {role} column" if after is None else f"{role} = {_joined(after)}"
    if name.startswith(CLASS):
        first = json.loads(name.removeprefix(CLASS))
        verb = "merged into" if isinstance(after, dict) else "is"
        return f"class {first} {verb} {first if after is None else class_name(after)}"
    return f"{name} {'set' if before is None else 'removed' if after is None else 'changed'}"


def _column_in_words(before: Any, after: Any) -> str:
    if after is None:
        return f"column {before['name']} dropped"
    if before is None:
        return f"column {after['name']} {'cast' if 'cast_from' in after else 'added'}"
    if before["name"] != after["name"]:
        return f"column {before['name']} renamed to {after['name']}"
    return f"column {after['name']} changed"


def _joined(names: str | list[str]) -> str:
    return names if isinstance(names, str) else ", ".join(names)


def files_of(delta: Delta) -> tuple[set[str], dict[str, str]]:
    """Return the segments that a change refers to, and the column files, each with its column."""
    rows = delta.cells.get(ROW)
    segments = set() if rows is None else set(rows["old"].unique().to_pylist())
    segments |= set() if rows is None else set(rows["new"].unique().to_pylist())
    columns = {}
    for fact in delta.facts.to_pylist():
        if fact["name"].startswith(COLUMN):
            for text in filter(None, (fact["old"], fact["new"])):
                source = json.loads(text).get("source")
                if source:
                    columns[source] = fact["name"].removeprefix(COLUMN)
    return segments - {None}, columns
