"""Classes that are renamed, merged or split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from burnish.core.delta import Delta, Ordinals, squash
from burnish.core.keys import shorten
from burnish.core.schema import CLASS, MERGED, fact_text
from burnish.dataset.editing import Editing
from burnish.dataset.gesture import Gesture, cells, code_of, count, fact_cells
from burnish.dataset.reading import classes_of, keys_at
from burnish.dataset.rows import ordinals_of, values_for
from burnish.dataset.state import State
from burnish.errors import LabelError


class Classes(Editing):
    """Changes the classes of a working copy."""

    @property
    def class_ids(self) -> dict[Any, Any]:
        """Class → its id, the first name it had, which survives every renaming."""
        renamed = self._state().schema.class_ids
        return {name: renamed.get(name, name) for name in self.classes}

    def rename_label(self, old: Any, new: Any, reason: str | None = None) -> None:
        """Give a class another name; its id, the first one, stays: see `class_ids`.

        Parameters
        ----------
        old, new : label
        reason : str, optional

        Raises
        ------
        LabelError
            No row is labelled `old`, or there is a class `new`.
        """

        def make(state: State) -> Gesture:
            label = self._label_column()
            known = classes_of(state, label)
            _refuse_unknown_class(known, old)
            if new in known:
                raise LabelError(
                    f"there is a class {new!r} already",
                    hint=f"to make one of both, use ds.merge_labels([{old!r}], {new!r})",
                )
            delta = self._classes_moved(
                state, {old: new}, reason or f"class {old} renamed to {new}"
            )
            code = code_of("rename_label", repr(old), repr(new), reason=reason)
            return Gesture(delta, f"rename class {old} to {new}", code)

        self._stage(make)

    def merge_labels(self, labels: Sequence[Any], into: Any, reason: str | None = None) -> None:
        """Make one class of several.

        Parameters
        ----------
        labels : sequence of labels
        into : label
            One of them, another class, or a new one.
        reason : str, optional

        Raises
        ------
        LabelError
            No row has one of the labels.
        """

        def make(state: State) -> Gesture:
            known = classes_of(state, self._label_column())
            gone = [label for label in dict.fromkeys(labels) if label != into]
            for label in gone:
                _refuse_unknown_class(known, label)
            why = reason or f"classes {', '.join(map(str, gone))} merged into {into}"
            delta = self._classes_moved(state, dict.fromkeys(gone, into), why)
            code = code_of("merge_labels", repr(list(labels)), repr(into), reason=reason)
            return Gesture(delta, f"merge {count(len(gone), 'class')} into {into}", code)

        self._stage(make)

    def split_label(self, label: Any, parts: Mapping[Any, Any], reason: str | None = None) -> None:
        """Make several classes of one.

        Parameters
        ----------
        label : label
        parts : mapping of label to rows
            Rows of each new class; rows that are in none keep the label.
        reason : str, optional

        Raises
        ------
        LabelError
            A row of a part has another label.
        KeysError
            A key is unknown, or its row was dropped.
        """

        def make(state: State) -> Gesture:
            column, steps = self._label_column(), []
            why = self._why(reason or f"class {label} split")
            for new, rows in parts.items():
                ordinals = np.unique(ordinals_of(state, rows))
                _refuse_other_class(state, column, ordinals, label)
                values = values_for(state, column, list(keys_at(state, ordinals)), ordinals, new)
                steps.append(cells(state, column, ordinals, values, why))
            named = ", ".join(map(repr, parts))
            text = f"split class {label} into {', '.join(map(str, parts))}"
            code = f"ds.split_label({label!r}, {{{named}: rows}})"
            return Gesture(squash(steps), text, code)

        self._stage(make)

    def _classes_moved(self, state: State, moves: Mapping[Any, Any], reason: str) -> Delta:
        column, why, steps = self._label_column(), self._why(reason), []
        values = state.column(column)
        there = state.there
        facts: dict[str, str | None] = {}
        for old, new in moves.items():
            rows = there[_equal(values.take(pa.array(there)), old)]
            new_values = values_for(state, column, list(keys_at(state, rows)), rows, new)
            steps.append(cells(state, column, rows, new_values, why))
            facts |= _moved_facts(state, old, new, new in classes_of(state, column))
        return squash([*steps, fact_cells(state, facts, why)])


def _moved_facts(state: State, old: Any, new: Any, is_there: bool) -> dict[str, str | None]:
    """Return the facts of all classes that have a name now, for when they get another."""
    facts: dict[str, str | None] = {}
    known = state.schema.class_ids
    own = [] if old in state.schema.renamed_classes else [known.get(old, old)]
    others = (first for first, name in state.schema.renamed_classes.items() if name == old)
    for first in dict.fromkeys([*own, *others]):
        merged = is_there or known.get(old, old) != first
        value = {MERGED: new} if merged else new
        facts[CLASS + fact_text(first)] = fact_text(value) if merged or first != new else None
    return facts


def _equal(values: pa.Array, label: Any) -> Any:
    return np.array([value == label for value in values.to_pylist()], dtype=bool)


def _refuse_unknown_class(known: Iterable[Any], label: Any) -> None:
    names = list(known)
    if label not in names:
        raise LabelError(
            f"no row is labelled {label!r}; the classes are {shorten(names)}",
            hint="ds.classes lists them",
        )


def _refuse_other_class(state: State, column: str, ordinals: Ordinals, label: Any) -> None:
    other = ordinals[~_equal(state.take(column, ordinals), label)]
    if len(other):
        raise LabelError(
            f"{count(len(other))} of the parts are not labelled {label!r}: "
            f"{shorten(keys_at(state, other))}",
            hint=f"choose rows of the class with bn.Slice('part', \"… = '{label}'\")",
        )
