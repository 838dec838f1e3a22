"""Boxes on images: how they overlap, and how well predicted ones cover given ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of one image, their class codes and, if predicted, probabilities."""

    boxes: Matrix
    codes: npt.NDArray[np.intp]
    probs: Matrix

    @classmethod
    def of(cls, boxes: Sequence[Any], codes: list[int], probs: Any = ()) -> Boxes:
        """Return boxes from pairs of a class and corners, whose codes and probabilities follow."""
        corners = np.array([box for _, box in boxes], dtype=np.float64).reshape(-1, 4)
        return cls(corners, np.array(codes, dtype=np.intp), np.array(probs, dtype=np.float64))


def compared(given: Boxes, seen: Boxes, alpha: float, decay: float) -> dict[str, Any]:
    """Return how given boxes lie to predicted ones, as cleanlab takes it for one image.

    Parameters
    ----------
    given, seen : Boxes
    alpha : float
        Weight of the overlap in the similarity, in [0, 1]; the rest is that of the centres.
    decay : float
        How fast the similarity of centres falls with their distance, per pixel.
    """
    shared = overlap(given.boxes, seen.boxes)
    centres = [(each.boxes[:, :2] + each.boxes[:, 2:]) / 2 for each in (given, seen)]
    apart = np.linalg.norm(centres[0][:, None] - centres[1][None], axis=2)
    return {
        "lab_bboxes": given.boxes,
        "lab_labels": given.codes,
        "pred_bboxes": seen.boxes,
        "pred_labels": seen.codes,
        "pred_label_probs": seen.probs,
        "iou_matrix": shared,
        "similarity_matrix": alpha * shared + (1 - alpha) * np.exp(-decay * apart),
    }


def overlap(a: Matrix, b: Matrix) -> Matrix:
    """Return intersection over union of each box of `a` with each of `b`."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area_a, area_b = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b))
    return np.asarray(shared / (area_a[:, None] + area_b[None, :] - shared))


def average_precision(labels: list[Boxes], seen: list[Boxes], code: int) -> float:
    """Return the average precision of one class, the mean over overlaps of 0.5, 0.55 … 0.95."""
    levels = np.linspace(0.5, 0.95, 10)
    parts = []
    for mine, theirs in zip(labels, seen, strict=True):
        found = theirs.codes == code
        shared = overlap(theirs.boxes[found], mine.boxes[mine.codes == code])
        parts.append(_hits(shared, theirs.probs[found], levels))
    hits = np.concatenate(parts)
    order = np.argsort(-np.concatenate([t.probs[t.codes == code] for t in seen]))
    n_labels = sum(int((mine.codes == code).sum()) for mine in labels)
    return float(np.mean([_area(hits[order, i], n_labels) for i in range(len(levels))]))


def _hits(shared: Matrix, probs: Matrix, levels: Matrix) -> npt.NDArray[np.bool_]:
    """Return which predicted boxes are the first to cover a label, one column a level."""
    hits = np.zeros((len(probs), len(levels)), dtype=bool)
    if not shared.size:
        return hits
    best, label = shared.max(axis=1), shared.argmax(axis=1)
    covered = np.zeros((shared.shape[1], len(levels)), dtype=bool)
    for at in np.argsort(-probs):
        hits[at] = (best[at] >= levels) & ~covered[label[at]]
        covered[label[at]] |= hits[at]
    return hits


def _area(hits: npt.NDArray[np.bool_], n_labels: int) -> float:
    """Return the area under the precision that is reached at each recall or later."""
    reached = np.cumsum(hits)
    recall = np.concatenate([[0.0], reached / max(n_labels, 1), [1.0]])
    precision = np.concatenate([[0.0], reached / np.arange(1, len(hits) + 1), [0.0]])
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * best[1:]))
