"""Keeps the engine from writing a log of its own of every run.

The engine writes each property of each resource that it handles into a compressed file in the folder `logs` of its
home, asked for or not: nearly half of its work (the knob `engine-log` of `make bench`). It has no setting for that, and
goes on without where the folder can't be made (cmd/pulumi/pulumi.go and logging/encrypted.go of pulumi/pkg). So a run
gets a home of its own, which leads to all of the user's but that folder.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "SITEFORGE_ENGINE_LOG"
"""Set to anything, it is written, where `pulumi logs` finds it."""

_HOME = "PULUMI_HOME"
_LOGS = "logs"
_FILLED = ("plugins", "workspaces")
"""Folders that a run may add to: what it adds shall stay."""


def without(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables with which a run writes no such log.

    Args:
        folder: an empty one, which lives as long as the run.
        environment: that of whoever runs it.
    """
    home = Path(environment.get(_HOME) or Path.home() / ".pulumi")
    if environment.get(VARIABLE) or not home.is_dir():
        return {}
    with contextlib.suppress(OSError):
        for name in _FILLED:
            (home / name).mkdir(mode=0o700, exist_ok=True)
    for entry in home.resolve().iterdir():
        if entry.name != _LOGS:
            (folder / entry.name).symlink_to(entry)
    # Not a folder, and none can be made of it.
    (folder / _LOGS).touch()
    return {_HOME: str(folder)}
