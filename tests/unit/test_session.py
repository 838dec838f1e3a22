"""What the widgets of one dataset share, and how it follows the dataset."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import burnish as bn
from burnish.core.finding import Findings
from burnish.dataset import Dataset
from burnish.errors import BurnishError, InputError, KeysError
from burnish.session import Session, of
from burnish.session import layout as layout_module

FRAME = {
    "id": list("abcdef"),
    "label": ["cat", "dog", "cat", "dog", "cat", None],
    "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
    "y": [0.0, 1.0, 0.0, 1.0, 0.0, 1.0],
    "z": [1.0, 1.0, 0.0, 0.0, 1.0, 0.0],
}
TOPICS = {"data", "head", "selection", "current", "queue", "layout"}
ROLES: dict[str, Any] = {"key": "id", "label": "label", "embedding": ["x", "y", "z"]}


def made(path: Path) -> Dataset:
    """Return a dataset of six rows."""
    return bn.create(path, FRAME, **ROLES)


def found() -> Findings:
    """Return findings on the rows e, c and a, in this order."""
    return Findings("label-issue", list("eca"), [0.9, 0.6, 0.4], ["cat"] * 3, ["dog"] * 3)


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with made(tmp_path / "x.burnish") as dataset:
        yield dataset


@pytest.fixture
def session(ds: Dataset) -> Session:
    return of(ds)


@pytest.fixture
def heard(session: Session) -> list[str]:
    topics: list[str] = []
    session.subscribe(topics.append)
    return topics


def test_handles_of_one_store_and_user_share_a_session(ds: Dataset, session: Session) -> None:
    assert of(ds) is session
    with bn.open(ds.path) as other:
        assert of(other) is session
        assert session.ds is ds


def test_other_stores_and_users_have_other_sessions(
    ds: Dataset, session: Session, tmp_path: Path
) -> None:
    with made(tmp_path / "y.burnish") as other, bn.open(ds.path, user="bob") as bob:
        kept = [session, of(other), of(bob)]
        assert len({id(one) for one in kept}) == 3


def test_a_session_ends_with_its_last_holder(tmp_path: Path) -> None:
    with made(tmp_path / "y.burnish") as other:
        first = of(other)
        first.select(["a"])
        del first
        assert len(of(other).selected) == 0
        other.relabel("a", "dog")


def test_everyone_hears_what_changes(session: Session, heard: list[str]) -> None:
    second: list[str] = []
    session.subscribe(second.append)
    acts: list[tuple[Callable[[], Any], set[str]]] = [
        (lambda: session.select(["a"]), {"selection"}),
        (lambda: session.focus(1), {"current"}),
        (lambda: session.review(found()), {"queue", "current"}),
        (lambda: session.project("pca"), {"layout"}),
        (lambda: session.ds.relabel("a", "dog"), {"data", "queue"}),
        (lambda: session.ds.commit("one"), {"head", "queue"}),
    ]
    for act, topics in acts:
        heard.clear()
        second.clear()
        act()
        assert set(heard) == set(second) == topics
    assert set(heard) <= TOPICS


def test_who_stopped_listening_hears_nothing(session: Session) -> None:
    topics: list[str] = []
    stop = session.subscribe(topics.append)
    stop()
    stop()
    session.select(["a"])
    assert topics == []


def test_focusing_the_current_row_tells_no_one(session: Session, heard: list[str]) -> None:
    session.focus(2)
    session.focus(2)
    assert heard == ["current"]


def test_a_selection_is_read_back_by_key(session: Session) -> None:
    session.select(bn.Selection(["c", "a"], source="lasso"))
    assert (session.selection, session.selection.source) == (bn.Selection(["a", "c"]), "lasso")
    assert session.selected_mask().tolist() == [True, False, True, False, False, False]
    session.select(None)
    assert len(session.selection) == 0


def test_unknown_keys_are_refused_and_change_nothing(session: Session, heard: list[str]) -> None:
    session.select(["a"])
    heard.clear()
    with pytest.raises(KeysError, match="Hint"):
        session.select(["a", "nobody"])
    assert (session.selection, heard) == (bn.Selection(["a"]), [])


@pytest.mark.parametrize("row", [-2, 6, 10**9])
def test_a_row_that_is_not_there_is_refused(session: Session, row: int) -> None:
    session.review(found())
    acts: list[Callable[[], Any]] = [
        lambda: session.focus(row),
        lambda: session.relabel([0, row], "dog", None, True),
        lambda: session.decide(row, "kept", None, True),
        lambda: session.drop([row], None, False),
        lambda: session.restore([row]),
        lambda: session.mark([row], "hard"),
    ]
    for act in acts:
        with pytest.raises(InputError, match="no row"):
            act()
    assert not session.ds.staged


def test_no_row_can_be_focused_but_not_edited(session: Session) -> None:
    session.review(found())
    session.focus(-1)
    assert session.current == -1
    acts: list[Callable[[], Any]] = [
        lambda: session.relabel([-1], "dog", None, False),
        lambda: session.decide(-1, "kept", None, False),
        lambda: session.drop([-1], None, False),
    ]
    for act in acts:
        with pytest.raises(InputError, match="no row"):
            act()
    assert not session.ds.staged


def test_a_reopened_dataset_is_followed_by_the_same_session(tmp_path: Path) -> None:
    first = made(tmp_path / "y.burnish")
    session = of(first)
    topics: list[str] = []
    session.subscribe(topics.append)
    session.review(found())
    session.select(["a"])
    first.close()
    with bn.open(tmp_path / "y.burnish") as elsewhere:
        elsewhere.decide("e", "kept", because=found())
        elsewhere.commit("looked")
    topics.clear()
    with bn.open(tmp_path / "y.burnish") as again:
        assert of(again) is session
        assert session.ds is again
        assert {"head", "queue"} <= set(topics)
        assert session.selection == bn.Selection(["a"])
        assert session.queue is not None
        assert session.queue.undecided() == [2, 0]
        again.relabel("b", "cat")
        assert session.live_codes[1] == session.live_codes[0]


def test_what_another_handle_does_is_heard_at_once(
    ds: Dataset, session: Session, heard: list[str]
) -> None:
    with bn.open(ds.path) as other:
        assert of(other) is session
        other.relabel("b", "cat")
        assert heard
        assert session.live_codes.tolist()[:2] == [0, 0]
        heard.clear()
        other.commit("one")
        assert "head" in heard
        assert session.head_codes.tolist()[:2] == [0, 0]
        heard.clear()
        ds.relabel("a", "dog")
        assert heard.count("data") == 1


def test_another_kernels_edit_is_noticed_when_the_dataset_is_read(
    ds: Dataset, session: Session, heard: list[str]
) -> None:
    with bn.open(ds.path) as other:
        other.relabel("b", "cat")
    assert len(ds.staged) == 1
    assert "head" in heard
    assert session.live_codes.tolist()[:2] == [0, 0]


def test_a_new_class_comes_last_and_keeps_its_code(session: Session) -> None:
    with pytest.warns(bn.errors.NewClassWarning):
        session.relabel([0], "ant", None, False)
    assert session.classes.names == ["cat", "dog", "ant"]
    assert session.live_codes.tolist() == [2, 1, 0, 1, 0, 0xFFFF]
    assert session.class_counts().tolist() == [2, 2, 1]
    session.ds.undo()
    assert session.classes.names == ["cat", "dog", "ant"]
    assert session.class_counts().tolist() == [3, 2, 0]


def test_undo_and_redo_focus_the_row_they_are_about(session: Session) -> None:
    session.relabel([1], "cat", None, False)
    session.relabel([2, 4], "dog", None, False)
    session.focus(5)
    session.ds.undo()
    assert session.current == 5
    session.ds.undo()
    assert session.current == 1
    session.focus(5)
    session.ds.redo()
    assert session.current == 1


def test_advance_goes_on_wraps_and_ends_with_no_row(session: Session) -> None:
    session.review(found())
    assert session.current == 4
    session.focus(2)
    session.relabel([2], "dog", None, True)
    assert session.current == 0
    session.decide(0, "skipped", None, True)
    assert session.current == 4
    session.decide(4, "unsure", None, True)
    assert session.current == -1
    assert session.queue is not None
    assert session.queue.counts() == {"accepted": 1, "skipped": 1, "unsure": 1}


def test_a_review_with_dropped_rows_ends_too(session: Session) -> None:
    session.review(found())
    for row in (4, 2, 0):
        assert session.current == row
        session.drop([row], None, True)
    assert session.current == -1


def test_without_advance_the_row_stays(session: Session) -> None:
    session.review(found())
    session.relabel([4], "dog", None, False)
    assert session.current == 4


def test_a_row_outside_the_queue_has_nothing_to_judge(session: Session) -> None:
    with pytest.raises(InputError, match="'e' has no finding"):
        session.decide(4, "kept", None, True)
    session.review(found())
    with pytest.raises(InputError, match="'b' has no finding"):
        session.decide(1, "kept", None, True)
    assert not session.ds.decisions


def test_review_starts_at_the_first_undecided_row(session: Session) -> None:
    session.ds.decide("e", "kept", because=found())
    session.review(found())
    assert session.current == 2
    session.step(1, False)
    assert session.current == 0
    session.step(-1, True)
    assert session.current == 2


def test_findings_on_other_rows_are_refused(session: Session) -> None:
    with pytest.raises(KeysError):
        session.review(Findings("label-issue", ["nobody"], [0.5], ["cat"], ["dog"]))
    assert session.queue is None


def test_a_bulk_act_leaves_dropped_rows_alone(session: Session) -> None:
    session.select(["a", "b", "c"])
    session.drop([0], None, False)
    session.relabel(None, "dog", "bulk", False)
    assert session.ds.staged.frame()[["key", "column"]].values.tolist() == [
        ["a", "$dropped"],
        ["c", "label"],
    ]
    session.mark(None, "seen")
    assert session.ds.marked("seen") == bn.Selection(["b", "c"])


def test_a_selection_that_was_dropped_can_be_restored(session: Session) -> None:
    session.select(["a", "b", "c"])
    session.drop(None, None, False)
    assert len(session.ds) == 3
    session.restore(None)
    assert len(session.ds) == 6


def test_a_dropped_row_is_hidden_until_it_is_restored(session: Session) -> None:
    session.project("pca")
    session.drop([0], None, False)
    session.ds.commit("one")
    assert session.hidden().tolist() == [True] + [False] * 5
    session.restore([0])
    session.ds.commit("two")
    assert not session.hidden().any()


def review_everything(ds: Dataset) -> Session:
    """Do one of each act and return the session."""
    session = of(ds)
    session.review(found())
    session.relabel([4], "dog", "it barks, \"loudly\" — 'wow'\n", True)
    session.decide(2, "kept", None, True)
    session.decide(0, "unsure", "dark", True)
    session.select(["b", "d"])
    session.drop(None, "twice", False)
    session.ds.undo()
    session.ds.redo()
    session.restore([1])
    session.mark([5], "hard")
    session.commit("first", None)
    session.ds.set("a", "x", 9.5)
    session.relabel([5], "dog", None, False)
    return session


def test_the_script_does_the_same_on_a_fresh_copy(ds: Dataset, tmp_path: Path) -> None:
    session = review_everything(ds)
    assert session.script().startswith(f"# issues are the findings {found().id}\n")
    with made(tmp_path / "fresh.burnish") as fresh:
        exec(session.script(), {"ds": fresh, "issues": found()})
        assert fresh.fingerprint == ds.fingerprint
        assert fresh.head.fingerprint == ds.head.fingerprint
        assert len(fresh.staged) == len(ds.staged)
        columns = ["key", "verdict", "finding", "reason", "position"]
        mine, theirs = ds.decisions.frame()[columns], fresh.decisions.frame()[columns]
        assert mine.values.tolist() == theirs.values.tolist()
        assert fresh.marked("hard") == ds.marked("hard")


def test_acts_are_numbered_and_said_in_words(ds: Dataset) -> None:
    session = review_everything(ds)
    assert [act.seq for act in session.acts] == list(range(1, len(session.acts) + 1))
    assert session.acts[0].text == "relabel 1 row to dog"
    assert all(act.code.startswith("ds.") for act in session.acts)


def test_a_session_without_acts_has_an_empty_script(session: Session) -> None:
    assert session.script() == ""


def settled(session: Session, method: str = "umap") -> None:
    """Project and wait until the other process has ended."""
    done = threading.Event()
    session.run_on(lambda call: (call(), done.set())[0])
    session.project(method)
    assert session.layout is not None
    assert (session.layout.name, session.layout.pending) == ("pca", "umap")
    assert done.wait(30)


@pytest.fixture
def fake_umap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Let a program of a few lines stand for UMAP; its arguments are store, version and file."""

    def use(program: str) -> None:
        script = tmp_path / "fake_umap.py"
        script.write_text(f"import sys, time\nimport numpy as np\nout = sys.argv[-1]\n{program}\n")
        popen = layout_module.subprocess.Popen

        def start(command: list[Any], **options: Any) -> Any:
            assert command[1:3] == ["-m", "burnish.model.umap_process"]
            return popen([sys.executable, str(script), *map(str, command[3:])], **options)

        monkeypatch.setattr(layout_module.subprocess, "Popen", start)

    return use


