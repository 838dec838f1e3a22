"""Changes between two versions as text: a header, then one change a line, by key.

A patch is data: JSON and nothing else. The same two versions give the same lines wherever they
are written, in a fixed order, and reading them does not depend on that order. The last line marks
the end, so that a patch of which the rest is missing is noticed; changes can be taken out before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

import pyarrow as pa

from burnish.core.delta import PROVENANCE, ROW
from burnish.core.spelling import Json, read_type, spelled_type
from burnish.errors import PatchError

FORMAT = "burnish-patch"
NEWEST = 2
LONGEST_LINE = 1 << 26
Kind: TypeAlias = Literal["fact", "row", "value", "cell"]

_END = {"end": True}
_HEADER = ("dataset", "from", "to", "key", "columns")
_VERSION = {"name", "id", "fingerprint"}
_STAMP = set(PROVENANCE.names)
_FIELDS: dict[Kind, set[str]] = {
    "fact": {"fact", "old", "new"},
    "row": {"key", "column", "old", "new"},
    "value": {"key", "column", "value"},
    "cell": {"key", "column", "old", "new"},
}
_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


class Stamp(NamedTuple):
    """Who made a change, why and when, as JSON has it."""

    reason: str | None = None
    finding: str | None = None
    confidence: float | None = None
    author: str | None = None
    time: Json = None


NOBODY = Stamp()


@dataclass(frozen=True)
class Line:
    """One change.

    Attributes
    ----------
    kind : {"fact", "row", "value", "cell"}
        A fact of the dataset, a row that came or went, a value of a column that was added, or a
        cell.
    what : str
        The fact's name, or the column's.
    key : JSON value
        The row's key; a list where it has several columns.
    old, new : JSON value
    stamp : Stamp
    parent : JSON value
        Key of the row that an added row was made from.
    number : int
        Where it stands in the text, from 1.
    """

    kind: Kind
    what: str
    key: Json = None
    old: Json = None
    new: Json = None
    stamp: Stamp = NOBODY
    parent: Json = None
    number: int = 0

    def content(self) -> dict[str, Json]:
        """Return the line as a JSON object."""
        if self.kind == "fact":
            return {"fact": self.what, "old": self.old, "new": self.new, **self._signed()}
        place = {"key": self.key, "column": self.what}
        if self.kind == "value":
            return {**place, "value": self.new}
        parent = {} if self.parent is None else {"parent": self.parent}
        return {**place, "old": self.old, "new": self.new, **parent, **self._signed()}

    def _signed(self) -> dict[str, Json]:
        reason, finding, confidence, author, time = self.stamp
        sure = {} if confidence is None else {"confidence": confidence}
        return {"author": author, "reason": reason, "finding": finding, **sure, "time": time}


@dataclass(frozen=True)
class Header:
    """What a patch is about.

    Attributes
    ----------
    dataset : str
        Id of the first version of the dataset that it was made on.
    old, new : mapping
        ``name, id, fingerprint`` of the two versions.
    key : tuple of str
        The key columns.
    types : mapping of str to Arrow type
        Type of each column that the lines have values of.
    """

    dataset: str
    old: Mapping[str, str]
    new: Mapping[str, str]
    key: tuple[str, ...]
    types: Mapping[str, pa.DataType]

    def content(self) -> dict[str, Json]:
        """Return the header as a JSON object."""
        return {
            FORMAT: NEWEST,
            "dataset": self.dataset,
            "from": dict(self.old),
            "to": dict(self.new),
            "key": list(self.key),
            "columns": {name: spelled_type(self.types[name]) for name in sorted(self.types)},
        }


@dataclass(frozen=True, eq=False)
class Patch:
    """A header and the changes.

    Attributes
    ----------
    header : Header
    lines : tuple of Line
    """

    header: Header
    lines: tuple[Line, ...]

    def of(self, kind: Kind) -> list[Line]:
        """Return the lines of one kind."""
        return [line for line in self.lines if line.kind == kind]

    @cached_property
    def added(self) -> dict[str, list[Line]]:
        """Values of columns that the patch adds, by column."""
        return self.by_column("value")

    def by_column(self, kind: Kind) -> dict[str, list[Line]]:
        """Return the lines of one kind by column."""
        out: dict[str, list[Line]] = {}
        for line in self.of(kind):
            out.setdefault(line.what, []).append(line)
        return out

    def __len__(self) -> int:
        return sum(line.kind != "value" for line in self.lines)

    def texts(self) -> Iterator[str]:
        """Give the lines of the text, each with its line feed."""
        yield _text(self.header.content())
        for line in self.lines:
            yield _text(line.content())
        yield _text(_END)


def read_patch(lines: Iterable[bytes]) -> Patch:
    """Return the patch that a text holds.

    Parameters
    ----------
    lines : iterable of bytes
        With or without their line feeds; empty ones are passed over.

    Raises
    ------
    PatchError
        A line is broken, and the message names it by number; or the end is missing.

    Notes
    -----
    Patches of format 1 have no mark of their end: of these, missing lines are not noticed.
    """
    contents = _contents(lines)
    number, first = next(contents, (1, {}))
    header = _header(number, first)
    changes = contents if first[FORMAT] == 1 else _ended(number, contents)
    return Patch(header, tuple(_line(number, content) for number, content in changes))


def broken(number: int, what: str, hint: str) -> PatchError:
    """Return the error that a line of a patch cannot be used."""
    return PatchError(f"line {number} of the patch {what}", hint=hint)


def shown(value: Any, limit: int = 60) -> str:
    """Return a JSON value as text that is not too long to read."""
    text = _visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= limit else text[:limit] + "…"


def _text(content: Json) -> str:
    return _visible(json.dumps(content, ensure_ascii=False, allow_nan=False)) + "\n"


def _visible(text: str) -> str:
    """Return JSON with an escape for each character that would be unseen or turn the text round."""
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _contents(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Json]]]:
    for number, raw in enumerate(lines, 1):
        if raw.strip():
            yield number, _object(number, raw)


def _ended(
    start: int, contents: Iterator[tuple[int, dict[str, Json]]]
) -> Iterator[tuple[int, dict[str, Json]]]:
    """Give the changes up to the mark of the end, which must be there, and nothing after it."""
    last = start
    for last, content in contents:
        if content == _END:
            break
        yield last, content
    else:
        raise PatchError(
            f"the patch stops after line {last} and lacks the last one, {json.dumps(_END)}",
            hint="it was cut off on its way; take the whole file, or export the patch again",
        )
    for number, content in contents:
        raise broken(
            number,
            f"stands after the end of the patch: {shown(content)}",
            f"the line {json.dumps(_END)} comes last; apply one patch at a time",
        )


def _object(number: int, raw: bytes) -> dict[str, Json]:
    if len(raw) > LONGEST_LINE:
        raise broken(
            number,
            f"is longer than {LONGEST_LINE:,} bytes",
            "a patch holds one cell a line; check that this is one",
        )
    try:
        content = json.loads(
            raw.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as error:
        raise broken(
            number,
            f"is no JSON: {error}",
            "it may be cut off or edited by hand; export the patch again",
        ) from error
    if not isinstance(content, dict):
        raise broken(number, f"is {shown(content)}, expected an object", "export the patch again")
    return content


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    out = dict(pairs)
    if len(out) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return out


def _header(number: int, content: dict[str, Json]) -> Header:
    if FORMAT not in content:
        raise broken(
            number,
            f"is no header: it is {shown(content)}, expected one with {FORMAT!r}",
            "pass a file that ds.export_patch wrote",
        )
    if content[FORMAT] not in range(1, NEWEST + 1):
        raise broken(
            number,
            f"says that the patch has format {shown(content[FORMAT])}, this burnish reads 1 to "
            f"{NEWEST}",
            "apply it with a newer burnish",
        )
    parts: list[Any] = [content.get(name) for name in _HEADER]
    dataset, old, new, key, columns = parts
    whole = isinstance(dataset, str) and isinstance(key, list) and _are_texts(key)
    if not (whole and _is_version(old) and _is_version(new) and isinstance(columns, dict)):
        raise broken(
            number,
            f"is no whole header: {shown(content)}",
            f"expected {', '.join(_HEADER)}; export the patch again",
        )
    types = {name: _type(number, name, kind) for name, kind in columns.items()}
    return Header(dataset, old, new, tuple(key), MappingProxyType(types))


def _is_version(content: Json) -> bool:
    whole = isinstance(content, dict) and content.keys() >= _VERSION
    return whole and _are_texts(content.values())


def _are_texts(values: Iterable[Json]) -> bool:
    return all(isinstance(value, str) for value in values)


def _type(number: int, name: str, spelling: Json) -> pa.DataType:
    try:
        return read_type(spelling)
    except (ValueError, TypeError, OverflowError, RecursionError, pa.ArrowException) as error:
        raise broken(
            number,
            f"gives column {shown(name)} the type {shown(spelling)}, which is none",
            "export the patch again",
        ) from error


def _line(number: int, content: dict[str, Json]) -> Line:
    kind = _kind(content)
    needed, allowed = _FIELDS[kind], _STAMP | ({"parent"} if kind == "row" else set())
    missing = needed - content.keys()
    unknown = content.keys() - needed - (allowed if kind != "value" else set())
    what = content.get("fact" if kind == "fact" else "column")
    if missing or unknown or not isinstance(what, str):
        odd = (
            f"has no {', '.join(sorted(missing))}"
            if missing
            else f"has {', '.join(map(shown, sorted(unknown)))}, which is unknown"
            if unknown
            else f"names the column {shown(what)}, expected text"
        )
        raise broken(number, odd, "a change has key, column, old, new, author, reason and so on")
    return Line(
        kind,
        what,
        key=content.get("key"),
        old=content.get("old"),
        new=content.get("value") if kind == "value" else content["new"],
        stamp=_stamp(number, content),
        parent=content.get("parent"),
        number=number,
    )


def _kind(content: dict[str, Json]) -> Kind:
    if "fact" in content:
        return "fact"
    if content.get("column") == ROW:
        return "row"
    return "value" if "value" in content else "cell"


def _stamp(number: int, content: dict[str, Json]) -> Stamp:
    stamp = Stamp(*(content.get(name) for name in Stamp._fields))
    for name in ("reason", "finding", "author"):
        if not isinstance(content.get(name), str | None):
            raise broken(
                number, f"has the {name} {shown(content[name])}, expected text", "write text"
            )
    if stamp.confidence is not None and type(stamp.confidence) not in (int, float):
        raise broken(
            number,
            f"has the confidence {shown(stamp.confidence)}, expected a number",
            "leave it out, or write a number from 0 to 1",
        )
    return stamp
