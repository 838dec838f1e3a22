"""The graph that a map is drawn from, handed from one process to another by a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from burnish.model.distances import Metric
from burnish.model.neighbours import K, Neighbours, cache, content_token, neighbours
from burnish.model.reading import key_order

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

METRIC: Metric = "euclidean"
SEED = 0


def give_graph(reading: Reading, path: Path, compute: bool = False) -> bool:
    """Write the graph of a version's rows for another process.

    Parameters
    ----------
    reading : Dataset or Snapshot
        The rows.
    path : Path
        Ends in ``.npz``. Keys are not written: the version has them.
    compute : bool, default False
        Whether to compute it where this process does not hold it.

    Returns
    -------
    bool
        Whether it was written.
    """
    token = content_token(reading, SEED) if compute or len(cache) else None
    if token is None:
        return False
    graph = cache.find((token, METRIC, SEED), K)
    if graph is None and not compute:
        return False
    graph = graph or neighbours(reading, K, METRIC, SEED)
    facts = json.dumps({"exact": graph.exact, "provenance": dict(graph.provenance)})
    np.savez(path, indices=graph.indices, distances=graph.distances, facts=np.array(facts))
    return True


def take_graph(reading: Reading, path: Path) -> bool:
    """Keep a graph that another process wrote, if it is of what this version holds.

    Parameters
    ----------
    reading : Dataset or Snapshot
        Whose vectors it should be of.
    path : Path
        What `give_graph` wrote, or nothing.

    Returns
    -------
    bool
        Whether it was kept.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            indices, distances = file["indices"], file["distances"]
    except (OSError, ValueError, KeyError, BadZipFile):
        return False
    token, provenance = content_token(reading, SEED), facts["provenance"]
    if token is None or provenance["token"] != token:
        return False
    keys = reading.keys[key_order(reading.keys)]
    graph = Neighbours(keys, indices, distances, METRIC, facts["exact"], provenance)
    cache.keep((token, METRIC, SEED), K, graph)
    return True
