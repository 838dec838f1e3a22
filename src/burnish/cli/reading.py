"""Commands that only read: `log`, `diff`, `show` and `verify`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import click

from burnish.cli.base import STORE, opened, readable
from burnish.errors import ColumnError, CorruptError

if TYPE_CHECKING:
    import pandas as pd

    from burnish.dataset import Dataset

_WIDTH = 60
_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    help="A table to read, CSV, or one JSON object a line.",
)


@click.command()
@click.argument("path", type=STORE)
@click.option("--branch", default="main", help="The branch to follow.")
@click.option("--all", "everything", is_flag=True, help="Versions of all branches.")
@_FORMAT
def log(path: str, branch: str, everything: bool, form: str) -> None:
    """List the versions of PATH, newest first."""
    with opened(path, branch=branch) as ds:
        versions = ds.log(all=everything)
        if form == "table":
            click.echo(readable(repr(versions)))
        else:
            _print(versions.frame(), form)


@click.command()
@click.argument("path", type=STORE)
@click.argument("old")
@click.argument("new")
@click.option("--column", help="Only cells of this column, for example $dropped.")
@_FORMAT
def diff(path: str, old: str, new: str, column: str | None, form: str) -> None:
    """Show the cells of PATH that changed from version OLD to version NEW."""
    with opened(path) as ds:
        found = ds.diff(old, new)
        frame = found.frame()
        if column is not None:
            frame = frame[frame["column"] == _known(ds, old, new, column)]
        if form == "table":
            click.echo(readable(repr(found)))
        _print(frame, form)


@click.command()
@click.argument("path", type=STORE)
@click.argument("version")
def show(path: str, version: str) -> None:
    """Show who made a VERSION of PATH, when and why, and what it holds."""
    with opened(path) as ds:
        snapshot = ds.at(version)
        found = snapshot.version
        parents = [ds.at(parent).version for parent in found.parents]
        lines = {
            "version": found.name,
            "id": found.id,
            "parents": ", ".join(parent.name for parent in parents),
            "author": found.author,
            "time": found.time.isoformat(timespec="seconds"),
            "message": found.message,
            "changes": repr(ds.diff(parents[0], found)) if parents else "",
            "rows": f"{len(snapshot):,}",
            "columns": ", ".join(snapshot.columns),
            "roles": ", ".join(f"{role}={_text(name)}" for role, name in snapshot.roles.items()),
            "fingerprint": found.fingerprint,
        }
    for name, value in lines.items():
        if value:
            click.echo(f"{name:<12} {readable(value)}")


@click.command()
@click.argument("path", type=STORE)
@click.pass_context
def verify(ctx: click.Context, path: str) -> None:
    """Read every byte of PATH and list what is not as it was written."""
    try:
        with opened(path) as ds:
            problems = ds.verify()
    except CorruptError as error:
        problems = [error.message]
    for problem in problems:
        click.echo(readable(problem))
    if problems:
        ctx.exit(1)
    click.echo("every byte is as it was written")


def _known(ds: Dataset, old: str, new: str, column: str) -> str:
    names = [*ds.at(new).columns, *ds.at(old).columns]
    if column not in names and not column.startswith("$"):
        raise ColumnError(
            f"there is no column {column!r}, only {', '.join(dict.fromkeys(names))}",
            hint="name one of these, or $dropped, $row or $mark:NAME",
        )
    return column


def _print(frame: pd.DataFrame, form: str) -> None:
    if form == "csv":
        click.echo(frame.to_csv(index=False), nl=False)
    elif form == "json":
        for row in frame.to_dict("records"):
            click.echo(json.dumps({str(k): _plain(v) for k, v in row.items()}, ensure_ascii=False))
    elif len(frame):
        texts = frame.map(_text)
        click.echo(texts.to_string(index=False, justify="left"))


def _text(value: Any) -> str:
    text = readable("" if value is None else str(value)).replace("\n", "\\n")
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | None) else str(value)
