"""A review that draws rows at random in between, and says how many errors are left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import burnish as bn
from burnish.core.finding import Findings
from burnish.errors import InputError, KeysError

WRONG = {*range(0, 40, 2), 70, 150}


def frame_of(n: int = 300) -> pd.DataFrame:
    return pd.DataFrame({"id": range(n), "label": ["cat", "dog"] * (n // 2)})


def issues_of(n: int = 60) -> Findings:
    given = ["cat", "dog"] * (n // 2)
    return Findings("label-issue", range(n), np.linspace(1, 0.1, n), given, given[1:] + given[:1])


@pytest.fixture
def ds() -> Any:
    return bn.create(None, frame_of(), key="id", label="label")


def take_turns(ds: Any, plan: Any, n: int) -> list[Any]:
    """Review as planned, relabelling what is wrong; return the items in order."""
    items = []
    for _ in range(n):
        item = plan.next()
        given = "cat" if item.key % 2 == 0 else "dog"
        other = "dog" if given == "cat" else "cat"
        ds.relabel(item.key, other if item.key in WRONG else given, because=item.because)
        items.append(item)
    return items


def test_one_turn_in_ten_is_drawn_from_the_queue_and_one_from_the_other_rows(ds: Any) -> None:
    items = take_turns(ds, bn.ReviewPlan(ds, issues_of()), 30)
    kinds = [item.kind for item in items]
    assert kinds == (["ranked"] * 4 + ["queue probe"] + ["ranked"] * 4 + ["unflagged probe"]) * 3
    ranked = [item.key for item in items if item.kind == "ranked"]
    assert ranked == sorted(ranked)
    assert all(item.key >= 60 for item in items if item.kind == "unflagged probe")
    assert len({item.key for item in items}) == 30


def test_what_is_next_stays_so_until_it_is_decided(ds: Any) -> None:
    plan = bn.ReviewPlan(ds, issues_of())
    take_turns(ds, plan, 4)
    probe = plan.next()
    ds.decide([10, 11], "kept", because=plan.issues)
    ds.relabel(200, "cat")
    assert plan.next().key == probe.key
    ds.decide(probe.key, "kept", because=probe.because)
    assert plan.next().kind == "ranked"


def test_rows_decided_out_of_turn_are_no_draws(ds: Any) -> None:
    plan = bn.ReviewPlan(ds, issues_of())
    ds.decide(list(range(20, 60)), "kept", because=plan.issues)
    left = plan.left()
    assert (left.reviewed, left.drawn, left.queue.errors, left.queue.high) == (40, 0, None, 20)


def test_a_plan_made_again_after_reopening_goes_on(tmp_path: Path) -> None:
    ds = bn.create(tmp_path / "x", frame_of(), key="id", label="label")
    plan = bn.ReviewPlan(ds, issues_of())
    take_turns(ds, plan, 17)
    ds.commit("half")
    take_turns(ds, plan, 8)
    before, ahead = plan.left(), plan.next()
    ds.close()
    with bn.open(tmp_path / "x") as again:
        plan = bn.ReviewPlan(again, issues_of())
        assert plan.left() == before
        assert plan.next().key == ahead.key
        assert plan.next().kind == ahead.kind


def test_undo_brings_the_row_back(ds: Any) -> None:
    plan = bn.ReviewPlan(ds, issues_of())
    take_turns(ds, plan, 9)
    before, probe = plan.left(), plan.next()
    assert probe.kind == "unflagged probe"
    take_turns(ds, plan, 1)
    ds.undo()
    assert plan.next().key == probe.key
    assert plan.left() == before


def test_the_errors_that_are_left_are_counted_down_to_none(ds: Any) -> None:
    plan = bn.ReviewPlan(ds, issues_of())
    total = []
    while plan.next() is not None:
        take_turns(ds, plan, 1)
        left = plan.left()
        true = len(WRONG) - left.found
        total.append(left.dataset.low <= true <= left.dataset.high)
    assert all(total)
    assert len(total) == 300
    assert (left.found, left.dataset.low, left.dataset.high) == (len(WRONG), 0, 0)
    assert plan.left().frame()["errors"].tolist() == [0, 0, 0]


def test_unsure_rows_may_be_errors_that_are_left(ds: Any) -> None:
    plan = bn.ReviewPlan(ds, issues_of())
    while (item := plan.next()) is not None:
        ds.decide(item.key, "unsure" if item.key == 7 else "kept", because=item.because)
    left = plan.left()
    assert (left.queue.rows, left.queue.low, left.queue.high) == (1, 0, 1)
    ds.decide(7, "accepted", because=plan.issues)
    assert (plan.left().queue.high, plan.left().found) == (0, 1)


def test_rows_dropped_without_a_decision_are_not_left(ds: Any) -> None:
    plan = bn.ReviewPlan(ds, issues_of())
    ds.drop(range(30, 60))
    assert plan.left().queue.rows == 30
    assert plan.left().queue.high == 30
    while (item := plan.next()) is not None:
        assert not 30 <= item.key < 60
        ds.decide(item.key, "kept", because=item.because)
    assert plan.left().dataset.high == 0


def test_a_row_that_is_dropped_in_between_loses_its_turn(ds: Any) -> None:
    plan = bn.ReviewPlan(ds, issues_of())
    take_turns(ds, plan, 6)
    first = plan.next().key
    ds.drop(first)
    assert plan.next().key != first
    ds.restore(first)
    assert plan.next().key == first


def test_what_was_settled_under_earlier_findings_is_not_asked_again(ds: Any) -> None:
    first = bn.ReviewPlan(ds, issues_of(20))
    take_turns(ds, first, 20)
    plan = bn.ReviewPlan(ds, issues_of(60))
    left = plan.left()
    assert (left.found, left.drawn, left.reviewed) == (0, 0, 20)
    assert not plan.replay().done[plan.replay().current.row]


def test_a_row_drawn_from_a_million_is_taken_in_within_five_milliseconds() -> None:
    import time

    from burnish.review.schedule import Judgement, Replay, Schedule

    n = 1_000_000
    order = np.random.default_rng(0).permutation(n)
    schedule = Schedule(np.arange(1000), order[order < 1000], order[order >= 1000], 10)
    replay = Replay(schedule, np.zeros(n, dtype=bool), ((0.05, 0.01), (0.05, 0.04)))
    replay.start()
    taken = []
    for turn in range(300):
        drawn = replay.current.kind != "ranked"
        begun = time.perf_counter()
        replay.judge(Judgement(replay.current.row, turn % 7 == 0))
        replay.queue.left(0), replay.unflagged.left(0)
        if drawn:
            taken.append(time.perf_counter() - begun)
    assert np.median(taken) < 0.005


def test_what_is_left_reads_on_one_line(ds: Any) -> None:
    plan = bn.ReviewPlan(ds, issues_of(), confidence=0.9)
    said = str(plan.left())
    assert said == (
        "Left: in the queue unknown (0–60) · in the dataset unknown (0–300), 90 % at every look"
    )
    assert "in the dataset" in plan._repr_html_()
    assert repr(plan) == "ReviewPlan(60 in the queue, 240 other rows, 0 turns taken)"


def test_what_is_no_plan_is_refused(ds: Any) -> None:
    with pytest.raises(InputError, match="every=2"):
        bn.ReviewPlan(ds, issues_of(), every=2)
    with pytest.raises(InputError, match="expected Findings, got list"):
        bn.ReviewPlan(ds, [1, 2])
    with pytest.raises(InputError, match="goes on in a Dataset, got Snapshot"):
        bn.ReviewPlan(ds.at("v0"), issues_of())
    with pytest.raises(InputError, match="between 0 and 1"):
        bn.ReviewPlan(ds, issues_of(), confidence=95)
    with pytest.raises(KeysError):
        bn.ReviewPlan(ds, Findings("label-issue", [1000], [1.0], ["cat"], ["dog"]))
