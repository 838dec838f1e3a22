"""Images of rows as PNG.

Encoded images and 8-bit arrays are pictures: high is bright. Other two-dimensional arrays are
measurements and drawn as ink on paper: the largest value of the column is black.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

SMALL = 96
LARGE = 768


def png(value: Any, ink: tuple[float, float], largest: int) -> bytes | None:
    """Return an image as PNG, scaled down to a largest side; None when it cannot be drawn.

    Parameters
    ----------
    value : bytes or array of shape (height, width) or (height, width, 3 or 4)
    ink : tuple of float
        Values drawn white and black, for arrays that are not 8-bit.
    largest : int
        Pixels.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _drawn(value, ink, largest)
    except Exception:  # decoders raise whatever they meet in broken bytes
        return None


def _drawn(value: Any, ink: tuple[float, float], largest: int) -> bytes:
    from PIL import Image

    if isinstance(value, bytes):
        opened = Image.open(io.BytesIO(value))
        opened.draft("RGB", (largest, largest))
        picture = opened.convert("RGBA" if "A" in opened.getbands() else "RGB")
    else:
        picture = Image.fromarray(_bytes(np.asarray(value), ink))
    picture.thumbnail((largest, largest))
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return out.getvalue()


def ink_of(sample: list[Any]) -> tuple[float, float]:
    """Return the smallest and largest value of some arrays."""
    arrays = [np.asarray(v, dtype=float) for v in sample if v is not None and not _coded(v)]
    arrays = [a[np.isfinite(a)] for a in arrays]
    arrays = [a for a in arrays if a.size]
    if not arrays:
        return 0.0, 1.0
    return min(float(a.min()) for a in arrays), max(float(a.max()) for a in arrays)


def _coded(value: Any) -> bool:
    return isinstance(value, (bytes, str))


def _bytes(array: npt.NDArray[Any], ink: tuple[float, float]) -> npt.NDArray[np.uint8]:
    if array.ndim not in (2, 3):
        raise ValueError(f"{array.ndim} dimensions")
    if array.dtype == np.uint8:
        return array
    low, high = ink
    known = np.nan_to_num(array.astype(float), nan=low, posinf=high, neginf=low)
    share = np.clip((known - low) / ((high - low) or 1.0), 0, 1)
    if array.ndim == 2:
        share = 1 - share
    return np.asarray(np.round(share * 255), dtype=np.uint8)
