"""What a change of the data was worth."""

from __future__ import annotations

from burnish.measure.compare import compare
from burnish.measure.comparison import Comparison
from burnish.measure.flags import Flag

__all__ = ["Comparison", "Flag", "compare"]
