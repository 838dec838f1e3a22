"""Versions that go to other copies of a dataset and come from them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from burnish.core.names import checked_name
from burnish.core.schema import files_of
from burnish.core.version import Version
from burnish.dataset.arriving import OtherFolder, OtherStore, Source, add, arrivals, same_dataset
from burnish.dataset.editing import Editing
from burnish.dataset.history import History
from burnish.errors import InputError, NotAStoreError, RefError
from burnish.store.backend import RefMove
from burnish.store.packed import REFS, Identity, PackedFolder, is_packed
from burnish.store.portable import dump, portable_column

STORE = "store.sqlite"


@dataclass(frozen=True)
class Fetched:
    """What came from another copy.

    Attributes
    ----------
    versions : tuple of Version
        Those that were new here, parents first.
    branches : dict of str to Version
        The other copy's branches by the names they have here: ``alice/main``.
    tags : dict of str to Version
        Its tags; one whose name stands for another version here is called ``alice/<tag>``.
    """

    versions: tuple[Version, ...]
    branches: dict[str, Version]
    tags: dict[str, Version]

    def __repr__(self) -> str:
        named = self.branches | self.tags
        where = ", ".join(f"{name} at {version.name}" for name, version in named.items())
        return f"Fetched({_count(len(self.versions), 'new version')}; {where})"


@dataclass(frozen=True)
class Packed:
    """What was written to a packed folder.

    Attributes
    ----------
    path : Path
    versions : tuple of Version
        Those that were not there yet, parents first.
    moved : dict of str to Version
        Branches and tags that were made or moved.
    """

    path: Path
    versions: tuple[Version, ...]
    moved: dict[str, Version]

    def __repr__(self) -> str:
        where = ", ".join(f"{name} at {version.name}" for name, version in self.moved.items())
        news = _count(len(self.versions), "new version")
        return f"Packed({self.path.name}: {news}; {where or 'nothing moved'})"


class Sharing(Editing):
    """Brings versions of other copies in, and packs those of this one for them."""

    path: Path

    def fetch(self, other: str | os.PathLike[str] | Sharing, name: str | None = None) -> Fetched:
        """Bring in what other people committed to another copy of this dataset.

        Parameters
        ----------
        other : path or Dataset
            Another store, which may be in use, or a folder that `pack` wrote.
        name : str, optional
            What to call the other copy; the stem of its folder by default. Its branches are then
            ``<name>/<branch>`` here: look at them with ``ds.diff``, bring them in with
            ``ds.merge("<name>/main")``.

        Returns
        -------
        Fetched

        Raises
        ------
        OtherDatasetError
            It is no copy of this dataset.
        NotAStoreError
            There is neither a store nor a packed folder.
        CorruptError
            Something in it is not what was written; nothing comes in then.
        RefError
            A branch or tag of this copy has the name that a branch of the other would get.
        InputError
            What is new would bring back rows that were purged here, or needs rows that were
            purged there.

        Notes
        -----
        Costs what is new. Every version is checked against its id before anything is added, and
        all are added at one instant. What is staged in the other copy is private and stays there.
        Branches that the other copy removed stay.
        """
        self._check_open()
        path = other.path if isinstance(other, Sharing) else Path(other)
        if path.resolve() == self.path.resolve():
            raise InputError(f"{str(path)!r} is this copy itself", hint="pass the path of another")
        name = name if name is not None else stem(path)
        checked_name(f"{name}/main", "copy")
        with source_at(path, self._history) as source:
            return fetched(self._history, source, name, self.user)

    def pack(self, folder: str | os.PathLike[str]) -> Packed:
        """Write all branches and tags to a folder that git, DVC or a file share can carry.

        Parameters
        ----------
        folder : path
            A new or empty folder, or one that this dataset was packed into before.

        Returns
        -------
        Packed

        Raises
        ------
        OtherDatasetError, NotAStoreError
            The folder holds another dataset, or something else.
        RefError
            A branch in the folder stands at a version that this copy's branch has not come from.
        InputError
            The rows of the dataset lie in files outside of the store, or some were purged.

        Notes
        -----
        Files are named by what they hold and written once, so packing again costs what is new.
        The base is linked where the file system allows it, else copied. What is staged is private
        and not packed. `burnish.unpack` is the way back.
        """
        self._check_open()
        return packed(self._history, Path(folder))


@contextmanager
def source_at(path: Path, history: History) -> Iterator[Source]:
    """Give the copy at a path as a source of versions for a store."""
    if is_packed(path):
        found = PackedFolder(path)
        same_dataset(history, found.identity.root, path)
        yield OtherFolder(found, history)
        return
    if not (path / STORE).is_file():
        raise NotAStoreError(
            f"{str(path)!r} holds neither a burnish dataset nor a packed one",
            hint="pass the folder of another store, or one that ds.pack(…) wrote",
        )
    other = History(path, read_only=True)
    try:
        same_dataset(history, other.root, path)
        yield OtherStore(other)
    finally:
        other.close()


def fetched(history: History, source: Source, name: str, user: str) -> Fetched:
    """Bring versions of another copy in, with its branches under a name."""
    refs = {kind: source.refs(kind) for kind in REFS}
    records = arrivals(history, source, [id for kind in REFS for id in refs[kind].values()])
    add(history, records, lambda: remote_moves(history, refs, name, user))
    version, tags = history.version, history.backend.refs("tag")
    names = {
        tag: tag if tags.get(tag) == id else f"{name}/{tag}" for tag, id in refs["tag"].items()
    }
    return Fetched(
        tuple(version(record.id) for record in records),
        {f"{name}/{branch}": version(id) for branch, id in refs["branch"].items()},
        {names[tag]: version(id) for tag, id in refs["tag"].items()},
    )


def remote_moves(
    history: History, refs: dict[str, dict[str, str]], name: str, user: str
) -> list[RefMove]:
    """Return the moves that let the names of another copy stand here as they do there."""
    backend, act = history.backend, f"fetch {name}"
    here = {kind: backend.refs(kind) for kind in (*REFS, "remote")}
    wanted = {("remote", f"{name}/{branch}"): id for branch, id in refs["branch"].items()}
    for tag, id in refs["tag"].items():
        taken = here["branch"].get(tag) or here["remote"].get(tag) or here["tag"].get(tag, id) != id
        wanted[("remote", f"{name}/{tag}") if taken else ("tag", tag)] = id
    moves = []
    for (kind, full), id in wanted.items():
        if kind == "remote" and (full in here["branch"] or full in here["tag"]):
            raise RefError(
                f"{full!r} is a branch or tag of this copy",
                hint="fetch under another name: ds.fetch(other, name='theirs')",
            )
        if here[kind].get(full) != id:
            moves.append(RefMove(kind, full, here[kind].get(full), id, user, act))
    return moves


def packed(history: History, folder: Path) -> Packed:
    """Write all that branches and tags lead to into a folder."""
    history.refresh()
    refs = {kind: history.backend.refs(kind) for kind in REFS}
    target = _folder_for(history, folder)
    with target.writing():
        moves = _forward(history, target, refs)
        target.add_base(history.base_hash(), history.path / "base.arrow")
        wanted = history.graph.ancestors(*(id for kind in REFS for id in refs[kind].values()))
        order = [id for id in reversed(history.graph.order(wanted)) if not target.has_version(id)]
        for commit in order:
            _pack_version(history, target, commit)
        for kind, name, commit in moves:
            target.set_ref(kind, name, commit)
    moved = {name: history.version(commit) for _, name, commit in moves}
    return Packed(folder, tuple(map(history.version, order)), moved)


def _folder_for(history: History, folder: Path) -> PackedFolder:
    if history.purges:
        raise InputError(
            "rows of this dataset were purged, and the names of packed files say what they held "
            "before",
            hint="make a dataset of what is left: bn.create(path, ds.to_arrow(), key=…)",
        )
    if not (history.path / "base.arrow").is_file():
        raise InputError(
            "the rows of this dataset lie in files outside of its store, so a packed folder "
            "could not hold them",
            hint="make a dataset from the rows themselves: bn.create(path, ds.at('v0').to_arrow())",
        )
    identity = Identity(history.store_id, history.root, history.rows.key)
    target = PackedFolder.make(folder, identity)
    same_dataset(history, target.identity.root, folder)
    return target


def _forward(
    history: History, target: PackedFolder, refs: dict[str, dict[str, str]]
) -> list[tuple[str, str, str]]:
    """Return kind, name and version of the refs to write; none may go back."""
    moves = []
    for kind in REFS:
        there = target.refs(kind)
        for name, commit in refs[kind].items():
            stands = there.get(name, commit)
            if stands != commit and (kind == "tag" or not _came_from(history, commit, stands)):
                raise RefError(
                    f"the {kind} {name!r} in {str(target.path)!r} stands at {stands[:8]}…, which "
                    f"did not lead to {history.version(commit).name} of this copy",
                    hint="bring it in first: bn.unpack(folder, path), or ds.fetch(folder) and "
                    "ds.merge(…); then pack again",
                )
            if there.get(name) != commit:
                moves.append((kind, name, commit))
    return moves


def _came_from(history: History, commit: str, earlier: str) -> bool:
    return history.has(earlier) and history.graph.contains(commit, earlier)


def _pack_version(history: History, target: PackedFolder, commit: str) -> None:
    version = history.portable(commit)
    segments, columns = files_of(version.delta)
    for name in sorted(segments):
        if not target.has_file("segments", name):
            target.add_file("segments", name, history.path / "segments" / f"{name}.arrow")
    for name in sorted(columns):
        if not target.has_file("columns", name):
            table = portable_column(history.rows, name)
            own = history.path / "columns" / f"{name}.arrow"
            target.add_file("columns", name, own if table is None else table)
    target.add_version(commit, dump(version))


def stem(path: Path) -> str:
    """Return what to call another copy, from the name of its folder."""
    return re.sub(r"[^\w-]+", "-", path.resolve().stem).strip("-") or "other"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
