"""Where each row stands on the map.

The first picture is there at once; UMAP is computed by another process, so that neither its
compilation nor its work holds up the kernel, and replaces the picture when it is done.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from burnish.core.delta import Ordinals
from burnish.dataset import Dataset
from burnish.errors import InputError
from burnish.model import project
from burnish.model.graph_files import give_graph, take_graph

Coordinates = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Layout:
    """Coordinates of all ordinals.

    Attributes
    ----------
    name : str
        ``"given"``, ``"pca"``, ``"umap"`` or ``"none"``.
    coordinates : array of shape (n_ordinals, 2)
        NaN where a row has none.
    """

    name: str
    coordinates: Coordinates
    pending: str | None = None
    seq: int = 0

    @cached_property
    def missing(self) -> Mask:
        """Which ordinals have no place."""
        finite = np.isfinite(self.coordinates)
        return np.asarray(~(finite[:, 0] & finite[:, 1]), dtype=bool)

    def extended(self, n_ordinals: int) -> Layout:
        """Return the picture with more rows, which have no place yet."""
        missing = n_ordinals - len(self.coordinates)
        if missing <= 0:
            return self
        nowhere = np.full((missing, 2), np.nan, np.float32)
        return replace(self, coordinates=np.concatenate([self.coordinates, nowhere]))


def first_layout(ds: Dataset, method: str) -> Layout:
    """Return the picture that can be drawn now.

    Raises
    ------
    InputError
        The method is unknown, or the dataset has nothing that can be drawn.
    """
    quick = "auto" if method in ("auto", "umap") else method
    made = project(ds, quick)
    pending = "umap" if method == "umap" and made.method != "umap" else None
    if method == "umap" and made.method == "given":
        made = project(ds, "pca")
    return Layout(
        made.method, spread(ds.state.live, made.coordinates, ds.state.n_ordinals), pending
    )


def empty_layout(n_ordinals: int) -> Layout:
    """Return the picture of a dataset that has nothing to draw."""
    return Layout("none", np.full((n_ordinals, 2), np.nan, np.float32))


def spread(live: Ordinals, coordinates: Coordinates, n_ordinals: int) -> Coordinates:
    """Return coordinates of live rows at their ordinals, NaN elsewhere."""
    if len(live) == n_ordinals:
        return coordinates
    out = np.full((n_ordinals, 2), np.nan, np.float32)
    out[live] = coordinates
    return out


class Projector:
    """Computes UMAP coordinates of a version in another process.

    The two processes share the graph of neighbours, whichever computed it.

    Parameters
    ----------
    ds : Dataset
        Its head is projected.
    done : callable
        Gets the layout, or None when it failed, in a thread of its own.
    """

    def __init__(self, ds: Dataset, done: Callable[[Layout | None], None]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="burnish-umap-")
        self._out = Path(self._folder.name) / "coordinates.npy"
        self._graph = Path(self._folder.name) / "graph.npz"
        head = ds.head
        self._snapshot = ds.at(head)
        state = self._snapshot.state
        self._live, self._size = state.live, state.n_ordinals
        give_graph(self._snapshot, self._graph)
        self._done = done
        self._cancelled = False
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "burnish.model.umap_process"),
                *(ds.path, head.id, self._graph, self._out),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._forget = weakref.finalize(self, self._process.terminate)
        threading.Thread(target=self._wait, name="burnish-umap", daemon=True).start()

    def cancel(self) -> None:
        """Stop computing; nothing is said any more."""
        self._cancelled = True
        self._forget()

    def _wait(self) -> None:
        self._process.wait()
        layout = self._read() if self._process.returncode == 0 else None
        if layout is not None:
            take_graph(self._snapshot, self._graph)
        self._folder.cleanup()
        if not self._cancelled:
            self._done(layout)

    def _read(self) -> Layout | None:
        try:
            made = np.load(self._out, allow_pickle=False)
        except (OSError, ValueError):
            return None
        if made.shape != (len(self._live), 2):
            return None
        return Layout("umap", spread(self._live, made, self._size))


def check_method(method: str) -> str:
    """Return a projection's name.

    Raises
    ------
    InputError
        It is none of the four.
    """
    if method not in ("auto", "given", "pca", "umap"):
        raise InputError(
            f"projection={method!r}, expected 'auto', 'given', 'pca' or 'umap'",
            hint="leave it out for 'auto'",
        )
    return method