def test_the_map_settles_into_umap(
    session: Session, heard: list[str], fake_umap: Callable[[str], None]
) -> None:
    fake_umap("np.save(out, np.arange(12, dtype=np.float32).reshape(6, 2))")
    settled(session)
    assert session.layout is not None
    assert (session.layout.name, session.layout.pending, session.layout.seq) == ("umap", None, 1)
    assert session.layout.coordinates.tolist() == np.arange(12).reshape(6, 2).tolist()
    assert heard == ["layout", "layout"]


def test_rows_that_were_dropped_have_no_place(
    session: Session, fake_umap: Callable[[str], None]
) -> None:
    session.ds.drop("b")
    session.ds.commit("one")
    fake_umap("np.save(out, np.ones((5, 2), np.float32))")
    settled(session)
    assert session.layout is not None
    assert session.layout.missing.tolist() == [False, True, False, False, False, False]


@pytest.mark.parametrize(
    "program",
    [
        "sys.exit(1)",
        "raise MemoryError",
        "pass",
        "open(out, 'wb').write(b'broken')",
        "np.save(out, np.ones((2, 2), np.float32))",
    ],
)
def test_a_projection_that_fails_leaves_the_first_picture(
    session: Session, fake_umap: Callable[[str], None], program: str
) -> None:
    fake_umap(program)
    settled(session)
    assert session.layout is not None
    assert (session.layout.name, session.layout.pending) == ("pca", None)
    assert np.isfinite(session.layout.coordinates).all()


