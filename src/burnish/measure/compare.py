"""One estimator on two versions of the data, judged on the same rows and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray, key_array
from burnish.errors import InputError, StagedError
from burnish.measure.comparison import Comparison
from burnish.measure.design import (
    TRUTHS,
    EvaluationRows,
    evaluation_rows,
    named_slices,
    read_version,
    training_rows,
)
from burnish.measure.flags import Case, flags_of
from burnish.measure.intervals import Estimates, estimate
from burnish.measure.resampling import Floats, Scores, score
from burnish.measure.training import Predictions, predict_both, seeds_for
from burnish.model.estimators import (
    check_estimator,
    describe,
    estimator_name,
    is_random,
    library_versions,
    params_text,
)
from burnish.model.metrics import Metric, metric
from burnish.model.reading import check_reading

if TYPE_CHECKING:
    import pandas as pd

PROTOCOLS = ("holdout",)


def compare(
    ds: Any,
    before: str,
    after: str,
    estimator: Any,
    metrics: Sequence[str | Callable[[Any, Any], float]] = ("accuracy",),
    slices: Sequence[Any] = (),
    train: Any = "train",
    evaluate: Any = "test",
    protocol: str = "holdout",
    truth: str = "before",
    seeds: int | Sequence[int] = 5,
    confidence: float = 0.95,
    progress: bool = True,
    columns: str | Sequence[str] | None = None,
    seed: int = 0,
) -> Comparison:
    """Train one estimator on two versions and say what the change was worth.

    Parameters
    ----------
    ds : Dataset
        Without staged edits, with a label and a split role.
    before, after : str
        Names of the two versions.
    estimator : scikit-learn classifier
        Cloned for each version and seed.
    metrics : sequence of str or callable, default ("accuracy",)
        Names as scikit-learn spells them, or ``f(y_true, y_pred) -> float`` (greater is better
        unless the function has ``greater_is_better = False``).
    slices : sequence of Slice, (name, predicate) or predicate
        Evaluated on ``before`` and frozen to those keys.
    train, evaluate : object, default "train" and "test"
        Splits to train on and to be scored on.
    protocol : {"holdout"}
        Train on one split, score on another.
    truth : {"before", "after", "untouched"}, default "before"
        Whose labels both sides are scored on; ``"untouched"`` leaves out evaluation rows whose
        label was edited. Inputs of evaluation rows are those of the after version with
        ``"after"``, else of the before version, on both sides.
    seeds : int or sequence of int, default 5
        Trainings per version. Every ``random_state`` of the estimator and its steps is set to
        each seed in turn. An estimator without one is trained once.
    confidence : float, default 0.95
        Level of the intervals, in (0, 1).
    progress : bool, default True
        Show a progress bar.
    columns : str or list of str, optional
        What the estimator reads, instead of the columns that have a role for it.
    seed : int, default 0
        Of the bootstrap.

    Returns
    -------
    Comparison
        ``frame()``, ``flips()``, ``plot()`` and ``flags``.

    Raises
    ------
    StagedError
        There are staged edits.
    UnknownVersionError
        No version of that name.
    EstimatorError
        The estimator cannot predict, or fails on one side; the message says which.
    LabelError
        A side has fewer than two classes to train on.
    InputError
        An unknown metric, split, truth or protocol, a confidence outside (0, 1), no evaluation
        rows on both sides, or two slices of one name.
    PredicateError
        A slice's predicate does not parse.

    Notes
    -----
    The estimand is the difference for *these training rows*, *new evaluation rows* and *new
    seeds*. Only rows of the ``evaluate`` split that are alive in both versions are scored. The
    rows' part of the variance is a paired bootstrap of the seed average (2,000 replicates; 200
    for metrics given as functions; whole groups where there is a ``group`` role); the seeds' part
    is the variance between seeds that the rows do not explain. Both are combined with
    Satterthwaite's degrees of freedom. The rows' part of count-based metrics is never taken to be
    smaller than with one row fixed and one broken, so that no flipped row does not look certain.
    ``low_all, high_all`` and ``p_adjusted`` come from the maximum over all slices and metrics.

    Below 30 rows the interval is given and flagged ``small-slice``. Without any variation the
    interval is NaN, unless both sides train on equal rows, where the difference is exactly 0.

    Cost: 2 × ``seeds`` trainings; the statistics take O(replicates × distinct rows × slices).
    Deterministic for ``seed`` and ``seeds``.

    References
    ----------
    See :func:`burnish.measure.intervals.estimate`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> import burnish as bn
    >>> frame = pd.DataFrame({"id": range(200), "x": [i % 50 for i in range(200)]})
    >>> frame["label"] = ["high" if x >= 25 else "low" for x in frame["x"]]
    >>> frame["split"] = ["train", "test"] * 100
    >>> frame.loc[0:98:2, "label"] = "high"
    >>> with bn.create(None, frame, key="id", label="label", split="split", features=["x"]) as ds:
    ...     ds.relabel([i for i in range(0, 100, 2) if i % 50 < 25], "low")
    ...     version = ds.commit("put right")
    ...     tree = DecisionTreeClassifier(max_depth=1)
    ...     found = bn.compare(ds, before="v0", after="v1", estimator=tree, progress=False)
    >>> bool(found.frame().loc[0, "difference"] >= 0)
    True
    """
    check_reading(ds)
    chosen = _checked_metrics(estimator, metrics)
    _check_options(ds, protocol, truth, confidence, train, evaluate)
    all_seeds, parts = _seed_list(seeds), named_slices(slices)
    sides = [
        read_version(ds.at(ref), estimator, columns, train, evaluate) for ref in (before, after)
    ]
    training = (training_rows(sides[0]), training_rows(sides[1]))
    rows = evaluation_rows(sides[0], sides[1], truth, parts)
    used = seeds_for(estimator, all_seeds)
    want = any(each.needs == "probabilities" for each in chosen)
    predictions = predict_both(
        estimator, training, rows, used, want_probabilities=want, progress=progress
    )
    scores = score(predictions, rows.members, rows.clusters, chosen, seed)
    units = _units(rows)
    found = estimate(
        scores.differences,
        scores.replicates,
        np.repeat(units, len(chosen)),
        _floor(rows, chosen, predictions),
        confidence,
        seed,
        scores.n_joint,
        exact=predictions.identical,
    )
    case = Case(
        before=sides[0],
        after=sides[1],
        training=training,
        rows=rows,
        units=units,
        values=scores.values,
        metrics=tuple(each.name for each in chosen),
        truth=truth,
        n_seeds=len(used),
        deterministic=not is_random(estimator),
        identical=predictions.identical,
        suggested=_suggested(ds, before, after, rows),
    )
    made = Comparison(
        before=_name(before),
        after=_name(after),
        table=_table(rows, case.metrics, units, scores, found),
        flipped=_flips(rows, predictions),
        flags=flags_of(case),
        confidence=confidence,
        greater_is_better={each.name: each.greater_is_better for each in chosen},
        provenance=_provenance(estimator, case, used, seed, confidence, predictions),
    )
    _note(ds, before, after, made)
    return made


def _note(ds: Any, before: Any, after: Any, made: Comparison) -> None:
    """Note the first line of a comparison beside both versions."""
    first = made.frame().iloc[0]
    numbers = {
        name: _plain(first[name]) for name in ("before", "after", "difference", "low", "high")
    }
    told = {"versions": [made.before, made.after], "metric": str(first["metric"]), **numbers}
    for ref in (before, after):
        ds.note(ref, "evaluation", told)


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _checked_metrics(estimator: Any, metrics: Any) -> list[Metric]:
    given = [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics)
    chosen = [metric(each) for each in given]
    names = [each.name for each in chosen]
    if not chosen or len(set(names)) < len(names):
        raise InputError(
            f"metrics={names!r}, expected at least one and each once",
            hint="pass for example metrics=['accuracy', 'f1_macro']",
        )
    check_estimator(estimator, method="predict")
    if any(each.needs == "probabilities" for each in chosen):
        check_estimator(estimator, method="predict_proba")
    return chosen


def _check_options(
    ds: Any, protocol: str, truth: str, confidence: float, train: Any, evaluate: Any
) -> None:
    _check_among("protocol", protocol, PROTOCOLS)
    _check_among("truth", truth, TRUTHS)
    if not 0 < confidence < 1:
        raise InputError(
            f"confidence={confidence!r}, expected a number in (0, 1)", hint="pass confidence=0.95"
        )
    if train == evaluate:
        raise InputError(
            f"train and evaluate are both {train!r}; a model must not be scored on what it learned",
            hint="name two splits",
        )
    if len(ds.staged):
        raise StagedError(
            f"{len(ds.staged):,} staged cells are in no version yet",
            hint="ds.commit('message') them, or ds.discard() them, then compare",
        )


def _check_among(argument: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(
            f"{argument}={value!r}, expected one of {', '.join(map(repr, allowed))}",
            hint=f"leave {argument} out for {allowed[0]!r}",
        )


def _seed_list(seeds: Any) -> list[int]:
    listed = list(range(seeds)) if isinstance(seeds, int) else [int(each) for each in seeds]
    if not listed or len(set(listed)) < len(listed):
        raise InputError(
            f"seeds={seeds!r}, expected at least one seed and each once", hint="pass seeds=5"
        )
    return listed


def _units(rows: EvaluationRows) -> Floats:
    """Return how many independent rows, or clusters of rows, each slice holds."""
    clusters = rows.clusters
    if clusters is None:
        return np.asarray(rows.members.sum(axis=1), dtype=np.float64)
    return np.array([float(len(np.unique(clusters[inside]))) for inside in rows.members])


def _floor(rows: EvaluationRows, metrics: list[Metric], predictions: Predictions) -> Floats:
    """Return the variance of one row fixed and one broken, for each slice and metric."""
    floor = np.zeros((len(rows.slices), len(metrics)))
    if predictions.identical:
        return np.asarray(floor.ravel())
    for i, inside in enumerate(rows.members):
        counts = np.bincount(predictions.truth[inside])
        counts = counts[counts > 0]
        if not len(counts):
            continue
        n = counts.sum()
        by_balance = {"rows": 2 / n**2, "classes": 2 / (n * len(counts) ** 2) * (1 / counts).sum()}
        for j, each in enumerate(metrics):
            floor[i, j] = by_balance[each.balance] if each.kind == "counts" else 0.0
    return np.asarray(floor.ravel())


def _suggested(ds: Any, before: Any, after: Any, rows: EvaluationRows) -> KeyArray:
    """Return edited evaluation rows whose edit names a finding."""
    if not len(rows.edited):
        return rows.edited
    cells = ds.diff(before, after).frame()
    told = set(cells.loc[cells["finding"].notna() & (cells["column"] == ds.roles["label"]), "key"])
    return key_array([key for key in rows.edited if key in told])


def _table(
    rows: EvaluationRows, metrics: tuple[str, ...], units: Floats, scores: Scores, found: Estimates
) -> pd.DataFrame:
    import pandas as pd

    each = len(metrics)
    before, after = scores.values.mean(axis=1)
    return pd.DataFrame(
        {
            "slice": np.repeat(key_array(rows.slices), each),
            "metric": list(metrics) * len(rows.slices),
            "n": np.repeat(rows.members.sum(axis=1), each),
            "units": np.repeat(units, each),
            "before": before,
            "after": after,
            "difference": found.difference,
            "low": found.low,
            "high": found.high,
            "low_all": found.low_all,
            "high_all": found.high_all,
            "p_adjusted": found.p_adjusted,
            "df": found.df,
        }
    )


def _flips(rows: EvaluationRows, predictions: Predictions) -> pd.DataFrame:
    import pandas as pd

    right = (predictions.labels == predictions.truth).mean(axis=1) > 0.5
    names = key_array(predictions.classes)
    before, after = (names[_most(side, len(names))] for side in predictions.labels)
    table = pd.DataFrame(
        {
            "key": rows.keys,
            "truth": names[predictions.truth],
            "before": before,
            "after": after,
            "change": np.where(right[1], "fixed", "broken"),
        }
    )
    return table[right[0] != right[1]].reset_index(drop=True)


def _most(labels: npt.NDArray[np.intp], n_classes: int) -> npt.NDArray[np.intp]:
    votes = np.zeros((labels.shape[1], n_classes), dtype=np.intp)
    for seed in labels:
        votes[np.arange(len(seed)), seed] += 1
    return np.asarray(votes.argmax(axis=1))


def _provenance(
    estimator: Any,
    case: Case,
    seeds: list[int],
    seed: int,
    confidence: float,
    predictions: Predictions,
) -> dict[str, Any]:
    from burnish import __version__

    readings = (case.before.reading, case.after.reading)
    return {
        "made_by": "compare",
        "estimator": describe(estimator),
        "estimator_name": estimator_name(estimator),
        "estimator_params": params_text(estimator),
        "protocol": "holdout",
        "truth": case.truth,
        "seeds": list(seeds),
        "n_seeds": len(seeds),
        "bootstrap_seed": seed,
        "confidence": confidence,
        "columns": list(case.before.given.columns),
        "n_rows": len(case.rows.keys),
        "n_trained_on": [len(side.keys) for side in case.training],
        "fingerprints": [reading.fingerprint for reading in readings],
        "seconds": predictions.seconds.tolist(),
        "burnish": __version__,
        "libraries": library_versions(),
    }


def _name(ref: Any) -> str:
    return str(getattr(ref, "name", ref))
