"""Every analysis in the registry keeps every law; a new file is covered by being there."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import analysis_laws as laws
import burnish as bn
from analysis_laws import LAWS
from burnish.core.finding import Findings
from burnish.errors import InputError
from burnish.find._registry import Analysis, analyses, modules

FOUND = analyses()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("analysis", FOUND, ids=lambda analysis: analysis.name)
def test_law(analysis: Analysis, law) -> None:
    law(analysis)


def test_the_registry_holds_what_find_offers() -> None:
    assert [each.name for each in FOUND] == sorted(bn.find.__all__)
    assert all(getattr(bn.find, each.name) is each.function for each in FOUND)
    assert len(modules()) == len(FOUND)


def made(name: str = "odd", **changed: object) -> ModuleType:
    module = ModuleType(f"held.{name}")

    def function(ds: object) -> Findings:
        raise NotImplementedError

    function.__doc__ = bn.find.label_issues.__doc__
    values = {name: function, "CODE": "odd", "READS": ("text",), **changed}
    vars(module).update(values)
    return module


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"odd": None}, "no function of its own name"),
        ({"CODE": "Odd_Code"}, "CODE = 'Odd_Code'"),
        ({"CODE": None}, "CODE = None"),
        ({"READS": ()}, "READS = \\(\\)"),
        ({"READS": ("smell",)}, "smell"),
        ({"odd": lambda ds: None}, "docstring without Parameters"),
    ],
)
def test_a_module_that_lacks_a_part_is_refused(changed: dict[str, object], message: str) -> None:
    assert Analysis.of(made()).name == "odd"
    with pytest.raises(InputError, match=message):
        Analysis.of(made(**changed))


def test_two_analyses_of_one_code_are_refused() -> None:
    with pytest.raises(InputError, match="even and odd share the code 'odd'"):
        analyses([made(), made("even")])


TICKS = itertools.count()


class Raw(Findings):
    def _repr_html_(self) -> str:
        return "<script>"


def with_score(found: Findings, score: float) -> Findings:
    return replace(found, scores=[score] * len(found))


def marked(found: Findings, ds: Any) -> Findings:
    ds.mark(ds.keys[:1].tolist(), "seen")
    return found


def invented(found: Findings, ds: Any) -> Findings:
    return Findings(found.code, ["nobody"], [0.5], [1.0], [2.0], found.provenance, n_rows=1)


BROKEN = {
    laws.the_sample_has_something_to_find: lambda found, ds: found[:0],
    laws.running_it_twice_says_the_same: lambda found, ds: with_score(found, next(TICKS) / 1000),
    laws.the_input_is_left_as_it_was: marked,
    laws.the_order_of_rows_does_not_matter: lambda found, ds: found[found.keys < ds.keys[0]],
    laws.no_row_and_one_row_find_nothing_or_are_refused: invented,
    laws.nulls_are_never_taken_for_values: invented,
    laws.scores_lie_in_zero_to_one_and_fall: lambda found, ds: SimpleNamespace(scores=[0.1, 0.9]),
    laws.findings_carry_the_code_of_their_analysis: lambda found, ds: replace(found, code="x"),
    laws.keys_are_rows_of_the_dataset: invented,
    laws.provenance_says_what_was_read_and_how: lambda found, ds: replace(found, provenance={}),
    laws.findings_can_be_shown: lambda found, ds: Raw(**vars(found)),
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_each_law_refuses_an_analysis_that_breaks_it(law: Callable[[Analysis], None]) -> None:
    sound = next(each for each in FOUND if each.name == "regression_issues")

    @functools.wraps(sound.function)
    def broken(ds: Any, **given: Any) -> Any:
        return BROKEN[law](sound.function(ds, **given), ds)

    with pytest.raises((AssertionError, KeyError)):
        law(replace(sound, function=broken))
