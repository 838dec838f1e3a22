"""What a model was trained on, as one hash and the record behind it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.core.canonical import canonical_json
from burnish.core.delta import Ordinals
from burnish.core.keys import shorten
from burnish.core.selection import Selection
from burnish.core.slices import Slice
from burnish.dataset.snapshot import Snapshot
from burnish.errors import ColumnError, FormatError, InputError, ReconstructionError, StagedError
from burnish.model.estimators import library_versions
from burnish.model.folds import check_folds
from burnish.model.links import remember
from burnish.model.reading import check_reading
from burnish.model.training_data import (
    key_columns,
    rank,
    read_rows,
    rows_by_key,
    rows_in_order,
)

if TYPE_CHECKING:
    from burnish.core.version import Version
    from burnish.dataset.reading import Reading

KIND = "training fingerprint"
FORMAT = 1
LIBRARIES = ("duckdb", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
FIELDS = frozenset(
    {
        "kind",
        "format",
        "store_id",
        "version_id",
        "version",
        "fingerprint",
        "slice",
        "where",
        "order",
        "key",
        "n_rows",
        "row_set",
        "row_order",
        "columns",
        "content",
        "folds",
        "fold_of_each_row",
        "seed",
        "libraries",
    }
)


class TrainingFingerprint:
    """Which rows of which version a model was trained on, in which order, and with what.

    Made by `burnish.training_fingerprint`; `burnish.reconstruct` gives the rows again.

    Parameters
    ----------
    record : mapping
        As described in the notes.
    store : path, optional
        Where the store lies. A hint that is no part of the fingerprint.

    Attributes
    ----------
    id : str
        SHA-256 over the canonical JSON of the record, 64 hex digits.
    store : Path or None

    Raises
    ------
    ReconstructionError
        The mapping is no record of a training fingerprint.
    FormatError
        It was written by a newer burnish.

    Notes
    -----
    The record holds ``kind`` and ``format``; ``store_id``, ``version_id``, ``version`` (its name)
    and its ``fingerprint``; the filter as text, ``where``, and the name of the ``slice`` it came
    from; ``order``, sorted by key or by ranks among all live rows sorted by key; the ``key``
    columns; ``n_rows``, ``row_set``, ``row_order``, ``columns`` (name, logical type and sum) and
    ``content``, the hashes of exactly these rows and columns; the rule of the ``folds`` and
    ``fold_of_each_row``, a hash; the ``seed``; the versions of ``libraries``. Nothing in it
    depends on the clock: the same training has the same fingerprint.
    """

    __slots__ = ("_text", "id", "store")

    _text: bytes
    id: str
    store: Path | None

    def __init__(
        self, record: Mapping[str, Any], store: str | os.PathLike[str] | None = None
    ) -> None:
        _check_record(record)
        text = canonical_json(dict(record))
        object.__setattr__(self, "_text", text)
        object.__setattr__(self, "id", hashlib.sha256(text).hexdigest())
        object.__setattr__(self, "store", None if store is None else Path(store))

    @property
    def record(self) -> dict[str, Any]:
        """What is hashed, as a new dictionary."""
        found: dict[str, Any] = json.loads(self._text)
        return found

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the record as JSON text.

        Parameters
        ----------
        path : path
            For example ``model.fingerprint.json``, beside the model.

        Returns
        -------
        Path

        Notes
        -----
        The file also says where the store lies, seen from the file.
        """
        target = Path(path)
        content = {"id": self.id, "store": self._store_from(target), "record": self.record}
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        target.write_text(text, encoding="utf-8")
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TrainingFingerprint:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            There is no such file.
        ReconstructionError
            The file is no training fingerprint, or was changed.
        FormatError
            It was written by a newer burnish.
        """
        source = Path(path)
        content = _read(source)
        store = content.get("store")
        found = cls(content["record"], None if store is None else source.parent / store)
        if found.id != content.get("id"):
            raise ReconstructionError(
                f"{source.name} was changed: its record has the id {found.id[:12]}…, "
                f"the file says {str(content.get('id'))[:12]}…",
                hint="take the file as it was saved",
            )
        return found

    def _store_from(self, target: Path) -> str | None:
        if self.store is None:
            return None
        try:
            found = os.path.relpath(self.store.resolve(), target.resolve().parent)
        except ValueError:  # on another drive
            return None
        return Path(found).as_posix()

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a TrainingFingerprint cannot be changed: {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return TrainingFingerprint, (self.record, self.store)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrainingFingerprint) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        record = self.record
        rows, columns = record["n_rows"], len(record["columns"])
        return (
            f"TrainingFingerprint({self.id[:8]}…: {rows:,} rows × {columns} columns "
            f"of {record['version']})"
        )


def training_fingerprint(
    ds: Reading,
    where: str | Slice | Selection | None = None,
    columns: str | Iterable[str] | None = None,
    at: str | Version | None = None,
    order: Iterable[Any] | None = None,
    folds: Mapping[str, Any] | None = None,
    seed: int = 0,
    libraries: Iterable[str] = (),
) -> TrainingFingerprint:
    """Record exactly what a model is trained on, so that it can be had again.

    Parameters
    ----------
    ds : Dataset or Snapshot
    where : str, Slice or Selection, optional
        Rows that are trained on, all by default.
    columns : str or iterable of str, optional
        Columns that are trained on, label included; all by default.
    at : str or Version, optional
        The version, by default the head, or the version of the snapshot.
    order : iterable of keys, optional
        The rows in the order they are trained on; a row may stand in it more than once. By
        default they are sorted by key, as estimators get them.
    folds : mapping, optional
        ``{"cv": 5, "seed": 0, "group": "patient"}``, as `cross_val_probabilities` makes folds.
        Without ``"group"``, groups are those of the group role; None keeps no rows together.
        ``"seed"`` is `seed` by default.
    seed : int, default 0
        What the estimator was seeded with.
    libraries : iterable of str, optional
        Distributions whose versions are recorded, besides burnish's own and Python's.

    Returns
    -------
    TrainingFingerprint

    Raises
    ------
    StagedError
        Edits are staged and `at` is not given.
    InputError
        No row is left, the seed is not an integer, a library is not installed, or the folds have
        an unknown entry or a number below 2.
    ColumnError
        A column is unknown.
    KeysError
        `order` holds an unknown key, or other rows than `where`.
    PredicateError
        `where` cannot be used.
    UnknownVersionError
        There is no such version.

    Notes
    -----
    Reads the chosen cells once: about a second a column and million rows. Independent of row
    order, file format and library of the table that the dataset was made from. A filter and the
    order by key cost no space in the record; an explicit order or selection costs one to four
    bytes a row. Where the store keeps links, it remembers the fingerprint.

    Examples
    --------
    >>> import burnish as bn
    >>> frame = {"id": ["c", "a", "b"], "label": [1, 0, 1], "split": ["train", "test", "train"]}
    >>> ds = bn.create(None, frame, key="id", label="label", split="split")
    >>> fp = bn.training_fingerprint(ds, where="split = 'train'", columns=["id", "label"])
    >>> fp.record["n_rows"], fp.record["version"], fp.record["where"]
    (2, 'v0', "split = 'train'")
    >>> ds.relabel("b", 0)
    >>> ds.commit("looked again").name
    'v1'
    >>> bn.reconstruct(fp).frame["label"].tolist()
    [1, 1]
    """
    check_reading(ds)
    reading = _committed(ds, at)
    names = chosen_columns(reading, columns)
    rule = None if folds is None else _fold_rule(reading, folds, seed)
    name, predicate = _filter(where)
    ordinals = _rows(reading, predicate, order)
    ranked = order is not None or isinstance(predicate, Selection)
    version: Version = reading.version
    record = {
        "kind": KIND,
        "format": FORMAT,
        "store_id": reading._history.store_id,
        "version_id": version.id,
        "version": version.name,
        "fingerprint": version.fingerprint,
        "slice": name,
        "where": predicate if isinstance(predicate, str) else None,
        "order": {"by": "rank", "ranks": rank(reading, ordinals)} if ranked else {"by": "key"},
        "key": key_columns(reading),
        **read_rows(reading, ordinals, names, rule).hashes,
        "folds": rule,
        "seed": _integer("seed", seed),
        "libraries": _versions(libraries),
    }
    made = TrainingFingerprint(record, reading._history.path)
    remember(reading, made)
    return made


def chosen_columns(reading: Any, columns: str | Iterable[str] | None) -> list[str]:
    """Return the names of columns that must be there, all where None are given."""
    known: list[str] = reading.columns
    if columns is None:
        return known
    names = [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ColumnError(
            f"columns={names!r} holds unknown columns {shorten(unknown) or '(none given)'}, "
            f"expected some of {shorten(known)}",
            hint="ds.columns lists the columns",
        )
    return names


def current_versions(names: Iterable[str]) -> dict[str, str | None]:
    """Return the versions in use, of Python and burnish too; None where there is none."""
    from burnish import __version__

    own = {"burnish": __version__, "python": platform.python_version()}
    return {**library_versions(name for name in names if name not in own), **own}


def _versions(more: Iterable[str]) -> dict[str, str | None]:
    given = [more] if isinstance(more, str) else list(more)
    found = current_versions([*LIBRARIES, *given])
    missing = [name for name in given if found[name] is None]
    if missing:
        raise InputError(
            f"libraries={given!r} names what is not installed: {shorten(missing)}",
            hint="name distributions as pip spells them",
        )
    return found


def _committed(ds: Any, at: str | Version | None) -> Any:
    if isinstance(ds, Snapshot):
        return ds if at is None else Snapshot(ds._history, ds._history.resolve(at))
    if at is None and len(ds.staged):
        raise StagedError(
            f"{ds.staged!r} is not part of any version yet",
            hint="commit first with ds.commit('…'), or name a version with at='v0'",
        )
    return ds.at(ds.head if at is None else at)


def _filter(where: str | Slice | Selection | None) -> tuple[str | None, str | Selection | None]:
    return (where.name, where.where) if isinstance(where, Slice) else (None, where)


def _rows(
    reading: Reading, predicate: str | Selection | None, order: Iterable[Any] | None
) -> Ordinals:
    if order is None:
        found = rows_by_key(reading, predicate)
    else:
        allowed = None if predicate is None else rows_by_key(reading, predicate)
        found = rows_in_order(reading, order, allowed)
    if not len(found):
        raise InputError(
            "there is no row to train on, expected at least one",
            hint="loosen the filter; ds.rows_where(where).sum() counts its rows",
        )
    return found


def _fold_rule(reading: Reading, folds: Mapping[str, Any], seed: int) -> dict[str, Any]:
    given = dict(folds) if isinstance(folds, Mapping) else {"": folds}
    if not {"cv"} <= given.keys() <= {"cv", "seed", "group"}:
        raise InputError(
            f"folds={folds!r}, expected a mapping with cv, and seed and group where they are set",
            hint='pass folds={"cv": 5, "seed": 0, "group": "patient"}',
        )
    check_folds(given["cv"], "cv")
    group = given.get("group", reading.roles.get("group"))
    if group is not None:
        chosen_columns(reading, group)
    chosen = _integer("the seed of the folds", given.get("seed", seed))
    return {"cv": int(given["cv"]), "seed": chosen, "group": group}


def _integer(what: str, value: Any) -> int:
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    raise InputError(f"{what} is {value!r}, expected an integer", hint="pass seed=0")


def _check_record(record: Any) -> None:
    given = record if isinstance(record, Mapping) else {}
    number = given.get("format")
    if given.get("kind") == KIND and isinstance(number, int) and number > FORMAT:
        raise FormatError(
            f"the training fingerprint has format {number}, this burnish reads up to {FORMAT}",
            hint="install a newer burnish",
        )
    if given.get("kind") != KIND or given.keys() != FIELDS:
        odd = sorted(map(str, given.keys() ^ FIELDS))
        raise ReconstructionError(
            f"this is no record of a training fingerprint: {shorten(odd) or 'kind'} is "
            "missing or strange",
            hint="pass what bn.training_fingerprint made, or the path of what it saved",
        )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(
            f"there is no training fingerprint {str(path)!r}",
            hint="pass the path that fp.save(path) wrote",
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict) or "record" not in content:
        raise ReconstructionError(
            f"{path.name} is no training fingerprint",
            hint="pass the path that fp.save(path) wrote",
        )
    return content
