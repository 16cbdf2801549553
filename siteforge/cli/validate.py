"""`siteforge validate`: check a catalogue without touching anything."""

import json

import typer

from siteforge import catalogue
from siteforge.cli import problems
from siteforge.cli.options import DEFAULT_CATALOGUE, CatalogueFile, Output, OutputOption
from siteforge.errors import CatalogueError, printable


def validate(file: CatalogueFile = DEFAULT_CATALOGUE, output: OutputOption = Output.TEXT) -> None:
    """Check a catalogue and tell every mistake at once, by line and column; needs no cluster and no stack.

    Exits with 0 if it is valid, with 2 if it is not.
    """
    try:
        tenants = catalogue.load(file)
    except CatalogueError as error:
        if output is not Output.JSON:
            raise
        typer.echo(_report(str(file), [], problems.as_data(error.problems)))
        raise typer.Exit(problems.BAD_INPUT) from None
    names = [tenant.name for tenant in tenants]
    if output is Output.JSON:
        typer.echo(_report(str(file), names, []))
    else:
        typer.echo(f"{printable(str(file))}: {len(names)} tenant{'s' * (len(names) != 1)}, no mistakes")


def _report(file: str, tenants: list[str], found: list[dict[str, object]]) -> str:
    return json.dumps({"file": file, "tenants": tenants, "problems": found}, indent=2)
