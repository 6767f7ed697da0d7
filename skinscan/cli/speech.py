"""How commands speak: results on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final, NoReturn

import typer

from skinscan.errors import FaceError, PhotoError, SkinscanError

#: Exit codes: a photo could not be measured; the command itself was wrong.
FAILED: Final = 1
USAGE: Final = 2


def examples(*lines: str) -> str:
    """Write examples for the end of a command's help."""
    return "[bold]Examples[/bold]\n\n" + "\n\n".join(f"[cyan]{line}[/cyan]" for line in lines)


def say(text: str) -> None:
    """Say something that is no result."""
    typer.echo(text, err=True)


def fail(error: SkinscanError) -> NoReturn:
    """End with a sentence and an exit code."""
    say(f"skinscan: {error}")
    raise typer.Exit(FAILED if isinstance(error, PhotoError | FaceError) else USAGE) from error


@contextlib.contextmanager
def calm() -> Iterator[None]:
    """End with a sentence and an exit code instead of a traceback."""
    try:
        yield
    except SkinscanError as error:
        fail(error)
