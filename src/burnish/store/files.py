"""Files that are written once, aside, and then given their name."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from burnish.store.base import flush


def write_once(path: Path, fill: Callable[[Path], object]) -> None:
    """Write a file unless one of its name is there; whoever comes first stays."""
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        fill(draft)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        with contextlib.suppress(OSError):
            flush(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def place(source: Path, target: Path) -> None:
    """Give an immutable file a second name, or copy it where it cannot have two."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
        flush(target)
