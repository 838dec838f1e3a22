"""A packed folder in plain git: what two people push merges file by file."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import burnish as bn
from burnish.errors import DivergedWarning

FRAME = {"id": ["a", "b", "c"], "label": ["cat", "dog", "cat"]}
WHO = ("-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str, code: int = 0) -> str:
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *WHO, *words],
        cwd=folder,
        env=os.environ | alone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done.stdout


def publish(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def test_git_merges_packed_folders_but_for_a_branch_that_went_apart(tmp_path: Path) -> None:
    ann_git, bob_git = tmp_path / "ann", tmp_path / "bob"
    ann_git.mkdir()
    git(ann_git, "init", "-q", "-b", "main")
    with bn.create(tmp_path / "ann.burnish", FRAME, key="id", label="label") as ann:
        ann.pack(ann_git / "packed")
        publish(ann_git, "created")
        git(tmp_path, "clone", "-q", str(ann_git), str(bob_git))
        with bn.unpack(bob_git / "packed", tmp_path / "bob.burnish", user="bob") as bob:
            bob.add({"id": ["d", "e"], "label": ["cat", "dog"]})
            bob.commit("bob's rows")
            bob.branch("bob")
            bob.pack(bob_git / "packed")
            publish(bob_git, "bob's")
            ann.add({"id": ["e", "f"], "label": ["dog", "dog"]})
            ann.relabel("b", "cat")
            ann.commit("ann's rows")
            ann.pack(ann_git / "packed")
            publish(ann_git, "ann's")

            git(ann_git, "pull", "-q", "--no-rebase", str(bob_git), "main", code=1)
            apart = git(ann_git, "diff", "--name-only", "--diff-filter=U").split()
            assert apart == ["packed/refs/branch/main"]
            git(ann_git, "checkout", "-q", "--theirs", *apart)
            with pytest.warns(DivergedWarning, match=r"ds\.merge\('packed/main'\)"):
                both = bn.unpack(ann_git / "packed", ann.path)
            with both:
                assert both.merge("packed/main").version is not None
                both.pack(ann_git / "packed")
            publish(ann_git, "both")

            git(bob_git, "pull", "-q", "--no-rebase", str(ann_git), "main")
            bn.unpack(bob_git / "packed", bob.path).close()
            assert bob.fingerprint == ann.fingerprint
            assert sorted(bob.keys) == ["a", "b", "c", "d", "e", "f"]
            assert bob.verify() == ann.verify() == []
