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
    missing = np.asarray(~np.isfinite(coordinates).all(axis=1), dtype=bool)
    placed = np.where(missing[:, None], 0, coordinates).astype(np.float64)
    known = placed[~missing]
    if not len(known):
        return np.zeros((len(coordinates), 2), "<u2").tobytes(), missing
    low, high = known.min(axis=0), known.max(axis=0)
    span = float((high - low).max()) or 1.0
    shares = (placed - (low + high) / 2) / span + 0.5
    return np.round(np.clip(shares, 0, 1) * _TOP).astype("<u2").tobytes(), missing


def pack_codes(codes: npt.NDArray[np.uint16]) -> bytes:
    """Return class codes as little-endian uint16."""
    return codes.astype("<u2").tobytes()


def pack_rows(rows: npt.NDArray[np.uint32]) -> bytes:
    """Return rows as little-endian uint32."""
    return rows.astype("<u4").tobytes()
