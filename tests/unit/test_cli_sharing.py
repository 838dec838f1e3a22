"""`burnish pack` and `burnish unpack`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import burnish as bn
from burnish.cli import main

FRAME = {"id": ["a", "b"], "label": ["cat", "dog"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label") as ds:
        return ds.path


def run(*words: object) -> Result:
    return CliRunner().invoke(main, list(map(str, words)), catch_exceptions=False)


def commit(path: Path, row: str, label: str) -> None:
    with bn.open(path) as ds:
        ds.relabel(row, label)
        ds.commit("x")


def test_a_store_goes_through_a_folder(path: Path, tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in path.iterdir()}
    packed = run("pack", path, tmp_path / "packed")
    assert (packed.exit_code, packed.stdout) == (0, "Packed(packed: 1 new version; main at v0)\n")
    assert {file: file.read_bytes() for file in path.iterdir()} == before
    unpacked = run("unpack", tmp_path / "packed", tmp_path / "y.burnish")
    assert (unpacked.exit_code, unpacked.stderr) == (0, "")
    assert unpacked.stdout == "Dataset(y.burnish: 2 rows, main at v0)\n"
    with bn.open(path) as old, bn.open(tmp_path / "y.burnish") as new:
        assert new.fingerprint == old.fingerprint


def test_a_branch_that_went_apart_is_named(path: Path, tmp_path: Path) -> None:
    run("pack", path, tmp_path / "packed")
    run("unpack", tmp_path / "packed", tmp_path / "y.burnish")
    commit(path, "a", "dog")
    commit(tmp_path / "y.burnish", "b", "cat")
    run("pack", path, tmp_path / "packed")
    refused = run("pack", tmp_path / "y.burnish", tmp_path / "packed")
    assert (refused.exit_code, "Hint: bring it in first" in refused.stderr) == (2, True)
    told = run("unpack", tmp_path / "packed", tmp_path / "y.burnish")
    assert told.exit_code == 0
    assert "ds.merge('packed/main') brings both together" in told.stderr


def test_a_folder_that_is_none_is_an_error_without_traceback(tmp_path: Path) -> None:
    told = run("unpack", tmp_path, tmp_path / "y")
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.startswith("Error: ")
