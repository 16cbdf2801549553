"""Running the command `siteforge` as a user does."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("siteforge")


def siteforge(*arguments: str | Path, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, on a terminal of 200 columns."""
    environment = {"PATH": os.environ["PATH"], "COLUMNS": "200", **env}
    return subprocess.run(
        [PROGRAM, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
