"""A set of rows with the source that made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from burnish.core.keys import Key, key_array, shorten


class Selection:
    """A set of row keys and where it came from.

    Parameters
    ----------
    keys : iterable of keys
        Row keys; repeated keys count once, the first order is kept.
    source : str, optional
        What made the selection, for example ``"lasso"``.

    Examples
    --------
    >>> import burnish as bn
    >>> bn.Selection(["a", "b", "a"], source="lasso")
    Selection(2 rows: 'a', 'b'; source='lasso')
    """

    __slots__ = ("_set", "keys", "source")

    keys: list[Key]
    source: str | None
    _set: frozenset[Key]

    def __init__(self, keys: Iterable[Any], source: str | None = None) -> None:
        unique = list(dict.fromkeys([keys] if isinstance(keys, str) else key_array(keys)))
        object.__setattr__(self, "keys", unique)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "_set", frozenset(unique))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Selection cannot be changed: {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Selection, (self.keys, self.source)

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)

    def __contains__(self, key: object) -> bool:
        return key in self._set

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selection) and self._set == other._set

    def __hash__(self) -> int:
        return hash(self._set)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(key_array(self.keys), dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        shown = f": {shorten(self.keys)}" if self.keys else ""
        source = f"; source={self.source!r}" if self.source else ""
        return f"Selection({len(self)} rows{shown}{source})"
