"""`siteforge up` and `siteforge preview`: the whole fleet, or some of its tenants."""

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from siteforge.cli.options import Output, OutputOption, StackOption, TenantsOption

if TYPE_CHECKING:
    # Imported where they are used: a client of the cluster takes a fifth of a second.
    from siteforge.fleet.cluster import Cluster
    from siteforge.fleet.engine import Verb
    from siteforge.fleet.project import Project
    from siteforge.fleet.up import Findings, Summary

DriftedOption = Annotated[
    bool, typer.Option("--drifted", help="Also run for tenants whose objects are not as they were made.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Run every cell as a whole, whatever is known to be done.")]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Runs of Pulumi at once; by cores and memory when left out.")
]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait for the next ready tenant.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the plain pulumi commands, and run none.")]


def up(
    tenant: TenantsOption = None,
    stack: StackOption = None,
    drifted: DriftedOption = False,
    everything: AllOption = False,
    jobs: JobsOption = None,
    timeout: TimeoutOption = 600,
    dry_run: DryRunOption = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """Bring the fleet to what the catalogue says: run Pulumi where something changed, and wait until it is ready.

    Exits with 0 if every tenant is as it should be, with 1 if one is not.

    Examples: siteforge up; siteforge up --tenant blog-aku; siteforge up --all --jobs 2
    """
    _run("up", tenant or [], stack, drifted, everything, jobs, timeout, dry_run, output)


def preview(
    tenant: TenantsOption = None,
    stack: StackOption = None,
    drifted: DriftedOption = False,
    everything: AllOption = False,
    jobs: JobsOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show what `siteforge up` would do, with Pulumi's own previews.

    Example: siteforge preview --tenant blog-aku
    """
    _run("preview", tenant or [], stack, drifted, everything, jobs, 0, False, output)


def _run(
    verb: "Verb",
    tenants: list[str],
    stack: str | None,
    drifted: bool,
    everything: bool,
    jobs: int | None,
    timeout: float,
    dry_run: bool,
    output: Output,
) -> None:
    from siteforge.cli import up_view
    from siteforge.fleet import rights
    from siteforge.fleet import up as fleet
    from siteforge.fleet.project import Project

    started = time.monotonic()
    project = Project.find(stack)
    with project.cluster() as cluster:
        found_drift = _drifted(project, cluster, tenants) if drifted else []
        found = fleet.look(project, cluster, asked=tenants, drifted=found_drift, everything=everything)
        if dry_run:
            for cell in found.runs:
                for run in cell:
                    typer.echo(run.line(verb, project.name))
            return
        if verb == "up" and found.runs:
            rights.require(cluster, project.configuration)
        summary = _perform(
            project, cluster, found, verb, fleet.jobs(jobs, found.runs), timeout, quiet=output is Output.JSON
        )
    seconds = time.monotonic() - started
    if output is Output.JSON:
        typer.echo(json.dumps(up_view.as_data(found, summary, seconds), indent=2))
    else:
        frozen = [spec.name for spec in project.tenants if spec.frozen]
        up_view.show(verb, found, summary, seconds, tenants=len(project.tenants), frozen=frozen)
    if not summary.succeeded:
        raise typer.Exit(1)


def _drifted(project: "Project", cluster: "Cluster", names: list[str]) -> list[str]:
    from siteforge.fleet.drift import drifted

    # What others added, Pulumi leaves as it is: whoever has no other drift would be run again and again.
    return list(drifted(project, cluster, names or None).mendable)


def _perform(
    project: "Project", cluster: "Cluster", found: "Findings", verb: "Verb", jobs: int, timeout: float, *, quiet: bool
) -> "Summary":
    from siteforge.cli import up_view
    from siteforge.fleet.up import Performance, Summary

    if not found.runs:
        return Summary()
    # Rich takes a tenth of a second to import: not for a run with nothing to do.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, quiet=quiet)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        runs = bar.add_task("tenants", total=len(found.tenants))
        ready = bar.add_task("ready", total=len(found.tenants), visible=False)
        seen: dict[int, set[str]] = {runs: set(), ready: set()}

        def progress(stack: str, name: str) -> None:
            task = runs if stack else ready
            seen[task].add(name)
            bar.update(task, completed=len(seen[task]), visible=True)

        def explain(reasons: Mapping[str, list[str]]) -> None:
            for name, said in sorted(reasons.items()):
                for line in up_view.reasons(f"{name} is not ready yet", said):
                    console.print(line, markup=False, highlight=False, soft_wrap=True)

        return Performance(project, cluster, found, verb).perform(jobs, timeout, progress, explain)
