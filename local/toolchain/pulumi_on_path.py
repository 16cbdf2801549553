"""A Pulumi that the user has already: used instead of building one, if it serves."""

import os
import re
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from local.paths import cache
from local.toolchain import versions
from local.toolchain.links import BIN

_LANGUAGE_HOST = "pulumi-language-python"
_VERSION_SECONDS = 30.0


def objection(version: str, neighbours: Collection[str], minimum: str = versions.PULUMI) -> str | None:
    """Why a Pulumi cannot be used, or None if it can.

    Args:
        version: what `pulumi version` prints, for example `v3.259.0`.
        neighbours: the names of the files in its folder.
        minimum: the oldest version that serves. Another major version never does.
    """
    match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)(-.+)?(\+.+)?", version.strip())
    if match is None:
        return f"its version is not readable: {version.strip()!r}"
    found = (int(match[1]), int(match[2]), int(match[3]))
    oldest = tuple(int(part) for part in minimum.split("."))
    if found[0] != oldest[0]:
        return f"it is {version.strip()}, and Pulumi {oldest[0]} is needed"
    if found < oldest or (found == oldest and match[4]):
        return f"it is {version.strip()}, older than {minimum}"
    if _LANGUAGE_HOST not in neighbours:
        return f"its language host {_LANGUAGE_HOST} is not beside it"
    return None


def find() -> tuple[Path | None, str | None]:
    """The user's Pulumi, if it serves; else None and, where there is one, why it does not."""
    found = _outside_our_folders(os.environ.get("PATH", ""))
    if found is None:
        return None, None
    # Both folders, as the one on PATH is often a link, or a version manager's stand-in.
    neighbours = {entry.name for path in (found, found.resolve()) for entry in path.parent.iterdir()}
    reason = objection(_version(found), neighbours)
    return (None, f"the Pulumi on PATH ({found}) is not used: {reason}") if reason else (found, None)


def _version(pulumi: Path) -> str:
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [pulumi, "version"],
            env=env,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=_VERSION_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout


def _outside_our_folders(path: str) -> Path | None:
    """The first `pulumi` of a PATH that is not one that we built and linked."""
    ours = cache().resolve()
    folders = [part for part in path.split(os.pathsep) if part and Path(part).resolve() != BIN.resolve()]
    found = shutil.which("pulumi", path=os.pathsep.join(folders)) if folders else None
    if found is None or Path(found).resolve().is_relative_to(ours):
        return None
    return Path(found)
