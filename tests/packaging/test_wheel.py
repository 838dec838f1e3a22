"""The wheel carries its JavaScript, built where there is no Node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

SMALLEST = 10_000


def bundles(root: Path) -> set[str]:
    return {f"{path.parent.name}.js" for path in (root / "js/src/widgets").glob("*/index.ts")}


def without_node(path: str) -> str:
    """Return the folders of a PATH that hold neither node nor npm."""
    folders = path.split(os.pathsep)
    return os.pathsep.join(
        folder
        for folder in folders
        if not any(shutil.which(name, path=folder) for name in ("node", "npm"))
    )


def run(*command: str | Path, **more: object) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": without_node(os.environ["PATH"])} | dict(more.pop("env", {})),
        **more,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def built(source: Path, out: Path, kind: str, **env: str) -> Path:
    run(sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "-o", out, source, env=env)
    (found,) = out.iterdir()
    return found


@pytest.fixture(scope="module")
def clean_copy(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what a clone of the present files would hold: no bundles, no node_modules."""
    copy = tmp_path_factory.mktemp("clone") / "burnish"
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=root, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, copy / name)
    assert not list((copy / "src/burnish/static").glob("*.js"))
    return copy


@pytest.fixture(scope="module")
def sdist(clean_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(clean_copy, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["tar", "-xf", sdist, "-C", folder], check=True)
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the source distribution, where no registry answers."""
    dead = "http://127.0.0.1:9"
    return built(unpacked, tmp_path_factory.mktemp("wheel"), "wheel", npm_config_registry=dead)


def install(what: Path, folder: Path) -> Path:
    """Install into a fresh environment and return where the package lies there."""
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "-q", what)
    where = run(python, "-c", "import burnish; print(burnish.__path__[0])", cwd=folder)
    return Path(where.strip())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("fresh") / "venv")


def test_every_widget_has_its_bundle_in_the_installed_package(root: Path, installed: Path) -> None:
    names = {path.name for path in (installed / "static").glob("*.js")}
    assert names == bundles(root)
    assert len(names) >= 4


def test_the_installed_bundles_are_whole_modules(installed: Path) -> None:
    for bundle in (installed / "static").glob("*.js"):
        text = bundle.read_text()
        assert len(text) > SMALLEST, bundle.name
        assert "export{" in text, bundle.name
        assert "sourceMappingURL" not in text, bundle.name


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"burnish", f"{wheel.name[:13]}.dist-info"}
    assert "burnish/py.typed" in names
    assert not [name for name in names if name.endswith((".ts", ".tsx", ".map", ".css"))]


def test_a_changed_source_is_never_packaged_with_the_old_bundle(
    unpacked: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(unpacked, changed)
    sheet = changed / "js/src/ui/tokens.css"
    sheet.write_text(sheet.read_text() + "\n.changed-for-the-test { color: CanvasText }\n")
    wheel = built(changed, tmp_path / "wheel", "wheel")
    with zipfile.ZipFile(wheel) as archive:
        assert "changed-for-the-test" in archive.read("burnish/static/curator.js").decode()


@pytest.mark.slow
def test_pip_installs_a_clone_with_what_the_build_itself_asks_for(
    root: Path, clean_copy: Path, tmp_path: Path
) -> None:
    package = install(clean_copy, tmp_path / "venv")
    assert {path.name for path in (package / "static").glob("*.js")} == bundles(root)
