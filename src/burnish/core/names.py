"""Names that branches and tags may have."""

from __future__ import annotations

import re

from burnish.errors import RefError

_SAFE = re.compile(r"\w[\w.\-]*(/\w[\w.\-]*)*")
_VERSION = re.compile(r"v\d+")
_HEX = re.compile(r"[0-9a-f]{6,64}")
_LONGEST = 100


def checked_name(name: object, what: str) -> str:
    """Return a name that is fit for a branch or tag.

    Raises
    ------
    RefError
        It is empty, too long, looks like a version or an id, or is unsafe as a path.
    """
    if not isinstance(name, str) or not name.strip():
        raise RefError(f"a {what} needs a name, got {name!r}", hint=f"ds.{what}('release-1')")
    if _VERSION.fullmatch(name) or _HEX.fullmatch(name):
        raise RefError(
            f"the {what} name {name!r} looks like a version", hint="choose another, such as 'alice'"
        )
    if len(name) > _LONGEST or ".." in name or not _SAFE.fullmatch(name):
        raise RefError(
            f"the {what} name {name[:_LONGEST]!r} is not allowed: letters, digits, '.', '-', '_' "
            f"and single '/' between them, at most {_LONGEST}",
            hint="choose another, such as 'alice' or 'fix/labels'",
        )
    return name
