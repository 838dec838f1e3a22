"""Evidence in words, for a person who reads it in a notebook."""

from __future__ import annotations

import html
from collections import Counter
from typing import TYPE_CHECKING, Any

from burnish.core.keys import plain

if TYPE_CHECKING:
    from burnish.review.part import Part
    from burnish.review.value import Evidence

ROWS = 10
LABELS = 4
DECISIONS = 3


def in_words(found: Evidence, place: int) -> str:
    """Return the evidence of a row as lines of plain text."""
    head = heading(found, place)
    return "\n".join([head, *(f"  {name:<11} {text}" for name, text in lines(found, place))])


def heading(found: Evidence, place: int) -> str:
    """Return a row's key, its label, and the label that was proposed."""
    key, label = plain(found.keys[place]), plain(found.labels[place])
    given, suggestion = plain(found.given[place]), plain(found.suggestions[place])
    was = f", was {given}" if given is not None and given != label else ""
    proposed = "" if suggestion is None else f", {suggestion} suggested"
    return f"{key}: labelled {_name(label)}{was}{proposed}"


def lines(found: Evidence, place: int) -> list[tuple[str, str]]:
    """Return the name of each part with what it says of a row."""
    told = (_near, _pair, _alike, _model, _decisions)
    return [
        (name.replace("_", " "), _or_absent(part, place, tell))
        for (name, part), tell in zip(found.parts.items(), told, strict=True)
    ]


def as_html(found: Evidence) -> str:
    """Return the first rows as tables; whatever comes from the data is text."""
    shown = "".join(_row_html(found, place) for place in range(min(ROWS, len(found))))
    rest = len(found) - ROWS
    more = f"<p>… and {rest:,} more: <code>evidence.frame()</code></p>" if rest > 0 else ""
    noun = found.code if len(found) == 1 else f"{found.code}s"
    return f"<div><p>{html.escape(f'Evidence for {len(found):,} {noun}')}</p>{shown}{more}</div>"


def _row_html(found: Evidence, place: int) -> str:
    left = 'style="text-align: left; vertical-align: top"'
    body = "".join(
        f"<tr><th {left}>{html.escape(name)}</th><td {left}>{html.escape(text)}</td></tr>"
        for name, text in lines(found, place)
    )
    head = html.escape(heading(found, place))
    return f"<table><caption {left}><b>{head}</b></caption>{body}</table>"


def _or_absent(part: Part, place: int, tell: Any) -> str:
    return part.absent.reason if part.absent is not None else str(tell(part.of(place)))


def _near(found: list[dict[str, Any]]) -> str:
    if not found:
        return "none"
    counts = tally([line["label"] for line in found])
    (name, n), *rest = counts
    return ", ".join([f"{n:,} of {len(found):,} nearest are {name}", *_are(rest)])


def _pair(found: list[dict[str, Any]]) -> str:
    if not found:
        return "no class pair"
    (line,) = found
    counts = f"{line['flagged']:,} flagged, {line['accepted']:,} accepted, {line['kept']:,} kept"
    if line["rate"] != line["rate"]:
        return f"{line['given']} → {line['suggestion']}: {counts}"
    share = f"{percent(line['rate'])} ({percent(line['low'])} to {percent(line['high'])})"
    return f"{share} of {line['given']} look like {line['suggestion']}; {counts}"


def _alike(found: list[dict[str, Any]]) -> str:
    if not found:
        return "none"
    kinds = Counter(line["kind"] for line in found)
    counts = " and ".join(f"{n:,} {kind}" for kind, n in kinds.items())
    return f"{counts}: {', '.join(_are(tally([line['label'] for line in found])))}"


def _are(counts: list[tuple[str, int]]) -> list[str]:
    return [f"{n:,} {'is' if n == 1 else 'are'} {name}" for name, n in counts]


def _model(found: list[dict[str, Any]]) -> str:
    if not found:
        return "no probabilities for this row"
    (line,) = found
    best = f"{_name(line['likeliest'])} {line['p_likeliest']:.2f}"
    if line["margin"] != line["margin"]:
        return best
    given = f", {_name(line['given'])} {line['p_given']:.2f}"
    other = "" if line["given"] == line["likeliest"] else given
    return f"margin {line['margin']:+.2f}: {best}{other}".replace("-", "−")


def _decisions(found: list[dict[str, Any]]) -> str:
    said = [
        f"{line['verdict']} by {line['author']} on {line['time']:%Y-%m-%d}"
        + (f" ({line['reason']})" if line["reason"] else "")
        for line in found[-DECISIONS:]
    ]
    rest = len(found) - len(said)
    return "; ".join([f"{rest:,} earlier"] * bool(rest) + said) or "none"


def tally(labels: list[Any]) -> list[tuple[str, int]]:
    """Return how often each label is there, most frequent first."""
    counts = Counter(_name(plain(label)) for label in labels).most_common()
    rest = sum(n for _, n in counts[LABELS:])
    return [*counts[:LABELS], *([("something else", rest)] if rest else [])]


def percent(share: float) -> str:
    """Return a share as a percentage of two digits."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.1f} %"


def _name(label: Any) -> str:
    return "no label" if label is None else str(label)
