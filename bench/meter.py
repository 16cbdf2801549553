"""Runs one command to its end and measures it with all its descendants: `python -m bench.meter`, JSON in and out.

It is a process of its own, so that what it measures is not mixed with the harness: as a "child subreaper"
(prctl(2)) it inherits whatever a tool leaves behind, as Pulumi does its language host, counts that and ends it.
CPU seconds are the kernel's own sums (wait4(2)) and exact; memory is sampled; bytes are counted by `bench.written`.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.processes import Programs
from bench.written import Written

_SAMPLE_SECONDS = 0.2
_GRACE_SECONDS = 2.0
"""What a tool leaves behind may take so long to end by itself."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


@dataclass
class Usage:
    """What a command took.

    Args:
        code: its exit code, negative for a signal.
        seconds: until it ended.
        cpu_seconds: user and system time of it and all its descendants.
        peak_bytes: the most resident memory of all of them together, shared pages counted for each; sampled, but
            never less than the largest one's own peak.
        backend_bytes: the size of every file written below the backend's folder; None without one.
        cut_off: whether it was killed at its deadline.
        programs: what each of its programs took, sampled (`bench.processes`).
    """

    code: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    backend_bytes: int | None = None
    cut_off: bool = False
    programs: dict[str, dict[str, float]] = field(default_factory=dict)


def measure(
    argv: list[str], cwd: Path, environment: Mapping[str, str], log: Path, deadline: float, backend: Path | None
) -> Usage:
    """Run a command, its output appended to `log`, at most `deadline` seconds, and nothing of it stays."""
    usage = Usage()
    _become_reaper()
    wake, signalled = os.pipe()
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    written = Written(backend) if backend else None
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        sink.write(f"$ {' '.join(argv)}\n".encode())
        sink.flush()
        started = time.monotonic()
        process = subprocess.Popen(
            argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )
    ended: float | None = None
    programs = Programs()
    try:
        while True:
            alive = True
            while alive and (found := _reap()) is not None:
                pid, status, used = found
                alive = pid > 0
                if alive:
                    usage.cpu_seconds += used.ru_utime + used.ru_stime
                    usage.peak_bytes = max(usage.peak_bytes, used.ru_maxrss * 1024)
                if pid == process.pid:
                    ended = time.monotonic()
                    usage.seconds = ended - started
                    usage.code = process.returncode = os.waitstatus_to_exitcode(status)
            if found is None:
                break
            now = time.monotonic()
            if ended is None and now > started + deadline:
                usage.cut_off = True
            if usage.cut_off or (ended is not None and now > ended + _GRACE_SECONDS):
                _end(descendants(os.getpid()))
            usage.peak_bytes = max(usage.peak_bytes, programs.sample(descendants(os.getpid())))
            _sleep(wake, written)
    finally:
        _end(descendants(os.getpid()))
    if written:
        usage.backend_bytes = written.close()
    usage.programs = {name: asdict(one) for name, one in programs.by_name().items()}
    return usage


def descendants(root: int) -> list[int]:
    """The processes below `root`, from /proc."""
    below: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = Path(entry.path, "stat").read_text()
                below.setdefault(int(stat[stat.rindex(")") + 2 :].split()[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(below.get(pid, []))
    return found[1:]


def _become_reaper() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    # Should the harness be killed, what it measures goes, too.
    for option, value in ((_PR_SET_CHILD_SUBREAPER, 1), (_PR_SET_PDEATHSIG, signal.SIGTERM)):
        if library.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def _reap() -> tuple[int, int, resource.struct_rusage] | None:
    """A child that ended; pid 0 if none did yet, None if there are no children."""
    try:
        return os.wait4(-1, os.WNOHANG)
    except ChildProcessError:
        return None


def _end(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _sleep(wake: int, written: Written | None) -> None:
    """Until the next sample, or a child's end; files are counted as they are written."""
    until = time.monotonic() + _SAMPLE_SECONDS
    while (left := until - time.monotonic()) > 0:
        ready, _, _ = select.select([wake, *([written.fileno()] if written else [])], [], [], left)
        if written and written.fileno() in ready:
            written.count()
        if wake in ready:
            os.read(wake, 4096)
            return


def main() -> None:
    """One request from standard input: the arguments of `measure`."""
    request: dict[str, Any] = json.load(sys.stdin)
    usage = measure(
        request["argv"],
        Path(request["cwd"]),
        request["environment"],
        Path(request["log"]),
        request["deadline"],
        Path(request["backend"]) if request["backend"] else None,
    )
    json.dump(asdict(usage), sys.stdout)


if __name__ == "__main__":
    main()
