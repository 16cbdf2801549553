"""`siteforge import` and `siteforge export`: sites that move in from elsewhere, and out."""

import json
from pathlib import Path
from typing import Annotated

import typer

from siteforge.cli import backup, options
from siteforge.cli.backup import MaintenanceOption
from siteforge.cli.options import Output, OutputOption, StackOption, TenantName
from siteforge.cli.restore import KeepAddressesOption, SafetyOption
from siteforge.cli.up import TimeoutOption


def import_(
    tenant: TenantName,
    dump: Annotated[Path, typer.Option("--dump", metavar="FILE", help="Its database as SQL, plain or gzipped.")],
    files: Annotated[
        Path, typer.Option("--files", metavar="FILE", help="Its folder `wp-content` as a tar file, plain or gzipped.")
    ],
    stack: StackOption = None,
    to: backup.ToOption = None,
    keep_addresses: KeepAddressesOption = False,
    safety: SafetyOption = True,
    timeout: TimeoutOption = 600,
    output: OutputOption = Output.TEXT,
) -> None:
    """Put a site that comes from elsewhere in the place of a tenant's, with the tenant's addresses and title.

    Dump and archive are examined first, and what is there now is backed up. Exits with 1 if it can't be done; says
    whether something was changed.

    Example: siteforge import blog-aku --dump old.sql.gz --files wp-content.tar.gz
    """
    from siteforge.fleet import moving
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    spec = options.known(project, tenant)
    with project.cluster() as cluster:
        done = moving.move_in(
            cluster,
            project.configuration.blueprint(spec),
            backup.folder(project, to),
            dump,
            files,
            keep_addresses=keep_addresses,
            safety=safety,
            seconds=timeout,
            progress=backup.tell,
        )
    before = done.before
    if output is Output.JSON:
        told = {"url": done.backup.about.url, "before": before and backup.data(before)}
        typer.echo(json.dumps(told, indent=2))
        return
    was = f"; what was there before: `siteforge restore {tenant} --at {before.about.time}`" if before else ""
    typer.echo(f"{tenant} is what {done.backup.about.url} was{was}")


def export(
    tenant: TenantName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A zip file that is not there yet.")],
    stack: StackOption = None,
    maintenance: MaintenanceOption = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """Write a tenant's site into one file, for another host: its database as SQL, and its folder `wp-content`.

    Exits with 1 if it can't be done; then there is no file.

    Example: siteforge export blog-aku blog-aku.zip
    """
    from siteforge.fleet import moving
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    spec = options.known(project, tenant)
    with project.cluster() as cluster:
        blueprint = project.configuration.blueprint(spec)
        taken = moving.move_out(cluster, blueprint, file, maintenance=maintenance, progress=backup.tell)
    typer.echo(json.dumps(backup.data(taken), indent=2) if output is Output.JSON else f"{taken.about.time}  {file}")
