"""One undoable step: a delta, its name and the Python call that does the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from burnish.core.delta import (
    DECISIONS,
    FACTS,
    NO_DECISIONS,
    PROVENANCE,
    Delta,
    Ordinals,
    cells_schema,
    numbers,
    without_no_ops,
)
from burnish.core.keys import KeyArray, plain
from burnish.dataset.state import State, changes_shape
from burnish.store.codec import decode, encode


@dataclass(frozen=True, eq=False)
class Gesture:
    """One undoable step.

    Attributes
    ----------
    delta : Delta
    text : str
        What it does, for people: ``relabel 12 rows to 8``.
    code : str
        The call that does the same, on a dataset named ``ds``.
    """

    delta: Delta
    text: str
    code: str

    @property
    def rows(self) -> Ordinals:
        """Ordinals of the rows that it is about, rising."""
        tables = [*self.delta.cells.values(), self.delta.decisions]
        return np.unique(np.concatenate([numbers(table, "ordinal") for table in tables]))

    @property
    def changes_shape(self) -> bool:
        """Whether rows come or go, or columns, roles or names of classes change."""
        return changes_shape(self.delta)

    def encode(self) -> bytes:
        """Return the step as bytes."""
        return encode(self.delta, {"text": self.text, "code": self.code})

    @classmethod
    def decode(cls, blob: bytes) -> Gesture:
        """Return the step that was encoded."""
        delta, header = decode(blob)
        return cls(delta, header["text"], header["code"])


@dataclass(frozen=True)
class Provenance:
    """Who changes something now, and why."""

    author: str
    reason: str | None = None
    finding: str | None = None


def cells(
    state: State,
    column: str,
    ordinals: Ordinals,
    new: pa.Array,
    why: Provenance,
    confidence: Any = None,
) -> Delta:
    """Return the delta that gives sorted rows new values in one column; no-ops are left out."""
    values = [pa.array(ordinals), state.take(column, ordinals), new]
    schema = cells_schema(state.type_of(column))
    table = pa.table([*values, *_stamps(why, len(ordinals), confidence)], schema=schema)
    table = without_no_ops(table)
    return Delta({state.id_of(column): table}) if len(table) else Delta()


def fact_cells(state: State, facts: Mapping[str, str | None], why: Provenance) -> Delta:
    """Return the delta that gives facts new values, null for none; no-ops are left out."""
    changed = [name for name in sorted(facts) if facts[name] != state.facts.get(name)]
    if not changed:
        return Delta()
    texts = [[state.facts.get(name) for name in changed], [facts[name] for name in changed]]
    columns = [pa.array(values, pa.string()) for values in (changed, *texts)]
    return Delta(facts=pa.table([*columns, *_stamps(why, len(changed))], schema=FACTS))


def restamped(table: pa.Table, why: Provenance) -> pa.Table:
    """Return cells or facts with another provenance, as of now, and no version yet."""
    kept = [table.schema.field(place) for place in range(3)]
    values = [table[field.name].combine_chunks() for field in kept]
    return pa.table([*values, *_stamps(why, len(table))], pa.schema([*kept, *PROVENANCE]))


def _stamps(why: Provenance, size: int, confidence: Any = None) -> list[pa.Array]:
    scores = (
        pa.nulls(size, pa.float32()) if confidence is None else pa.array(confidence, pa.float32())
    )
    now = pa.repeat(pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")), size)
    return [_same(why.reason, size), _same(why.finding, size), scores, _same(why.author, size), now]


def decided(
    ordinals: Ordinals, verdict: str, positions: list[int | None], why: Provenance
) -> Delta:
    """Return the delta that records a verdict on rows."""
    size = len(ordinals)
    if not size:
        return Delta(decisions=NO_DECISIONS)
    table = pa.table(
        [
            pa.array(ordinals),
            _same(verdict, size),
            _same(why.finding, size),
            pa.array(positions, pa.int32()),
            _same(why.reason, size),
            _same(why.author, size),
            pa.repeat(pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")), size),
        ],
        schema=DECISIONS,
    )
    return Delta(decisions=table)


def call(method: str, keys: KeyArray, *args: Any, **options: Any) -> str:
    """Return a call of a dataset's method as Python text; `because` is the name of a variable."""
    parts = [_keys_text(keys), *(repr(plain(arg)) for arg in args)]
    because = options.pop("because", None)
    parts += [f"{name}={value!r}" for name, value in options.items() if value is not None]
    if because is not None:
        parts.append(f"because={because}")
    return f"ds.{method}({', '.join(parts)})"


def code_of(method: str, *args: str, **options: Any) -> str:
    """Return a call of a dataset's method as Python text, from texts of its arguments."""
    named = [f"{name}={value!r}" for name, value in options.items() if value is not None]
    return f"ds.{method}({', '.join([*args, *named])})"


def count(n: int, noun: str = "row") -> str:
    """Return a count with its noun."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _keys_text(keys: KeyArray) -> str:
    return repr([plain(key) for key in keys])


def _same(value: str | None, size: int) -> pa.Array:
    if value is None:
        return pa.nulls(size, pa.string())
    return pa.array([value], pa.string()).take(pa.array(np.zeros(size, np.int64)))
