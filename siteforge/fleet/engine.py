"""Runs of Pulumi on the cells of a fleet: the plain command, what it says while it runs, how it ended."""

import json
import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from siteforge import targets
from siteforge.errors import EngineError
from siteforge.fleet import engine_log
from siteforge.fleet.project import Project

Verb = Literal["up", "preview"]

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 30.0
_LAST_LINES = 15

_TUNED = {
    # Read by the Kubernetes provider: its client would otherwise make 50 requests a second, whatever the server takes.
    "PULUMI_K8S_CLIENT_QPS": "500",
    "PULUMI_K8S_CLIENT_BURST": "1000",
    # Of Go's collector, in the engine and the provider: they live for seconds. See `heap_mebibytes` for its end.
    "GOGC": "400",
    # Operations at once (`--parallel`): they wait for the API server more than they compute.
    "PULUMI_PARALLEL": "32",
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    # The state is written once, at the end, and not twice for each resource: the work of that grows with the square
    # of a stack's size. What a killed run leaves is taken over by the next (docs/fleet.md).
    "PULUMI_SKIP_CHECKPOINTS": "true",
}
_OF_A_RESOURCE = re.compile(
    r'\{"sequence":\d+,"timestamp":\d+,"(resourcePreEvent|resOutputsEvent)":\{"metadata":\{"op":"[^"]*","urn":"([^"\\]+)"'
)
"""How such an event begins; one that begins otherwise is read as a whole."""


def heap_mebibytes(size: int) -> int:
    """How far Go's heaps may grow before they are collected more often, in the engine and the provider each, in MiB.

    Less is paid for with CPU, more is worth nothing (the knobs `heap-...` of `make bench`).

    Args:
        size: tenants of the stack.
    """
    return max(250, 10 * size)


@dataclass(frozen=True)
class Run:
    """One run of Pulumi on one stack."""

    stack: str
    tenants: tuple[str, ...]
    """Whom it is about; those that are no longer in the catalogue are deleted by it. Nobody: just the provider."""
    confined: bool
    """Whether the engine is confined to them, and leaves all others of the stack as they are."""
    refresh: bool = True
    """Whether the engine reads the cluster first; needless for tenants that were never made."""
    size: int = field(default=0, compare=False)
    """Tenants of the whole stack, which the engine loads whomever the run is about; 0 if nobody counted."""

    @property
    def tuned(self) -> dict[str, str]:
        """The variables that make it fast; those of whoever runs it come first."""
        return _TUNED | ({"GOMEMLIMIT": f"{heap_mebibytes(self.size)}MiB"} if self.size else {})

    def environment(self, project: str) -> dict[str, str]:
        """The variables that confine it."""
        if not self.confined:
            return {}
        return (
            targets.variable(self.stack, project, self.tenants)
            if self.tenants
            else targets.provider(self.stack, project)
        )

    def command(self, verb: Verb) -> list[str]:
        """The plain command."""
        options = ["--yes", "--skip-preview", "--continue-on-error"] if verb == "up" else ["--diff"]
        refresh = [] if self.refresh else ["--refresh=false"]
        return ["pulumi", verb, "--stack", self.stack, *options, *refresh]

    def line(self, verb: Verb, project: str) -> str:
        """The same as a line for a shell."""
        variables = [f"{name}={shlex.quote(value)}" for name, value in self.environment(project).items()]
        return " ".join([*variables, shlex.join(self.command(verb))])


@dataclass
class Outcome:
    """How a run ended."""

    run: Run
    code: int = 0
    seconds: float = 0.0
    changes: dict[str, int] = field(default_factory=dict)
    """Resources by what happened to them, in Pulumi's words: create, update, delete, same ..."""
    failed: dict[str, list[str]] = field(default_factory=dict)
    """Why, by tenant."""
    problems: list[str] = field(default_factory=list)
    """What went wrong with no tenant in particular."""
    output: str = ""
    """What Pulumi printed."""
    stopped: bool = False
    """It was told to stop before its end."""

    @property
    def succeeded(self) -> bool:
        """Whether all was done."""
        return self.code == 0

    def note(self, event: Mapping[str, Any]) -> str:
        """Take note of an event of the engine (sdk/go/common/apitype/events.go); returns whose resource is done."""
        if found := event.get("diagnosticEvent"):
            if found["severity"] == "error":
                self._fail(found.get("urn", ""), found["message"])
        elif found := event.get("resOpFailedEvent"):
            # Its reason comes as a diagnostic of its own.
            if tenant := targets.tenant(found["metadata"]["urn"]):
                self.failed.setdefault(tenant, [])
        elif found := event.get("summaryEvent"):
            self.changes = found.get("resourceChanges") or {}
        elif found := event.get("resOutputsEvent"):
            return targets.tenant(found["metadata"]["urn"]) or ""
        return ""

    def _fail(self, urn: str, message: str) -> None:
        reason = " ".join(message.removeprefix("<{%reset%}>").replace("<{%reset%}>", "").split())
        tenant = targets.tenant(urn)
        said = self.failed.setdefault(tenant, []) if tenant else self.problems
        if reason and reason not in said and not reason.startswith("update failed"):
            said.append(reason)


