"""`siteforge restore` and `siteforge clone`: a site as it was when a backup was taken, in its tenant or another."""

import json
from typing import Annotated

import typer

from siteforge.cli import backup, options
from siteforge.cli.backup import FromOption
from siteforge.cli.options import Output, OutputOption, StackOption, TenantName
from siteforge.cli.up import TimeoutOption

KeepAddressesOption = Annotated[
    bool, typer.Option("--keep-addresses", help="Of another tenant's site, which is to get that one's domains.")
]

SafetyOption = Annotated[
    bool, typer.Option("--safety-backup/--no-safety-backup", help="Back up first what is there now.")
]


def restore(
    tenant: TenantName,
    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="TIME",
            help="As `siteforge backups` shows it, or `latest`.",
            autocompletion=options.complete_moment,
        ),
    ],
    stack: StackOption = None,
    source: FromOption = None,
    new: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="TENANT",
            help="Put it into another tenant of the catalogue, with its addresses.",
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    keep_addresses: KeepAddressesOption = False,
    safety: SafetyOption = True,
    timeout: TimeoutOption = 600,
    output: OutputOption = Output.TEXT,
) -> None:
    """Put a backup's database and files in the place of a tenant's, once the whole backup is known to be undamaged.

    What is there now is backed up first, into the same folder. Exits with 1 if it can't be done; says whether something
    was changed.

    Examples: siteforge restore blog-aku --at latest; siteforge restore blog-aku --at 2026-11-29T08:15:00Z --as blog-new
    """
    from siteforge.fleet import restore as fleet_restore
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    # Whose backup it is needn't be in the catalogue any more.
    spec = options.known(project, new or tenant)
    with project.cluster() as cluster:
        done = fleet_restore.restore(
            cluster,
            project.configuration.blueprint(spec),
            backup.folder(project, source),
            at,
            source=tenant,
            keep_addresses=keep_addresses,
            safety=safety,
            seconds=timeout,
            progress=backup.tell,
        )
    if output is Output.JSON:
        before = done.before and backup.data(done.before)
        typer.echo(json.dumps({"restored": backup.data(done.backup), "before": before}, indent=2))
        return
    was = f"; what was there before: --at {done.before.about.time}" if done.before else ""
    whose = f"{tenant} was" if new else "it was"
    typer.echo(f"{spec.name} is as {whose} on {done.backup.about.time}{was}")


def clone(
    tenant: TenantName,
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW", help="A tenant of the catalogue that is up.", autocompletion=options.complete_tenant
        ),
    ],
    stack: StackOption = None,
    to: backup.ToOption = None,
    maintenance: backup.MaintenanceOption = False,
    keep_addresses: KeepAddressesOption = False,
    timeout: TimeoutOption = 600,
    output: OutputOption = Output.TEXT,
) -> None:
    """Copy a tenant's site into another tenant, with that one's addresses, title and passwords.

    It is a backup, and its restore under the new name: what the new tenant had is backed up first.

    Example: siteforge clone blog-aku blog-staging
    """
    from siteforge.fleet.backup import take
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    spec = options.known(project, tenant)
    options.known(project, new)
    if tenant == new:
        raise typer.BadParameter("it is the same tenant", param_hint="NEW")
    folder = backup.folder(project, to)
    with project.cluster() as cluster:
        blueprint = project.configuration.blueprint(spec)
        taken = take(cluster, blueprint, folder, maintenance=maintenance, progress=backup.tell)
    restore(tenant, taken.about.time, stack, folder, new, keep_addresses, timeout=timeout, output=output)
