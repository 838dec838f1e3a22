"""Where each version of a history is drawn: lanes for its lines, children above their parents."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class Row:
    """One version in the picture; a line keeps its lane from the child to the parent.

    Attributes
    ----------
    id : str
        The version.
    lane : int
        Lane of its dot.
    into : tuple of int
        Lanes of lines that come from above and end here.
    out : tuple of int
        Lanes of lines that start here and go down, one for each parent that is drawn.
    past : tuple of int
        Lanes of lines that only pass.
    """

    id: str
    lane: int
    into: tuple[int, ...]
    out: tuple[int, ...]
    past: tuple[int, ...]


def lay_out(versions: Iterable[tuple[str, tuple[str, ...]]], head: str | None = None) -> list[Row]:
    """Return the rows of a picture, in the order given.

    Parameters
    ----------
    versions : iterable of (id, ids of parents)
        Children before their parents. Lines to parents that do not follow are left out.
    head : str, optional
        The first lane is kept for this version and its first parents; the first version given,
        by default.

    Returns
    -------
    list of Row

    Notes
    -----
    Costs versions times lanes. A line that can go straight down does; the others take the free
    lane that is furthest left.
    """
    given = dict(versions)
    main = _first_parents(given, head)
    lanes: dict[int, str] = {}
    rows = []
    for version, parents in given.items():
        drawn = [parent for parent in dict.fromkeys(parents) if parent in given]
        rows.append(_step(version, drawn, lanes, main))
    return rows


def width(rows: Iterable[Row]) -> int:
    """Return how many lanes a picture has."""
    return max((max((row.lane, *row.into, *row.out, *row.past)) + 1 for row in rows), default=0)


def _first_parents(given: dict[str, tuple[str, ...]], head: str | None) -> set[str]:
    step = next(iter(given), None) if head is None else head
    line = set()
    while step in given:
        line.add(step)
        step = next(iter(given[step]), None)
    return line


def _step(version: str, parents: list[str], lanes: dict[int, str], main: set[str]) -> Row:
    """Place one version, and let the lines below it take their lanes."""
    into = tuple(sorted(lane for lane, target in lanes.items() if target == version))
    for lane in into:
        del lanes[lane]
    past = tuple(sorted(lanes))
    lane = 0 if version in main else _lane_of(into, lanes)
    out = tuple(_start(lane, parent, lanes, main) for parent in parents)
    return Row(version, lane, into, out, past)


def _start(lane: int, parent: str, lanes: dict[int, str], main: set[str]) -> int:
    """Let the line to a parent take its lane: straight down where it may."""
    straight = lane not in lanes and (lane > 0 or parent in main)
    taken = lane if straight else _free(lanes)
    lanes[taken] = parent
    return taken


def _lane_of(into: tuple[int, ...], lanes: Collection[int]) -> int:
    side = [lane for lane in into if lane > 0]
    return side[0] if side else _free(lanes)


def _free(lanes: Collection[int]) -> int:
    return next(lane for lane in count(1) if lane not in lanes)


def as_text(rows: list[Row], texts: list[str]) -> str:
    """Return a picture in plain characters, each version's text beside its dot."""
    size = width(rows)
    lines = []
    for row, text in zip(rows, texts, strict=True):
        joining = [lane for lane in row.into if lane != row.lane]
        lines += [_joints(row, joining, size, "/")] if joining else []
        lines.append(f"{_cells(size, {**dict.fromkeys(row.past, '|'), row.lane: '*'})}  {text}")
        leaving = [lane for lane in row.out if lane != row.lane]
        lines += [_joints(row, leaving, size, "\\")] if leaving else []
    return "\n".join(line.rstrip() for line in lines)


def _joints(row: Row, lanes: list[int], size: int, mark: str) -> str:
    other = {"/": "\\", "\\": "/"}[mark]
    own = row.into if mark == "/" else row.out
    straight = {row.lane: "|"} if row.lane in own else {}
    slanted = {lane: mark if lane > row.lane else other for lane in lanes}
    return _cells(size, {**dict.fromkeys(row.past, "|"), **straight, **slanted})


def _cells(size: int, marks: dict[int, str]) -> str:
    return " ".join(marks.get(lane, " ") for lane in range(size))
