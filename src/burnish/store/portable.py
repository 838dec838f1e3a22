"""Versions and added columns in a form that means the same in every store.

A row of the base has one ordinal in all copies of a dataset; a row that was added has another one
in each. Where cells leave a store, the added rows they are about are numbered anew, after the rows
of the base and in the order of their canonical keys, and those keys go with them. So the bytes of
a version are the same wherever it is packed, and its id can be checked before it is let in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.canonical import key_bytes
from burnish.core.commitment import is_committed
from burnish.core.delta import Delta, Ordinals, numbers
from burnish.core.version import commit_id
from burnish.errors import CorruptError, FormatError
from burnish.store.backend import CommitRecord
from burnish.store.base import Base, map_table
from burnish.store.codec import decode, encode
from burnish.store.files import is_id, place, write_once
from burnish.store.rows import ORDINAL, VALUE, Rows, column_id, one_chunk, woven, write_column

FORMAT = 1
_HINT = "restore the file from a copy"
_KEYS = "$keys"
_KEY = "$key:"
Renumber = Callable[[Ordinals], Ordinals]


@dataclass(frozen=True, eq=False)
class Portable:
    """A version on its way from one store to another.

    Attributes
    ----------
    id : str
    header : dict
    seed : bytes
    delta : Delta
        Ordinals of the base, and beyond them the places of added rows in `keys`.
    keys : Table
        Key columns of the added rows that the delta is about, in the order of canonical keys.
    notes : dict
        What is stored beside the delta.
    """

    id: str
    header: dict[str, Any]
    seed: bytes
    delta: Delta
    keys: pa.Table
    notes: dict[str, Any]

    @property
    def parents(self) -> list[str]:
        """Ids of the versions it was made from."""
        return list(self.header["parents"])


def portable(rows: Rows, record: CommitRecord, blob: bytes) -> Portable:
    """Return a stored version in the form in which it can leave the store."""
    delta, notes = decode(blob)
    tables = [*delta.cells.values(), delta.decisions]
    ordinals = [numbers(table, "ordinal") for table in tables if len(table)]
    beyond = np.unique(np.concatenate([np.empty(0, np.int64), *ordinals]))
    added = _in_order(rows, beyond[beyond >= len(rows.base)])
    keys = _key_table(rows, added)
    moved = _renumbered(delta, _outward(len(rows.base), added))
    return Portable(record.id, record.header, record.seed, moved, keys, notes)


def settled(
    version: Portable, base: Base, numbered: Callable[[pa.Table], Ordinals]
) -> CommitRecord:
    """Return a version as a store keeps it; its number is the store's to give.

    Parameters
    ----------
    version : Portable
    base : Base
    numbered : callable
        Gives the store's ordinals of added rows, by their key columns.
    """
    delta = version.delta
    if len(version.keys):
        delta = _renumbered(delta, _inward(len(base), numbered(version.keys)))
    blob = encode(delta, version.notes)
    return CommitRecord(version.id, -1, version.header, version.seed, blob)


def dump(version: Portable) -> bytes:
    """Return a version as bytes, the same in every store."""
    head = {"format": FORMAT, "header": version.header, "seed": version.seed.hex()}
    cells = dict(version.delta.cells)
    if len(version.keys):
        cells[_KEYS] = version.keys
    delta = Delta(cells, version.delta.decisions, version.delta.facts)
    return encode(delta, head | {"notes": version.notes})


def load(commit: str, blob: bytes) -> Portable:
    """Return a version from bytes; whether its cells are the right ones, `checked` can tell.

    Raises
    ------
    CorruptError
        The bytes are not those that were written, or those of another version.
    FormatError
        They were written by a newer burnish.
    """
    delta, head = decode(blob)
    if head.get("format", FORMAT) > FORMAT:
        raise FormatError(
            f"version {commit[:8]}… has format {head['format']}, this burnish reads up to {FORMAT}",
            hint="upgrade with: pip install --upgrade burnish",
        )
    cells = dict(delta.cells)
    keys = cells.pop(_KEYS, pa.table({}))
    try:
        header, seed, notes = head["header"], bytes.fromhex(head["seed"]), head["notes"]
    except (KeyError, TypeError, ValueError) as error:
        raise _wrong(commit, f"cannot be read: {error}") from error
    if commit_id(header) != commit or not all(map(is_id, header["parents"])):
        raise _wrong(commit, "has another header than the one its id was made of")
    return Portable(commit, header, seed, Delta(cells, delta.decisions, delta.facts), keys, notes)


def checked(version: Portable, base: Base) -> Portable:
    """Return the version when its cells are those that its id was made of.

    Raises
    ------
    CorruptError
        They are others.
    """
    try:
        keys = _keys_of(base, version.keys)
        fits = is_committed(version.header["cells"], version.delta, version.seed, keys)
    except (pa.ArrowException, LookupError, TypeError, ValueError) as error:
        raise _wrong(version.id, f"cannot be read: {error}") from error
    if not fits:
        raise _wrong(version.id, "holds other cells than were committed")
    return version


def portable_column(rows: Rows, name: str) -> pa.Table | None:
    """Return the values of an added column, added rows by key; None where it has no such rows.

    The store's own file can leave as it is then.
    """
    file = rows.column_file(name)
    extra = file.ordinals >= len(rows.base)
    if not extra.any():
        return None
    places = np.flatnonzero(extra)
    added = _in_order(rows, file.ordinals[places])
    places = places[np.argsort(_outward(0, added)(file.ordinals[places]))]
    own = file.ordinals[~extra]
    keys = _key_table(rows, added)
    order = np.concatenate([np.flatnonzero(~extra), places])
    columns = {
        ORDINAL: _padded(pa.array(own), after=len(added)),
        VALUE: file.values.take(pa.array(order)),
    }
    for key in keys.column_names:
        columns[_KEY + key] = _padded(one_chunk(keys[key]), before=len(own))
    return pa.table(columns)


def settled_column(
    table: pa.Table, key: list[str], numbered: Callable[[pa.Table], Ordinals]
) -> tuple[Ordinals, pa.Array]:
    """Return the values of an added column by the ordinals of a store, rising."""
    ordinals, values = one_chunk(table[ORDINAL]), one_chunk(table[VALUE])
    if ordinals.null_count:
        rows = table.filter(ordinals.is_null())
        keys = pa.table({name: one_chunk(rows[_KEY + name]) for name in key})
        known = ordinals.drop_null().to_numpy()
        ordinals = pa.array(np.concatenate([known, numbered(keys)]))
    placed = np.asarray(ordinals.to_numpy(), np.int64)
    order = np.argsort(placed, kind="stable")
    return placed[order], values.take(pa.array(order))


def take_column(
    source: Path | pa.Table,
    name: str,
    column: str,
    rows: Rows,
    numbered: Callable[[pa.Table], Ordinals],
) -> None:
    """Take in an added column that another store wrote, a file or what `portable_column` gave.

    Raises
    ------
    CorruptError
        It holds other values than its content id says.
    """
    what = source if isinstance(source, Path) else f"the added column {name[:8]}…"
    try:
        table = map_table(source) if isinstance(source, Path) else source
        ordinals, values = settled_column(table, rows.key, numbered)
        found = column_id(column, rows.key_bytes(ordinals), values)
    except (pa.ArrowException, LookupError, TypeError, ValueError) as error:
        raise CorruptError(f"{what} cannot be read: {error}", hint=_HINT) from error
    if found != name:
        raise CorruptError(f"{what} holds other values than were added", hint=_HINT)
    if isinstance(source, Path) and len(table.column_names) == 2:
        path = rows.folder / "columns" / f"{name}.arrow"
        write_once(path, lambda draft: place(source, draft))
    else:
        write_column(rows.folder, column, rows.key_bytes(ordinals), ordinals, values)


def _in_order(rows: Rows, added: Ordinals) -> Ordinals:
    """Return ordinals of added rows in the order of their canonical keys."""
    return added[pc.sort_indices(rows.key_bytes(added)).to_numpy()] if len(added) else added


def _key_table(rows: Rows, added: Ordinals) -> pa.Table:
    return pa.table({name: rows.key_column(name, added) for name in rows.key})


def _outward(size: int, added: Ordinals) -> Renumber:
    """Return what gives added rows their places after the rows of the base."""
    order = np.argsort(added)

    def places(ordinals: Ordinals) -> Ordinals:
        return order[np.searchsorted(added, ordinals, sorter=order)] + size

    return _beyond(size, places)


def _inward(size: int, local: Ordinals) -> Renumber:
    return _beyond(size, lambda places: local[places - size])


def _beyond(size: int, change: Renumber) -> Renumber:
    """Return what changes the ordinals beyond those of the base."""

    def renumber(ordinals: Ordinals) -> Ordinals:
        extra = ordinals >= size
        moved = ordinals.copy()
        moved[extra] = change(ordinals[extra])
        return moved

    return renumber


def _renumbered(delta: Delta, renumber: Renumber) -> Delta:
    cells = {name: _sorted(_moved(table, renumber)) for name, table in delta.cells.items()}
    return Delta(cells, _moved(delta.decisions, renumber), delta.facts)


def _moved(table: pa.Table, renumber: Renumber) -> pa.Table:
    return table.set_column(0, "ordinal", pa.array(renumber(numbers(table, "ordinal"))))


def _sorted(table: pa.Table) -> pa.Table:
    ordinals = numbers(table, "ordinal")
    if np.all(ordinals[1:] > ordinals[:-1]):
        return table
    return table.take(pa.array(np.argsort(ordinals, kind="stable")))


def _keys_of(base: Base, keys: pa.Table) -> Callable[[Ordinals], pa.Array]:
    added = key_bytes(list(keys.columns)) if len(keys) else pa.array([], pa.binary())

    def of(ordinals: Ordinals) -> pa.Array:
        extra: npt.NDArray[np.bool_] = ordinals >= len(base)
        own = base.key_bytes(ordinals[~extra])
        if not extra.any():
            return own
        return woven(extra, own, added.take(pa.array(ordinals[extra] - len(base))))

    return of


def _padded(array: pa.Array, before: int = 0, after: int = 0) -> pa.Array:
    return pa.concat_arrays([pa.nulls(before, array.type), array, pa.nulls(after, array.type)])


def _wrong(commit: str, what: str) -> CorruptError:
    return CorruptError(f"version {commit[:8]}… {what}", hint=_HINT)
