"""A disk that is full takes nothing, says so, and leaves the store as it was."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import burnish as bn
from burnish.dataset import Dataset
from burnish.errors import WriteError

ROWS = 20_000
NOISE = np.random.default_rng(0).integers(0, 1 << 60, ROWS)
Full = Callable[[], AbstractContextManager[None]]


def frame(rows: int = ROWS, start: int = 0) -> dict[str, Any]:
    return {"id": np.arange(start, start + rows), "n": np.zeros(rows, np.int64)}


@contextlib.contextmanager
def no_file_may_grow() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture(params=["limit", "tmpfs"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Full]]:
    """Give a folder, and a way to let its disk be full for a while."""
    if request.param == "limit":
        yield tmp_path, no_file_may_grow
        return
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield disk, lambda: filled(disk)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


ACTS: dict[str, Callable[[Dataset], object]] = {
    "edit": lambda ds: ds.set(np.arange(ROWS), "n", NOISE),
    "commit": lambda ds: ds.commit("much"),
    "add": lambda ds: ds.add(frame(9000, -9000)),
    "add a column": lambda ds: ds.add_column("x", NOISE / 3),
    "cast": lambda ds: ds.cast_column("n", "float64"),
    "rebase": lambda ds: ds.rebase(frame(ROWS + 9000)),
}


@pytest.mark.parametrize("name", ACTS)
def test_what_the_disk_does_not_take_has_not_happened(place: tuple[Path, Full], name: str) -> None:
    folder, full = place
    with bn.create(folder / "x.burnish", frame(), key="id") as ds:
        if name == "commit":
            ds.set(np.arange(ROWS), "n", NOISE)
        elif name != "rebase":
            ds.set(1, "n", 5)
        before = ds.head, ds.fingerprint, len(ds.staged), ds.undo_text, len(ds.log(all=True))
        with full(), pytest.raises(WriteError, match=r"\nHint: check the disk's free space"):
            ACTS[name](ds)
        now = ds.head, ds.fingerprint, len(ds.staged), ds.undo_text, len(ds.log(all=True))
        assert (now, ds.verify()) == (before, [])
        ACTS[name](ds)
        ds.commit("now it goes")
        assert (ds.head.fingerprint, ds.verify()) == (ds.fingerprint, [])
    assert not list((folder / "x.burnish").rglob(".*"))


def test_a_full_disk_can_be_read(place: tuple[Path, Full]) -> None:
    folder, full = place
    with bn.create(folder / "x.burnish", frame(), key="id") as ds:
        ds.set(1, "n", 5)
        ds.commit("one")
    with bn.open(folder / "x.burnish") as ds, full():
        assert len(ds.fingerprint) == 64
        assert ds.at("v0").to_arrow()["n"][1].as_py() == 0
        assert ds.verify() == []
