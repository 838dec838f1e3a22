"""Computes what evidence stands on while the reviewer goes on deciding."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from burnish.core.finding import Findings
from burnish.dataset import Dataset
from burnish.review.confusion import confusion_of
from burnish.review.flags import Flags
from burnish.review.grounds import Graph, Grounds, Groups
from burnish.review.part import Absent
from burnish.review.process import PARTS, read

NEIGHBOURS = 10
WAITING = Absent("being computed", waiting=True)
FAILED = Absent("could not be computed")


class Search:
    """Looks for the nearest rows and duplicates of a version in another process.

    Parameters
    ----------
    path : Path
        The store.
    version : str
        Id of a version.
    found : callable
        Gets the name of each part and the part itself, in a thread of its own.
    """

    def __init__(
        self, path: Path, version: str, found: Callable[[str, Graph | Groups | Absent], None]
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="burnish-evidence-")
        self._found = found
        self._cancelled = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "burnish.review.process", path, version, self._folder.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._forget = weakref.finalize(self, self._process.terminate)
        self._thread = threading.Thread(target=self._listen, name="burnish-evidence", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop; nothing is said any more."""
        self._cancelled = True
        self._forget()

    def wait(self) -> None:
        """Wait until everything was said."""
        self._thread.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        missing = set(PARTS)
        with self._process.stdout as lines:
            for line in lines:
                missing.discard(line.strip())
                self._say(line.strip())
        self._process.wait()
        for name in missing:
            self._say(name)
        self._folder.cleanup()

    def _say(self, name: str) -> None:
        if self._cancelled or name not in PARTS:
            return
        try:
            made = read(Path(self._folder.name), name)
        except (OSError, ValueError):
            made = FAILED
        self._found(name, made)


class Background:
    """What the evidence of a session stands on, as far as it is known.

    Parameters
    ----------
    schedule : callable
        Brings a call back to the kernel's own thread.
    told : callable
        Called there whenever a part is ready.

    Attributes
    ----------
    seq : int
        Grows with each part that is ready.

    Notes
    -----
    What was made of an older version stays until its successor is there.
    """

    def __init__(
        self, schedule: Callable[[Callable[[], None]], None], told: Callable[[], None]
    ) -> None:
        self.seq = 0
        self._schedule, self._told = schedule, told
        self._grounds: Grounds | None = None
        self._findings: Findings | None = None
        self._version: str | None = None
        self._search: Search | None = None

    def grounds(self, ds: Dataset, findings: Findings) -> Grounds:
        """Return what there is by now, and see to the rest."""
        if self._grounds is None or findings is not self._findings:
            self._grounds = self._flagged(ds, findings)
            self._findings = findings
        head = ds.head.id
        if head != self._version:
            self._version = head
            self.stop()
            self._search = Search(ds.path, head, self._receiver(head))
        return self._grounds

    def wait(self) -> None:
        """Wait until what was begun is done."""
        if self._search is not None:
            self._search.wait()

    def stop(self) -> None:
        """Stop what was begun."""
        if self._search is not None:
            self._search.cancel()

    def _flagged(self, ds: Dataset, findings: Findings) -> Grounds:
        reading, old = ds.at(ds.head), self._grounds
        graph, groups = (old.graph, old.groups) if old else (WAITING, WAITING)
        flags = Flags.of(findings, ds.state)
        return Grounds(flags, graph, groups, confusion_of(reading, findings, flags))

    def _receiver(self, version: str) -> Callable[[str, Graph | Groups | Absent], None]:
        def put(name: str, made: Graph | Groups | Absent) -> None:
            if version == self._version and self._grounds is not None:
                self._grounds = replace(self._grounds, **{name: made})  # type: ignore[arg-type]
                self.seq += 1
                self._told()

        return lambda name, made: self._schedule(lambda: put(name, made))
