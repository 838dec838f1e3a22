"""What a version came from and what was made of it."""

from __future__ import annotations

import html
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from burnish.core.delta import Delta
from burnish.core.version import Version
from burnish.dataset.views import as_html


@dataclass(frozen=True, eq=False)
class Lineage:
    """What led to a version and what was made of it.

    Attributes
    ----------
    version : Version
    parents : tuple of Version
    findings : dict of str to int
        Findings that suggested its cells or were judged in it, and how many of each.
    decisions : dict of str to int
        Verdicts that it holds.
    links : tuple of (str, dict)
        Evaluations, exports and trainings of the version: kind and what was noted, oldest first.
    """

    version: Version
    parents: tuple[Version, ...]
    findings: dict[str, int]
    decisions: dict[str, int]
    links: tuple[tuple[str, dict[str, Any]], ...]

    def frame(self) -> pd.DataFrame:
        """Return a table with columns ``kind, name, detail``."""
        rows: list[tuple[str, str, Any]] = [
            *(("parent", parent.name, parent.message) for parent in self.parents),
            *(("finding", name, f"{n:,} cells and decisions") for name, n in self.findings.items()),
            *(("decision", verdict, f"{n:,}") for verdict, n in self.decisions.items()),
            *((kind, _name(content), content) for kind, content in self.links),
        ]
        return pd.DataFrame(rows, columns=["kind", "name", "detail"])

    def __repr__(self) -> str:
        counts = Counter(kind for kind, _ in self.links)
        parts = [
            f"from {', '.join(parent.name for parent in self.parents) or 'nothing'}",
            *(f"{n:,} {name}" for name, n in (("findings", len(self.findings)),) if n),
            *(f"{n:,} {verdict}" for verdict, n in self.decisions.items()),
            *(f"{n:,} {kind}{'s' * (n > 1)}" for kind, n in counts.items()),
        ]
        return f"Lineage({self.version.name}: {', '.join(parts)})"

    def _repr_html_(self) -> str:
        table = as_html(self.frame())
        return f"<div>{html.escape(repr(self))}</div>{table}"


def lineage_of(
    version: Version,
    parents: tuple[Version, ...],
    delta: Delta,
    links: list[tuple[str, str, dict[str, Any]]],
) -> Lineage:
    """Return the lineage of a version from its change and what was noted about it."""
    findings: Counter[str] = Counter()
    for table in [*delta.cells.values(), delta.decisions]:
        findings.update(filter(None, table["finding"].to_pylist()))
    decisions = Counter(delta.decisions["verdict"].to_pylist())
    noted = tuple((kind, content) for _, kind, content in links)
    return Lineage(version, parents, dict(findings), dict(decisions), noted)


def _name(content: dict[str, Any]) -> str:
    for name in ("file", "name", "metric", "version"):
        if name in content:
            return str(content[name])
    return ""
