"""Computes what evidence stands on in a process of its own.

``python -m burnish.review.process PATH VERSION FOLDER`` writes each part into the folder and then
says its name on a line: ``NAME.npz``, or ``NAME.txt`` with the reason why there is none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np

from burnish.dataset.reading import Reading
from burnish.model.neighbours import EXACT_ROWS
from burnish.review.grounds import Graph, Groups, graph_of, groups_of
from burnish.review.part import Absent

PARTS: dict[str, type[Graph] | type[Groups]] = {"graph": Graph, "groups": Groups}
MAKERS: dict[str, Callable[[Reading], Graph | Groups | Absent]] = {
    "graph": lambda reading: graph_of(reading, 1),
    "groups": groups_of,
}


def write(folder: Path, name: str, made: Graph | Groups | Absent) -> None:
    """Write a part for another process.

    Parameters
    ----------
    folder : Path
    name : {"graph", "groups"}
    made : Graph, Groups or Absent
    """
    if isinstance(made, Absent):
        (folder / f"{name}.txt").write_text(made.reason, encoding="utf-8")
        return
    np.savez(
        folder / f"{name}.npz", **{each.name: getattr(made, each.name) for each in fields(made)}
    )


def read(folder: Path, name: str) -> Graph | Groups | Absent:
    """Return a part that another process wrote.

    Raises
    ------
    OSError
        It was not written.
    """
    reason = folder / f"{name}.txt"
    if reason.exists():
        return Absent(reason.read_text(encoding="utf-8"))
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        return PARTS[name](*(file[each.name] for each in fields(PARTS[name])))


def main(arguments: list[str]) -> None:
    """Compute the parts, that which is there sooner first."""
    from burnish.dataset import open as open_dataset

    path, version, folder = arguments
    with open_dataset(path) as ds:
        reading = ds.at(version)
        for name in sorted(MAKERS, reverse=len(reading) > EXACT_ROWS):
            write(Path(folder), name, MAKERS[name](reading))
            print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
