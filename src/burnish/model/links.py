"""Training fingerprints that a store remembers, beside the versions they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from burnish.model.fingerprinting import TrainingFingerprint

LINK = "training"


def remember(reading: Any, made: TrainingFingerprint) -> None:
    """Link a fingerprint to its version, where the store keeps links."""
    backend = reading._history.backend
    if hasattr(backend, "link") and made.record not in remembered(reading):
        backend.link(made.record["version_id"], LINK, made.record)


def remembered(reading: Any) -> list[dict[str, Any]]:
    """Return the records of all fingerprints that a store remembers."""
    backend = reading._history.backend
    links = backend.links() if hasattr(backend, "links") else []
    return [content for _, kind, content in links if kind == LINK]
