"""Findings under review: the order, the verdicts, and where the next one is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.core.delta import DECISIONS
from burnish.core.finding import Findings
from burnish.session.queue import Queue, Verdict, bits

VERDICTS = ("accepted", "kept", "skipped", "unsure")


def findings_on(rows: list[int], code: str = "label-issue") -> Findings:
    """Return findings on rows, best ranked first."""
    scores = np.linspace(1, 0.5, len(rows))
    return Findings(code, [f"k{row}" for row in rows], scores, ["a"] * len(rows), ["b"] * len(rows))


def decisions(*made: tuple[Any, ...]) -> pa.Table:
    """Return a table of (ordinal, verdict, finding, author)."""
    columns: dict[str, list[Any]] = {name: [None] * len(made) for name in DECISIONS.names}
    for name, values in zip(("ordinal", "verdict", "finding", "author"), zip(*made)):
        columns[name] = list(values)
    for field in DECISIONS:
        if pa.types.is_timestamp(field.type):
            columns[field.name] = [datetime.now(UTC)] * len(made)
    return pa.table(columns, DECISIONS)


def queue_of(rows: list[int], decided: list[int] | None = None) -> Queue:
    """Return a queue on rows, some of them decided."""
    queue = Queue.of(findings_on(rows), np.array(rows, np.int64))
    made = [(row, "kept", "label-issue:1", "me") for row in decided or []]
    return queue.judged(decisions(*made))


@st.composite
def queues(draw: st.DrawFn) -> tuple[list[int], list[int], int]:
    """Return rows in rank order, those decided, and a current row."""
    rows = draw(st.lists(st.integers(0, 12), unique=True, max_size=8))
    done = [row for row in rows if draw(st.booleans())]
    return rows, done, draw(st.sampled_from([-1, 13, *rows]))


def stepped(rows: list[int], done: list[int], current: int, by: int, undecided: bool) -> int:
    """Return what `step` should: the next row of a list, seen from the current one."""
    place = rows.index(current) if current in rows else (-1 if by > 0 else len(rows))
    ahead = rows[place + 1 :] if by > 0 else rows[:place][::-1]
    return next((row for row in ahead if not (undecided and row in done)), current)


@given(queues(), st.sampled_from([1, -1]), st.booleans())
def test_step_goes_to_the_neighbour_or_stays(
    case: tuple[list[int], list[int], int], by: int, undecided: bool
) -> None:
    rows, done, current = case
    found = queue_of(rows, done).step(current, by, undecided)
    assert found == stepped(rows, done, current, by, undecided)


@given(queues())
def test_after_goes_on_then_to_the_top_then_ends(case: tuple[list[int], list[int], int]) -> None:
    rows, done, current = case
    place = rows.index(current) + 1 if current in rows else 0
    open_rows = [row for row in rows[place:] + rows[:place] if row not in done]
    assert queue_of(rows, done).after(current) == (open_rows[0] if open_rows else -1)


@given(queues())
def test_undecided_are_the_rows_without_a_verdict_in_rank_order(
    case: tuple[list[int], list[int], int],
) -> None:
    rows, done, _ = case
    queue = queue_of(rows, done)
    assert queue.undecided() == [row for row in rows if row not in done]
    assert queue.counts()["kept"] == len(done)
    assert len(queue) == len(rows)


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(VERDICTS)), max_size=12))
def test_the_last_verdict_on_a_row_wins(made: list[tuple[int, str]]) -> None:
    table = decisions(*((row, verdict, "label-issue:1", "me") for row, verdict in made))
    judged = queue_of([0, 1, 2]).judged(table)
    last = {row: verdict for row, verdict in made if row < 3}
    assert {row: entry.verdict for row, entry in judged.verdicts.items()} == last
    assert sum(judged.counts().values()) == len(last)


def test_a_verdict_says_whose_it_is() -> None:
    table = decisions((1, "kept", "label-issue:1", "ann"), (1, "unsure", "label-issue:1", "bob"))
    assert queue_of([1]).judged(table).verdicts == {1: Verdict("unsure", "bob")}


@pytest.mark.parametrize(
    ("finding", "counts"),
    [
        ("label-issue:0badcafe", True),
        (None, True),
        ("outlier:0badcafe", False),
        ("label-issue-2:0badcafe", False),
    ],
)
def test_verdicts_on_earlier_findings_of_the_same_kind_count(
    finding: str | None, counts: bool
) -> None:
    judged = queue_of([3]).judged(decisions((3, "kept", finding, "me")))
    assert (3 in judged.verdicts) is counts


def test_judging_starts_from_the_decisions_given() -> None:
    queue = queue_of([0, 1], [0, 1])
    again = queue.judged(decisions())
    assert (again.undecided(), again.seq) == ([0, 1], queue.seq + 1)
    assert queue.undecided() == []


def test_a_finding_is_read_by_its_row() -> None:
    queue = queue_of([5, 2])
    assert queue.finding_at(2) == {"rank": 1, "score": 0.5, "given": "a", "suggestion": "b"}
    assert queue.finding_at(0) is None


def test_a_mask_is_true_at_its_rows() -> None:
    assert bits([0, 3], 5).tolist() == [True, False, False, True, False]
    assert bits([], 2).tolist() == [False, False]
