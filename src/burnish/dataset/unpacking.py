"""Make a dataset from a packed folder, or bring one up to date with it."""

from __future__ import annotations

import os
import shutil
import uuid
import warnings
from pathlib import Path

from burnish.dataset.arriving import (
    OtherFolder,
    add,
    arrivals,
    came_from,
    read_version,
    same_dataset,
)
from burnish.dataset.dataset import Dataset, default_user
from burnish.dataset.history import History
from burnish.dataset.opening import open
from burnish.dataset.sharing import STORE, remote_moves, stem
from burnish.errors import CorruptError, DivergedWarning, NotAStoreError
from burnish.store.backend import CommitRecord, RefMove
from burnish.store.base import file_hash
from burnish.store.codec import encode
from burnish.store.files import place
from burnish.store.packed import REFS, PackedFolder
from burnish.store.sqlite import SqliteBackend

Refs = dict[str, dict[str, str]]


def unpack(
    folder: str | os.PathLike[str], path: str | os.PathLike[str], user: str | None = None
) -> Dataset:
    """Make a dataset from a packed folder, or bring one up to date with it, and open it.

    Parameters
    ----------
    folder : path
        A folder that `Dataset.pack` wrote.
    path : path
        Where the dataset is to be. Where there is one already, it gets what is new, as by
        `Dataset.fetch` under the name of the folder; its branches move on to where they stand in
        the folder if they came from there, and new ones are made.
    user : str, optional
        Who edits; ``BURNISH_USER`` or the account's name by default.

    Returns
    -------
    Dataset
        On the branch ``main``, with what was staged there.

    Raises
    ------
    NotAStoreError
        The folder holds no packed dataset, or the path something else than a dataset.
    OtherDatasetError
        The path holds another dataset.
    CorruptError
        A file is not what was written; it is named, and nothing comes in.

    Warns
    -----
    DivergedWarning
        A branch went on here and in the folder. It stays, and ``ds.merge("<folder>/<branch>")``
        brings both together.

    Notes
    -----
    Costs one reading of the base where the dataset is new, else what is new. The base is linked
    where the file system allows it, else copied.

    Examples
    --------
    >>> import tempfile
    >>> import burnish as bn
    >>> folder = tempfile.mkdtemp()
    >>> ds = bn.create(None, {"id": ["a", "b"], "label": ["cat", "dog"]}, key="id", label="label")
    >>> ds.pack(f"{folder}/packed")
    Packed(packed: 1 new version; main at v0)
    >>> copy = bn.unpack(f"{folder}/packed", f"{folder}/copy.burnish")
    >>> copy.fingerprint == ds.fingerprint
    True
    >>> copy.relabel("b", "cat")
    >>> copy.commit("looked again").name
    'v1'
    >>> ds.fetch(copy)
    Fetched(1 new version; copy/main at v1)
    >>> ds.merge("copy/main").version.message
    'looked again'
    """
    packed, target = PackedFolder(Path(folder)), Path(path)
    if not (target / STORE).is_file():
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise NotAStoreError(
                f"{str(target)!r} holds something else than a burnish dataset",
                hint="pass a path where nothing is yet, by custom ending in .burnish",
            )
        if _make(packed, target, user or default_user()):
            return open(target, user)
    ds = open(target, user)
    try:
        _update(ds, packed)
    except BaseException:
        ds.close()
        raise
    return ds


def _make(packed: PackedFolder, target: Path, user: str) -> bool:
    """Make a store aside and move it into place; False where another process was first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    draft.mkdir()
    try:
        _fill(draft, packed, user)
        draft.rename(target)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if isinstance(error, OSError) and (target / STORE).is_file():
            return False
        raise
    return True


def _fill(draft: Path, packed: PackedFolder, user: str) -> None:
    refs = _refs(packed)
    root = packed.identity.root
    first = read_version(packed, root)
    _take_base(packed, str(first.header.get("base")), draft / "base.arrow")
    record = CommitRecord(root, 0, first.header, first.seed, encode(first.delta, first.notes))
    meta = {"id": packed.identity.dataset, "format": "1"}
    SqliteBackend.create(draft / STORE, meta, record)
    history = History(draft)
    try:
        source = OtherFolder(packed, history)
        source.version(root)
        records = arrivals(history, source, _targets(refs))
        add(history, records, lambda: _first_moves(history, refs, user))
    finally:
        history.close()


def _take_base(packed: PackedFolder, expected: str, path: Path) -> None:
    source = packed.base(expected)
    place(source, path)
    if file_hash(path) != expected:
        raise CorruptError(
            f"{source} holds other bytes than were packed",
            hint="check the folder out again, or pack the dataset into it anew",
        )


def _refs(packed: PackedFolder) -> Refs:
    refs = {kind: packed.refs(kind) for kind in REFS}
    if not refs["branch"]:
        raise NotAStoreError(
            f"the packed folder {str(packed.path)!r} has no branch: packing was cut short",
            hint="pack the dataset into it again",
        )
    return refs


def _targets(refs: Refs) -> list[str]:
    return [commit for kind in REFS for commit in refs[kind].values()]


def _first_moves(history: History, refs: Refs, user: str) -> list[RefMove]:
    """Return the moves that let branches and tags stand as they do in the folder."""
    moves = []
    for kind in REFS:
        here = history.backend.refs(kind)
        for name, commit in refs[kind].items():
            if here.get(name) != commit:
                moves.append(RefMove(kind, name, here.get(name), commit, user, "unpack"))
    return moves


def _update(ds: Dataset, packed: PackedFolder) -> None:
    history, name, refs = ds._history, stem(packed.path), _refs(packed)
    same_dataset(history, packed.identity.root, packed.path)
    records = arrivals(history, OtherFolder(packed, history), _targets(refs))
    apart: list[str] = []

    def plan() -> list[RefMove]:
        here = {kind: history.backend.refs(kind) for kind in REFS}
        moves = remote_moves(history, refs, name, ds.user)
        apart.clear()
        for branch, commit in refs["branch"].items():
            stands = here["branch"].get(branch)
            if stands is None and branch in here["tag"]:
                continue
            if stands is None or came_from(history, records, commit, stands):
                moves.append(RefMove("branch", branch, stands, commit, ds.user, "unpack"))
            elif not came_from(history, [], stands, commit):
                apart.append(branch)
        return [move for move in moves if move.old != move.new]

    add(history, records, plan)
    if apart:
        _warn(apart, name)


def _warn(apart: list[str], name: str) -> None:
    one = len(apart) == 1
    warnings.warn(
        f"the branch{'' if one else 'es'} {', '.join(apart)} went on here and in the packed "
        f"folder. Hint: ds.merge({f'{name}/{apart[0]}'!r}) brings both together",
        DivergedWarning,
        stacklevel=4,
    )
