"""Rows drawn at random, to be reviewed without a suggestion."""

from __future__ import annotations

import html
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array
from burnish.core.slices import Slice
from burnish.errors import InputError
from burnish.model.reading import check_reading, is_null, labels_of, read_from, values_of
from burnish.review.drawing import allocate, random_order

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "review-sample"
By = str | Sequence[Slice] | None
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Domain:
    """A part of the dataset that gets a line of its own: its name and its cells."""

    name: str
    cells: Ints


@dataclass(frozen=True, eq=False, repr=False)
class ReviewSample(Findings):
    """Rows drawn at random for a blind review; findings without a suggestion, in random order.

    Attributes
    ----------
    cell : array of int, shape (n,)
        Which cell each row is of: a class within a stratum.
    stratum : array of int, shape (n_cells,)
        Which stratum each cell is a part of.
    sizes : array of int, shape (n_cells,)
        Rows of each cell in the dataset.
    domains : tuple of Domain
        All rows, each class, each slice or value that it was drawn by.
    """

    cell: Ints = field(default_factory=lambda: np.empty(0, np.intp))
    stratum: Ints = field(default_factory=lambda: np.empty(0, np.intp))
    sizes: Ints = field(default_factory=lambda: np.empty(0, np.intp))
    domains: tuple[Domain, ...] = ()

    def findings(self) -> Findings:
        """Return the rows as findings, for the review queue; the sample itself is good as well."""
        return Findings(
            self.code,
            self.keys,
            self.scores,
            self.given,
            self.suggestions,
            self.provenance,
            None,
            self.n_rows,
            self.details,
        )

    def __repr__(self) -> str:
        strata = len(np.unique(self.stratum))
        parts = f", {strata} strata" if strata > 1 else ""
        return f"ReviewSample({len(self):,} of {self.n_rows:,} rows{parts})"

    def _repr_html_(self) -> str:
        table = self.frame()[["key", "given", *self.details]].head(10)
        return f"<div>{html.escape(repr(self))}</div>{table.to_html(escape=True)}"


def review_sample(
    ds: Reading, n: int, by: By = None, seed: int = 0, where: str | Slice | None = None
) -> ReviewSample:
    """Draw rows at random, for a person to review without a suggestion.

    Parameters
    ----------
    ds : Dataset or Snapshot
        Draw from a committed version, ``ds.at("v0")``, and the same call draws the same rows
        again after labels were changed.
    n : int
        How many rows, at least one a stratum.
    by : "label", column name, or sequence of Slice, optional
        Strata: each class, each value of a column, or each combination of slices that occurs.
        Every stratum gets its share of `n`, and at least 5 rows where `n` allows it. One simple
        random sample by default.
    seed : int, default 0
        Another seed draws other rows.
    where : str or Slice, optional
        Draw from these rows only; what is said then holds for them.

    Returns
    -------
    ReviewSample
        Findings with code ``"review-sample"``, without suggestions, all with score 0, in random
        order: whatever part is reviewed from the top is a random sample again. ``frame()`` has
        ``stratum`` and ``probability``, the chance that the row was drawn.

    Raises
    ------
    InputError
        `n` is out of range, `by` is empty or names two slices alike, or there is no label role.
    ColumnError
        There is no column of that name.

    Notes
    -----
    Rows without a label are left out and counted in ``provenance``. Which rows are drawn depends
    on the seed, the keys and the strata, not on how rows are stored. About 3 µs a row of `ds`.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd edition, chapter 5.

    Examples
    --------
    >>> import pandas as pd, burnish as bn
    >>> frame = pd.DataFrame({"id": range(100), "y": ["cat"] * 90 + ["dog"] * 10})
    >>> ds = bn.create(None, frame, key="id", label="y")
    >>> sample = bn.review_sample(ds, 20, by="label")
    >>> sample
    ReviewSample(20 of 100 rows, 2 strata)
    >>> sample.frame().groupby("given").size().to_dict()
    {'cat': 15, 'dog': 5}
    >>> ds.decide(sample.keys[:3], "kept", because=sample)
    >>> bn.error_rate(ds, sample).frame()[["slice", "n", "reviewed", "errors"]].values.tolist()
    [['all rows', 20, 3, 0], ['y = cat', 15, 3, 0], ['y = dog', 5, 0, 0]]
    """
    check_reading(ds)
    rows = _rows(ds, where)
    strata = _strata(ds, by, rows)
    sizes = np.bincount(strata.of_row, minlength=len(strata.names))
    shares = np.array(allocate(n, sizes.tolist() if len(sizes) else [0]))
    order = random_order(rows.keys, seed, CODE)
    chosen = _first_of_each(strata.of_row, shares, order)
    return _sample(ds, rows, strata, chosen, shares / sizes, (n, seed, _text(by), _text(where)))


