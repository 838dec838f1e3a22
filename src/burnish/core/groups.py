"""What an analysis says about groups of rows."""

from __future__ import annotations

import hashlib
import html
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array, plain
from burnish.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Members = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class GroupFinding:
    """One group of rows that an analysis points at.

    Attributes
    ----------
    code : str
        Which analysis, for example ``"near-duplicate"``.
    keys : tuple of keys
        The rows, in key order.
    score : float
        In [0, 1]; 1 is certainly affected.
    details : mapping of str to object
        What else is known of the group.
    """

    code: str
    keys: tuple[Any, ...]
    score: float
    details: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class GroupFindings:
    """Groups of rows that an analysis points at, worst first.

    Parameters
    ----------
    code : str
        Which analysis, for example ``"near-duplicate"``.
    groups : sequence of sequences of keys
        Each group's rows, at least one, in key order.
    scores : array of shape (n_groups,)
        In [0, 1]; 1 is certainly affected.
    details : mapping of str to sequence of length n_groups, optional
        What else is known of each group, by name; columns of their own in ``frame()``.
    provenance : mapping, optional
        What made them: parameters, version and fingerprint that were read.
    n_rows : int, optional
        How many rows were looked at.
    members : mapping of str to sequences like ``groups``, optional
        What is known of each row, by name: ``"label"``, ``"split"``, ``"similarity"``.

    Raises
    ------
    InputError
        A score outside [0, 1], or parts of different lengths.

    Notes
    -----
    Sorted by falling score; ties keep the order given.

    Examples
    --------
    >>> from burnish.core.groups import GroupFindings
    >>> found = GroupFindings(
    ...     "near-duplicate",
    ...     [["a", "b"], ["c", "d", "e"]],
    ...     [0.8, 1.0],
    ...     members={"label": [["cat", "cat"], ["cat", "dog", "dog"]]},
    ... )
    >>> found
    GroupFindings(2 near-duplicate groups of 5 rows, scores 1.00 to 0.80)
    >>> found.extras().keys.tolist()
    ['d', 'e', 'b']
    >>> found.conflicts()[0]
    Finding(code='near-duplicate', key='c', score=0.6666666666666667, given='cat', suggestion='dog')
    """

    code: str
    groups: Members
    scores: npt.NDArray[np.float64]
    details: Mapping[str, KeyArray] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    n_rows: int | None = None
    members: Mapping[str, Members] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scores = np.asarray(self.scores, dtype=np.float64)
        if len(scores) and not (
            np.isfinite(scores).all() and 0 <= scores.min() <= scores.max() <= 1
        ):
            raise InputError(
                f"scores lie between {scores.min()} and {scores.max()}, expected [0, 1]",
                hint="1 means certainly affected, 0 means fine",
            )
        order = np.argsort(-scores, kind="stable").tolist()
        groups = _nested(self.groups, "groups", order)
        members = {name: _nested(each, name, order) for name, each in self.members.items()}
        for name, each in members.items():
            _check_sizes(groups, each, name)
        details = {name: _flat(each, name, order) for name, each in self.details.items()}
        changed = {"scores": scores[order], "groups": groups, "members": members}
        for name, value in {**changed, "details": details}.items():
            object.__setattr__(self, name, value)

    @cached_property
    def id(self) -> str:
        """Name of these findings: the code and a hash of what they say."""
        digest = hashlib.sha256(self.code.encode())
        digest.update(repr([[plain(key) for key in keys] for keys in self.groups]).encode())
        digest.update(np.round(self.scores, 9).tobytes())
        return f"{self.code}:{digest.hexdigest()[:8]}"

    @property
    def keys(self) -> KeyArray:
        """Keys of all rows in groups, group by group."""
        return key_array([key for keys in self.groups for key in keys])

    def frame(self) -> pd.DataFrame:
        """Return a table with a row for each member.

        Returns
        -------
        DataFrame
            Columns ``group`` (its rank, from 0), ``key``, ``score`` of the group, what is known of
            the row, and the group's details.
        """
        import pandas as pd

        ranks = np.repeat(np.arange(len(self)), self._sizes)
        rows = {
            name: key_array([value for values in each for value in values])
            for name, each in self.members.items()
        }
        details = {name: each[ranks] for name, each in self.details.items()}
        columns = {"group": ranks, "key": self.keys, "score": self.scores[ranks], **rows, **details}
        return pd.DataFrame(
            {name: pd.Series(each).infer_objects() for name, each in columns.items()}
        )

    def where(
        self,
        *,
        kind: str | None = None,
        conflicting: bool | None = None,
        crosses_splits: bool | None = None,
        min_score: float = 0.0,
    ) -> GroupFindings:
        """Return the groups of one kind.

        Parameters
        ----------
        kind : str, optional
            Keep groups of this kind, ``"exact"`` or ``"near"``.
        conflicting, crosses_splits : bool, optional
            Keep groups whose labels differ (or do not), that have rows in several splits (or not).
        min_score : float, default 0.0
            Keep groups that score at least this, in [0, 1].

        Returns
        -------
        GroupFindings

        Raises
        ------
        InputError
            These findings do not say what is asked about.
        """
        keep = self.scores >= min_score
        asked = {"kind": kind, "conflicting": conflicting, "crosses_splits": crosses_splits}
        for name, value in asked.items():
            if value is not None:
                keep &= self._detail(name) == value
        return self[np.asarray(keep, dtype=bool)]

    def extras(self, keep: Any = None) -> Findings:
        """Return all rows but the one to keep of each group, as findings to drop.

        Parameters
        ----------
        keep : object, optional
            A split. Where a group has rows in it, the first of these is kept.

        Returns
        -------
        Findings
            ``given`` is the row's label where labels are known, ``suggestion`` is None. Details:
            ``group`` and ``kept``, the key of the row that stays.

        Notes
        -----
        The row kept is the first in key order. ``ds.drop(found.extras())`` leaves one of each.

        Examples
        --------
        >>> import burnish as bn
        >>> found = bn.find.near_duplicates(["same", "other text", "same"], splits=["a", "a", "b"])
        >>> found.extras().keys.tolist(), found.extras(keep="b").keys.tolist()
        ([2], [0])
        """
        kept = [self._kept(rank, keep) for rank in range(len(self))]
        rows = [
            (rank, place)
            for rank, keys in enumerate(self.groups)
            for place in range(len(keys))
            if place != kept[rank]
        ]
        stays = [self.groups[rank][kept[rank]] for rank, _ in rows]
        scores = [self.scores[rank] for rank, _ in rows]
        return self._rows(rows, scores, [None] * len(rows), {"kept": key_array(stays)})

    def conflicts(self) -> Findings:
        """Return the rows whose group disagrees about the label, as findings to relabel.

        Returns
        -------
        Findings
            The suggestion is the label that most of the group has, None where no label has most.
            The score is the group's score × (1 − the share of the group's labelled rows that have
            the row's label). Details: ``group`` and ``others``, what the other rows are labelled.

        Raises
        ------
        InputError
            The labels are not known.

        Notes
        -----
        Rows that have the majority's label, and rows without a label, are left out. Of two
        labels that are equally frequent one is wrong, and only a person can say which: all rows
        with them are listed, without a suggestion.
        """
        labels = self._member("label")
        rows, scores, suggestions, others = [], [], [], []
        for rank, values in enumerate(labels):
            votes = Counter(value for value in values if not _is_null(value))
            for place in _outvoted(values, votes):
                rows.append((rank, place))
                share = votes[values[place]] / votes.total()
                scores.append(self.scores[rank] * (1 - share))
                suggestions.append(_majority(votes))
                rest = votes - Counter([values[place]])
                others.append(", ".join(f"{name} × {n}" for name, n in rest.most_common()))
        return self._rows(rows, scores, suggestions, {"others": key_array(others)})

    def _rows(
        self,
        rows: Sequence[tuple[int, int]],
        scores: Sequence[float],
        suggestions: Sequence[Any],
        details: Mapping[str, KeyArray],
    ) -> Findings:
        labels = self.members.get("label")
        given = [None if labels is None else labels[rank][place] for rank, place in rows]
        return Findings(
            self.code,
            key_array([self.groups[rank][place] for rank, place in rows]),
            np.array(scores, dtype=np.float64),
            key_array(given),
            key_array(suggestions),
            self.provenance,
            n_rows=self.n_rows,
            details={"group": key_array([rank for rank, _ in rows]), **details},
        )

    def _kept(self, rank: int, keep: Any) -> int:
        if keep is None:
            return 0
        splits = self._member("split")[rank]
        return splits.index(keep) if keep in splits else 0

    def _detail(self, name: str) -> KeyArray:
        if name not in self.details:
            raise _unknown(self, name, self.details)
        return self.details[name]

    def _member(self, name: str) -> Members:
        if name not in self.members:
            raise _unknown(self, name, self.members)
        return self.members[name]

    @property
    def _sizes(self) -> npt.NDArray[np.intp]:
        return np.array([len(keys) for keys in self.groups], dtype=np.intp)

    def __len__(self) -> int:
        return len(self.groups)

    def __iter__(self) -> Iterator[GroupFinding]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, item: int) -> GroupFinding: ...
    @overload
    def __getitem__(self, item: slice | npt.NDArray[Any]) -> GroupFindings: ...
    def __getitem__(self, item: Any) -> GroupFinding | GroupFindings:
        if isinstance(item, (int, np.integer)):
            details = {name: plain(each[item]) for name, each in self.details.items()}
            return GroupFinding(self.code, self.groups[item], float(self.scores[item]), details)
        places = np.arange(len(self))[item].tolist()
        return GroupFindings(
            self.code,
            tuple(self.groups[i] for i in places),
            self.scores[places],
            {name: each[places] for name, each in self.details.items()},
            self.provenance,
            self.n_rows,
            {name: tuple(each[i] for i in places) for name, each in self.members.items()},
        )

    def __repr__(self) -> str:
        if not len(self):
            looked = f" in {self.n_rows:,} rows" if self.n_rows is not None else ""
            return f"GroupFindings(no {self.code} groups{looked})"
        looked = f" among {self.n_rows:,}" if self.n_rows is not None else ""
        span = f"scores {self.scores[0]:.2f} to {self.scores[-1]:.2f}"
        groups = f"{len(self):,} {self.code} group{'s' * (len(self) != 1)}"
        return f"GroupFindings({groups} of {int(self._sizes.sum()):,} rows{looked}, {span})"

    def _repr_html_(self) -> str:
        return f"<div>{html.escape(repr(self))}</div>{self[:10].frame().head(20).to_html()}"


