"""`siteforge recover`: a stack back on its feet after a killed run or a broken state."""

import json
from typing import Annotated

import typer

from siteforge.cli import options
from siteforge.cli.options import Output, OutputOption, StackOption

ForceOption = Annotated[
    bool, typer.Option("--force", help="Remove the lock of a run on another machine, which you know to be gone.")
]


def recover(stack: StackOption = None, force: ForceOption = False, output: OutputOption = Output.TEXT) -> None:
    """Bring a stack back whose run was killed or whose state is broken: lock, processes, state, cluster.

    Says each step. Exits with 0 if every tenant is as the catalogue says, with 1 if it could not be done.

    Example: siteforge recover --stack prod
    """
    from siteforge.fleet.project import Project
    from siteforge.fleet.recovery import Recovery

    outcome = Recovery(Project.find(stack), options.steps(output), force).perform()
    if output is Output.JSON:
        told = {"changes": outcome.changes, "failed": outcome.failed, "problems": outcome.problems}
        typer.echo(json.dumps({"recovered": outcome.succeeded} | told, indent=2))
    for name, reasons in sorted(outcome.failed.items()):
        typer.echo(f"{name}: {'; '.join(reasons) or 'not finished'}", err=True)
    for problem in outcome.problems:
        typer.echo(problem, err=True)
    changes = ", ".join(f"{number} {what}" for what, number in sorted(outcome.changes.items()))
    if not outcome.succeeded:
        typer.echo(f"not recovered ({changes or 'no changes'}): mend what is said above and run this again", err=True)
        raise typer.Exit(1)
    options.steps(output)(f"recovered: {changes or 'no changes'}")
