"""`siteforge cells`: which stack has which tenants, and moving them."""

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from siteforge.cli import options
from siteforge.cli.options import Output, OutputOption, StackOption

if TYPE_CHECKING:
    from siteforge.fleet.project import Project

app = typer.Typer(help="Split the catalogue over several stacks, and move tenants between them.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="STACK", help="The cell: a stack of this project.")]
NamesArgument = Annotated[list[str], typer.Argument(metavar="STACK...", help="The new cells: stacks of this project.")]
BucketsArgument = Annotated[str, typer.Argument(metavar="BUCKETS", help="As in 0-127, 300.")]


@app.command("list")
def show(stack: StackOption = None, output: OutputOption = Output.TEXT) -> None:
    """List the cells, with how many buckets and tenants each has.

    Example: siteforge cells list
    """
    from siteforge.fleet.project import Project

    rows = _rows(Project.find(stack))
    if output is Output.JSON:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['stack']}: {row['tenants']} tenants, {row['buckets']} buckets")


def _rows(project: "Project") -> list[dict[str, str | int]]:
    tenants = Counter(project.cells.stack(spec.name) for spec in project.tenants)
    return [
        {"stack": one, "buckets": len(project.cells.buckets(one)), "tenants": tenants[one]}
        for one in project.cells.stacks
    ]


def _told(project: "Project", output: Output) -> None:
    """The cells as they are by now: a copy of the project reads them anew."""
    if output is Output.JSON:
        typer.echo(json.dumps(_rows(replace(project)), indent=2))


@app.command()
def add(names: NamesArgument, stack: StackOption = None, output: OutputOption = Output.TEXT) -> None:
    """Make stacks cells, and move the fair share of the tenants to each; nothing in the cluster is touched.

    Examples: siteforge cells add prod-b; siteforge cells add prod-{b,c,d}
    """
    from siteforge.fleet import cells
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    with project.cluster() as cluster:
        cells.add(project, cluster, list(dict.fromkeys(names)), options.steps(output))
    _told(project, output)


@app.command()
def move(
    buckets: BucketsArgument, name: NameArgument, stack: StackOption = None, output: OutputOption = Output.TEXT
) -> None:
    """Move buckets, and the tenants in them, to a stack; nothing in the cluster is touched.

    Example: siteforge cells move 512-600 prod-b
    """
    from pydantic_core import PydanticCustomError

    from siteforge.cells import parse_buckets
    from siteforge.fleet import cells
    from siteforge.fleet.project import Project

    try:
        numbers = parse_buckets(buckets)
    except PydanticCustomError as error:
        raise typer.BadParameter(f"{error.message()} ({buckets})") from None
    project = Project.find(stack)
    with project.cluster() as cluster:
        cells.move(project, cluster, name, numbers, options.steps(output))
    _told(project, output)


@app.command()
def resume(stack: StackOption = None, output: OutputOption = Output.TEXT) -> None:
    """End a move that was cut short.

    Example: siteforge cells resume
    """
    from siteforge.fleet import cells
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    with project.cluster() as cluster:
        cells.resume(project, cluster, options.steps(output))
    _told(project, output)
