"""A person at the history: what is viewed and reverted in the browser holds in Python."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from e2e.lab import Notebook
from e2e.test_loop import (
    DIGITS,
    chip,
    label_of,
    legend_count,
    ring,
    shown,
    store,
    wait_for_colour,
)

__all__ = ["store"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

VERSIONS = """
first = str(issues.given[0])
ds.relabel(issues.keys[0], "7" if first != "7" else "1", reason="read again", because=issues)
ds.commit("one digit read again")
ds.relabel(issues.keys[1:9], issues.suggestions[1:9], because=issues)
ds.drop("img-399")
ds.commit("eight more on the model's word", author="grace")
key, old, new = issues.keys[0], first, ds.to_pandas().set_index("id").label[issues.keys[0]]
"""
CELLS = [
    "{digits}",
    VERSIONS,
    "history = bn.History(ds, height=360); history",
    "curator = bn.Curator(ds, issues); curator",
]


def cells(store: str) -> list[str]:
    return [DIGITS.format(path=store), *CELLS[1:]]


def version(page: Page, name: str) -> Locator:
    return page.locator(f".b-version[data-version={name}]")


def banners(page: Page) -> Locator:
    return page.locator(".b-viewing")


def viewing(opened: Notebook) -> str | None:
    return opened.python("(lambda s: s.viewing and ds.at(s.viewing).version.name)(history.session)")


def settled_ring(page: Page) -> tuple[int, int]:
    """Return where the current row stands once the map has come to rest."""
    last, now = None, ring(page)
    while now != last:
        page.wait_for_timeout(300)
        last, now = now, ring(page)
    return now


def choose(page: Page, name: str) -> None:
    version(page, name).click()
    expect(page.locator(f".b-detail[data-version={name}]")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_version_is_viewed_on_the_map_and_left_again(notebook, store, shots, dark):
    with shown(notebook, cells(store), dark=dark) as opened:
        page = opened.page
        key, old, new = (opened.python(name) for name in ("key", "old", "new"))
        expect(version(page, "v2")).to_contain_text("eight more on the model's word")
        expect(version(page, "v2")).to_contain_text("grace")
        detail = page.locator(".b-detail")
        expect(detail).to_contain_text("1 row")
        page.screenshot(path=shots / f"history-{'dark' if dark else 'light'}.png")

        opened.python(f"curator.session.focus({int(key[4:])})")
        expect(page.locator(".b-form")).to_contain_text(key)
        at, before = settled_ring(page), legend_count(page, new)
        wait_for_colour(page, at, new)

        choose(page, "v0")
        page.keyboard.press("Enter")
        expect(banners(page)).to_have_count(2)
        expect(banners(page).first).to_contain_text("You are looking at v0")
        assert viewing(opened) == "v0"
        wait_for_colour(page, settled_ring(page), old)
        assert legend_count(page, new) < before
        assert opened.python("[curator.status['rows'], curator.status['read_only']]") == [400, True]
        expect(page.locator(".b-footer").first).to_contain_text("ds.at('v0')")
        page.screenshot(path=shots / f"viewing-{'dark' if dark else 'light'}.png")

        page.locator(".b-list .b-rows").focus()
        page.keyboard.press("k")
        expect(page.locator(".b-error").last).to_contain_text("v0 is read-only")
        expect(page.locator(".b-error").last).to_contain_text("Return to main")
        assert opened.python("[len(ds.staged), ds.staged.decisions]") == [0, 0]
        assert label_of(opened, key) == new

        page.get_by_role("button", name="Return to main").last.click()
        expect(banners(page)).to_have_count(0)
        assert viewing(opened) is None
        wait_for_colour(page, settled_ring(page), new)
        assert legend_count(page, new) == before
        assert opened.python("curator.status['rows']") == 399


def test_an_edit_in_python_while_viewing_is_there_on_return(notebook, store):
    with shown(notebook, cells(store)) as opened:
        page = opened.page
        choose(page, "v1")
        page.get_by_role("button", name="View on the map").click()
        expect(banners(page)).to_have_count(2)
        opened.python("ds.relabel('img-003', '8')")
        expect(version(page, "staged")).to_contain_text("1 cell staged")
        expect(chip(page)).to_have_count(0)
        assert viewing(opened) == "v1"
        page.keyboard.press("Escape")
        expect(banners(page)).to_have_count(0)
        expect(chip(page)).to_have_count(2)
        assert label_of(opened, "img-003") == "8"


def test_a_version_is_reverted_by_keyboard(notebook, store):
    with shown(notebook, cells(store)) as opened:
        page = opened.page
        key, old = opened.python("key"), opened.python("old")
        choose(page, "v2")
        for press in ("n", "p", "ArrowDown"):
            page.keyboard.press(press)
        expect(page.locator(".b-detail[data-version=v1]")).to_be_visible()
        page.keyboard.press("r")
        expect(page.get_by_role("dialog", name="Revert")).to_contain_text("1 cell of label")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Revert")).to_have_count(0)
        page.keyboard.press("r")
        expect(page.get_by_role("button", name="Revert v1")).to_be_focused()
        page.keyboard.press("Enter")
        expect(version(page, "v3")).to_contain_text("revert v1")
        expect(page.locator(".b-detail[data-version=v3]")).to_be_visible()
        expect(page.locator(".b-footer").first).to_contain_text("ds.revert('v1')")
        assert opened.python("[ds.head.name, ds.head.message]") == ["v3", "revert v1"]
        assert label_of(opened, key) == old
        assert opened.errors == []


def test_a_version_is_reverted_by_mouse_unless_edits_are_staged(notebook, store):
    with shown(notebook, cells(store)) as opened:
        page = opened.page
        opened.python("ds.relabel('img-003', '8')")
        expect(version(page, "staged")).to_be_visible()
        choose(page, "v2")
        revert = page.get_by_role("button", name="Revert…")
        revert.click()
        page.get_by_role("button", name="Revert v2").click()
        expect(page.locator(".b-error").first).to_contain_text("in the way of reverting v2")
        assert opened.python("ds.head.name") == "v2"
        opened.python("ds.undo()")
        expect(version(page, "staged")).to_have_count(0)
        revert.click()
        expect(page.get_by_role("dialog", name="Revert")).to_contain_text("1 row dropped")
        page.get_by_role("button", name="Revert v2").click()
        expect(version(page, "v3")).to_contain_text("revert v2")
        expect(page.locator(".b-error")).to_have_count(0)
        assert opened.python("[ds.head.name, len(ds)]") == ["v3", 400]


def test_a_long_history_scrolls_and_a_version_far_down_is_chosen(notebook, store):
    many = """
for i in range(300):
    ds.relabel("img-003", str(i % 10), reason=f"step {i}")
    ds.commit(f"step {i}")
"""
    with shown(notebook, [*cells(store)[:2], many, CELLS[2]]) as opened:
        page = opened.page
        head = opened.python("ds.head.name")
        expect(version(page, head)).to_be_visible()
        assert page.locator(".b-version").count() < 40
        page.locator(".b-versions").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        choose(page, "v0")
        page.keyboard.press("ArrowUp")
        expect(page.locator(".b-detail[data-version=v1]")).to_contain_text("read again")
