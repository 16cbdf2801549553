"""Running the programs that a user runs, with the environment that `make env` gives."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import workspace

_DEADLINE_SECONDS = 600.0


class CommandError(AssertionError):
    """A command exited otherwise than it should have; the message has all it printed."""


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    check: bool = True,
    deadline: float = _DEADLINE_SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, at most `deadline` seconds."""
    environment = workspace.environment(os.environ) | dict(env or {})
    done = subprocess.run(
        list(command), cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, timeout=deadline
    )
    if check and done.returncode != 0:
        raise CommandError(f"{' '.join(command)} exited with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def kubectl(*arguments: str, check: bool = True, stdin: str = "") -> str:
    """What kubectl prints."""
    return run(["kubectl", *arguments], check=check, stdin=stdin).stdout
