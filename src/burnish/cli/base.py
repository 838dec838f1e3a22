"""The command `burnish`, how it opens a store and how it fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from burnish import __version__
from burnish.errors import BurnishError

if TYPE_CHECKING:
    from burnish.dataset import Dataset

STORE = click.Path(path_type=str)
_SHOWN = 20


class Burnish(click.Group):
    """A group whose commands say what went wrong, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except BurnishError as error:
            click.echo(f"Error: {readable(str(error))}", err=True)
            for conflict in list(getattr(error, "conflicts", None) or ())[:_SHOWN]:
                click.echo(f"  {_in_words(conflict)}", err=True)
            ctx.exit(2)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order they were added."""
        return list(self.commands)


@click.group(cls=Burnish, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="burnish")
def main() -> None:
    """Look into versioned datasets, and move changes between them."""


def opened(path: str, *, branch: str = "main", read_only: bool = True) -> Dataset:
    """Open a store; a context manager."""
    from burnish.dataset import open as open_dataset

    return open_dataset(path, branch=branch, read_only=True if read_only else None)


def readable(text: str) -> str:
    """Return text in which nothing can steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _in_words(conflict: Any) -> str:
    who = f" by {conflict.ours_author}" if conflict.ours_author else ""
    return readable(
        f"{conflict.column} of {conflict.key!r}: expected {conflict.base!r}, "
        f"found {conflict.ours!r}{who}, wanted {conflict.theirs!r}"
    )
