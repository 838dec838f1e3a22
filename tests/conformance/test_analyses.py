"""Every analysis in the registry keeps every law; a new file is covered by being there."""

from __future__ import annotations

from types import ModuleType

import pytest

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
