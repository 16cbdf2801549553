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

StackOption = Annotated[str | None, typer.Option("--stack", "-s", help="The stack; the selected one when left out.")]
TenantsOption = Annotated[
    list[str] | None, typer.Option("--tenant", "-t", metavar="NAME", help="A tenant; may be given several times.")
]

DEFAULT_CATALOGUE = Path("tenants.yaml")
