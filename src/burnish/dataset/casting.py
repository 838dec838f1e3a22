"""Values in another type, and the columns that hold them."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import COLUMN
from burnish.core.schema import Column
from burnish.dataset.state import State


def cast_or_null(array: pa.Array, kind: pa.DataType) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Return values in another type, null where one does not fit it exactly, and which fit."""
    try:
        return array.cast(kind), np.ones(len(array), bool)
    except pa.ArrowException:
        fits = np.array([_casts(value, kind) for value in array], dtype=bool)
    values = [value.as_py() if ok else None for value, ok in zip(array, fits, strict=True)]
    return pa.array(values, array.type).cast(kind), fits


def _casts(value: pa.Scalar, kind: pa.DataType) -> bool:
    try:
        value.cast(kind)
    except pa.ArrowException:
        return False
    return True


def cast_steps(state: State, column: Column, other: State) -> tuple[str, list[str]] | None:
    """Return the column of another state that one came from, and how it was cast since.

    Parameters
    ----------
    state : State
    column : Column
        Of `state`.
    other : State

    Returns
    -------
    tuple or None
        The id of the column there, and the sources of the columns it was cast to, oldest first:
        none where both states have the column. None where it came from no column there.
    """
    found, casts = column, list[str]()
    ever: dict[str, Column] = {}
    while not _has(other, found):
        ever = ever or _columns_ever(state)
        if found.cast_from not in ever or found.source is None:
            return None
        casts.append(found.source)
        found = ever[found.cast_from]
    return found.id, casts[::-1]


def _has(state: State, column: Column) -> bool:
    own = state.schema.by_id.get(column.id)
    return own is not None and own.source == column.source


def _columns_ever(state: State) -> dict[str, Column]:
    """Return the columns that were changed, cast or dropped on the way to a state."""
    out = {}
    for layer in state.layers:
        for fact in layer.facts.to_pylist():
            if fact["name"].startswith(COLUMN):
                identity = fact["name"].removeprefix(COLUMN)
                for text in filter(None, (fact["old"], fact["new"])):
                    out[identity] = Column(identity, **json.loads(text))
    return out
