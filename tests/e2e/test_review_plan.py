"""A review that draws rows at random: what is left is said in the browser as in Python."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.test_loop import DIGITS, shown, store

__all__ = ["store"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PLAN = "plan = bn.ReviewPlan(ds, issues, every=3)"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_list_goes_through_a_plan_and_says_what_is_left(notebook, store, shots, dark):
    cells = [DIGITS.format(path=store), f"{PLAN}; issue_list = bn.IssueList(ds, plan); issue_list"]
    with shown(notebook, cells, dark=dark) as opened:
        page = opened.page
        left = page.locator(".b-left")
        expect(left).to_contain_text("in the queue unknown")
        opened.python("ds.decide(plan.next().key, 'accepted', because=plan.next().because)")
        for turn in range(2, 22):
            opened.python("ds.decide(plan.next().key, 'kept', because=plan.next().because)")
            expect(page.locator(".b-progress-count")).to_contain_text(f"{turn} of")
        expect(left).to_have_text(opened.python("str(plan.left())"))
        assert opened.python("plan.left().drawn") >= 13
        assert opened.python("issue_list.queue['total'] > len(issues)")
        page.screenshot(path=shots / f"review-plan-{'dark' if dark else 'light'}.png")


def test_keys_at_the_workbench_decide_the_row_whose_turn_it_is(notebook, store, shots):
    cells = [DIGITS.format(path=store), f"{PLAN}; curator = bn.Curator(ds, plan); curator"]
    with shown(notebook, cells) as opened:
        page = opened.page
        page.locator(".b-form").click()
        for turn in range(1, 7):
            row = opened.python("plan.replay().current.row")
            assert opened.python("curator.session.current") == row
            page.keyboard.press("k")
            expect(page.locator(".b-progress-count")).to_contain_text(f"{turn} of")
            assert opened.python("plan.replay().turns") == turn
        expect(page.locator(".b-left")).to_have_text(opened.python("str(plan.left())"))
        page.screenshot(path=shots / "review-plan-curator.png")
        page.keyboard.press("z")
        expect(page.locator(".b-progress-count")).to_contain_text("5 of")
        assert opened.python("plan.replay().turns") == 5
        assert opened.python("curator.session.current") == row
