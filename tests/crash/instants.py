"""Runs an act on copies of a store and kills it: before its first step, its second, and so on.

A step is a SQL statement, or an act on a file of the store. Says ``killed FOLDER`` for each, and
``done FOLDER`` when the act came to its end.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import burnish as bn
from burnish.store import sqlite_file

FILES = {"open", "os.remove", "os.rename", "os.link", "os.utime", "os.listdir", "os.scandir"}


def sweep(path: Path) -> None:
    with bn.open(path) as ds:
        ds.gc()


def purge(path: Path) -> None:
    with bn.open(path) as ds:
        ds.purge(["person-4711", "person-4712"], reason="asked to be forgotten")


def killed_at(step: int, path: Path, act: Callable[[Path], None]) -> bool:
    """Run an act in a process of its own that dies before a step; say whether it did."""
    child = os.fork()
    if child == 0:
        watch(path, step)
        act(path)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


def watch(path: Path, step: int) -> None:
    left = [step]

    def tick(_: Any = None) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(event: str, args: tuple[Any, ...]) -> None:
        if event in FILES and args and str(args[0]).startswith(str(path)):
            tick()

    real = sqlite_file._connect

    def connect(uri: str) -> sqlite3.Connection:
        connection = real(uri)
        connection.set_trace_callback(tick)
        return connection

    sqlite_file._connect = connect
    sys.addaudithook(heard)


def main(act: Callable[[Path], None], source: Path, stride: int) -> None:
    for step in itertools.count(0, stride):
        path = source.with_name(f"{step}.burnish")
        shutil.copytree(source, path)
        then = time.time() - 86_400
        for file in path.rglob("*"):
            os.utime(file, (then, then))
        died = killed_at(step, path, act)
        print("killed" if died else "done", path, flush=True)
        if not died:
            return


if __name__ == "__main__":
    main({"sweep": sweep, "purge": purge}[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3]))
