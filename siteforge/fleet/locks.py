"""Who holds a stack: the locks of Pulumi's file backend, and whether their holders still run.

An engine that is killed leaves its lock. Pulumi's own `cancel` removes every lock, those of living engines
too; two engines at once would each save a state that knows nothing of the other's work.
"""

import json
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psutil

Holder = Literal["running", "gone", "elsewhere", "unknown"]

_TOLD = re.compile(
    r"(\S+): created by (\S+)@(\S+) \(pid (\d+)\) at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d))"
)

_CLOCK_SECONDS = 2.0
"""How much later than its own start an engine may seem to lock: the system's clock ticks in hundredths."""


@dataclass(frozen=True)
class Lock:
    """A lock, as the engine that made it describes itself (pkg/backend/diy/lock.go in Pulumi's source)."""

    path: Path
    user: str
    host: str
    pid: int
    since: datetime

    def __str__(self) -> str:
        if not self.pid:
            return f"an unreadable lock, {self.path}"
        return f"{self.user}@{self.host}, process {self.pid}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"

    def holder(self) -> Holder:
        """What is known of who holds it: another machine's processes can't be seen from here."""
        if not self.pid:
            return "unknown"
        if self.host != socket.gethostname():
            return "elsewhere"
        return "running" if _runs(self.pid, self.since) else "gone"


def locks(backend: Path, project: str, stack: str) -> list[Lock]:
    """The locks of a stack; more than one only while two engines find out who was first.

    Args:
        backend: the folder of the file backend, in which `.pulumi` is.
        project: the project's name.
        stack: the stack's name.
    """
    folder = backend / ".pulumi" / "locks" / "organization" / project / stack
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def told(said: str) -> list[Lock]:
    """The locks that Pulumi names when it refuses to run, whatever its backend is (pkg/backend/diy/lock.go)."""
    return [
        Lock(Path(path), user, host, int(pid), datetime.fromisoformat(since).astimezone(UTC))
        for path, user, host, pid, since in _TOLD.findall(said)
    ]


def _read(path: Path) -> Lock:
    try:
        said = json.loads(path.read_bytes())
        # Go writes nanoseconds, of which Python reads six digits.
        since = datetime.fromisoformat(said["timestamp"]).astimezone(UTC)
        return Lock(path, said["username"], said["hostname"], int(said["pid"]), since)
    except (OSError, ValueError, KeyError, TypeError):
        return Lock(path, "", "", 0, datetime.fromtimestamp(0, UTC))


def _runs(pid: int, since: datetime) -> bool:
    """Whether the process is an engine that was there when the lock was made: numbers are used again."""
    try:
        process = psutil.Process(pid)
        dead = process.status() == psutil.STATUS_ZOMBIE
        late = process.create_time() > since.timestamp() + _CLOCK_SECONDS
        return process.name() == "pulumi" and not dead and not late
    except psutil.NoSuchProcess:
        return False
