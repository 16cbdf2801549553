"""Steps that take time: each prints what it does, how long it has run, and where its log is."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_HEARTBEAT_SECONDS = 15.0
_TAIL_LINES = 20


class Failure(Exception):
    """Something the person at the keyboard has to know: what went wrong and what to do about it.

    `python3 -m local` prints it as `error: <message>` and, below, `fix: <fix>`; never as a traceback.
    """

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


def say(text: str) -> None:
    """Print one line of progress on standard error, which keeps standard output for results."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, repeat its elapsed time while it runs, and close with the time it took."""
    started = time.monotonic()
    finished = threading.Event()

    def beat() -> None:
        while not finished.wait(_HEARTBEAT_SECONDS):
            say(f"    {title}: {time.monotonic() - started:.0f} s so far")

    say(f"==> {title}")
    heartbeat = threading.Thread(target=beat, daemon=True)
    heartbeat.start()
    outcome = "failed after"
    try:
        yield
        outcome = "done in"
    finally:
        finished.set()
        heartbeat.join()
        say(f"    {title}: {outcome} {time.monotonic() - started:.1f} s")


def run(
    argv: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
) -> None:
    """Run a command to its end with all its output appended to `log`.

    Raises:
        Failure: the command is missing or exits non-zero; the message ends with the log's last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(part) for part in argv]
    with log.open("ab") as sink:
        sink.write(f"$ {' '.join(command)}\n".encode())
        sink.flush()
        try:
            done = subprocess.run(
                command, cwd=cwd, env=env, input=stdin, stdout=sink, stderr=subprocess.STDOUT, check=False
            )
        except FileNotFoundError as error:
            raise Failure(f"{command[0]} is not installed") from error
    if done.returncode != 0:
        tail = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        raise Failure(
            f"{command[0]} exited with {done.returncode}; its last lines:\n  " + "\n  ".join(tail),
            fix=f"the whole log is {log}",
        )
