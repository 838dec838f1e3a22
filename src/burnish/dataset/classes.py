"""Classes that are renamed, merged or split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from burnish.core.delta import Delta, Ordinals, squash
from burnish.core.keys import shorten
from burnish.core.schema import CLASS, fact_text
from burnish.dataset.editing import Editing
from burnish.dataset.gesture import Gesture, cells, code_of, count, fact_cells
from burnish.dataset.reading import classes_of, keys_at
from burnish.dataset.rows import ordinals_of, values_for
from burnish.dataset.state import State
from burnish.errors import LabelError


class Classes(Editing):
    """Changes the classes of a working copy."""

    def rename_label(self, old: Any, new: Any, reason: str | None = None) -> None:
        """Give a class another name; its id, the first one, stays.

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
            for first in _first_names(state, old):
                facts[CLASS + fact_text(first)] = fact_text(new) if first != new else None
        return squash([*steps, fact_cells(state, facts, why)])


def _first_names(state: State, label: Any) -> list[Any]:
    """Return the ids of the classes that have a name now; several where they were merged."""
    renamed = state.schema.renamed_classes
    own = [] if label in renamed else [label]
    return [*own, *(first for first, name in renamed.items() if name == label)]


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
