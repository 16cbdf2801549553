"""Bringing the fleet to what the catalogue says: the cells that need it, several at once, and nothing else."""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from siteforge import traces
from siteforge.blueprint import Blueprint
from siteforge.errors import ClusterError, EngineError
from siteforge.fleet import plan, readiness, records, survey, terminating, volumes
from siteforge.fleet.backpressure import Backpressure
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.engine import Outcome, Run, Runner, Verb, heap_mebibytes
from siteforge.fleet.kinds import NAMESPACE, OURS
from siteforge.fleet.plan import Cell
from siteforge.fleet.project import Project, pulumi
from siteforge.fleet.records import Program
from siteforge.fleet.status import TenantStatus
from siteforge.names import namespace

NOT_FINISHED = "not finished"
"""Why a tenant failed whose run ended before its end."""

_SOON_SECONDS = 30.0
"""After so long without anybody becoming ready it is said who isn't, and why, though it may still become so."""

_EXPLAINED = 10
"""Of how many tenants it is looked at closely why they are not ready."""

_WARNINGS, _LINES = 3, 5
"""Of one of them: events, and log lines of each container that fails."""

_REST_MEBIBYTES = 300
"""What a run takes beside the heaps of engine and provider: program, language host, the CLI (docs/performance.md)."""


@dataclass(frozen=True)
class Findings:
    """What there is to do, and what it was decided from."""

    cells: list[Cell]
    runs: list[list[Run]]
    """A list for each cell, to be done one after the other."""
    leaving: frozenset[str] = frozenset()
    """Tenants whose namespace is being deleted, and should not be."""
    lacking: frozenset[str] = frozenset()
    """Tenants that were made, and whose namespace is gone or going."""

    @property
    def tenants(self) -> list[str]:
        """Whom the runs are about."""
        return [name for cell in self.runs for run in cell for name in run.tenants]