def test_a_picture_that_is_asked_for_later_is_not_replaced(
    session: Session, fake_umap: Callable[[str], None]
) -> None:
    fake_umap("time.sleep(0.5); np.save(out, np.ones((6, 2), np.float32))")
    session.project("umap")
    projector = session._placing.projector
    assert projector is not None
    session.project("pca")
    projector._process.wait(30)
    for thread in threading.enumerate():
        if thread.name == "burnish-umap":
            thread.join(30)
    assert session.layout is not None
    assert (session.layout.name, session.layout.pending) == ("pca", None)


def test_closing_a_session_stops_the_other_process(
    session: Session, fake_umap: Callable[[str], None]
) -> None:
    fake_umap("time.sleep(60)")
    session.project("umap")
    projector = session._placing.projector
    assert projector is not None
    session.close()
    assert projector._process.wait(10) != 0


def test_an_unknown_projection_is_refused(session: Session) -> None:
    with pytest.raises(BurnishError, match="'auto', 'given', 'pca' or 'umap'"):
        session.project("tsne")
    assert session.layout is None


def test_nothing_to_draw_is_an_empty_picture_unless_it_is_asked_for(tmp_path: Path) -> None:
    with bn.create(tmp_path / "y.burnish", {"id": [1, 2], "label": ["a", "b"]}, key="id") as bare:
        session = of(bare)
        session.project("auto")
        assert session.layout is not None
        assert (session.layout.name, session.hidden().all()) == ("none", True)
        with pytest.raises(InputError):
            session.project("pca")


