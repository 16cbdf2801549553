"""What Siteforge reports, on a terminal or for a program, and the exit code that goes with it."""

import dataclasses
from collections.abc import Iterable

import typer

from siteforge.errors import CatalogueError, Problem, SettingsError, SiteforgeError, printable

FAILED = 1
"""The exit code of what failed, is unhealthy, or can't be told."""

BAD_INPUT = 2
"""The exit code of a mistake of the user's."""


def exit_code(error: SiteforgeError) -> int:
    """The exit code of a command that ends with this error."""
    return BAD_INPUT if isinstance(error, CatalogueError | SettingsError) else FAILED


def tell(error: SiteforgeError) -> None:
    """Print an error on standard error, a line for each thing that is wrong."""
    if isinstance(error, CatalogueError):
        show(error.problems)
        return
    for line in str(error).splitlines():
        typer.echo(printable(line), err=True)


def show(problems: Iterable[Problem]) -> None:
    """Print each on a line of its own on standard error, coloured on a terminal."""
    # Rich takes a tenth of a second to import, and is needed where something is wrong.
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for problem in problems:
        line = Text(str(problem))
        line.stylize("bold", 0, len(f"{problem.file}:{problem.line}:{problem.column}:"))
        line.highlight_words([problem.reason], "red")
        console.print(line)


def as_data(problems: Iterable[Problem]) -> list[dict[str, object]]:
    """The problems as JSON has them: their fields, and `message`, the line that a person gets."""
    return [dataclasses.asdict(problem) | {"message": str(problem)} for problem in problems]
