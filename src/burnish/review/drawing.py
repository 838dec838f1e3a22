"""Random orders that depend on nothing but the keys and a seed."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from burnish.core.keys import KeyArray
from burnish.errors import InputError
from burnish.model.folds import canonical
from burnish.model.reading import Order

FEWEST = 5


def random_order(keys: KeyArray, seed: int, purpose: str) -> Order:
    """Return positions in random order.

    Parameters
    ----------
    keys : array of keys, shape (n,)
    seed : int
    purpose : str
        Another purpose gives another order.

    Returns
    -------
    array of int, shape (n,)

    Notes
    -----
    Sorted by a 64-bit hash of purpose, seed and key. So the order is the same however the rows
    are stored, and that of some of the rows is part of that of all. About 2 µs a row.
    """
    lead = f"{purpose}\x1f{seed}\x1f"
    digests = (
        hashlib.blake2b((lead + canonical(key)).encode(), digest_size=8).digest() for key in keys
    )
    hashes = np.frombuffer(b"".join(digests), dtype=">u8")
    return np.argsort(hashes, kind="stable")


def allocate(n: int, sizes: Sequence[int]) -> list[int]:
    """Share a sample out over strata: in proportion to their sizes, but a few rows to each.

    Parameters
    ----------
    n : int
        Rows of the sample, at least one a stratum and at most all rows.
    sizes : sequence of int
        Rows of each stratum.

    Returns
    -------
    list of int
        Sums to `n`; each stratum gets at least 5 rows, or an even share of `n` where that is
        fewer, or all that it has.

    Raises
    ------
    InputError
        `n` is out of range.

    References
    ----------
    Webster's method: each further row goes where it is owed most.

    Examples
    --------
    >>> from burnish.review.drawing import allocate
    >>> allocate(100, [900, 90, 10])
    [86, 9, 5]
    """
    _check_size(n, sizes)
    least = min(FEWEST, n // len(sizes))
    shares = [min(least, size) for size in sizes]
    owed = [(-size / (a + 0.5), i) for i, (size, a) in enumerate(zip(sizes, shares, strict=True))]
    heapq.heapify(owed)
    for _ in range(n - sum(shares)):
        _, i = heapq.heappop(owed)
        while shares[i] == sizes[i]:
            _, i = heapq.heappop(owed)
        shares[i] += 1
        heapq.heappush(owed, (-sizes[i] / (shares[i] + 0.5), i))
    return shares


def _check_size(n: Any, sizes: Sequence[int]) -> None:
    whole = isinstance(n, (int, np.integer)) and not isinstance(n, bool)
    if whole and len(sizes) <= n <= sum(sizes) and n > 0:
        return
    parts = f", one for each of {len(sizes)} strata" if len(sizes) > 1 else ""
    raise InputError(
        f"n={n!r}, expected a number of rows from {max(1, len(sizes))}{parts} to {sum(sizes):,}, "
        "which is all that have a label",
        hint="n=200 tells a share of 5 % to about 3 points",
    )
