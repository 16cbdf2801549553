"""A clone of this repository, used as a new user uses it."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.stack import ROOT


class Clone:
    """A clone of this repository, with what is not committed yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("clone", "--quiet", str(ROOT), str(folder), cwd=ROOT)
        listed = self.git("ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT)
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self.git("add", "--all")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=cwd or self.folder, check=True, capture_output=True, text=True).stdout

    def shell(self, script: str, *, deadline: float = 600) -> str:
        """What a script prints to a user who has nothing prepared in the shell."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "KUBE"))}
        command = ["bash", "-euc", script]
        done = subprocess.run(
            command, cwd=self.folder, env=clean, capture_output=True, text=True, timeout=deadline, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
