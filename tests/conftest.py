"""What every test may use: where the repository is, a Chromium, one Hypothesis profile."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium, named by BURNISH_CHROMIUM or found on the PATH."""
    names = [os.environ.get("BURNISH_CHROMIUM") or "", *BROWSERS]
    found = next(filter(None, map(shutil.which, filter(None, names))), None)
    if found is None:
        pytest.fail(
            "no Chromium found. Hint: install the system's package, or set BURNISH_CHROMIUM"
        )
    return found
