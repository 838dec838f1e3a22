"""Estimators: fresh copies, seeds, and what they read."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from burnish.errors import EstimatorError


def check_estimator(estimator: Any, *, method: str) -> None:
    """Refuse what cannot be fitted, or lacks a method to predict with.

    Raises
    ------
    EstimatorError
        A class instead of an instance, or no ``fit``, or not the method.
    """
    name = describe(estimator)
    if isinstance(estimator, type):
        raise EstimatorError(
            f"{estimator.__name__} is a class, expected an estimator",
            hint=f"make one: {estimator.__name__}()",
        )
    if not hasattr(estimator, "fit"):
        raise EstimatorError(
            f"{name} has no fit, expected an estimator of scikit-learn's kind",
            hint="pass for example sklearn.linear_model.LogisticRegression()",
        )
    if not hasattr(estimator, method):
        raise EstimatorError(f"{name} has no {method}", hint=_ADVICE[method])


_ADVICE = {
    "predict": "pass a classifier",
    "predict_proba": "pass a classifier that gives probabilities, or wrap it in "
    "sklearn.calibration.CalibratedClassifierCV",
}


def describe(estimator: Any) -> str:
    """Return an estimator's repr on one line, or its class name where that is long."""
    text = " ".join(repr(estimator).split())
    return text if len(text) <= 120 else type(estimator).__name__


def estimator_name(estimator: Any) -> str:
    """Return the class name of an estimator, of the last step for a pipeline."""
    steps = getattr(estimator, "steps", None)
    return estimator_name(steps[-1][1]) if steps else type(estimator).__name__


def seeded(estimator: Any, seed: int, *, override: bool) -> Any:
    """Return a fresh copy whose random steps use the seed.

    Parameters
    ----------
    estimator : estimator
        Left as it is.
    seed : int
        For every parameter called ``random_state``, of nested steps too.
    override : bool
        Whether to replace a ``random_state`` that was set, or only those that are None.
    """
    fresh = _clone(estimator)
    names = [
        name
        for name, value in _params(fresh, deep=True).items()
        if _is_random_state(name) and (override or value is None)
    ]
    if names:
        fresh.set_params(**dict.fromkeys(names, seed))
    return fresh


def is_random(estimator: Any) -> bool:
    """Return whether an estimator or one of its steps takes a ``random_state``."""
    return any(_is_random_state(name) for name in _params(estimator, deep=True))


def params_text(estimator: Any) -> dict[str, str]:
    """Return an estimator's own and nested parameters as text."""
    return {
        name: " ".join(repr(value).split()) for name, value in _params(estimator, deep=True).items()
    }


def attempt(what: str, estimator: Any, act: Callable[[], Any], given: Any) -> Any:
    """Run an act of an estimator, and say where it failed and what it was given.

    Raises
    ------
    EstimatorError
        The estimator raised; its own error is the cause.
    """
    try:
        return act()
    except Exception as error:
        raise EstimatorError(
            f"{describe(estimator)} failed to {what} on {_shape(given)}: "
            f"{type(error).__name__}: {_first_line(error)}",
            hint="name the columns it should read, columns=[…], or put what prepares them "
            "before it in a pipeline",
        ) from error


def library_versions(
    names: Iterable[str] = ("numpy", "pandas", "scikit-learn"),
) -> dict[str, str | None]:
    """Return the versions of what results depend on, None where it is not installed."""
    return {name: _version_of(name) for name in names}


def _version_of(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _clone(estimator: Any) -> Any:
    from sklearn.base import clone

    if hasattr(estimator, "get_params"):
        return clone(estimator)
    return copy.deepcopy(estimator)


def _params(estimator: Any, *, deep: bool) -> dict[str, Any]:
    if not hasattr(estimator, "get_params"):
        return {}
    return dict(estimator.get_params(deep=deep))


def _is_random_state(name: str) -> bool:
    return name.rpartition("__")[2] == "random_state"


def _shape(given: Any) -> str:
    shape = getattr(given, "shape", None)
    kind = type(given).__name__
    return f"{kind} of shape {shape}" if shape is not None else kind


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]
