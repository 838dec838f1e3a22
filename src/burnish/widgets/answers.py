"""One answer for each request of the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from burnish.errors import InputError
from burnish.session import Session
from burnish.session.classes import NO_CLASS
from burnish.widgets.evidence import evidence_of
from burnish.widgets.state import Rows
from burnish.widgets.versions import detail, story_of
from burnish.wire.bytes import unpack_bits

Arguments: TypeAlias = dict[str, Any]
Answer: TypeAlias = tuple[dict[str, Any], list[bytes]]
_PAGE = 500
_NOTHING: Answer = ({}, [])


def peek(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Answer with a row in short."""
    session.check_row(given["row"])
    rows = Rows(session, [given["row"]])
    return {"preview": rows.preview(given["row"])}, rows.buffers


def page(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Answer with lines of the queue."""
    queue = session.queue
    if queue is None:
        return {"total": 0, "rows": []}, []
    lines = queue.undecided() if given["undecided"] else [int(o) for o in queue.ordinals]
    start = max(0, int(given["start"]))
    wanted = lines[start : min(int(given["stop"]), start + _PAGE)]
    rows = Rows(session, wanted)
    return {"total": len(lines), "rows": [rows.line(row) for row in wanted]}, rows.buffers


def item(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Answer with a row in full."""
    session.check_row(given["row"])
    rows = Rows(session, [given["row"]], large=True)
    return {"item": rows.item(given["row"])}, rows.buffers[:1]


def evidence(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Answer with what speaks for and against the finding on a row."""
    found, buffers = evidence_of(session, given["row"])
    return {"evidence": found}, buffers


def focus(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Make a row the current one."""
    session.focus(given["row"])
    return _NOTHING


def select(session: Session, given: Arguments, buffers: list[Any]) -> Answer:
    """Replace the selection by a bitmap."""
    rows = unpack_bits(buffers[0], session.n_rows) if buffers else np.empty(0, np.int64)
    session.select_rows(rows, str(given["source"]))
    return _NOTHING


def summary(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Answer with what a bulk act on the selection would change."""
    live = session.selected[session.state.is_live(session.selected)]
    codes = session.live_codes[live]
    counts = [(session.class_name(int(c)), int(n)) for c, n in zip(*_counted(codes), strict=True)]
    names = session.classes.names
    target = names.index(given["to"]) if given["to"] in names else NO_CLASS + 1
    unchanged = int((codes == target).sum())
    return {
        "rows": len(session.selected),
        "hidden": int(session.hidden()[session.selected].sum()),
        "changed": len(live) - unchanged,
        "unchanged": unchanged,
        "labels": [{"name": name, "count": n} for name, n in counts],
    }, []


def relabel(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Give rows a class."""
    session.relabel(given["rows"], given["to"], given["reason"] or None, given["advance"])
    return _NOTHING


def decide(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Record a verdict."""
    session.decide(given["row"], given["verdict"], given["reason"] or None, given["advance"])
    return _NOTHING


def drop(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Drop rows."""
    session.drop(given["rows"], given["reason"] or None, given["advance"])
    return _NOTHING


def restore(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Bring rows back."""
    session.restore(given["rows"])
    return _NOTHING


def mark(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Mark rows."""
    session.mark(given["rows"], given["name"])
    return _NOTHING


def step(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Move along the queue."""
    session.step(1 if given["by"] > 0 else -1, given["undecided"])
    return _NOTHING


def undo(session: Session, _given: Arguments, _: list[Any]) -> Answer:
    """Take the last step back."""
    session.undo()
    return _NOTHING


def redo(session: Session, _given: Arguments, _: list[Any]) -> Answer:
    """Do again what was undone."""
    session.redo()
    return _NOTHING


def commit(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Commit what is staged."""
    version, text = session.commit(given["message"], given["author"] or None)
    return {"version": version, "text": text}, []


def versions(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Answer with lines of the history."""
    story = story_of(session)
    start = max(0, int(given["start"]))
    stop = min(int(given["stop"]), start + _PAGE)
    return {"total": len(story), "rows": [story.line(i) for i in range(len(story))[start:stop]]}, []


def version(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Answer with a version in full."""
    return {"detail": detail(session, _commit(given["version"]))}, []


def view(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Look at a version, or return to the working copy."""
    if given["version"] is None:
        session.return_to_branch()
    else:
        session.view(_commit(given["version"]))
    return _NOTHING


def revert(session: Session, given: Arguments, _: list[Any]) -> Answer:
    """Take a version back."""
    name, text = session.revert(_commit(given["version"]))
    return {"version": name, "text": text}, []


def script(session: Session, _given: Arguments, _: list[Any]) -> Answer:
    """Answer with the session's acts as Python."""
    return {"code": session.script(), "acts": len(session.acts)}, []


def _commit(given: Any) -> str:
    if not isinstance(given, str):
        raise InputError(f"{given!r} is no version id", hint="reload the page")
    return given


def _counted(codes: Any) -> tuple[Any, Any]:
    values, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return values[order], counts[order]


ANSWERS: dict[str, Callable[[Session, Arguments, list[Any]], Answer]] = {
    answer.__name__: answer
    for answer in (
        peek,
        page,
        item,
        evidence,
        focus,
        select,
        summary,
        relabel,
        decide,
        drop,
        restore,
        mark,
        step,
        undo,
        redo,
        commit,
        versions,
        version,
        view,
        revert,
        script,
    )
}
