"""What the crash and race tests run in processes of their own; acknowledges each act on stdout."""

from __future__ import annotations

import itertools
import shutil
import sys
from pathlib import Path

import numpy as np

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


def pack(path: Path) -> None:
    """Commit and pack for ever: commit i sets n of row i and adds a row."""
    ds = bn.open(path)
    say("ready")
    for i in itertools.count(len(ds.log()) - 1):
        ds.discard()
        ds.set(i, "n", i + 1)
        ds.add({"id": [-1 - i], "n": [i]})
        commit = ds.commit(f"row {i}").id
        ds.pack(path.parent / "packed")
        say("packed", commit)


def unpack(path: Path) -> None:
    """Unpack for ever: into new places, and into one that lacks what was packed since."""
    brought = bn.unpack
    say("ready")
    for i in itertools.count():
        brought(path.parent / "packed", path.parent / f"new-{i}").close()
        shutil.copytree(path.parent / "old", path.parent / f"draft-{i}")
        (path.parent / f"draft-{i}").rename(path.parent / f"both-{i}")
        brought(path.parent / "packed", path.parent / f"both-{i}").close()
        say("unpacked", i)


def graph(path: Path) -> None:
    """For ever: branch, add a row on main, edit on the branch, merge it into main, tag."""
    ds = bn.open(path)
    say("ready")
    for i in itertools.count(len(ds.branches) - 1):
        ds.discard()
        say("branch", ds.branch(f"b{i}") and f"b{i}")
        ds.add({"id": [-1 - i], "n": [i]}, parents=[i])
        say("added", i)
        say("committed", ds.commit(f"row {i}").id)
        ds.switch(f"b{i}")
        ds.set(i, "n", i + 1)
        say("committed", ds.commit(f"edit {i}").id)
        ds.switch("main")
        merged = ds.merge(f"b{i}").version
        assert merged is not None
        say("merged", i, merged.id)
        say("tag", ds.tag(f"t{i}") and f"t{i}")


def rebase(path: Path) -> None:
    """Rebase for ever: edition i has other values in the first rows, and as many new rows."""
    ds = bn.open(path)
    rows = len(ds.at("v0"))
    say("ready")
    for i in itertools.count(len(ds.at(ds.branches.get("upstream", "v0"))) - rows + 1):
        numbers = np.zeros(rows + i, np.int64)
        numbers[:i] = numbers[rows:] = np.arange(1, i + 1)
        frame = {"id": np.r_[np.arange(rows), -np.arange(1, i + 1)], "n": numbers}
        merged = ds.rebase(frame).merge.version
        assert merged is not None
        say("rebased", i, merged.id)


def race_rows(path: Path, start: int, step: int, count: int) -> None:
    """On a branch of its own add rows whose keys others add too, and merge into main each time."""
    ds = bn.open(path)
    mine = f"u{start}"
    ds.branch(mine)
    ds.switch(mine)
    say("ready")
    sys.stdin.readline()
    for i in range(count):
        own, equal, unequal = -1 - start - i * step, -1000 - i, -2000 - i
        ds.add({"id": [own, equal], "n": [start, 7]})
        ds.add({"id": [unequal], "n": [start]})
        say("committed", ds.commit(f"{start} {i}").id)
        ds.switch("main")
        merged = ds.merge(mine, "ours").version
        assert merged is not None
        say("merged", merged.id)
        ds.switch(mine)


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
    acts = (stage, commit, graph, rebase, pack, unpack, race, race_rows, overlap)
    act = next(act for act in acts if act.__name__ == sys.argv[1])
    act(Path(sys.argv[2]), *map(int, sys.argv[3:]))
