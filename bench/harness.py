"""The one harness: for each number of tenants and each peer a fresh cluster, then the pieces of work in order."""

import datetime
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import drift, kube, machine, meter, metrics, platform, readiness
from bench.fleet import Fleet
from bench.kube import Api, KubeError
from bench.peers import KNOWN
from bench.peers.peer import Command, Peer
from bench.readiness import NotReadyError
from bench.results import WORKS, Results, Row
from local import paths, toolchain
from local.steps import Failure, say

_METER_SECONDS = 60.0
"""What the meter may take besides the command's own deadline."""

_GONE_SECONDS = 0.05


@dataclass(frozen=True)
class Plan:
    """What to run.

    Args:
        sizes: numbers of tenants.
        peers: their names.
        deadline: seconds for a piece of work; what comes after one that was cut off is left out.
        label: what to know before reading the figures.
        most: with how many tenants at most, by peer; those left out run with any number.
        works: the pieces of work, in the order of WORKS.
    """

    sizes: Sequence[int]
    peers: Sequence[str]
    deadline: float
    label: str = ""
    most: Mapping[str, int] = field(default_factory=dict)
    works: Sequence[str] = WORKS


def run(plan: Plan, finished: Callable[[Results], None]) -> Results:
    """Run everything, and leave nothing behind.

    Args:
        finished: called with all results so far after each peer.

    Raises:
        Failure: something can't be built, or the cluster can't be made.
    """
    # None: the whole toolchain, Pulumi included, without what only tests and benchmarks use.
    toolchain.ensure()
    toolchain.ensure(["helm"])
    toolchain.install_plugin(paths.STATE / "pulumi")
    results = Results(
        label=plan.label,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=machine.describe(),
        versions=machine.software(),
        cluster={},
        objects=len(Fleet(1).manifests("bench-0001")),
        titles={name: KNOWN[name].title for name in plan.peers},
        deadline=plan.deadline,
    )
    try:
        for size in plan.sizes:
            for name in plan.peers:
                peer = KNOWN[name]
                if size <= min(peer.largest, plan.most.get(name, size)) and not (
                    peer.reference and size != plan.sizes[0]
                ):
                    say(f"==> {size} tenants: {peer.title}")
                    results.rows += _Run(Fleet(size), peer, plan, results).rows()
                    finished(results)
    finally:
        platform.stop()
        shutil.rmtree(_home(), ignore_errors=True)
    return results


def _home() -> Path:
    return paths.STATE / "peer"