def test_a_copy_of_a_store_has_a_session_of_its_own(ds: Dataset, tmp_path: Path) -> None:
    kept = of(ds)
    ds.close()
    copied = shutil.copytree(ds.path, tmp_path / "copy.burnish")
    with bn.open(ds.path) as first, bn.open(copied) as second:
        assert (of(first) is kept, of(second) is kept) == (True, False)
        assert of(second).ds is second


def test_umap_that_ended_before_another_picture_is_dropped(
    session: Session, fake_umap: Callable[[str], None]
) -> None:
    waiting: list[Callable[[], None]] = []
    ended = threading.Event()
    session.run_on(lambda call: (waiting.append(call), ended.set())[0])
    fake_umap("np.save(out, np.ones((6, 2), np.float32))")
    session.project("umap")
    assert ended.wait(30)
    session.project("pca")
    waiting[0]()
    assert session.layout is not None
    assert (session.layout.name, session.layout.pending) == ("pca", None)


def reviewed(ds: Dataset, session: Session, every: int = 3) -> bn.ReviewPlan:
    plan = bn.ReviewPlan(ds, found(), every=every)
    session.review(plan)
    return plan


def test_with_a_plan_the_next_row_is_the_one_whose_turn_it_is(
    ds: Dataset, session: Session
) -> None:
    plan = reviewed(ds, session)
    seen = []
    while (item := plan.next()) is not None:
        assert keys(session)[session.current] == item.key
        seen.append(item.kind)
        session.decide(session.current, "kept", None, advance=True)
    assert seen[:3] == ["queue probe", "ranked", "unflagged probe"]
    assert len(seen) == 5
    assert session.queue is not None
    assert str(session.queue.left).startswith("Left: in the queue 0 (0–0)")