def _nested(values: Any, name: str, order: list[int]) -> Members:
    listed = [tuple(plain(value) for value in each) for each in values]
    _check_length(listed, name, order)
    return tuple(listed[i] for i in order)


def _flat(values: Any, name: str, order: list[int]) -> KeyArray:
    array = key_array(values)
    _check_length(array, name, order)
    return array[order]


def _check_length(values: Any, name: str, order: list[int]) -> None:
    if len(values) != len(order):
        raise InputError(
            f"{name} has length {len(values)}, expected {len(order)}, one for each score",
            hint=f"pass {name} in the order of the scores",
        )


def _check_sizes(groups: Members, values: Members, name: str) -> None:
    odd = [i for i, keys in enumerate(groups) if len(keys) != len(values[i])]
    if odd:
        raise InputError(
            f"{name} has {len(values[odd[0]])} values for the group {groups[odd[0]]!r}, expected "
            f"{len(groups[odd[0]])}",
            hint=f"pass one {name} for each row of each group",
        )


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _majority(votes: Counter[Any]) -> Any:
    top = votes.most_common(2)
    return None if len(top) > 1 and top[0][1] == top[1][1] else top[0][0]


def _outvoted(values: Sequence[Any], votes: Counter[Any]) -> list[int]:
    if len(votes) < 2:
        return []
    most = _majority(votes)
    return [i for i, value in enumerate(values) if not _is_null(value) and value != most]


def _unknown(found: GroupFindings, name: str, known: Mapping[str, Any]) -> InputError:
    return InputError(
        f"these findings ({found.code}) do not say {name!r} of their groups, only "
        f"{', '.join(map(repr, known)) or 'their keys and scores'}",
        hint="look for them in a dataset that has the label and split roles",
    )
