"""Keys of rows: those that the user's columns give, and those made from content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.canonical import cell_bytes, framed, key_bytes
from burnish.core.fingerprint import digests, spans
from burnish.core.keys import shorten
from burnish.dataset.gesture import count
from burnish.errors import KeysError

CONTENT_KEY = "_key"
Mask = npt.NDArray[np.bool_]


def content_keys(table: pa.Table, taken: Callable[[pa.Array], Mask] | None = None) -> pa.Array:
    """Return a key a row from its content, with a counter for rows that are the same.

    Parameters
    ----------
    table : Table
    taken : callable, optional
        Says which keys other rows have already.
    """
    pieces = (table.slice(start, size) for start, size in spans(table, 0, len(table)))
    return counted_keys([name for piece in pieces for name in content_names(piece)], taken)


def content_names(piece: pa.Table) -> list[str]:
    """Return a hash a row from its content, the same for rows that are the same."""
    cells: list[Any] = []
    for name in piece.column_names:
        cells += [name.encode(), cell_bytes(piece[name])]
    return [digest.tobytes().hex()[:16] for digest in digests(framed(cells))]


def counted_keys(names: list[str], taken: Callable[[pa.Array], Mask] | None = None) -> pa.Array:
    """Return names as keys, with a counter where they occur again; see `content_keys`."""
    given: set[str] = set()
    while True:
        used = set(given)
        keys = [_counted(name, used) for name in names]
        again = taken(pa.array(keys, pa.string())) if taken else np.zeros(len(keys), bool)
        if not again.any():
            return pa.array(keys, pa.string())
        given |= {key for key, there in zip(keys, again, strict=True) if there}


def _counted(name: str, used: set[str]) -> str:
    place, key = 1, name
    while key in used:
        place += 1
        key = f"{name}-{place}"
    used.add(key)
    return key


def check_keys(table: pa.Table, key: str | list[str]) -> None:
    """Refuse key columns that do not name each row once.

    Raises
    ------
    KeysError
        A key is null or occurs twice, or a column cannot be one.
    """
    names = [key] if isinstance(key, str) else key
    if not names:
        raise KeysError("key=[] names no column", hint="pass a column name, or leave key out")
    if len(set(names)) < len(names):
        raise KeysError(f"key={key!r} names a column twice", hint="name each column once")
    for name in names:
        if pa.types.is_nested(table[name].type):
            raise KeysError(
                f"key column {name!r} holds {table[name].type}, expected one value a row",
                hint="pass a column of text, integers or dates, or leave key out",
            )
        nulls = table[name].null_count
        if nulls:
            raise KeysError(
                f"{nulls} of {len(table)} rows have no key in column {name!r}",
                hint="drop those rows or fill the column first",
            )
    keys = key_bytes([table[name] for name in names])
    counts = keys.value_counts()
    twice = counts.filter(pa.array(counts.field("counts").to_numpy() > 1))
    if len(twice):
        first = [keys.index(value).as_py() for value in twice.field("values")[:5]]
        shown = [tuple(table[n][i].as_py() for n in names) for i in first]
        raise KeysError(
            f"{count(len(twice), 'key')} occur{'s' * (len(twice) == 1)} more than once: "
            f"{shorten([s[0] if len(s) == 1 else s for s in shown])}"
            f"{' and more' if len(twice) > 5 else ''}",
            hint='pass key=["id", "date"] with columns that are unique together, drop duplicates, '
            "or leave key out to get content keys",
        )
