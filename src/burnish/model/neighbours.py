"""The nearest neighbours of each row: computed once for an embedding, shared by all that ask."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.canonical import canonical_json
from burnish.core.keys import KeyArray, key_array, shorten
from burnish.errors import KeysError
from burnish.model.arrays import Matrix
from burnish.model.distances import Metric, Space, check_metric, has_direction
from burnish.model.nearest import bucket, near, nearest, recall
from burnish.model.options import checked_k, checked_seed
from burnish.model.reading import key_order
from burnish.model.vectors import given_vectors, reads_files, row_vectors, vector_role

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

K = 15
EXACT_ROWS = 60_000
CACHE_BYTES = 1 << 28


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest neighbours of each row.

    Parameters
    ----------
    keys : object array of shape (n,)
        All rows, those without a vector included; sorted by key unless `align` was asked for
        another order.
    indices : int32 array of shape (n, k)
        Positions in `keys`, nearest first, ties by key order; never the row itself; -1 where
        there are fewer.
    distances : float32 array of shape (n, k)
        Rising; infinite where there are fewer. ``"cosine"`` is 1 minus the cosine, in [0, 2].
    metric : {"euclidean", "cosine"}
    exact : bool
        Whether these are all nearest for certain, or an approximation whose share of nearest
        ones is ``provenance["recall"]``.
    provenance : mapping
        ``columns`` read, ``token`` (content hash of what was read), ``metric``, ``seed``,
        ``n_rows``, ``n_without_vector``, ``method`` and measured ``recall``.

    Notes
    -----
    A dataset of n rows has min(k, n - 1) columns at most; ``k`` says how many.
    """

    keys: KeyArray
    indices: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]
    metric: str
    exact: bool
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def k(self) -> int:
        """How many neighbours there are for each row."""
        return int(self.indices.shape[1])

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which of `indices` are neighbours, shape (n, k)."""
        return np.asarray(self.indices >= 0, dtype=bool)

    @property
    def has_vector(self) -> npt.NDArray[np.bool_]:
        """Which rows have at least one neighbour, shape (n,)."""
        return np.asarray(self.known.any(axis=1), dtype=bool)

    def nearest(self, k: int) -> Neighbours:
        """Return the first k neighbours of each row; all where there are fewer."""
        if k >= self.k:
            return self
        return replace(self, indices=self.indices[:, :k], distances=self.distances[:, :k])

    def align(self, keys: Any) -> Neighbours:
        """Return the same graph with rows in the order of some keys.

        Parameters
        ----------
        keys : sequence of length n
            The same keys in another order, such as ``ds.keys``.

        Returns
        -------
        Neighbours
            Its positions are positions in these keys.

        Raises
        ------
        KeysError
            They are not the same keys.
        """
        wanted = key_array(keys)
        place = {key: i for i, key in enumerate(self.keys)}
        strange = [key for key in wanted if key not in place]
        if strange or len(wanted) != len(self.keys):
            raise KeysError(
                f"{len(wanted)} keys for neighbours of {len(self.keys)} rows, unknown: "
                f"{shorten(strange) or 'none'}",
                hint="pass the keys of the dataset that the neighbours were computed on",
            )
        order = np.array([place[key] for key in wanted], dtype=np.intp)
        new = np.full(len(order) + 1, -1, dtype=np.int32)
        new[order] = np.arange(len(order), dtype=np.int32)
        return replace(
            self, keys=wanted, indices=new[self.indices[order]], distances=self.distances[order]
        )

    def __repr__(self) -> str:
        how = "exact" if self.exact else f"recall {self.provenance.get('recall', float('nan')):.3f}"
        return f"Neighbours({len(self.keys):,} rows, k={self.k}, {self.metric}, {how})"


def neighbours(
    ds: Reading | Any, k: int = K, metric: Metric = "euclidean", seed: int = 0
) -> Neighbours:
    """Return the nearest neighbours of each row.

    Parameters
    ----------
    ds : Dataset, Snapshot, or array of shape (n, d)
        Rows, whose vectors are those of `row_vectors`; an array has keys 0 … n-1.
    k : int, default 15
        How many neighbours, at least 1.
    metric : {"euclidean", "cosine"}, default "euclidean"
        With ``"cosine"`` a vector of zeros counts as none.
    seed : int, default 0
        For the reduction of text and the approximation.

    Returns
    -------
    Neighbours
        With rows sorted by key.

    Raises
    ------
    InputError
        `k` or `seed` is out of range, the metric is unknown, or no column gives vectors.

    Notes
    -----
    Exact up to 60,000 rows, in float64: O(n² · d) time (3 s for 31,000 rows of 64 numbers on two
    cores), in blocks of 32 MB a core. Above, an approximation by nearest-neighbour descent [1]_,
    whose recall is measured on 200 rows and stated in ``provenance``; its first use in a process
    compiles for half a minute. Deterministic; the order of the rows does not matter.

    Kept in memory (256 MB at most) by the content of the columns that were read: labels can
    change and other columns too without a new computation, and more neighbours than asked for
    serve fewer. Images that are named by paths are computed each time.

    References
    ----------
    .. [1] Dong, Charikar and Li (2011), Efficient k-nearest neighbor graph construction for
       generic similarity measures. WWW. Computed by pynndescent.

    Examples
    --------
    >>> import numpy as np
    >>> found = neighbours(np.array([[0.0], [1.0], [3.0]]), k=2)
    >>> found.indices.tolist(), found.distances.tolist()
    ([[1, 2], [0, 2], [1, 0]], [[1.0, 3.0], [1.0, 2.0], [2.0, 3.0]])
    """
    k, seed = checked_k(k, K), checked_seed(seed)
    check_metric(metric)
    if not hasattr(ds, "roles"):
        return _of_array(ds, k, metric, seed)
    token = content_token(ds, seed)
    if token is None:
        return _of_dataset(ds, None, k, metric, seed).nearest(k)
    return cache.get((token, metric, seed), k, lambda: _of_dataset(ds, token, k, metric, seed))


def content_token(reading: Reading, seed: int = 0) -> str | None:
    """Return a hash of all that the vectors of rows depend on, 64 hex digits.

    Returns
    -------
    str or None
        None where they depend on files, whose content is not known without reading them.
    """
    role, columns = vector_role(reading)
    if reads_files(reading):
        return None
    sums = reading.column_sums
    state = reading.state
    read = {name: f"{sums[name]:064x}" for name in (*state.key, *columns)}
    content = {"role": role, "columns": columns, "key": state.key, "sums": read, "seed": seed}
    return hashlib.sha256(canonical_json(content)).hexdigest()


def _of_dataset(ds: Reading, token: str | None, k: int, metric: str, seed: int) -> Neighbours:
    read = row_vectors(ds, seed)
    order = key_order(ds.keys)
    facts = {"columns": list(read.columns), "token": token}
    return _graph(ds.keys[order], read.values[order], k, metric, seed, facts)


def _of_array(values: Any, k: int, metric: str, seed: int) -> Neighbours:
    array = np.ascontiguousarray(given_vectors(values))
    token = hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()
    facts = {"columns": [], "token": token}
    keys = key_array(range(len(array)))
    return cache.get((token, metric, seed), k, lambda: _graph(keys, array, k, metric, seed, facts))


def _graph(
    keys: KeyArray, values: Matrix, k: int, metric: str, seed: int, facts: Mapping[str, Any]
) -> Neighbours:
    there = np.flatnonzero(has_direction(values, metric))
    space = Space.of(values[there], metric)
    exact = len(there) <= EXACT_ROWS
    width = min(k if exact else bucket(k), max(len(there) - 1, 0))
    positions, distances = nearest(space, width) if exact else near(space, width, seed)
    indices = np.full((len(keys), width), -1, dtype=np.int32)
    indices[there] = there[positions]
    far = np.full((len(keys), width), np.inf, dtype=np.float32)
    far[there] = distances
    provenance = {
        **facts,
        "metric": metric,
        "seed": seed,
        "n_rows": len(keys),
        "n_without_vector": len(keys) - len(there),
        "method": "exact" if exact else "nearest-neighbour descent",
        "recall": 1.0 if exact else recall(space, distances),
    }
    return Neighbours(keys, indices, far, metric, exact, provenance)


class GraphCache:
    """The graphs that were used last, within a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.RLock()
        self._kept: OrderedDict[tuple[Any, ...], tuple[int, Neighbours]] = OrderedDict()

    def get(self, name: tuple[Any, ...], k: int, make: Callable[[], Neighbours]) -> Neighbours:
        """Return the first k neighbours of a graph that is kept, or make and keep one."""
        with self._lock:
            found = self.find(name, k)
            return self.keep(name, k, make()) if found is None else found

    def find(self, name: tuple[Any, ...], k: int) -> Neighbours | None:
        """Return the first k neighbours of a graph that is kept, if it holds as many."""
        with self._lock:
            for kept in (name, (*name, bucket(k))):
                asked, graph = self._kept.get(kept, (0, None))
                if graph is not None and (k <= asked or graph.k < asked):
                    self._kept.move_to_end(kept)
                    return graph.nearest(k)
            return None

    def keep(self, name: tuple[Any, ...], k: int, graph: Neighbours) -> Neighbours:
        """Keep a graph, let go of those that were not used for longest, return its first k."""
        width = k if graph.exact else bucket(k)
        kept = name if graph.exact else (*name, width)
        with self._lock:
            self._kept[kept] = (width, graph)
            self._kept.move_to_end(kept)
            while sum(_size(each) for _, each in self._kept.values()) > self._limit:
                self._kept.popitem(last=False)
        return graph.nearest(k)

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._kept.clear()


def _size(graph: Neighbours) -> int:
    return graph.indices.nbytes + graph.distances.nbytes + 100 * len(graph.keys)


cache = GraphCache(CACHE_BYTES)
