"""Where the local platform keeps things: one folder in this clone, one cache of the user's."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
"""The root of this clone."""

STATE = Path(os.environ.get("SITEFORGE_STATE") or PROJECT / ".siteforge").absolute()
"""All that belongs to this clone alone: cluster data, Pulumi state, passphrase, logs. Git ignores it.

`SITEFORGE_STATE` names another folder, for a second cluster beside the clone's, as the benchmarks have.
"""

LOGS = STATE / "logs"
"""The output of every long step, one file each."""


def cache() -> Path:
    """The user's cache folder, shared by all clones: built programs, images, Go's own caches.

    `SITEFORGE_CACHE` overrides it; else `$XDG_CACHE_HOME/siteforge` or `~/.cache/siteforge`.
    """
    if override := os.environ.get("SITEFORGE_CACHE"):
        return Path(override).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "siteforge"
