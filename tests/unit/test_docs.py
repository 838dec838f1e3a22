"""The code in the pages about using burnish does what they say."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import burnish as bn
from analysis_laws import LAWS
from burnish.cli import main
from burnish.find import _pages
from burnish.find._registry import Analysis, analyses, modules


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


@pytest.fixture(scope="module")
def taught(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """The analysis of the page on adding one, in a package of its own."""
    folder = tmp_path_factory.mktemp("taught") / "taught_find"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (code,) = blocks(root / "docs/adding-an-analysis.md", "python")
    (folder / "short_texts.py").write_text(code)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder.parent))
        yield analyses(modules(importlib.import_module("taught_find")))[0]
        patch.delitem(sys.modules, "taught_find.short_texts")


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_analysis_that_the_page_teaches_keeps_every_law(taught: Analysis, law) -> None:
    law(taught)


def test_the_analysis_that_the_page_teaches_has_an_example_that_runs(
    taught: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bn.find, taught.name, taught.function, raising=False)
    done = doctest.testmod(sys.modules[taught.function.__module__])
    assert (done.attempted, done.failed) == (4, 0)
    assert taught.code in _pages.page(taught)


def test_the_pages_on_analyses_are_current(root: Path) -> None:
    assert _pages.main([str(root / "docs/analyses"), "--check"]) == 0


def test_a_page_that_is_outdated_missing_or_left_over_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "analyses"
    assert _pages.main([str(folder)]) == 0
    assert _pages.main([str(folder), "--check"]) == 0
    (folder / "README.md").write_text("old")
    (folder / "label-issue.md").unlink()
    (folder / "gone.md").touch()
    assert _pages.main([str(folder), "--check"]) == 1
    shown = capsys.readouterr().out
    assert all(
        name in shown for name in ("README.md", "label-issue.md", "gone.md", "make analyses")
    )
    assert _pages.main([str(folder)]) == 0
    assert _pages.main([str(folder), "--check"]) == 0