@dataclass
class Summary:
    """What was done."""

    outcomes: list[Outcome] = field(default_factory=list)
    failed: dict[str, list[str]] = field(default_factory=dict)
    """The tenants that are not what the catalogue says, and why."""
    problems: list[str] = field(default_factory=list)
    """What went wrong with no tenant in particular."""
    notes: list[str] = field(default_factory=list)
    """What whoever has the tenants should know, though nothing went wrong in this run."""
    stopped: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether every tenant that the runs were about is what the catalogue says."""
        return not (self.failed or self.problems or self.stopped)


@traces.span("plan")
def look(
    project: Project,
    cluster: Cluster,
    *,
    asked: Collection[str] = (),
    drifted: Collection[str] = (),
    everything: bool = False,
    cell: str | None = None,
) -> Findings:
    """Find out what there is to do.

    Args:
        project: the fleet's.
        cluster: where it is.
        asked: tenants to look at; all when empty.
        drifted: tenants whose objects are not as they were made.
        everything: do it all, whatever is known to be done.
        cell: the stack to look at; all cells when None. That no tenant is in two is checked of all in either case.

    Raises:
        SiteforgeError: the catalogue or the configuration is wrong, the cluster can't be asked, or there is no such
            tenant.
    """
    program = Program.of(project.folder)
    wanted = {spec.name: records.digest(spec, project.configuration, program) for spec in project.tenants}
    known = records.read(cluster, project.name)
    cells = [one for one in plan.cells(project.cells, wanted, known) if cell in (None, one.stack)]
    namespaces = {
        one["metadata"]["name"]: bool(one["metadata"].get("deletionTimestamp"))
        for one in cluster.objects(NAMESPACE, labels=OURS)
    }
    # What a frozen tenant doesn't have it isn't given.
    frozen = {spec.name for spec in project.tenants if spec.frozen}
    there = {name for cell in cells for name in (*cell.wanted, *cell.gone) if namespace(name) in namespaces}
    leaving = {name for name in (there & set(wanted)) - frozen if namespaces[namespace(name)]}
    present = (there - leaving) | frozen
    if any(plan.may_be_empty(one, there) for one in cells):
        used = project.stacks()
        cells = [replace(one, empty=not used.get(one.stack)) for one in cells]
    return Findings(
        cells,
        plan.runs(cells, present=present, asked=asked, drifted=drifted, everything=everything),
        frozenset(leaving),
        frozenset(name for cell in cells for name in set(cell.wanted) & set(cell.recorded or ()) - present),
    )


def jobs(asked: int | None, runs: Iterable[Iterable[Run]]) -> int:
    """How many runs at once: as many as there are cores and memory for, unless somebody asks for another number."""
    if asked:
        return asked
    largest = max((run.size for several in runs for run in several), default=0)
    needed = 2 * heap_mebibytes(largest) + _REST_MEBIBYTES
    cores = os.cpu_count() or 1
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
        return max(1, min(cores, free // 1024 // needed))
    return cores


def told(found: TenantStatus) -> list[str]:
    """Why a tenant is not ready, the most telling first, then the newest warnings and the last log lines."""
    warnings = [one for one in found.events if one.type == "Warning"][:_WARNINGS]
    return [
        *map(str, found.reasons),
        *(f"event {one.reason} of {one.object}: {one.message}" for one in warnings),
        *(f"log of {one.pod}, container {one.container}: {line}" for one in found.logs for line in one.lines[-_LINES:]),
    ]


class Performance:
    """Does what a survey found; watched while it does, and stopped by Ctrl-C."""

    def __init__(self, project: Project, cluster: Cluster, found: Findings, verb: Verb = "up") -> None:
        self._project, self._cluster, self._found, self._verb = project, cluster, found, verb
        self._runner = Runner(project)

    def perform(
        self,
        parallel: int,
        seconds: float,
        progress: Callable[[str, str], None],
        explain: Callable[[Mapping[str, list[str]]], None],
    ) -> Summary:
        """Do it.

        Args:
            parallel: runs at once.
            seconds: the deadline of readiness, counted from the last tenant that became ready.
            progress: is told the stack and the tenant of each resource that is done; at last, with an empty
                stack, each tenant that is ready.
            explain: is told, when nobody became ready for half a minute, who is not ready yet and why.

        Raises:
            EngineError: Pulumi can't be run.
        """
        summary = Summary()
        if self._verb == "up":
            self._await_deletions(summary, seconds)
        pressure = Backpressure(self._cluster, self._tenants.values() if self._awaited else ())
        with self._interruptible(), pressure, ThreadPoolExecutor(parallel) as pool:
            for outcomes in pool.map(
                traces.carried(lambda runs: self._cell(runs, progress, summary, pressure)), self._found.runs
            ):
                summary.outcomes += outcomes
        for outcome in summary.outcomes:
            if outcome.succeeded:
                continue
            # What went wrong with no tenant in particular leaves open which of them are done.
            unknown = outcome.run.tenants if outcome.problems or not outcome.failed else ()
            summary.failed |= {name: [NOT_FINISHED] for name in unknown} | outcome.failed
            summary.problems += [f"{outcome.run.stack}: {problem}" for problem in outcome.problems]
        summary.stopped = self._runner.stopping
        if self._awaited and not summary.stopped:
            self._wait(summary, seconds, progress, explain)
        return summary

    @property
    def _awaited(self) -> bool:
        """Whether Pulumi leaves it to us to see that tenants are ready."""
        return self._verb == "up" and self._project.configuration.readiness == "fleet"

    @cached_property
    def _tenants(self) -> dict[str, Blueprint]:
        """Who is waited for, by namespace; who is frozen is left as it is."""
        names = set(self._found.tenants)
        specs = [spec for spec in self._project.tenants if spec.name in names and not spec.frozen]
        return {namespace(spec.name): self._project.configuration.blueprint(spec) for spec in specs}

    def stop(self) -> None:
        """End soon: after the operations under way, nothing more is begun."""
        self._runner.stop()

    def _await_deletions(self, summary: Summary, seconds: float) -> None:
        """Nothing can be made in a namespace that is being deleted: wait, and leave out whose namespace stays."""
        leaving = {namespace(name): name for name in self._found.leaving & set(self._found.tenants)}
        if not leaving:
            return
        for held in terminating.await_gone(self._cluster, leaving, min(seconds, terminating.SECONDS)):
            summary.failed.setdefault(leaving[held.namespace], []).append(str(held))
        if summary.failed:
            runs = [[*plan.without(some, summary.failed)] for some in self._found.runs]
            self._found = replace(self._found, runs=[some for some in runs if some])

    def _bind_again(self, run: Run, summary: Summary) -> None:
        """Have volumes bound again that outlived their namespace, and say which did not."""
        lacking = {namespace(name) for name in self._found.lacking & set(run.tenants)}
        if lacking:
            exported = json.loads(pulumi(self._project.folder, "stack", "export", "--stack", run.stack))
            summary.notes += volumes.reserve(self._cluster, exported, lacking, self._project.backups)

    def _cell(
        self, runs: list[Run], progress: Callable[[str, str], None], summary: Summary, pressure: Backpressure
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for run in runs:
            pressure.hold(lambda: self._runner.stopping)
            if self._runner.stopping:
                break
            with traces.span("cell", stack=run.stack, tenants=len(run.tenants)):
                try:
                    if self._verb == "up":
                        self._bind_again(run, summary)
                        self._begin(run)
                    outcome = self._execute(run, progress)
                    if self._verb == "up":
                        self._look_for_leftovers(outcome)
                except (ClusterError, EngineError) as error:
                    outcome = Outcome(run, code=1, problems=[str(error)])
                traces.note(failed=_failure(outcome))
            outcomes.append(outcome)
            pressure.made(set(run.tenants) - set(outcome.failed))
            if self._verb == "up":
                self._record(outcome)
        return outcomes

    def _execute(self, run: Run, progress: Callable[[str, str], None]) -> Outcome:
        times: dict[str, tuple[float, float]] = {}

        def note(tenant: str) -> None:
            now = time.time()
            times[tenant] = (times.get(tenant, (now, now))[0], now)
            progress(run.stack, tenant)

        with traces.span("pulumi", stack=run.stack, verb=self._verb):
            outcome = self._runner.execute(run, self._verb, note)
            for tenant, (first, last) in times.items():
                traces.record("tenant", first, last, failed=_failure(outcome, tenant), tenant=tenant)
            traces.note(failed=_failure(outcome), code=outcome.code)
        return outcome

    def _begin(self, run: Run) -> None:
        """Remember that these are under way: if nobody lives to tell how it ended, they are looked at again.

        The engine writes its state once, at the end. What a killed run has made is taken over by the next; and a
        tenant that is taken from the catalogue in between is still known here, though Pulumi never heard of it.
        """
        if run.tenants:
            under_way = dict.fromkeys(run.tenants, "")
            self._note(run.stack, under_way, (), under_way)

    def _look_for_leftovers(self, outcome: Outcome) -> None:
        """A tenant that was to go and whose namespace nobody is deleting was not Pulumi's to delete."""
        (cell,) = [one for one in self._found.cells if one.stack == outcome.run.stack]
        for name in outcome.run.tenants if outcome.succeeded else ():
            live = {} if name in cell.wanted else self._cluster.get(NAMESPACE, namespace(name))
            if live and not live["metadata"].get("deletionTimestamp"):
                where = namespace(name)
                outcome.code = 1
                outcome.failed[name] = [
                    f"the namespace {where} is still there, and Pulumi doesn't know of it: a killed run left it"
                    " - list the tenant again, run `siteforge up`, and then remove it;"
                    f" or: kubectl delete namespace {where}"
                ]

    def _record(self, outcome: Outcome) -> None:
        """Remember what is done, for the next survey; a run that failed as a whole leaves what was known.

        Who is waited for is done when it is ready: until then, whatever ends this, the next run looks at it again.
        """
        (cell,) = [one for one in self._found.cells if one.stack == outcome.run.stack]
        if outcome.problems or (outcome.code and not outcome.failed):
            return
        whom = outcome.run.tenants if outcome.run.confined else (*cell.wanted, *cell.gone)
        done = {name: cell.wanted[name] for name in whom if name in cell.wanted}
        gone = [name for name in whom if name not in cell.wanted]
        unseen = set(outcome.run.tenants) & set(done) if self._awaited else set()
        try:
            self._note(outcome.run.stack, done, gone, unseen | set(outcome.failed))
        except ClusterError as error:
            # All is done; it is just not known, so that the next run looks at these tenants again.
            outcome.problems.append(f"what was deployed could not be recorded: {error}")

    def _note(self, stack: str, done: Mapping[str, str], gone: Collection[str], failed: Collection[str]) -> None:
        recorded = records.of(self._cluster, self._project.name, stack)
        updated = records.updated(recorded or {}, done, gone, failed)
        if updated != recorded:
            records.write(self._cluster, self._project.name, stack, updated)

    @traces.span("readiness")
    def _wait(
        self,
        summary: Summary,
        seconds: float,
        progress: Callable[[str, str], None],
        explain: Callable[[Mapping[str, list[str]]], None],
    ) -> None:
        names = set(self._found.tenants) - set(summary.failed)
        tenants = {where: tenant for where, tenant in self._tenants.items() if tenant.name in names}
        left, started = set(tenants), time.time()

        def note(unready: Collection[str]) -> None:
            for ready in left - set(unready):
                progress("", tenants[ready].name)
                traces.record("tenant", started, time.time(), tenant=tenants[ready].name)
            left.intersection_update(unready)

        try:
            unready = readiness.wait(self._cluster, tenants.values(), min(seconds, _SOON_SECONDS), note)
            if unready and seconds > _SOON_SECONDS:
                explain(self._reasons(unready, tenants))
                late = [tenants[where] for where in unready]
                unready = readiness.wait(self._cluster, late, seconds, note, passed=_SOON_SECONDS)
            note(unready)
            reasons = self._reasons(unready, tenants)
        except ClusterError as error:
            summary.problems.append(f"whether the tenants are ready could not be seen: {error}")
            traces.note(failed="unknown")
            return
        except KeyboardInterrupt:
            summary.stopped = True
            reasons = {tenants[where].name: [NOT_FINISHED] for where in left}
            summary.failed |= reasons
            self._record_ready(names - set(reasons), summary)
            return
        for name in reasons:
            traces.record("tenant", started, time.time(), failed="not ready", tenant=name)
        waited = f"not ready after {time.time() - started:.0f} s"
        summary.failed |= {name: [waited, *said] for name, said in reasons.items()}
        self._record_ready(names - set(reasons), summary)

    def _reasons(self, unready: Mapping[str, list[str]], tenants: Mapping[str, Blueprint]) -> dict[str, list[str]]:
        """Why tenants are not ready, by name: of the first few, what their pods and events tell."""
        found = {}
        for number, (where, said) in enumerate(unready.items()):
            one = survey.Tenant(tenants[where], self._project.cells.stack(tenants[where].name))
            close = told(survey.tenant(self._cluster, one)) if number < _EXPLAINED else []
            found[one.blueprint.name] = close or said
        return found

    def _record_ready(self, names: Collection[str], summary: Summary) -> None:
        """Remember who is done, after whom the next survey needn't look."""
        for cell in self._found.cells:
            done = {name: cell.wanted[name] for name in names if name in cell.wanted}
            try:
                if done:
                    self._note(cell.stack, done, (), ())
            except ClusterError as error:
                summary.problems.append(f"{cell.stack}: what was deployed could not be recorded: {error}")

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C stops the runs after the operations under way; a second one ends them."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, lambda *_: self._runner.stop())
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def _failure(outcome: Outcome, tenant: str = "") -> str:
    """For a trace, whether a run failed, or a tenant in it."""
    return "failed" if (tenant in outcome.failed if tenant else not outcome.succeeded) else ""
