"""Fingerprints that stay what they are, whichever library the table comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from vectors import FRAMES, cases, prints_of, table_of

CASES = {case["name"]: case for case in cases()}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_vector_has_its_fingerprints_for_ever_and_from_every_library(
    case: dict[str, Any], frame: Callable[[pa.Table], Any]
) -> None:
    assert prints_of(case, frame(table_of(case))) == case["prints"]


def test_no_two_vectors_share_a_fingerprint() -> None:
    found = [case["prints"][kind] for case in CASES.values() for kind in ("state", "training")]
    assert len(set(found)) == 2 * len(CASES)
