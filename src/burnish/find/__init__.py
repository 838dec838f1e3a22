"""Analyses of a version, each in one file that carries its name.

Every public module here defines one function of its own name, which is what ``bn.find`` offers.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

__all__ = [module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_"]

# A module that is imported later would hide the function of the same name.
for _name in __all__:
    globals()[_name] = getattr(importlib.import_module(f"{__name__}.{_name}"), _name)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
