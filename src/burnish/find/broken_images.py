"""Images that do not decode."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array
from burnish.errors import InputError
from burnish.model.decoding import Broken, each, ink_range, opened, picture_cells
from burnish.model.reading import check_reading, key_order, read_from

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "broken-image"
READS = ("image",)


def broken_images(ds: Reading | Sequence[Any]) -> Findings:
    """Find rows whose image cannot be read.

    Parameters
    ----------
    ds : Dataset, Snapshot, or sequence of images of length n_rows
        The image role is read: encoded bytes (PNG, JPEG, …), paths of files, or arrays. Plain
        images are taken with keys 0 … n-1.

    Returns
    -------
    Findings
        In key order. The score is 1: an image either decodes whole or it does not. ``given`` is
        the path, or the number of bytes, or the shape. There is no suggestion. Details:
        ``reason``, one of ``"missing file"``, ``"empty"``, ``"not an image"``, ``"damaged"``
        (cut off, or not as its header says), ``"too large"`` or ``"wrong shape"``, and
        ``message``, what the decoder said.

    Raises
    ------
    InputError
        The dataset has no image role.

    Notes
    -----
    Every image is decoded whole, on all cores: about 5 ms for a photograph of a megapixel. Rows
    without an image are left out and counted as ``n_null`` in ``provenance``. An image of more
    pixels than Pillow's limit against decompression bombs is ``"too large"``. Damage that leaves
    the image decodable, such as a changed pixel, is not seen. Deterministic. Decoded by Pillow.

    Examples
    --------
    >>> import numpy as np
    >>> import burnish as bn
    >>> found = bn.find.broken_images([np.zeros((8, 8), np.uint8), b"GIF89a", None, "nowhere.png"])
    >>> found.frame()[["key", "reason"]].values.tolist()
    [[1, 'not an image'], [3, 'missing file']]
    """
    cells, keys, facts = _read(ds)
    order = key_order(keys)
    cells, keys = cells[order], keys[order]
    ink = ink_range(cells)
    there = np.array([cell is not None for cell in cells], dtype=bool)
    keys, cells = keys[there], cells[there]
    said = list(each(lambda cell: opened(cell, ink) and None, cells))
    bad = [(i, why) for i, why in enumerate(said) if isinstance(why, Broken)]
    rows = [i for i, _ in bad]
    provenance = {"made_by": "broken_images", **facts, "n_null": int((~there).sum())}
    return Findings(
        CODE,
        keys[rows],
        np.ones(len(rows)),
        key_array([_described(cells[i]) for i in rows]),
        key_array([None] * len(rows)),
        provenance,
        n_rows=len(there),
        details={
            "reason": key_array([why.reason for _, why in bad]),
            "message": key_array([why.message for _, why in bad]),
        },
    )


def _read(ds: Any) -> tuple[KeyArray, KeyArray, dict[str, Any]]:
    if isinstance(ds, (list, tuple, np.ndarray)):
        return key_array(list(ds)), key_array(range(len(ds))), {"n_rows": len(ds)}
    check_reading(ds)
    column = ds.roles.get("image")
    if column is None:
        raise InputError(
            f"the dataset has no image role, only {', '.join(sorted(ds.roles)) or 'none'}",
            hint="name the image column when creating it: bn.create(…, image='image')",
        )
    facts = {
        "columns": [str(column)],
        **read_from(ds),
        "n_rows": len(ds),
    }
    return picture_cells(ds, str(column)), ds.keys, facts


def _described(cell: Any) -> str:
    if isinstance(cell, (str, os.PathLike)):
        return os.fspath(cell)
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return f"{len(cell):,} bytes"
    return (
        f"array of shape {getattr(cell, 'shape', (len(cell),) if hasattr(cell, '__len__') else ())}"
    )
