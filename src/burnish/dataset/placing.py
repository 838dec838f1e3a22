"""Arrays with values put at places of theirs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from burnish.core.delta import Ordinals
from burnish.dataset.layer import News


def scatter(array: pa.Array, ordinals: Ordinals, values: pa.Array) -> pa.Array:
    """Return the array with new values at sorted places."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not len(ordinals):
        return array
    if pa.types.is_nested(array.type) or pa.types.is_duration(array.type):  # have no such kernel
        places = np.arange(len(array))
        places[ordinals] = len(array) + np.arange(len(ordinals))
        return pa.concat_arrays([array, values.cast(array.type)]).take(pa.array(places))
    mask = np.zeros(len(array), dtype=bool)
    mask[ordinals] = True
    return pc.replace_with_mask(array, pa.array(mask), values)


def nothing(kind: pa.DataType, size: int) -> pa.Array:
    """Return a column in which nothing was ever set: false, or null where it is no mark."""
    return pa.array(np.zeros(size, bool)) if kind == pa.bool_() else pa.nulls(size, kind)


def found(known: Ordinals, values: pa.Array, ordinals: Ordinals) -> pa.Array:
    """Return the values of ordinals among sorted known ones, null where there is none."""
    if not len(known):
        return pa.nulls(len(ordinals), values.type)
    places = np.minimum(np.searchsorted(known, ordinals), len(known) - 1)
    return values.take(pa.array(places, mask=known[places] != ordinals))


def spread(ordinals: Ordinals, values: pa.Array, size: int) -> pa.Array:
    """Return values at their ordinals, null elsewhere."""
    if len(ordinals) == size and ordinals[-1] == size - 1:
        return values
    places = np.full(size, -1, np.int64)
    inside = ordinals < size
    places[ordinals[inside]] = np.flatnonzero(inside)
    return values.take(pa.array(places, mask=places < 0))


def overlay(values: pa.Array, news: News, ordinals: Ordinals) -> pa.Array:
    """Return values at some ordinals with those of changed cells that are among them."""
    changed = news.ordinals
    if not len(changed):
        return values
    inside = np.minimum(np.searchsorted(changed, ordinals), len(changed) - 1)
    hit = changed[inside] == ordinals
    if not hit.any():
        return values
    at = np.flatnonzero(hit).astype(np.int64)
    return scatter(values, at, news.words.take(pa.array(news.places[inside[hit]])))
