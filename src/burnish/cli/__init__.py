"""The command line: what can be done to a dataset from a shell, beside git.

Reading never changes a store. What was asked for goes to the standard output, all else to the
standard error; the exit code is 0, 1 where `verify` found problems, 2 where a command failed.
"""

from __future__ import annotations

from burnish.cli.base import main
from burnish.cli.exchange import apply, export, patch
from burnish.cli.reading import diff, log, show, verify
from burnish.cli.sharing import pack, unpack

__all__ = ["main"]

for command in (log, diff, show, export, patch, apply, pack, unpack, verify):
    main.add_command(command)
