"""Files that are written once, aside, and then given their name."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from burnish.errors import WriteError
from burnish.store.base import flush

_ID = re.compile(r"[0-9a-f]{64}")


def write_once(path: Path, fill: Callable[[Path], object]) -> None:
    """Write a file unless one of its name is there; whoever comes first stays.

    Raises
    ------
    WriteError
        The disk does not take it.
    """
    if path.exists():
        _take_into_use(path)
        return
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        fill(draft)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        _take_into_use(path)
        with contextlib.suppress(OSError):
            flush(path.parent)
    except OSError as error:
        raise WriteError(
            f"{path} cannot be written: {error}", hint="check the disk's free space and rights"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _take_into_use(path: Path) -> None:
    """Make a file as young as what was just written, so that a sweep leaves it."""
    with contextlib.suppress(OSError):
        os.utime(path)


def place(source: Path, target: Path) -> None:
    """Give an immutable file a second name, or copy it where it cannot have two."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
        flush(target)


def is_id(text: object) -> bool:
    """Whether a text is the id of a version or a content id, and so safe as a file name."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None
