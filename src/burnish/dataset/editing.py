"""The ways to change a working copy, each one undoable step."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from burnish.core.canonical import is_list
from burnish.core.delta import DROPPED, MARK, Delta, Ordinals, squash
from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, plain
from burnish.core.selection import Selection
from burnish.dataset.gesture import Gesture, Provenance, call, cells, count, decided
from burnish.dataset.history import History
from burnish.dataset.reading import Reading, classes_of, keys_at
from burnish.dataset.rows import once, ordinals_of, values_for
from burnish.dataset.state import State
from burnish.dataset.working import WorkingCopy
from burnish.errors import ColumnError, InputError, LabelError, NewClassWarning

VERDICTS = ("accepted", "kept", "skipped", "unsure")


class Editing(Reading):
    """Edits and decisions on a working copy, staged until they are committed."""

    _copy: WorkingCopy
    _history: History
    user: str

    def _check_open(self) -> None:
        raise AssertionError("a working copy knows whether it is open")

    def relabel(
        self,
        rows: Any,
        to: Any,
        reason: str | None = None,
        because: Findings | None = None,
        strict: bool = False,
        column: str | None = None,
    ) -> None:
        """Give rows another label.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
            Rows to change. A bare str is one key.
        to : label, mapping of key to label, or one label per row
            The new labels; None makes a row unlabelled.
        reason : str, optional
            Why, kept with every cell.
        because : Findings, optional
            What suggested it. The rows that are among the findings also get a decision, in the
            same undoable step: ``kept`` where the label is the one given then, else ``accepted``.
        strict : bool, default False
            Refuse labels that no live row has; otherwise they only give a warning.
        column : str, optional
            Which column holds the labels, the label role by default: for the lists, masks or
            boxes of other tasks. Lists and floating-point numbers are no classes, so that a new
            one is neither refused nor warned about.

        Raises
        ------
        KeysError
            A key is unknown or its row was dropped.
        LabelError
            `strict`, and a label is not among the classes.
        ColumnError
            The dataset has no label column, it is part of the key, or a label does not fit its
            type.

        Warns
        -----
        NewClassWarning
            A label is new, with the nearest name there is.
        """
        named = column
        column = self._label_column() if named is None else self._known([named])[0]
        self._refuse_key(column)
        why = self._why(reason, because)

        def make(state: State) -> Gesture:
            ordinals, new, keys = self._cells_for(state, rows, column, to)
            self._check_classes(state, column, new, strict)
            confidence = _scores(because, keys)
            delta = cells(state, column, ordinals, new, why, confidence)
            verdicts = self._verdicts(keys, ordinals, new, because, why)
            text = f"relabel {count(len(ordinals))} to {_values_text(new)}"
            named_as = {"reason": reason, "column": named, "because": _name(because)}
            code = call("relabel", keys, _argument(new), **named_as)
            return Gesture(squash([delta, verdicts]), text, code)

        self._stage(make)

    def set(self, rows: Any, column: str, values: Any, reason: str | None = None) -> None:
        """Set cells of one column.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
        column : str
            Any column but a key column.
        values : value, mapping of key to value, or one value per row
        reason : str, optional
            Why, kept with every cell.

        Raises
        ------
        ColumnError
            The column is unknown or part of the key, or a value does not fit its type.
        KeysError
            A key is unknown or its row was dropped.
        """
        self._known([column])
        self._refuse_key(column)

        def make(state: State) -> Gesture:
            ordinals, new, keys = self._cells_for(state, rows, column, values)
            delta = cells(state, column, ordinals, new, self._why(reason))
            text = f"set {column} of {count(len(ordinals))}"
            return Gesture(delta, text, call("set", keys, column, _argument(new), reason=reason))

        self._stage(make)

    def drop(self, rows: Any, reason: str | None = None) -> None:
        """Drop rows; they can be brought back with `restore`.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
        reason : str, optional

        Raises
        ------
        KeysError
            A key is unknown or its row was dropped already.
        """
        self._flag(rows, DROPPED, True, "drop", reason)

    def restore(self, rows: Any, reason: str | None = None) -> None:
        """Bring dropped rows back; live rows stay as they are.

        Parameters
        ----------
        rows : key, sequence of keys, Selection or Findings
        reason : str, optional

        Raises
        ------
        KeysError
            A key is unknown.
        """
        self._flag(rows, DROPPED, False, "restore", reason)

    def mark(self, rows: Any, name: str, reason: str | None = None) -> None:
        """Mark rows with a name, for example ``"hard"``.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
        name : str
        reason : str, optional

        Raises
        ------
        InputError
            The name is empty.
        """
        self._flag(rows, MARK + _mark_name(name), True, "mark", reason, name)

    def unmark(self, rows: Any, name: str, reason: str | None = None) -> None:
        """Take a mark away; see `mark`."""
        self._flag(rows, MARK + _mark_name(name), False, "unmark", reason, name)

    def marked(self, name: str) -> Selection:
        """Return the live rows that carry a mark."""
        state = self._state()
        live = state.live
        hits = state.column(MARK + _mark_name(name)).to_numpy(zero_copy_only=False)[live]
        return Selection(keys_at(state, live[hits.astype(bool)]), source=f"mark {name}")

    def decide(
        self,
        rows: Any,
        verdict: str,
        because: Findings | None = None,
        reason: str | None = None,
    ) -> None:
        """Record a verdict on findings, without an edit.

        Parameters
        ----------
        rows : key, sequence of keys, Selection, Slice or Findings
        verdict : {"accepted", "kept", "skipped", "unsure"}
        because : Findings, optional
            The findings that are judged.
        reason : str, optional

        Raises
        ------
        InputError
            The verdict is none of the four.
        KeysError
            A key is unknown or its row was dropped.
        """
        if verdict not in VERDICTS:
            raise InputError(
                f"{verdict!r} is no verdict, expected one of {', '.join(VERDICTS)}",
                hint="ds.decide(keys, 'kept', because=findings)",
            )
        why = self._why(reason, because)

        def make(state: State) -> Gesture:
            ordinals = np.unique(ordinals_of(state, rows))
            keys = keys_at(state, ordinals)
            delta = decided(ordinals, verdict, _positions(because, keys), why)
            text = f"{verdict} {count(len(ordinals))}"
            code = call("decide", keys, verdict, because=_name(because), reason=reason)
            return Gesture(delta, text, code)

        self._stage(make)

    def undo(self) -> None:
        """Take back the last staged step.

        Raises
        ------
        UndoError
            Nothing is staged.
        """
        self._check_open()
        self._copy.move(-1)

    def redo(self) -> None:
        """Do again what was undone last.

        Raises
        ------
        UndoError
            The last step was not an undo.
        """
        self._check_open()
        self._copy.move(1)

    @property
    def undo_text(self) -> str | None:
        """Name of the step that `undo` would take back."""
        applied = self._copy.applied()
        return applied[-1].text if applied else None

    @property
    def redo_text(self) -> str | None:
        """Name of the step that `redo` would do again."""
        undone = self._copy.undone()
        return undone[0].text if undone else None

    def _stage(self, make: Callable[[State], Gesture]) -> None:
        self._check_open()
        self._copy.stage(make)

    def _flag(
        self,
        rows: Any,
        column: str,
        value: bool,
        method: str,
        reason: str | None,
        *args: str,
    ) -> None:
        def make(state: State) -> Gesture:
            ordinals = np.unique(ordinals_of(state, rows, dropped=method == "restore"))
            keys = keys_at(state, ordinals)
            new = pa.array(np.full(len(ordinals), value))
            delta = cells(state, column, ordinals, new, self._why(reason))
            text = " ".join([method, count(len(ordinals)), *args])
            return Gesture(delta, text, call(method, keys, *args, reason=reason))

        self._stage(make)

    def _cells_for(
        self, state: State, rows: Any, column: str, values: Any
    ) -> tuple[Ordinals, pa.Array, KeyArray]:
        given = ordinals_of(state, rows)
        new = values_for(state, column, rows, given, values)
        ordinals, new = once(given, new, keys_at(state, given))
        return ordinals, new, keys_at(state, ordinals)

    def _refuse_key(self, column: str) -> None:
        if column in self._state().key:
            raise ColumnError(
                f"column {column!r} is part of the key, which never changes",
                hint="put it right in the frame and make another dataset from that",
            )

    def _why(self, reason: str | None, because: Findings | None = None) -> Provenance:
        if reason is not None and not isinstance(reason, str):
            raise InputError(f"the reason is {reason!r}, expected text", hint="reason='blurred'")
        return Provenance(self.user, reason, because.id if because is not None else None)

    def _verdicts(
        self,
        keys: KeyArray,
        ordinals: Ordinals,
        new: pa.Array,
        because: Findings | None,
        why: Provenance,
    ) -> Delta:
        places = _positions(because, keys)
        if because is None:
            return Delta()
        labels = new.to_pylist()
        rows: dict[str, list[int]] = {"accepted": [], "kept": []}
        for i, place in enumerate(places):
            if place is not None:
                same = _plain_label(labels[i]) == plain(because.given[place])
                rows["kept" if same else "accepted"].append(i)
        return squash(
            decided(ordinals[chosen], verdict, [places[i] for i in chosen], why)
            for verdict, chosen in rows.items()
        )

    def _check_classes(self, state: State, column: str, new: pa.Array, strict: bool) -> None:
        if is_list(new.type) or pa.types.is_floating(new.type):
            return
        known = classes_of(state, column)
        there = set(known)
        fresh = [v for v in new.unique().drop_null().to_pylist() if v not in there]
        if not fresh:
            return
        nearest = difflib.get_close_matches(str(fresh[0]), [str(name) for name in known], n=1)
        like = f"; the nearest is {nearest[0]!r}" if nearest else ""
        if strict:
            raise LabelError(
                f"{fresh[0]!r} is not among the {len(known)} classes{like}",
                hint="correct the label, or leave out strict=True to make a new class",
            )
        warnings.warn(
            f"{fresh[0]!r} is a new class{like}. Hint: ds.undo() takes it back",
            NewClassWarning,
            stacklevel=8,
        )


def _plain_label(label: Any) -> Any:
    """Return a label as findings hold it: several classes as a tuple."""
    return tuple(label) if isinstance(label, list) else label


def _name(because: Findings | None) -> str | None:
    return None if because is None else str(because.provenance.get("code", "issues"))


def _mark_name(name: str) -> str:
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"a mark needs a name, got {name!r}", hint="ds.mark(keys, 'hard')")
    return name


def _positions(because: Findings | None, keys: KeyArray) -> list[int | None]:
    if because is None:
        return [None] * len(keys)
    return [because.ranks.get(key) for key in keys]


def _scores(because: Findings | None, keys: KeyArray) -> list[float | None] | None:
    if because is None:
        return None
    places = _positions(because, keys)
    return [None if place is None else float(because.scores[place]) for place in places]


def _values_text(new: pa.Array) -> str:
    if is_list(new.type):
        return count(len(new), "label")
    different = new.unique().to_pylist()
    return str(different[0]) if len(different) == 1 else count(len(different), "label")


def _argument(new: pa.Array) -> Any:
    values = [plain(value) for value in new.to_pylist()]
    same = len(new) and all(value == values[0] for value in values)
    return values[0] if same else values
