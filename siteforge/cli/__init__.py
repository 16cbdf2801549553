"""The command `siteforge`: one thin file a command.

Results go to standard output, problems to standard error. Exit codes: 0 done or healthy, 1 failed, unhealthy or
could not tell, 2 bad input.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from siteforge.cli import cells, doctor, problems, recover, schema, up, validate
from siteforge.errors import SiteforgeError


class _Commands(TyperGroup):
    """Shows what Siteforge reports as a message, and exits with its code: no command has to."""

    def invoke(self, ctx: Any) -> Any:  # of a class that Typer keeps to itself
        try:
            return super().invoke(ctx)
        except SiteforgeError as error:
            problems.tell(error)
            raise typer.Exit(problems.exit_code(error)) from None


app = typer.Typer(
    cls=_Commands,
    help="An isolated WordPress on Kubernetes for every tenant of a catalogue.",
    no_args_is_help=True,
    # Typer's own tracebacks show local variables, which may be secret.
    pretty_exceptions_enable=False,
)
app.command()(validate.validate)
app.command()(schema.schema)
app.command()(up.up)
app.command()(up.preview)
app.command()(recover.recover)
app.command()(doctor.doctor)
app.add_typer(cells.app, name="cells")


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
