"""A recording of a terminal: commands as a person types them, and what they print. `make recording` writes it.

`docs/recording.cast` is for asciinema's players (docs.asciinema.org/manual/asciicast/v2), `docs/recording.svg` what the
terminal shows at the end. Needs a cluster that is up, and runs in the Python environment, which has rich.
"""

import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from local import workspace
from local.paths import PROJECT

COLUMNS, ROWS = 120, 36
COMMANDS = (
    "siteforge validate",
    "siteforge status",
    "kubectl scale deployment/wordpress --namespace blog-aku --replicas 2",
    "siteforge drift",
    "siteforge up --drifted",
    "siteforge status",
)

_PROMPT = "\x1b[1;32m$\x1b[0m "
_KEY_SECONDS = 0.03
_PAUSE_SECONDS = 1.0
"""Between commands, and for which any longer wait stands: nobody watches a bar for a minute."""
_PIECE_BYTES = 65536


@dataclass(frozen=True)
class Event:
    """What appeared, and when."""

    seconds: float
    text: str


def record(commands: Sequence[str], environment: Mapping[str, str], folder: Path = PROJECT) -> list[Event]:
    """Run commands on a terminal of their own, each as if it were typed.

    Args:
        commands: lines for a shell.
        environment: its variables.
        folder: where it runs.

    Raises:
        subprocess.CalledProcessError: one exits with another code than 0, but for `siteforge drift`, which tells so
            what it found.
    """
    now, events = 0.0, []
    for command in commands:
        events.append(Event(now, _PROMPT))
        for key in command:
            now += _KEY_SECONDS
            events.append(Event(now, key))
        events.append(Event(now, "\r\n"))
        for waited, text in _run(command, environment, folder):
            now += min(waited, _PAUSE_SECONDS)
            events.append(Event(now, text))
        now += _PAUSE_SECONDS
    return events


def _run(command: str, environment: Mapping[str, str], folder: Path) -> Iterator[tuple[float, str]]:
    """What a command prints, and how long it took to come."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    variables = {**environment, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
    variables.pop("NO_COLOR", None)
    process = subprocess.Popen(
        ["sh", "-c", command], cwd=folder, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    before, rest = time.monotonic(), b""
    try:
        while True:
            try:
                piece = os.read(ours, _PIECE_BYTES)
            except OSError:  # so Linux says that nobody has the other end any more
                break
            text, rest = _decoded(rest + piece)
            now = time.monotonic()
            yield now - before, text
            before = now
    finally:
        os.close(ours)
    code = process.wait()
    if code not in ((0, 3) if "drift" in command else (0,)):
        raise subprocess.CalledProcessError(code, command)


def _decoded(content: bytes) -> tuple[str, bytes]:
    """The text, and the bytes at its end that are not a whole character yet."""
    for length in range(len(content), max(len(content) - 4, -1), -1):
        try:
            return content[:length].decode(), content[length:]
        except UnicodeDecodeError:
            continue
    return content.decode(errors="replace"), b""


def cast(events: Sequence[Event]) -> str:
    """The recording as asciinema's players read it."""
    header = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "Siteforge", "env": {"TERM": "xterm-256color"}}
    lines = [header, *([round(event.seconds, 3), "o", event.text] for event in events)]
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def picture(events: Sequence[Event]) -> str:
    """What the terminal shows at the end, as an SVG image; lines that were written again and again once."""
    lines = "".join(event.text for event in events).replace("\r\n", "\n").split("\n")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line.rpartition("\r")[2]), soft_wrap=True)
    return console.export_svg(title="Siteforge", unique_id="siteforge")


def main() -> None:
    """Record the usual commands, and write both files."""
    events = record(COMMANDS, workspace.environment(os.environ))
    (PROJECT / "docs" / "recording.cast").write_text(cast(events), encoding="utf-8")
    (PROJECT / "docs" / "recording.svg").write_text(picture(events), encoding="utf-8")


if __name__ == "__main__":
    main()
