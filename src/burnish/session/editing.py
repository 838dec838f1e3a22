"""What a person at a widget does to rows: choose them, and change them."""

from __future__ import annotations

from typing import Any

import numpy as np

from burnish.core.delta import Ordinals
from burnish.core.keys import key_array
from burnish.core.selection import Selection
from burnish.dataset.reading import keys_at, known_ordinals
from burnish.errors import InputError
from burnish.session.coding import Coding
from burnish.session.listeners import Listeners
from burnish.session.reviewing import Reviewing
from burnish.session.shown import Shown


class Editing:
    """The selection, and the edits of its rows or of others; none while a version is viewed."""

    selected: Ordinals
    source: str
    _shown: Shown
    _coding: Coding
    _reviewing: Reviewing
    _listeners: Listeners

    @property
    def selection(self) -> Selection:
        """The selected rows by key."""
        return Selection(keys_at(self._shown.ds.state, self.selected), self.source or None)

    def select(self, rows: Selection | list[Any] | None) -> None:
        """Replace the selection by keys."""
        chosen = (
            rows if isinstance(rows, Selection) else Selection(rows if rows is not None else ())
        )
        self.select_rows(np.unique(self._known(chosen)), chosen.source or "")

    def check_keys(self, rows: Selection) -> None:
        """Refuse a selection of keys that are unknown."""
        self._known(rows)

    def select_rows(self, ordinals: Ordinals, source: str) -> None:
        """Replace the selection by ordinals."""
        self.selected = ordinals
        self.source = source
        self._listeners.tell("selection")

    def relabel(self, rows: list[int] | None, to: str, reason: str | None, advance: bool) -> None:
        """Give rows, or the selection, a class."""
        self._shown.check_editable()
        ordinals = self._rows(rows)
        value, because = self._coding.classes.value(to), self._reviewing.because(ordinals)
        self._shown.ds.relabel(self._keys(ordinals), value, reason=reason, because=because)
        self._advance(advance)

    def decide(self, row: int, verdict: str, reason: str | None, advance: bool) -> None:
        """Record a verdict on the finding of a row."""
        self._shown.check_editable()
        self._shown.check_row(row)
        ordinals = np.array([row])
        because = self._reviewing.because(ordinals)
        if because is None:
            raise InputError(
                f"row {self._keys(ordinals)[0]!r} has no finding to judge",
                hint="choose a row of the list",
            )
        self._shown.ds.decide(self._keys(ordinals), verdict, because=because, reason=reason)
        self._advance(advance)

    def drop(self, rows: list[int] | None, reason: str | None, advance: bool) -> None:
        """Drop rows, or the selection."""
        self._shown.check_editable()
        self._shown.ds.drop(self._keys(self._rows(rows)), reason=reason)
        self._advance(advance)

    def restore(self, rows: list[int] | None) -> None:
        """Bring dropped rows, or those of the selection, back."""
        self._shown.check_editable()
        ordinals = self.selected if rows is None else self._rows(rows)
        self._shown.ds.restore(self._keys(ordinals))

    def mark(self, rows: list[int] | None, name: str) -> None:
        """Mark rows, or the selection."""
        self._shown.check_editable()
        self._shown.ds.mark(self._keys(self._rows(rows)), name)

    def undo(self) -> None:
        """Take the last step back."""
        self._shown.check_editable()
        self._shown.ds.undo()

    def redo(self) -> None:
        """Do again what was undone."""
        self._shown.check_editable()
        self._shown.ds.redo()

    def commit(self, message: str, author: str | None) -> tuple[str, str]:
        """Commit what is staged; return the version's name and what it holds."""
        self._shown.check_editable()
        ds = self._shown.ds
        text = repr(ds.staged).removeprefix("Staged(").removesuffix(")")
        return ds.commit(message, author=author).name, text

    def _advance(self, advance: bool) -> None:
        if advance:
            self._reviewing.advance()

    def _rows(self, rows: list[int] | None) -> Ordinals:
        if rows is None:
            return self.selected[self._shown.ds.state.is_live(self.selected)]
        for row in rows:
            self._shown.check_row(row)
        return np.array(rows, dtype=np.int64)

    def _keys(self, ordinals: Ordinals) -> list[Any]:
        return list(keys_at(self._shown.ds.state, ordinals))

    def _known(self, rows: Selection) -> Ordinals:
        return known_ordinals(self._shown.ds.state, key_array(rows.keys))
