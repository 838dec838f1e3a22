"""Arrays as the bytes the browser reads; see `burnish.wire.schema` for the layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_TOP = 65_535


def pack_bits(mask: npt.NDArray[np.bool_]) -> bytes:
    """Return a mask as a bitmap, least significant bit first."""
    return np.packbits(mask, bitorder="little").tobytes()


def unpack_bits(bitmap: Any, size: int) -> npt.NDArray[np.int64]:
    """Return the rows whose bit is set; bits beyond `size` are ignored."""
    raw = np.frombuffer(bitmap, dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(raw, bitorder="little")[:size]).astype(np.int64)


def quantise(coordinates: npt.NDArray[np.float32]) -> tuple[bytes, npt.NDArray[np.bool_]]:
    """Return coordinates as uint16 pairs, and which rows have none.

    Parameters
    ----------
    coordinates : array of shape (n, 2)
        NaN or infinite where a row has none.

    Returns
    -------
    points : bytes
        Both axes share one scale, and the picture is centred.
    missing : bool array of shape (n,)
    """
    finite = np.isfinite(coordinates)
    missing = np.asarray(~(finite[:, 0] & finite[:, 1]), dtype=bool)
    points = np.zeros((len(coordinates), 2), "<u2")
    if missing.all():
        return points.tobytes(), missing
    known = ~missing if missing.any() else slice(None)
    axes = [coordinates[known, axis].astype(np.float64) for axis in (0, 1)]
    span = max(float(np.ptp(values)) for values in axes) or 1.0
    for axis, values in enumerate(axes):
        points[known, axis] = _steps(values, span)
    return points.tobytes(), missing


def _steps(values: npt.NDArray[np.float64], span: float) -> npt.NDArray[np.float64]:
    shares = (values - (values.min() + values.max()) / 2) / span + 0.5
    return np.asarray(np.round(np.clip(shares, 0, 1) * _TOP))


def pack_codes(codes: npt.NDArray[np.uint16]) -> bytes:
    """Return class codes as little-endian uint16."""
    return codes.astype("<u2").tobytes()


def pack_rows(rows: npt.NDArray[np.uint32]) -> bytes:
    """Return rows as little-endian uint32."""
    return rows.astype("<u4").tobytes()
