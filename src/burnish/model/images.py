"""Pictures as rows of pixels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, shorten
from burnish.errors import InputError
from burnish.model.arrays import dense, holds_arrays
from burnish.model.reading import values_of

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading


def pixels(
    reading: Reading, column: str, leave_out_broken: bool = False
) -> npt.NDArray[np.float64]:
    """Return pictures as one row of pixels each, in store order.

    Parameters
    ----------
    reading : Dataset or Snapshot
        Where the rows are.
    column : str
        A column of arrays, of encoded bytes (PNG, JPEG, …), or of paths.
    leave_out_broken : bool, default False
        Take a picture that does not decode for one that is missing.

    Returns
    -------
    array of shape (n_rows, n_pixels)
        Flattened, channels last, unscaled; NaN where a picture is missing.

    Raises
    ------
    InputError
        A picture does not decode, or differs in size from the first.
    """
    if holds_arrays(reading, column):
        return dense(reading, column)
    pictures, keys = {}, reading.keys
    for i, cell in enumerate(values_of(reading, column)):
        try:
            if cell is not None:
                pictures[i] = _opened(cell, keys[i])
        except InputError:
            if not leave_out_broken:
                raise
    return _stacked(pictures, keys)


def _stacked(pictures: dict[int, npt.NDArray[Any]], keys: KeyArray) -> npt.NDArray[np.float64]:
    first = next(iter(pictures.values()), np.empty(0))
    odd = [i for i, picture in pictures.items() if picture.shape != first.shape]
    if odd:
        shown = [f"{keys[i]!r}: {pictures[i].shape}" for i in odd]
        raise InputError(
            f"{len(odd)} of {len(pictures)} images differ in size from the first, {first.shape}: "
            f"{shorten(shown, 3)}",
            hint="resize them to one size, or compute an embedding and give it the embedding role",
        )
    rows = np.full((len(keys), first.size), np.nan)
    for i, picture in pictures.items():
        rows[i] = picture.ravel()
    return rows


def _opened(source: Any, key: Any) -> npt.NDArray[Any]:
    from PIL import Image, UnidentifiedImageError

    stream = io.BytesIO(source) if isinstance(source, (bytes, bytearray)) else source
    try:
        with Image.open(stream) as picture:
            return np.asarray(picture)
    except UnidentifiedImageError as error:
        raise _undecoded(source, key, "it is of no known image format") from error
    except Exception as error:  # decoders raise whatever they meet in broken bytes
        raise _undecoded(source, key, str(error) or type(error).__name__) from error


def _undecoded(source: Any, key: Any, why: str) -> InputError:
    raw = isinstance(source, (bytes, bytearray))
    shown = f"{len(source):,} bytes" if raw else repr(str(source))
    return InputError(
        f"the image of row {key!r} ({shown}) does not decode: {why}",
        hint="bn.find.broken_images(ds) lists all such rows; repair or drop them",
    )
