"""`siteforge schema`: the catalogue's JSON Schema, for editors."""

import json

import typer


def schema() -> None:
    """Print the catalogue's JSON Schema, for editors: siteforge schema > tenants.schema.json."""
    # Pydantic's generator takes its time to import, and the other commands don't need it.
    from siteforge.schema import schema as catalogue_schema

    typer.echo(json.dumps(catalogue_schema(), indent=2))
