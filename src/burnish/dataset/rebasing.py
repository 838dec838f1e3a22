"""A newer edition of the table that a dataset was made from, under the edits made since."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from burnish.core.canonical import key_bytes
from burnish.core.conflicts import Rule
from burnish.core.delta import DROPPED, Delta, Ordinals, squash
from burnish.core.keys import shorten
from burnish.dataset.adding import conformed, rows_added, with_content_key
from burnish.dataset.branching import Branching
from burnish.dataset.gesture import Provenance, cells, count
from burnish.dataset.history import History
from burnish.dataset.identity import check_keys
from burnish.dataset.state import State
from burnish.dataset.views import Merge
from burnish.errors import ColumnError
from burnish.io.frames import to_table
from burnish.store.backend import RefMove
from burnish.store.rows import one_chunk

UPSTREAM = "upstream"


@dataclass(frozen=True)
class Rebase:
    """What a newer edition of the base table brought.

    Attributes
    ----------
    matched, gone, new : int
        Rows that both editions have, that only the old one has, that only the new one has.
    changed : int
        Cells of matched rows that differ.
    merge : Merge
        How that came together with the edits of this branch.
    """

    matched: int
    gone: int
    new: int
    changed: int
    merge: Merge

    def __repr__(self) -> str:
        counts = (
            f"{count(self.matched)} matched, {self.gone:,} gone, {self.new:,} new, "
            f"{count(self.changed, 'cell')} changed upstream"
        )
        return f"Rebase({counts}; {self.merge!r})"


class Rebasing(Branching):
    """Puts the edits of a branch on a newer edition of the base table."""

    def rebase(
        self,
        frame: Any,
        resolve: Rule | None = None,
        message: str = "upstream refreshed",
        author: str | None = None,
    ) -> Rebase:
        """Bring in a newer edition of the table that the dataset was made from.

        Parameters
        ----------
        frame : pandas or polars DataFrame, Arrow table or mapping of columns
            All rows of the new edition, with the columns of the old one. Rows are matched by
            key; without a key of the user's own by content, so that a row that changed is one
            that went and one that came.
        resolve : rule, optional
            As for `merge`: a cell that was edited here and changed upstream is a conflict.
        message : str, default "upstream refreshed"
        author : str, optional
            The user of the working copy by default.

        Returns
        -------
        Rebase
            Counts, and the merge with the conflicts that are left.

        Raises
        ------
        StagedError
            Edits are staged.
        ColumnError
            The new edition has other columns, or a value that does not fit.
        KeysError
            A key is null or occurs twice.

        Notes
        -----
        The editions are versions of their own under the name ``upstream``, the first one being
        ``v0``; this is a merge of it. Costs one pass over the columns.
        """
        self._check_open()
        self._copy.refuse_staged("the rebase")
        history = self._history
        history.backend.check_writable()
        history.refresh()
        known = history.backend.refs("remote").get(UPSTREAM)
        old = known or history.root
        state = history.state(old)
        table = _edition(state, to_table(frame))
        who = author or self.user
        why = Provenance(who, message)
        found = history.rows.find(key_bytes([table[name] for name in state.key]))
        delta, counts = _refreshed(history, state, table, found, why)
        if delta:
            record = history.record(delta, [old], message, who, uuid.uuid4().hex)
            move = RefMove("remote", UPSTREAM, known, record.id, who, message)
            history.add_commits([record], [move])
            old = record.id
        rule = f", resolve={resolve!r}" if isinstance(resolve, str | dict) else ""
        merge = self._merged(old, resolve, f"merge {UPSTREAM}", author, f"ds.rebase(frame{rule})")
        return Rebase(*counts, merge)


def _edition(state: State, table: pa.Table) -> pa.Table:
    keyed = with_content_key(state, conformed(state, table))
    missing = [name for name in state.names if name not in keyed.column_names]
    if missing:
        raise ColumnError(
            f"the new edition lacks columns that the dataset was made from: {shorten(missing)}",
            hint="pass the whole table, with all its columns",
        )
    check_keys(keyed, state.key)
    return keyed


def _refreshed(
    history: History, state: State, table: pa.Table, found: Ordinals, why: Provenance
) -> tuple[Delta, tuple[int, int, int, int]]:
    there = state.is_there(found)
    matched = found[there]
    gone = np.setdiff1d(state.live, matched)
    order = np.argsort(matched)
    old_rows = table.filter(pa.array(there)).take(pa.array(order))
    rows = matched[order]
    changes = [
        cells(state, name, rows, one_chunk(old_rows[name]), why)
        for name in state.names
        if name not in state.key
    ]
    back = rows[~state.is_live(rows)]
    changes.append(cells(state, DROPPED, back, _same(False, len(back)), why))
    changes.append(cells(state, DROPPED, gone, _same(True, len(gone)), why))
    changed = sum(map(len, changes[:-2]))
    fresh = table.filter(pa.array(~there))
    if len(fresh):
        segment = history.add_rows(
            fresh.rename_columns([state.id_of(n) for n in fresh.column_names])
        )
        changes.append(rows_added(state, segment, why))
    return squash(changes), (len(matched), len(gone), len(fresh), changed)


def _same(value: bool, size: int) -> pa.Array:
    return pa.array(np.full(size, value))
