"""Versions of a table: burnish beside Lance, Delta, DVC with git, and a rewrite as Parquet.

Each system runs in a process of its own, one after the other, on the same table and the same
edits; a system that is missing or fails says why in its place. ``--rows``, ``--commits`` and
``--only`` make a small run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
from shared import MILLION, duration, megabytes, scratch, seconds, table

HERE = Path(__file__).parent
TITLES = {
    "burnish": "burnish",
    "lance": "Lance",
    "delta": "Delta",
    "dvc": "DVC + git",
    "parquet": "Parquet",
}
HOURS = 1


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    title: str
    target: float | None = None
    kind: str = "seconds"


FIGURES = [
    Figure("create", "create"),
    Figure("commit", "commit of 500 + 100", 0.003),
    Figure("commit, staging", "… and its edits"),
    Figure("bytes", "bytes a commit", 8_000, "bytes"),
    Figure("labels", "labels, any version", 0.020),
    Figure("cold", "… new process", 0.020),
    Figure("diff", "diff, 10 commits", 0.005),
    Figure("blame", "blame, whole column", 0.005),
    Figure("merge", "merge 10 k × 10 k", 0.010),
    Figure("merge, committed", "… and its commit"),
    Figure("large", "commit of 100 k", 0.250),
    Figure("large, staging", "… and its edits"),
    Figure("memory", "checkout, × columns", 1.5, "times"),
    Figure("memory, resident", "… with mapped pages", kind="times"),
]


def main() -> None:
    args = arguments()
    with scratch() as folder:
        path = folder / "table.arrow"
        write(table(args.rows), path)
        chosen = [name for name in TITLES if name in args.only]
        found = {name: measured(name, folder, path, args) for name in chosen}
        floor = median(durable(folder) for _ in range(20))
    show(found, floor, args)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--commits", type=int, help="burnish's; the others make 20 at most")
    parser.add_argument("--only", nargs="+", choices=TITLES, default=list(TITLES))
    args = parser.parse_args()
    args.rows = args.rows or (20_000 if args.quick else MILLION)
    args.commits = args.commits or (12 if args.quick else 1_000)
    args.repeats, args.processes = (3, 2) if args.quick else (20, 10)
    return args


def write(rows: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)


def measured(name: str, folder: Path, path: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Run one system and return its figures, or why there are none."""
    place = folder / name
    words = [sys.executable, "-m", "systems.work", name, str(place), "--table", str(path)]
    for option in ("commits", "repeats", "processes"):
        words += [f"--{option}", str(getattr(args, option))]
    try:
        done = subprocess.run(
            words, cwd=HERE, capture_output=True, text=True, timeout=3600 * HOURS, check=False
        )
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        found = {"not run": f"took longer than {HOURS} h"}
    except (IndexError, ValueError):
        found = {"not run": (done.stderr.strip().splitlines() or ["said nothing"])[-1]}
    shutil.rmtree(place, ignore_errors=True)
    return found


def durable(folder: Path) -> float:
    """Time a durable write of one page, the floor under every commit."""
    with (folder / "page").open("ab") as file:
        file.write(bytes(4096))
        file.flush()
        return seconds(lambda: os.fsync(file.fileno()))


def show(found: dict[str, dict[str, Any]], floor: float, args: argparse.Namespace) -> None:
    ran = {name: figures for name, figures in found.items() if "not run" not in figures}
    ours = ran.get("burnish", {})
    versions = ", ".join(f"{TITLES[name]} {figures['versions']:,}" for name, figures in ran.items())
    print(f"  {args.rows:,} rows; versions: {versions}; a durable page {duration(floor).strip()}")
    print("  medians; in brackets burnish ÷ that system; - where there is no such thing")
    columns = [[""] + [figure.title for figure in FIGURES]]
    columns += [[TITLES[name], *_cells(figures, ours)] for name, figures in ran.items()]
    columns.append(["target", *[_target(figure, ours) for figure in FIGURES]])
    print("\n".join(_lines(columns)))
    for name, why in _reasons(found, ours):
        print(f"  {TITLES[name]}: {why}")


def _cells(figures: dict[str, Any], ours: dict[str, Any]) -> Iterable[str]:
    for figure in FIGURES:
        value, base = value_of(figures, figure), value_of(ours, figure)
        if value is None:
            yield "-"
        elif base is None or figures is ours:
            yield text(value, figure.kind)
        else:
            yield f"{text(value, figure.kind)} ({base / value:.2g})"


def _target(figure: Figure, ours: dict[str, Any]) -> str:
    if figure.target is None:
        return ""
    value = value_of(ours, figure)
    met = "" if value is None else ", met" if value <= figure.target else ", missed"
    return f"≤ {text(figure.target, figure.kind)}{met}"


def value_of(figures: dict[str, Any], figure: Figure) -> float | None:
    value = figures.get(figure.name)
    return median(value) if isinstance(value, list) else value


def text(value: float, kind: str) -> str:
    if kind == "bytes":
        return megabytes(value)
    return f"{value:.2f}" if kind == "times" else duration(value).strip()


def _lines(columns: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in columns]
    for row in zip(*columns, strict=True):
        yield "  " + "  ".join(f"{cell:{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()


def _reasons(found: dict[str, dict[str, Any]], ours: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, figures in found.items():
        if "not run" in figures:
            yield name, f"not run: {figures['not run']}"
        elif ours and figures["check"] != ours["check"]:
            yield name, "holds other labels than burnish after the same edits"
        for figure, why in figures.get("why", {}).items():
            yield name, f"{figure} not run: {why}"


if __name__ == "__main__":
    main()
