"""The loop from a table to a curated file, on real images, in one run that ends by itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
import noisy_digits
from nbclient import NotebookClient
from nbconvert import HTMLExporter

import burnish as bn

HERE = Path(__file__).parent
OUT = Path(os.environ.get("BURNISH_DEMO_OUT", HERE.parent / "out" / "demo"))
NOTEBOOK = HERE / "01-the-loop.ipynb"


def main() -> None:
    """Run the loop and say what came of it."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    run_loop()
    say("7 read", f"{_shown(write_notebook())} is the executed notebook, for a browser")
    print("\nTo go through it yourself, with the widgets: make lab")


def run_loop() -> None:
    """Open, find, fix, commit, compare, export."""
    data = noisy_digits.load()
    estimator = noisy_digits.pipeline()
    columns = {"key": "id", "label": "label", "image": "image", "split": "split"}
    with bn.create(OUT / "digits.burnish", data.frame, **columns) as ds:
        say("1 open", f"{ds!r}; {len(data.flipped)} training labels are flipped")
        probs = bn.cross_val_probabilities(ds, estimator, cv=5, seed=0)
        issues = bn.find.label_issues(ds, probs)
        say("2 find", repr(issues))
        done = noisy_digits.review(ds, issues, data.truth)
        found = len(data.flipped & set(issues.keys))
        say("3 fix", f"{found} of {len(data.flipped)} flips found, {done.kept} flags were false")
        version = ds.commit("labels that the images contradict")
        say("4 commit", f"{version.name}: {ds.diff('v0', version)!r}")
        cmp = bn.compare(ds, "v0", version.name, estimator=estimator, slices=slices())
        say("5 compare", f"the same pipeline on both versions\n\n{cmp!r}\n")
        for flag in cmp.flags:
            print(f"  {flag.code}: {flag.text}")
        export = ds.export(OUT / "train.parquet", where="split = 'train'")
        say("6 export", f"{_shown(export.path)}, described in {_shown(export.manifest)}")


def slices() -> list[bn.Slice]:
    """Return digits that people mix up."""
    return [bn.Slice(f"digit {digit}", f"label = '{digit}'") for digit in (1, 8, 9)]


def write_notebook() -> Path:
    """Execute the notebook and write it as HTML."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        store_widget_state=False,
        resources={"metadata": {"path": str(HERE)}},
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute(env={**os.environ, "PLOTLY_RENDERER": "notebook"})
    body, _ = HTMLExporter().from_notebook_node(notebook)
    path = OUT / "the-loop.html"
    path.write_text(body, encoding="utf-8")
    return path


def say(step: str, text: str) -> None:
    """Print one step of the story."""
    print(f"{step:<10} {text}", flush=True)


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path


if __name__ == "__main__":
    main()
