"""A named part of a dataset: a SQL predicate or a set of keys."""

from __future__ import annotations

from dataclasses import dataclass

from burnish.core.selection import Selection
from burnish.errors import PredicateError


@dataclass(frozen=True)
class Slice:
    """A named part of a dataset.

    Parameters
    ----------
    name : str
        What people call it.
    where : str or Selection
        One SQL expression over the columns that is true for the rows of the slice, or the keys
        themselves. Rows where the expression is null are not in the slice.

    Raises
    ------
    PredicateError
        The name or the predicate is empty.

    Examples
    --------
    >>> import burnish as bn
    >>> bn.Slice("short", "length(text) < 40")
    Slice(name='short', where='length(text) < 40')
    """

    name: str
    where: str | Selection

    def __post_init__(self) -> None:
        if not self.name or not self.name.strip():
            raise PredicateError("a slice needs a name, got ''", hint="bn.Slice('short', …)")
        if isinstance(self.where, str) and not self.where.strip():
            raise PredicateError(
                f"slice {self.name!r} has an empty predicate",
                hint="pass a SQL expression such as 'length(text) < 40'",
            )
