"""`siteforge reconciler`: looks at the fleet, again and again or once, and repairs what drifted, if it may."""

import re
import signal
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siteforge import log
from siteforge.cli import manifests, problems
from siteforge.cli.metrics import address, serve
from siteforge.cli.options import StackOption
from siteforge.errors import SettingsError, SiteforgeError, printable

if TYPE_CHECKING:
    # Imported where they are used: a client of the cluster takes a fifth of a second.
    from siteforge.fleet.election import Election
    from siteforge.fleet.project import Project
    from siteforge.fleet.reconciler import Round, Rules

_log = log.get(__name__)

_POLL_SECONDS = 1.0
"""Between two looks at the clock, the lease and the source."""
_LEASE_DEADLINE_SECONDS = 3.0
"""Of a request about the lease: shorter than what is left when a renewal fails."""
_RETRY_SECONDS = 5.0
_HELD = 3
"""The exit code of a round that did nothing because too much drifted at once."""
_NAMED = 10


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
    timeout: Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait until tenants are ready.")] = 600,
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

    loop = _Loop(stack, source, interval, Rules(mode.value, share, timeout, jobs, cell))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.stop())
    if once:
        raise typer.Exit(loop.once())
    loop.run(*address(listen))


class _Loop:
    """Rounds while this one leads, each after an interval or when the source changed."""

    def __init__(self, stack: str | None, source: Path | None, interval: float, rules: "Rules") -> None:
        from siteforge.fleet.reconciler import Reconciler
        from siteforge.fleet.reconciler_metrics import Rounds
        from siteforge.fleet.source import Source

        self._stack, self._interval = stack, interval
        self._source = Source(source, Path.cwd()) if source else None
        self._taken = ""
        self._stopped = threading.Event()
        self._election: Election | None = None
        self._alone = False
        self._reconciler = Reconciler(self._project, rules, self._may_act)
        self._rounds = Rounds(self._leading)

    def stop(self) -> None:
        """End after what is under way."""
        self._stopped.set()

    def once(self) -> int:
        """One round, whoever else does some: Pulumi's locks keep them apart. Returns the exit code."""
        self._alone = True
        # Not in this thread: Ctrl-C would be taken for the end of a run, and not of this.
        with ThreadPoolExecutor(1) as worker:
            try:
                began = time.monotonic()
                done = worker.submit(self._reconciler.round).result()
            except SiteforgeError as error:
                problems.tell(error)
                return problems.exit_code(error)
        _tell(done, time.monotonic() - began)
        if done.held:
            return _HELD
        return 0 if done.succeeded and not self._stopped.is_set() else problems.FAILED

    def run(self, listen: str, port: int) -> None:
        """Until it is told to end."""
        from siteforge.fleet.cluster import Cluster
        from siteforge.fleet.election import Election
        from siteforge.fleet.reconciler import lease
        from siteforge.fleet.records import HOME

        serve(self._rounds.registry, listen, port)
        if (project := self._prepared()) is None:
            return
        with Cluster(project.configuration.context, _LEASE_DEADLINE_SECONDS) as cluster:
            # A pod's second container is another candidate than its first.
            identity = f"{socket.gethostname()}_{uuid.uuid4()}"
            self._election = Election(cluster, lease(project.name, project.stack), HOME, identity)
            self._election.start()
            try:
                # Not in this thread: Ctrl-C would be taken for the end of a run, and not of this.
                with ThreadPoolExecutor(1) as worker:
                    worker.submit(self._rounds_while_leading).result()
            finally:
                self._election.end()

    def _rounds_while_leading(self) -> None:
        due = 0.0
        while not self._stopped.is_set():
            if self._leading() and (time.monotonic() >= due or self._changed()):
                self._round()
                due = time.monotonic() + self._interval
            self._stopped.wait(_POLL_SECONDS)

    def _round(self) -> None:
        began = time.monotonic()
        try:
            done = self._reconciler.round()
        except SiteforgeError as error:
            # What it is about may pass: a catalogue that is being edited, an API server that is being renewed.
            self._rounds.failed()
            problems.tell(error)
            return
        seconds = time.monotonic() - began
        self._rounds.ended(done, seconds)
        _tell(done, seconds)

    def _prepared(self) -> "Project | None":
        """The project once it can be read, which is tried until then; None if this is to end before."""
        while not self._stopped.is_set():
            try:
                project = self._project()
                self._reconciler.prepare(project)
                _ = project.configuration
                return project
            except SiteforgeError as error:
                problems.tell(error)
                self._stopped.wait(_RETRY_SECONDS)
        return None

    def _project(self) -> "Project":
        from siteforge.fleet.project import Project

        if self._source:
            self._taken = self._source.take()
        return Project.find(self._stack)

    def _changed(self) -> bool:
        try:
            return self._source is not None and self._source.digest() != self._taken
        except SettingsError:
            # The next round says so.
            return False

    def _leading(self) -> bool:
        return self._election is not None and self._election.leading

    def _may_act(self) -> bool:
        return (self._alone or self._leading()) and not self._stopped.is_set()


def _tell(done: "Round", seconds: float) -> None:
    figures = {"compared": done.compared, "found": done.differences, "repaired": done.repaired}
    names = {"drifted": done.drifted[:_NAMED], "changed": done.changed[:_NAMED]}
    _log.info("round", **figures, **names, seconds=round(seconds, 1))
    if done.held:
        _log.error("held", reason=done.held)
    if done.postponed:
        _log.warning("failed before, tried again later", tenants=done.postponed[:_NAMED])
    if done.summary:
        for tenant, reasons in done.summary.failed.items():
            _log.error("failed", tenant=tenant, reasons=reasons)
        for problem in done.summary.problems:
            _log.error("failed", reasons=[problem])
        for note in done.summary.notes:
            _log.warning("note", note=note)


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