class _Run:
    """One peer with one number of tenants."""

    def __init__(self, fleet: Fleet, peer: type[Peer], plan: Plan, results: Results) -> None:
        self._fleet, self._deadline, self._works = fleet, plan.deadline, plan.works
        claims = [m for t in fleet.tenants for m in fleet.manifests(t) if m["kind"] == "PersistentVolumeClaim"]
        self._api: Api = platform.start(claims)
        results.cluster = {"simulated nodes": str(platform.NODES)} | platform.rates()
        shutil.rmtree(_home(), ignore_errors=True)
        self._peer = peer(_home())
        self._log = paths.LOGS / f"{fleet.size}-{peer.name}.log"
        self._log.unlink(missing_ok=True)

    def rows(self) -> list[Row]:
        """All pieces of work, until one isn't done."""
        rows: list[Row] = []
        try:
            self._peer.prepare()
            self._peer.declare(self._fleet)
            for work in self._works:
                rows.append(row := self._work(work))
                say(f"    {work}: {_said(row)}")
                if row.outcome in ("cut off", "failed"):
                    break
        except (Failure, KubeError, subprocess.TimeoutExpired) as error:
            work = self._works[len(rows)]
            rows.append(Row(self._fleet.size, self._peer.name, work, "failed", str(error)))
            say(f"    {work}: {_said(rows[-1])}")
        return rows

    def _work(self, work: str) -> Row:
        """One piece of work, with what has to happen before it and what has to hold after it."""
        peer, tenants = self._peer, self._fleet.tenants
        first, last = tenants[0], tenants[-1]
        match work:
            case "create":
                return self._measure(work, peer.create(), tenants, [first, last])
            case "no_op":
                return self._measure(work, peer.no_op(), tenants, [first, last])
            case "change_one":
                self._declare(self._fleet.change(first))
                return self._measure(work, peer.change_one(first), tenants, [first, last])
            case "status":
                return self._measure(work, peer.status(), [], [])
            case "drift_check":
                return self._measure(work, peer.drift_check(), [], [])
            case "repair":
                if (command := peer.repair(found := drift.drifted(tenants))) is not None:
                    drift.cause(self._api, found)
                return self._measure(work, command, tenants, found)
        self._declare(self._fleet.remove(last))
        return self._measure(work, peer.delete_one(last), self._fleet.tenants, [first], gone=last)

    def _declare(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._peer.declare(fleet)

    def _measure(self, work: str, command: Command | None, ready: list[str], checked: list[str], gone: str = "") -> Row:
        """Run a command.

        Args:
            ready: tenants that have to be ready for the work to be over.
            checked: tenants that are compared with what is declared, field by field, off the clock.
            gone: a tenant that must be no more.
        """
        row = Row(self._fleet.size, self._peer.name, work, "not offered")
        if command is None:
            return row
        if self._peer.reference:
            ready = checked = []
        wanted = set().union(*(readiness.parts(self._fleet.manifests(tenant)) for tenant in ready))
        before, cpu_before = metrics.requests(self._api), metrics.cpu_seconds(platform.control_plane())
        started = time.monotonic()
        usage = self._meter(command)
        row.outcome, row.command_seconds, row.seconds = "done", usage.seconds, usage.seconds
        row.cpu_seconds, row.peak_bytes, row.backend_bytes = usage.cpu_seconds, usage.peak_bytes, usage.backend_bytes
        row.programs = usage.programs
        if usage.cut_off:
            row.outcome, row.reason = "cut off", f"killed after {self._deadline:.0f} s"
        elif usage.code not in command.codes:
            row.outcome, row.reason = "failed", f"exited with {usage.code}: {self._last_line()}"
        else:
            self._hold(row, started + self._deadline, wanted, gone)
        # In this order, as the answer with the counts is a large one that the API server works for.
        cpu = metrics.cpu_seconds(platform.control_plane())
        made = metrics.requests(self._api).since(before)
        row.control_plane_cpu_seconds = {name: round(cpu[name] - cpu_before.get(name, 0.0), 2) for name in cpu}
        row.requests, row.own_requests = dict(sorted(made.by_verb.items())), made.own
        if row.outcome == "done" and (found := drift.differences(self._api, self._fleet, checked)):
            row.outcome, row.reason = "failed", f"it ended well, but {found[0]} ({len(found)} differences)"
        return row

    def _hold(self, row: Row, deadline: float, wanted: set[readiness.Part], gone: str) -> None:
        """Wait for the guarantee, on the clock: at once for a tool that did so itself."""
        started = time.monotonic()
        try:
            if wanted:
                readiness.wait(self._api, wanted, max(deadline - started, 1.0))
            while gone and self._api.find(f"{kube.collection('v1', 'Namespace')}/{gone}") is not None:
                if time.monotonic() > deadline:
                    raise NotReadyError(f"{gone} is still there")
                time.sleep(_GONE_SECONDS)
        except NotReadyError as error:
            row.outcome, row.reason = "cut off", f"it ended, but {error}"
        assert row.seconds is not None
        row.seconds += time.monotonic() - started

    def _meter(self, command: Command) -> meter.Usage:
        request = {
            "argv": command.argv,
            "cwd": str(command.cwd),
            "environment": self._peer.environment,
            "log": str(self._log),
            "deadline": self._deadline,
            "backend": str(self._peer.backend) if self._peer.backend else None,
        }
        with subprocess.Popen(
            [sys.executable, "-m", "bench.meter"],
            cwd=paths.PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                output, errors = process.communicate(json.dumps(request), self._deadline + _METER_SECONDS)
            except BaseException:
                # Asked to end, not killed: it ends what it measures.
                process.terminate()
                raise
        if process.returncode != 0:
            raise Failure(f"the meter failed: {errors.strip()}")
        return meter.Usage(**json.loads(output))

    def _last_line(self) -> str:
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()]
        return (errors or lines or [""])[-1].strip()[:300]


def _said(row: Row) -> str:
    if row.outcome != "done":
        return f"{row.outcome}{f': {row.reason}' if row.reason else ''}"
    assert row.seconds is not None and row.cpu_seconds is not None and row.peak_bytes is not None
    own = f"{row.own_requests} requests"
    return f"{row.seconds:.2f} s, {row.cpu_seconds:.2f} s of CPU, {row.peak_bytes / 2**20:.0f} MiB, {own}"
