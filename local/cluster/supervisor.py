"""The supervisor of a cluster: starts its programs in order, starts again what dies, and ends them all.

`start` runs it as `python3 -m local.cluster.supervisor <state folder>`: for a real cluster as the first process of
fresh namespaces, so that whatever ends it ends every process of the cluster, and nothing else.
"""

import contextlib
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from local.cluster import machine, report, settings
from local.cluster.layout import MEBIBYTE, Layout, inside
from local.cluster.processes import Process, table
from local.steps import Failure, say

_TICK_SECONDS = 0.05
_IDLE_SECONDS = 5.0
_BACKOFF_SECONDS = (0.2, 1.0, 2.0, 5.0, 10.0)
_STABLE_SECONDS = 30.0
_POD_SECONDS = 25.0
_ASK_SECONDS = 1.0
_PROGRAM_SECONDS = 10.0
_OPEN_FILES = 1024 * 1024
_LOG_BYTES = 8 * MEBIBYTE
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def backoff(failures: int) -> float:
    """Seconds to wait before a program is started again that has died `failures` times in a row."""
    return _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS)) - 1] if failures else 0.0


def block_signals() -> set[int]:
    """Keep the signals that `Supervisor.run` waits for from interrupting anything else; returns the former mask."""
    return {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)}


def unblock_signals(mask: set[int]) -> None:
    """Restore the mask that `block_signals` returned."""
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class Supervisor:
    """Runs the programs of one table until it is told to stop.

    Args:
        layout: the folders as the programs see them; the working folder is the runtime folder.
        rows: the table.
        own: the report to keep up to date.
        prefix: put before each command line.
    """

    def __init__(self, layout: Layout, rows: tuple[Process, ...], own: report.Report, prefix: tuple[str, ...]) -> None:
        self._layout = layout
        self._rows = {row.name: row for row in rows}
        self._report = own
        self._prefix = prefix
        self._failures = dict.fromkeys(self._rows, 0)
        self._ended: set[str] = set()
        own.programs = {name: report.Status() for name in self._rows}
        runtime = str(layout.runtime)
        self._environment = _ENVIRONMENT | {"HOME": runtime, "TMPDIR": f"{runtime}/tmp"}

    def run(self, wanted: Callable[[], bool]) -> None:
        """Start everything and keep it up; returns when SIGTERM or SIGINT asks to end, or `wanted` says no."""
        self._tell()
        while wanted():
            changed = self._start_what_can() | self._check_what_starts()
            ready = all(status.ready for status in self._report.programs.values())
            phase = "ready" if ready else "starting"
            # Nobody could stop us without the report: if someone damaged it, it is written anew.
            if changed or phase != self._report.phase or (ready and report.load(self._layout) != self._report):
                self._report.phase = phase
                self._tell()
            received = signal.sigtimedwait(_SIGNALS, _IDLE_SECONDS if ready else _TICK_SECONDS)
            self._reap()
            self._trim_logs()
            if received is not None and received.si_signo != signal.SIGCHLD:
                return

    def stop(self) -> None:
        """End what runs as a machine does that is shut down: first the pods, then the programs in reverse order."""
        self._report.phase = "stopping"
        self._tell()
        self._end([name for name in ("kubelet", "kube-controller-manager", "kube-scheduler") if name in self._rows])
        if os.getpid() == 1:
            # Only as the first process of a PID namespace all containers in sight are the cluster's own.
            _end_pods()
        for name in reversed(self._rows):
            self._end([name])
        self._tell()

    def _tell(self) -> None:
        try:
            report.save(self._layout, self._report)
        except OSError as error:
            # A full disk, say: no reason to end the cluster, as the end of this process would.
            say(f"the report can't be written: {error}")

    def _start_what_can(self) -> bool:
        started = False
        for name, row in self._rows.items():
            status = self._report.programs[name]
            due = time.time() >= status.since + backoff(self._failures[name])
            if status.pid or name in self._ended or not due:
                continue
            if all(self._report.programs[other].ready for other in row.after):
                status.restarts += 1 if status.since else 0
                status.pid, status.since = self._spawn(row), time.time()
                self._failures[name] += 0 if status.pid else 1
                started = True
        return started

    def _check_what_starts(self) -> bool:
        changed = False
        for name, row in self._rows.items():
            status = self._report.programs[name]
            if not status.ready and not row.once and status.pid and row.ready():
                status.ready = changed = True
                say(f"{name} ready after {time.time() - status.since:.1f} s")
        return changed

    def _spawn(self, row: Process) -> int:
        """Start a program; returns its pid, or 0 if it can't be started, as when the cache was removed."""
        log = self._layout.logs / f"{row.name}.log"
        sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            return os.posix_spawn(
                (self._prefix + row.argv)[0],
                self._prefix + row.argv,
                self._environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, sink, 1),
                    (os.POSIX_SPAWN_DUP2, sink, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=_SIGNALS,
            )
        except OSError as error:
            say(f"{row.name} can't be started: {error}")
            return 0
        finally:
            os.close(sink)

    def _trim_logs(self) -> None:
        """Empty each log that grew too long; its last part is kept beside it."""
        for log in self._layout.logs.glob("*.log"):
            with contextlib.suppress(OSError):
                if log.stat().st_size > _LOG_BYTES:
                    shutil.copyfile(log, log.with_suffix(".old"))
                    os.truncate(log, 0)

    def _reap(self) -> None:
        """Take note of every process that ended: programs, and orphans that fell to us as the first process."""
        while True:
            try:
                pid, code = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, status in self._report.programs.items():
                if status.pid == pid:
                    self._note_end(name, os.waitstatus_to_exitcode(code))

    def _note_end(self, name: str, code: int) -> None:
        status = self._report.programs[name]
        lasted = time.time() - status.since
        status.pid, status.since, status.ready = 0, time.time(), False
        if self._rows[name].once and code == 0:
            status.ready = True
            self._ended.add(name)
            return
        self._failures[name] = 1 if lasted > _STABLE_SECONDS else self._failures[name] + 1
        say(f"{name} ended with {code} after {lasted:.1f} s")

    def _end(self, names: list[str]) -> None:
        """End some programs and wait for it; kill those that do not end in time."""
        for number, seconds in ((signal.SIGTERM, _PROGRAM_SECONDS), (signal.SIGKILL, _PROGRAM_SECONDS)):
            running = [name for name in names if self._report.programs[name].pid]
            for name in running:
                os.kill(self._report.programs[name].pid, number)
            deadline = time.monotonic() + seconds
            while any(self._report.programs[name].pid for name in running) and time.monotonic() < deadline:
                signal.sigtimedwait({signal.SIGCHLD}, _TICK_SECONDS)
                self._reap()


