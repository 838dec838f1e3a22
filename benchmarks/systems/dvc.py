"""A Parquet file tracked by DVC in git, pushed to a local remote."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from systems.base import Edit, System, Timed, changed
from systems.parquet import edited

DVC = Path(__file__).parents[2] / ".cache" / "dvc" / "bin" / "dvc"
WHO = ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false"]


class Dvc(System):
    """A repository of its own with one tracked file; a commit is add, commit and push."""

    repeats = 5

    def create(self, table: pa.Table) -> None:
        if not DVC.exists():
            raise FileNotFoundError(f"{DVC} is missing: make bench makes it")
        repository = self.folder / "repository"
        repository.mkdir(parents=True)
        self.table, self.version = table, 0
        self._git("init", "-q", "-b", "main")
        self._dvc("init", "-q")
        for option in ("core.analytics=false", "core.check_update=false"):
            self._dvc("config", *option.split("="))
        self._dvc("remote", "add", "-q", "-d", "local", str(self.folder / "remote"))
        self._write()

    def commit(self, edit: Edit) -> Timed:
        def act() -> None:
            self.table = edited(self.table, edit)
            self.version += 1
            self._write()

        return Timed(act)

    def read(self, version: int, columns: list[str]) -> pa.Table:
        self._git("checkout", "-q", f"v{version}")
        self._dvc("checkout", "-q")
        return pq.read_table(self.folder / "repository" / "t.parquet", columns=columns)

    def diff(self, old: int, new: int) -> int:
        return changed(self.read(old, ["id", "label"]), self.read(new, ["id", "label"]))

    def _write(self) -> None:
        path = self.folder / "repository" / "t.parquet"
        path.unlink(missing_ok=True)
        pq.write_table(self.table, path)
        self._dvc("add", "-q", "t.parquet")
        self._git("add", "-A")
        self._git(*WHO, "commit", "-q", "-m", "looked again")
        self._git("tag", f"v{self.version}")
        self._dvc("push", "-q")

    def _git(self, *words: str) -> None:
        self._run(["git", *words])

    def _dvc(self, *words: str) -> None:
        self._run([str(DVC), *words])

    def _run(self, words: Sequence[str]) -> None:
        aside = {"DVC_NO_ANALYTICS": "1", "DVC_GLOBAL_CONFIG_DIR": str(self.folder / "global")}
        aside |= {"DVC_SYSTEM_CONFIG_DIR": str(self.folder / "system")}
        aside |= {"DVC_SITE_CACHE_DIR": str(self.folder / "site"), "GIT_CONFIG_GLOBAL": os.devnull}
        here = self.folder / "repository"
        done = subprocess.run(
            words, cwd=here, env={**os.environ, **aside}, capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words[:3])}: {done.stderr.decode()[-300:]}")
