"""From running a cell to the first painted frame, in a real JupyterLab and headless Chromium.

Each repeat has a page and a kernel of its own. Rows, dataset and imports are made in a first cell
that is not timed; the second cell makes the widget. The page looks at every canvas of the cell's
output once a frame; a map counts as painted when a hundredth of a canvas is coloured. Bytes over
the websocket are counted in a further run that is not timed. ``--shots FOLDER`` keeps what the
detector saw.
"""

from __future__ import annotations

import argparse
import base64
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from shared import interleaved, megabytes, scratch, show

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "e2e"))
SECONDS = 120

DATA = """
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
label = rng.integers(0, 10, {points})
angle = label * 2 * np.pi / 10
frame = pd.DataFrame({{
    "id": np.arange({points}),
    "x": np.cos(angle) + rng.normal(0, 0.22, {points}),
    "y": np.sin(angle) + rng.normal(0, 0.22, {points}),
    "label": np.array([f"class {{i}}" for i in range(10)])[label],
}})
"""
WIDGETS = {
    "burnish": (
        """
import burnish as bn
ds = bn.create(None, frame, key="id", label="label", embedding=["x", "y"])
bn.EmbeddingMap
""",
        "bn.EmbeddingMap(ds)",
    ),
    "jupyter-scatter": (
        """
import jscatter
frame["label"] = frame["label"].astype("category")
""",
        'jscatter.Scatter("x", "y", data=frame, color_by="label", height=480).show()',
    ),
}

WATCH = """async ({cell, seconds, keep}) => {
  const scratch = Object.assign(document.createElement('canvas'), {width: 96, height: 96});
  const pen = scratch.getContext('2d', {willReadFrequently: true});
  const area = scratch.width * scratch.height;
  const isPainted = (canvas) => {
    if (!canvas.width || !canvas.height) return false;
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, scratch.width, scratch.height);
    pen.drawImage(canvas, 0, 0, scratch.width, scratch.height);
    const pixels = pen.getImageData(0, 0, scratch.width, scratch.height).data;
    let coloured = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      const [r, g, b] = pixels.subarray(i, i + 3);
      if (Math.max(r, g, b) - Math.min(r, g, b) > 24) coloured++;
    }
    return coloured > area / 100;
  };
  const output = document.querySelectorAll('.jp-Notebook .jp-Cell')[cell]
    .querySelector('.jp-OutputArea');
  const panel = [...jupyterapp.shell.widgets('main')].find((w) => w.sessionContext);
  panel.content.activeCellIndex = cell;
  const afterPaint = () => new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    channel.port2.postMessage(0);
  });
  const start = performance.now();
  jupyterapp.commands.execute('notebook:run-cell');
  for (;;) {
    const now = await new Promise(requestAnimationFrame);
    const found = [...output.querySelectorAll('canvas')].find(isPainted);
    if (found) {
      const end = await afterPaint();
      return {seconds: (end - start) / 1000, picture: keep ? found.toDataURL() : null};
    }
    if (now - start > 1000 * seconds) throw new Error('nothing was painted: ' + output.innerText);
  }
}"""


@dataclass
class Counting:
    """A browser whose pages count what arrives over their websockets."""

    browser: Any
    received: int = field(default=0)

    def new_context(self, **options: Any) -> Any:
        context = self.browser.new_context(**options)
        context.on("page", lambda page: page.on("websocket", self._listen))
        return context

    def _listen(self, socket: Any) -> None:
        socket.on("framereceived", self._count)

    def _count(self, payload: str | bytes) -> None:
        self.received += len(payload.encode() if isinstance(payload, str) else payload)


@dataclass(frozen=True)
class Stage:
    """Where the widgets are shown."""

    lab: Any
    browser: Any
    shots: Path | None

    def first_paint(self, name: str, points: int, browser: Any = None) -> float:
        """Return the seconds from running the cell to the first painted frame."""
        from lab import open_notebook

        setup, cell = WIDGETS[name]
        cells = [DATA.format(points=points) + setup, cell]
        with open_notebook(self.lab, browser or self.browser, cells) as notebook:
            notebook.run(0)
            if browser:
                browser.received = 0
            options = {"cell": 1, "seconds": SECONDS, "keep": self.shots is not None}
            seen = notebook.page.evaluate(WATCH, options)
            if self.shots:
                self._keep(f"{name}-{points}", seen["picture"], notebook.page)
            if browser:
                notebook.page.wait_for_timeout(1000)
            assert not notebook.errors, notebook.errors
        return float(seen["seconds"])

    def received(self, name: str, points: int) -> int:
        """Return the bytes that the page got over its websockets, until a second after."""
        counting = Counting(self.browser)
        self.first_paint(name, points, counting)
        return counting.received

    def _keep(self, name: str, picture: str, page: Any) -> None:
        assert self.shots
        self.shots.mkdir(parents=True, exist_ok=True)
        data = base64.b64decode(picture.partition(",")[2])
        (self.shots / f"{name}.canvas.png").write_bytes(data)
        page.screenshot(path=self.shots / f"{name}.page.png")


def measure(stage: Stage, points: int, repeats: int) -> None:
    acts: dict[str, Callable[[], float]] = {
        name: partial(stage.first_paint, name, points) for name in WIDGETS
    }
    took = interleaved(acts, repeats)
    notes = {name: f"{megabytes(stage.received(name, points))} received" for name in WIDGETS}
    print(f"  {points:,} points, {repeats} repeats, load {os.getloadavg()[0]:.1f}")
    show(took, ours="burnish", notes=notes)
    faster = median(took["jupyter-scatter"]) / median(took["burnish"])
    print(f"  burnish is {faster:.2f} × as fast as jupyter-scatter", flush=True)


def chromium() -> str:
    done = subprocess.run([ROOT / ".ci" / "chromium"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main() -> None:
    from lab import running_browser, running_lab

    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--shots", type=Path)
    args = parser.parse_args()
    sizes, repeats = ([20_000], 1) if args.quick else ([100_000, 1_000_000], 5)
    with (
        scratch() as folder,
        running_lab(folder) as lab,
        running_browser(chromium()) as browser,
    ):
        for points in sizes:
            measure(Stage(lab, browser, args.shots), points, repeats)


if __name__ == "__main__":
    main()
