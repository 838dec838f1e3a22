"""The code in the pages about using burnish does what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from burnish.cli import main


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_page_on_patches_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = root / "docs/patches.md"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BURNISH_USER", "ann")
    names: dict[str, object] = {}
    for code in blocks(page, "python"):
        exec(code, names)
    written = re.sub(r', "time": "[^"]*"', "", Path("fix.jsonl").read_text())
    assert blocks(page, "json")[0] in written
    for line in re.findall("^burnish .*", page.read_text(), re.MULTILINE)[:4]:
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
