"""Continuous reconcile: a look at the fleet, and what follows from it, again and again.

A round compares the cluster with the catalogue, keeps the history of drift, and, where it may, brings what drifted or
changed to what the catalogue says, by the same code as `siteforge up --drifted`. Whatever isn't known ends a round: it
is never taken for clean, and the next round begins anew.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

from siteforge import log
from siteforge.errors import EngineError, SettingsError, printable
from siteforge.fleet import history, locks, plan, records, rights, state, survey, up
from siteforge.fleet.backoff import Backoff
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.differences import Difference
from siteforge.fleet.drift import Report, drifted
from siteforge.fleet.history import Entry
from siteforge.fleet.kinds import POD
from siteforge.fleet.locks import Lock
from siteforge.fleet.project import Project, pulumi
from siteforge.fleet.recovery import Recovery
from siteforge.fleet.status import TenantStatus, with_drift
from siteforge.fleet.up import Findings, Performance, Summary
from siteforge.tenant_spec import TenantSpec

NAME = "siteforge-reconciler"
"""Of the Deployment, and so the beginning of its pods' names; of all that is its own."""

Mode = Literal["report", "repair"]

_log = log.get(__name__)


def lease(project: str, stack: str) -> str:
    """The name of the lease of those that reconcile a fleet."""
    return records.name(project, stack).replace("cell-", "reconciler-")


_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Rules:
    """What a reconciler may do."""

    mode: Mode = "report"
    most_drifted: float = 1.0
    """The share of the tenants, from 0 to 1, that may drift at once: when more do, nothing is done. One always may."""
    timeout: float = 600.0
    """Seconds to wait, after a run, until tenants are ready."""
    jobs: int | None = None
    """Runs of Pulumi at once."""
    cell: str | None = None
    """The only cell that it looks at, by its place in the cells file from 0 or its stack's name; all when None."""


@dataclass
class Round:
    """What one round found and did."""

    compared: int
    """How many tenants were looked at."""
    drifted: list[str]
    """Tenants that are not as they were deployed, where a run undoes it."""
    changed: list[str]
    """Tenants that were not deployed yet as the catalogue says: of a new or changed line, or after a failed run."""
    differences: int = 0
    """How many were found that the history didn't have."""
    repaired: int = 0
    """How many of the history ended by a run of this round."""
    held: str = ""
    """Why nothing was done though there was something to do; empty where there is no such reason."""
    postponed: list[str] = field(default_factory=list)
    """Tenants that failed before and are left for later, though there is something to do."""
    summary: Summary | None = None
    """What was done; None for nothing."""
    statuses: list[TenantStatus] = field(default_factory=list)
    """How the tenants are."""

    @property
    def succeeded(self) -> bool:
        """Whether what had to be done is done."""
        return not self.held and not self.postponed and (self.summary is None or self.summary.succeeded)


def held(rules: Rules, compared: int, drift: Collection[str]) -> str:
    """Why nothing may be done, in a sentence; empty if all may be.

    So much drift at once is no carelessness of somebody's: it may be another cluster, a catalogue of yesterday or a
    program with a mistake, and what undoes it would do the damage.
    """
    if len(drift) <= max(1, int(rules.most_drifted * compared)):
        return ""
    return (
        f"{len(drift)} of {compared} tenants drifted at once, more than {rules.most_drifted:.0%}: nothing is done"
        " - see `siteforge drift`; if all of it is to be undone, run `siteforge up --drifted`"
    )


@dataclass(frozen=True)
class Scope:
    """What a round is about: the fleet, or one of its cells and nothing that is another's."""

    project: Project
    cell: str | None = None
    """The stack of that cell."""

    @classmethod
    def of(cls, project: Project, cell: str | None) -> Self:
        """The scope of a cell that is named as in `Rules`.

        Raises:
            SettingsError: there is no such cell.
        """
        stacks = project.cells.stacks
        # First: of a stack whose name is a number, too, an index of a Job is not the name.
        if cell is not None and re.fullmatch("[0-9]{1,4}", cell, re.ASCII):
            if int(cell) < len(stacks):
                return cls(project, stacks[int(cell)])
        elif cell is None or cell in stacks:
            return cls(project, cell)
        raise SettingsError(
            f"{project.cells.file or 'the configuration'}: there is no cell {printable(cell)}"
            f" - name one of {', '.join(stacks)}, or its place, from 0 to {len(stacks) - 1}"
        )

    @property
    def stacks(self) -> tuple[str, ...]:
        """Those that may be run."""
        return self.project.cells.stacks if self.cell is None else (self.cell,)

    @property
    def tenants(self) -> list[TenantSpec]:
        """Those of the catalogue that it has.

        Raises:
            CellsError: some are on their way from one cell to another.
        """
        project = self.project
        return project.tenants if self.cell is None else project.cells.tenants(self.cell, project.tenants)

    @property
    def names(self) -> list[str] | None:
        """The same by name; None for all."""
        return None if self.cell is None else [spec.name for spec in self.tenants]

    def has(self, tenant: str) -> bool:
        """Whether a tenant is its, or was while the catalogue had it."""
        return self.cell is None or self.project.cells.stack(tenant) == self.cell


