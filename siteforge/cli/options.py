"""The arguments and options that commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """The form of what a command prints."""

    TEXT = "text"
    JSON = "json"


CatalogueFile = Annotated[Path, typer.Argument(metavar="FILE", help="The catalogue.")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Text for people, JSON for programs.")]

DEFAULT_CATALOGUE = Path("tenants.yaml")
