"""Print the figures: ``python benchmarks/run.py [name …] [--quick]``; without names, all of them.

Each figure measures burnish and its peers in one run, on data made here. Nothing fails on a slow
machine: compare the medians and the ratios.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from shared import machine

HERE = Path(__file__).parent
FIGURES = {
    "import": "what `import burnish` adds to an interpreter",
    "create": "a store from 1 M rows, beside Parquet",
    "versions": "commits, old versions and diffs on 1 M rows, beside Lance, Delta, DVC and Parquet",
    "label_issues": "label issues and their update after an edit, beside cleanlab",
    "near_duplicates": "near-duplicates of 25 k, 50 k and 100 k short texts, beside brute force",
    "neighbours": "the graph of neighbours and the value of rows, beside scikit-learn, pynndescent "
    "and cleanlab",
    "first_paint": "a map of 100 k and 1 M points in JupyterLab, beside jupyter-scatter",
}


def main() -> int:
    listed = "\n".join(f"  {name:15} {what}" for name, what in FIGURES.items())
    parser = argparse.ArgumentParser(
        description=f"Print the figures:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", choices=[[], *FIGURES])
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    args = parser.parse_args()
    print(machine(), flush=True)
    options = ["--quick"] if args.quick else []
    return max(_run(name, options) for name in args.names or FIGURES)


def _run(name: str, options: list[str]) -> int:
    print(f"\n{name}: {FIGURES[name]}", flush=True)
    return subprocess.run([sys.executable, HERE / f"{name}.py", *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
