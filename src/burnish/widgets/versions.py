"""The history of a session as the wire's values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from burnish.core.delta import DROPPED, MARK, ROW, Delta
from burnish.core.keys import plain
from burnish.core.lanes import Row, lay_out, width
from burnish.core.schema import fact_in_words
from burnish.core.version import Version
from burnish.dataset import Dataset
from burnish.errors import InputError
from burnish.session import Session
from burnish.wire import schema

_STAGED = ""
_MESSAGE = 300
_PAIRS = 100
_REASONS = 20
_KEPT = 500
_AB = ("before", "after")
_UNITS = ("cell", "row", "fact")


@dataclass(frozen=True, eq=False)
class Story:
    """All versions that can be reached, newest first, and where each is drawn.

    Attributes
    ----------
    key : tuple
        What it was made from.
    versions : mapping of str to Version
    rows : list of Row
        What is staged comes first, where something is.
    lanes : int
        How many the picture has.
    place : mapping of str to int
        Line of each version.
    branches, tags : mapping of str to list of str
        Names that stand at a version.
    """

    session: Session
    key: tuple[Any, ...]
    versions: Mapping[str, Version]
    rows: list[Row]
    lanes: int
    place: Mapping[str, int]
    branches: Mapping[str, list[str]]
    tags: Mapping[str, list[str]]

    def line(self, index: int) -> schema.VersionLine:
        """Return one line of the list."""
        row = self.rows[index]
        version = self.versions.get(row.id)
        words = _words(version) if version else _staged_words(self.session)
        return {
            "id": row.id,
            **words,  # type: ignore[typeddict-item]
            "branches": self.branches.get(row.id, []),
            "tags": self.tags.get(row.id, []),
            "lane": row.lane,
            "into": list(row.into),
            "out": list(row.out),
            "past": list(row.past),
        }

    def __len__(self) -> int:
        return len(self.rows)


def story_of(session: Session) -> Story:
    """Return the history as it is now; made anew only where a version or a name changed."""
    ds = session.ds
    branches, tags = _names(ds.branches), _names(ds.tags)
    key = (ds.head.id, bool(ds.staged), branches, tags)
    known: Story | None = session.memo.get("story")
    if known is None or known.key != key:
        known = _made(session, key)
        session.memo["story"] = known
    return known


def graph_info(session: Session) -> schema.GraphInfo:
    """Return how long the history is and where it stands."""
    story, staged = story_of(session), session.ds.staged
    head = session.ds.head.id
    return {
        "total": len(story),
        "versions": len(story.versions),
        "lanes": story.lanes,
        "staged": len(staged),
        "decisions": staged.decisions,
        "head": story.place[head],
        "head_id": head,
        "viewing": story.place.get(session.viewing or "", -1) if session.viewing else -1,
        "seq": _count(session, story, staged.delta),
    }


def detail(session: Session, commit: str) -> schema.VersionDetail:
    """Return a version in full; an empty id is what is staged.

    Raises
    ------
    InputError
        The version is not among those that are listed.
    """
    story = story_of(session)
    if commit not in story.place:
        raise InputError(
            f"there is no version {commit[:8]!r} in the list", hint="choose another one"
        )
    version = story.versions.get(commit)
    words = _words(version) if version else _staged_words(session)
    content = _content(session, version)
    lineage = session.ds.lineage(version) if version else None
    parents = lineage.parents if lineage else (session.ds.head,)
    return {
        "id": commit,
        "index": story.place[commit],
        **words,  # type: ignore[typeddict-item]
        "message": version.message if version else words["message"],
        "parents": [{"id": parent.id, "name": parent.name} for parent in parents],
        "branches": story.branches.get(commit, []),
        "tags": story.tags.get(commit, []),
        "columns": content.columns,
        "rows": content.rows,
        "flow": _flow(session, content),
        "flow_total": sum(n for _, _, n in content.pairs),
        "flow_pairs": len(content.pairs),
        "reasons": content.reasons,
        "findings": content.findings,
        "decisions": content.decisions,
        "links": [_made_of(kind, told) for kind, told in lineage.links] if lineage else [],
    }


@dataclass(frozen=True, eq=False)
class _Content:
    """What a version changed: computed once, since a version never changes."""

    rows: int
    columns: list[schema.ChangedColumn]
    pairs: list[tuple[str | None, str | None, int]]
    reasons: list[schema.Said]
    findings: list[schema.Said]
    decisions: list[schema.Said]


def _content(session: Session, version: Version | None) -> _Content:
    kept: dict[str, _Content] = session.memo.setdefault("contents", {})
    if version is None:
        ds = session.ds
        return _read(len(ds), ds.roles.get("label"), ds.staged.frame(), _staged_verdicts(ds))
    if version.id not in kept:
        if len(kept) >= _KEPT:
            del kept[next(iter(kept))]
        kept[version.id] = _of_version(session.ds, version)
    return kept[version.id]


def _of_version(ds: Dataset, version: Version) -> _Content:
    snapshot = ds.at(version)
    before = version.parents[0] if version.parents else version.id
    frame = ds.diff(before, version).frame()
    verdicts = Counter(ds.lineage(version).decisions).most_common()
    decisions: list[schema.Said] = [{"text": text, "count": n} for text, n in verdicts]
    return _read(len(snapshot), snapshot.roles.get("label"), frame, decisions)


def _read(
    rows: int, label: str | None, frame: pd.DataFrame, decisions: list[schema.Said]
) -> _Content:
    reasons, findings = (_said(frame[name]) for name in ("reason", "finding"))
    return _Content(rows, _columns(frame), _pairs(frame, label), reasons, findings, decisions)


def _made_of(kind: str, told: Mapping[str, Any]) -> schema.Made:
    """Return what was noted beside a version in words."""
    if kind == "evaluation":
        before, after = (f"{told[name]:.3f}" if told.get(name) is not None else "–" for name in _AB)
        name = f"{told.get('metric', '')}, {' → '.join(told.get('versions', []))}"
        return {"kind": kind, "name": name, "value": f"{before} → {after}"}
    name = str(told.get("file", told.get("name", "")))
    rows = told.get("rows", told.get("n_rows"))
    return {"kind": kind, "name": name, "value": f"{rows:,} rows" if isinstance(rows, int) else ""}


def _made(session: Session, key: tuple[Any, ...]) -> Story:
    ds = session.ds
    versions = {version.id: version for version in ds.log(all=True)}
    edges = [(version.id, version.parents) for version in versions.values()]
    head = ds.head.id
    if ds.staged:
        edges.insert(0, (_STAGED, (head,)))
    rows = lay_out(edges, _STAGED if ds.staged else head)
    place = {row.id: i for i, row in enumerate(rows)}
    named = (_by_version(ds.branches), _by_version(ds.tags))
    return Story(session, key, versions, rows, width(rows), place, *named)


def _names(refs: Mapping[str, Version]) -> tuple[tuple[str, str], ...]:
    return tuple((name, version.id) for name, version in refs.items())


def _by_version(refs: Mapping[str, Version]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name, version in refs.items():
        out.setdefault(version.id, []).append(name)
    return out


def _count(session: Session, story: Story, staged: Delta) -> int:
    """Return a number that grows whenever the list or what is staged is another one."""
    seq, known, before = session.memo.get("graph", (0, None, None))
    if known is not story or before is not staged:
        seq += 1
        session.memo["graph"] = (seq, story, staged)
    return int(seq)


def _words(version: Version) -> dict[str, Any]:
    return {
        "name": version.name,
        "message": _first_line(version.message),
        "author": version.author,
        "time": version.time.isoformat(),
        "cells": version.n_cells,
    }


def _staged_words(session: Session) -> dict[str, Any]:
    staged = session.ds.staged
    return {
        "name": "",
        "message": repr(staged).removeprefix("Staged(").removesuffix(")"),
        "author": session.ds.user,
        "time": datetime.now(UTC).isoformat(),
        "cells": len(staged),
    }


def _first_line(message: str) -> str:
    line = message.strip().partition("\n")[0]
    return line if len(line) <= _MESSAGE else line[: _MESSAGE - 1] + "…"


def _columns(frame: pd.DataFrame) -> list[schema.ChangedColumn]:
    """Return how much changed by column, the user's first, then rows, then facts."""
    facts = frame["key"].isna()
    out: list[schema.ChangedColumn] = []
    for column, part in frame[~facts].groupby("column", sort=True):
        out += _changed(str(column), part["new"])
    said = frame.loc[facts, ["column", "old", "new"]].itertuples(index=False)
    out += [{"name": fact_in_words(*fact), "cells": 1, "unit": "fact"} for fact in said]
    return sorted(out, key=lambda entry: (_UNITS.index(entry["unit"]), -entry["cells"]))


