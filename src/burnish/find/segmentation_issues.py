"""Masks of images, of which a part is probably of another class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import KeyArray, key_array, plain
from burnish.core.probabilities import normalised
from burnish.errors import LabelError, ProbabilityError
from burnish.model.predictions import (
    Labelled,
    class_places,
    is_missing,
    labelled,
    number_array,
    quiet,
)

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "segmentation-issue"
READS = ("masks", "predictions")
Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


def segmentation_issues(
    ds: Reading | Sequence[Any] | npt.NDArray[Any],
    predictions: Any,
    column: str | None = None,
    classes: Sequence[Any] | None = None,
    ignore: Any = None,
) -> Findings:
    """Find images in whose mask pixels are probably of another class.

    Parameters
    ----------
    ds : Dataset, Snapshot, or sequence of n_rows masks of shape (height, width)
        The class of each pixel as it is now. The images may differ in size. Plain masks are taken
        with keys 0 … n-1.
    predictions : mapping of key to array of shape (n_classes, height, width), or array
        Out-of-sample class probabilities of each pixel. A plain array of shape
        (n_rows, n_classes, height, width), or a sequence, goes with plain masks only.
    column : str, optional
        The column of a dataset that holds the masks as nested lists.
    classes : sequence of length n_classes, optional
        Class names in the order of the predictions. By default 0 … K-1 where the pixels are such
        integers, else the sorted classes.
    ignore : class, optional
        Pixels of this class have no label, for example 255. Null pixels never have one.

    Returns
    -------
    Findings
        One for each image with a flagged pixel, worst first. The score is 1 minus cleanlab's
        soft minimum over the probabilities of the given classes of all its pixels: 1 is certainly
        wrong. Given and suggestion are the most frequent pair of given and most probable class
        among its flagged pixels. Details: ``share`` of flagged pixels, in [0, 1], ``n_flagged``,
        and ``relabel_to``, the mask with the most probable class in the flagged pixels.

    Raises
    ------
    ProbabilityError
        Wrong shape, NaN, probabilities that do not sum to 1, or predictions for other keys.
    LabelError
        A mask is no rectangle, or holds a class that the predictions do not know.
    InputError
        The dataset has no column of masks.

    Notes
    -----
    Pixels are taken one by one, so that borders, where models blur, are flagged more than they
    should be: a share of a few per cent is often only that. Masks that are null and rows without
    predictions are left out and counted in ``provenance``. O(n_pixels × n_classes) time, and two
    float64 copies of the predictions: sample the images, or shrink them, where that is too much.
    Deterministic.

    References
    ----------
    .. [1] Lad and Mueller (2023), Estimating label quality and errors in semantic segmentation
       data via any model. arXiv:2307.05080. Computed by cleanlab.

    Examples
    --------
    >>> import numpy as np
    >>> import burnish as bn
    >>> truth = np.array([[[0, 0], [1, 1]]] * 8)
    >>> probs = np.stack([0.9 - 0.8 * truth, 0.1 + 0.8 * truth], axis=1)
    >>> given = truth.copy()
    >>> given[3, 0, 0] = 1
    >>> found = bn.find.segmentation_issues(given, probs)
    >>> found[0].key, found[0].suggestion, found.details["share"][0]
    (3, 0, 0.25)
    """
    rows = labelled(ds, predictions, column)
    pixels = _pixels(rows, classes, ignore)
    return _findings(rows, pixels, _flagged(pixels))


@dataclass(frozen=True, eq=False)
class _Pixels:
    """All labelled pixels, image after image: which image, where in it, class, probabilities."""

    row: Codes
    place: Codes
    given: Codes
    probs: Matrix
    names: tuple[Any, ...]
    masks: list[KeyArray]


def _pixels(rows: Labelled, classes: Any, ignore: Any) -> _Pixels:
    masks = [_mask(v, k) for k, v in zip(rows.keys, rows.labels, strict=True)]
    known = [_has_label(mask, ignore) for mask in masks]
    present = {
        plain(v) for mask, ok in zip(masks, known, strict=True) for v in set(mask.ravel()[ok])
    }
    arrays = [number_array(v, k, 3) for k, v in zip(rows.keys, rows.predictions, strict=True)]
    n_classes = len(arrays[0]) if arrays else len(present)
    _check_shapes(rows.keys, masks, arrays, n_classes)
    names, code = class_places(present, n_classes, rows.names, classes)
    spots = [np.flatnonzero(ok) for ok in known]
    given = [code[v] for m, at in zip(masks, spots, strict=True) for v in m.ravel()[at]]
    parts = [a.reshape(n_classes, -1).T[at] for a, at in zip(arrays, spots, strict=True)]
    row = np.repeat(np.arange(len(masks)), [len(at) for at in spots])
    probs = np.concatenate(parts) if parts else np.zeros((0, n_classes))
    place = np.concatenate([np.zeros(0, dtype=np.intp), *spots])
    probs = np.asarray(normalised(probs, rows.keys[row]), dtype=np.float64)
    return _Pixels(row, place, np.array(given, dtype=np.intp), probs, names, masks)


def _mask(label: Any, key: Any) -> KeyArray:
    try:
        mask = np.array(label, dtype=object)
    except ValueError:
        mask = np.zeros(0, dtype=object)
    if mask.ndim != 2 or any(isinstance(value, (list, tuple, dict)) for value in mask.flat):
        raise LabelError(
            f"the mask of row {key!r} is no rectangle of classes",
            hint="pass lists of rows of one width, or arrays of shape (height, width)",
        )
    return mask


def _has_label(mask: KeyArray, ignore: Any) -> npt.NDArray[np.bool_]:
    ignored = [is_missing(v) or (ignore is not None and v == ignore) for v in mask.flat]
    return ~np.array(ignored, dtype=bool)


def _check_shapes(
    keys: KeyArray, masks: list[KeyArray], arrays: list[Matrix], n_classes: int
) -> None:
    for key, mask, array in zip(keys, masks, arrays, strict=True):
        if array.shape != (n_classes, *mask.shape):
            raise ProbabilityError(
                f"the prediction of row {key!r} has shape {array.shape}, expected "
                f"{(n_classes, *mask.shape)} for its mask",
                hint="pass class probabilities of shape (n_classes, height, width)",
            )


def _flagged(pixels: _Pixels) -> Codes:
    if len(np.unique(pixels.given)) < 2:
        return np.zeros(0, dtype=np.intp)
    from cleanlab.segmentation.filter import find_label_issues

    labels, probs = _as_image(pixels.given, pixels.probs)
    with quiet():
        flags = find_label_issues(labels, probs, n_jobs=1, verbose=False)
    return np.flatnonzero(flags)


def _as_image(given: Codes, probs: Matrix) -> tuple[Codes, Matrix]:
    """Return pixels as the one image of height 1 that cleanlab takes for any number of them."""
    return given[None, None, :], probs.T[None, :, None, :]


def _findings(rows: Labelled, pixels: _Pixels, flagged: Codes) -> Findings:
    at, starts = np.unique(pixels.row[flagged], return_index=True)
    by_row = np.split(flagged, starts[1:]) if len(at) else []
    pairs = [_commonest(pixels, chosen) for chosen in by_row]
    sizes = np.bincount(pixels.row, minlength=len(rows.keys))[at]
    details: dict[str, list[Any]] = {
        "share": [len(chosen) / int(n) for chosen, n in zip(by_row, sizes, strict=True)],
        "n_flagged": [len(chosen) for chosen in by_row],
        "relabel_to": [_corrected(pixels, chosen) for chosen in by_row],
    }
    return Findings(
        CODE,
        rows.keys[at],
        _scores(pixels, at),
        key_array([pixels.names[given] for given, _ in pairs]),
        key_array([pixels.names[best] for _, best in pairs]),
        {
            **rows.made_by("segmentation_issues", cleanlab=version("cleanlab")),
            "n_pixels": len(pixels.given),
        },
        n_rows=len(rows.keys),
        details={name: key_array(each) for name, each in details.items()},
    )


def _commonest(pixels: _Pixels, chosen: Codes) -> tuple[int, int]:
    n_classes = len(pixels.names)
    pairs = pixels.given[chosen] * n_classes + pixels.probs[chosen].argmax(axis=1)
    given, best = divmod(int(np.bincount(pairs).argmax()), n_classes)
    return given, best


def _corrected(pixels: _Pixels, chosen: Codes) -> KeyArray:
    mask: KeyArray = pixels.masks[pixels.row[chosen[0]]].copy()
    best = pixels.probs[chosen].argmax(axis=1)
    mask.flat[pixels.place[chosen]] = [pixels.names[code] for code in best]
    return mask


def _scores(pixels: _Pixels, rows: Codes) -> Matrix:
    from cleanlab.segmentation.rank import get_label_quality_scores

    scores = np.zeros(len(rows))
    bounds = np.searchsorted(pixels.row, [rows, rows + 1]).T
    for i, (start, stop) in enumerate(bounds):
        labels, probs = _as_image(pixels.given[start:stop], pixels.probs[start:stop])
        with quiet():
            quality, _ = get_label_quality_scores(labels, probs, verbose=False)
        scores[i] = 1 - float(quality[0])
    return np.clip(scores, 0, 1)
