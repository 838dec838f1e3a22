"""Findings under review, in rank order, with the verdicts so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from burnish.core.delta import Ordinals
from burnish.core.finding import Findings


@dataclass(frozen=True)
class Verdict:
    """The last decision on a row."""

    verdict: str
    by: str


@dataclass(frozen=True, eq=False)
class Queue:
    """Findings in rank order.

    Attributes
    ----------
    findings : Findings
    ordinals : array of shape (n,)
        Row of each finding.
    rank_of : dict
        Ordinal → rank.
    """

    findings: Findings
    ordinals: Ordinals
    rank_of: dict[int, int]
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    seq: int = 0

    @classmethod
    def of(cls, findings: Findings, ordinals: Ordinals) -> Queue:
        """Return a queue in the findings' order."""
        return cls(findings, ordinals, {int(o): rank for rank, o in enumerate(ordinals)})

    def judged(self, decisions: pa.Table) -> Queue:
        """Return the queue with the verdicts of a table of decisions.

        Decisions on earlier findings of the same kind count as well.
        """
        code = self.findings.code
        latest: dict[int, Verdict] = {}
        rows = decisions.select(["ordinal", "verdict", "finding", "author"]).to_pydict()
        for ordinal, verdict, finding, by in zip(*rows.values(), strict=True):
            if ordinal in self.rank_of and str(finding or code).split(":")[0] == code:
                latest[ordinal] = Verdict(verdict, by)
        return Queue(self.findings, self.ordinals, self.rank_of, latest, self.seq + 1)

    def counts(self) -> Counter[str]:
        """Return how many findings have each verdict."""
        return Counter(entry.verdict for entry in self.verdicts.values())

    def undecided(self) -> list[int]:
        """Return the rows without a verdict, best ranked first."""
        return [int(o) for o in self.ordinals if int(o) not in self.verdicts]

    def step(self, current: int, by: int, undecided: bool) -> int:
        """Return the row that many places from the current one, the same where there is none."""
        rank = self.rank_of.get(current, -1 if by > 0 else len(self.ordinals))
        while 0 <= (rank := rank + by) < len(self.ordinals):
            row = int(self.ordinals[rank])
            if not (undecided and row in self.verdicts):
                return row
        return current

    def after(self, current: int) -> int:
        """Return the next row without a verdict, from the top after the last one, -1 at the end."""
        following = self.step(current, 1, True)
        if following != current:
            return following
        return next((int(o) for o in self.ordinals if int(o) not in self.verdicts), -1)

    def finding_at(self, ordinal: int) -> dict[str, Any] | None:
        """Return what the findings say about a row."""
        rank = self.rank_of.get(ordinal)
        if rank is None:
            return None
        found = self.findings[rank]
        return {
            "rank": rank,
            "score": found.score,
            "given": found.given,
            "suggestion": found.suggestion,
        }

    def __len__(self) -> int:
        return len(self.ordinals)


def bits(ordinals: Ordinals | list[int], size: int) -> npt.NDArray[np.bool_]:
    """Return a mask of that size that is true at the ordinals."""
    mask = np.zeros(size, dtype=bool)
    mask[np.asarray(ordinals, dtype=np.int64)] = True
    return mask
