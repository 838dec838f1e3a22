"""Files that a store refers to, each pinned by size and hash."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from burnish.errors import CorruptError
from burnish.store.base import file_hash

_HINT = "put back the bytes that were adopted, or create another dataset from those of now"


@dataclass(frozen=True)
class Pin:
    """One file: its name below the root, what it held and when it was last seen to hold it.

    Attributes
    ----------
    name : str
        Path below the root, with slashes.
    rows : int
        Rows that the file gives; 0 where rows are not a file's.
    constants : mapping
        Values of partition columns, as text, which the file itself does not hold.
    """

    name: str
    size: int
    mtime_ns: int
    sha256: str = ""
    rows: int = 0
    constants: Mapping[str, str | None] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return what the pin says about bytes, and not about where and when."""
        return {name: value for name, value in asdict(self).items() if name != "mtime_ns"}


class Pins:
    """Pinned files below one root; each is checked when its path is asked for.

    Parameters
    ----------
    root : Path
    pins : sequence of Pin
    """

    def __init__(self, root: Path, pins: Sequence[Pin]) -> None:
        self.root = root
        self.pins = list(pins)

    def __len__(self) -> int:
        return len(self.pins)

    def path(self, place: int) -> Path:
        """Return the path of a file that still holds what was pinned.

        Raises
        ------
        CorruptError
            The file is gone or holds other bytes.
        """
        pin = self.pins[place]
        path = self.root / pin.name
        size, mtime_ns = _stat(path)
        if size != pin.size:
            raise _changed(path, f"has {size:,} bytes, expected {pin.size:,}")
        if mtime_ns != pin.mtime_ns:
            self.pins[place] = _seen_again(path, pin, mtime_ns)
        return path

    def check(self) -> bool:
        """Check size and time of all files, hash those of another time; whether there were such."""
        before = list(self.pins)
        for place in range(len(self)):
            self.path(place)
        return before != self.pins

    def verify(self) -> Iterator[str]:
        """Hash all files and say which hold something else."""
        for pin, outcome in zip(self.pins, self._each(_outcome), strict=True):
            if outcome != pin.sha256:
                yield f"{self.root / pin.name} {outcome}, expected SHA-256 {pin.sha256[:12]}…"

    def hashed(self, known: Pins | None = None) -> Pins:
        """Return the pins with hashes, taken over from `known` where size and time are the same."""
        old = {(p.name, p.size, p.mtime_ns): p.sha256 for p in known.pins} if known else {}

        def hash_of(path: Path, pin: Pin) -> str:
            return old.get((pin.name, pin.size, pin.mtime_ns)) or file_hash(path)

        hashes = self._each(hash_of)
        found = Pins(
            self.root, [replace(p, sha256=h) for p, h in zip(self.pins, hashes, strict=True)]
        )
        found.check()
        return found

    def _each(self, work: Callable[[Path, Pin], str]) -> list[str]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda pin: work(self.root / pin.name, pin), self.pins))


def pin_now(root: Path, name: str, rows: int = 0, constants: Any = None) -> Pin:
    """Return the pin of a file as it is, without its hash."""
    size, mtime_ns = _stat(root / name)
    return Pin(name, size, mtime_ns, rows=rows, constants=constants or {})


def _seen_again(path: Path, pin: Pin, mtime_ns: int) -> Pin:
    if pin.sha256 == "" or file_hash(path) != pin.sha256:
        raise _changed(path, "was changed")
    return replace(pin, mtime_ns=mtime_ns)


def _outcome(path: Path, pin: Pin) -> str:
    try:
        found = file_hash(path)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return found if found == pin.sha256 else f"has SHA-256 {found[:12]}…"


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise _changed(path, f"cannot be read: {error.strerror}") from error
    return found.st_size, found.st_mtime_ns


def _changed(path: Path, what: str) -> CorruptError:
    return CorruptError(f"the file {path}, which the dataset refers to, {what}", hint=_HINT)
