"""Problems of a catalogue, on a terminal or for a program."""

import dataclasses
from collections.abc import Iterable

from siteforge.errors import Problem

BAD_INPUT = 2
"""The exit code of a mistake of the user's."""


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
