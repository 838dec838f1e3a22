"""Findings under review, in rank order, with the verdicts so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import Ordinals
from burnish.core.finding import Finding, Findings
from burnish.review import Left, ReviewPlan


@dataclass(frozen=True)
class Verdict:
    """The last decision on a row."""

    verdict: str
    by: str


@dataclass(frozen=True, eq=False)
class Queue:
    """Findings in the order of their review: by rank, rows that were drawn where their turn came.

    Attributes
    ----------
    findings : Findings
    ordinals : array of shape (n,)
        Row of each finding, and of each other row that was drawn.
    rank_of : dict
        Ordinal → place in the queue.
    finding_of : dict
        Ordinal → place among the findings.
    dropped : set of int
        Rows that were dropped; they wait for no verdict.
    plan : ReviewPlan, optional
        Which rows are drawn.
    due : int
        The row whose turn it is, -1 for none or without a plan.
    left : Left, optional
        What the plan says is left.
    """

    findings: Findings
    ordinals: Ordinals
    rank_of: dict[int, int]
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    dropped: frozenset[int] = frozenset()
    seq: int = 0
    finding_of: dict[int, int] = field(default_factory=dict)
    plan: ReviewPlan | None = None
    due: int = -1
    left: Left | None = None

    @classmethod
    def of(cls, findings: Findings, ordinals: Ordinals, plan: ReviewPlan | None = None) -> Queue:
        """Return a queue in the findings' order."""
        places = _places(ordinals)
        return cls(findings, ordinals, places, finding_of=places, plan=plan)

    def planned(self) -> Queue:
        """Return the queue with the rows that the plan has drawn by now."""
        if self.plan is None:
            return self
        replay = self.plan.replay()
        ordinals = np.fromiter(replay.order(), dtype=np.int64)
        due = replay.current.row if replay.current else -1
        return replace(
            self, ordinals=ordinals, rank_of=_places(ordinals), due=due, left=self.plan.left()
        )

    def judged(self, decisions: pa.Table, dropped: Iterable[int] = ()) -> Queue:
        """Return the queue with the verdicts of a table of decisions, and the rows dropped since.

        Decisions on earlier findings of the same kind count as well.
        """
        code = self.findings.code
        latest: dict[int, Verdict] = {}
        rows = decisions.select(["ordinal", "verdict", "finding", "author"]).to_pydict()
        codes = {code, self.plan.code} if self.plan else {code}
        alike = {name for name in set(rows["finding"]) if (name or code).split(":")[0] in codes}
        for ordinal, verdict, finding, by in zip(*rows.values(), strict=True):
            if finding in alike and ordinal in self.rank_of:
                latest[ordinal] = Verdict(verdict, by)
        gone = self.rank_of.keys() & set(dropped)
        return replace(self, verdicts=latest, dropped=frozenset(gone), seq=self.seq + 1)

    def counts(self) -> Counter[str]:
        """Return how many findings have each verdict."""
        return Counter(entry.verdict for entry in self.verdicts.values())

    def undecided(self) -> list[int]:
        """Return the rows that wait for a verdict, best ranked first."""
        return [int(o) for o in self.ordinals if self.is_open(int(o))]

    def is_open(self, row: int) -> bool:
        """Return whether a row of the queue waits for a verdict."""
        return row not in self.verdicts and row not in self.dropped

    def step(self, current: int, by: int, undecided: bool) -> int:
        """Return the row that many places from the current one, the same where there is none."""
        rank = self.rank_of.get(current, -1 if by > 0 else len(self.ordinals))
        while 0 <= (rank := rank + by) < len(self.ordinals):
            row = int(self.ordinals[rank])
            if not undecided or self.is_open(row):
                return row
        return current

    def after(self, current: int) -> int:
        """Return the next row that waits for a verdict, from the top again, -1 when none does.

        With a plan it is the row whose turn it is.
        """
        if self.plan is not None:
            return self.due
        following = self.step(current, 1, True)
        if following != current:
            return following
        return next((int(o) for o in self.ordinals if self.is_open(int(o))), -1)

    def finding_at(self, ordinal: int) -> dict[str, Any] | None:
        """Return what the findings say about a row."""
        rank = self.rank_of.get(ordinal)
        if rank is None:
            return None
        found = self._found(ordinal)
        return {
            "rank": rank,
            "score": found.score,
            "given": found.given,
            "suggestion": found.suggestion,
        }

    def because(self, ordinal: int) -> Findings:
        """Return the findings that a decision on a row of the queue is on."""
        if self.plan is None or ordinal in self.finding_of:
            return self.findings
        return self.plan.because_of(ordinal)

    def assumed(self, lines: list[str]) -> list[str]:
        """Return comments on the names that lines of Python use."""
        names = {
            "because=issues": f"# issues are the findings {self.findings.id}",
            "because=plan": f"# plan is {self.plan.code_text}" if self.plan else "",
        }
        return [said for name, said in names.items() if any(name in line for line in lines)]

    def _found(self, ordinal: int) -> Finding:
        place = self.finding_of.get(ordinal)
        return self.findings[place] if place is not None else self.because(ordinal)[0]

    def __len__(self) -> int:
        return len(self.ordinals)


def _places(ordinals: Ordinals) -> dict[int, int]:
    return {int(o): place for place, o in enumerate(ordinals)}


def bits(ordinals: Ordinals | list[int], size: int) -> npt.NDArray[np.bool_]:
    """Return a mask of that size that is true at the ordinals."""
    mask = np.zeros(size, dtype=bool)
    mask[np.asarray(ordinals, dtype=np.int64)] = True
    return mask
