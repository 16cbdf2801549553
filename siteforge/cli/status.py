"""`siteforge status`: how the tenants are."""

import json
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from siteforge.cli import options, problems
from siteforge.cli.options import OneOrAll, StackOption
from siteforge.errors import ClusterError

if TYPE_CHECKING:
    from siteforge.fleet.cluster import Cluster
    from siteforge.fleet.project import Project
    from siteforge.fleet.status import TenantStatus

_SECONDS_BETWEEN_LOOKS = 2.0
_SHARE_OF_LOOKING = 4
"""A look that takes long is followed by so many times its length of peace for the API server."""


DriftOption = Annotated[
    bool, typer.Option("--drift", help="Compare with the catalogue, too: reads every object, Secrets among them.")
]


class Form(StrEnum):
    """The form of what is printed."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


def status(
    tenant: OneOrAll = None,
    stack: StackOption = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again and again, until Ctrl-C.")] = False,
    output: Annotated[
        Form, typer.Option("--output", "-o", help="wide asks the kubelets how full volumes are, too.")
    ] = Form.TABLE,
    drift: DriftOption = False,
) -> None:
    """Tell how the tenants are, and of those that fail: why, their events and their last log lines.

    Exits with 0 if every tenant is Ready, Suspended or Frozen, with 1 if one is not or the cluster can't be asked.

    Examples: siteforge status; siteforge status blog-aku --output wide; siteforge status --output json
    """
    from siteforge.fleet.project import Project

    if watch and output in (Form.JSON, Form.YAML):
        raise typer.BadParameter("it shows tables; a program should ask again", param_hint="--watch")
    project = Project.find(stack)
    with project.cluster() as cluster:
        if watch:
            _watch(project, cluster, tenant, stack, output, drift)
        statuses = look(project, cluster, tenant, stack, volumes=output is not Form.TABLE, drift=drift)
        _print(statuses, output)
    _exit(statuses)


def look(
    project: "Project",
    cluster: "Cluster",
    tenant: str | None,
    stack: str | None,
    *,
    volumes: bool = False,
    drift: bool = False,
) -> "list[TenantStatus]":
    """How one tenant is, or all of a stack, or, with no stack named, all of the catalogue.

    Raises:
        SiteforgeError: the catalogue has no such tenant, or is wrong; the cluster can't be asked.
    """
    from siteforge.fleet import survey
    from siteforge.fleet.drift import drifted
    from siteforge.fleet.status import with_drift

    specs = [options.known(project, tenant)] if tenant else project.tenants
    looked_at = [survey.Tenant(project.configuration.blueprint(spec), project.cells.stack(spec.name)) for spec in specs]
    if tenant:
        statuses = [survey.tenant(cluster, looked_at[0], volumes=volumes)]
    else:
        own = [one for one in looked_at if stack in (None, one.stack)]
        statuses = survey.fleet(cluster, own, volumes=volumes)
    if drift:
        report = drifted(project, cluster, [tenant] if tenant else None)
        statuses = with_drift(statuses, report.tenants | report.frozen)
    return statuses


def _exit(statuses: "list[TenantStatus]") -> NoReturn:
    from siteforge.fleet.status import healthy

    raise typer.Exit(0 if healthy(statuses) else problems.FAILED)


def _print(statuses: "list[TenantStatus]", output: Form) -> None:
    from rich.console import Console

    from siteforge.cli import status_view

    now = datetime.now(UTC)
    if output is Form.JSON:
        typer.echo(json.dumps(status_view.as_data(statuses, now), indent=2, ensure_ascii=False))
    elif output is Form.YAML:
        import yaml

        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        data = status_view.as_data(statuses, now)
        typer.echo(yaml.dump(data, Dumper=dumper, sort_keys=False, allow_unicode=True), nl=False)
    else:
        text = status_view.table(statuses, now, wide=output is Form.WIDE)
        Console(soft_wrap=True, highlight=False).print(text, end="")


def _watch(
    project: "Project", cluster: "Cluster", tenant: str | None, stack: str | None, output: Form, drift: bool
) -> NoReturn:
    """Show one look after the other in the same place; off a terminal, one below the other."""
    from rich.console import Console
    from rich.live import Live

    from siteforge.cli import status_view

    console = Console(highlight=False)
    statuses: list[TenantStatus] | None = None
    with Live(console=console, auto_refresh=False, screen=console.is_terminal, vertical_overflow="crop") as live:
        try:
            while True:
                began = time.monotonic()
                try:
                    statuses = look(project, cluster, tenant, stack, volumes=output is Form.WIDE, drift=drift)
                    trouble = ""
                except ClusterError as error:
                    trouble = f"\n{error}; what is shown is older\n"
                seen = status_view.worst_first(statuses or [])
                text = status_view.table(seen, datetime.now(UTC), wide=output is Form.WIDE).append(trouble)
                live.update(text, refresh=True) if console.is_terminal else console.print(text, soft_wrap=True)
                took = time.monotonic() - began
                time.sleep(max(_SECONDS_BETWEEN_LOOKS, _SHARE_OF_LOOKING * took))
        except KeyboardInterrupt:
            pass
    if statuses is None:
        raise typer.Exit(problems.FAILED)
    _exit(statuses)
