"""The command `siteforge`: one thin file a command.

Results go to standard output, problems to standard error. Exit codes: 0 done or healthy, 1 failed, unhealthy or
could not tell, 2 bad input, 3 drift, 4 a release that was rolled back.
"""

from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from siteforge import traces
from siteforge.cli import (
    adopt,
    backup,
    cells,
    doctor,
    drift,
    logs,
    metrics,
    moving,
    problems,
    reconciler,
    recover,
    redact,
    release,
    report,
    restore,
    schema,
    status,
    suspend,
    up,
    validate,
)
from siteforge.errors import SiteforgeError


class _Commands(TyperGroup):
    """Shows what Siteforge reports as a message, and exits with its code: no command has to."""

    def invoke(self, ctx: Any) -> Any:  # of a class that Typer keeps to itself
        with traces.span("run"):
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
app.command()(redact.redact)
app.command()(up.up)
app.command()(up.preview)
app.command()(status.status)
app.command()(logs.logs)
app.command()(report.report)
app.command()(release.release)
app.command()(suspend.suspend)
app.command()(suspend.resume)
app.command()(backup.backup)
app.command()(backup.backups)
app.command()(restore.restore)
app.command()(restore.clone)
app.command("import")(moving.import_)
app.command()(moving.export)
app.command()(metrics.metrics)
app.command()(drift.drift)
app.command()(recover.recover)
app.command()(reconciler.reconciler)
app.command()(adopt.adopt)
app.command()(doctor.doctor)
app.add_typer(cells.app, name="cells")


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata  # takes its time, and is wanted here only

        typer.echo(f"siteforge {importlib.metadata.version('siteforge')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    tenant: Annotated[
        list[str] | None, typer.Option("--tenant", "-t", metavar="NAME", help="Without a command: up, for this tenant.")
    ] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option("--log-level", help="What is told on standard error beside mistakes."),
    ] = "warning",
    log_format: Annotated[
        Literal["auto", "human", "json"],
        typer.Option("--log-format", help="auto is human on a terminal, JSON elsewhere."),
    ] = "auto",
) -> None:
    from siteforge import log

    run = log.configure(log_level, log_format)
    traces.note(run=run, command=context.invoked_subcommand or "")
    if context.invoked_subcommand is None:
        # With an option before any command there is no command to come.
        up.up(tenant) if tenant else typer.echo(context.get_help())
    elif tenant:
        raise typer.BadParameter("write it after the command", param_hint="--tenant")