def _changed(column: str, new: pd.Series) -> list[schema.ChangedColumn]:
    words = _system_words(column)
    if words is None:
        return [{"name": column, "cells": len(new), "unit": "cell"}]
    on = int(new.map(bool).sum())
    counts = zip(words, (on, len(new) - on), strict=True)
    return [{"name": word, "cells": n, "unit": "row"} for word, n in counts if n]


def _system_words(column: str) -> tuple[str, str] | None:
    if column == DROPPED:
        return "dropped", "restored"
    if column == ROW:
        return "added", "taken out"
    if column.startswith(MARK):
        name = column.removeprefix(MARK)
        return f"marked {name}", f"no longer marked {name}"
    return None


def _pairs(frame: pd.DataFrame, label: str | None) -> list[tuple[str | None, str | None, int]]:
    """Return how often each class became another one, most frequent first."""
    cells = frame[(frame["column"] == label) & frame["key"].notna()]
    sizes = cells.groupby(["old", "new"], dropna=False, sort=False).size()
    sizes = sizes.sort_values(ascending=False, kind="stable")
    return [(_class(old), _class(new), int(n)) for (old, new), n in sizes.items()]


def _flow(session: Session, content: _Content) -> list[schema.ClassFlow]:
    codes = {name: code for code, name in enumerate(session.classes.names)}
    return [
        {
            "old": old,
            "new": new,
            "old_code": codes.get(old or "", -1),
            "new_code": codes.get(new or "", -1),
            "cells": n,
        }
        for old, new, n in content.pairs[:_PAIRS]
    ]


def _class(value: Any) -> str | None:
    return None if pd.isna(value) else str(plain(value))


def _said(texts: pd.Series) -> list[schema.Said]:
    counts = texts.dropna().value_counts()
    return [{"text": str(text), "count": int(n)} for text, n in counts.head(_REASONS).items()]


def _staged_verdicts(ds: Dataset) -> list[schema.Said]:
    return _said(ds.staged.delta.decisions["verdict"].to_pandas())
