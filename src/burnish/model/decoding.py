"""Pictures of any kind of cell, or why there is none."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array
from burnish.model.arrays import holds_arrays
from burnish.model.reading import values_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from burnish.dataset.reading import Reading

T = TypeVar("T")
CHANNELS = (1, 3, 4)


class Broken(NamedTuple):
    """Why a cell is no picture.

    Attributes
    ----------
    reason : str
        ``"missing file"``, ``"empty"``, ``"not an image"``, ``"damaged"``, ``"too large"`` or
        ``"wrong shape"``.
    message : str
        What the decoder said.
    """

    reason: str
    message: str


class BrokenPictureError(Exception):
    """A cell is no picture; for this module and those that read pictures through it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.broken = Broken(reason, message)


def picture_cells(reading: Reading, column: str) -> KeyArray:
    """Return a column of pictures in store order: bytes, paths or arrays, None where null."""
    if not holds_arrays(reading, column):
        return values_of(reading, column)
    nested = reading.to_arrow([column]).column(column)
    leaf = nested.type
    while hasattr(leaf, "value_type"):
        leaf = leaf.value_type
    dtype = leaf.to_pandas_dtype()
    return key_array([_array(value, dtype) for value in nested.to_pylist()])


def _array(value: Any, dtype: Any) -> Any:
    try:
        return None if value is None else np.array(value, dtype=dtype)
    except (TypeError, ValueError):
        return value


def ink_range(cells: Iterable[Any]) -> tuple[float, float]:
    """Return the least and largest finite number of all arrays that are not 8-bit."""
    low, high = np.inf, -np.inf
    for cell in cells:
        if isinstance(cell, np.ndarray) and cell.dtype.kind in "fiub" and cell.dtype != np.uint8:
            known = cell[np.isfinite(cell)].astype(np.float64)
            low, high = min(low, known.min(initial=low)), max(high, known.max(initial=high))
    return (float(low), float(high)) if low < high else (0.0, 1.0)


def opened(cell: Any, ink: tuple[float, float]) -> Image:
    """Return a cell as a picture, decoded whole and turned as its file says.

    Raises
    ------
    BrokenPictureError
        It does not decode.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if isinstance(cell, Image.Image):
        return cell
    if not isinstance(cell, (bytes, bytearray, memoryview, str, os.PathLike)):
        return Image.fromarray(_drawable(cell, ink))
    raw = raw_bytes(cell)
    if not raw:
        raise BrokenPictureError("empty", "there are no bytes")
    try:
        picture = Image.open(io.BytesIO(raw))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BrokenPictureError("too large", str(error)) from error
    except UnidentifiedImageError as error:
        raise BrokenPictureError("not an image", _start_of(raw)) from error
    except Exception as error:  # decoders raise whatever they meet in broken bytes
        raise BrokenPictureError("damaged", _said(error)) from error
    try:
        with picture:
            picture.load()
            return ImageOps.exif_transpose(picture)
    except Exception as error:  # as above
        raise BrokenPictureError("damaged", _said(error)) from error


def raw_bytes(cell: Any) -> bytes:
    """Return the bytes of a picture: of its file, or of its numbers.

    Raises
    ------
    BrokenPictureError
        There is no such file.
    """
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return bytes(cell)
    if isinstance(cell, (str, os.PathLike)):
        try:
            return Path(cell).read_bytes()
        except (OSError, ValueError) as error:
            raise BrokenPictureError("missing file", _said(error)) from error
    array = np.asarray(cell)
    return repr((array.shape, array.dtype.str)).encode() + array.tobytes()


def digest(cell: Any) -> bytes:
    """Return a hash of the bytes of a picture."""
    return hashlib.blake2b(raw_bytes(cell), digest_size=16).digest()


def _drawable(cell: Any, ink: tuple[float, float]) -> npt.NDArray[np.uint8]:
    try:
        array = np.asarray(cell)
    except ValueError as error:
        raise BrokenPictureError("wrong shape", "rows of different lengths") from error
    if array.dtype.kind not in "fiub":
        raise BrokenPictureError("not an image", f"{type(cell).__name__} of {array.dtype}")
    if array.ndim == 3 and array.shape[2] not in CHANNELS and array.shape[0] in CHANNELS:
        array = np.moveaxis(array, 0, 2)
    flat = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in CHANNELS)
    if not flat or not array.size:
        raise BrokenPictureError("wrong shape", f"an array of shape {array.shape}")
    array = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    return np.ascontiguousarray(array if array.dtype == np.uint8 else _inked(array, ink))


def _inked(array: npt.NDArray[Any], ink: tuple[float, float]) -> npt.NDArray[np.uint8]:
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise BrokenPictureError("damaged", f"{int((~np.isfinite(values)).sum())} pixels are NaN")
    share = np.clip((values - ink[0]) / (ink[1] - ink[0]), 0, 1)
    return np.asarray(np.round(share * 255), dtype=np.uint8)


def _start_of(raw: bytes) -> str:
    return f"{len(raw):,} bytes that start with {raw[:8]!r}"


def _said(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__


def each(act: Callable[[Any], T], cells: Iterable[Any]) -> Iterator[T | Broken]:
    """Give for each cell what an act makes of it, or why it is no picture; on all cores."""

    def attempt(cell: Any) -> T | Broken:
        try:
            return act(cell)
        except BrokenPictureError as error:
            return error.broken
        except MemoryError as error:
            return Broken("too large", _said(error))

    with _quiet(), ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(attempt, cells)


@contextmanager
def _quiet() -> Iterator[None]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
