"""The list of findings under review."""

from __future__ import annotations

from burnish.core.finding import Findings
from burnish.dataset import Dataset
from burnish.review import ReviewPlan
from burnish.widgets.base import bundle, checked_review, session_of
from burnish.widgets.traits import QueueTraits


class IssueList(QueueTraits):
    """Findings, worst first, with the verdicts so far.

    Parameters
    ----------
    ds : Dataset
    findings : Findings or ReviewPlan, optional
        What to review; the findings under review on this dataset already, by default. A plan
        draws rows at random in between and says how many errors are left.
    height : int, default 480
        Pixels.

    Attributes
    ----------
    selection : Selection
        The selected rows; observable, and settable with keys.

    Raises
    ------
    KeysError
        The findings are about other rows.

    Notes
    -----
    Lines are fetched in pages as they scroll into view.
    """

    _esm = bundle("issue_list")

    def __init__(
        self, ds: Dataset, findings: Findings | ReviewPlan | None = None, height: int = 480
    ) -> None:
        session = session_of(ds)
        if findings is not None:
            session.review(checked_review(ds, findings))
        super().__init__(ds, height=height)