class Reconciler:
    """Does rounds.

    Args:
        project: gives the project as it is to be in this round.
        rules: what it may do.
        may_act: whether it still may, as its lease says; asked before and during everything that changes something.
    """

    def __init__(self, project: Callable[[], Project], rules: Rules, may_act: Callable[[], bool]) -> None:
        self._project, self._rules, self._may_act = project, rules, may_act
        self._prepared: set[str] = set()
        self._backoff = Backoff()

    def round(self) -> Round:
        """Do one.

        Raises:
            SiteforgeError: the catalogue or the configuration is wrong; the cluster or Pulumi can't be asked; or
                somebody else's run is under way.
        """
        project = self._project()
        self.prepare(project)
        scope = Scope.of(project, self._rules.cell)
        with project.cluster() as cluster:
            report = drifted(project, cluster, scope.names)
            found = up.look(project, cluster, drifted=report.mendable, cell=scope.cell)
            changed = {name for cell in found.cells for name in (*cell.changed, *cell.gone)}
            drift = {name: own for name, own in report.tenants.items() if name not in changed}
            mendable = [name for name in report.mendable if name in drift]
            done = Round(report.compared, mendable, sorted(changed))
            entries = self._observe(scope, cluster, drift, changed, done)
            if self._rules.mode == "repair":
                found, done.postponed = self._due(found)
            if found.runs and self._rules.mode == "repair":
                done.held = held(self._rules, report.compared, mendable)
                if not done.held and self._may_act():
                    _write(scope, cluster, entries, history.begun(entries, set(mendable).difference(done.postponed)))
                    report = self._repair(scope, cluster, found, report, done)
            done.statuses = _statuses(scope, cluster, report)
        return done

    def prepare(self, project: Project) -> None:
        """Have a stack for each cell of the scope, in a backend that may be new; nothing of the cluster's is touched.

        Raises:
            SiteforgeError: Pulumi can't be asked or refuses, or the configuration is wrong.
        """
        if project.stack not in self._prepared:
            self._add(project, [project.stack])
        scope = Scope.of(project, self._rules.cell)
        if missing := [stack for stack in scope.stacks if stack not in self._prepared]:
            self._add(project, missing)

    def _add(self, project: Project, stacks: Collection[str]) -> None:
        project.ensure(stacks)
        self._prepared.update(stacks)

    def _due(self, found: Findings) -> tuple[Findings, list[str]]:
        """The same without tenants that failed a moment ago; and who they are."""
        postponed = self._backoff.postponed(_wanted(found))
        runs = [[*plan.without(some, postponed)] for some in found.runs]
        return replace(found, runs=[some for some in runs if some]), sorted(postponed & set(found.tenants))

    def _observe(
        self,
        scope: Scope,
        cluster: Cluster,
        drift: Mapping[str, list[Difference]],
        unknown: Collection[str],
        done: Round,
    ) -> list[Entry]:
        """Bring the history up to a look at all tenants but some of whom nothing is known."""
        before = [one for one in history.read(cluster, scope.project.name, scope.stacks) if scope.has(one.tenant)]
        looked_at = {spec.name for spec in scope.tenants} - set(unknown)
        # A tenant that is no longer listed has no drift; its entries end.
        looked_at |= {one.tenant for one in before} - set(unknown)
        entries = history.observed(before, drift, _now(), looked_at)
        if self._may_act():
            _write(scope, cluster, before, entries)
        done.differences += len({one.key for one in entries if not one.ended} - {e.key for e in before if not e.ended})
        done.repaired += _repaired(entries) - _repaired(before)
        return entries

    def _repair(self, scope: Scope, cluster: Cluster, found: Findings, before: Report, done: Round) -> Report:
        """Do what was found; returns what is left of it."""
        project = scope.project
        rights.require(cluster, project.configuration)
        if self._recover(scope, cluster):
            found, _ = self._due(up.look(project, cluster, drifted=before.mendable, cell=scope.cell))
        performance = Performance(project, cluster, found)
        with self._watched(performance):
            done.summary = performance.perform(
                up.jobs(self._rules.jobs, found.runs),
                self._rules.timeout,
                lambda *_: None,
                lambda reasons: _log.warning("not ready yet", tenants=dict(reasons)),
            )
        if not done.summary.problems and not done.summary.stopped:
            self._backoff.note(_wanted(found), set(done.summary.failed))
        self._unlock(project, cluster, done.summary)
        report = drifted(project, cluster, scope.names)
        failed = set(done.summary.failed)
        left = {name: own for name, own in report.tenants.items() if name not in failed}
        self._observe(scope, cluster, left, failed, done)
        return report

    @contextlib.contextmanager
    def _watched(self, performance: Performance) -> Iterator[None]:
        """Runs are stopped as soon as this reconciler may no longer act."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_POLL_SECONDS):
                if not self._may_act():
                    _log.warning("this reconciler may act no longer: runs are stopped after what is under way")
                    performance.stop()
                    return

        watcher = threading.Thread(target=watch, daemon=True, name="watcher")
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def _recover(self, scope: Scope, cluster: Cluster) -> bool:
        """Bring stacks back whose run was a reconciler's that is gone; returns whether there was one.

        Raises:
            EngineError: a run is under way, or nobody knows whether it is; or a stack can't be brought back.
        """
        project = scope.project
        folder = state.backend(project)
        if folder is None:
            return False
        recovered = False
        for stack in scope.stacks:
            own = replace(project, stack=stack)
            found = locks.locks(folder, project.name, stack)
            for lock in found:
                if not gone(lock, cluster):
                    raise EngineError(f"the stack {stack} is in use: {lock} - nothing is done before that run ends")
            if found or state.read(state.file(folder, project.name, stack)).problem:
                _log.warning("a run was killed: the stack is recovered", stack=stack)
                outcome = Recovery(own, lambda line: _log.info(line, stack=stack), force=True).perform()  # noqa: B023
                if not outcome.succeeded:
                    problems = [*outcome.problems, *(f"{name}: {why}" for name, why in outcome.failed.items())]
                    raise EngineError("\n".join([f"{stack} could not be recovered", *problems]))
                recovered = True
        return recovered

    def _unlock(self, project: Project, cluster: Cluster, summary: Summary) -> None:
        """Have locks removed that runs were refused for, and whose holders are gone; the next round begins anew.

        Of a backend that is no folder, only Pulumi itself can tell of locks, and does when it runs.
        """
        for outcome in summary.outcomes:
            found = locks.told("\n".join(outcome.problems))
            if found and all(gone(lock, cluster) for lock in found) and self._may_act():
                _log.warning("a run was killed: its lock is removed", stack=outcome.run.stack, lock=str(found[0]))
                pulumi(project.folder, "cancel", "--yes", "--stack", outcome.run.stack)


def _wanted(found: Findings) -> dict[str, str]:
    """Whom the runs are about, and what is wanted of each: nothing of one that is to go."""
    digests = {name: digest for cell in found.cells for name, digest in cell.wanted.items()}
    return {name: digests.get(name, "") for name in found.tenants}


def gone(lock: Lock, cluster: Cluster) -> bool:
    """Whether the holder of a lock is known to be no more.

    Pods are named like the machine that Pulumi notes, but for those of an Indexed Job, whose host name is the Job's
    with the index. One that is there no longer, or whose container began anew since, has no process of then: the API
    server removes a pod when its node has told that it ended.
    """
    if lock.host == socket.gethostname():
        return lock.holder() == "gone"
    if not lock.host.startswith(f"{NAME}-"):
        return False
    pods = cluster.objects(POD, labels=f"app.kubernetes.io/name={NAME}", namespace=records.HOME)
    return all(_ended(pod, lock.since) for pod in pods if _host(pod) == lock.host)


def _host(pod: Mapping[str, Any]) -> str:
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])


def _ended(pod: Mapping[str, Any], since: datetime) -> bool:
    """Whether a pod has no process of that time any more."""
    if pod["status"].get("phase") in ("Succeeded", "Failed"):
        return True
    states = [one.get("state", {}) for one in pod["status"].get("containerStatuses") or ()]
    began = [one["running"]["startedAt"] for one in states if "running" in one]
    return bool(states) and all(datetime.fromisoformat(one) > since for one in began)


def _write(scope: Scope, cluster: Cluster, before: Iterable[Entry], after: Iterable[Entry]) -> None:
    """Write the history of the cells whose entries are others than before."""
    layout, name = scope.project.cells, scope.project.name
    known = history.by_cell(before, layout, scope.stacks)
    for stack, entries in history.by_cell(after, layout, scope.stacks).items():
        if entries != known[stack]:
            history.write(cluster, name, stack, entries)


def _statuses(scope: Scope, cluster: Cluster, report: Report) -> list[TenantStatus]:
    cells, settings = scope.project.cells, scope.project.configuration
    tenants = [survey.Tenant(settings.blueprint(spec), cells.stack(spec.name)) for spec in scope.tenants]
    return with_drift(survey.fleet(cluster, tenants), report.tenants | report.frozen)


def _repaired(entries: Collection[Entry]) -> int:
    return sum(one.state == "repaired" for one in entries)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
