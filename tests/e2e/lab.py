"""A real JupyterLab and a real headless Chromium, for tests that act as a person does."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, Locator, Page, sync_playwright

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
START_SECONDS = 120
WAIT = 60_000


@dataclass(frozen=True)
class Lab:
    """A running server."""

    url: str
    folder: Path


@contextlib.contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """Start a server on a free port of the loopback, with settings of its own."""
    work = folder / "work"
    work.mkdir()
    log = folder / "lab.log"
    env = {**os.environ, **_private_folders(folder)}
    with log.open("w") as out:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                "--ip=127.0.0.1",
                "--port=0",
                "--ServerApp.port_retries=0",
                "--IdentityProvider.token=",
                "--ServerApp.password=",
                "--ServerApp.disable_check_xsrf=True",
                "--LabApp.expose_app_in_browser=True",
                "--LabApp.news_url=None",
                f"--ServerApp.root_dir={work}",
            ],
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Lab(_address(server, log), work)
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        if server.poll() is None:
            server.kill()


@contextlib.contextmanager
def running_browser(chromium: str) -> Iterator[Browser]:
    """Start a headless Chromium with WebGL in software."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=list(CHROMIUM_FLAGS), headless=True
        )
        yield browser
        browser.close()


@dataclass(frozen=True)
class Notebook:
    """A notebook that is open in a page."""

    page: Page
    errors: list[str]

    def run(self, cell: int) -> None:
        """Run a cell and wait until it has ended."""
        self.page.evaluate(_RUN, cell)
        failed = self.outputs(cell).locator(".jp-RenderedText[data-mime-type*=stderr]")
        text = failed.first.text_content() if failed.count() else ""
        assert not (text and "Traceback" in text), text

    def outputs(self, cell: int) -> Locator:
        """Return where a cell shows its results."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-OutputArea")

    def python(self, expression: str) -> Any:
        """Return what an expression gives in the kernel, as JSON."""
        code = f"import json as _j; print('§' + _j.dumps({expression}) + '§')"
        text = self.page.evaluate(_EVALUATE, code)
        found = re.search("§(.*)§", text, re.S)
        assert found, f"{expression} gave {text}"
        return json.loads(found[1])


@contextlib.contextmanager
def open_notebook(
    lab: Lab, browser: Browser, cells: list[str], *, dark: bool = False, width: int = 1360
) -> Iterator[Notebook]:
    """Open a notebook of these cells in a page of its own."""
    name = f"{uuid.uuid4().hex[:8]}.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / name)
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(WAIT)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{lab.url}/lab/workspaces/{uuid.uuid4().hex[:8]}/tree/{name}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=WAIT)
    page.evaluate(_READY)
    if dark:
        page.evaluate(_DARK)
        page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
    page.evaluate(_QUIET)
    yield Notebook(page, errors)
    page.evaluate(_SHUTDOWN)
    context.close()


def _private_folders(folder: Path) -> dict[str, str]:
    names = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    for name in names.values():
        (folder / name).mkdir()
    page_config = folder / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir()
    page_config.write_text(
        json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
    )
    return {variable: str(folder / name) for variable, name in names.items()}


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()[-2000:]
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", log.read_text())
        if found and found[1] != "0":
            url = f"http://127.0.0.1:{found[1]}"
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/api/status", timeout=5).read()
                return url
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


_PANEL = """
  const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.sessionContext);
"""
_READY = f"async () => {{ {_PANEL} await panel.context.ready; await panel.sessionContext.ready; }}"
_DARK = """() => window.jupyterapp.commands.execute(
  'apputils:change-theme', {theme: 'JupyterLab Dark'})"""
_QUIET = """async () => {
  const app = window.jupyterapp;
  if (!app.shell.leftCollapsed) await app.commands.execute('application:toggle-left-area');
}"""
_RUN = f"""async (cell) => {{
  {_PANEL}
  panel.content.activeCellIndex = cell;
  await window.jupyterapp.commands.execute('notebook:run-cell');
}}"""
_EVALUATE = f"""async (code) => {{
  {_PANEL}
  const future = panel.sessionContext.session.kernel.requestExecute({{code, store_history: false}});
  let out = '';
  future.onIOPub = (message) => {{
    if (message.header.msg_type === 'stream') out += message.content.text;
    if (message.header.msg_type === 'error') out += message.content.traceback.join('\\n');
  }};
  await future.done;
  return out;
}}"""
_SHUTDOWN = f"async () => {{ {_PANEL} await panel.sessionContext.shutdown(); }}"
