"""`siteforge suspend` and `siteforge resume`: a page instead of a site, and back."""

from typing import Annotated

import typer

from siteforge.cli import options, up
from siteforge.cli.options import Output, OutputOption, StackOption, TenantName
from siteforge.errors import SettingsError, printable

EditOnlyOption = Annotated[
    bool,
    typer.Option("--edit-only", help="Write the catalogue, and run nothing: for one that is rolled out by commits."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the edit, and change nothing.")]


def suspend(
    tenant: TenantName,
    stack: StackOption = None,
    edit_only: EditOnlyOption = False,
    dry_run: DryRunOption = False,
    timeout: up.TimeoutOption = 600,
    output: OutputOption = Output.TEXT,
) -> None:
    """Stop a tenant's site and database, and show visitors a page that says so; its data are kept.

    Writes `suspended: true` into the catalogue and does what `siteforge up --tenant` does.

    Examples: siteforge suspend blog-aku; siteforge suspend blog-aku --dry-run
    """
    _switch(tenant, stack, True, edit_only, dry_run, timeout, output)


def resume(
    tenant: TenantName,
    stack: StackOption = None,
    edit_only: EditOnlyOption = False,
    dry_run: DryRunOption = False,
    timeout: up.TimeoutOption = 600,
    output: OutputOption = Output.TEXT,
) -> None:
    """Start a suspended tenant's database and site again; visitors see the page until the site is ready.

    Example: siteforge resume blog-aku
    """
    _switch(tenant, stack, False, edit_only, dry_run, timeout, output)


def _switch(
    tenant: str, stack: str | None, on: bool, edit_only: bool, dry_run: bool, timeout: float, output: Output
) -> None:
    from siteforge import edits
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    if options.known(project, tenant).frozen:
        raise SettingsError(f"{tenant} is frozen, and left as it is - remove `frozen: true` from the catalogue first")
    path = project.configuration.catalogue
    edit = edits.switch(project.folder / path, tenant, "suspended", on, str(path))
    if dry_run:
        typer.echo(edit.diff, nl=False)
        return
    if edit.changes:
        edit.write()
    # Results of a run are data, where data are asked for; what was written is told beside them.
    said = "is now" if edit.changes else "is already"
    typer.echo(f"{printable(edit.file)}: {tenant} {said} {'suspended' if on else 'to run'}", err=output is Output.JSON)
    if not edit_only:
        up.up([tenant], stack, timeout=timeout, output=output)
