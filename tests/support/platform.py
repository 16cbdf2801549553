"""The programs of a clone's cluster and the processes of its pods, as this machine sees them, to be broken."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from local.cluster.layout import Layout, identity
from local.cluster.report import Report, load
from local.cluster.settings import control_group
from tests.support.clone import Clone
from tests.support.waiting import eventually

_RESTART_SECONDS = 90.0
_POLL_SECONDS = 0.05

_HOG = """
import os, sys
group, limit, victim = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(os.path.join(group, "cgroup.procs"), "w") as file:
    file.write(str(os.getpid()))
taken = []
while len(taken) < 2 * limit and os.path.exists(f"/proc/{victim}/exe"):
    taken.append(b"x" * 1048576)
"""
"""Takes memory in a control group until a process in it is gone.

The kernel prefers the container's own processes: the kubelet gives them a high `oom_score_adj`, and this has none.
"""


class Platform:
    """The cluster of a clone, which has to run."""

    def __init__(self, clone: Clone) -> None:
        self._clone = clone
        state = clone.folder / ".siteforge"
        self._layout = Layout(state, state / "cluster" / "runtime")
        self._groups = Path("/sys/fs/cgroup/memory" + control_group(identity(state)))

    def processes(self) -> list[int]:
        """Every process of the cluster's PID namespace, the pods' included."""
        own = _namespace(self.supervisor)
        assert own not in ("", _namespace(os.getpid()))
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in found if _namespace(pid) == own]

    @property
    def supervisor(self) -> int:
        """The process that starts the others, and starts again what dies."""
        return self._report().supervisor.pid

    def kill(self, program: str, number: int = signal.SIGKILL) -> None:
        """Send a program a signal, and wait until the supervisor has started it again and all are ready."""
        before = self._report().programs[program].restarts
        self._signal(program, number)
        self.await_restart(program, before)

    def await_restart(self, program: str, before: int) -> None:
        """Wait until a program was started more often than `before`, and all are ready."""

        def ready() -> bool:
            report = self._report()
            return report.programs[program].restarts > before and report.phase == "ready"

        eventually(f"{program} to be started again", ready, seconds=_RESTART_SECONDS)

    @contextlib.contextmanager
    def without(self, program: str) -> Iterator[None]:
        """A program is down for as long as the block runs: whenever it is started again, it is killed again."""
        before, stop = self._report().programs[program].restarts, threading.Event()

        def kill() -> None:
            while not stop.wait(_POLL_SECONDS):
                self._signal(program, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        try:
            yield
        finally:
            stop.set()
            killer.join()
        self.await_restart(program, before)

    def exhaust_memory(self, namespace: str, role: str) -> None:
        """Take so much memory in the control group of a role's container that the kernel kills what runs in it."""
        label = f"app.kubernetes.io/name={role}"
        path = "jsonpath={.items[0].status.containerStatuses[0].containerID}"
        container = self._clone.kubectl("get", "pods", "-n", namespace, "-l", label, "-o", path).rpartition("/")[2]
        (group,) = self._groups.rglob(container)
        limit = int((group / "memory.limit_in_bytes").read_text()) // 1024**2
        first = (group / "cgroup.procs").read_text().split()[0]
        subprocess.run([sys.executable, "-c", _HOG, str(group), str(limit), first], check=False, timeout=60)

    def mount(self, folder: str, mebibytes: int) -> None:
        """Mount a small file system at a folder of the node's, which is made; it is gone with the cluster."""
        self.inside("mkdir", "--parents", folder)
        self.inside("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=777", "small", folder)

    def inside(self, *command: str) -> None:
        """Run a command as the node's programs see files."""
        enter = ["nsenter", f"--target={self.supervisor}", "--mount", "--", *command]
        subprocess.run(enter, check=True, timeout=60)

    def _signal(self, program: str, number: int) -> None:
        inner = self._report().programs[program].pid
        for pid in self.processes() if inner else ():
            if _number_inside(pid) == inner:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def _report(self) -> Report:
        found = load(self._layout)
        assert found is not None, "the cluster does not run"
        return found


def name(pid: int) -> str:
    """A process's program; empty if it ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def _number_inside(pid: int) -> int:
    """A process's number in its own PID namespace; 0 if it ended meanwhile."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^NSpid:.*\b(\d+)$", status, re.MULTILINE)
    return int(found[1]) if found else 0
