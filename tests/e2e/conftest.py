"""One server and one browser for all end-to-end tests; screenshots go to out/e2e."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from e2e.lab import Lab, Notebook, open_notebook, running_browser, running_lab

expect.set_options(timeout=20_000)
Open = Callable[..., AbstractContextManager[Notebook]]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a running JupyterLab."""
    with running_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Return a running Chromium."""
    with running_browser(chromium) as running:
        yield running


@pytest.fixture
def notebook(lab: Lab, browser: Browser) -> Open:
    """Return a function that opens a notebook of some cells."""

    def start(cells: list[str], **options: Any) -> AbstractContextManager[Notebook]:
        return open_notebook(lab, browser, cells, **options)

    return start


@pytest.fixture(scope="session")
def shots(root: Path) -> Path:
    """Return the folder of the screenshots."""
    folder = root / "out" / "e2e"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
