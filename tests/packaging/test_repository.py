"""What is committed names no machine and no registry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

HOMES = re.compile(r"(?<![\w.~}-])/(?:home|root|Users|work|tmp|mnt|opt)/[\w.-]+|\b[A-Z]:\\\\?Users")
ADDRESS = re.compile(r"https?://|git\+|file:|\"resolved\"|--(?:extra-)?index-url|--find-links")


def committed(root: Path) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git clone")
    return [path for name in listed.stdout.split("\0") if name and (path := root / name).is_file()]


def hits(path: Path, pattern: re.Pattern[str]) -> list[str]:
    text = path.read_bytes().decode("utf-8", errors="replace")
    return [f"{path.name}: {found[0]}" for found in pattern.finditer(text)]


def test_no_file_names_a_path_of_one_machine(root: Path) -> None:
    texts = (path for path in committed(root) if path.suffix not in {".png", ".npz", ".parquet"})
    assert [hit for path in texts for hit in hits(path, HOMES)] == []


def test_the_locks_name_packages_and_no_addresses(root: Path) -> None:
    locks = sorted((root / "requirements").glob("*.txt"))
    assert len(locks) >= 2
    assert [hit for path in locks for hit in hits(path, ADDRESS)] == []


def test_the_front_end_lock_names_no_registry(root: Path) -> None:
    assert '"resolved"' not in (root / "js/package-lock.json").read_text()


@pytest.mark.parametrize(
    "path", ["/ho" + "me/ada/x", "open('/ro" + "ot/y')", "C:\\" + "Users\\ada"]
)
def test_the_search_for_machine_paths_finds_one(path: str) -> None:
    assert HOMES.search(path)
