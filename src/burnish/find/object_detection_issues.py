"""Images whose boxes are probably incomplete, badly placed or of another class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.finding import Findings
from burnish.core.keys import key_array, plain
from burnish.core.probabilities import NOISE
from burnish.errors import InputError, LabelError, ProbabilityError
from burnish.model.boxes import Boxes, average_precision, compared, overlap
from burnish.model.predictions import Labelled, class_places, items_of, labelled, quiet

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading

CODE = "object-detection-issue"
READS = ("boxes", "predictions")
ERRORS = ("overlooked", "badly located", "swapped")
Matrix = npt.NDArray[np.float64]


def object_detection_issues(
    ds: Reading | Sequence[Any],
    predictions: Any,
    column: str | None = None,
    classes: Sequence[Any] | None = None,
) -> Findings:
    """Find images with a box that is probably overlooked, badly located or of another class.

    Parameters
    ----------
    ds : Dataset, Snapshot, or sequence of n_rows lists of boxes
        The boxes as they are now, each ``{"class": …, "box": [x1, y1, x2, y2]}`` in pixels, with
        x1 < x2 and y1 < y2. Plain boxes are taken with keys 0 … n-1.
    predictions : mapping of key to predicted boxes, or sequence of n_rows
        Out-of-sample boxes of each image: either ``{"class", "box", "probability"}`` each, or
        n_classes arrays of shape (n_boxes, 5) with columns x1, y1, x2, y2 and probability. A
        plain sequence goes with plain boxes only.
    column : str, optional
        The column of a dataset that holds the lists of boxes.
    classes : sequence of length n_classes, optional
        Class names in the order of such arrays. By default 0 … K-1 where the labels are such
        integers, else the sorted classes of labels and predictions.

    Returns
    -------
    Findings
        One for each flagged image, worst first. The score is 1 minus cleanlab's label quality of
        the image, a geometric mean over the three kinds of error: 1 is certainly wrong. Given is
        the box of the worst error and suggestion the predicted one, both as above; given is None
        where the box is missing, suggestion is None where one place has labels of two classes and
        no predicted box says which is wrong. Details: ``error`` (``"overlooked"``,
        ``"badly located"`` or ``"swapped"``), ``n_errors``, and ``relabel_to``, all boxes of the
        image with the worst error corrected.

    Raises
    ------
    ProbabilityError
        Predicted boxes of another form, NaN, or predictions for other keys.
    LabelError
        A label is no list of boxes, or holds a class that the predictions do not know.
    InputError
        A box has no area, or the dataset has no column of boxes.

    Notes
    -----
    A box is an error if its quality is below a share of the average precision that the model
    reaches on its class, so a weak model flags little. Boxes predicted with a probability below
    0.95 never count as overlooked or swapped. Null labels and rows without predictions are left
    out and counted in ``provenance``; an empty list is an image without objects. Takes
    O(boxes × predicted boxes) time an image: one with 30 boxes and 30 predicted ones takes about
    0.05 s. Deterministic.

    References
    ----------
    .. [1] Tkachenko, Thyagarajan and Mueller (2023), ObjectLab: Automated Diagnosis of
       Mislabeled Images in Object Detection Data. arXiv:2309.00832. Box and image scores by
       cleanlab, as are its thresholds.

    Examples
    --------
    >>> import burnish as bn
    >>> cat, dog = {"class": "cat", "box": [0, 0, 9, 9]}, {"class": "dog", "box": [20, 20, 40, 40]}
    >>> seen = [{**cat, "probability": 0.99}, {**dog, "probability": 0.98}]
    >>> found = bn.find.object_detection_issues([[cat, dog], [cat], [cat, dog]], [seen] * 3)
    >>> found[0].key, found.details["error"][0], found[0].suggestion["class"]
    (1, 'overlooked', 'dog')
    """
    rows = labelled(ds, predictions, column)
    given = [_given(v, k) for k, v in zip(rows.keys, rows.labels, strict=True)]
    seen, names = _seen(rows, given, classes)
    place = {name: i for i, name in enumerate(names)}
    labels = [Boxes.of(boxes, [place[name] for name, _ in boxes]) for boxes in given]
    return _findings(rows, labels, seen, names)


@dataclass(frozen=True)
class _Error:
    quality: float
    kind: str
    label: int | None
    predicted: int | None


def _given(label: Any, key: Any) -> list[tuple[Any, list[float]]]:
    boxes = items_of(label, key, "a list of boxes")
    return [(_class(box, key), _corners(box["box"], key)) for box in boxes]


def _class(box: Any, key: Any) -> Any:
    if not isinstance(box, Mapping) or not {"class", "box"} <= set(box) or box["class"] is None:
        raise LabelError(
            f"row {key!r} holds {box!r}, expected a box",
            hint="write each box as {'class': 'cat', 'box': [x1, y1, x2, y2]}",
        )
    return plain(box["class"])


def _corners(box: Any, key: Any) -> list[float]:
    try:
        x1, y1, x2, y2 = (float(value) for value in box)
    except (TypeError, ValueError):
        x1 = y1 = x2 = y2 = float("nan")
    if not (x1 < x2 and y1 < y2 and np.isfinite([x1, y1, x2, y2]).all()):
        raise InputError(
            f"row {key!r} holds the box {box!r}, expected [x1, y1, x2, y2] with x1 < x2, y1 < y2",
            hint="give the left, top, right and bottom edge, in pixels",
        )
    return [x1, y1, x2, y2]


def _seen(rows: Labelled, given: list[Any], classes: Any) -> tuple[list[Boxes], tuple[Any, ...]]:
    pairs = [(k, _listing(v, k)) for k, v in zip(rows.keys, rows.predictions, strict=True)]
    listed = all(isinstance(box, Mapping) for _, boxes in pairs for box in boxes)
    present = {name for boxes in given for name, _ in boxes}
    if listed:
        found = [_listed(boxes, key) for key, boxes in pairs]
        present |= {name for boxes in found for name, _, _ in boxes}
        n_classes = len(present) if classes is None else len(list(classes))
        names, place = class_places(present, n_classes, None, classes)
        return [_sorted(boxes, place) for boxes in found], names
    arrays = [_arrays(boxes, key, len(pairs[0][1])) for key, boxes in pairs]
    names, _ = class_places(present, len(arrays[0]), None, classes)
    return [_stacked(boxes) for boxes in arrays], names


def _listing(boxes: Any, key: Any) -> list[Any]:
    if isinstance(boxes, (str, bytes, Mapping)) or not hasattr(boxes, "__iter__"):
        raise ProbabilityError(
            f"the prediction of row {key!r} is {boxes!r}, expected a list",
            hint="pass the boxes that the model sees in the image, an empty list for none",
        )
    return list(boxes)


def _listed(boxes: Any, key: Any) -> list[tuple[Any, list[float], float]]:
    return [(_class(box, key), _corners(box["box"], key), _probability(box, key)) for box in boxes]


def _probability(box: Mapping[str, Any], key: Any) -> float:
    value = plain(box.get("probability"))
    if not isinstance(value, (int, float)) or not -NOISE <= value <= 1 + NOISE:
        raise ProbabilityError(
            f"a predicted box of row {key!r} has the probability {value!r}, expected it in [0, 1]",
            hint="write each predicted box as {'class', 'box', 'probability'}",
        )
    return min(max(float(value), 0.0), 1.0)


def _sorted(boxes: list[tuple[Any, list[float], float]], place: dict[Any, int]) -> Boxes:
    ordered = sorted(boxes, key=lambda box: place[box[0]])
    pairs = [(name, corners) for name, corners, _ in ordered]
    return Boxes.of(pairs, [place[name] for name, _ in pairs], [prob for *_, prob in ordered])


def _arrays(boxes: Any, key: Any, n_classes: int) -> list[Matrix]:
    try:
        arrays = [np.asarray(each, dtype=np.float64).reshape(-1, 5) for each in boxes]
    except (TypeError, ValueError):
        arrays = []
    if len(arrays) != n_classes:
        raise ProbabilityError(
            f"the prediction of row {key!r} is not one array of shape (n_boxes, 5) for each of "
            f"{n_classes} classes",
            hint="pass x1, y1, x2, y2, probability of each box, or boxes as mappings",
        )
    for row in np.concatenate(arrays) if arrays else []:
        _corners(row[:4].tolist(), key)
        _probability({"probability": float(row[4])}, key)
    return arrays


def _stacked(arrays: list[Matrix]) -> Boxes:
    rows = np.concatenate([np.zeros((0, 5)), *arrays])
    codes = np.repeat(np.arange(len(arrays)), [len(each) for each in arrays])
    return Boxes(rows[:, :4], codes, np.clip(rows[:, 4], 0, 1))


def _findings(
    rows: Labelled, labels: list[Boxes], seen: list[Boxes], names: tuple[Any, ...]
) -> Findings:
    errors, quality = _errors(labels, seen, len(names))
    at = [i for i, each in enumerate(errors) if each]
    worst = [min(errors[i], key=lambda error: (error.predicted is None, error.quality)) for i in at]
    pairs = [(labels[i], seen[i], error) for i, error in zip(at, worst, strict=True)]
    details: dict[str, list[Any]] = {
        "error": [error.kind for error in worst],
        "n_errors": [len(errors[i]) for i in at],
        "relabel_to": [_corrected(*pair, names) for pair in pairs],
    }
    return Findings(
        CODE,
        rows.keys[at],
        np.clip([1 - quality[i] for i in at], 0, 1),
        key_array([_box(mine, error.label, names) for mine, _, error in pairs]),
        key_array([_box(theirs, error.predicted, names) for _, theirs, error in pairs]),
        rows.made_by("object_detection_issues", cleanlab=version("cleanlab")),
        n_rows=len(rows.keys),
        details={name: key_array(each) for name, each in details.items()},
    )


def _box(boxes: Boxes, at: int | None, names: tuple[Any, ...]) -> dict[str, Any] | None:
    if at is None:
        return None
    return {"class": names[boxes.codes[at]], "box": boxes.boxes[at].tolist()}


def _corrected(
    mine: Boxes, theirs: Boxes, error: _Error, names: tuple[Any, ...]
) -> tuple[dict[str, Any], ...]:
    boxes: list[Any] = [_box(mine, i, names) for i in range(len(mine.codes))]
    new = _box(theirs, error.predicted, names)
    if new is None:
        return tuple(boxes)
    if error.label is None:
        return (*boxes, new)
    swapped = error.kind == "swapped"
    boxes[error.label] = {**boxes[error.label], "class": new["class"]} if swapped else new
    return tuple(boxes)


def _errors(
    labels: list[Boxes], seen: list[Boxes], n_classes: int
) -> tuple[list[list[_Error]], list[float]]:
    if not labels or not n_classes:
        return [[] for _ in labels], [1.0] * len(labels)
    from cleanlab.internal import constants
    from cleanlab.object_detection import rank

    pairs = zip(labels, seen, strict=True)
    inputs = [compared(*pair, constants.ALPHA, constants.EUC_FACTOR) for pair in pairs]
    lowest = min((_lowest(each["similarity_matrix"]) for each in inputs), default=1.0)
    inputs = [{**each, "min_possible_similarity": lowest} for each in inputs]
    with quiet():
        kinds = [
            rank.compute_overlooked_box_scores(auxiliary_inputs=inputs),
            rank.compute_badloc_box_scores(auxiliary_inputs=inputs),
            rank.compute_swap_box_scores(auxiliary_inputs=inputs),
        ]
        pooled = [rank.pool_box_scores_per_image(each) for each in kinds]
    quality = np.exp(np.mean(np.log(np.array(pooled) + constants.TINY_VALUE), axis=0)).tolist()
    limits = _limits(labels, seen, n_classes)
    images = zip(labels, seen, zip(*kinds, strict=True), strict=True)
    return [_of_image(mine, theirs, each, limits) for mine, theirs, each in images], quality


def _lowest(similarity: Matrix) -> float:
    return float(np.min(similarity[similarity > 0], initial=1.0))


def _limits(labels: list[Boxes], seen: list[Boxes], n_classes: int) -> dict[str, Matrix]:
    from cleanlab.internal import constants as cleanlab

    precision = np.array([average_precision(labels, seen, code) for code in range(n_classes)])
    precision *= cleanlab.AP_SCALE_FACTOR
    return {
        "overlooked": precision * cleanlab.OVERLOOKED_THRESHOLD_FACTOR,
        "badly located": precision * cleanlab.BADLOC_THRESHOLD_FACTOR,
        "swapped": precision * cleanlab.SWAP_THRESHOLD_FACTOR,
    }


def _of_image(
    mine: Boxes, theirs: Boxes, scores: tuple[Matrix, ...], limits: dict[str, Matrix]
) -> list[_Error]:
    errors = []
    for kind, qualities in zip(ERRORS, scores, strict=True):
        codes = theirs.codes if kind == "overlooked" else mine.codes
        for at in np.flatnonzero(qualities <= limits[kind][codes]).tolist():
            quality = float(qualities[at])
            if kind == "overlooked":
                errors.append(_Error(quality, kind, None, at))
            else:
                errors.append(_Error(quality, kind, at, _nearest(mine, theirs, at, kind)))
    return errors


def _nearest(mine: Boxes, theirs: Boxes, at: int, kind: str) -> int | None:
    """Return the predicted box that a label should be like, None where none overlaps it."""
    same = theirs.codes == mine.codes[at]
    wanted = same if kind == "badly located" else ~same
    shared = overlap(mine.boxes[at : at + 1], theirs.boxes)[0]
    near = np.flatnonzero(wanted & (shared > 0))
    return int(near[np.lexsort((-theirs.probs[near], -shared[near]))[0]]) if len(near) else None
