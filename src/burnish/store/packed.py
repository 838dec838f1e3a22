"""A folder of immutable files and small refs: a dataset as git, DVC or rsync can carry it.

::

    burnish.json                       which dataset this is
    base/<SHA-256>.arrow               the first table
    segments/<id>-<hash>.arrow         rows that were added
    columns/<id>-<hash>.arrow          columns that were added
    versions/<id[:2]>/<id>             one version each
    refs/branch/<name>  refs/tag/<name>    one line: the id of a version

A name says what the file holds, so a file is written once and never again; only refs move. A ref
is written after all that it leads to, so whatever instant a writer is killed at, the folder means
what it meant before or what it means after.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import pyarrow as pa

from burnish.core.canonical import canonical_json
from burnish.errors import CorruptError, FormatError, NotAStoreError
from burnish.store.base import file_hash, flush, write_table
from burnish.store.files import is_id, place

FORMAT = 1
MARKER = "burnish.json"
REFS = ("branch", "tag")
_DRAFT = ".draft-"
_SHORT = 16
_HINT = "check the folder out again, or pack the dataset into it anew"


@dataclass(frozen=True)
class Identity:
    """Which dataset a folder holds.

    Attributes
    ----------
    dataset : str
        Id that all copies of the dataset share.
    root : str
        Id of its first version.
    key : list of str
        Key columns.
    """

    dataset: str
    root: str
    key: list[str]

    def text(self) -> str:
        """Return the identity as the folder holds it."""
        content = {"format": FORMAT, **asdict(self)}
        check = _short_hash(canonical_json(content))
        return json.dumps(content | {"check": check}, indent=2, ensure_ascii=False) + "\n"


class PackedFolder:
    """A packed dataset.

    Parameters
    ----------
    path : Path

    Raises
    ------
    NotAStoreError
        The folder holds no packed dataset.
    CorruptError, FormatError
        What it says about itself is damaged, or of a newer burnish.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.identity = _identity(path)
        self._names: dict[str, dict[str, str]] = {}
        self._touched: set[Path] = set()

    @staticmethod
    def make(path: Path, identity: Identity) -> PackedFolder:
        """Return the folder, made for a dataset where it is not there yet.

        Raises
        ------
        NotAStoreError
            The folder holds something else.
        """
        if not is_packed(path):
            if path.exists() and (not path.is_dir() or any(map(_is_visible, path.iterdir()))):
                raise NotAStoreError(
                    f"{str(path)!r} holds something else than a packed dataset",
                    hint="pass a folder that is new or empty",
                )
            path.mkdir(parents=True, exist_ok=True)
            with _locked(path):
                draft = _draft(path)
                _put(draft, identity.text().encode())
                draft.replace(path / MARKER)
        return PackedFolder(path)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other writers out, and remove what killed ones left."""
        with _locked(self.path):
            for draft in self.path.glob(f"{_DRAFT}*"):
                draft.unlink()
            self._names.clear()
            yield
            self._settle()

    def refs(self, kind: str) -> dict[str, str]:
        """Return name → version id of branches or tags.

        Raises
        ------
        CorruptError
            A ref is not the id of a version that is there.
        """
        folder = self.path / "refs" / kind
        files = sorted(filter(_is_visible, folder.iterdir())) if folder.is_dir() else []
        return {unquote(file.name): self._target(file) for file in files}

    def set_ref(self, kind: str, name: str, commit: str) -> None:
        """Let a branch or tag stand at a version, when all that it leads to is on disk."""
        self._settle()
        path = self.path / "refs" / kind / quote(name, safe="")
        self._write(path, lambda draft: _put(draft, f"{commit}\n".encode()))

    def has_version(self, commit: str) -> bool:
        """Whether a version is there."""
        return self.path_of(commit).exists()

    def version(self, commit: str) -> bytes:
        """Return the bytes of a version."""
        try:
            return self.path_of(commit).read_bytes()
        except OSError as error:
            raise _missing(self.path_of(commit), error) from error

    def path_of(self, commit: str) -> Path:
        """Return where a version lies."""
        return self.path / "versions" / commit[:2] / commit

    def add_version(self, commit: str, content: bytes) -> None:
        """Write a version."""
        self._write(self.path_of(commit), lambda draft: _put(draft, content))

    def base(self, expected: str) -> Path:
        """Return the path of the base."""
        path = self.path / "base" / f"{expected}.arrow"
        if not is_id(expected) or not path.is_file():
            raise _missing(path)
        return path

    def add_base(self, expected: str, source: Path) -> None:
        """Take in the base, where it is not there."""
        path = self.path / "base" / f"{expected}.arrow"
        if not path.exists():
            self._write(path, lambda draft: place(source, draft))

    def file(self, kind: str, content: str) -> Path:
        """Return the path of a segment or a column whose bytes are those that were written.

        Raises
        ------
        CorruptError
            It is missing or holds other bytes.
        """
        name = self._files(kind).get(content)
        if name is None:
            raise _missing(self.path / kind / f"{content}-….arrow")
        path = self.path / kind / name
        if file_hash(path)[:_SHORT] != path.stem.partition("-")[2]:
            raise CorruptError(f"{path} holds other bytes than were packed", hint=_HINT)
        return path

    def has_file(self, kind: str, content: str) -> bool:
        """Whether a segment or a column is there."""
        return content in self._files(kind)

    def add_file(self, kind: str, content: str, source: Path | pa.Table) -> None:
        """Take in a segment or a column, as a file or as a table."""
        draft = _draft(self.path)
        if isinstance(source, Path):
            place(source, draft)
        else:
            write_table(draft, source)
        name = f"{content}-{file_hash(draft)[:_SHORT]}.arrow"
        self._move(draft, self.path / kind / name)
        self._files(kind)[content] = name

    def _files(self, kind: str) -> dict[str, str]:
        """Return content id → name of the files of one kind."""
        if kind not in self._names:
            folder = self.path / kind
            found = sorted(file.name for file in folder.glob("*-*.arrow"))
            self._names[kind] = {name.partition("-")[0]: name for name in reversed(found)}
        return self._names[kind]

    def _target(self, file: Path) -> str:
        text = file.read_bytes().removesuffix(b"\n").removesuffix(b"\r").decode(errors="replace")
        if not is_id(text):
            raise CorruptError(
                f"{file} holds {text[:80]!r}, expected the id of a version", hint=_HINT
            )
        if not self.has_version(text):
            path = self.path_of(text)
            raise CorruptError(f"{file} stands at a version that is missing: {path}", hint=_HINT)
        return text

    def _write(self, path: Path, fill: Callable[[Path], object]) -> None:
        draft = _draft(self.path)
        fill(draft)
        self._move(draft, path)

    def _move(self, draft: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(path)
        draft.unlink(missing_ok=True)  # where both were names of one file
        self._touched.add(path.parent)

    def _settle(self) -> None:
        """Put the names of new files on disk."""
        for folder in self._touched:
            with contextlib.suppress(OSError):
                flush(folder)
        self._touched.clear()


def is_packed(path: Path) -> bool:
    """Whether a folder holds a packed dataset."""
    return (path / MARKER).is_file()


def _identity(path: Path) -> Identity:
    file = path / MARKER
    if not file.is_file():
        raise NotAStoreError(
            f"{str(path)!r} holds no packed dataset: there is no {MARKER} in it",
            hint="pack one with ds.pack(folder)",
        )
    text = file.read_bytes()
    try:
        content = json.loads(text)
        identity = Identity(content["dataset"], content["root"], content["key"])
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptError(f"{file} cannot be read: {error}", hint=_HINT) from error
    if content.get("format") not in range(FORMAT + 1):
        raise FormatError(
            f"{file} has format {content.get('format')}, this burnish reads up to {FORMAT}",
            hint="upgrade with: pip install --upgrade burnish",
        )
    if text.replace(b"\r\n", b"\n") != identity.text().encode():
        raise CorruptError(f"{file} was changed", hint=_HINT)
    return identity


def _is_visible(path: Path) -> bool:
    return not path.name.startswith(".")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _draft(folder: Path) -> Path:
    return folder / f"{_DRAFT}{uuid.uuid4().hex[:8]}"


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    flush(path)


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_SHORT]


def _missing(path: Path, error: OSError | None = None) -> CorruptError:
    why = f" cannot be read: {error.strerror}" if error and error.errno != 2 else " is missing"
    return CorruptError(f"the packed file {path}{why}", hint=_HINT)
