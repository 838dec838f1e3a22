"""What an analysis says about rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array, plain
from burnish.core.probabilities import Probabilities
from burnish.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Finding:
    """One row that an analysis points at.

    Attributes
    ----------
    code : str
        Which analysis, for example ``"label-issue"``.
    key : key
        The row.
    score : float
        In [0, 1]; 1 is certainly affected.
    given, suggestion : object
        The value now and the value proposed, None where there is none.
    """

    code: str
    key: Any
    score: float
    given: Any
    suggestion: Any


@dataclass(frozen=True, eq=False)
class Findings:
    """Rows that an analysis points at, worst first.

    Parameters
    ----------
    code : str
        Which analysis, for example ``"label-issue"``.
    keys : sequence of length n
        Row keys.
    scores : array of shape (n,)
        In [0, 1]; 1 is certainly affected.
    given, suggestions : sequence of length n
        The value now and the value proposed for each row.
    provenance : mapping, optional
        What made them: parameters, version and fingerprint that were read.
    probabilities : Probabilities, optional
        The class probabilities they stand on, shown as evidence.
    n_rows : int, optional
        How many rows were looked at.
    details : mapping of str to sequence of length n, optional
        What else is known of each finding, by name; columns of their own in ``frame()``.

    Raises
    ------
    InputError
        A score outside [0, 1], or parts of different lengths.

    Notes
    -----
    Sorted by falling score; ties keep the order given.

    Examples
    --------
    >>> from burnish.core.finding import Findings
    >>> found = Findings("label-issue", ["a", "b"], [0.2, 0.9], ["cat", "cat"], ["dog", "dog"])
    >>> found
    Findings(2 label-issue of 2 rows, scores 0.90 to 0.20)
    >>> found[0]
    Finding(code='label-issue', key='b', score=0.9, given='cat', suggestion='dog')
    """

    code: str
    keys: KeyArray
    scores: npt.NDArray[np.float64]
    given: KeyArray
    suggestions: KeyArray
    provenance: Mapping[str, Any] = field(default_factory=dict)
    probabilities: Probabilities | None = None
    n_rows: int | None = None
    details: Mapping[str, KeyArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scores = np.asarray(self.scores, dtype=np.float64)
        if len(scores) and not (
            np.isfinite(scores).all() and 0 <= scores.min() <= scores.max() <= 1
        ):
            raise InputError(
                f"scores lie between {scores.min()} and {scores.max()}, expected [0, 1]",
                hint="1 means certainly affected, 0 means fine",
            )
        order = np.argsort(-scores, kind="stable")
        object.__setattr__(self, "scores", scores[order])
        for name in ("keys", "given", "suggestions"):
            object.__setattr__(self, name, _in_order(getattr(self, name), name, order))
        details = {name: _in_order(each, name, order) for name, each in self.details.items()}
        object.__setattr__(self, "details", details)

    @cached_property
    def id(self) -> str:
        """Name of these findings: the code and a hash of what they say."""
        digest = hashlib.sha256(self.code.encode())
        for values in (self.keys, self.given, self.suggestions):
            digest.update(repr([plain(value) for value in values]).encode())
        digest.update(np.round(self.scores, 9).tobytes())
        return f"{self.code}:{digest.hexdigest()[:8]}"

    @cached_property
    def ranks(self) -> Mapping[Any, int]:
        """Key → its place in these findings, 0 for the worst."""
        return {key: rank for rank, key in enumerate(self.keys)}

    def frame(self) -> pd.DataFrame:
        """Return a table with columns ``key, given, suggestion, score`` and the details."""
        import pandas as pd

        return pd.DataFrame(
            {
                "key": self.keys,
                "given": self.given,
                "suggestion": self.suggestions,
                "score": self.scores,
                **self.details,
            }
        )

    def where(
        self, *, given: Any = None, suggestion: Any = None, min_score: float = 0.0
    ) -> Findings:
        """Return the findings of one class pair or above a score.

        Parameters
        ----------
        given, suggestion : object, optional
            Keep rows with this label now, or this label proposed.
        min_score : float, default 0.0
            Keep rows that score at least this, in [0, 1].

        Returns
        -------
        Findings
        """
        keep = self.scores >= min_score
        if given is not None:
            keep &= _equal(self.given, given)
        if suggestion is not None:
            keep &= _equal(self.suggestions, suggestion)
        return self[keep]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Finding]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, item: int) -> Finding: ...
    @overload
    def __getitem__(self, item: slice | npt.NDArray[Any]) -> Findings: ...
    def __getitem__(self, item: Any) -> Finding | Findings:
        if isinstance(item, (int, np.integer)):
            return Finding(
                self.code,
                plain(self.keys[item]),
                float(self.scores[item]),
                plain(self.given[item]),
                plain(self.suggestions[item]),
            )
        return Findings(
            self.code,
            self.keys[item],
            self.scores[item],
            self.given[item],
            self.suggestions[item],
            self.provenance,
            self.probabilities,
            self.n_rows,
            {name: each[item] for name, each in self.details.items()},
        )

    def __repr__(self) -> str:
        looked = (
            f" of {self.n_rows:,} rows" if self.n_rows is not None else f" of {len(self):,} rows"
        )
        if not len(self):
            return f"Findings(no {self.code}{looked})"
        span = f"scores {self.scores[0]:.2f} to {self.scores[-1]:.2f}"
        return f"Findings({len(self):,} {self.code}{looked}, {span})"

    def _repr_html_(self) -> str:
        return f"<div>{_text(self)}</div>{self.frame().head(10).to_html(escape=True)}"


def _in_order(values: Any, name: str, order: npt.NDArray[np.intp]) -> KeyArray:
    array = key_array(values)
    if len(array) != len(order):
        raise InputError(
            f"{name} has length {len(array)}, expected {len(order)}, one for each score",
            hint=f"pass {name} in the order of the scores",
        )
    return array[order]


def _equal(values: KeyArray, wanted: Any) -> npt.NDArray[np.bool_]:
    return np.array([plain(value) == wanted for value in values], dtype=bool)


def _text(found: Findings) -> str:
    import html

    return html.escape(repr(found))
