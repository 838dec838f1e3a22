"""What analyses there are, read from their own files.

An analysis is one module that holds one public function of its own name, a stable ``CODE``, what it
``READS``, and a docstring that says what its score means, what it costs and where it fails. Lists,
pages and checks are derived from these, so that adding an analysis touches its file and its test.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from burnish.core.keys import shorten
from burnish.errors import InputError

WORDS: Mapping[str, str] = {
    "label": "one class a row",
    "probabilities": "out-of-sample class probabilities by key",
    "vectors": "an embedding, features, or what stands for them",
    "text": "a column of text",
    "image": "a column of images",
    "split": "which split each row belongs to",
    "issues": "findings of other analyses",
    "label-sets": "a column of lists of classes, several to a row",
    "token-labels": "a column of lists of labels, one to a token",
    "numbers": "a column of numbers to predict",
    "masks": "a column of nested lists, the class of each pixel",
    "boxes": "a column of lists of boxes, each with its class",
    "predictions": "out-of-sample predictions by key, in the form of the labels",
}
SECTIONS = ("Parameters", "Returns", "Raises", "Notes", "Examples")
_CODE = re.compile(r"[a-z]+(-[a-z]+)*")
_HEADING = re.compile(r"^(\w[\w ]*)\n-+$", re.MULTILINE)


@dataclass(frozen=True)
class Analysis:
    """One analysis.

    Attributes
    ----------
    name : str
        Of its module and its function, as in ``bn.find.<name>``.
    code : str
        What its findings carry; never changes.
    reads : tuple of str
        What it needs, each one of `WORDS`.
    function : callable
    summary : str
        The first line of its docstring.
    sections : mapping of str to str
        The docstring's numpydoc sections by heading.
    """

    name: str
    code: str
    reads: tuple[str, ...]
    function: Callable[..., Any]
    summary: str
    sections: Mapping[str, str]

    @classmethod
    def of(cls, module: ModuleType) -> Analysis:
        """Return what a module says of its analysis.

        Raises
        ------
        InputError
            It lacks the function, ``CODE`` or ``READS``, or the docstring lacks a section.
        """
        name = module.__name__.rpartition(".")[2]
        function = getattr(module, name, None)
        if not inspect.isfunction(function):
            raise _incomplete(name, "no function of its own name", f"define {name}(ds, …) in it")
        code, reads = getattr(module, "CODE", None), getattr(module, "READS", None)
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise _incomplete(name, f"CODE = {code!r}", "write a kebab-case code: 'label-issue'")
        if not isinstance(reads, tuple) or not reads or set(reads) - set(WORDS):
            raise _incomplete(name, f"READS = {reads!r}", f"name some of {', '.join(WORDS)}")
        summary, sections = _parts(inspect.getdoc(function) or "")
        missing = [each for each in SECTIONS if each not in sections]
        if missing or not summary:
            lacking = f"a docstring without {', '.join(missing) or 'a summary'}"
            raise _incomplete(name, lacking, "write it as docs/adding-an-analysis.md shows")
        return cls(name, code, reads, function, summary, sections)


def modules(package: ModuleType | None = None) -> list[ModuleType]:
    """Return the modules of a package that hold an analysis each, `burnish.find` by default."""
    home = package or importlib.import_module("burnish.find")
    names = [each.name for each in pkgutil.iter_modules(home.__path__) if each.name[0] != "_"]
    return [importlib.import_module(f"{home.__name__}.{name}") for name in names]


def analyses(held: Iterable[ModuleType] | None = None) -> tuple[Analysis, ...]:
    """Return all analyses, by name.

    Parameters
    ----------
    held : iterable of modules, optional
        Where they are, all of `burnish.find` by default.

    Raises
    ------
    InputError
        A module is incomplete, or two share a code.
    """
    found = sorted(map(Analysis.of, modules() if held is None else held), key=lambda a: a.name)
    by_code: dict[str, Analysis] = {}
    for each in found:
        other = by_code.setdefault(each.code, each)
        if other is not each:
            raise InputError(
                f"{other.name} and {each.name} share the code {each.code!r}",
                hint="give each analysis a code of its own, which never changes",
            )
    return tuple(found)


def _parts(doc: str) -> tuple[str, dict[str, str]]:
    pieces = _HEADING.split(doc)
    bodies = (body.strip("\n") for body in pieces[2::2])
    return pieces[0].strip(), dict(zip(pieces[1::2], bodies, strict=True))


def _incomplete(name: str, what: str, hint: str) -> InputError:
    return InputError(f"the module {shorten([name])} of an analysis has {what}", hint=hint)
