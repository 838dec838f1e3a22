"""What the crash and race tests run in processes of their own; acknowledges each act on stdout."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import burnish as bn
from burnish.errors import BusyError, ConflictError


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def stage(path: Path) -> None:
    """Stage edits and decisions for ever: gesture i sets n of row i and decides it."""
    ds = bn.open(path)
    say("ready")
    for i in itertools.count(len(ds.decisions)):
        ds.set(i, "n", i + 1)
        say("set", i)
        ds.decide(i, "kept")
        say("decided", i)


def commit(path: Path) -> None:
    """Commit for ever: commit i sets n of row i and drops row 10,000 + i."""
    ds = bn.open(path)
    say("ready")
    for i in itertools.count(len(ds.log()) - 1):
        ds.discard()
        ds.set(i, "n", i + 1)
        ds.drop(10_000 + i)
        say("committed", ds.commit(f"row {i}").id)


def race(path: Path, start: int, step: int, count: int) -> None:
    """Commit edits of rows of its own while others do."""
    ds = bn.open(path)
    say("ready")
    sys.stdin.readline()
    for i in range(count):
        ds.set(start + i * step, "n", start + 1)
        say("committed", ds.commit(f"{start} {i}").id)


def overlap(path: Path, value: int) -> None:
    """Commit an edit of row 0, which others edit too."""
    ds = bn.open(path)
    ds.set(0, "n", value)
    say("ready")
    sys.stdin.readline()
    try:
        say("committed", ds.commit("mine").id)
    except (ConflictError, BusyError) as error:
        say("refused", error.code, len(ds.staged))


if __name__ == "__main__":
    act = {"stage": stage, "commit": commit, "race": race, "overlap": overlap}[sys.argv[1]]
    act(Path(sys.argv[2]), *map(int, sys.argv[3:]))
