from __future__ import annotations

import subprocess
import sys

import pytest

import burnish

ALLOWED = {"burnish"}


def modules_after(statement: str) -> set[str]:
    """Return the modules that a statement loads beyond a bare interpreter and its own library."""
    code = f"import sys; before = set(sys.modules)\n{statement}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packages = {name.partition(".")[0] for name in done.stdout.split()}
    outside = packages - sys.stdlib_module_names
    return {name for name in done.stdout.split() if name.partition(".")[0] in outside}


def test_importing_burnish_loads_nothing_but_its_own_init() -> None:
    assert modules_after("import burnish") == ALLOWED


def test_the_command_line_loads_click_and_nothing_heavy() -> None:
    loaded = modules_after("import burnish.cli")
    assert {name.partition(".")[0] for name in loaded} == {"burnish", "click"}
    own = {name for name in loaded if name.startswith("burnish") and "cli" not in name}
    assert own == ALLOWED | {"burnish.errors"}


def test_the_list_of_loaded_modules_sees_a_heavy_import() -> None:
    assert "numpy" in modules_after("import burnish, numpy")


@pytest.mark.parametrize("name", burnish.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(burnish, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'burnish' has no attribute 'nothing'"):
        burnish.nothing  # noqa: B018


def test_dir_lists_the_public_names() -> None:
    assert dir(burnish) == sorted(burnish.__all__)
