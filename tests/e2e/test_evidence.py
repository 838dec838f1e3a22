"""What a reviewer sees beside a finding, in a real notebook."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.test_loop import DIGITS, shown

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_evidence_comes_after_the_row_and_follows_what_is_decided(
    notebook: object, tmp_path: Path
) -> None:
    made = DIGITS.format(path=str(tmp_path / "digits.burnish"))
    made = made.replace(
        'label="label", image="image", embedding=["x", "y"]', 'label="label", image="image"'
    )
    with shown(
        notebook, [made, "issues_list = bn.IssueList(ds, issues)", "bn.RelabelForm(ds)"]
    ) as opened:  # type: ignore[arg-type]
        page = opened.page
        part = page.get_by_label("Evidence", exact=True)
        expect(part.locator(".b-near-pictures li img")).to_have_count(10, timeout=120_000)
        expect(part).to_contain_text("10 nearest rows")
        expect(part).to_contain_text("the model prefers")
        row = opened.python("int(ds.keys.tolist().index(issues[0].key))")
        near = opened.python(
            f"issues_list.session.evidence({row}).neighbours.frame()['neighbour'].tolist()"
        )
        labels = opened.python(
            f"issues_list.session.evidence({row}).neighbours.frame()['label'].tolist()"
        )
        expect(part.locator(".b-near-pictures li")).to_have_text(labels)
        opened.python(f"ds.relabel({near[0]!r}, '7')")
        expect(part.locator(".b-near-pictures li").first).to_have_text("7")
        page.locator(".burnish").first.focus()
        page.keyboard.press("k")
        expect(page.locator(f".b-form[data-row='{row}']")).to_have_count(0)
        page.keyboard.press("p")
        expect(part.locator(".b-past")).to_contain_text("kept by")
