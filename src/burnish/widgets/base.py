"""What every widget has: the shared traits, requests and their answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import anywidget
import traitlets

from burnish.core.finding import Findings
from burnish.core.selection import Selection
from burnish.dataset import Dataset
from burnish.errors import BurnishError, InputError
from burnish.review import ReviewPlan
from burnish.session import Session, of
from burnish.session.listeners import Topic
from burnish.widgets.answers import ANSWERS
from burnish.widgets.state import status_of
from burnish.wire import schema
from burnish.wire.bytes import pack_bits

_STATIC = Path(__file__).parent.parent / "static"
_LOG = logging.getLogger("burnish")
_ARGUMENTS = {
    get_args(get_type_hints(request)["kind"])[0]: frozenset(get_type_hints(request)) - {"kind"}
    for request in schema.REQUESTS
}


def bundle(name: str) -> str:
    """Return the JavaScript of a widget.

    Raises
    ------
    InputError
        The package was installed without it.
    """
    path = _STATIC / f"{name}.js"
    if not path.is_file():
        raise InputError(
            f"the front end {path.name} is missing from the installed package",
            hint="in a clone run `make js`; else reinstall burnish",
        )
    return path.read_text(encoding="utf-8")


def session_of(ds: Any) -> Session:
    """Return the session of a dataset, whose background work ends in this kernel's loop.

    Raises
    ------
    InputError
        It is something else.
    """
    if not isinstance(ds, Dataset):
        raise InputError(
            f"a widget shows a Dataset, got {type(ds).__name__}",
            hint="ds = bn.open(path)",
        )
    session = of(ds)
    session.run_on(_scheduler())
    return session


class SessionWidget(anywidget.AnyWidget):
    """A view on the session of a dataset.

    Attributes
    ----------
    selection : Selection
        The selected rows; observable, and settable with keys.
    """

    contract = traitlets.Int(schema.CONTRACT_VERSION).tag(sync=True)
    revision = traitlets.Int(0).tag(sync=True)
    n_rows = traitlets.Int(0).tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    classes: traitlets.List[Any] = traitlets.List().tag(sync=True)
    current = traitlets.Int(-1).tag(sync=True)
    selected = traitlets.Bytes(b"").tag(sync=True)
    selected_count = traitlets.Int(0).tag(sync=True)
    selected_source = traitlets.Unicode("").tag(sync=True)
    last_action = traitlets.Any(None).tag(sync=True)
    selection = traitlets.Any(Selection(()))

    def __init__(self, ds: Dataset, **traits: Any) -> None:
        self.session = session_of(ds)
        super().__init__(selection=self.session.selection, **traits)
        self._refresh_all()
        self._unsubscribe = self.session.subscribe(self._hear)
        self.on_msg(self._on_request)

    @property
    def ds(self) -> Dataset:
        """The dataset that is shown."""
        return self.session.ds

    def close(self) -> None:
        """Close the widget and stop listening."""
        if hasattr(self, "_unsubscribe"):
            self._unsubscribe()
        super().close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.session.ds!r})"

    @traitlets.validate("selection")
    def _as_selection(self, proposal: Any) -> Selection:
        value = proposal["value"]
        chosen = value if isinstance(value, Selection) else Selection(value)
        self.session.check_keys(chosen)
        return chosen

    @traitlets.observe("selection")
    def _on_selection(self, change: Any) -> None:
        if change["new"] != self.session.selection:
            self.session.select(change["new"])

    def _refresh_all(self) -> None:
        with self.hold_sync():
            self._refresh_shared()
            self._refresh_selection()
            self.current = self.session.current
            self._refresh_view("head")

    def _hear(self, topic: Topic) -> None:
        with self.hold_sync():
            if topic == "selection":
                self._refresh_selection()
            elif topic == "current":
                self.current = self.session.current
            elif topic != "evidence":
                self._refresh_shared()
            self._refresh_view(topic)

    def _refresh_shared(self) -> None:
        session = self.session
        self.n_rows, self.revision = session.n_rows, session.revision
        self.status = dict(status_of(session))
        counts = session.class_counts()
        caps = session.classes.keycaps()
        self.classes = [
            {"name": name, "count": int(n), "keycap": cap}
            for name, n, cap in zip(session.classes.names, counts, caps, strict=True)
        ]
        act = session.acts[-1] if session.acts else None
        self.last_action = {"text": act.text, "code": act.code, "seq": act.seq} if act else None

    def _refresh_selection(self) -> None:
        session = self.session
        mask = session.selected_mask()
        self.selected = pack_bits(mask) if len(session.selected) else b""
        self.selected_count = len(session.selected)
        self.selected_source = session.source
        if session.selection != self.selection:
            self.selection = session.selection

    def _refresh_view(self, topic: Topic) -> None:
        """Bring the view's own traits up to date."""

    def _on_request(self, _: Any, content: Any, buffers: list[Any]) -> None:
        answer, out = respond(self.session, self.revision, content, buffers)
        self.send({"id": content.get("id"), "view": content.get("view"), **answer}, out)


def respond(
    session: Session, revision: int, content: Any, buffers: list[Any]
) -> tuple[dict[str, Any], list[bytes]]:
    """Return the answer to a request: ``done`` with a result, or ``failed`` with an error."""
    try:
        kind = content.get("kind")
        _check_request(kind, content, revision)
        arguments = {name: content[name] for name in _ARGUMENTS[kind]}
        result, out = ANSWERS[kind](session, arguments, buffers)
        return {"kind": "done", "result": result}, out
    except BurnishError as error:
        return _failed(error.code, error.message, error.hint), []
    except Exception as error:
        _LOG.exception("a request of a widget failed")
        return _failed("internal", f"{type(error).__name__}: {error}", "run the cell again"), []


def _check_request(kind: Any, content: dict[str, Any], revision: int) -> None:
    if kind not in _ARGUMENTS:
        raise InputError(f"unknown request {kind!r}", hint="reload the page")
    missing = _ARGUMENTS[kind] - set(content)
    if missing:
        raise InputError(
            f"request {kind!r} lacks {', '.join(sorted(missing))}", hint="reload the page"
        )
    if content.get("revision", revision) != revision:
        raise InputError(
            f"the rows changed since this was selected (revision {content['revision']}, "
            f"now {revision})",
            hint="select again",
        )


def _failed(code: str, message: str, hint: str) -> dict[str, Any]:
    return {"kind": "failed", "error": {"code": code, "message": message, "hint": hint}}


def _scheduler() -> Callable[[Callable[[], None]], None]:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return lambda call: call()

    def schedule(call: Callable[[], None]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(call)

    return schedule


def checked_review(ds: Dataset, findings: Any) -> Findings | ReviewPlan:
    """Return findings, or a plan of their review on this dataset.

    Raises
    ------
    InputError
        It is something else.
    """
    if isinstance(findings, Findings):
        return findings
    if isinstance(findings, ReviewPlan):
        if session_of(findings.ds) is session_of(ds):
            return findings
        raise InputError(
            f"the plan is for {findings.ds!r}, not for {ds!r}",
            hint="plan = bn.ReviewPlan(ds, issues)",
        )
    raise InputError(
        f"expected Findings, got {type(findings).__name__}",
        hint="issues = bn.find.label_issues(ds, probs)",
    )
