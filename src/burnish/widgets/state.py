"""Rows and progress of a session as the wire's values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa

from burnish.core.canonical import is_list
from burnish.core.keys import plain
from burnish.dataset.reading import keys_at
from burnish.io.frames import to_arrays
from burnish.session import Session
from burnish.session.pictures import LARGE, SMALL, ink_of, png
from burnish.wire import schema

_SNIPPET = 160
_WHOLE = 100_000
_VALUE = 200
_FIELDS = 40
_SAMPLE = 200


def status_of(session: Session) -> schema.Status:
    """Return where the working copy stands."""
    ds, roles, staged = session.ds, session.roles, session.staged
    viewing = session.viewing is not None
    return {
        "dataset": ds.path.name.removesuffix(".burnish"),
        "branch": ds.branch_name,
        "version": session.version.name,
        "rows": session.state.n_live,
        "dropped": session.state.n_there - session.state.n_live,
        "staged": len(staged),
        "decisions": len(staged.decisions),
        "undo": None if viewing else ds.undo_text,
        "redo": None if viewing else ds.redo_text,
        "author": ds.user,
        "read_only": viewing,
        "viewing": session.version.name if viewing else None,
        "label": session.label,
        "has_image": "image" in roles,
        "has_text": "text" in roles,
    }


def queue_info(session: Session) -> schema.QueueInfo | None:
    """Return progress through the queue."""
    queue = session.queue
    if queue is None:
        return None
    counts = queue.counts()
    return {
        "id": queue.findings.id,
        "title": queue.findings.code.replace("-", " ").capitalize() + "s",
        "total": len(queue),
        "accepted": counts["accepted"],
        "kept": counts["kept"],
        "skipped": counts["skipped"],
        "unsure": counts["unsure"],
        "left": str(queue.left) if queue.left else None,
        "seq": queue.seq,
    }


class Rows:
    """Reads some rows at once for the browser, with their images as buffers.

    Parameters
    ----------
    session : Session
    rows : list of int
        Ordinals.
    """

    def __init__(self, session: Session, rows: list[int], *, large: bool = False) -> None:
        self.session = session
        self.ordinals = np.array(rows, dtype=np.int64)
        self.buffers: list[bytes] = []
        self._place = {row: i for i, row in enumerate(rows)}
        self._largest = LARGE if large else SMALL
        state = session.state
        self._keys = keys_at(state, self.ordinals)
        self._labels = self._take(session.label)
        self._texts = self._take(_first(session.roles.get("text")))
        self._pictures = self._images()
        self._live = state.is_live(self.ordinals)

    def preview(self, row: int) -> schema.Preview:
        """Return a row in short."""
        i = self._place[row]
        found = self.session.queue.finding_at(row) if self.session.queue else None
        suggestion = _name(found["suggestion"]) if found else None
        likeliest = self.probabilities(row)
        if suggestion is None and likeliest:
            suggestion = likeliest[0]["name"]
        return {
            "row": row,
            "key": _key_text(self._keys[i]),
            "label": _name(self._labels[i]),
            "suggestion": suggestion,
            "probability": next(
                (p["probability"] for p in likeliest if p["name"] == suggestion), None
            ),
            "text": _shorten(self._texts[i], _SNIPPET),
            "image": self._picture(i),
            "dropped": not self._live[i],
        }

    def line(self, row: int) -> schema.QueueRow:
        """Return a row as a line of the list."""
        queue = self.session.queue
        assert queue is not None
        found = queue.finding_at(row)
        assert found is not None
        verdict = queue.verdicts.get(row)
        return {
            "rank": found["rank"],
            "given": _name(found["given"]),
            "score": found["score"],
            "verdict": verdict.verdict if verdict else None,  # type: ignore[typeddict-item]
            "preview": self.preview(row),
        }

    def item(self, row: int) -> schema.Item:
        """Return a row in full."""
        session, i = self.session, self._place[row]
        found = session.queue.finding_at(row) if session.queue else None
        verdict = session.queue.verdicts.get(row) if session.queue else None
        split = self._take(session.roles.get("split"))[i]
        return {
            "preview": self.preview(row),
            "given": session.class_name(int(session.head_codes[row])),
            "split": None if split is None else str(split),
            "score": found["score"] if found else None,
            "rank": found["rank"] if found else None,
            "verdict": verdict.verdict if verdict else None,  # type: ignore[typeddict-item]
            "verdict_by": verdict.by if verdict else None,
            "probabilities": self.probabilities(row),
            "fields": self._fields(row),
            "text": _shorten(self._texts[i], _WHOLE),
        }

    def probabilities(self, row: int) -> list[schema.ClassProbability]:
        """Return the class probabilities of a row, likeliest first; empty when unknown."""
        queue = self.session.queue
        probs = queue.findings.probabilities if queue else None
        place = probs.places.get(self._keys[self._place[row]]) if probs else None
        if probs is None or place is None:
            return []
        values = probs.values[place]
        names = [str(name) for name in probs.classes]
        codes = {name: code for code, name in enumerate(self.session.classes.names)}
        return [
            {"name": names[k], "code": codes.get(names[k], -1), "probability": float(values[k])}
            for k in np.argsort(-values, kind="stable")
        ]

    def _fields(self, row: int) -> list[schema.FieldValue]:
        state, roles = self.session.state, self.session.roles
        seen = [_first(roles.get(role)) for role in ("label", "image", "text", "split")]
        shown = {*seen, *state.key}
        names = [
            n
            for n in state.names
            if n not in shown and not is_list(state.type_of(n)) and not _is_bytes(state.type_of(n))
        ]
        one = np.array([row], dtype=np.int64)
        return [
            {"name": name, "value": _value_text(state.take(name, one)[0].as_py())}
            for name in names[:_FIELDS]
        ]

    def _take(self, column: str | None) -> list[Any]:
        if column is None:
            return [None] * len(self.ordinals)
        values: list[Any] = self.session.state.take(column, self.ordinals).to_pylist()
        return values

    def _images(self) -> list[Any]:
        column = self.session.roles.get("image")
        if column is None:
            return [None] * len(self.ordinals)
        return images(self.session.state.take(column, self.ordinals))

    def _picture(self, i: int) -> int | None:
        if self._pictures[i] is None:
            return None
        drawn = png(self._pictures[i], ink(self.session), self._largest)
        if drawn is None:
            return None
        self.buffers.append(drawn)
        return len(self.buffers) - 1


def images(column: pa.Array) -> list[Any]:
    """Return a column of images as arrays or bytes."""
    return to_arrays(column) if is_list(column.type) else list(column.to_pylist())


def ink(session: Session) -> tuple[float, float]:
    """Return the values that are drawn white and black, the same for the whole dataset."""
    found: tuple[float, float] | None = session.memo.get("ink")
    if found is None:
        column = session.roles["image"]
        rows = np.arange(min(_SAMPLE, session.n_rows), dtype=np.int64)
        found = ink_of(images(session.state.take(column, rows)))
        session.memo["ink"] = found
    return found


def _first(columns: str | list[str] | None) -> str | None:
    return columns[0] if isinstance(columns, list) else columns


def _name(value: Any) -> str | None:
    return None if value is None else str(plain(value))


def _key_text(key: Any) -> str:
    return " · ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _shorten(text: Any, limit: int) -> str | None:
    if text is None:
        return None
    whole = str(text)
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def _value_text(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else str(value)
    return _shorten(value, _VALUE) or ""


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
