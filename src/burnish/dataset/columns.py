"""Columns and roles that are added, renamed, cast or dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from burnish.core.canonical import is_list
from burnish.core.delta import Ordinals
from burnish.core.keys import key_array, shorten
from burnish.core.normal import normalise
from burnish.core.schema import ROLE, Column, fact_text
from burnish.dataset.casting import cast_or_null
from burnish.dataset.editing import Editing
from burnish.dataset.gesture import Gesture, code_of, count, fact_cells
from burnish.dataset.reading import keys_at
from burnish.dataset.rows import ordinals_of
from burnish.dataset.state import State
from burnish.errors import ColumnError, InputError
from burnish.io.frames import check_names, to_table
from burnish.store.rows import write_column

ROLES = [
    "label",
    "split",
    "text",
    "image",
    "audio",
    "features",
    "embedding",
    "weight",
    "group",
    "time",
    "annotator",
    "prediction",
]
SEVERAL = ("text", "features", "embedding")
_SHOWN = 3


class Columns(Editing):
    """Changes the columns of a working copy and what they are for."""

    def add_column(
        self, name: str, values: Any, role: str | None = None, reason: str | None = None
    ) -> None:
        """Add a column.

        Parameters
        ----------
        name : str
        values : mapping of key to value, or one value per live row
            In the order of ``ds.keys``; rows that a mapping leaves out are null. Vectors and
            images are arrays of one shape.
        role : str, optional
            What the column is for, for example ``"embedding"``.
        reason : str, optional

        Raises
        ------
        ColumnError
            There is a column of that name, or the values cannot be stored.
        InputError
            There are more or fewer values than live rows.
        KeysError
            A key of the mapping is unknown.

        Notes
        -----
        Writes the values once, to a file named by their content.
        """
        check_names([name])

        def make(state: State) -> Gesture:
            _refuse_taken(state, name)
            ordinals, array = _column_values(state, name, values)
            column = self._new_column(state, name, ordinals, array)
            facts: dict[str, str | None] = dict([column.fact()])
            if role is not None:
                facts |= _role_facts(state, {role: name}, {name: column.id})
            delta = fact_cells(state, facts, self._why(reason))
            code = code_of("add_column", repr(name), "values", role=role, reason=reason)
            return Gesture(delta, f"add column {name}", code)

        self._stage(make)

    def rename_column(self, old: str, new: str, reason: str | None = None) -> None:
        """Give a column another name; its roles and edits follow.

        Raises
        ------
        ColumnError
            There is no column `old`, it is part of the key, or there is a column `new`.
        """
        check_names([new])

        def make(state: State) -> Gesture:
            column = self._changeable(state, old)
            _refuse_taken(state, new)
            renamed = Column(**{**vars(column), "name": new})
            delta = fact_cells(state, dict([renamed.fact()]), self._why(reason))
            code = code_of("rename_column", repr(old), repr(new), reason=reason)
            return Gesture(delta, f"rename column {old} to {new}", code)

        self._stage(make)

    def drop_column(self, name: str, reason: str | None = None) -> None:
        """Drop a column, and take it out of its roles; earlier versions keep it.

        Raises
        ------
        ColumnError
            There is no such column, or it is part of the key.
        """

        def make(state: State) -> Gesture:
            column = self._changeable(state, name)
            facts = {column.fact()[0]: None, **_roles_without(state, column.id)}
            delta = fact_cells(state, facts, self._why(reason))
            return Gesture(
                delta, f"drop column {name}", code_of("drop_column", repr(name), reason=reason)
            )

        self._stage(make)

    def cast_column(self, name: str, to: str | pa.DataType, reason: str | None = None) -> None:
        """Give a column another type.

        Parameters
        ----------
        name : str
        to : str or Arrow type
            For example ``"int64"``, ``"float64"``, ``"string"``, ``"bool"``, ``"date32"``.
        reason : str, optional

        Raises
        ------
        ColumnError
            The type is unknown, or a value does not fit it exactly.

        Notes
        -----
        Writes the column anew: a branch that edits its cells meanwhile gets a conflict.
        """
        kind = _type_named(to)

        def make(state: State) -> Gesture:
            column = self._changeable(state, name)
            array = _cast(state, name, kind)
            there = state.there
            made = self._new_column(state, name, there, array.take(pa.array(there)), column)
            facts = {column.fact()[0]: None, **dict([made.fact()])}
            facts |= _roles_with(state, column.id, made.id)
            delta = fact_cells(state, facts, self._why(reason))
            text = f"cast column {name} to {kind}"
            return Gesture(
                delta, text, code_of("cast_column", repr(name), repr(str(kind)), reason=reason)
            )

        self._stage(make)

    def set_roles(self, reason: str | None = None, **roles: str | Sequence[str] | None) -> None:
        """Say what columns are for.

        Parameters
        ----------
        reason : str, optional
        **roles : str, sequence of str, or None
            Role → column, or columns for ``text``, ``features`` and ``embedding``; None takes the
            role away.

        Raises
        ------
        InputError
            A role is unknown, or is ``key``, which never changes.
        ColumnError
            A column is unknown, or a role takes one column only.
        """

        def make(state: State) -> Gesture:
            _refuse_list_label(state, roles.get("label"))
            delta = fact_cells(state, _role_facts(state, roles, {}), self._why(reason))
            text = ", ".join(f"{role} = {columns}" for role, columns in roles.items())
            return Gesture(
                delta, f"set roles: {text}", code_of("set_roles", reason=reason, **roles)
            )

        self._stage(make)

    def _changeable(self, state: State, name: str) -> Column:
        self._known([name])
        self._refuse_key(name)
        return state.schema.by_name[name]

    def _new_column(
        self,
        state: State,
        name: str,
        ordinals: Ordinals,
        values: pa.Array,
        old: Column | None = None,
    ) -> Column:
        identity = _free_id(state, name)
        keys = state.rows.key_bytes(ordinals)
        source = write_column(
            self._history.path, identity, keys, ordinals, values, state.rows.taken
        )
        place = old.place if old else max((c.place for c in state.schema.columns), default=-1) + 1
        return Column(identity, name, place, source, old.id if old else None)


def _column_values(state: State, name: str, values: Any) -> tuple[Ordinals, pa.Array]:
    if isinstance(values, Mapping):
        keys = key_array(values.keys())
        ordinals = ordinals_of(state, list(keys))
        order = np.argsort(ordinals)
        array = to_table({name: _listed([values[keys[i]] for i in order])})
        return ordinals[order], normalise(array[name])
    if len(values) != state.n_live:
        raise InputError(
            f"{len(values)} values for {count(state.n_live)}",
            hint="pass one value per live row in the order of ds.keys, or a mapping of key → value",
        )
    return state.live, normalise(to_table({name: values})[name])


def _listed(values: list[Any]) -> Any:
    return np.stack(values) if values and all(isinstance(v, np.ndarray) for v in values) else values


def _refuse_taken(state: State, name: str) -> None:
    if name in state.schema.by_name:
        raise ColumnError(
            f"there is a column {name!r} already",
            hint=f"set its cells with ds.set(rows, {name!r}, values), or choose another name",
        )


def _free_id(state: State, name: str) -> str:
    used = state.column_ids
    place, identity = 1, name
    while identity in used:
        place += 1
        identity = f"{name}~{place}"
    return identity


def _role_facts(
    state: State, roles: Mapping[str, Any], new: Mapping[str, str]
) -> dict[str, str | None]:
    ids = {name: column.id for name, column in state.schema.by_name.items()} | dict(new)
    return {ROLE + role: _role_fact(role, columns, ids) for role, columns in roles.items()}


def _role_fact(role: str, columns: Any, ids: Mapping[str, str]) -> str | None:
    if role == "key" or role not in ROLES:
        raise InputError(
            f"there is no role {role!r} to set, only {', '.join(ROLES)}",
            hint="the key is given at bn.create and never changes"
            if role == "key"
            else "ds.set_roles(label='…')",
        )
    if columns is None:
        return None
    names = [columns] if isinstance(columns, str) else list(columns)
    unknown = [name for name in names if name not in ids]
    if unknown or (role not in SEVERAL and not isinstance(columns, str)):
        raise ColumnError(
            f"{role}={columns!r} names no column"
            if unknown
            else f"{role}={columns!r} names several columns, expected one",
            hint=f"pass one of {', '.join(ids)}",
        )
    found = [ids[name] for name in names]
    return fact_text(found[0] if isinstance(columns, str) else found)


def _refuse_list_label(state: State, label: Any) -> None:
    if isinstance(label, str) and label in state.schema.by_name and is_list(state.type_of(label)):
        raise ColumnError(
            f"label={label!r} holds lists, expected one class a row",
            hint=f"leave label= out, and name the column where it is used: column={label!r}",
        )


def _roles_without(state: State, column: str) -> dict[str, str | None]:
    facts: dict[str, str | None] = {}
    for role, ids in state.schema.named(ROLE).items():
        if ids == column:
            facts[ROLE + role] = None
        elif isinstance(ids, list) and column in ids:
            rest = [name for name in ids if name != column]
            facts[ROLE + role] = fact_text(rest) if rest else None
    return facts


def _roles_with(state: State, old: str, new: str) -> dict[str, str | None]:
    facts: dict[str, str | None] = {}
    for role, ids in state.schema.named(ROLE).items():
        if ids == old:
            facts[ROLE + role] = fact_text(new)
        elif isinstance(ids, list) and old in ids:
            facts[ROLE + role] = fact_text([new if name == old else name for name in ids])
    return facts


def _type_named(to: str | pa.DataType) -> pa.DataType:
    if isinstance(to, pa.DataType):
        return to
    try:
        return pa.type_for_alias(to)
    except ValueError as error:
        raise ColumnError(
            f"{to!r} is no type", hint="pass 'int64', 'float64', 'string', 'bool' or 'date32'"
        ) from error


def _cast(state: State, name: str, kind: pa.DataType) -> pa.Array:
    array, fits = cast_or_null(state.column(name), kind)
    bad = state.live[~fits[state.live]]
    if len(bad):
        values = state.take(name, bad[:_SHOWN]).to_pylist()
        raise ColumnError(
            f"{count(len(bad), 'value')} of {name!r} do not fit {kind}: "
            f"{', '.join(map(repr, values))}, in rows {shorten(keys_at(state, bad))}",
            hint=f"put them right first with ds.set(keys, {name!r}, values)",
        )
    return array
