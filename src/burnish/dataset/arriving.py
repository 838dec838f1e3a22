"""Versions that come from another copy: checked, numbered anew and added, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import filterfalse
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from burnish.core.delta import touches
from burnish.core.schema import files_of
from burnish.dataset.history import History
from burnish.errors import BusyError, CorruptError, InputError, OtherDatasetError, ReadOnlyError
from burnish.store.backend import CommitRecord, RefMove, StaleError
from burnish.store.files import is_id
from burnish.store.packed import PackedFolder
from burnish.store.portable import (
    Portable,
    checked,
    load,
    portable_column,
    take_column,
)
from burnish.store.portable import settled as settle
from burnish.store.rows import take_segment

_TRIES = 20


class Source(Protocol):
    """Another copy of a dataset."""

    @property
    def root(self) -> str:
        """Id of its first version."""
        ...

    def refs(self, kind: str) -> dict[str, str]:
        """Return name → version id of its branches or tags."""
        ...

    def version(self, commit: str) -> Portable:
        """Return a version, checked."""
        ...

    def segment(self, name: str) -> Path:
        """Return the file of added rows."""
        ...

    def column(self, name: str) -> Path | pa.Table:
        """Return an added column in portable form."""
        ...


class OtherStore:
    """Another store as a source."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.root = history.root

    def refs(self, kind: str) -> dict[str, str]:
        """Return name → version id of its branches or tags."""
        return self._history.backend.refs(kind)

    def version(self, commit: str) -> Portable:
        """Return a version, checked."""
        history = self._history
        return checked(history.portable(commit), history.base)

    def segment(self, name: str) -> Path:
        """Return the file of added rows."""
        self._refuse_rewritten(name)
        return self._history.path / "segments" / f"{name}.arrow"

    def column(self, name: str) -> Path | pa.Table:
        """Return an added column in portable form."""
        self._refuse_rewritten(name)
        table = portable_column(self._history.rows, name)
        return self._history.path / "columns" / f"{name}.arrow" if table is None else table

    def _refuse_rewritten(self, name: str) -> None:
        if name in self._history.rows.rewritten:
            raise InputError(
                f"rows of {self._history.path} that are new here were purged there, so their file "
                "is not the one that versions name",
                hint="take the rows that are left: ds.add(other.to_arrow())",
            )


class OtherFolder:
    """A packed folder as a source, read with the base of a store."""

    def __init__(self, packed: PackedFolder, history: History) -> None:
        self._packed = packed
        self._history = history
        self.root = packed.identity.root

    def refs(self, kind: str) -> dict[str, str]:
        """Return name → version id of its branches or tags."""
        return self._packed.refs(kind)

    def version(self, commit: str) -> Portable:
        """Return a version, checked."""
        found = read_version(self._packed, commit)
        _refuse_purged(self._history, found)
        with _blamed_on(self._packed.path_of(commit)):
            return checked(found, self._history.base)

    def segment(self, name: str) -> Path:
        """Return the file of added rows."""
        return self._packed.file("segments", name)

    def column(self, name: str) -> Path | pa.Table:
        """Return an added column in portable form."""
        return self._packed.file("columns", name)


def read_version(packed: PackedFolder, commit: str) -> Portable:
    """Return a version of a packed folder, not checked yet."""
    blob = packed.version(commit)
    with _blamed_on(packed.path_of(commit)):
        return load(commit, blob)


@contextmanager
def _blamed_on(path: Path) -> Iterator[None]:
    try:
        yield
    except CorruptError as error:
        raise CorruptError(f"{path}: {error.message}", hint=error.hint) from error


def same_dataset(history: History, root: str, what: object) -> None:
    """Refuse another copy that is one of another dataset.

    Raises
    ------
    OtherDatasetError
        Its first version is not the one of this store.
    """
    if root != history.root:
        raise OtherDatasetError(
            f"{str(what)!r} holds another dataset: its first version is {root[:8]}…, "
            f"here it is {history.root[:8]}…",
            hint="copies are made by copying the folder, or with ds.pack(…) and bn.unpack(…); "
            "two calls of bn.create make two datasets",
        )


