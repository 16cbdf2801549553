"""Faults of a run of Pulumi: one of its processes is killed in the middle."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psutil
import pytest

from local import workspace
from siteforge.fleet.leftovers import leftovers
from tests.support.commands import run
from tests.support.stack import ROOT, Stack

Victim = Literal["engine", "provider", "program"]

THOROUGH = "SITEFORGE_FAULT_SEEDS" in os.environ
"""Whether this is `make test-faults`, which takes its time."""

SEEDS = int(os.environ.get("SITEFORGE_FAULT_SEEDS", "1"))
"""How many random moments each test of kills tries."""

ALSO_IN_TEST = [pytest.mark.faults] if THOROUGH else []
"""Marks what `make test` runs as well, with one random moment."""

_NAMES = {"engine": "pulumi", "provider": "pulumi-resource-kubernetes"}
_EXIT_SECONDS = 90.0


class Up:
    """A `pulumi up` that runs in the background."""

    def __init__(self, stack: Stack, *arguments: str, **environment: str) -> None:
        self.stack = stack
        command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--suppress-progress", *arguments]
        # A file and no pipe: the processes that outlive the engine would keep that open.
        self._log = stack.folder / f"up-{time.time_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=stack.folder,
                env=workspace.environment(os.environ) | stack.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._log.read_text(errors="replace")

    def kill(self, victim: Victim) -> bool:
        """Kill one of its processes with SIGKILL, as soon as there is one; returns whether there was before the end."""
        while self.process.poll() is None:
            if self._kill(victim):
                return True
            time.sleep(0.02)
        return False

    def _kill(self, victim: Victim) -> bool:
        killed = False
        for process in [psutil.Process(self.process.pid), *_descendants(self.process.pid)]:
            try:
                words = process.cmdline()
                name = Path(words[0]).name if words else ""
                if name == _NAMES.get(victim) or (victim == "program" and "pulumi-language-python-exec" in str(words)):
                    process.kill()
                    killed = True
            except psutil.NoSuchProcess:
                continue
        return killed

    def wait(self, seconds: float = _EXIT_SECONDS) -> int:
        """Wait until the engine is gone; returns its exit code."""
        return self.process.wait(timeout=seconds)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@contextmanager
def running(stack: Stack, *arguments: str, **environment: str) -> Iterator[Up]:
    """A `pulumi up`, of which nothing is left after the block."""
    up = Up(stack, *arguments, **environment)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            os.killpg(up.process.pid, signal.SIGKILL)
            up.process.wait()


def recover(stack: Stack, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """`siteforge recover` on a stack."""
    program = str(ROOT / ".venv" / "bin" / "siteforge")
    command = [program, "recover", "--stack", stack.name, *arguments]
    return run(command, cwd=stack.folder, env=stack.environment, check=check)


def left_behind(stack: Stack) -> list[str]:
    """What a recovery must not leave: processes of dead runs and locks."""
    processes = [str(process) for process in leftovers(stack.folder, stack.name)]
    locks = (stack.folder / "state" / ".pulumi" / "locks").rglob("*.json")
    return [*processes, *map(str, locks)]
