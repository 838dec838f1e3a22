"""``python -m burnish.model.umap_process STORE VERSION OUT``: UMAP coordinates of a version."""

from __future__ import annotations

import sys

import numpy as np

from burnish.dataset import open as open_dataset
from burnish.model.projection import project


def main(store: str, version: str, out: str) -> None:
    """Write the coordinates of a version's live rows, shape (n_live, 2), as ``.npy``."""
    with open_dataset(store) as ds:
        np.save(out, project(ds.at(version), "umap").coordinates, allow_pickle=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
