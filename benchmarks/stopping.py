"""How many errors are left: how often the interval ever misses, and how wide it is.

Simulated reviews of a queue whose precision falls, among many other rows of which few are wrong.
Beside the interval that holds at every look stands Wilson's for a fixed number of draws, looked
at as often. ``--runs`` and ``--decisions`` make a small run.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from burnish.model.binomial import wilson
from burnish.review.schedule import Judgement, Replay, Schedule, Stream

LOOKS = (200, 500, 1000)
PLACES = ("queue", "unflagged", "dataset")


@dataclass
class Tally:
    """What was seen over all runs."""

    missed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    spans: dict[tuple[int, str], list[tuple[int, int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def truth_of(rng: np.random.Generator, given: argparse.Namespace) -> np.ndarray:
    falling = np.linspace(given.first, given.last, given.queue)
    return (
        rng.random(given.queue + given.others) < np.r_[falling, np.full(given.others, given.rate)]
    )


def replay_of(rng: np.random.Generator, given: argparse.Namespace) -> Replay:
    queue = np.arange(given.queue)
    others = np.arange(given.queue, given.queue + given.others)
    schedule = Schedule(queue, rng.permutation(queue), rng.permutation(others), given.every)
    alpha = given.alpha
    levels = (alpha, alpha * 0.2), (alpha, alpha * 0.8)
    replay = Replay(schedule, np.zeros(given.queue + given.others, dtype=bool), levels)
    replay.start()
    return replay


def intervals(replay: Replay) -> dict[str, tuple[int, int]]:
    streams = (replay.queue, replay.unflagged)
    alone, added = ([s.left(level)[1:] for s in streams] for level in (0, 1))
    return dict(zip(PLACES, [*alone, tuple(map(sum, zip(*added, strict=True)))], strict=True))


def fixed(stream: Stream, wrong: int, alpha: float) -> tuple[float, float]:
    low, high = wilson(wrong, stream.n_draws, 1 - alpha)
    return float(low) * stream.remaining, float(high) * stream.remaining


def run(rng: np.random.Generator, given: argparse.Namespace, tally: Tally) -> None:
    truth, replay = truth_of(rng, given), replay_of(rng, given)
    left = np.array([truth[: given.queue].sum(), truth[given.queue :].sum()])
    drawn_wrong = np.zeros(2, dtype=int)
    missed = set()
    for decision in range(1, given.decisions + 1):
        item = replay.current
        wrong, place = bool(truth[item.row]), int(item.row >= given.queue)
        replay.judge(Judgement(item.row, wrong))
        left[place] -= wrong
        if item.kind != "ranked":
            drawn_wrong[place] += wrong
        elif decision not in LOOKS:
            continue
        true = dict(zip(PLACES, [*left, left.sum()], strict=True))
        spans = intervals(replay)
        missed |= {n for n, (low, high) in spans.items() if not low <= true[n] <= high}
        low, high = fixed(replay.queue, int(drawn_wrong[0]), given.alpha)
        if not low <= left[0] <= high:
            missed.add("queue, Wilson")
        if decision in LOOKS:
            for name, (low, high) in spans.items():
                tally.spans[decision, name].append((true[name], low, high))
    for name in missed:
        tally.missed[name] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in {"runs": 60, "decisions": 1000, "queue": 1000, "others": 100_000}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    for name, value in {"first": 0.9, "last": 0.05, "rate": 0.005, "alpha": 0.05}.items():
        parser.add_argument(f"--{name}", type=float, default=value)
    parser.add_argument("--every", type=int, default=10)
    given = parser.parse_args()
    rng, tally = np.random.default_rng(0), Tally()
    for _ in range(given.runs):
        run(rng, given, tally)
    print(f"{given.runs} reviews, {given.decisions} decisions; runs that ever missed, of 1:")
    for name in (*PLACES, "queue, Wilson"):
        print(f"  {name:14} {tally.missed[name] / given.runs:.3f}  (allowed {given.alpha})")
    print("medians: decisions, where, errors left, low, high")
    for (decision, name), spans in sorted(tally.spans.items()):
        true, low, high = np.median(spans, axis=0)
        print(f"  {decision:5} {name:10} {true:7.0f} {low:7.0f} {high:7.0f}")


if __name__ == "__main__":
    main()
