"""What holds for every widget: its traits, its answers, and how widgets follow each other."""

from __future__ import annotations

import inspect
import io
import json
import logging
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from PIL import Image

import burnish as bn
from burnish.core.finding import Findings
from burnish.core.probabilities import Probabilities
from burnish.dataset import Dataset
from burnish.dataset.state import State
from burnish.errors import BurnishError, InputError, KeysError
from burnish.review.process import MAKERS
from burnish.session import background, of
from burnish.widgets import Curator, EmbeddingMap, History, IssueList, RelabelForm
from burnish.widgets.answers import ANSWERS
from burnish.wire import schema
from burnish.wire.bytes import pack_bits

WIDGETS: dict[type[Any], tuple[type, ...]] = {
    EmbeddingMap: (schema.SessionState, schema.MapState),
    IssueList: (schema.SessionState, schema.QueueState),
    RelabelForm: (schema.SessionState, schema.QueueState),
    Curator: (schema.SessionState, schema.MapState, schema.QueueState),
    History: (schema.SessionState, schema.HistoryState),
}
KINDS = {get_args(get_type_hints(r)["kind"])[0]: (r, schema.REQUESTS[r]) for r in schema.REQUESTS}
NO_IPYWIDGETS_TRAITS = ("_", "layout", "tabbable", "tooltip", "comm", "keys", "log")
every_widget = pytest.mark.parametrize("kind", WIDGETS, ids=lambda kind: kind.__name__)


def picture(shade: int) -> bytes:
    """Return a small PNG."""
    out = io.BytesIO()
    Image.new("RGB", (4, 3), (shade, 0, 0)).save(out, format="PNG")
    return out.getvalue()


FRAME: dict[str, list[Any]] = {
    "id": list("abcdef"),
    "label": ["cat", "dog", "cat", "dog", "cat", None],
    "split": ["train", "test"] * 3,
    "text": ["<b>one</b>", "two", None, "x" * 300, "five", "six"],
    "picture": [picture(i * 40) for i in range(5)] + [b"broken"],
    "vec": [[float(i), float(i % 2), 1.0] for i in range(6)],
    "note": [1.5, float("nan"), 2.0, float("inf"), None, 3.0],
}
ROLES = {"label": "label", "split": "split", "text": "text", "image": "picture", "embedding": "vec"}


def found(keys: str = "eca") -> Findings:
    """Return findings with probabilities on some rows."""
    values = np.tile([0.25, 0.75], (6, 1))
    probs = Probabilities(values, list("abcdef"), ["cat", "dog"])
    n = len(keys)
    scores = np.linspace(0.9, 0.3, n)
    return Findings(
        "label-issue", list(keys), scores, ["cat"] * n, ["dog"] * n, probabilities=probs
    )


class SearchHere:
    """Finds the nearest rows and duplicates at once, in this process."""

    def __init__(self, path: Path, version: str, found: Any) -> None:
        with bn.open(path) as ds:
            made = {name: make(ds.at(version)) for name, make in MAKERS.items()}
        for name, part in made.items():
            found(name, part)

    def cancel(self) -> None:
        """There is nothing to stop."""


@pytest.fixture(autouse=True)
def _search_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "Search", SearchHere)


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with bn.create(tmp_path / "pets.burnish", FRAME, key="id", **ROLES) as dataset:
        yield dataset


def request(widget: Any, kind: str, buffers: Any = (), **arguments: Any) -> tuple[Any, list[Any]]:
    """Send a request as the browser does; return its only answer and the answer's buffers."""
    sent: list[tuple[Any, list[Any]]] = []
    widget.send = lambda content, buffers=None: sent.append((content, list(buffers or [])))
    widget._on_request(widget, {"id": 7, "view": "v", "kind": kind, **arguments}, list(buffers))
    del widget.send
    assert len(sent) == 1, f"{kind} was answered {len(sent)} times"
    answer, out = sent[0]
    json.dumps(answer, allow_nan=False)
    assert (answer["id"], answer["view"]) == (7, "v")
    assert set(answer) == {"id", "view", "kind", {"done": "result"}.get(answer["kind"], "error")}
    return answer, out


