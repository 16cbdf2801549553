"""`siteforge restore`: a tenant's site as it was when a backup was taken."""

import json
from typing import Annotated

import typer

from siteforge.cli import backup, options
from siteforge.cli.backup import FolderOption
from siteforge.cli.options import Output, OutputOption, StackOption, TenantName
from siteforge.cli.up import TimeoutOption


def restore(
    tenant: TenantName,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="As `siteforge backups` shows it, or `latest`.")],
    stack: StackOption = None,
    source: FolderOption = None,
    safety: Annotated[
        bool, typer.Option("--safety-backup/--no-safety-backup", help="Back up first what is there now.")
    ] = True,
    timeout: TimeoutOption = 600,
    output: OutputOption = Output.TEXT,
) -> None:
    """Put a backup's database and files in the place of a tenant's, once the whole backup is known to be undamaged.

    What is there now is backed up first, into the same folder. Exits with 1 if it can't be done; says whether something
    was changed.

    Examples: siteforge restore blog-aku --at latest; siteforge restore blog-aku --at 2026-11-29T08:15:00Z
    """
    from siteforge.fleet import restore as fleet_restore
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    spec = options.known(project, tenant)
    with project.cluster() as cluster:
        done = fleet_restore.restore(
            cluster,
            project.configuration.blueprint(spec),
            backup.folder(project, source),
            at,
            safety=safety,
            seconds=timeout,
            progress=backup.tell,
        )
    if output is Output.JSON:
        before = done.before and backup.data(done.before)
        typer.echo(json.dumps({"restored": backup.data(done.backup), "before": before}, indent=2))
        return
    was = f"; what was there before: --at {done.before.about.time}" if done.before else ""
    typer.echo(f"{tenant} is as it was on {done.backup.about.time}{was}")
