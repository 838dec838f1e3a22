"""Numbers that analyses take as options, checked in one place."""

from __future__ import annotations

import operator
from numbers import Real
from typing import Any

from burnish.errors import InputError


def checked_k(k: Any, usual: int) -> int:
    """Return a number of neighbours as an int.

    Parameters
    ----------
    k : int
        Of any type of whole numbers.
    usual : int
        The default, which the hint names.

    Raises
    ------
    InputError
        It is no whole number, or less than 1.
    """
    number = _whole(k)
    if number is None or number < 1:
        raise InputError(
            f"k={k!r}, expected a whole number of at least 1", hint=f"leave it out for {usual}"
        )
    return number


def checked_seed(seed: Any) -> int:
    """Return a seed as an int.

    Raises
    ------
    InputError
        It is no whole number in [0, 2**32).
    """
    number = _whole(seed)
    if number is None or not 0 <= number < 2**32:
        raise InputError(
            f"seed={seed!r}, expected a whole number in [0, 2**32)", hint="leave it out for 0"
        )
    return number


def check_min_score(min_score: Any, usual: str) -> None:
    """Refuse a least score that is none.

    Parameters
    ----------
    min_score : float
    usual : str
        What leaving it out does, which the hint names.

    Raises
    ------
    InputError
        It is no number in [0, 1].
    """
    if not isinstance(min_score, Real) or not 0 <= float(min_score) <= 1:
        raise InputError(
            f"min_score={min_score!r}, expected a number in [0, 1]",
            hint=f"leave it out for {usual}, or pass 0 for all rows",
        )


def _whole(value: Any) -> int | None:
    try:
        return operator.index(value)
    except TypeError:
        return None