def result(widget: Any, kind: str, buffers: Any = (), **arguments: Any) -> Any:
    """Return the result of a request that must be done, after a look at its shape."""
    answer, _ = request(widget, kind, buffers, **arguments)
    assert answer["kind"] == "done", answer
    check(answer["result"], KINDS[kind][1], kind)
    return answer["result"]


def error(widget: Any, kind: str, buffers: Any = (), **arguments: Any) -> Any:
    """Return the error of a request that must fail."""
    answer, out = request(widget, kind, buffers, **arguments)
    assert answer["kind"] == "failed", answer
    assert out == []
    check(answer["error"], schema.WireError, kind)
    assert all(answer["error"].values())
    return answer["error"]


def check(value: Any, hint: Any, where: str) -> None:
    """Assert that a value has exactly the type that the schema says."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        check(value, args[0], where)
    elif origin in (typing.Union, types.UnionType):
        check_one_of(value, args, where)
    elif origin is Literal:
        assert value in args, where
    elif origin is list:
        assert type(value) is list, where
        for i, entry in enumerate(value):
            check(entry, args[0], f"{where}[{i}]")
    elif typing.is_typeddict(hint):
        fields = get_type_hints(hint, include_extras=True)
        assert set(value) == set(fields), where
        for name, kind in fields.items():
            check(value[name], kind, f"{where}.{name}")
    else:
        assert type(value) is hint, f"{where} is {value!r}, expected {hint.__name__}"


def check_one_of(value: Any, kinds: tuple[Any, ...], where: str) -> None:
    """Assert that a value has one of two types, of which one is None."""
    rest = [kind for kind in kinds if kind is not type(None)]
    assert len(rest) == 1, "the checker knows only `X | None`"
    if value is not None:
        check(value, rest[0], where)


def state_traits(widget: Any) -> dict[str, Any]:
    """Return the traits that a widget syncs, without those of every ipywidget."""
    base = set(bn.widgets.base.anywidget.AnyWidget.class_trait_names(sync=True))
    names = set(widget.trait_names(sync=True)) - base
    return {name: getattr(widget, name) for name in names if not name.startswith("_")}


def everything(ds: Dataset) -> tuple[Any, ...]:
    """Return what a refused request must leave as it was."""
    session = of(ds)
    acts, queue = len(session.acts), session.queue and session.queue.counts()
    chosen = session.selected.tolist(), session.source, session.current
    return ds.fingerprint, repr(ds.staged), ds.head.id, ds.undo_text, acts, queue, chosen


def good_arguments(kind: str) -> dict[str, Any]:
    """Return arguments that fit each kind of request."""
    given: dict[str, dict[str, Any]] = {
        "peek": {"row": 0},
        "page": {"start": 0, "stop": 9, "undecided": False},
        "item": {"row": 4},
        "evidence": {"row": 4},
        "focus": {"row": 2},
        "select": {"revision": 0, "source": "lasso"},
        "summary": {"to": "dog"},
        "relabel": {"rows": [4], "to": "dog", "reason": None, "advance": True},
        "decide": {"row": 2, "verdict": "kept", "reason": "fine", "advance": True},
        "drop": {"rows": [1], "reason": None, "advance": False},
        "restore": {"rows": [1]},
        "mark": {"rows": [1], "name": "hard"},
        "step": {"by": 1, "undecided": True},
        "undo": {},
        "redo": {},
        "commit": {"message": "looked", "author": None},
        "versions": {"start": 0, "stop": 9},
        "version": {"version": ""},
        "view": {"version": "v0"},
        "revert": {"version": "v1"},
        "script": {},
    }
    return given[kind]


def shown(kind: type[Any], ds: Dataset) -> Any:
    """Return a widget with the findings under review."""
    of_ds = of(ds)
    widget = kind(ds)
    if of_ds.queue is None:
        of_ds.review(found())
    return widget


def test_the_list_of_widgets_is_complete() -> None:
    public = {value for value in vars(bn.widgets).values() if inspect.isclass(value)}
    assert public == set(WIDGETS)
    assert set(ANSWERS) == set(KINDS)


@every_widget
def test_traits_are_those_of_the_schema(kind: type[Any], ds: Dataset) -> None:
    wanted: dict[str, Any] = {}
    for part in WIDGETS[kind]:
        wanted |= get_type_hints(part, include_extras=True)
    widget = shown(kind, ds)
    ds.relabel("a", "dog")
    ds.decide("e", "kept", because=found())
    traits = state_traits(widget)
    assert set(traits) == set(wanted)
    for name, value in traits.items():
        check(value, wanted[name], name)


@every_widget
def test_traits_fit_the_schema_before_anything_happened(kind: type[Any], ds: Dataset) -> None:
    widget = kind(ds)
    for part in WIDGETS[kind]:
        for name, hint in get_type_hints(part, include_extras=True).items():
            check(getattr(widget, name), hint, name)
    assert widget.contract == schema.CONTRACT_VERSION


@every_widget
@pytest.mark.parametrize("request_kind", KINDS)
def test_each_request_is_done_and_its_result_has_the_keys_of_the_schema(
    kind: type[Any], request_kind: str, ds: Dataset
) -> None:
    widget = shown(kind, ds)
    ds.relabel("b", "cat")
    if request_kind == "redo":
        ds.undo()
    if request_kind == "revert":
        ds.commit("one")
    assert set(good_arguments(request_kind)) == set(get_type_hints(KINDS[request_kind][0])) - {
        "kind"
    }
    result(widget, request_kind, **good_arguments(request_kind))


@every_widget
@pytest.mark.parametrize("request_kind", KINDS)
def test_a_request_that_lacks_an_argument_fails_and_changes_nothing(
    kind: type[Any], request_kind: str, ds: Dataset
) -> None:
    widget = shown(kind, ds)
    before = everything(ds)
    arguments = good_arguments(request_kind)
    for name in arguments:
        rest = {other: value for other, value in arguments.items() if other != name}
        failed = error(widget, request_kind, **rest)
        assert failed["code"] == "input"
        assert name in failed["message"]
    assert everything(ds) == before


@every_widget
@pytest.mark.parametrize(
    ("request_kind", "change", "code"),
    [
        ("explode", {}, "input"),
        ("__class__", {}, "input"),
        ("peek", {"row": 6}, "input"),
        ("peek", {"row": -1}, "input"),
        ("item", {"row": 10**12}, "input"),
        ("item", {"row": -1}, "input"),
        ("evidence", {"row": 6}, "input"),
        ("evidence", {"row": -1}, "input"),
        ("focus", {"row": -2}, "input"),
        ("relabel", {"rows": [0, 6]}, "input"),
        ("relabel", {"rows": [-1]}, "input"),
        ("decide", {"row": 6}, "input"),
        ("decide", {"row": 1}, "input"),
        ("decide", {"verdict": "maybe"}, "input"),
        ("drop", {"rows": [6]}, "input"),
        ("restore", {"rows": [-3]}, "input"),
        ("mark", {"rows": [6]}, "input"),
        ("mark", {"name": " "}, "input"),
        ("select", {"revision": 1}, "input"),
        ("undo", {}, "undo"),
        ("redo", {}, "undo"),
        ("commit", {"message": ""}, "input"),
        ("version", {"version": "nothing"}, "input"),
        ("version", {"version": None}, "input"),
        ("view", {"version": "nothing"}, "unknown-version"),
        ("view", {"version": 7}, "input"),
        ("revert", {"version": "nothing"}, "unknown-version"),
        ("revert", {"version": "v0"}, "undo"),
        ("revert", {"version": None}, "input"),
    ],
)
def test_a_request_that_cannot_be_done_fails_and_changes_nothing(
    kind: type[Any], request_kind: str, change: dict[str, Any], code: str, ds: Dataset
) -> None:
    widget = shown(kind, ds)
    widget.selection = ["a", "b"]
    before = everything(ds)
    arguments = good_arguments(request_kind) if request_kind in KINDS else {}
    failed = error(widget, request_kind, [b"\x3f"], **arguments | change)
    assert failed["code"] == code
    assert everything(ds) == before


@every_widget
def test_a_request_of_the_wrong_type_fails_and_changes_nothing(
    kind: type[Any], ds: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    widget = shown(kind, ds)
    before = everything(ds)
    error(widget, "peek", row=None)
    error(widget, "item", row="a")
    error(widget, "relabel", rows="abc", to="dog", reason=None, advance=False)
    error(widget, "page", start=None, stop="x", undecided=False)
    for odd in (None, 7, ["peek"], {}):
        error(widget, odd)  # type: ignore[arg-type]
    assert everything(ds) == before


@every_widget
def test_an_error_inside_is_logged_answered_and_not_printed(
    kind: type[Any],
    ds: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def explode(*_: Any) -> Any:
        raise RuntimeError("boom")

    widget = shown(kind, ds)
    monkeypatch.setitem(ANSWERS, "peek", explode)
    with caplog.at_level(logging.ERROR, logger="burnish"):
        failed = error(widget, "peek", row=0)
    assert (failed["code"], failed["message"]) == ("internal", "RuntimeError: boom")
    assert [record.name for record in caplog.records] == ["burnish"]
    assert caplog.records[0].exc_info is not None
    assert capfd.readouterr() == ("", "")


@every_widget
def test_a_closed_dataset_fails_with_a_hint(kind: type[Any], ds: Dataset) -> None:
    widget = shown(kind, ds)
    ds.close()
    arguments = good_arguments("relabel")
    assert error(widget, "relabel", **arguments)["code"] == "closed"


@every_widget
def test_a_closed_widget_leaves_no_listener(kind: type[Any], ds: Dataset) -> None:
    session = of(ds)
    widgets = [kind(ds) for _ in range(3)]
    assert len(session._listeners) == 3
    for widget in widgets:
        widget.close()
        widget.close()
    assert len(session._listeners) == 0
    ds.relabel("a", "dog")


@every_widget
def test_a_widget_that_cannot_be_made_leaves_no_listener(kind: type[Any], ds: Dataset) -> None:
    session = of(ds)
    options: list[dict[str, Any]] = []
    if schema.MapState in WIDGETS[kind]:
        options += [{"projection": "tsne"}, {"projection": "given"}]
    if "findings" in inspect.signature(kind).parameters:
        stranger = Findings("label-issue", ["nobody"], [0.5], ["cat"], ["dog"])
        options += [{"findings": stranger}, {"findings": ["a"]}]
    for option in options:
        with pytest.raises(BurnishError, match="Hint"):
            kind(ds, **option)
    with pytest.raises(InputError, match="DataFrame"):
        kind(ds.to_pandas())
    assert len(session._listeners) == 0


@every_widget
def test_repr_is_one_line_and_reads_no_column(
    kind: type[Any], ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = shown(kind, ds)
    ds.relabel("a", "dog")

    def refuse(*_: Any) -> Any:
        raise AssertionError("a column was read")

    for name in ("column", "live_column", "take"):
        monkeypatch.setattr(State, name, refuse)
    text = repr(widget)
    assert text.startswith(f"{kind.__name__}(Dataset(pets.burnish: 6 rows")
    assert "\n" not in text
    assert len(text) < 200


@every_widget
def test_selection_is_observable_and_settable_with_keys(kind: type[Any], ds: Dataset) -> None:
    widget = kind(ds)
    seen: list[Any] = []
    widget.observe(lambda change: seen.append(change["new"]), "selection")
    widget.selection = ["c", "a"]
    assert widget.selection == bn.Selection(["a", "c"])
    result(widget, "select", [b"\x03"], revision=0, source="lasso")
    assert (widget.selection, widget.selection.source) == (bn.Selection(["a", "b"]), "lasso")
    assert (widget.selected, widget.selected_count) == (b"\x03", 2)
    assert widget.selected_source == "lasso"
    result(widget, "select", revision=0, source="")
    assert seen == [bn.Selection(["a", "c"]), bn.Selection(["a", "b"]), bn.Selection(())]
    assert (widget.selected, widget.selected_count) == (b"", 0)
    widget.selection = []
    assert len(seen) == 3


@every_widget
def test_unknown_keys_are_refused_and_leave_the_selection(kind: type[Any], ds: Dataset) -> None:
    widget = kind(ds)
    widget.selection = ["a"]
    for wrong in (["a", "nobody"], [0], bn.Selection(["nobody"])):
        with pytest.raises(KeysError, match="unknown"):
            widget.selection = wrong
    assert widget.selection == of(ds).selection == bn.Selection(["a"])


@every_widget
@pytest.mark.parametrize("other", WIDGETS, ids=lambda kind: kind.__name__)
def test_two_widgets_follow_each_other(kind: type[Any], other: type[Any], ds: Dataset) -> None:
    one = shown(kind, ds)
    with bn.open(ds.path) as handle:
        two = other(handle)
        one.selection = ["b"]
        assert two.selection == bn.Selection(["b"])
        result(two, "focus", row=3)
        result(one, "relabel", rows=None, to="cat", reason=None, advance=False)
        assert one.status == two.status
        assert one.current == two.current == 3
        assert two.classes[0] == {"name": "cat", "count": 4, "keycap": "1"}
        assert two.last_action == {
            "text": "relabel 1 row to cat",
            "code": "ds.relabel(['b'], 'cat')",
            "seq": 1,
        }
        handle.commit("one")
        assert one.status["version"] == two.status["version"] == "v1"
        for name in set(state_traits(one)) & set(state_traits(two)) - {"height"}:
            assert getattr(one, name) == getattr(two, name), name


@every_widget
def test_a_new_widget_starts_where_the_others_are(kind: type[Any], ds: Dataset) -> None:
    first = shown(Curator, ds)
    first.selection = ["a", "e"]
    result(first, "relabel", rows=[4], to="dog", reason=None, advance=True)
    second = kind(ds)
    for name in set(state_traits(first)) & set(state_traits(second)) - {"height"}:
        assert getattr(first, name) == getattr(second, name), name
    assert second.selection == bn.Selection(["a", "e"])


EDITS = ("relabel", "decide", "drop", "restore", "mark", "undo", "redo", "commit")


@every_widget
def test_a_viewed_version_is_shown_by_every_widget_and_refuses_edits(
    kind: type[Any], ds: Dataset
) -> None:
    widget, other = shown(kind, ds), Curator(ds)
    ds.relabel("b", "cat")
    ds.commit("one")
    ds.relabel("d", "cat")
    result(widget, "view", version=ds.at("v0").version.id)
    for each in (widget, other):
        assert each.status["viewing"] == each.status["version"] == "v0"
        assert (each.status["read_only"], each.status["staged"]) == (True, 0)
        assert (each.status["undo"], each.status["redo"]) == (None, None)
        assert [entry["count"] for entry in each.classes] == [3, 2]
    assert np.frombuffer(other.codes, "<u2").tolist()[1] == 1
    assert (other.changed_rows, other.changed_codes) == (b"", b"")
    assert result(widget, "peek", row=1)["preview"]["label"] == "dog"
    before = everything(ds)
    for name in EDITS:
        failed = error(widget, name, **good_arguments(name))
        assert (failed["code"], failed["hint"]) == ("viewing", "return to main first")
    assert everything(ds) == before
    result(widget, "view", version=None)
    for each in (widget, other):
        assert (each.status["viewing"], each.status["version"]) == (None, "v1")
        assert (each.status["read_only"], each.status["staged"]) == (False, 1)
    assert np.frombuffer(other.changed_rows, "<u4").tolist() == [3]


def test_the_history_lists_versions_newest_first_and_what_is_staged_on_top(ds: Dataset) -> None:
    widget = History(ds)
    ds.relabel(["a", "c"], "dog", reason="seen twice", because=None)
    ds.mark("b", "hard")
    first = ds.commit("one\nwith more to say", author="ada")
    ds.drop("e")
    assert widget.graph["total"] == 3
    assert (widget.graph["versions"], widget.graph["lanes"]) == (2, 1)
    assert (widget.graph["head"], widget.graph["head_id"]) == (1, first.id)
    page = result(widget, "versions", start=0, stop=9)
    assert [row["name"] for row in page["rows"]] == ["", "v1", "v0"]
    assert [row["message"] for row in page["rows"]][:2] == ["1 row dropped", "one"]
    assert [row["branches"] for row in page["rows"]] == [[], ["main"], []]
    assert [row["cells"] for row in page["rows"]] == [1, 3, 0]
    assert result(widget, "versions", start=1, stop=2)["rows"] == page["rows"][1:2]
    assert result(widget, "versions", start=7, stop=9)["rows"] == []


@pytest.mark.filterwarnings("ignore::burnish.errors.NewClassWarning")
def test_what_is_staged_is_told_anew_after_each_edit(ds: Dataset) -> None:
    widget = History(ds)
    seen = []
    for label in ("dog", "bird"):
        ds.relabel("a", label)
        flow = result(widget, "version", version="")["detail"]["flow"]
        seen.append((widget.graph["seq"], [entry["new"] for entry in flow]))
    ds.undo()
    assert [new for _, new in seen] == [["dog"], ["bird"]]
    assert seen[0][0] < seen[1][0] < widget.graph["seq"]


def test_branches_merges_and_tags_stand_in_the_graph(ds: Dataset) -> None:
    widget = History(ds)
    ds.relabel("a", "dog")
    ds.commit("on main")
    ds.branch("alice", "v0")
    assert widget.graph["lanes"] == 1
    ds.switch("alice")
    ds.relabel("c", "dog")
    ds.commit("by alice")
    ds.switch("main")
    ds.merge("alice", message="both")
    ds.tag("release")
    rows = result(widget, "versions", start=0, stop=9)["rows"]
    drawn = [(row["name"], row["lane"], row["into"], row["out"], row["past"]) for row in rows]
    assert drawn == [
        ("v3", 0, [], [0, 1], []),
        ("v2", 1, [1], [1], [0]),
        ("v1", 0, [0], [0], [1]),
        ("v0", 0, [0, 1], [], []),
    ]
    assert [row["branches"] for row in rows] == [["main"], ["alice"], [], []]
    assert [row["tags"] for row in rows] == [["release"], [], [], []]
    assert (widget.graph["lanes"], widget.graph["total"]) == (2, 4)
    merge = result(widget, "version", version=ds.head.id)["detail"]
    assert [parent["name"] for parent in merge["parents"]] == ["v1", "v2"]


def test_a_version_tells_what_was_made_of_it_and_changed_facts_in_words(
    ds: Dataset, tmp_path: Path
) -> None:
    widget = History(ds)
    ds.rename_column("note", "score")
    ds.commit("a better name")
    ds.export(tmp_path / "train.parquet")
    detail = result(widget, "version", version=ds.head.id)["detail"]
    assert detail["links"] == [{"kind": "export", "name": "train.parquet", "value": "6 rows"}]
    assert detail["columns"] == [
        {"name": "column note renamed to score", "cells": 1, "unit": "fact"}
    ]
    assert result(widget, "revert", version=ds.head.id)["version"] == "v2"
    assert "note" in ds.columns


@pytest.mark.filterwarnings("ignore::burnish.errors.NewClassWarning")
def test_a_version_is_told_in_full(ds: Dataset) -> None:
    widget = History(ds)
    ds.relabel(["a", "c"], "dog", reason="seen twice", because=found())
    ds.relabel("f", "bird")
    ds.mark("b", "hard")
    ds.commit("one\nwith more to say", author="ada")
    detail = result(widget, "version", version=ds.head.id)["detail"]
    assert (detail["message"], detail["author"]) == ("one\nwith more to say", "ada")
    assert [parent["name"] for parent in detail["parents"]] == ["v0"]
    assert detail["columns"] == [
        {"name": "label", "cells": 3, "unit": "cell"},
        {"name": "marked hard", "cells": 1, "unit": "row"},
    ]
    flow = [(f["old"], f["new"], f["cells"], f["old_code"], f["new_code"]) for f in detail["flow"]]
    assert flow == [("cat", "dog", 2, 0, 1), (None, "bird", 1, -1, 2)]
    assert (detail["flow_total"], detail["flow_pairs"]) == (3, 2)
    assert detail["reasons"] == [{"text": "seen twice", "count": 2}]
    assert detail["findings"] == [{"text": found().id, "count": 2}]
    assert detail["decisions"] == [{"text": "accepted", "count": 2}]
    assert detail["rows"] == 6


def test_a_version_is_reverted_with_a_name_and_refused_with_words(ds: Dataset) -> None:
    widget = History(ds)
    ds.relabel("a", "dog")
    first = ds.commit("one")
    ds.relabel("b", "cat")
    failed = error(widget, "revert", version=first.id)
    assert failed["code"] == "staged"
    assert "in the way of reverting v1" in failed["message"]
    ds.discard()
    done = result(widget, "revert", version=first.id)
    assert done == {"version": "v2", "text": "revert v1"}
    assert widget.last_action["code"] == "ds.revert('v1')"
    assert widget.graph["head_id"] == ds.head.id


@pytest.mark.parametrize("kind", [EmbeddingMap, Curator], ids=lambda kind: kind.__name__)
def test_the_map_shows_what_is_staged_dropped_and_flagged(kind: type[Any], ds: Dataset) -> None:
    widget = shown(kind, ds)
    ds.relabel("b", "cat")
    ds.drop("c")
    assert np.frombuffer(widget.codes, "<u2").tolist() == [0, 1, 0, 1, 0, schema.NO_CLASS]
    assert np.frombuffer(widget.changed_rows, "<u4").tolist() == [1]
    assert np.frombuffer(widget.changed_codes, "<u2").tolist() == [0]
    assert widget.hidden == pack_bits(np.arange(6) == 2)
    assert widget.flagged == pack_bits(np.isin(np.arange(6), [0, 4]))
    assert len(widget.points) == 4 * 6
    ds.commit("one")
    assert np.frombuffer(widget.codes, "<u2").tolist()[1] == 0
    assert (widget.changed_rows, widget.changed_codes) == (b"", b"")


def test_the_list_gives_lines_worst_first_and_images_as_buffers(ds: Dataset) -> None:
    widget = IssueList(ds, found("ecafb"))
    answer, buffers = request(widget, "page", start=0, stop=9, undecided=False)
    rows = answer["result"]["rows"]
    assert [row["preview"]["key"] for row in rows] == list("ecafb")
    assert [row["rank"] for row in rows] == list(range(5))
    places = [row["preview"]["image"] for row in rows]
    assert places == [0, 1, 2, None, 3]
    assert len(buffers) == 4
    assert all(buffer.startswith(b"\x89PNG") for buffer in buffers)
    ds.decide("e", "kept", because=found("ecafb"))
    left = result(widget, "page", start=1, stop=3, undecided=True)
    assert [row["preview"]["key"] for row in left["rows"]] == ["a", "f"]
    assert left["total"] == 4
    assert widget.queue["kept"] == 1


@pytest.mark.parametrize(("start", "stop"), [(9, 12), (2, 1), (-5, 0), (5, 5)])
def test_a_page_beyond_the_list_is_empty(ds: Dataset, start: int, stop: int) -> None:
    widget = IssueList(ds, found())
    page = result(widget, "page", start=start, stop=stop, undecided=False)
    assert page == {"total": 3, "rows": []}


def test_the_form_gets_a_row_in_full(ds: Dataset) -> None:
    IssueList(ds, found())
    widget = RelabelForm(ds)
    result(widget, "relabel", rows=[4], to="dog", reason=None, advance=False)
    item = result(widget, "item", row=4)["item"]
    assert (item["given"], item["preview"]["label"], item["verdict"]) == ("cat", "dog", "accepted")
    assert item["verdict_by"] == ds.user
    assert item["split"] == "train"
    assert [entry["name"] for entry in item["probabilities"]] == ["dog", "cat"]
    assert item["fields"] == [{"name": "note", "value": "missing"}]
    assert result(widget, "item", row=3)["item"]["text"] == "x" * 300
    assert len(result(widget, "peek", row=3)["preview"]["text"]) == 160
    assert result(widget, "peek", row=0)["preview"]["text"] == "<b>one</b>"


def test_a_summary_counts_what_would_change(ds: Dataset) -> None:
    widget = EmbeddingMap(ds)
    widget.selection = list("abcdef")
    ds.drop("a")
    summary = result(widget, "summary", to="dog")
    assert summary == {
        "rows": 6,
        "hidden": 1,
        "changed": 3,
        "unchanged": 2,
        "labels": [
            {"name": "cat", "count": 2},
            {"name": "dog", "count": 2},
            {"name": None, "count": 1},
        ],
    }
    assert result(widget, "summary", to=None)["unchanged"] == 0


SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no roles": ({"id": [1, 2, 3]}, {}),
    "no label": ({"id": [1, 2, 3], "text": ["a", "b c", None]}, {"text": "text"}),
    "text only": (
        {"id": [1, 2, 3], "label": ["a", "b", "a"], "text": ["one two", "two", "three"]},
        {"label": "label", "text": "text"},
    ),
    "two texts": (
        {"id": [1, 2], "label": ["a", "b"], "head": ["h", None], "body": ["b", "c"]},
        {"label": "label", "text": ["head", "body"]},
    ),
    "arrays": (
        {"id": [1, 2, 3], "label": [0, 1, 0], "image": [np.eye(4) * i for i in range(3)]},
        {"label": "label", "image": "image"},
    ),
    "features": (
        {"id": [1, 2, 3], "label": [True, False, None], "f": [1.0, 2.0, None], "g": [0, 1, 0]},
        {"label": "label", "features": ["f", "g"]},
    ),
    "given": (
        {"id": [1, 2, 3], "label": ["a", "b", "a"], "x": [0.0, 1.0, None], "y": [0.0, 1.0, 2.0]},
        {"label": "label", "embedding": ["x", "y"]},
    ),
    "one row": (
        {"id": [1], "label": ["a"], "text": ["one"], "v": [[1.0, 2.0, 3.0]]},
        {"label": "label", "text": "text", "embedding": "v"},
    ),
    "no labels known": (
        {"id": [1, 2, 3], "label": np.array([None, None, None], dtype=object), "g": [0, 1, 2]},
        {"label": "label", "features": ["g"]},
    ),
    "two keys": (
        {"k": ["a", "a"], "n": [1, 2], "label": ["x", "y"]},
        {"key": ["k", "n"], "label": "label"},
    ),
}
for count in (1, 20, 200):
    SHAPES[f"{count} classes"] = (
        {
            "id": list(range(400)),
            "label": [f"class {i % count}" for i in range(400)],
            "v": [[float(i), float(i % 7), 1.0] for i in range(400)],
        },
        {"label": "label", "embedding": "v"},
    )


@every_widget
@pytest.mark.parametrize("shape", SHAPES)
def test_any_dataset_can_be_shown(kind: type[Any], shape: str, tmp_path: Path) -> None:
    columns, roles = SHAPES[shape]
    with bn.create(tmp_path / "y.burnish", columns, **{"key": "id", **roles}) as ds:
        widget = kind(ds)
        label = roles.get("label")
        state = {**get_type_hints(schema.SessionState, include_extras=True)}
        for name, hint in state.items():
            check(getattr(widget, name), hint, name)
        assert result(widget, "page", start=0, stop=9, undecided=True) == {"total": 0, "rows": []}
        keys = list(ds.keys)[:3]
        n = len(keys)
        old = ds.to_arrow([label])[label].to_pylist()[:n] if label else [None] * n
        of(ds).review(Findings("label-issue", keys, np.linspace(1, 0.5, n), old, old))
        assert result(widget, "page", start=0, stop=9, undecided=True)["total"] == n
        for row in range(n):
            result(widget, "item", row=row)
            result(widget, "peek", row=row)
        widget.close()
