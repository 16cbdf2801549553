"""The arguments and options that commands share."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siteforge import catalogue
from siteforge.errors import SettingsError, SiteforgeError, printable
from siteforge.suggestions import did_you_mean

if TYPE_CHECKING:
    from siteforge.fleet.project import Project
    from siteforge.tenant_spec import TenantSpec


class Output(StrEnum):
    """The form of what a command prints."""

    TEXT = "text"
    JSON = "json"


def complete_tenant(incomplete: str) -> Iterable[str]:
    """Names of the catalogue in this folder, for a shell's completion: without Pulumi, which would take seconds."""
    try:
        return [spec.name for spec in catalogue.load(DEFAULT_CATALOGUE) if spec.name.startswith(incomplete)]
    except SiteforgeError:
        return []


def complete_moment(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Times of a tenant's backups, the latest first, where they lie in a folder; a bucket is not asked."""
    from siteforge.fleet import archives

    place = context.params.get("source") or DEFAULT_BACKUPS
    # After an option that has no value yet, arguments are not read: they are what is left.
    tenant = context.params.get("tenant") or next(iter(context.args), "")
    if not isinstance(place, Path) or not tenant:
        return []
    found, _ = archives.listed(place, tenant)
    times = [archives.LATEST, *(one.about.time for one in found)]
    return [time for time in times if time.startswith(incomplete)]


def steps(output: Output) -> Callable[[str], None]:
    """What tells each step of a command: where its result is data, beside that."""
    return lambda text: typer.echo(text, err=output is Output.JSON)


def known(project: "Project", tenant: str) -> "TenantSpec":
    """The tenant of a name.

    Raises:
        SettingsError: the catalogue has none of it; says which is nearest.
    """
    specs = {spec.name: spec for spec in project.tenants}
    if tenant not in specs:
        where = f"{project.configuration.catalogue}: no tenant {printable(tenant)}"
        raise SettingsError(f"{where} - {did_you_mean(tenant, specs)}")
    return specs[tenant]


CatalogueFile = Annotated[Path, typer.Argument(metavar="FILE", help="The catalogue.")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Text for people, JSON for programs.")]

StackOption = Annotated[
    str | None, typer.Option("--stack", "-s", help="The stack; the selected one when left out.", show_default=False)
]
TenantsOption = Annotated[
    list[str] | None, typer.Option("--tenant", "-t", metavar="NAME", help="A tenant; may be given several times.")
]

DEFAULT_CATALOGUE = Path("tenants.yaml")
DEFAULT_BACKUPS = Path("backups")

TenantName = Annotated[
    str, typer.Argument(metavar="TENANT", help="A tenant of the catalogue.", autocompletion=complete_tenant)
]
OneOrAll = Annotated[
    str | None,
    typer.Argument(
        metavar="TENANT",
        help="A tenant of the catalogue; all of them when left out.",
        autocompletion=complete_tenant,
        show_default=False,
    ),
]
