"""Training fingerprints that a store remembers, beside the versions they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from burnish.model.fingerprinting import TrainingFingerprint

LINK = "training"


def remember(reading: Any, made: TrainingFingerprint) -> None:
    """Note a fingerprint beside its version."""
    reading._history.note(made.record["version_id"], LINK, dict(made.record))


def remembered(reading: Any) -> list[dict[str, Any]]:
    """Return the records of all fingerprints that a store remembers."""
    return [content for _, kind, content in reading._history.backend.links() if kind == LINK]
