"""`siteforge metrics`: the fleet's status for Prometheus."""

import re
import signal
import threading
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siteforge.cli import problems
from siteforge.cli.backup import place
from siteforge.cli.options import StackOption
from siteforge.cli.status import DriftOption, look
from siteforge.errors import BackupError, SettingsError, SiteforgeError, printable

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from siteforge.fleet.freshness import Freshness
    from siteforge.fleet.metrics import Looks
    from siteforge.fleet.project import Project


def metrics(
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS:PORT", help="Where to serve them; port 0 takes a free one.")
    ] = "127.0.0.1:9464",
    interval: Annotated[float, typer.Option("--interval", min=1, help="Seconds from one look to the next.")] = 30.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and print them, for a textfile collector.")] = False,
    stack: StackOption = None,
    drift: DriftOption = False,
    backups: Annotated[
        Any,
        typer.Option(
            "--backups", metavar="PLACE", parser=place, help="Tell how old backups are that are kept there, too."
        ),
    ] = None,
) -> None:
    """Serve the fleet's status as Prometheus metrics until it is told to end (Ctrl-C, SIGTERM).

    It looks at the fleet by itself and answers from its last look, so scrapes cost the cluster nothing. The
    catalogue is read anew each time.

    With --once it exits with 0, or with 1 if the cluster can't be asked.

    Examples: siteforge metrics --listen 0.0.0.0:9464 --backups s3://backups/prod; siteforge metrics --once
    """
    from siteforge.fleet.freshness import Freshness
    from siteforge.fleet.metrics import Looks

    looks = Looks()
    freshness = Freshness(backups) if backups else None
    if once:
        from prometheus_client import generate_latest

        _look(looks, stack, drift, freshness)
        typer.echo(generate_latest(looks.registry), nl=False)
        return
    where = address(listen)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    serve(looks.registry, *where)
    while not stopped.is_set():
        try:
            _look(looks, stack, drift, freshness)
        except SiteforgeError as error:
            # What it is about may pass: a catalogue that is being edited, an API server that is being renewed.
            looks.failed()
            problems.tell(error)
        stopped.wait(interval)


def _look(looks: "Looks", stack: str | None, drift: bool, freshness: "Freshness | None") -> None:
    from siteforge.fleet.project import Project

    started = time.monotonic()
    project = Project.find(stack)
    with project.cluster() as cluster:
        statuses = look(project, cluster, None, stack, volumes=True, drift=drift)
    looks.succeeded(statuses, time.monotonic() - started, _backups(project, freshness) if freshness else None)


def _backups(project: "Project", freshness: "Freshness") -> dict[str, float]:
    from siteforge.fleet.backup import elsewhere

    blueprints = map(project.configuration.blueprint, project.tenants)
    try:
        return freshness.seconds(one.name for one in blueprints if not (one.suspended or elsewhere(one)))
    except BackupError as error:
        # A store that can't be asked for a while makes nobody blind for the tenants.
        if not freshness.last:
            raise
        problems.tell(error)
        return freshness.last


def serve(registry: "CollectorRegistry", address: str, port: int) -> None:
    """Serve metrics in a thread of its own, and say where.

    Raises:
        SettingsError: the address can't be had.
    """
    from prometheus_client import start_http_server

    try:
        server, _ = start_http_server(port, address, registry)
    except OSError as error:
        raise SettingsError(f"--listen {address}:{port}: {error.strerror} - name another address or port") from None
    typer.echo(f"http://{address}:{server.server_port}/metrics", err=True)


def address(listen: str) -> tuple[str, int]:
    """The address and the port of `--listen`."""
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+):(\d{1,5})", listen)
    if not found or int(found[2]) > 65535:
        raise typer.BadParameter(
            f"{printable(listen)}: no address and port - as in 127.0.0.1:9464", param_hint="--listen"
        )
    return found[1].strip("[]"), int(found[2])
