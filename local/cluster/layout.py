"""Where everything of the cluster is: one folder of the clone, seen under a short path from inside.

Real clusters run in a mount namespace of their own, where the clone's state folder is at `/run/siteforge`:
Unix sockets fit in the kernel's 108 characters however deep the clone lies, and configuration files are plain.
Simulated ones (no root) have no such namespace and use the folder as it is.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from local import paths

NODE = "siteforge"
"""Name of the real node, and the host name inside the cluster's namespaces."""

CONTEXT = "siteforge-local"
"""Name of the context in the kubeconfig."""

INSIDE = Path("/run/siteforge")
"""The clone's state folder as the processes of a real cluster see it."""

SOURCE = Path(__file__).resolve().parent
"""This package, which also holds the manifests and the stages of simulated nodes."""

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Layout:
    """The folders of one cluster.

    Args:
        state: the clone's state folder (`.siteforge`), by the name under which it is seen.
        runtime: what lives no longer than the cluster's processes: sockets, leases, mounts.
    """

    state: Path
    runtime: Path

    @property
    def home(self) -> Path:
        """All data of the cluster."""
        return self.state / "cluster"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.state / "logs" / "cluster"

    @property
    def certificates(self) -> Path:
        """Keys and certificates."""
        return self.home / "certificates"

    @property
    def configuration(self) -> Path:
        """Configuration files, written anew at each start."""
        return self.home / "configuration"

    @property
    def settings(self) -> Path:
        """What the supervisor is told: see `settings.Settings`."""
        return self.home / "settings.json"

    @property
    def report(self) -> Path:
        """What the supervisor tells: see `report.Report`."""
        return self.home / "report.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.home / "kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd listens."""
        return self.runtime / "containerd" / "containerd.sock"


def outside() -> Layout:
    """The folders as the rest of the machine sees them."""
    return Layout(paths.STATE, paths.STATE / "cluster" / "runtime")


def inside() -> Layout:
    """The folders as the processes of a real cluster see them."""
    return Layout(INSIDE, Path("/run"))


def identity(state: Path) -> str:
    """Six characters that tell this clone's links and control groups from those of other clones."""
    return hashlib.sha256(str(state).encode()).hexdigest()[:6]
