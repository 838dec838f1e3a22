"""Commands that share a dataset through a folder of files: `pack` and `unpack`."""

from __future__ import annotations

import warnings

import click

from burnish.cli.base import STORE, opened, readable

_FOLDER = click.Path(path_type=str, file_okay=False)


@click.command()
@click.argument("path", type=STORE)
@click.argument("folder", type=_FOLDER)
def pack(path: str, folder: str) -> None:
    """Write all branches and tags of PATH to FOLDER, for git, DVC or a file share to carry.

    Files are named by what they hold and written once. What is staged is not packed.
    """
    with opened(path) as ds:
        click.echo(readable(repr(ds.pack(folder))))


@click.command()
@click.argument("folder", type=_FOLDER)
@click.argument("path", type=STORE)
def unpack(folder: str, path: str) -> None:
    """Make the dataset PATH from FOLDER, or bring it up to date with it.

    Branches of PATH move on to where they stand in FOLDER; one that went on in both stays, and is
    named on the standard error.
    """
    from burnish.dataset import unpack as unpacked

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        ds = unpacked(folder, path)
    with ds:
        click.echo(readable(repr(ds)))
    for warning in told:
        click.echo(f"Warning: {readable(str(warning.message))}", err=True)
