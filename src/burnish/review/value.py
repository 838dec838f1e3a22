"""What speaks for and against findings, as a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from burnish.core.keys import KeyArray, plain, shorten
from burnish.errors import KeysError
from burnish.review.part import Part
from burnish.review.words import as_html, in_words

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 3


@dataclass(frozen=True, eq=False)
class Evidence:
    """What speaks for and against the findings on some rows.

    Attributes
    ----------
    code : str
        Kind of the findings, such as ``"label-issue"``.
    keys : array of shape (n_rows,)
        The rows, in the order asked for.
    labels, given, suggestions : array of shape (n_rows,)
        Label now; label when the row was flagged and the one proposed, None where a row was not
        flagged.
    neighbours : Part
        The nearest rows, nearest first: ``key, rank, neighbour, label, similarity, distance``.
    pair : Part
        The class pair: ``key, given, suggestion, rate, low, high, flagged, accepted, kept``.
    duplicates : Part
        Rows like it: ``key, duplicate, kind, label, split``.
    model : Part
        What the model says: ``key, given, p_given, likeliest, p_likeliest, margin``.
    decisions : Part
        Decisions on the row, oldest first: ``key, verdict, finding, reason, author, time,
        version, same_kind``.

    Notes
    -----
    Each part has ``.frame()``, and ``.absent`` with a ``reason`` where there is nothing to show.
    ``evidence[key]`` is that of one row.
    """

    code: str
    keys: KeyArray
    labels: KeyArray
    given: KeyArray
    suggestions: KeyArray
    neighbours: Part
    pair: Part
    duplicates: Part
    model: Part
    decisions: Part

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by name."""
        names = ("neighbours", "pair", "duplicates", "model", "decisions")
        return {name: getattr(self, name) for name in names}

    def frame(self) -> pd.DataFrame:
        """Return one line a row, in numbers.

        Returns
        -------
        DataFrame
            ``key, label, given, suggestion, neighbours`` (how many there are), ``like_given,
            like_suggestion`` (how many of them have that label now), ``rate`` (of the class
            pair), ``margin, duplicates, decisions``. NaN where a part says nothing of a row.
        """
        import pandas as pd

        return pd.DataFrame([self._line(i) for i in range(len(self))], columns=list(_LINE))

    def _line(self, place: int) -> list[Any]:
        near = [line["label"] for line in self.neighbours.of(place)]
        pair, model = self.pair.of(place), self.model.of(place)
        given, suggestion = plain(self.given[place]), plain(self.suggestions[place])
        return [
            self.keys[place],
            plain(self.labels[place]),
            given,
            suggestion,
            len(near),
            near.count(given),
            near.count(suggestion),
            pair[0]["rate"] if pair else float("nan"),
            model[0]["margin"] if model else float("nan"),
            len(self.duplicates.of(place)),
            len(self.decisions.of(place)),
        ]

    def at(self, place: int) -> Evidence:
        """Return the evidence of one row by its place among `keys`."""
        one = slice(place, place + 1)
        facts: dict[str, Any] = {name: getattr(self, name)[one] for name in _ROWS}
        facts |= {name: part.only(place) for name, part in self.parts.items()}
        return replace(self, **facts)

    def __getitem__(self, key: Any) -> Evidence:
        for place, known in enumerate(self.keys):
            if known == key:
                return self.at(place)
        raise KeysError(
            f"there is no evidence for {key!r}, only for {shorten(self.keys)}",
            hint="bn.evidence(ds, issues, rows) takes the keys of any rows",
        )

    def __iter__(self) -> Iterator[Evidence]:
        return (self.at(place) for place in range(len(self)))

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        shown = [in_words(self, place) for place in range(min(SHOWN, len(self)))]
        head = f"Evidence({len(self):,} {self.code}{'' if len(self) == 1 else 's'})"
        rest = len(self) - len(shown)
        more = [f"… and {rest:,} more: evidence[key], evidence.frame()"] if rest else []
        return "\n".join([head, *shown, *more])

    def _repr_html_(self) -> str:
        return as_html(self)


_ROWS = ("keys", "labels", "given", "suggestions")
_LINE = (
    *("key", "label", "given", "suggestion", "neighbours", "like_given", "like_suggestion"),
    *("rate", "margin", "duplicates", "decisions"),
)
