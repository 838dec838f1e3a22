"""Commands that bring data and changes out of a store and into one."""

from __future__ import annotations

import io
import sys

import click

from burnish.cli.base import STORE, opened, readable
from burnish.errors import StagedError

_FILE = click.Path(path_type=str, allow_dash=True)


@click.command()
@click.argument("path", type=STORE)
@click.argument("out", type=click.Path(path_type=str))
@click.option("--where", help="SQL over the columns: which rows to write.")
@click.option("--at", help="The version, the head of main by default.")
def export(path: str, out: str, where: str | None, at: str | None) -> None:
    """Write the rows of a version of PATH to OUT (.parquet or .csv), and a manifest beside it."""
    with opened(path, read_only=False) as ds:
        click.echo(readable(repr(ds.export(out, where=where, at=at))), err=True)


@click.command()
@click.argument("path", type=STORE)
@click.argument("old")
@click.argument("new")
@click.argument("out", type=_FILE)
def patch(path: str, old: str, new: str, out: str) -> None:
    """Write what changed in PATH from version OLD to version NEW as text to OUT.

    OUT is a file, by custom ending in .jsonl, or - for the standard output. With OLD and NEW the
    other way round the patch takes the change back.
    """
    with opened(path) as ds:
        if out != "-":
            click.echo(repr(ds.export_patch(old, new, out)), err=True)
            return
        text = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="\n")
        try:
            written = ds.export_patch(old, new, text)
        finally:
            text.flush()
            text.detach()
        click.echo(repr(written), err=True)


@click.command()
@click.argument("path", type=STORE)
@click.argument("fix", type=_FILE)
@click.option("--commit", "message", help="Commit what the patch changes, with this message.")
@click.option("--branch", default="main", help="The branch to change.")
def apply(path: str, fix: str, message: str | None, branch: str) -> None:
    """Stage the changes of the patch FIX (- for the standard input) in PATH.

    Nothing is staged where a cell holds neither what the patch expects nor what it wants.
    """
    with opened(path, branch=branch, read_only=False) as ds:
        if message is not None and ds.staged:
            raise StagedError(
                f"{ds.staged!r} would be committed along with the patch",
                hint="commit or discard that first, or leave out --commit",
            )
        applied = ds.apply_patch(sys.stdin.buffer if fix == "-" else fix)
        click.echo(repr(applied))
        if message is not None and applied.staged:
            click.echo(readable(repr(ds.commit(message))))
