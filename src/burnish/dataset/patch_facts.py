"""Changes of columns, roles and classes that a patch brings, checked before they are believed."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pyarrow as pa

from burnish.core.canonical import key_bytes
from burnish.core.delta import COLUMN, FACTS
from burnish.core.patch import Line, Patch, broken, shown
from burnish.core.schema import CLASS, MERGED, ROLE, Schema, class_name, fact_text
from burnish.core.spelling import Json
from burnish.dataset.columns import ROLES, SEVERAL
from burnish.dataset.patch_lines import Lines, stamps, typed
from burnish.dataset.state import State
from burnish.errors import ColumnError, PatchError
from burnish.io.frames import check_names
from burnish.store.rows import column_id

_HINT = "export the patch again; only values may be edited by hand"
_CONTENT_ID = re.compile("[0-9a-f]{64}")
_FIELDS = {"name": str, "place": int, "source": str, "cast_from": str}


def facts_of(state: State, patch: Patch) -> pa.Table:
    """Return the facts that a patch changes.

    Raises
    ------
    PatchError
        A line is none that a patch can hold.
    """
    lines = sorted(patch.of("fact"), key=lambda line: line.what)
    for one, other in pairwise(lines):
        if one.what == other.what:
            raise broken(other.number, f"is about {other.what}, as line {one.number} is", _HINT)
    texts = [_text(line.old) for line in lines], [_text(_new(state, patch, x)) for x in lines]
    names = pa.array([line.what for line in lines], pa.string())
    columns = [names, *(pa.array(part, pa.string()) for part in texts), *stamps(lines).columns]
    return pa.table(columns, schema=FACTS)


def check_schema(state: State, schema: Schema, lines: list[Line]) -> None:
    """Refuse facts after which names are taken twice, a role has no column, or a key is gone.

    Raises
    ------
    PatchError
    """
    if not lines:
        return
    taken = {column.id: column.name for column in schema.columns}
    try:
        check_names(list(taken.values()))
    except ColumnError as error:
        raise PatchError(
            f"with the columns of the patch, {error.message}",
            hint="rename that column here first with ds.rename_column(old, new)",
        ) from error
    for name in state.key:
        if taken.get(name) != name:
            raise PatchError(f"the patch changes the key column {name!r}", hint=_HINT)
    for role, ids in schema.named(ROLE).items():
        lost = [one for one in ([ids] if isinstance(ids, str) else ids) if one not in taken]
        if lost:
            raise PatchError(
                f"the patch leaves the role {role!r} with {lost[0]!r}, which is no column here",
                hint="the patch is for other data, or apply first the one that adds the column",
            )


def _text(value: Json) -> str | None:
    return None if value is None else fact_text(value)


def _new(state: State, patch: Patch, line: Line) -> Json:
    for prefix, fits in ((COLUMN, _is_column), (ROLE, _is_role), (CLASS, _is_class)):
        name = line.what.removeprefix(prefix)
        if line.what.startswith(prefix) and all(
            value is None or fits(name, value) for value in (line.old, line.new)
        ):
            return _sourced(state, patch, name, line) if prefix == COLUMN else line.new
    raise broken(
        line.number,
        f"says of {shown(line.what)} that it is {shown(line.new)}, which burnish cannot read",
        _HINT,
    )


def _sourced(state: State, patch: Patch, column: str, line: Line) -> Json:
    """Return a column's fact with the content id of the values that the patch has of it."""
    if line.new is None or "source" not in line.new:
        return line.new
    lines = patch.added.get(line.new["name"])
    if lines is None:
        source = line.new["source"]
        if (state.rows.folder / "columns" / f"{source}.arrow").is_file():
            return line.new
        raise broken(line.number, f"adds {line.new['name']!r}, whose values are missing", _HINT)
    kind = patch.header.types.get(line.new["name"])
    if kind is None:
        raise broken(line.number, "adds a column whose type the header does not say", _HINT)
    values = typed(line.new["name"], lines, [one.new for one in lines], kind, kind)
    keys = key_bytes(Lines(state, patch, own_data=True).key_columns(lines))
    return {**line.new, "source": column_id(column, keys, values)}


def _is_column(_: str, value: Json) -> bool:
    return (
        isinstance(value, dict)
        and {"name", "place"} <= value.keys() <= _FIELDS.keys()
        and all(type(item) is _FIELDS[name] for name, item in value.items())
        and _CONTENT_ID.fullmatch(value.get("source", "0" * 64)) is not None
    )


def _is_role(role: str, value: Json) -> bool:
    several = role in SEVERAL and isinstance(value, list)
    names = value if several else [value]
    return role in ROLES and all(isinstance(name, str) for name in names)


def _is_class(first: str, value: Json) -> bool:
    if isinstance(value, dict) and value.keys() != {MERGED}:
        return False
    try:
        return not any(isinstance(x, dict | list) for x in (json.loads(first), class_name(value)))
    except ValueError:
        return False
