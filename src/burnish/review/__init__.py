"""What a review by people says: how many errors there are, how many are left, and when to stop."""

from __future__ import annotations

from burnish.review.error_rate import ErrorRate, error_rate
from burnish.review.left import Left
from burnish.review.plan import ReviewItem, ReviewPlan
from burnish.review.sample import ReviewSample, review_sample

__all__ = [
    "ErrorRate",
    "Left",
    "ReviewItem",
    "ReviewPlan",
    "ReviewSample",
    "error_rate",
    "review_sample",
]
