"""`siteforge adopt`: tenants that are in the cluster become Pulumi's, as they are."""

import json
from typing import Annotated

import typer

from siteforge.cli import options
from siteforge.cli.options import Output, OutputOption, StackOption
from siteforge.cli.up import TimeoutOption
from siteforge.errors import printable

TenantsArgument = Annotated[
    list[str], typer.Argument(metavar="TENANT...", help="Of the catalogue.", autocompletion=options.complete_tenant)
]


def adopt(
    tenants: TenantsArgument,
    stack: StackOption = None,
    timeout: TimeoutOption = 600,
    output: OutputOption = Output.TEXT,
) -> None:
    """Take over tenants that Pulumi doesn't know: hand-made ones, or those of a lost state.

    Nothing is deleted or replaced, and their passwords stay as they are. Exits with 0 if all are taken over, with 1
    if one is not.

    Example: siteforge adopt blog-aku shop-lumi
    """
    from siteforge.fleet import rights
    from siteforge.fleet.adoption import Adoption
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    specs = [options.known(project, name) for name in dict.fromkeys(tenants)]
    with project.cluster() as cluster:
        rights.require(cluster, project.configuration)
        summary = Adoption(project, cluster, options.steps(output)).perform(specs, timeout)
    if output is Output.JSON:
        told = {"tenants": [spec.name for spec in specs], "failed": summary.failed, "problems": summary.problems}
        typer.echo(json.dumps(told, indent=2))
    for name, reasons in sorted(summary.failed.items()):
        typer.echo(printable(f"{name}: {'; '.join(reasons)}"), err=True)
    for problem in summary.problems:
        typer.echo(problem, err=True)
    if not summary.succeeded:
        raise typer.Exit(1)
