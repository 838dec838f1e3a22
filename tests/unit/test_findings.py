from __future__ import annotations

import pytest

from burnish.core.finding import Findings
from burnish.errors import InputError


def findings() -> Findings:
    details = {"margin": [0.1, 0.5, 0.3]}
    return Findings("code", list("abc"), [0.2, 0.9, 0.9], list("xxx"), list("yzy"), details=details)


def test_details_follow_the_rows_they_belong_to() -> None:
    found = findings()
    assert found.keys.tolist() == ["b", "c", "a"]
    assert found.frame()["margin"].tolist() == [0.5, 0.3, 0.1]
    assert found.where(suggestion="y").details["margin"].tolist() == [0.3, 0.1]


def test_details_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="margin has length 2, expected 3"):
        Findings("code", list("abc"), [0, 0, 0], "xxx", "yyy", details={"margin": [1, 2]})
