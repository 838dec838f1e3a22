"""Changes between versions as text to review, and back."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from burnish.core.patch import LONGEST_LINE, Patch, read_patch
from burnish.core.version import Version
from burnish.dataset.editing import Editing
from burnish.dataset.gesture import Gesture, code_of, count
from burnish.dataset.patch_apply import Fitted, fit_patch
from burnish.dataset.patch_export import patch_between
from burnish.dataset.state import State
from burnish.dataset.working import conflict_error
from burnish.errors import InputError


@dataclass(frozen=True)
class Exported:
    """A patch that was written.

    Attributes
    ----------
    path : Path or None
        None where it was written to an open file.
    changes : int
        How many changes it holds.
    old, new : str
        Names of the versions.
    """

    path: Path | None
    changes: int
    old: str
    new: str

    def __repr__(self) -> str:
        name = self.path.name if self.path else "patch"
        return f"{name}: {count(self.changes, 'change')} from {self.old} to {self.new}"


@dataclass(frozen=True)
class Applied:
    """What a patch came to.

    Attributes
    ----------
    staged : int
        Changes that are staged now: cells, rows that came or went, facts of the dataset.
    already : int
        Changes that were there already.
    """

    staged: int
    already: int

    def __repr__(self) -> str:
        there = f"{count(self.already, 'change')} {'was' if self.already == 1 else 'were'}"
        if not self.staged:
            return f"Applied(nothing to do: {there} there already)" if self.already else "Applied()"
        rest = f", {there} there already" if self.already else ""
        return f"Applied({count(self.staged, 'change')} staged{rest})"


class Patching(Editing):
    """Writes what differs between versions as a patch, and applies one."""

    def export_patch(
        self,
        old: str | Version,
        new: str | Version,
        path: str | os.PathLike[str] | IO[str],
    ) -> Exported:
        """Write what changed from one version to another as text, one change a line.

        Parameters
        ----------
        old, new : str or Version
            As for `at`. Exported the other way round, a patch takes the change back.
        path : path or text file
            By custom ends in ``.jsonl``.

        Returns
        -------
        Exported

        Raises
        ------
        UnknownVersionError
            There is no such version.
        InputError
            There is no such folder.
        PatchError
            A column is of a type that a patch cannot hold.

        Notes
        -----
        JSON lines in UTF-8: a header, then changes of columns and roles, then cells by column and
        key, with author, reason and time. The same two versions give the same lines on every copy
        of the dataset, but for the names of the versions in the header. Decisions are not in it.
        Costs the changes, and once a pass over the data for the fingerprints. A file is written
        under another name first and then moved into place.

        Examples
        --------
        >>> import burnish as bn
        >>> ds = bn.create(None, {"id": ["a", "b"], "label": ["cat", "dog"]}, key="id")
        >>> ds.set("b", "label", "cat", reason="looked again")
        >>> version = ds.commit("one label")
        >>> ds.export_patch("v0", "v1", ds.path / "fix.jsonl")
        fix.jsonl: 1 change from v0 to v1
        """
        self._check_open()
        start, end = self._history.resolve(old), self._history.resolve(new)
        patch = patch_between(self._history, start, end)
        names = (self._history.version(start).name, self._history.version(end).name)
        if not isinstance(path, str | os.PathLike):
            path.writelines(patch.texts())
            return Exported(None, len(patch), *names)
        _write(Path(path), patch)
        return Exported(Path(path), len(patch), *names)

    def apply_patch(self, path: str | os.PathLike[str] | IO[bytes]) -> Applied:
        """Stage the changes of a patch, as one undoable step.

        Parameters
        ----------
        path : path or binary file
            Written by `export_patch`; values may have been edited and lines removed since.

        Returns
        -------
        Applied
            How many changes are staged, and how many were there already.

        Raises
        ------
        ConflictError
            A cell holds neither what the patch expects nor what it wants; ``conflicts`` lists
            them, and nothing is staged.
        PatchError
            A line is broken, or the patch is for other data: its keys or columns are unknown.
        InputError
            The file cannot be read.

        Notes
        -----
        Every cell is checked against the value that the patch expects, so a patch of another
        dataset with the same keys and columns may be applied too. Author, reason, finding and time
        of the patch are kept. Costs the changes, not the table.

        Examples
        --------
        >>> import burnish as bn
        >>> ds = bn.create(None, {"id": ["a", "b"], "label": ["cat", "dog"]}, key="id")
        >>> ds.set("b", "label", "cat", reason="looked again")
        >>> version = ds.commit("one label")
        >>> patch = ds.export_patch("v0", "v1", ds.path / "fix.jsonl")
        >>> ds.apply_patch("fix.jsonl" if patch.path is None else patch.path)
        Applied(nothing to do: 1 change was there already)
        """
        self._check_open()
        with _opened(path) as file:
            patch = read_patch(iter(lambda: file.readline(LONGEST_LINE + 1), b""))
        name = "patch" if not isinstance(path, str | os.PathLike) else Path(path).name
        staged = 0

        def make(state: State) -> Gesture:
            nonlocal staged
            found = fit_patch(self._history, state, patch)
            _refuse_conflicts(found, name)
            staged = found.staged
            return Gesture(
                found.delta,
                f"apply {name}: {count(staged, 'change')}",
                code_of("apply_patch", repr(name)),
            )

        self._stage(make)
        return Applied(staged, len(patch) - staged)


def _refuse_conflicts(found: Fitted, name: str) -> None:
    if len(found.conflicts):
        raise conflict_error(
            found.conflicts,
            found.state,
            name,
            "nothing was applied; error.conflicts.frame() shows both sides: "
            "take those lines out of the patch, or set the cells by hand",
        )


def _write(path: Path, patch: Patch) -> None:
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {str(path.parent)!r}", hint="make it first")
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(patch.texts())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str] | IO[bytes]) -> Iterator[IO[bytes]]:
    if not isinstance(path, str | os.PathLike):
        yield path
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115
    except OSError as error:
        raise InputError(
            f"cannot read the patch {str(path)!r}: {error.strerror}",
            hint="pass a file that ds.export_patch wrote",
        ) from error
    with file:
        yield file
