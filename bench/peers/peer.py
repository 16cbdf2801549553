"""What a tool has to offer to be compared: a command for each piece of work."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench import platform
from bench.fleet import Fleet
from local import workspace
from local.steps import Failure

_SECONDS = 900


@dataclass(frozen=True)
class Command:
    """What is run and measured.

    Args:
        argv: program and arguments.
        cwd: where.
        codes: the exit codes with which it says that it did its work.
    """

    argv: tuple[str, ...]
    cwd: Path
    codes: frozenset[int] = frozenset({0})


class Peer:
    """A tool, with a folder of its own and the whole cluster for itself.

    A piece of work that is None is one that the tool doesn't offer.

    Args:
        home: an empty folder, where it keeps what it is given and what it remembers.
    """

    name: ClassVar[str]
    """As in BENCH_PEERS."""
    title: ClassVar[str]
    largest: ClassVar[int] = 1000
    """The most tenants it is tried with."""
    reference: ClassVar[bool] = False
    """Whether it has no tenants at all: it is measured once, and nothing has to be ready."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True)

    @property
    def environment(self) -> dict[str, str]:
        """What its commands run with."""
        own = {"KUBECONFIG": str(platform.kubeconfig()), **self.variables}
        return workspace.environment(os.environ) | own

    @property
    def variables(self) -> Mapping[str, str]:
        """What it needs besides."""
        return {}

    @property
    def backend(self) -> Path | None:
        """The folder in which it keeps its state; None if it keeps none, or keeps it in the cluster."""
        return None

    def prepare(self) -> None:
        """Do once, unmeasured, what comes before the first work."""

    def declare(self, fleet: Fleet) -> None:
        """Write down, unmeasured, what there shall be."""

    def create(self) -> Command | None:
        """Make everything that is declared."""
        return None

    def no_op(self) -> Command | None:
        """Do the same again, with nothing to do."""
        return None

    def change_one(self, tenant: str) -> Command | None:
        """Have one tenant as it is declared now, the others being as they were."""
        return None

    def status(self) -> Command | None:
        """Tell how every tenant is, and change nothing."""
        return None

    def drift_check(self) -> Command | None:
        """Compare everything with the cluster, and change nothing."""
        return None

    def repair(self, tenants: list[str]) -> Command | None:
        """Undo what somebody else changed, of tenants that only a tool without a drift check has to be told."""
        return None

    def delete_one(self, tenant: str) -> Command | None:
        """Remove a tenant that is declared no more."""
        return None

    def _run(self, *argv: str, stdin: str = "") -> str:
        """Run something that is not measured.

        Raises:
            Failure: it fails, or takes over a quarter of an hour.
        """
        done = subprocess.run(
            argv,
            cwd=self.home,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        if done.returncode != 0:
            raise Failure(f"{self.name}: `{' '.join(argv)}` exited with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout
