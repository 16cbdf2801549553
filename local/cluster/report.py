"""What the supervisor tells about itself: which process it is, and how each of its programs is doing."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local.cluster.layout import Layout
from local.cluster.settings import write

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Identity:
    """A process, told from a later one with the same number by the time at which it started.

    Args:
        pid: its number, as the machine counts.
        started: its start in clock ticks since the machine's boot.
    """

    pid: int
    started: int


@dataclass
class Status:
    """How one program is doing.

    Args:
        pid: its number inside the cluster's PID namespace; 0 when it does not run.
        since: Unix time of its last start or end; 0 before its first start.
        restarts: how often it died and was started again.
        ready: whether its check was passed since its last start.
    """

    pid: int = 0
    since: float = 0.0
    restarts: int = 0
    ready: bool = False


@dataclass
class Report:
    """What the supervisor wrote last.

    Args:
        supervisor: its own process.
        phase: `starting` (also while something that died is started again), `ready`, `stopping` or `failed: ...`.
        programs: by name, in the order of their table.
    """

    supervisor: Identity
    phase: str
    programs: dict[str, Status] = field(default_factory=dict)


def parse_start(stat: str) -> int:
    """The start time in the text of a `/proc/<pid>/stat`: field 22 of proc(5), counted after the program's name."""
    return int(stat[stat.rindex(")") + 1 :].split()[19])


def identify(process: str | int) -> Identity | None:
    """The identity of a process by its number or `self`; None if there is none, or only its exit code is left.

    `self` gives the number of the PID namespace for which /proc was mounted.
    """
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state = stat[stat.rindex(")") + 2]
    return None if state in "ZX" else Identity(int(stat.split()[0]), parse_start(stat))


def save(layout: Layout, report: Report) -> None:
    """Publish `report`."""
    write(layout.report, json.dumps(asdict(report), indent=1) + "\n")


def load(layout: Layout) -> Report | None:
    """The last report, or None if there is none that makes sense."""
    try:
        found = json.loads(layout.report.read_text())
        programs = {name: Status(**status) for name, status in found["programs"].items()}
        return Report(Identity(**found["supervisor"]), found["phase"], programs)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def alive(report: Report | None) -> bool:
    """Whether the supervisor that wrote `report` still runs: that very process, not a later one with its number."""
    return report is not None and identify(report.supervisor.pid) == report.supervisor


def held(path: Path, descriptor: int) -> bool:
    """Whether the lock `descriptor` is still that of the file at `path`, which may have been removed."""
    try:
        there, ours = path.stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock at `path`."""
    if not path.exists():
        return False
    descriptor = lock(path, seconds=0)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def lock(path: Path, seconds: float = float("inf")) -> int | None:
    """Hold `path` as a lock until the returned descriptor is closed or this process ends, however it ends.

    Args:
        seconds: how long to wait for another holder; None is returned if it still has it then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(_POLL_SECONDS)
        else:
            return descriptor
