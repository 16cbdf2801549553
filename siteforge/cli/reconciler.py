"""`siteforge reconciler`: looks at the fleet, again and again or once, and repairs what drifted, if it may."""

import re
import signal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from siteforge.cli import manifests
from siteforge.cli.metrics import address
from siteforge.cli.options import StackOption
from siteforge.cli.reconciler_loop import Loop
from siteforge.cli.up import TimeoutOption
from siteforge.errors import printable


class Mode(StrEnum):
    """What it does about what it finds."""

    REPORT = "report"
    REPAIR = "repair"


class Backend(StrEnum):
    """Where Pulumi's state is."""

    VOLUME = "volume"
    SECRET = "secret"


def reconciler(
    stack: StackOption = None,
    mode: Annotated[
        Mode, typer.Option("--mode", help="report changes no tenant; repair does what `siteforge up --drifted` does.")
    ] = Mode.REPORT,
    most_drifted: Annotated[
        str, typer.Option("--most-drifted", metavar="PERCENT", help="When more tenants drift at once, do nothing.")
    ] = "100%",
    interval: Annotated[float, typer.Option("--interval", min=1, help="Seconds from one look to the next.")] = 60.0,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source", metavar="FOLDER", help="Take the project's files from here, and look when one changes."
        ),
    ] = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS:PORT", help="Where to serve metrics; port 0 takes a free one.")
    ] = "127.0.0.1:9464",
    timeout: TimeoutOption = 600,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Runs of Pulumi at once.")] = 1,
    once: Annotated[
        bool,
        typer.Option("--once", help="Do one round, of which the exit code tells, without a leader's lease, and end."),
    ] = False,
    cell: Annotated[
        str | None,
        typer.Option(
            "--cell",
            metavar="STACK",
            help="With --once: for this cell alone, by its stack or its place from 0.",
            show_default=False,
        ),
    ] = None,
    manifests: Annotated[
        bool, typer.Option("--manifests", help="Print the objects that run this in the cluster, and end.")
    ] = False,
    image: Annotated[
        str | None, typer.Option("--image", help="With --manifests: the image of Siteforge.", show_default=False)
    ] = None,
    replicas: Annotated[
        int, typer.Option("--replicas", min=1, help="With --manifests: how many; one acts, the others stand by.")
    ] = 1,
    backend: Annotated[
        Backend,
        typer.Option("--backend", help="With --manifests: Pulumi's state on a volume, or where the Secret says."),
    ] = Backend.VOLUME,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, help="With --manifests: a Job over the cells, so many at once.", show_default=False
        ),
    ] = None,
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="CRON", help="With --workers: when such a Job begins.")
    ] = "*/15 * * * *",
) -> None:
    """Keep the fleet as the catalogue says until told to end (Ctrl-C, SIGTERM): look, report, repair if it may.

    Of several that run for the same fleet, one acts; the others stand by. With --once, it exits with 0 when the round
    did what it had to, with 3 when too much drifted at once, with 2 on a mistake in the catalogue, and else with 1.

    Examples: siteforge reconciler; siteforge reconciler --mode repair --most-drifted 20%;
    siteforge reconciler --once --mode repair --cell prod-b;
    siteforge reconciler --mode repair --manifests --image IMAGE | kubectl apply -f -
    """
    share = _share(most_drifted)
    if manifests:
        if not image:
            raise typer.BadParameter("needed with --manifests", param_hint="--image")
        if workers and backend is Backend.VOLUME:
            reason = "many pods can't have one volume's state - with --workers, use --backend secret and a PostgreSQL"
            raise typer.BadParameter(reason, param_hint="--backend")
        options: tuple[str, ...] = ("--mode", mode.value, "--most-drifted", most_drifted)
        options += ("--timeout", f"{timeout:g}", "--jobs", str(jobs))
        if not workers:
            options += ("--interval", f"{interval:g}")
        _show(stack, image, options, replicas, backend, workers, schedule)
        return
    if cell is not None and not once:
        raise typer.BadParameter("needs --once", param_hint="--cell")
    from siteforge.fleet.reconciler import Rules

    loop = Loop(stack, source, interval, Rules(mode.value, share, timeout, jobs, cell))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.stop())
    if once:
        raise typer.Exit(loop.once())
    loop.run(*address(listen))


def _share(text: str) -> float:
    """A share from 0 to 1, of a percentage."""
    found = re.fullmatch(r"(\d{1,3})%", text)
    if not found or int(found[1]) > 100:
        raise typer.BadParameter(f"{printable(text)}: no percentage - as in 20%", param_hint="--most-drifted")
    return int(found[1]) / 100


def _show(
    stack: str | None,
    image: str,
    options: tuple[str, ...],
    replicas: int,
    backend: Backend,
    workers: int | None,
    schedule: str,
) -> None:
    """Print the objects that run it in the cluster."""
    from siteforge.fleet import rights
    from siteforge.fleet.project import Project
    from siteforge.fleet.reconciler import NAME, lease
    from siteforge.specs import reconciler as specs

    project = Project.find(stack)
    deployed = specs.Deployed(
        manifests.runner(project, NAME, image),
        lease=lease(project.name, project.stack),
        options=options,
        replicas=replicas,
        backend=backend.value,
        rounds=specs.Rounds(len(project.cells.stacks), workers, schedule) if workers else None,
    )
    manifests.show(specs.manifests(deployed, rights.rules(project.configuration)))
