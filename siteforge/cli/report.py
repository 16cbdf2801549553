"""`siteforge report`: the fleet's status as an HTML page."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from siteforge.cli.options import Output, StackOption
from siteforge.cli.status import DriftOption, look
from siteforge.errors import SettingsError, printable


def report(
    output_file: Annotated[Path, typer.Option("--output-file", "-o", metavar="FILE", help="Where to write it.")] = Path(
        "fleet.html"
    ),
    stack: StackOption = None,
    drift: DriftOption = False,
    output: Annotated[Output, typer.Option("--output", help="Text for people, JSON for programs.")] = Output.TEXT,
) -> None:
    """Write the fleet's status as one HTML page that needs no server and nothing else.

    Exits with 0 once the page is written, however the tenants are.

    Example: siteforge report --output-file fleet.html
    """
    from siteforge.fleet import history
    from siteforge.fleet import report as fleet_report
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    with project.cluster() as cluster:
        statuses = look(project, cluster, None, stack, volumes=True, drift=drift)
        past = history.read(cluster, project.name, project.cells.stacks)
    page = fleet_report.page(statuses, f"{project.name}, {project.stack}", datetime.now(UTC), past)
    temporary = output_file.with_name(f".{output_file.name}.part")
    try:
        # Whoever has it open never reads half a page.
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(output_file)
    except OSError as error:
        raise SettingsError(
            f"{printable(str(output_file))} can't be written ({error.strerror}) - name another"
        ) from None
    if output is Output.JSON:
        typer.echo(json.dumps({"file": str(output_file), "tenants": len(statuses)}))
        return
    typer.echo(f"{printable(str(output_file))}: {len(statuses)} tenant{'s' * (len(statuses) != 1)}")
