"""`siteforge release`: a new image of WordPress for the fleet, ring after ring."""

import dataclasses
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from siteforge.cli import backup, logs, up
from siteforge.cli.options import Output, OutputOption, StackOption
from siteforge.cli.problems import FAILED
from siteforge.constraints import Image
from siteforge.errors import printable
from siteforge.rings import RINGS, Ring, parse

if TYPE_CHECKING:
    # Imported where they are used: a client of the cluster takes a fifth of a second.
    from siteforge.fleet.project import Project
    from siteforge.fleet.release import Done
    from siteforge.fleet.release_steps import Step

ROLLED_BACK = 4
"""The exit code of a release that failed in a ring which is as it was before."""


def _image(text: str) -> str:
    try:
        return TypeAdapter[str](Image).validate_python(text)
    except ValidationError as error:
        (found,) = error.errors()
        fix = found.get("ctx", {}).get("fix", "")
        raise typer.BadParameter(f"{printable(text)}: {found['msg']} - {fix}") from None


def _rings(text: str) -> tuple[Ring, ...]:
    try:
        return tuple(parse(text))
    except ValueError as error:
        raise typer.BadParameter(printable(str(error))) from None


def _bake(text: str) -> float:
    # Of a log's age, nothing is no duration; of a bake it is one.
    return 0.0 if text in ("0", "0s", "0m") else logs.seconds(text)


def release(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="An image, with its tag or digest.")],
    ring: Annotated[str, typer.Option("--ring", metavar="RINGS", help="As in canary,early.")] = ",".join(RINGS),
    bake: Annotated[
        str, typer.Option("--bake", metavar="TIME", help="How long each ring is looked at, as in 10m or 1h30m.")
    ] = "10m",
    errors: Annotated[
        float, typer.Option("--max-errors", min=0, max=100, help="Percent of a site's requests that may fail.")
    ] = 5,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Take this release back instead, in every ring that has it.")
    ] = False,
    back_up: Annotated[
        bool,
        typer.Option("--backup/--no-backup", help="Back up each tenant before: a new core may change its database."),
    ] = True,
    to: backup.ToOption = None,
    stack: StackOption = None,
    jobs: up.JobsOption = None,
    timeout: up.TimeoutOption = 600,
    edit_only: Annotated[
        bool, typer.Option("--edit-only", help="Write the catalogue, and run nothing: for one rolled out by commits.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print who gets it and the edit, and change nothing.")
    ] = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """Give the fleet a new image of WordPress: ring after ring, each deployed, looked at and baked before the next.

    A ring that fails is rolled back, and no further one gets the image: exits with 4, or with 1 if it could not be
    rolled back or nobody can tell. A run that was ended goes on when the same command is run again.

    Examples: siteforge release wordpress:6.9.1-php8.3-apache; siteforge release wordpress:6.9.1 --ring canary --bake 1h
    """
    from siteforge.fleet import release as fleet
    from siteforge.fleet import release_steps
    from siteforge.fleet.project import Project

    image, rings, seconds = _image(image), _rings(ring), _bake(bake)
    project = Project.find(stack)
    steps = release_steps.steps(project.tenants, project.configuration, image, rings)
    if dry_run or edit_only:
        _edit(project, image, steps, dry_run)
        return
    started = time.monotonic()

    def tell(line: str) -> None:
        typer.echo(printable(line), err=output is Output.JSON)

    terms = fleet.Terms(seconds, errors, timeout, jobs, backup.folder(project, to) if back_up else None)
    with project.cluster() as cluster:
        released = fleet.Release(project, cluster, image, terms, tell)
        done = [released.rollback()] if rollback else list(released.perform(rings))
    if output is Output.JSON:
        typer.echo(json.dumps(_data(image, done, time.monotonic() - started), indent=2))
    else:
        _show(project, image, done, rollback)
    if not rollback and not done[-1].well:
        raise typer.Exit(ROLLED_BACK if done[-1].outcome == "rolled back" else FAILED)
    if rollback and done[-1].outcome != "rolled back":
        raise typer.Exit(FAILED)


def _edit(project: "Project", image: str, steps: "Sequence[Step]", dry_run: bool) -> None:
    from siteforge.fleet import release_steps

    for step in steps:
        typer.echo(f"{step.ring}: {', '.join(step.tenants) or 'no tenant'}")
        for name, reason in step.left_out.items():
            typer.echo(printable(f"{step.ring}: {name} is left out: {reason}"))
    for one in release_steps.edit(project, {name: image for step in steps for name in step.tenants}):
        if dry_run:
            typer.echo(one.diff, nl=False)
        elif one.changes:
            one.write()
            typer.echo(f"{printable(one.file)}: written")


def _show(project: "Project", image: str, done: "Sequence[Done]", rollback: bool) -> None:
    for one in done:
        for problem in one.problems:
            for line in problem.splitlines():
                typer.echo(printable(f"{one.ring}: {line}"), err=True)
    last = done[-1]
    whom = sum(len(one.tenants) for one in done if one.outcome in ("released", "unchanged"))
    kept = [one.ring for one in done if one.outcome in ("released", "unchanged")]
    if last.outcome == "stopped":
        typer.echo(f"stopped in {last.ring}: run the same command again to go on, or with --rollback to take it back")
    elif rollback:
        said = "back to what they had" if last.outcome == "rolled back" else "not all back to what they had"
        typer.echo(f"{len(last.tenants)} tenants are {said} before {image}")
    elif last.well:
        typer.echo(f"{whom} tenants have {image}")
        if set(RINGS) == {one.ring for one in done} and project.configuration.images.wordpress != image:
            typer.echo(f"new tenants get another: pulumi config set siteforge:wordpressImage {image}")
    else:
        state = "rolled back" if last.outcome == "rolled back" else "not rolled back"
        also = f"; {', '.join(kept)} passed and kept it: --rollback takes it back there, too" if kept else ""
        typer.echo(f"{image} failed in {last.ring}, which is {state}{also}")


def _data(image: str, done: "Sequence[Done]", seconds: float) -> dict[str, Any]:
    return {
        "image": image,
        "outcome": done[-1].outcome,
        "seconds": round(seconds, 3),
        "rings": [dataclasses.asdict(one) for one in done],
    }
