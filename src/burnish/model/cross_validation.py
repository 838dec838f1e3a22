"""Out-of-sample class probabilities for every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, plain, shorten
from burnish.core.probabilities import Probabilities
from burnish.errors import LabelError, ProbabilityError
from burnish.model.estimators import (
    attempt,
    check_estimator,
    describe,
    library_versions,
    params_text,
    seeded,
)
from burnish.model.features import inputs
from burnish.model.folds import assign_folds, check_folds
from burnish.model.reading import (
    Mask,
    check_reading,
    identities_of,
    is_null,
    labels_of,
    read_from,
    rows_in_split,
    sorted_values,
)

if TYPE_CHECKING:
    from burnish.dataset.reading import Reading


def cross_val_probabilities(
    ds: Reading,
    estimator: Any,
    cv: int = 5,
    seed: int = 0,
    fit_on: Any = "train",
    progress: bool = True,
    columns: str | Sequence[str] | None = None,
) -> Probabilities:
    """Predict every row with a model that never saw it.

    Parameters
    ----------
    ds : Dataset or Snapshot
        The rows, with a label role. Staged edits are seen.
    estimator : scikit-learn classifier
        With ``fit`` and ``predict_proba``. It is cloned; where it or a step has a
        ``random_state`` that is None, the clone gets ``seed``.
    cv : int, default 5
        Number of folds, at least 2. Folds are made of groups where a ``group`` role exists, else
        of rows.
    seed : int, default 0
        Chooses the folds and seeds the estimator.
    fit_on : object, default "train"
        Train only on rows of this split. None trains on all; so does a dataset without a split
        role.
    progress : bool, default True
        Show a progress bar.
    columns : str or list of str, optional
        What the estimator reads, instead of the columns that have a role for it.

    Returns
    -------
    Probabilities
        One row for each live row, sorted by key; columns are the sorted classes. A row's model was
        trained on the other folds.

    Raises
    ------
    EstimatorError
        No ``predict_proba`` (before any work), or the estimator fails.
    LabelError
        A class has fewer training rows than there are folds, or there is only one class.
    InputError
        ``cv`` is not an integer of at least 2, ``fit_on`` names no split, there is no label role,
        or nothing that a model can learn from.
    ProbabilityError
        The estimator returns something else than probabilities.

    Notes
    -----
    Fits ``cv`` models. Rows whose label is null are predicted and never trained on. A class that
    a fold's model has not seen gets probability 0 there. The same rows give the same result in
    any order. Folds follow a hash of the key (or group) and the seed, so a row keeps its fold
    when others are added, dropped or edited.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> import burnish as bn
    >>> frame = pd.DataFrame({"id": range(40), "x": range(40), "label": ["low", "high"] * 20})
    >>> with bn.create(None, frame, key="id", label="label", features=["x"]) as ds:
    ...     bn.cross_val_probabilities(ds, LogisticRegression(), progress=False)
    Probabilities(40 rows × 2 classes: 'high', 'low')
    """
    check_estimator(estimator, method="predict_proba")
    check_folds(cv, "cv")
    check_reading(ds)
    table = _table(ds, estimator, cv, seed, fit_on, columns)
    values = np.zeros((len(table.folds), len(table.classes)))
    for fold in _bar(np.unique(table.folds).tolist(), progress):
        values[table.folds == fold] = _predict_fold(table, estimator, fold, seed)
    return Probabilities(
        values, table.keys, table.classes, _provenance(ds, estimator, cv, seed, fit_on, table)
    )


@dataclass(frozen=True)
class _Table:
    X: Any
    y: KeyArray
    keys: KeyArray
    folds: npt.NDArray[np.intp]
    trainable: Mask
    classes: tuple[Any, ...]
    columns: tuple[str, ...]


def _table(ds: Reading, estimator: Any, cv: int, seed: int, fit_on: Any, columns: Any) -> _Table:
    labels = labels_of(ds)
    trainable = _fit_rows(ds, fit_on) & ~is_null(labels)
    classes = _classes(labels, trainable, cv)
    given = inputs(ds, estimator, columns)
    order = given.order
    folds = assign_folds(identities_of(ds)[order], cv, seed)
    return _Table(
        given.X, labels[order], given.keys, folds, trainable[order], classes, given.columns
    )


def _fit_rows(ds: Reading, fit_on: Any) -> Mask:
    if fit_on is None or "split" not in ds.roles:
        return np.ones(len(ds), dtype=bool)
    return rows_in_split(ds, fit_on, "fit_on")


def _classes(labels: KeyArray, trainable: Mask, cv: int) -> tuple[Any, ...]:
    counts = Counter(labels[trainable])
    small = {name: n for name, n in counts.items() if n < cv}
    if small:
        shown = ", ".join(f"{name!r} ({small[name]})" for name in sorted_values(set(small))[:5])
        raise LabelError(
            f"{len(small)} classes have fewer training rows than the {cv} folds: {shown}",
            hint="label more rows of them or merge them" + _fewer_folds(min(small.values())),
        )
    if len(counts) < 2:
        raise LabelError(
            f"the training rows hold {len(counts)} classes ({shorten(list(counts)) or 'none'}), "
            "expected at least 2",
            hint="check the label column and fit_on",
        )
    return tuple(sorted_values(set(labels[~is_null(labels)])))


def _fewer_folds(n: int) -> str:
    return f", or pass cv={n}" if n >= 2 else ""


def _predict_fold(table: _Table, estimator: Any, fold: int, seed: int) -> npt.NDArray[np.float64]:
    rows = table.trainable & (table.folds != fold)
    known = set(table.y[rows])
    if len(known) < 2:
        raise LabelError(
            f"without fold {fold} the training rows hold {len(known)} classes "
            f"({shorten(list(known)) or 'none'}), expected at least 2",
            hint="take fewer folds, another seed, or groups that hold several classes",
        )
    model = seeded(estimator, seed, override=False)
    seen, held_out = _take(table.X, rows), _take(table.X, table.folds == fold)
    target = np.array(table.y[rows].tolist())
    attempt("fit", estimator, lambda: model.fit(seen, target), seen)
    predicted = attempt("predict", estimator, lambda: model.predict_proba(held_out), held_out)
    return spread(predicted, model_classes(model), table.classes)


def model_classes(model: Any) -> list[Any]:
    """Return the classes of a fitted model as plain values, in the order of its columns."""
    return [plain(name) for name in model.classes_]


def spread(predicted: Any, names: list[Any], classes: tuple[Any, ...]) -> npt.NDArray[np.float64]:
    """Return probabilities with one column for each class, 0 for those a model has not seen."""
    array = np.asarray(predicted, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ProbabilityError(
            f"predict_proba returned shape {array.shape}, expected (rows, {len(names)})",
            hint="multi-output classifiers are not supported here",
        )
    place = {name: i for i, name in enumerate(classes)}
    values = np.zeros((len(array), len(classes)))
    values[:, [place[name] for name in names]] = array
    return values


def _take(X: Any, rows: Mask) -> Any:
    return X.iloc[rows.nonzero()[0]] if hasattr(X, "iloc") else X[rows]


def _bar(folds: list[int], progress: bool) -> Iterator[int]:
    if not progress:
        yield from folds
        return
    from tqdm.auto import tqdm

    yield from tqdm(folds, desc="cross-validation", unit="fold", leave=False)


def _provenance(
    ds: Reading, estimator: Any, cv: int, seed: int, fit_on: Any, table: _Table
) -> dict[str, Any]:
    from burnish import __version__

    return {
        "made_by": "cross_val_probabilities",
        "estimator": describe(estimator),
        "estimator_params": params_text(estimator),
        "cv": int(cv),
        "seed": seed,
        "fit_on": fit_on,
        "columns": list(table.columns),
        "n_trained_on": int(table.trainable.sum()),
        **read_from(ds),
        "burnish": __version__,
        "libraries": library_versions(),
    }
