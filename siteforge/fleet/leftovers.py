"""What a killed run leaves running: its language host, its Python program, its provider.

Each is in a process group of its own, so that Ctrl-C reaches the engine alone. When the engine is killed they
live on for minutes, and the provider goes on with what it was told to make.
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

ENGINE = "pulumi"

_PLUGIN = re.compile("pulumi-(language|resource|analyzer)-")
_PROGRAM = "pulumi-language-python-exec"
_GRACE_SECONDS = 5.0


def leftovers(folder: Path, stack: str) -> list[psutil.Process]:
    """The processes that dead runs of a stack left.

    They are those of Pulumi's plugins that work in the project's folder and have no engine above them. One of
    another stack of the same project counts only if nothing tells which stack it worked for.

    Args:
        folder: the project's folder.
        stack: the stack's name.
    """
    found: dict[psutil.Process, list[str]] = {}
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and _orphaned(process, folder):
                found[process] = process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    others = {_after(words, "--engine") for words in found.values() if _after(words, "--stack") not in (stack, "")}
    return [process for process, words in found.items() if _engine(words) not in others]


def describe(process: psutil.Process) -> str:
    """What it is, and its number."""
    try:
        words = process.cmdline()
        what = "the Python program" if _program(words) else Path(words[0]).name
    except (psutil.NoSuchProcess, psutil.AccessDenied, IndexError):
        what = "a process"
    return f"{what} ({process.pid})"


def end(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """End them, by force where they don't go by themselves; returns those that are still there."""
    processes = list(processes)
    for process in processes:
        _send(process.terminate)
    _, alive = psutil.wait_procs(processes, timeout=_GRACE_SECONDS)
    for process in alive:
        _send(process.kill)
    return list(psutil.wait_procs(alive, timeout=_GRACE_SECONDS)[1])


def _send(signal: Callable[[], None]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        signal()


def _orphaned(process: psutil.Process, folder: Path) -> bool:
    words = process.cmdline()
    if not words or not (_PLUGIN.match(Path(words[0]).name) or _program(words)):
        return False
    return Path(process.cwd()) == folder and not any(parent.name() == ENGINE for parent in _living(process.parents()))


def _living(processes: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    return (process for process in processes if process.status() != psutil.STATUS_ZOMBIE)


def _program(words: list[str]) -> bool:
    return any(Path(word).name == _PROGRAM for word in words[1:2])


def _engine(words: list[str]) -> str:
    """The address of the engine that it worked for."""
    return _after(words, "--engine") or words[-1]


def _after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1] if option in words[:-1] else ""
