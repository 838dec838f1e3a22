"""How many errors are left: the interval holds at every look, whatever is reviewed in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.review.schedule import Judgement, Replay, Schedule
from burnish.review.stopping import Bettor, Confidence, Draw

ALPHA = 0.2


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[tuple[bool, bool]]]:
    """Return a population, and rows that were judged in turn: drawn or not, wrong or not."""
    population = draw(st.integers(1, 40))
    row = st.tuples(st.booleans(), st.booleans())
    return population, draw(st.lists(row, min_size=1, max_size=population))


def drawn_in(population: int, judged: list[tuple[bool, bool]]) -> list[Draw]:
    found, draws = 0, []
    for place, (drawn, wrong) in enumerate(judged):
        if drawn:
            draws.append(Draw(found, population - place, wrong))
        found += wrong
    return draws


def kept_by_all(population: int, draws: list[Draw], alpha: float) -> set[int]:
    """Return the numbers of errors that no look refuses, each tried by itself."""
    kept = set(range(population + 1))
    bettor = Bettor(population)
    chance = np.ones(population + 1)
    numbers = np.arange(population + 1)
    for draw in draws:
        bettor.settle(draw)
        share = (numbers - draw.found) / draw.remaining
        possible = (share >= 0) & (share <= 1)
        chance = np.where(possible, chance * (share if draw.wrong else 1 - share), 0)
        with np.errstate(divide="ignore"):
            capital = bettor.log_capital - np.log(np.maximum(chance, 0))
        kept &= set(numbers[capital < np.log(1 / alpha) - 1e-9].tolist())
    return kept


@given(histories(), st.sampled_from([0.05, 0.2, 0.5]))
def test_the_interval_is_all_numbers_that_no_look_refuses(
    case: tuple[int, list[tuple[bool, bool]]], alpha: float
) -> None:
    population, judged = case
    draws = drawn_in(population, judged)
    seen = Confidence(population, [alpha])
    for draw in draws:
        seen.add(draw)
    found = sum(wrong for _, wrong in judged)
    remaining = population - len(judged)
    certain = set(range(found, found + remaining + 1))
    kept = kept_by_all(population, draws, alpha) & certain or certain
    low, high = seen.interval(0, found, remaining)
    assert kept == set(range(low, high + 1))
    assert found <= seen.likeliest(found, remaining) <= found + remaining


@given(histories())
def test_no_bettor_gains_on_average_against_the_truth(
    case: tuple[int, list[tuple[bool, bool]]],
) -> None:
    population, judged = case
    for draw in drawn_in(population, judged):
        true = draw.found + (draw.remaining + 1) // 2
        if true > population:
            continue
        share = (true - draw.found) / draw.remaining
        expected = 0.0
        for wrong, chance in ((True, share), (False, 1 - share)):
            bettor = Bettor(population)
            bettor.settle(Draw(draw.found, draw.remaining, wrong))
            expected += np.exp(bettor.log_capital) if chance else 0.0
        assert expected <= 1 + 1e-9


def review_of(
    truth: npt.NDArray[np.bool_], n_queue: int, seed: int, alpha: float = ALPHA
) -> Replay:
    """Return a review of rows, the first of which are the queue in rank order."""
    rng = np.random.default_rng(seed)
    queue, others = np.arange(n_queue), np.arange(n_queue, len(truth))
    schedule = Schedule(queue, rng.permutation(queue), rng.permutation(others), 6)
    levels = (alpha, alpha * 0.2), (alpha, alpha * 0.8)
    replay = Replay(schedule, np.zeros(len(truth), dtype=bool), levels)
    replay.start()
    return replay


def errors_with_falling_precision(rng: np.random.Generator, n_queue: int, n: int) -> Any:
    share = np.r_[np.linspace(0.9, 0.05, n_queue), np.full(n - n_queue, 0.01)]
    return rng.random(n) < share


def missed(replay: Replay, truth: npt.NDArray[np.bool_]) -> list[bool]:
    """Return whether an interval misses what is left: of the queue, the other rows, both."""
    parts = [(replay.queue, replay.in_queue), (replay.unflagged, replay.in_unflagged)]
    true = [int((truth & inside & ~replay.done).sum()) for _, inside in parts]
    alone, added = ([stream.left(level) for stream, _ in parts] for level in (0, 1))
    ends = [(low, high) for _, low, high in alone]
    ends.append((sum(low for _, low, _ in added), sum(high for _, _, high in added)))
    return [not low <= n <= high for n, (low, high) in zip([*true, sum(true)], ends)]


@pytest.mark.parametrize("habit", ["as planned", "picks errors", "picks right rows"])
def test_the_interval_ever_misses_no_more_often_than_it_says(habit: str) -> None:
    rng = np.random.default_rng(1)
    runs, ever = 100, np.zeros(3)
    for run in range(runs):
        truth = errors_with_falling_precision(rng, 120, 1200)
        replay = review_of(truth, 120, run)
        any_missed = np.zeros(3, dtype=bool)
        for turn in range(130):
            assert replay.current is not None
            row = replay.current.row
            if habit != "as planned" and turn % 3 == 0:
                ahead = np.flatnonzero(~replay.done[:120] & (truth[:120] == (habit[6] == "e")))
                row = int(ahead[0]) if len(ahead) else row
            replay.judge(Judgement(row, bool(truth[row])))
            if turn % 5 == 4:
                any_missed |= missed(replay, truth)
        ever += any_missed
    assert (ever / runs <= ALPHA).all(), ever / runs


def test_an_interval_for_a_fixed_number_of_draws_fails_where_people_look_often() -> None:
    from burnish.model.binomial import wilson

    rng = np.random.default_rng(2)
    runs, ever, sequence = 200, 0, 0
    for _ in range(runs):
        wrong = np.cumsum(rng.random(200) < 0.1)
        n = np.arange(1, 201)
        low, high = wilson(wrong, n, 1 - ALPHA)
        ever += bool(((low > 0.1) | (high < 0.1)).any())
        seen = Confidence(100_000, [ALPHA])
        found = 0
        for drawn in range(60):
            hit = bool(wrong[drawn] > found)
            seen.add(Draw(found, 100_000 - drawn, hit))
            found += hit
        sequence += not seen.interval(0, found, 100_000 - 60)[0] <= 10_000
    assert ever / runs > 2 * ALPHA
    assert sequence / runs <= ALPHA


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 29), st.sampled_from([True, False, None])), max_size=40))
def test_a_replay_knows_the_same_draws_as_the_review_itself(
    made: list[tuple[int, bool | None]],
) -> None:
    truth = np.zeros(30, dtype=bool)
    live = review_of(truth, 12, 0)
    said: list[Judgement] = []
    for row, wrong in made:
        assert live.current is None or not live.done[live.current.row]
        turn = live.current.row if live.current is not None and row % 2 else row
        before = live.current
        already = bool(live.done[turn])
        said += [] if already else [Judgement(turn, wrong)]
        live.judge(Judgement(turn, wrong))
        if before is not None and turn != before.row:
            assert live.current == before
    again = review_of(truth, 12, 0)
    for each in said:
        again.judge(each)
    assert again.drawn == live.drawn
    assert again.current == live.current
    assert again.queue.left(0) == live.queue.left(0)
    order = list(live.order())
    assert len(order) == len(set(order))
    assert set(range(12)) <= set(order)


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=30))
def test_rows_of_which_it_is_not_known_widen_the_interval_both_ways(
    verdicts: list[bool | None],
) -> None:
    ends = []
    for taken_as in (False, None, True):
        replay = review_of(np.zeros(60, dtype=bool), 20, 3)
        for wrong in verdicts:
            assert replay.current is not None
            said = taken_as if wrong is None else wrong
            replay.judge(Judgement(replay.current.row, said))
        found = sum(wrong is True for wrong in verdicts)
        total = replay.queue.found + replay.unflagged.found
        lefts = [stream.left(0) for stream in (replay.queue, replay.unflagged)]
        low, high = sum(part[1] for part in lefts), sum(part[2] for part in lefts)
        ends.append((low + total - found, high + total - found))
    assert ends[1][0] == max(ends[0][0], 0)
    assert ends[1][1] == ends[2][1]