@dataclass(frozen=True)
class _Rows:
    keys: KeyArray
    labels: KeyArray
    places: Ints
    n_null: int


@dataclass(frozen=True)
class _Strata:
    names: list[str]
    of_row: Ints
    parts: tuple[tuple[str, npt.NDArray[np.bool_]], ...]


def _rows(ds: Reading, where: str | Slice | None) -> _Rows:
    labels = labels_of(ds)
    inside = np.ones(len(labels), dtype=bool) if where is None else ds.rows_where(where)
    null = is_null(labels)
    places = np.flatnonzero(inside & ~null)
    return _Rows(ds.keys[places], labels[places], places, int((inside & null).sum()))


def _strata(ds: Reading, by: By, rows: _Rows) -> _Strata:
    if by is None:
        return _Strata(["all rows"], np.zeros(len(rows.keys), np.intp), ())
    if isinstance(by, str):
        return _by_value(ds, by, rows)
    return _by_slices(ds, by, rows)


def _by_value(ds: Reading, by: str, rows: _Rows) -> _Strata:
    label = str(ds.roles["label"])
    column = label if by == "label" and by not in ds.columns else by
    values = rows.labels if column == label else values_of(ds, column)[rows.places]
    names, codes = _coded(values)
    texts = [f"{column} = {name}" for name in names]
    shown = () if column == label else tuple((t, codes == i) for i, t in enumerate(texts))
    return _Strata(texts, codes, shown)


def _by_slices(ds: Reading, by: Sequence[Slice], rows: _Rows) -> _Strata:
    names = [each.name for each in by if isinstance(each, Slice)]
    if not names or len(names) < len(by) or len(set(names)) < len(names):
        raise InputError(
            f"by={list(by)!r}, expected slices, each with a name of its own",
            hint="by=[bn.Slice('short', 'length(text) < 40')]",
        )
    members = np.array([ds.rows_where(each)[rows.places] for each in by])
    patterns, codes = np.unique(members.T, axis=0, return_inverse=True)
    texts = [
        " and ".join(name for name, inside in zip(names, row, strict=True) if inside) or "no slice"
        for row in patterns
    ]
    return _Strata(texts, codes.reshape(-1), tuple(zip(names, members, strict=True)))


def _coded(values: KeyArray) -> tuple[list[Hashable], Ints]:
    """Return distinct values by their text, and the place of each value among them."""
    plain = [None if null else value for value, null in zip(values, is_null(values), strict=True)]
    names = sorted(set(plain), key=lambda value: (value is None, str(value), str(type(value))))
    place = {name: i for i, name in enumerate(names)}
    return names, np.array([place[value] for value in plain], dtype=np.intp)


def _first_of_each(of_row: Ints, shares: Ints, order: Ints) -> Ints:
    """Return the first rows of each stratum in an order, as many as its share."""
    grouped = order[np.argsort(of_row[order], kind="stable")]
    starts = np.searchsorted(of_row[grouped], np.arange(len(shares)))
    keep = np.zeros(len(of_row), dtype=bool)
    for start, share in zip(starts, shares, strict=True):
        keep[grouped[start : start + share]] = True
    return order[keep[order]]


def _sample(
    ds: Reading,
    rows: _Rows,
    strata: _Strata,
    chosen: Ints,
    probability: npt.NDArray[np.float64],
    told: tuple[int, int, str | None, str | None],
) -> ReviewSample:
    classes, codes = _coded(rows.labels)
    pairs, first, cell, sizes = np.unique(
        strata.of_row * len(classes) + codes,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    stratum = strata.of_row[chosen]
    named = [(f"{ds.roles['label']} = {name}", codes == i) for i, name in enumerate(classes)]
    parts = {name: first[inside[first]] for name, inside in [*named, *strata.parts]}
    everything = Domain("all rows", np.arange(len(pairs)))
    return ReviewSample(
        CODE,
        rows.keys[chosen],
        np.zeros(len(chosen)),
        rows.labels[chosen],
        key_array([None] * len(chosen)),
        _provenance(ds, rows, told),
        None,
        len(rows.keys),
        {
            "stratum": key_array([strata.names[i] for i in stratum]),
            "probability": key_array(probability[stratum]),
        },
        cell=cell[chosen],
        stratum=strata.of_row[first],
        sizes=sizes,
        domains=(everything, *(Domain(name, cell[at]) for name, at in parts.items())),
    )


def _provenance(
    ds: Reading, rows: _Rows, told: tuple[int, int, str | None, str | None]
) -> Mapping[str, Any]:
    n, seed, by, where = told
    return {
        "made_by": "review_sample",
        "n": n,
        "seed": seed,
        "by": by,
        "where": where,
        "n_rows": len(rows.keys),
        "n_null_labels": rows.n_null,
        **read_from(ds),
    }


def _text(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, Slice):
        return given.name
    return ", ".join(each.name for each in given)
