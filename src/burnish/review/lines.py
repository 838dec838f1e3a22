"""Lays out the evidence of some rows from what all rows share."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.delta import Ordinals
from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array, plain
from burnish.dataset.reading import Mask, Reading, keys_at
from burnish.dataset.state import State
from burnish.model.features import column_list
from burnish.review.confusion import UNKNOWN, Confusion
from burnish.review.flags import Flags, about
from burnish.review.grounds import CONTENT, Graph, Grounds, Groups
from burnish.review.part import Absent, Part
from burnish.review.value import Evidence

NEIGHBOURS = ("rank", "neighbour", "label", "similarity", "distance")
PAIR = ("given", "suggestion", "rate", "low", "high", "flagged", "accepted", "kept")
DUPLICATES = ("duplicate", "kind", "label", "split")
MODEL = ("given", "p_given", "likeliest", "p_likeliest", "margin")
DECISIONS = ("verdict", "finding", "reason", "author", "time", "version", "same_kind")


@dataclass(frozen=True)
class View:
    """A dataset at one moment: its cells and its decisions."""

    state: State
    decisions: pa.Table | None

    @classmethod
    def of(cls, reading: Reading) -> View:
        """Return what a dataset or a snapshot, which has no decisions, holds now."""
        decisions = getattr(reading, "decisions", None)
        return cls(reading.state, None if decisions is None else decisions.table)

    def role(self, role: str, ordinals: Ordinals) -> KeyArray:
        """Return the column of a role at some rows, None where there is none."""
        column = self.state.schema.roles.get(role)
        if column is None:
            return np.full(len(ordinals), None, dtype=object)
        return key_array(self.state.take(str(column), ordinals).to_pylist())

    def kinds(self, ordinal: int, others: Ordinals, same: Mask) -> list[str]:
        """Return which rows hold the same as a row, and which only nearly.

        Parameters
        ----------
        ordinal : int
        others : int array of shape (n,)
        same : bool array of shape (n,)
            Which are known to be the same, such as images in files of the same bytes.
        """
        roles = self.state.schema.roles
        role = next((role for role in CONTENT if roles.get(role)), None)
        if role is None or same.all():
            return ["exact" if known else "near" for known in same]
        rows = np.concatenate([[ordinal], others])
        columns = [self.state.take(name, rows).to_pylist() for name in column_list(roles[role])]
        first, *rest = zip(*columns, strict=True)
        pairs = zip(rest, same, strict=True)
        return ["exact" if known or cells == first else "near" for cells, known in pairs]


@dataclass(frozen=True)
class Asked:
    """The rows that are asked about, and what was found on them."""

    view: View
    findings: Findings
    ordinals: Ordinals
    keys: KeyArray
    labels: KeyArray
    ranks: list[int | None]

    @classmethod
    def of(cls, view: View, findings: Findings, flags: Flags, ordinals: Ordinals) -> Asked:
        """Return what is known of rows by themselves."""
        keys = keys_at(view.state, ordinals)
        return cls(
            view, findings, ordinals, keys, view.role("label", ordinals), flags.ranks_of(ordinals)
        )

    def found(self, values: KeyArray) -> KeyArray:
        """Return what the findings say of each row, None where a row was not flagged."""
        return key_array([None if rank is None else values[rank] for rank in self.ranks])


def nearest(asked: Asked, graph: Graph, k: int) -> Part:
    """Return the nearest live rows of each row."""
    live = asked.view.state
    found = []
    for ordinal in asked.ordinals:
        rows, distances = graph.of(int(ordinal))
        there = np.flatnonzero(live.is_live(rows))[:k]
        found.append((rows[there], distances[there]))
    rows = _joined([rows for rows, _ in found], np.int64)
    distances = _joined([far for _, far in found], np.float64)
    sizes = [len(rows) for rows, _ in found]
    columns = (
        _joined([np.arange(1, n + 1) for n in sizes], np.int64),
        keys_at(live, rows),
        asked.view.role("label", rows),
        graph.similarity(distances),
        distances,
    )
    return _part(asked, sizes, dict(zip(NEIGHBOURS, columns, strict=True)), rows)


def paired(asked: Asked, flags: Flags, confusion: Confusion | Absent) -> Part:
    """Return how often the class pair of each flagged row is confused, and what came of it."""
    decisions = asked.view.decisions
    judged = {} if decisions is None else flags.verdicts(decisions)
    rows, lines = [], []
    for place, rank in enumerate(asked.ranks):
        if rank is None or flags.pairs[rank][1] in (None, flags.pairs[rank][0]):
            continue
        pair = flags.pairs[rank]
        number = flags.names[pair]
        rate = UNKNOWN if isinstance(confusion, Absent) else confusion.rate(*pair)
        counts = [int(judged[word][number]) if judged else 0 for word in ("accepted", "kept")]
        rows.append(place)
        lines.append((*pair, *rate, int(flags.counts[number]), *counts))
    return _lines(asked, rows, lines, PAIR)


def alike(asked: Asked, groups: Groups) -> Part:
    """Return the live rows that each row is a duplicate of."""
    state = asked.view.state
    found, kinds = [], []
    for ordinal in asked.ordinals:
        others, same = groups.others(int(ordinal))
        live = state.is_live(others)
        found.append(others[live])
        kinds += asked.view.kinds(ordinal, others[live], same[live])
    rows = _joined(found, np.int64)
    columns = (
        keys_at(state, rows),
        key_array(kinds),
        asked.view.role("label", rows),
        asked.view.role("split", rows),
    )
    sizes = [len(rows) for rows in found]
    return _part(asked, sizes, dict(zip(DUPLICATES, columns, strict=True)), rows)


def modelled(asked: Asked) -> Part:
    """Return how the probabilities of each row stand to its label."""
    probs = asked.findings.probabilities
    if probs is None:
        absent = Absent(f"these {asked.findings.code} findings carry no class probabilities")
        return Part.missing(asked.keys, MODEL, absent)
    codes = {name: code for code, name in enumerate(probs.classes)}
    rows, lines = [], []
    for place, (key, rank) in enumerate(zip(asked.keys, asked.ranks, strict=True)):
        at = probs.places.get(key)
        if at is not None:
            given = asked.labels[place] if rank is None else asked.findings.given[rank]
            rows.append(place)
            lines.append(_margin(probs.values[at], codes, plain(given)))
    named = [(given, p, probs.classes[best], q, m) for given, p, best, q, m in lines]
    return _lines(asked, rows, named, MODEL)


def _margin(values: Any, codes: dict[Any, int], given: Any) -> tuple[Any, float, int, float, float]:
    best = int(values.argmax())
    code = codes.get(given) if isinstance(given, Hashable) else None
    if code is None:
        return given, np.nan, best, float(values[best]), np.nan
    others = np.delete(values, code)
    margin = float(values[code] - others.max(initial=0.0))
    return given, float(values[code]), best, float(values[best]), margin


def decided(asked: Asked) -> Part:
    """Return the decisions on each row, oldest first."""
    table = asked.view.decisions
    if table is None:
        absent = Absent("a snapshot keeps no decisions of its own: ask the dataset")
        return Part.missing(asked.keys, DECISIONS, absent)
    mine = pc.is_in(table["ordinal"], value_set=pa.array(asked.ordinals))
    table = table.filter(mine)
    same = about(table, asked.findings.code).to_numpy()
    places = {int(ordinal): place for place, ordinal in enumerate(asked.ordinals)}
    rows = np.array([places[row] for row in table["ordinal"].to_pylist()], dtype=np.intp)
    order = np.argsort(rows, kind="stable")
    columns = {name: key_array(table[name].to_pylist())[order] for name in DECISIONS[:-1]}
    return Part(asked.keys, rows[order], {**columns, "same_kind": same[order]})


def lay_out(
    view: View, findings: Findings, grounds: Grounds, ordinals: Ordinals, k: int
) -> Evidence:
    """Return the evidence of some rows."""
    asked = Asked.of(view, findings, grounds.flags, ordinals)
    graph, groups = grounds.graph, grounds.groups
    return Evidence(
        findings.code,
        asked.keys,
        asked.labels,
        asked.found(findings.given),
        asked.found(findings.suggestions),
        neighbours=_or_absent(asked, graph, NEIGHBOURS, lambda it: nearest(asked, it, k)),
        pair=paired(asked, grounds.flags, grounds.confusion),
        duplicates=_or_absent(asked, groups, DUPLICATES, lambda it: alike(asked, it)),
        model=modelled(asked),
        decisions=decided(asked),
    )


def _or_absent(
    asked: Asked, ground: Any, names: tuple[str, ...], make: Callable[[Any], Part]
) -> Part:
    if isinstance(ground, Absent):
        return Part.missing(asked.keys, names, ground)
    return make(ground)


def _part(asked: Asked, sizes: list[int], columns: dict[str, Any], others: Ordinals) -> Part:
    return Part(asked.keys, np.repeat(np.arange(len(sizes)), sizes), columns, others)


def _lines(asked: Asked, rows: list[int], lines: Iterable[Any], names: tuple[str, ...]) -> Part:
    columns = list(zip(*lines, strict=True)) or [()] * len(names)
    table = {name: _typed(values) for name, values in zip(names, columns, strict=True)}
    return Part(asked.keys, np.array(rows, dtype=np.intp), table)


def _typed(values: Sequence[Any]) -> Any:
    """Return numbers as numbers and all else as objects."""
    kinds = {type(value) for value in values}
    return np.array(values) if kinds and kinds <= {int, float} else key_array(values)


def _joined(parts: list[Any], kind: Any) -> Any:
    return np.concatenate([np.empty(0, kind), *parts]) if parts else np.empty(0, kind)
