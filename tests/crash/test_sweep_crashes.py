"""A sweep or a purge that is killed leaves the old store or the new one, and nothing between."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import burnish as bn
from burnish.dataset import Dataset

WORKER = Path(__file__).with_name("instants.py")
PURGED = ("person-4711", "person-4712")
SECRET = "secret-Nebukadnezar"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a store with a version that nothing leads to, and with a secret in many places."""
    frame = {"id": ["a", PURGED[0], "c"], "name": ["Anna", SECRET, "Carl"], "n": [1, 2, 3]}
    with bn.create(tmp_path / "x.burnish", frame, key="id") as ds:
        ds.set(PURGED[0], "name", SECRET + "!", reason=SECRET)
        ds.commit("a name")
        ds.add({"id": [PURGED[1], "e"], "name": [SECRET, "Emil"], "n": [4, 5]})
        ds.add_column("m", {PURGED[1]: SECRET, "a": "fine"})
        ds.commit("rows and a column")
        ds.branch("side")
        ds.switch("side")
        ds.add({"id": ["f"], "name": ["Fritz"], "n": [6]})
        ds.add_column("k", [1, 2, 3, 4, 5, 6])
        ds.commit("more")
        ds.switch("main")
        ds.delete_branch("side")
        for version in ds.log():
            ds.at(version).fingerprint  # noqa: B018 keeps the sums
        with bn.open(ds.path, user="bob") as bob:
            bob.set([PURGED[0], "c"], "name", [SECRET, "Karl"])
        return ds.path


def stores(act: str, path: Path, stride: int) -> Iterator[tuple[str, Path]]:
    """Kill an act at each of its steps; yield how it ended and the store it left."""
    command = [sys.executable, "-W", "ignore", str(WORKER), act, str(path), str(stride)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            word, left = line.strip().split(maxsplit=1)
            yield word, Path(left)
            shutil.rmtree(left)
    assert process.returncode == 0


def content(ds: Dataset) -> dict[str, object]:
    return {
        version.id: [
            row for row in ds.at(version).to_arrow().to_pylist() if row["id"] not in PURGED
        ]
        for version in ds.log()
    }


def secret_in(path: Path) -> bool:
    """Whether a file holds the secret; what is compressed in the store's own file is not seen."""
    files = (file for file in path.rglob("*") if file.is_file())
    return any(SECRET.encode() in file.read_bytes() for file in files)


def check_sweeps(path: Path, stride: int) -> int:
    with bn.open(path) as ds:
        before, prints = content(ds), [version.fingerprint for version in ds.log()]
    deaths = 0
    for word, left in stores("sweep", path, stride):
        deaths += word == "killed"
        with bn.open(left) as ds:
            assert ds.verify() == []
            assert content(ds) == before
            assert [version.fingerprint for version in ds.log()] == prints
            assert ds.gc().versions == () or word == "killed"
            assert ds.verify() == []
            assert not ds.gc()
    return deaths


def check_purges(path: Path, stride: int) -> int:
    with bn.open(path) as ds:
        before, ids = content(ds), [version.id for version in ds.log()]
        keys = ds.keys.tolist()
    ended = []
    for word, left in stores("purge", path, stride):
        with bn.open(left) as ds:
            assert ds.verify() == []
            assert content(ds) == before
            assert [version.id for version in ds.log()] == ids
            done = len(ds.purges) == 1
            assert ds.keys.tolist() == ([k for k in keys if k not in PURGED] if done else keys)
            assert secret_in(left) is not done
            assert (left / "base.arrow").exists() is not done
            assert done or word == "killed"
            ended.append((word, done))
            with bn.open(left, user="bob") as bob:
                assert len(bob.staged) == 2 - done
    assert ("killed", False) in ended
    assert ("killed", True) in ended  # it was finished by the next to open
    return len(ended)


@pytest.mark.timeout(300)
def test_a_sweep_that_is_killed_takes_nothing_that_is_needed(path: Path) -> None:
    assert check_sweeps(path, stride=7) > 5


@pytest.mark.timeout(300)
def test_a_purge_that_is_killed_is_done_or_was_never_begun(path: Path) -> None:
    assert check_purges(path, stride=9) > 5


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_sweep_that_is_killed_at_any_step_takes_nothing_that_is_needed(path: Path) -> None:
    check_sweeps(path, stride=1)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_purge_that_is_killed_at_any_step_is_done_or_was_never_begun(path: Path) -> None:
    check_purges(path, stride=1)