def _end_pods() -> None:
    """Ask the first process of every container to end, and wait for those that can hear it within a deadline."""
    deadline = time.monotonic() + _POD_SECONDS
    asked = float("-inf")
    while hearing := [pid for pid in _containers() if _hears_term(pid)]:
        now = time.monotonic()
        if now > deadline:
            return
        if now > asked + _ASK_SECONDS:
            # Again and again: a container that containerd was just making was not there the first time.
            asked = now
            for pid in hearing:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        time.sleep(_TICK_SECONDS)


def _containers() -> list[int]:
    """The first processes of all containers: the living children of containerd's shims."""
    shims: set[int] = set()
    parents: dict[int, int] = {}
    for pid in (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()):
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text()
            start, end = stat.index("("), stat.rindex(")")
            state, parent = stat[end + 2 :].split()[:2]
            if stat[start + 1 : end].startswith("containerd-shim"):
                shims.add(pid)
            elif state != "Z":
                parents[pid] = int(parent)
    return [pid for pid, parent in parents.items() if parent in shims]


def _hears_term(pid: int) -> bool:
    """Whether a container's first process has a handler for SIGTERM; without, the kernel keeps the signal from it."""
    with contextlib.suppress(OSError):
        return catches(Path(f"/proc/{pid}/status").read_text(), signal.SIGTERM)
    return False


def catches(status: str, number: int) -> bool:
    """Whether the text of a `/proc/<pid>/status` says that the process handles signal `number`, see proc(5)."""
    masks = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return bool(int(masks.get("SigCgt", "0").strip(), 16) >> (number - 1) & 1)


def main(state: Path) -> int:
    """Run the cluster whose settings are in `state`; returns the exit code."""
    # Before /proc is that of the namespace, it tells our number as the machine counts.
    identity = report.identify("self")
    known = Layout(state, state / "cluster" / "runtime")
    chosen = settings.load(known)
    if identity is None or chosen is None:
        say("there is no cluster to run: start it by `make up`")
        return 1
    own = report.Report(identity, "starting")
    layout = known if chosen.simulated else inside()
    prefix = ("/usr/bin/setpriv", "--pdeathsig=KILL", "--") if chosen.simulated else ()
    started = time.time()
    block_signals()
    try:
        if not chosen.simulated:
            machine.prepare(state, chosen.control_group)
        lock = layout.home / "supervisor.lock"
        # Not at the first refusal: a command that looks whether it is held holds it for an instant.
        descriptor = report.lock(lock, seconds=1)
        if descriptor is None:
            say("another supervisor of this clone is at work")
            return 1
        report.save(layout, own)
        if not chosen.simulated:
            machine.await_link(chosen.network)
        (layout.runtime / "tmp").mkdir(parents=True, exist_ok=True)
        # A database opens more files than the 1024 that many systems allow at first.
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        os.chdir(layout.runtime)
        supervisor = Supervisor(layout, table(chosen, layout, started), own, prefix)
        supervisor.run(lambda: report.held(lock, descriptor))
        if not report.held(lock, descriptor):
            say("the cluster's folder was removed: nothing is left to run for")
            return 1
        supervisor.stop()
    except Failure as failure:
        own.phase = f"failed: {failure.message}"
        report.save(layout if layout.home.exists() else known, own)
        say(own.phase)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