def test_with_a_plan_a_row_decided_out_of_turn_leads_back_to_the_row_whose_turn_it_is(
    tmp_path: Path,
) -> None:
    frame = {"id": list(range(40)), "label": ["cat", "dog"] * 20}
    with bn.create(tmp_path / "z.burnish", frame, key="id", label="label") as ds:
        found = Findings(
            "label-issue", range(30), np.linspace(1, 0, 30), ["cat"] * 30, ["dog"] * 30
        )
        plan, session = bn.ReviewPlan(ds, found), of(ds)
        session.review(plan)
        due = session.current
        session.focus(20)
        session.decide(20, "kept", None, advance=True)
        assert session.current == due
        assert plan.next().key == due


def test_a_row_that_was_drawn_stands_in_the_queue_where_its_turn_came(
    ds: Dataset, session: Session
) -> None:
    reviewed(ds, session)
    assert session.queue is not None
    for place in range(3):
        assert int(session.queue.ordinals[place]) == session.current
        session.decide(session.current, "kept", None, advance=True)
    drawn = int(session.queue.ordinals[2])
    assert keys(session)[drawn] in "bdf"
    assert session.queue.finding_at(drawn) == {
        "rank": 2,
        "score": 0.0,
        "given": "dog",
        "suggestion": None,
    }
    assert session.queue.verdicts[drawn].verdict == "kept"
    assert len(session.queue) == 4


def test_a_label_given_to_an_unflagged_row_is_an_error_that_was_found(
    ds: Dataset, session: Session
) -> None:
    plan = reviewed(ds, session)
    session.decide(session.current, "kept", None, advance=True)
    session.decide(session.current, "kept", None, advance=True)
    row = session.current
    session.relabel([row], "cat", None, advance=True)
    assert plan.left().found == 1
    assert session.acts[-1].code == (
        f"ds.relabel(['{keys(session)[row]}'], 'cat', because=plan.because('{keys(session)[row]}'))"
    )
    assert "# plan is bn.ReviewPlan(ds, issues, every=3)" in session.script()
    session.undo()
    assert session.current == row
    assert plan.left().found == 0


def keys(session: Session) -> list[Any]:
    return list(session.ds.keys)


def test_without_a_plan_nothing_is_said_of_what_is_left(ds: Dataset, session: Session) -> None:
    session.review(found())
    assert session.queue is not None
    assert session.queue.left is None
    assert len(session.queue) == 3


def test_a_random_sample_is_reviewed_like_any_findings(ds: Dataset, session: Session) -> None:
    sample = bn.review_sample(ds, 5)
    session.review(sample)
    for _ in range(4):
        session.decide(session.current, "kept", None, advance=True)
    label = session.class_name(int(session.live_codes[session.current]))
    session.relabel([session.current], "dog" if label == "cat" else "cat", None, advance=True)
    line = bn.error_rate(ds, sample).frame().iloc[0]
    assert (line["reviewed"], line["errors"], line["low"]) == (5, 1, 0.2)
