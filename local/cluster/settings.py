"""What a cluster is made with: written by `start`, read by the supervisor and by every later command."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from local.cluster.layout import Layout
from local.cluster.network import Network
from local.steps import Failure


@dataclass(frozen=True)
class Ports:
    """TCP ports of the control plane. A real cluster has all ports for itself; a simulated one chooses free ones."""

    api: int = 6443
    controller_manager: int = 10257
    scheduler: int = 10259


@dataclass(frozen=True)
class Settings:
    """What a cluster is made with.

    Args:
        identity: this clone's six characters, see `layout.identity`.
        network: its addresses.
        ports: of the control plane.
        programs: folder with kubelet and its like, on the machine.
        simulated: whether there is no real node.
        fingerprint: of all programs and their configuration; a running cluster with another one is out of date.
    """

    identity: str
    network: Network
    ports: Ports
    programs: str
    simulated: bool
    fingerprint: str = ""

    @property
    def address(self) -> str:
        """Where the API server listens."""
        return "127.0.0.1" if self.simulated else self.network.node

    @property
    def server(self) -> str:
        """URL of the API server, the same from the machine and from inside."""
        return f"https://{self.address}:{self.ports.api}"

    @property
    def control_group(self) -> str:
        """The control group of this cluster's pods, from the root of each hierarchy."""
        return control_group(self.identity)


def control_group(identity: str) -> str:
    """The control group of a clone's pods, from the root of each hierarchy."""
    return f"/siteforge-{identity}"


def load(layout: Layout) -> Settings | None:
    """The settings of this clone's cluster, or None if there is no cluster yet.

    Raises:
        Failure: the file is not what `save` wrote.
    """
    try:
        found = json.loads(layout.settings.read_text())
        return Settings(
            found["identity"],
            Network(**found["network"]),
            Ports(**found["ports"]),
            found["programs"],
            found["simulated"],
            found.get("fingerprint", ""),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(
            f"{layout.settings} does not hold the settings of a cluster: {error!r}",
            fix="delete the cluster with its data by `make clean`, and make it anew by `make up`",
        ) from error


def save(layout: Layout, settings: Settings) -> None:
    """Keep `settings` for later runs."""
    write(layout.settings, json.dumps(asdict(settings), indent=1) + "\n")


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Put `text` at `path` in one step, so that whoever reads sees the old or the new, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.touch(mode)
    temporary.write_text(text)
    temporary.replace(path)
