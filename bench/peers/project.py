"""What the peers that are Pulumi programs share: a project folder with a stack and a backend of its own."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from bench import fleet as fleets
from bench.peers.peer import Command, Peer
from local import virtualenv

_STACK = "bench"


class Project(Peer):
    """A Pulumi project with one stack in a file backend."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Backend, passphrase and secret of its own."""
        return {
            "PULUMI_BACKEND_URL": f"file://{self.backend}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.home / "passphrase"),
            "SITEFORGE_SECRET_FILE": str(self.home / "secret"),
        }

    @property
    def backend(self) -> Path:
        """The folder of Pulumi's state."""
        return self.home / "state"

    def _make(self, program: Path) -> None:
        """Copy a program (a folder with Pulumi.yaml and __main__.py), and make its stack."""
        self.backend.mkdir()
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(program / name, self.home)
        project = self.home / "Pulumi.yaml"
        project.write_text(project.read_text().replace("virtualenv: .venv", f"virtualenv: {virtualenv.FOLDER}"))
        for name in ("passphrase", "secret"):
            (self.home / name).write_text(fleets.SECRET)
        self._run("pulumi", "stack", "init", _STACK, "--non-interactive")

    def _pulumi(self, *arguments: str) -> Command:
        return Command(("pulumi", *arguments, "--non-interactive", "--color=never"), self.home)
