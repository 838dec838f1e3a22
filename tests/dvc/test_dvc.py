"""A packed dataset goes through the real DVC and git and comes back as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import burnish as bn
from burnish.dataset import Dataset
from burnish.errors import DivergedWarning
from conftest import ROOT

pytestmark = pytest.mark.slow
WHO = ("-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")


class Repository:
    """A git repository with DVC and a remote in a local folder, away from the user's settings."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "repository"
        self.remote = folder / "remote"
        self.cache = self.path / ".dvc" / "cache"
        settings = ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR")
        self._environment = {
            **os.environ,
            **{name: str(folder / name.lower()) for name in settings},
            "DVC_NO_ANALYTICS": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }
        self._dvc = os.environ.get("BURNISH_DVC") or str(ROOT / ".cache/dvc/bin/dvc")
        if shutil.which(self._dvc) is None:
            pytest.fail(f"{self._dvc} is missing. Hint: make test-dvc makes it")
        self.path.mkdir()
        self.git("init", "-q", "-b", "main")
        self.dvc("init", "-q")
        self.dvc("config", "core.analytics", "false")
        self.dvc("config", "core.check_update", "false")
        self.dvc("remote", "add", "-q", "-d", "local", str(self.remote))

    def git(self, *words: str) -> str:
        return self._run("git", *WHO, *words)

    def dvc(self, *words: str) -> str:
        return self._run(self._dvc, *words)

    def publish(self, message: str) -> str:
        """Track what is packed, push it, commit; return the commit."""
        self.dvc("add", "-q", "packed")
        self.dvc("push", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            words,
            cwd=self.path,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.fixture
def ds(tmp_path: Path) -> Dataset:
    frame = {"id": np.arange(500), "label": ["cat", "dog"] * 250, "x": np.linspace(0, 1, 500)}
    return bn.create(tmp_path / "ann.burnish", frame, key="id", label="label")


def test_a_dataset_comes_back_from_a_dvc_remote_at_any_commit(
    repository: Repository, ds: Dataset, tmp_path: Path
) -> None:
    packed = repository.path / "packed"
    prints, commits = [], []
    for change in (relabelled, with_rows, with_a_column):
        change(ds)
        ds.pack(packed)
        commits.append(repository.publish(change.__name__))
        prints.append(ds.fingerprint)
    assert repository.git("ls-files", "packed").strip() == ""
    stored = size_of(repository.remote)
    assert stored < 2 * size_of(packed)  # each file is there once, whatever was packed since

    shutil.rmtree(repository.cache)
    shutil.rmtree(packed)
    repository.dvc("pull", "-q")
    with bn.unpack(packed, tmp_path / "pulled.burnish") as pulled:
        assert (pulled.fingerprint, pulled.verify()) == (prints[-1], [])
        assert [v.id for v in pulled.log()] == [v.id for v in ds.log()]

    repository.dvc("fetch", "-q", "--all-commits")
    for commit, expected in zip(commits, prints, strict=True):
        repository.git("checkout", "-q", commit)
        repository.dvc("checkout", "-q")
        with bn.unpack(packed, tmp_path / f"{commit}.burnish") as old:
            assert (old.fingerprint, old.verify()) == (expected, [])
    assert ds.verify() == []


def test_two_people_share_a_dataset_through_a_dvc_remote(
    repository: Repository, ds: Dataset, tmp_path: Path
) -> None:
    packed = repository.path / "packed"
    ds.pack(packed)
    repository.publish("created")
    with bn.unpack(packed, tmp_path / "bob.burnish", user="bob") as bob:
        bob.relabel(3, "cat")
        bob.commit("bob's")
        bob.pack(packed)
        repository.publish("bob's")
        ds.relabel(4, "dog")
        ds.commit("ann's")
        with (
            pytest.warns(DivergedWarning),
            bn.unpack(packed, ds.path) as both,
        ):
            assert both.merge("packed/main").version is not None
        ds.pack(packed)
        repository.publish("both")
        bn.unpack(packed, bob.path).close()
        assert bob.fingerprint == ds.fingerprint


def relabelled(ds: Dataset) -> None:
    ds.relabel(list(range(0, 100, 2)), "dog", reason="looked again")
    ds.commit("labels")


def with_rows(ds: Dataset) -> None:
    ds.add({"id": [900, 800], "label": ["cat", "dog"], "x": [0.5, 0.25]})
    ds.commit("rows")
    ds.tag("with-rows")


def with_a_column(ds: Dataset) -> None:
    ds.add_column("score", np.arange(len(ds)) / 2)
    ds.drop([0, 1])
    ds.commit("a column")


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
