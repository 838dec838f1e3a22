"""Measure one system in a process of its own and print what was found as JSON."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from shared import scratch, table

from systems.base import Editor, System, Timed

APART = 10
CHECKED = 3
MERGED, LARGE = 10_000, 100_000
OPTIONAL = ("blame", "merge")
SYSTEMS = {"burnish": "Burnish", "lance": "Lance", "delta": "Delta", "dvc": "Dvc"}
SYSTEMS |= {"parquet": "Parquet"}


def system(name: str, folder: Path) -> System:
    made: System = getattr(import_module(f"systems.{name}"), SYSTEMS[name])(folder)
    return made


def clock(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


class Measuring:
    """All figures of one system, in an order in which none disturbs those after it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.table = pa.ipc.open_file(pa.memory_map(str(args.table))).read_all()
        self.system = system(args.name, args.folder)
        self.commits = min(args.commits, self.system.most_commits)
        self.repeats = min(args.repeats, self.system.repeats)
        self.editor = Editor(self.table)
        self.rng = np.random.default_rng(2)
        self.found: dict[str, Any] = {"versions": self.commits, "why": {}}

    def all(self) -> dict[str, Any]:
        self.found["create"] = [clock(lambda: self.system.create(self.table))]
        before = self._closed_size()
        self._commit("commit", self.editor, self.commits)
        self.found["bytes"] = (self._closed_size() - before) / self.commits
        self._check()
        for name in ("labels", "cold", "diff", "blame", "memory", "merge", "large"):
            if hasattr(self.system, name) or name not in OPTIONAL:
                with self._excused(name):
                    getattr(self, f"_{name}")()
        self.system.close()
        return self.found

    def _closed_size(self) -> int:
        self.system.close()
        size = self.system.size()
        self.system.open()
        return size

    def _commit(self, figure: str, editor: Editor, times: int, *size: int) -> None:
        calls = (self.system.commit(editor.draw(*size)) for _ in range(times))
        self._timed(figure, calls)

    def _timed(self, figure: str, calls: Iterator[Timed]) -> None:
        staged, acted = [], []
        for call in calls:
            staged.append(clock(call.before))
            acted.append(clock(call.act))
        self.found[figure] = acted
        self.found[f"{figure}, staging"] = [a + b for a, b in zip(staged, acted, strict=True)]

    def _check(self) -> None:
        labels = self.system.labels(min(CHECKED, self.commits))
        counts = labels.value_counts().to_pylist()
        self.found["check"] = {row["values"]: row["counts"] for row in counts}

    def _some(self) -> int:
        return int(self.rng.integers(1, self.commits + 1))

    def _labels(self) -> None:
        self.found["labels"] = [
            clock(lambda: self.system.labels(self._some())) for _ in range(self.repeats)
        ]

    def _cold(self) -> None:
        self.system.close()
        times = min(self.repeats, self.args.processes)
        self.found["cold"] = [self._process("cold")["seconds"] for _ in range(times)]
        self.system.open()

    def _diff(self) -> None:
        apart = min(APART, self.commits - 1)
        starts = self.rng.integers(1, self.commits - apart + 1, self.repeats).tolist()
        self.found["diff"] = [clock(lambda o=o: self.system.diff(o, o + apart)) for o in starts]

    def _blame(self) -> None:
        blame: Any = self.system.blame  # type: ignore[attr-defined]
        self.found["blame"] = [clock(blame) for _ in range(self.repeats)]

    def _memory(self) -> None:
        self.system.close()
        runs = [self._process("memory") for _ in range(3)]
        self.found["memory"] = [run["times"] for run in runs]
        self.found["memory, resident"] = [run["resident"] for run in runs]
        self.system.open()

    def _merge(self) -> None:
        size = min(MERGED, len(self.table) // 4)
        for figure, name in (("merge", "merge_only"), ("merge, committed", "merge")):
            call: Any = getattr(self.system, name)
            self._timed(figure, (call(self.editor, turn, size) for turn in range(self.repeats)))

    def _large(self) -> None:
        size = min(LARGE, len(self.table) // 4)
        self._commit("large", self.editor, min(5, self.repeats), size, 0)

    def _process(self, what: str) -> dict[str, float]:
        words = [sys.executable, "-m", "systems.work", self.args.name, str(self.args.folder)]
        words += [f"--{what}", str(self._some())]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        read: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return read

    @contextmanager
    def _excused(self, figure: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.found["why"][figure] = reason(error)


def reason(error: Exception) -> str:
    """Return the first line of an error."""
    return f"{error}".strip().splitlines()[0][:120] if f"{error}".strip() else repr(error)


def cold(name: str, folder: Path, version: int) -> dict[str, float]:
    """Return the seconds of opening and reading the labels, the system's code being loaded."""
    warm(name)
    made = system(name, folder)
    return {"seconds": clock(lambda: (made.open(), made.labels(version)))}


def memory(name: str, folder: Path, version: int) -> dict[str, float]:
    """Return the peaks of memory while label and text are read, by the bytes of these.

    ``times`` is what the process allocates. ``resident`` counts pages of mapped files too, which
    are the system's own copy of the file and are given up when it needs them.
    """
    warm(name)
    made = system(name, folder)
    made.open()
    before = {field: _resident(field) for field in ("RssAnon", "VmRSS")}
    Path("/proc/self/clear_refs").write_text("5")
    with peak("RssAnon") as allocated:
        rows = made.read(version, ["label", "text"])
    return {
        "times": (max(allocated) - before["RssAnon"]) / rows.nbytes,
        "resident": (_resident("VmHWM") - before["VmRSS"]) / rows.nbytes,
    }


@contextmanager
def peak(field: str) -> Iterator[list[int]]:
    """Give a list that is filled with the process's memory, again and again until the end."""
    found, done = [_resident(field)], threading.Event()

    def watch() -> None:
        while not done.wait(0.0005):
            found.append(_resident(field))

    thread = threading.Thread(target=watch)
    thread.start()
    yield found
    done.set()
    thread.join()
    found.append(_resident(field))


def warm(name: str) -> None:
    """Load what a system imports when it is first used."""
    with scratch() as folder:
        made = system(name, folder / "warm")
        made.create(table(100))
        made.read(0, ["label", "text"])
        made.close()


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=SYSTEMS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--table", type=Path)
    for number in ("commits", "repeats", "processes", "cold", "memory"):
        parser.add_argument(f"--{number}", type=int)
    args = parser.parse_args()
    try:
        if args.cold:
            found: dict[str, Any] = cold(args.name, args.folder, args.cold)
        elif args.memory:
            found = memory(args.name, args.folder, args.memory)
        else:
            found = Measuring(args).all()
    except Exception as error:
        found = {"not run": reason(error)}
        if args.cold or args.memory:
            raise
    print(json.dumps(found))


if __name__ == "__main__":
    main()
