"""The command `siteforge`: one thin file a command.

Results go to standard output, problems to standard error. Exit codes: 0 done, 1 failed, 2 bad input.
"""

from typing import Annotated

import typer

from siteforge.cli import recover, schema, up, validate

app = typer.Typer(
    help="An isolated WordPress on Kubernetes for every tenant of a catalogue.",
    no_args_is_help=True,
    add_completion=False,
    # Typer's own tracebacks show local variables, which may be secret.
    pretty_exceptions_enable=False,
)
app.command()(validate.validate)
app.command()(schema.schema)
app.command()(up.up)
app.command()(up.preview)
app.command()(recover.recover)


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata  # takes its time, and is wanted here only

        typer.echo(f"siteforge {importlib.metadata.version('siteforge')}")
        raise typer.Exit


@app.callback()
def _main(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass
