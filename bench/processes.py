"""Which program of a command's took what, from /proc: sampled, and so short of what each does after its last sample."""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_INTERPRETERS = ("python", "sh", "bash")


@dataclass
class Program:
    """All processes of one program.

    Args:
        processes: how many there were.
        cpu_seconds: user and system time of all.
        peak_bytes: the most resident memory of one of them.
    """

    processes: int = 0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass
class _Process:
    name: str
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


class Programs:
    """What is known of processes, dead ones too."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], _Process] = {}

    def sample(self, pids: Iterable[int]) -> int:
        """Look at processes, and return their resident bytes; one that has ended stays as it was seen last."""
        resident = 0
        for pid in pids:
            with contextlib.suppress(OSError, ValueError, IndexError):
                folder = Path("/proc", str(pid))
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                # Fields 14, 15, 22 and 24 of proc_pid_stat(5), counted from the third. A process may become another
                # program (execve), and what has ended has no arguments.
                one = self._seen.setdefault((pid, fields[19]), _Process(""))
                one.name = name((folder / "cmdline").read_text().split("\0")) or one.name
                one.cpu_seconds = (int(fields[11]) + int(fields[12])) / _TICKS
                one.peak_bytes = max(one.peak_bytes, own := int(fields[21]) * _PAGE)
                resident += own
        return resident

    def by_name(self) -> dict[str, Program]:
        """The programs, the one that took most first."""
        found: dict[str, Program] = {}
        for one in self._seen.values():
            program = found.setdefault(one.name or "?", Program())
            program.processes += 1
            program.cpu_seconds = round(program.cpu_seconds + one.cpu_seconds, 2)
            program.peak_bytes = max(program.peak_bytes, one.peak_bytes)
        return dict(sorted(found.items(), key=lambda item: -item[1].cpu_seconds))


def name(argv: list[str]) -> str:
    """What people call a program: of an interpreter, the script or module that it runs."""
    program, *rest = (Path(word).name for word in argv)
    words = [word for word in rest if word and word != "-m"]
    return words[0] if words and program.rstrip("0123456789.") in _INTERPRETERS else program
