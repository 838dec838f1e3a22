"""A person at the workbench: what is clicked and typed in the browser holds in Python."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Error, Locator, Page, expect

import burnish as bn
from e2e.lab import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DIGITS = """
import numpy as np
import burnish as bn
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

digits = load_digits()
n = 400
labels = digits.target[:n].copy()
wrong = np.arange(0, n, 16)
labels[wrong] = (labels[wrong] + 3) % 10
frame = {{
    "id": [f"img-{{i:03d}}" for i in range(n)],
    "label": labels.astype(str),
    "image": list(digits.images[:n]),
    "pixels": list(digits.data[:n]),
    "x": [float(i % 20) for i in range(n)],
    "y": [float(i // 20) for i in range(n)],
}}
ds = bn.create(
    {path!r}, frame, key="id", label="label", image="image", embedding=["x", "y"]
)
probs = bn.cross_val_probabilities(
    ds, make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    columns=["pixels"], progress=False,
)
issues = bn.find.label_issues(ds, probs)
"""
TEXTS = """
import burnish as bn
frame = {{
    "id": ["a", "b"],
    "label": ["<b>bold</b>", "plain"],
    "text": ["<img src=x onerror='window.pwned = 1'>", "<script>window.pwned = 1</script>"],
}}
ds = bn.create({path!r}, frame, key="id", label="label", text="text")
probs = bn.Probabilities([[0.1, 0.9], [0.9, 0.1]], ["a", "b"], ["<b>bold</b>", "plain"])
issues = bn.find.label_issues(ds, probs, filter_by="confident_learning")
"""


@contextlib.contextmanager
def shown(notebook, cells: list[str], **options: object) -> Iterator[Notebook]:
    with notebook(cells, **options) as opened:
        for cell in range(len(cells)):
            opened.run(cell)
        widget = opened.page.locator(".burnish").first
        expect(widget).to_be_visible()
        widget.evaluate("widget => widget.scrollIntoView({block: 'start'})")
        yield opened
        assert opened.errors == []


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "digits.burnish")


def line(page: Page, place: int) -> Locator:
    return page.locator(".b-rows .b-line:not(.b-skeleton)").nth(place)


def chip(page: Page) -> Locator:
    return page.locator(".b-header .b-staged")


def legend_entry(page: Page, name: str) -> Locator:
    named = page.locator(".b-map-name", has_text=re.compile(f"^{re.escape(name)}$"))
    return page.locator(".b-map-entry").filter(has=named).first


def legend_count(page: Page, name: str) -> int:
    entry = legend_entry(page, name)
    return int(entry.locator(".b-map-count").inner_text())


def ring(page: Page) -> tuple[int, int]:
    """Return where the current row stands on the map: the middle of the ring in accent colour."""
    found = page.evaluate(
        """() => {
      const stage = document.querySelector('.b-map-stage');
      const accent = getComputedStyle(stage).getPropertyValue('--b-accent');
      const probe = document.createElement('span');
      probe.style.color = 'var(--b-accent)';
      stage.append(probe);
      const [r, g, b] = getComputedStyle(probe).color.match(/[0-9.]+/g).map(Number);
      probe.remove();
      for (const canvas of stage.querySelectorAll('canvas')) {
        const box = canvas.getBoundingClientRect();
        const copy = document.createElement('canvas');
        copy.width = canvas.width; copy.height = canvas.height;
        const pen = copy.getContext('2d');
        pen.drawImage(canvas, 0, 0);
        const data = pen.getImageData(0, 0, copy.width, copy.height).data;
        let left = 1e9, right = -1, top = 1e9, bottom = -1;
        for (let i = 0; i < data.length; i += 4) {
          const off = [r, g, b].map((c, k) => Math.abs(data[i + k] - c));
          if (data[i + 3] < 250 || off[0] + off[1] + off[2] > 24) continue;
          const x = (i / 4) % copy.width, y = Math.floor(i / 4 / copy.width);
          left = Math.min(left, x); right = Math.max(right, x);
          top = Math.min(top, y); bottom = Math.max(bottom, y);
        }
        if (right < 0) continue;
        const scale = box.width / canvas.width / 2;
        return [box.left + (left + right + 1) * scale, box.top + (top + bottom + 1) * scale];
      }
      return null;
    }"""
    )
    assert found, "no ring in accent colour on the map"
    return round(found[0]), round(found[1])


def colour(page: Page, at: tuple[int, int]) -> tuple[int, int, int]:
    """Return the colour of the map at a place of the page."""
    return tuple(
        page.evaluate(
            """([x, y]) => {
      for (const canvas of document.querySelectorAll('.b-map-stage canvas')) {
        const box = canvas.getBoundingClientRect();
        const copy = document.createElement('canvas');
        copy.width = canvas.width; copy.height = canvas.height;
        const pen = copy.getContext('2d');
        pen.drawImage(canvas, 0, 0);
        const scale = canvas.width / box.width;
        const place = [(x - box.left) * scale, (y - box.top) * scale];
        const [r, g, b, a] = pen.getImageData(...place, 1, 1).data;
        if (a > 200) return [r, g, b];
      }
      return [-1, -1, -1];
    }""",
            list(at),
        )
    )


def legend_colour(page: Page, name: str) -> tuple[int, int, int]:
    """Return the colour of a class in the legend."""
    entry = legend_entry(page, name)
    text = entry.locator(".b-map-dot").evaluate("dot => getComputedStyle(dot).backgroundColor")
    numbers = text[text.index("(") + 1 : -1].replace(",", " ").split()
    return tuple(round(float(n)) for n in numbers[:3])


def wait_for_colour(page: Page, at: tuple[int, int], name: str) -> None:
    wanted = legend_colour(page, name)
    for _ in range(100):
        if all(abs(a - b) <= 12 for a, b in zip(colour(page, at), wanted, strict=True)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"the point has colour {colour(page, at)}, class {name} has {wanted}")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_relabel_undo_redo_and_commit_by_keyboard(notebook, store, shots, dark):
    cells = [DIGITS.format(path=store), "curator = bn.Curator(ds, issues); curator"]
    with shown(notebook, cells, dark=dark) as opened:
        page = opened.page
        line(page, 0).click()
        key = opened.python("issues.keys[0]")
        given = opened.python("issues.given[0]")
        wanted = "7" if given != "7" else "1"
        expect(page.locator(".b-form")).to_contain_text(key)
        assert opened.python("curator.session.current") == int(key[4:])
        at, before = ring(page), legend_count(page, wanted)
        wait_for_colour(page, at, given)
        page.screenshot(path=shots / f"curator-{'dark' if dark else 'light'}.png")

        page.keyboard.press(wanted)
        expect(chip(page)).to_have_text("1 staged")
        wait_for_colour(page, at, wanted)
        assert legend_count(page, wanted) == before + 1
        expect(line(page, 0)).to_contain_text("fixed")
        assert label_of(opened, key) == wanted
        assert opened.python("[len(ds.staged), ds.staged.decisions]") == [1, 1]
        assert opened.python("curator.session.current") == row_of(opened, 1)
        expect(page.locator(".b-footer")).to_contain_text(f"ds.relabel(['{key}'], '{wanted}'")

        page.keyboard.press("z")
        expect(chip(page)).to_have_count(0)
        wait_for_colour(page, at, given)
        assert label_of(opened, key) == given
        assert opened.python("[len(ds.staged), ds.staged.decisions]") == [0, 0]

        page.keyboard.press("Shift+Z")
        expect(chip(page)).to_have_text("1 staged")
        wait_for_colour(page, at, wanted)
        assert label_of(opened, key) == wanted

        page.get_by_role("button", name="Commit…").click()
        page.get_by_label("Message").fill("one digit read again")
        page.keyboard.press("Enter")
        expect(page.locator(".b-header .b-pill", has_text="v1")).to_be_visible()
        expect(chip(page)).to_have_count(0)
        assert opened.python("[ds.head.name, ds.head.message, len(ds.staged)]") == [
            "v1",
            "one digit read again",
            0,
        ]
        changed = "ds.diff('v0', 'v1').frame()[['key', 'old', 'new']].values.tolist()"
        assert opened.python(changed) == [[key, given, wanted]]
        wait_for_colour(page, at, wanted)


def test_enter_accepts_the_suggestion_and_k_s_u_judge(notebook, store):
    cells = [DIGITS.format(path=store), "curator = bn.Curator(ds, issues); curator"]
    with shown(notebook, cells) as opened:
        page = opened.page
        line(page, 0).click()
        expect(page.locator(".b-form")).to_contain_text(opened.python("issues.keys[0]"))
        for key in ("Enter", "k", "s", "u"):
            page.keyboard.press(key)
        expect(page.locator(".b-list")).to_contain_text("4 of")
        verdicts = "ds.decisions.frame()[['key', 'verdict']].values.tolist()"
        keys = opened.python("list(issues.keys[:4])")
        assert opened.python(verdicts) == [
            [keys[0], "accepted"],
            [keys[1], "kept"],
            [keys[2], "skipped"],
            [keys[3], "unsure"],
        ]
        assert label_of(opened, keys[0]) == opened.python("issues.suggestions[0]")


def test_keys_in_the_widget_never_reach_the_notebook(notebook, store):
    cells = ["1 + 1", DIGITS.format(path=store), "curator = bn.Curator(ds, issues); curator"]
    with shown(notebook, cells) as opened:
        page = opened.page
        line(page, 0).click()
        expect(page.locator(".b-form")).to_contain_text(opened.python("issues.keys[0]"))
        for key in ("d", "d", "x", "a", "b", "m", "y", "Shift+M"):
            page.keyboard.press(key)
        expect(chip(page)).to_be_visible()
        assert page.locator(".jp-Notebook .jp-Cell").count() == 3
        assert page.locator(".jp-Notebook .jp-MarkdownCell").count() == 0


def test_widgets_in_several_cells_follow_each_other(notebook, store):
    cells = [
        DIGITS.format(path=store),
        "points = bn.EmbeddingMap(ds); points",
        "listed = bn.IssueList(ds, issues, height=300); listed",
        "form = bn.RelabelForm(bn.open(ds.path)); form",
    ]
    with shown(notebook, cells) as opened:
        page = opened.page
        line(page, 2).click()
        key = opened.python("issues.keys[2]")
        expect(page.locator(".b-form")).to_contain_text(key)
        ring(page)

        opened.python("setattr(points, 'selection', ['img-003', 'img-005'])")
        expect(page.locator(".b-map-bulk")).to_contain_text("2 rows")
        assert (
            opened.python("[list(w.selection.keys) for w in (listed, form)]")
            == [["img-003", "img-005"]] * 2
        )

        opened.python("ds.relabel(issues.keys[2], issues.suggestions[2], because=issues)")
        expect(line(page, 2)).to_contain_text("fixed")
        assert opened.python("form.status['staged']") == 1


def test_a_box_selects_rows_and_relabels_them_in_one_undoable_step(notebook, store, shots):
    cells = [DIGITS.format(path=store), "points = bn.EmbeddingMap(ds); points"]
    with shown(notebook, cells) as opened:
        page = opened.page
        page.get_by_role("button", name="Box").click()
        box = page.locator(".b-map-stage").bounding_box()
        assert box
        page.mouse.move(box["x"] + 20, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=5)
        page.mouse.up()
        bar = page.locator(".b-map-bulk")
        expect(bar).to_be_visible()
        rows = opened.python("len(points.selection)")
        assert 0 < rows < 400
        expect(bar).to_contain_text(f"{rows} row")
        assert opened.python("points.selection.source") == "box"

        bar.get_by_role("button", name="Relabel to…").click()
        bar.get_by_role("option", name=re.compile("^8")).click()
        labels = "ds.to_pandas().set_index('id').label[points.selection.keys]"
        already = opened.python(f"int(({labels} == '8').sum())")
        expect(bar).to_contain_text(f"{rows - already} change")
        page.screenshot(path=shots / "map-bulk.png")
        bar.get_by_role("button", name="Apply").click()
        expect(chip(page)).to_have_text(f"{rows - already} staged")
        assert opened.python(f"sorted(set({labels}))") == ["8"]

        page.get_by_role("button", name="Undo").click()
        expect(chip(page)).to_have_count(0)
        assert opened.python("len(ds.staged)") == 0


def test_a_lasso_selects_what_it_encloses_and_a_stray_click_does_not(notebook, store):
    cells = [DIGITS.format(path=store), "points = bn.EmbeddingMap(ds); points"]
    with shown(notebook, cells) as opened:
        page = opened.page
        box = page.locator(".b-map-stage").bounding_box()
        assert box
        middle = (box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.5)
        corners = [(-120, -120), (120, -120), (120, 120), (-120, 120), (-118, -110)]
        page.mouse.move(middle[0] - 120, middle[1] - 120)
        page.mouse.down()
        for dx, dy in corners:
            page.mouse.move(middle[0] + dx, middle[1] + dy, steps=4)
        page.mouse.up()
        expect(page.locator(".b-map-bulk")).to_be_visible()
        inside = opened.python("len(points.selection)")
        assert 0 < inside < 400
        assert opened.python("points.selection.source") == "lasso"
        page.keyboard.press("Escape")
        expect(page.locator(".b-map-bulk")).to_have_count(0)
        assert opened.python("len(points.selection)") == 0


def test_hovering_a_point_shows_the_row(notebook, store, shots):
    cells = [DIGITS.format(path=store), "curator = bn.Curator(ds, issues); curator"]
    with shown(notebook, cells) as opened:
        page = opened.page
        line(page, 0).click()
        key = opened.python("issues.keys[0]")
        expect(page.locator(".b-form")).to_contain_text(key)
        page.locator(".b-map-stage").evaluate("stage => stage.scrollIntoView({block: 'center'})")
        x, y = ring(page)
        page.mouse.move(x + 30, y + 30)
        page.mouse.move(x, y, steps=5)
        card = page.locator(".b-map-card")
        expect(card).to_contain_text(key)
        expect(card.locator("img, canvas").first).to_be_visible()
        page.screenshot(path=shots / "hover.png")


def test_a_killed_kernel_loses_no_edit_and_no_decision(notebook, store):
    cells = [DIGITS.format(path=store), "curator = bn.Curator(ds, issues); curator"]
    with shown(notebook, cells) as opened:
        page = opened.page
        line(page, 0).click()
        keys = opened.python("list(issues.keys[:3])")
        suggested = opened.python("issues.suggestions[0]")
        expect(page.locator(".b-form")).to_contain_text(keys[0])
        for key in ("Enter", "k", "u"):
            page.keyboard.press(key)
        expect(page.locator(".b-list")).to_contain_text("3 of")
        with contextlib.suppress(Error, AssertionError):
            page.evaluate(
                """() => {
              const app = window.jupyterapp;
              const panel = [...app.shell.widgets('main')].find(w => w.sessionContext);
              panel.sessionContext.session.kernel.requestExecute(
                {code: 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)'});
            }"""
            )
        expect(page.locator(".b-header")).to_contain_text("kernel gone")
    with bn.open(store) as ds:
        frame = ds.decisions.frame()
        assert frame[["key", "verdict"]].values.tolist() == [
            [keys[0], "accepted"],
            [keys[1], "kept"],
            [keys[2], "unsure"],
        ]
        assert len(ds.staged) == 1
        assert ds.to_pandas().set_index("id").label[keys[0]] == suggested
        assert ds.verify() == []


def test_markup_in_the_data_is_shown_as_text(notebook, store):
    cells = [TEXTS.format(path=store), "curator = bn.Curator(ds, issues); curator"]
    with shown(notebook, cells) as opened:
        page = opened.page
        line(page, 0).click()
        expect(page.locator(".b-form")).to_contain_text("<")
        expect(page.locator(".b-list")).to_contain_text("onerror")
        assert page.evaluate("window.pwned") is None
        assert page.locator(".burnish b").count() == 0


def label_of(opened: Notebook, key: str) -> str:
    return opened.python(f"ds.to_pandas().set_index('id').label[{key!r}]")


def row_of(opened: Notebook, place: int) -> int:
    return int(opened.python(f"issues.keys[{place}]")[4:])
