"""The loop of `siteforge reconciler`: rounds while this one leads, and the words that each is told in."""

import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from siteforge import log
from siteforge.cli import problems
from siteforge.cli.metrics import serve
from siteforge.errors import SettingsError, SiteforgeError

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


class Loop:
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
