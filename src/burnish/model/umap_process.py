"""``python -m burnish.model.umap_process STORE VERSION GRAPH OUT``: UMAP of a version."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from burnish.dataset import open as open_dataset
from burnish.model.graph_files import give_graph, take_graph
from burnish.model.projection import project


def main(store: str, version: str, graph: str, out: str) -> None:
    """Write the coordinates of a version's live rows, shape (n_live, 2), as ``.npy``.

    The graph of neighbours is read from a file where it is there, and else written to it.
    """
    with open_dataset(store) as ds:
        rows, file = ds.at(version), Path(graph)
        known = take_graph(rows, file)
        coordinates = project(rows, "umap").coordinates
        if not known:
            give_graph(rows, file, compute=True)
        np.save(out, coordinates, allow_pickle=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
