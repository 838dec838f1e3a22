"""Traits of the map and the list, shared by the widgets that show them."""

from __future__ import annotations

import traitlets

from burnish.session import Session
from burnish.session.listeners import Topic
from burnish.widgets.base import SessionWidget
from burnish.widgets.state import queue_info
from burnish.widgets.versions import graph_info
from burnish.wire.bytes import pack_bits, pack_codes, pack_rows, quantise


class MapTraits(SessionWidget):
    """Traits of the map."""

    points = traitlets.Bytes(b"").tag(sync=True)
    codes = traitlets.Bytes(b"").tag(sync=True)
    changed_rows = traitlets.Bytes(b"").tag(sync=True)
    changed_codes = traitlets.Bytes(b"").tag(sync=True)
    hidden = traitlets.Bytes(b"").tag(sync=True)
    flagged = traitlets.Bytes(b"").tag(sync=True)
    projection = traitlets.Dict().tag(sync=True)
    height = traitlets.Int(480).tag(sync=True)

    def _refresh_view(self, topic: Topic) -> None:
        super()._refresh_view(topic)
        if topic in ("head", "layout"):
            self._refresh_points()
            self._refresh_projection()
        if topic == "head":
            self.codes = pack_codes(self.session.head_codes)
        if topic in ("head", "data"):
            rows, codes = self.session.staged_codes()
            self.changed_rows, self.changed_codes = pack_rows(rows), pack_codes(codes)
        if topic in ("head", "data", "layout"):
            self.hidden = pack_bits(self.session.hidden())
        if topic in ("head", "queue"):
            self.flagged = pack_bits(self.session.flagged())

    def _refresh_points(self) -> None:
        layout = self.session.layout
        if layout is not None and layout.seq != self.projection.get("seq"):
            self.points, _ = quantise(layout.coordinates)

    def _refresh_projection(self) -> None:
        layout = self.session.layout
        if layout is not None:
            self.projection = {
                "name": layout.name,
                "missing": int((layout.missing & self.session.live).sum()),
                "progress": 0.0 if layout.pending else None,
                "progress_name": layout.pending,
                "seq": layout.seq,
            }


class QueueTraits(SessionWidget):
    """Traits of the list."""

    queue = traitlets.Any(None).tag(sync=True)
    evidence_seq = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(480).tag(sync=True)

    def _refresh_view(self, topic: Topic) -> None:
        super()._refresh_view(topic)
        if topic in ("head", "queue"):
            info = queue_info(self.session)
            self.queue = dict(info) if info is not None else None
        if topic in ("head", "evidence"):
            self.evidence_seq = self.session.evidence_seq


def lay_out(session: Session, projection: str) -> None:
    """Compute the picture unless the session has the one that is asked for."""
    layout = session.layout
    asked = projection == "auto" or (
        layout is not None and projection in (layout.name, layout.pending)
    )
    if layout is None or not asked:
        session.project(projection)


class HistoryTraits(SessionWidget):
    """Traits of the history."""

    graph = traitlets.Dict().tag(sync=True)
    height = traitlets.Int(480).tag(sync=True)

    def _refresh_view(self, topic: Topic) -> None:
        super()._refresh_view(topic)
        if topic in ("head", "data"):
            self.graph = dict(graph_info(self.session))
