"""The project that a command works on: its folder, the stack, and what that stack's configuration says."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml

from siteforge import catalogue, cells, configuration, log
from siteforge.cells import Cells
from siteforge.configuration import Configuration
from siteforge.errors import EngineError, SettingsError
from siteforge.fleet.cluster import Cluster
from siteforge.tenant_spec import TenantSpec

_log = log.get(__name__)

_ENVIRONMENT = {"PULUMI_SKIP_UPDATE_CHECK": "true"}


@dataclass(frozen=True)
class Project:
    """A project's folder and one of its stacks.

    Args:
        folder: where Pulumi.yaml is.
        name: the project's name in it.
        stack: the stack whose configuration the fleet has.
    """

    folder: Path
    name: str
    stack: str
    _said: "Future[str] | None" = field(init=False, default=None, compare=False, repr=False)
    """What Pulumi says of the configuration, if it was asked already; a copy asks anew."""

    @classmethod
    def find(cls, stack: str | None = None, start: Path | None = None) -> Self:
        """The project of a folder or of one above it, as Pulumi finds it.

        Args:
            stack: the stack; the selected one when left out.
            start: the folder; the current one when left out.

        Raises:
            SettingsError: there is no project, or no stack is selected.
            EngineError: Pulumi can't be run.
        """
        start = (start or Path.cwd()).resolve()
        folder = next((one for one in (start, *start.parents) if (one / "Pulumi.yaml").is_file()), None)
        if folder is None:
            raise SettingsError(f"{start}: no Pulumi.yaml here or above - change to the project's folder")
        name = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        if stack is not None:
            return cls(folder, name, stack)
        # Both are Pulumi's start, a sixth of a second, and hardly more: side by side, one of them is free.
        pool = ThreadPoolExecutor(1)
        said = pool.submit(_configuration, folder)
        pool.shutdown(wait=False)
        found = cls(folder, name, pulumi(folder, "stack", "--show-name").strip())
        object.__setattr__(found, "_said", said)
        return found

    @property
    def backups(self) -> Path:
        """Where backups are unless somebody says otherwise."""
        return self.folder / "backups"

    @cached_property
    def configuration(self) -> Configuration:
        """The stack's configuration, decrypted.

        Raises:
            SettingsError: a value can't be what it should say.
            EngineError: Pulumi can't read it.
        """
        said = json.loads(self._said.result() if self._said else _configuration(self.folder, "--stack", self.stack))
        start = f"{configuration.NAMESPACE}:"
        values = {key.removeprefix(start): entry for key, entry in said.items() if key.startswith(start)}
        return configuration.read(
            {key: entry["value"] for key, entry in values.items()},
            {key for key, entry in values.items() if entry.get("secret")},
        )

    @cached_property
    def tenants(self) -> list[TenantSpec]:
        """The tenants of the catalogue, of all cells.

        Raises:
            SiteforgeError: the catalogue is wrong, or the cluster of this configuration can't have these tenants.
        """
        path = self.configuration.catalogue
        specs = catalogue.load(self.folder / path, str(path))
        self.configuration.check(specs)
        return specs

    @cached_property
    def cells(self) -> Cells:
        """Which stack has which tenants.

        Raises:
            CatalogueError: the file that says so is wrong.
        """
        file = self.configuration.cells
        return cells.load(self.folder / file) if file else Cells.single(self.stack)

    def recorded_cluster(self) -> str | None:
        """The identity of the cluster of the stack's last run; None before the first.

        Raises:
            EngineError: Pulumi can't say.
        """
        told = json.loads(pulumi(self.folder, "stack", "output", "--json", "--stack", self.stack))
        return str(told["cluster"]) if "cluster" in told else None

    def stacks(self) -> dict[str, bool]:
        """The project's stacks, and whether there is anything in each.

        Pulumi reads the state of every one of them for it.

        Raises:
            EngineError: Pulumi can't say.
        """
        said = json.loads(pulumi(self.folder, "stack", "ls", "--json"))
        return {one["name"].rpartition("/")[2]: bool(one.get("resourceCount")) for one in said}

    def ensure(self, stacks: Iterable[str]) -> None:
        """Have these stacks, in a backend that may be new; nothing of the cluster's is touched.

        Raises:
            EngineError: Pulumi can't be asked or refuses.
        """
        known = self.stacks()
        for stack in stacks:
            if stack not in known:
                _log.info("the backend has no such stack: it is made", stack=stack)
                try:
                    pulumi(self.folder, "stack", "init", "--no-select", stack)
                except EngineError:
                    # Somebody else may have made it meanwhile.
                    if stack not in self.stacks():
                        raise

    def cluster(self) -> Cluster:
        """A connection to the stack's cluster.

        Raises:
            ClusterError: there is no way to it.
        """
        return Cluster(self.configuration.context)


def _configuration(folder: Path, *options: str) -> str:
    return pulumi(folder, "config", "--json", "--show-secrets", *options)


def pulumi(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """What a short command of Pulumi prints; it may be secret.

    Raises:
        EngineError: it fails; says why in Pulumi's own words.
    """
    done = run(["pulumi", "--non-interactive", "--color=never", *arguments], folder, environment or {}, stdin)
    if done.returncode != 0:
        said = done.stderr.strip().removeprefix("error: ")
        raise EngineError(f"pulumi {' '.join(arguments[:2])}: {said}")
    return done.stdout


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a project's folder.

    Raises:
        EngineError: there is no such program.
    """
    variables: dict[str, Any] = {**os.environ, **_ENVIRONMENT, **environment}
    try:
        return subprocess.run(
            command, cwd=folder, env=variables, input=stdin, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise EngineError('pulumi is not on PATH - install it, or run `eval "$(make -s env)"`') from None
