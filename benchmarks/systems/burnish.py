"""burnish: edits are staged, then committed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa

import burnish as bn
from burnish.dataset.gesture import Provenance
from burnish.dataset.merging import merged
from systems.base import Edit, Editor, System, Timed


class Burnish(System):
    """A store; staging is done before the commit is timed and reported beside it."""

    most_commits = 1_000_000

    def create(self, table: pa.Table) -> None:
        roles: dict[str, Any] = {"key": "id", "label": "label", "text": "text"}
        self.ds = bn.create(self.folder, table, **roles, embedding="vector")

    def open(self) -> None:
        self.ds = bn.open(self.folder)

    def commit(self, edit: Edit) -> Timed:
        return Timed(lambda: self.ds.commit("looked again"), lambda: self._stage(edit))

    def _stage(self, edit: Edit) -> None:
        self.ds.relabel(edit.keys, edit.labels, reason="looked again")
        if edit.drops:
            self.ds.drop(edit.drops)

    def read(self, version: int, columns: list[str]) -> pa.Table:
        return self.ds.at(f"v{version}").to_arrow(columns=columns)

    def diff(self, old: int, new: int) -> int:
        found: Any = self.ds.diff(f"v{old}", f"v{new}")
        return len(found) if hasattr(found, "__len__") else len(found._delta)

    def blame(self) -> int:
        """Return for how many labels it is known which version set them."""
        return len(self._method("blame")(None, "label").versions)

    def merge(self, editor: Editor, turn: int, edits: int) -> Timed:
        """Merge a branch with as many edits as its own branch has since, and commit that."""
        before = partial(self._diverge, editor, f"merged-{turn}", edits)
        return Timed(lambda: self._method("merge")(f"merged-{turn}"), before)

    def merge_only(self, editor: Editor, turn: int, edits: int) -> Timed:
        """Work out a merge."""
        name, heads, why = f"open-{turn}", {}, Provenance("ann", "merge")
        history = self.ds._history

        def before() -> None:
            self._diverge(editor, name, edits)
            heads.update(ours=self.ds.head.id, theirs=history.resolve(name))

        return Timed(lambda: merged(history, rule=None, why=why, **heads), before)

    def _diverge(self, editor: Editor, name: str, edits: int) -> None:
        """Commit edits on the own branch and others on a branch with that name."""
        branch, switch = self._method("branch"), self._method("switch")
        mine, both = self.ds.branch_name, editor.draw(2 * edits, 0)
        branch(name)
        for part, where in ((slice(edits), mine), (slice(edits, None), name)):
            switch(where)
            self._stage(Edit(both.keys[part], both.labels[part], []))
            self.ds.commit("one side")
        switch(mine)

    def close(self) -> None:
        self.ds.close()

    def _method(self, name: str) -> Callable[..., Any]:
        if not hasattr(self.ds, name):
            raise NotImplementedError(f"this burnish has no ds.{name}")
        return getattr(self.ds, name)  # type: ignore[no-any-return]
