"""Rows that say the same: copies, and what is almost one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from burnish.core.groups import GroupFindings
from burnish.core.keys import KeyArray, key_array
from burnish.errors import InputError
from burnish.model.features import column_list
from burnish.model.linking import Grouping
from burnish.model.options import checked_seed
from burnish.model.reading import (
    check_reading,
    is_null,
    key_order,
    read_from,
    role_values,
    single_labels,
    values_of,
)

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "near-duplicate"
READS = ("text", "image", "vectors", "label", "split")
TEXT_THRESHOLD = 0.7
MODALITIES = ("text", "image", "embedding")
By = Literal["text", "image", "embedding"]


def near_duplicates(
    ds: Reading | Sequence[Any] | npt.NDArray[Any],
    by: By | None = None,
    threshold: float | None = None,
    seed: int = 0,
    *,
    labels: Sequence[Any] | None = None,
    splits: Sequence[Any] | None = None,
) -> GroupFindings:
    """Find groups of rows that are copies of each other, or nearly.

    Parameters
    ----------
    ds : Dataset, Snapshot, or texts, images or vectors of length n_rows
        The rows. Plain data are taken with keys 0 … n-1.
    by : {"text", "image", "embedding"}, optional
        What to compare: the text role, the image role, or the vectors of rows (the embedding role
        or the features, standardised; without both, vectors made of images or text). By default
        the image role, else the text role, else vectors; of plain data a two-dimensional array is
        vectors, arrays are images, everything else is text.
    threshold : float, optional
        How alike each row of a group is to the group's centre at least, in (0, 1]. Default 0.7
        for text; at least 0.95 for images and 0.8 for vectors, more where unrelated ones are alike.
    seed : int, default 0
        Chooses the hash functions for text, and what is approximate about vectors.
    labels, splits : sequence of length n_rows, optional
        Of plain data; a dataset has roles for them.

    Returns
    -------
    GroupFindings
        Most alike first. A group's score is the least similarity of a row to the group's centre: 1
        is certainly duplicates. Details of each group: ``kind``, ``"exact"`` where all rows hold
        the same bytes, else ``"near"``; ``size``; ``conflicting``, whether its labels differ (a
        null label never does); ``crosses_splits``, whether its rows are in several splits, which
        leaks. Of each row: ``similarity`` to the centre, ``label``, ``split``.

    Raises
    ------
    InputError
        ``by`` is unknown, ``threshold`` is outside (0, 1], ``seed`` is no whole number of at
        least 0, or there is nothing to compare.

    Notes
    -----
    *Text* is compared as the set of its runs of 4 characters, by Jaccard similarity, after
    normalising: Unicode NFKC, case folded, runs of whitespace as one space. Up to 1,000 different
    texts all pairs are compared. Above, MinHash bands choose the pairs: one at the threshold is
    compared with probability 0.99 at least, a more similar one with a higher probability
    (``provenance["recall_at_threshold"]``). Each pair is then verified exactly. Values that are
    not text are written out; null and empty texts are left out. The longer texts are, the more
    runs unrelated ones share: from about 500,000 characters on compare embeddings instead.

    *Images* are alike where their 64-bit difference hashes or mean hashes differ in 7 bits at most
    and the structural similarity of their 16 × 16 grey thumbnails reaches the threshold. Sizes,
    modes and formats may differ. The default threshold is 0.95, or where it is more, 1 − ¼ of the
    median dissimilarity to the 5th most alike of up to 1,000 images: digits of 8 × 8 pixels are
    all alike. Images that do not decode are left out; `broken_images` lists them.

    *Vectors* are alike where they are much nearer than usual: the similarity is 1 − distance ÷
    scale, and the scale is the larger of both distances to the 10th neighbour, at most the median
    of this over all rows. The default threshold is 0.8, or where it is more, what about one row in
    a hundred reaches by chance in the data's intrinsic dimension: 0.97 in two dimensions.

    What was left out is counted in ``provenance``.

    Being alike is not transitive. Rows that are linked through others are split into groups around
    a centre, which every member is alike to, so two members of a group may be less alike than the
    threshold, and no chain gets longer than two links. Each row is in one group at most; one that
    is alike only to rows that stay with other centres is in none (``n_alike_to_none_left``
    in ``provenance`` counts them). Where more than 100 rows share a bucket, each is
    compared with 100 of them (``n_not_compared``), so time stays linear.

    Takes 6 s of one core for 100,000 texts of 60 characters and 110 s for a million, in 1.4 GB:
    more texts need finer buckets. Images cost their decoding and 300 bytes each. Vectors cost
    what their neighbours cost.
    Deterministic; the order of rows does not matter, ties go by content.

    References
    ----------
    .. [1] Broder (1997), On the resemblance and containment of documents.
    .. [2] Norouzi, Punjani and Fleet (2012), Fast search in Hamming space with multi-index
       hashing. CVPR.
    .. [3] Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment: from error
       visibility to structural similarity.

    Examples
    --------
    >>> import burnish as bn
    >>> texts = ["The cat sat on the mat", "the cat sat on the mat.", "A dog", "A dog"]
    >>> found = bn.find.near_duplicates(texts, labels=["cat", "dog", "dog", "dog"])
    >>> found
    GroupFindings(2 near-duplicate groups of 4 rows among 4, scores 1.00 to 0.86)
    >>> found.frame()[["group", "key", "kind", "conflicting"]].values.tolist()
    [[0, 2, 'exact', False], [0, 3, 'exact', False], [1, 0, 'near', True], [1, 1, 'near', True]]
    """
    _check(by, threshold)
    seed = checked_seed(seed)
    table = _of_dataset(ds, by, seed) if hasattr(ds, "roles") else _of_plain(ds, by, labels, splits)
    least = None if threshold is None else float(threshold)
    return _findings(table, _grouping(table, least, seed), seed)


@dataclass(frozen=True)
class _Table:
    by: str
    keys: KeyArray
    cells: Any
    given: Any
    label: KeyArray | None
    split: KeyArray | None
    source: dict[str, Any]


def _check(by: Any, threshold: Any) -> None:
    if by is not None and by not in MODALITIES:
        raise InputError(
            f"by={by!r}, expected one of {', '.join(map(repr, MODALITIES))}",
            hint="leave it out to compare what the dataset has",
        )
    number = isinstance(threshold, (int, float, np.number)) and not isinstance(threshold, bool)
    if threshold is not None and not (number and 0 < threshold <= 1):
        raise InputError(
            f"threshold={threshold!r}, expected a similarity in (0, 1]",
            hint="leave it out for the default; nearer to 1 finds fewer groups",
        )


def _of_dataset(ds: Any, by: str | None, seed: int) -> _Table:
    check_reading(ds)
    chosen = by or next((role for role in ("image", "text") if ds.roles.get(role)), "embedding")
    if chosen in ("image", "text") and not ds.roles.get(chosen):
        raise InputError(
            f"by={by!r}, but the dataset has no {chosen} role, only "
            f"{', '.join(sorted(ds.roles)) or 'none'}",
            hint=f"name the column when creating it: bn.create(…, {chosen}='{chosen}')",
        )
    order = key_order(ds.keys)
    cells, columns = _cells(ds, chosen, order, seed)
    sides = {role: role_values(ds, role) for role in ("label", "split")}
    label, split = (None if side is None else side[order] for side in sides.values())
    source = {"columns": columns, **read_from(ds)}
    return _Table(chosen, ds.keys[order], cells, ds, label, split, source)


def _cells(ds: Any, by: str, order: npt.NDArray[np.intp], seed: int) -> tuple[Any, list[str]]:
    if by == "embedding":
        from burnish.model.vectors import row_vectors

        read = row_vectors(ds, seed)
        return read.values[order], list(read.columns)
    columns = column_list(ds.roles[by])
    if by == "image":
        from burnish.model.decoding import picture_cells

        return picture_cells(ds, columns[0])[order], columns[:1]
    if len(columns) == 1:
        return values_of(ds, columns[0])[order], columns
    rows = zip(*(values_of(ds, column)[order] for column in columns), strict=True)
    return key_array([_together(row) for row in rows]), columns


def _together(cells: tuple[Any, ...]) -> str | None:
    from burnish.model.similar_text import as_text

    there = [as_text(cell) for cell in cells if cell is not None]
    return "\n".join(there) if there else None


def _of_plain(given: Any, by: str | None, labels: Any, splits: Any) -> _Table:
    if (
        isinstance(given, (str, bytes))
        or not hasattr(given, "__len__")
        or hasattr(given, "columns")
    ):
        check_reading(given)
    if by == "embedding" or (by is None and _is_matrix(given)):
        from burnish.model.vectors import given_vectors

        cells: Any = given_vectors(given)
        given, by = cells, "embedding"
    else:
        cells = _listed(given)
        by = by or ("image" if any(isinstance(cell, np.ndarray) for cell in cells) else "text")
    sides = {"labels": labels, "splits": splits}
    label, split = (_side(name, side, len(cells)) for name, side in sides.items())
    return _Table(by, key_array(range(len(cells))), cells, given, label, split, {})


def _is_matrix(given: Any) -> bool:
    return isinstance(given, np.ndarray) and given.ndim == 2 and given.dtype.kind in "fiub"


def _listed(given: Any) -> KeyArray:
    cells = np.empty(len(given), dtype=object)
    for i, cell in enumerate(given):
        cells[i] = cell
    return cells


def _side(name: str, values: Any, n_rows: int) -> KeyArray | None:
    if values is None:
        return None
    listed = single_labels(values)
    if len(listed) != n_rows:
        raise InputError(
            f"{name} has length {len(listed)}, expected {n_rows}, one for each row",
            hint=f"pass {name} in the order of the rows",
        )
    return listed


def _grouping(table: _Table, threshold: float | None, seed: int) -> Grouping:
    if table.by == "image":
        from burnish.model.similar_images import image_groups

        return image_groups(table.cells, threshold)
    if table.by == "text":
        from burnish.model.similar_text import text_groups

        return text_groups(table.cells, threshold or TEXT_THRESHOLD, seed)
    from burnish.model.neighbours import neighbours
    from burnish.model.similar_vectors import K, vector_groups

    return vector_groups(table.cells, neighbours(table.given, K, seed=seed), threshold)


def _findings(table: _Table, made: Grouping, seed: int) -> GroupFindings:
    sides = {"label": table.label, "split": table.split}
    members: dict[str, Any] = {"similarity": [part.tolist() for part in made.similarity]}
    for name, side in sides.items():
        if side is not None:
            members[name] = [side[part] for part in made.groups]
    details: dict[str, Any] = {
        "kind": ["exact" if exact else "near" for exact in made.exact],
        "size": [len(part) for part in made.groups],
        "conflicting": [_differ(table.label, part) for part in made.groups],
        "crosses_splits": [_differ(table.split, part) for part in made.groups],
    }
    known = {"conflicting": table.label, "crosses_splits": table.split}
    details = {name: each for name, each in details.items() if known.get(name, ()) is not None}
    provenance = {
        "made_by": "near_duplicates",
        "by": table.by,
        "seed": seed,
        "n_rows": len(table.keys),
        **table.source,
        **made.facts,
    }
    return GroupFindings(
        CODE,
        tuple(tuple(table.keys[part]) for part in made.groups),
        np.array([part.min() for part in made.similarity], dtype=np.float64),
        {name: key_array(each) for name, each in details.items()},
        provenance,
        len(table.keys),
        members,
    )


def _differ(side: KeyArray | None, rows: npt.NDArray[np.int64]) -> bool:
    if side is None:
        return False
    values = side[rows]
    return len(set(values[~is_null(values)])) > 1
