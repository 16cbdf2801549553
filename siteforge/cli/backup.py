"""`siteforge backup` and `siteforge backups`: copies of a tenant's site in a folder."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siteforge.cli import options
from siteforge.cli.options import Output, OutputOption, StackOption, TenantName
from siteforge.errors import printable

if TYPE_CHECKING:
    # Imported where they are used: a client of the cluster takes a fifth of a second.
    from siteforge.fleet.archives import Backup
    from siteforge.fleet.project import Project

FolderOption = Annotated[
    Path | None,
    typer.Option("--from", metavar="FOLDER", help="Where backups are; `backups` in the project when left out."),
]
MaintenanceOption = Annotated[
    bool, typer.Option("--maintenance", help="Keep visitors out meanwhile: for a site that never rests.")
]


def folder(project: "Project", given: Path | None) -> Path:
    """Where backups are."""
    return given or project.backups


def backup(
    tenant: TenantName,
    stack: StackOption = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where to write it; `backups` in the project when left out."),
    ] = None,
    maintenance: MaintenanceOption = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """Copy a tenant's database and files, as they are at one moment, into one file of a folder.

    Exits with 1 if nothing could be copied; then there is no file.

    Examples: siteforge backup blog-aku; siteforge backup blog-aku --to /srv/backups --maintenance
    """
    from siteforge.fleet import backup as fleet_backup
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    spec = options.known(project, tenant)
    with project.cluster() as cluster:
        taken = fleet_backup.take(
            cluster,
            project.configuration.blueprint(spec),
            folder(project, to),
            maintenance=maintenance,
            progress=tell,
        )
    typer.echo(json.dumps(data(taken), indent=2) if output is Output.JSON else f"{taken.about.time}  {taken.path}")


def backups(
    tenant: TenantName,
    stack: StackOption = None,
    source: FolderOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List the complete backups of a tenant, the newest first; it needn't be in the catalogue any more.

    Example: siteforge backups blog-aku
    """
    from siteforge.fleet import archives
    from siteforge.fleet.project import Project

    found, problems = archives.listed(folder(Project.find(stack), source), tenant)
    if output is Output.JSON:
        typer.echo(json.dumps([data(one) for one in found], indent=2))
    for problem in problems:
        typer.echo(printable(problem), err=True)
    if output is Output.TEXT:
        for one in found:
            size = f"{one.size / 2**20:.1f}Mi"
            typer.echo(printable(f"{one.about.time}  {size:>9}  WordPress {one.about.wordpress_version}  {one.path}"))


def data(one: "Backup") -> dict[str, Any]:
    """A backup as JSON has it."""
    return {"path": str(one.path), **dataclasses.asdict(one.about), "parts": [dataclasses.asdict(p) for p in one.parts]}


def tell(step: str) -> None:
    """Say on standard error what is being done."""
    typer.echo(printable(f"{step} ..."), err=True)