def arrivals(history: History, source: Source, targets: Iterable[str]) -> list[CommitRecord]:
    """Return what lies behind some versions of another copy and is missing here, parents first.

    Files of added rows and columns are there afterwards; nothing refers to them yet.

    Raises
    ------
    CorruptError
        The other copy is damaged.
    ReadOnlyError
        The store may not be written.
    """
    missing = _missing(history, source, targets)
    epoch = history.epoch
    for version in missing:
        _refuse_purged(history, version)
    if missing and history.read_only:
        raise ReadOnlyError(
            f"the store {history.path} was opened read-only, and {len(missing)} versions are new",
            hint="open it with bn.open(path) where the folder can be written",
        )
    _take_files(history, source, [files_of(version.delta) for version in missing])
    records = [settle(version, history.base, history.numbered) for version in missing]
    if history.epoch != epoch:
        raise BusyError(
            f"rows or versions of {history.path} were taken away in between", hint="try again"
        )
    return records


def came_from(history: History, records: list[CommitRecord], commit: str, earlier: str) -> bool:
    """Whether a version, which may be one that arrives, came from one that is here."""
    arriving = {record.id: record.header["parents"] for record in records}
    seen, todo = set(), [commit]
    while todo:
        step = todo.pop()
        if step not in seen:
            seen.add(step)
            todo += arriving.get(step, [])
    return earlier in history.graph.ancestors(*(seen - arriving.keys()))


def add(
    history: History, records: list[CommitRecord], plan: Callable[[], list[RefMove]]
) -> list[RefMove]:
    """Add versions and move names at one instant; return the moves.

    Parameters
    ----------
    history : History
    records : list of CommitRecord
    plan : callable
        Gives the moves as names stand now; asked again when somebody else moved one.
    """
    for _ in range(_TRIES):
        moves = plan()
        if not records and not moves:
            return moves
        try:
            history.backend.add_commits(records, moves, history.epoch)
        except StaleError:
            continue
        history.refresh()
        return moves
    raise BusyError(
        f"{_TRIES} tries to write to {history.path} met other writers",
        hint="wait a moment, then try again",
    )


def _missing(history: History, source: Source, targets: Iterable[str]) -> list[Portable]:
    history.refresh()
    found: dict[str, Portable] = {}
    order: list[Portable] = []
    todo = [(commit, False) for commit in reversed(list(targets))]
    while todo:
        commit, after_parents = todo.pop()
        if after_parents:
            order.append(found[commit])
        elif commit not in found and not history.has(commit):
            found[commit] = source.version(commit)
            todo.append((commit, True))
            todo += [(parent, False) for parent in reversed(found[commit].parents)]
    return order


def _refuse_purged(history: History, version: Portable) -> None:
    """Refuse to bring values back that were purged here."""
    purged = history.rows.purged[history.rows.purged < len(history.base)]
    if len(purged) and touches(version.delta, purged):
        raise InputError(
            f"version {version.id[:8]}… ({version.header['message']!r}) of the other copy "
            "changes rows that were purged here",
            hint="purge them in the other copy too, then fetch again",
        )


def _take_files(
    history: History, source: Source, files: list[tuple[set[str], dict[str, str]]]
) -> None:
    """Take in the segments and the column files that are not here."""
    segments = list(dict.fromkeys(name for names, _ in files for name in sorted(names)))
    columns = {name: column for _, named in files for name, column in named.items()}
    for name in filterfalse(is_id, [*segments, *columns]):
        raise CorruptError(f"{name!r} is no content id", hint="restore the copy it came from")
    for name in segments:
        if not history.rows.has(name):
            take_segment(history.path, name, source.segment(name), history.rows.key)
    history.register(segments)
    for name, column in columns.items():
        if not history.rows.path_of("columns", name).exists():
            take_column(source.column(name), name, column, history.rows, history.numbered)