class Runner:
    """Runs Pulumi for a project, several stacks at once if asked, and stops it cleanly."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self.stopping = False

    def execute(self, run: Run, verb: Verb, progress: Callable[[str], None] = lambda _: None) -> Outcome:
        """Run it to its end.

        Args:
            run: what.
            verb: whether to do it or just to show it.
            progress: is told the tenant of each resource that is done.

        Raises:
            EngineError: Pulumi can't be run.
        """
        outcome = Outcome(run)
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="siteforge-") as folder:
            log, home = Path(folder) / "events", Path(folder) / "home"
            home.mkdir()
            process = self._start(run, verb, log, engine_log.without(home))
            reader = threading.Thread(target=lambda: outcome.__setattr__("output", _read(process.stdout)), daemon=True)
            reader.start()
            try:
                for event in _events(log, process):
                    if tenant := outcome.note(event):
                        progress(tenant)
                outcome.code = process.wait()
                reader.join()
            finally:
                with self._lock:
                    self._running.discard(process)
        outcome.seconds, outcome.stopped = time.monotonic() - started, self.stopping
        if outcome.code and not outcome.failed and not outcome.problems:
            outcome.problems = outcome.output.strip().splitlines()[-_LAST_LINES:]
        return outcome

    def stop(self) -> None:
        """Ask every run to stop after the operations that are under way, as Ctrl-C does; a second time, end them."""
        with self._lock:
            for process in self._running:
                if self.stopping:
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.send_signal(signal.SIGINT)
            self.stopping = True

    def _start(self, run: Run, verb: Verb, log: Path, quiet: Mapping[str, str]) -> "subprocess.Popen[str]":
        # The engine's events, as Pulumi's own Automation API gets them.
        events = {"PULUMI_DEBUG_COMMANDS": "true"}
        environment = {**run.tuned, **os.environ, **quiet, **events, **run.environment(self._project.name)}
        if not run.confined:
            environment.pop(targets.VARIABLE, None)
        terse = ["--suppress-outputs", "--suppress-progress"]
        command = [*run.command(verb), "--non-interactive", "--color=never", *terse, "--event-log", str(log)]
        with self._lock:
            if self.stopping:
                raise EngineError(f"stopped before {run.stack} was begun")
            try:
                process = subprocess.Popen(
                    command,
                    cwd=self._project.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    # Of its own, so that Ctrl-C reaches it once, from `stop`.
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise EngineError('pulumi is not on PATH - install it, or run `eval "$(make -s env)"`') from None
            self._running.add(process)
        return process


def _read(stream: "IO[str] | None") -> str:
    return stream.read() if stream else ""


def _events(log: Path, process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """The events of a run while it writes them, until it ends."""
    while process.poll() is None and not log.exists():
        time.sleep(_POLL_SECONDS)
    if not log.exists():
        return
    with log.open(encoding="utf-8") as file:
        rest = ""
        while True:
            ended = process.poll() is not None
            rest += file.read()
            *lines, rest = rest.split("\n")
            yield from (event(line) for line in lines if line)
            if ended:
                return
            time.sleep(_POLL_SECONDS)


def event(line: str) -> dict[str, Any]:
    """An event without the states of its resource: nobody here asks for them, and they are most of the log."""
    if found := _OF_A_RESOURCE.match(line):
        kind, urn = found.groups()
        return {kind: {"metadata": {"urn": urn}}}
    event: dict[str, Any] = json.loads(line)
    return event
