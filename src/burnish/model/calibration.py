"""Probabilities that are as sure as they are right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from burnish.model.arrays import Matrix

LEAST, MOST = 0.05, 20.0
_TINY = 1e-12


def tempered(values: Matrix, temperature: float) -> Matrix:
    """Return probabilities to the power 1 / temperature, normalised.

    Parameters
    ----------
    values : array of shape (n, n_classes)
        Rows sum to 1.
    temperature : float
        Above 1 makes them less sure, below 1 surer; 1 leaves them.

    Returns
    -------
    array of shape (n, n_classes)
    """
    logs = np.log(np.maximum(values, _TINY)) / temperature
    if not logs.size:
        return logs
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fitted_temperature(values: Matrix, codes: npt.NDArray[np.intp]) -> float:
    """Return the temperature with which given labels are most likely.

    Parameters
    ----------
    values : array of shape (n, n_classes)
        Out-of-sample probabilities.
    codes : int array of shape (n,)
        Column of the given label, -1 where there is none.

    Returns
    -------
    float in [0.05, 20]
        1 where no row has a label.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> sure = np.tile([0.99, 0.01], (10, 1))
    >>> right = np.array([0] * 7 + [1] * 3)
    >>> t = fitted_temperature(sure, right)
    >>> tempered(sure, t)[0].round(2).tolist()
    [0.7, 0.3]
    """
    from scipy.optimize import minimize_scalar

    known = np.flatnonzero(codes >= 0)
    if not len(known):
        return 1.0
    logs = np.log(np.maximum(values[known], _TINY))
    logs -= logs.max(axis=1, keepdims=True)
    given = logs[np.arange(len(known)), codes[known]]

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float(np.mean(np.log(np.exp(logs * scale).sum(axis=1)) - given * scale))

    best = minimize_scalar(loss, bounds=(np.log(LEAST), np.log(MOST)), method="bounded")
    return float(np.exp(best.x))
