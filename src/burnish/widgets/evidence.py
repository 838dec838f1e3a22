"""The evidence for a finding as the wire's values."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from burnish.review.part import Part
from burnish.review.value import Evidence
from burnish.session import Session
from burnish.widgets.state import Rows
from burnish.wire import schema

_TWINS = 20
_DECISIONS = 20


def evidence_of(session: Session, row: int) -> tuple[schema.Evidence, list[bytes]]:
    """Return what is known by now of a row, and the pictures of the rows it is compared with."""
    found = session.evidence(row)
    near, twins = _compared(found.neighbours), _compared(found.duplicates)[:_TWINS]
    others = list(dict.fromkeys(other for other, _ in (*near, *twins)))
    rows = Rows(session, others)
    codes = zip(others, session.label_codes(others), strict=True)
    beside: Any = {row: {"preview": rows.preview(row), "code": code} for row, code in codes}
    shown: schema.Evidence = {
        "row": row,
        "neighbours": [
            {**beside[other], "similarity": float(line["similarity"])} for other, line in near
        ],
        "duplicates": [
            {**beside[other], "kind": line["kind"], "split": _text(line["split"])}
            for other, line in twins
        ],
        "duplicate_total": len(found.duplicates),
        "pair": _pair(found.pair),
        **_model(found.model),  # type: ignore[typeddict-item]
        "decisions": [_decision(line) for line in found.decisions.of(0)[-_DECISIONS:]],
        "missing": _missing(found),
    }
    return shown, rows.buffers


def _compared(part: Part) -> list[tuple[int, dict[str, Any]]]:
    others = [] if part.others is None else part.others.tolist()
    return list(zip(others, part.of(0), strict=True))


def _pair(part: Part) -> schema.PairEvidence | None:
    for line in part.of(0):
        return {
            "given": _text(line["given"]),
            "suggestion": str(line["suggestion"]),
            "rate": _number(line["rate"]),
            "low": _number(line["low"]),
            "high": _number(line["high"]),
            "flagged": int(line["flagged"]),
            "accepted": int(line["accepted"]),
            "kept": int(line["kept"]),
        }
    return None


def _model(part: Part) -> dict[str, Any]:
    for line in part.of(0):
        return {"margin": _number(line["margin"]), "likeliest": _text(line["likeliest"])}
    return {"margin": None, "likeliest": None}


def _decision(line: dict[str, Any]) -> schema.PastDecision:
    finding = line["finding"]
    return {
        "verdict": line["verdict"],
        "by": str(line["author"]),
        "time": line["time"].astimezone(dt.UTC).isoformat(),
        "reason": line["reason"],
        "finding": None if finding is None else finding.split(":")[0],
    }


def _missing(found: Evidence) -> schema.EvidenceParts:
    return {
        "neighbours": _why(found.neighbours, "no vector for this row"),
        "duplicates": _why(found.duplicates, None),
        "pair": _why(found.pair, "no class pair"),
        "margin": _why(found.model, "no probabilities for this row"),
    }


def _why(part: Part, empty: str | None) -> str | None:
    if part.absent is not None:
        return "" if part.absent.waiting else part.absent.reason
    return None if len(part) else empty


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
