"""How the cluster is reached: a context of the kubeconfig, found as kubectl finds it, or a pod's own account."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError

from siteforge.errors import ClusterError


@dataclass(frozen=True)
class Connection:
    """What a client needs to know."""

    config: SingleConfig
    compressed: bool
    """Whether the API server shall compress what it answers."""


def find(context: str | None = None) -> Connection:
    """The connection of a context; of the current one when left out.

    Inside a pod without a kubeconfig, that of the pod's own account, which nothing has to be compressed for: the way is
    short, and the API server's time is dear. Elsewhere the kubeconfig says so (`disable-compression: true` of its
    cluster, as client-go reads it).

    Raises:
        ClusterError: there is no kubeconfig, or no such context.
    """
    named = os.environ.get("KUBECONFIG") or "~/.kube/config"
    path = Path(named).expanduser()
    in_a_pod = not path.is_file() and "KUBERNETES_SERVICE_HOST" in os.environ
    try:
        found = KubeConfig.from_service_account().get() if in_a_pod else KubeConfig.from_file(named).get(context)
    except (ConfigError, KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
        raise ClusterError(
            f"kubeconfig {named}: {error} - name a kubeconfig with KUBECONFIG, a context with siteforge:context"
        ) from None
    assert found is not None  # lightkube returns None only where a default is given
    # It asks a program for a token by the protocol's betas alone; of the final version, that part is the same.
    if found.user and found.user.exec and found.user.exec.apiVersion == "client.authentication.k8s.io/v1":
        found.user.exec.apiVersion = "client.authentication.k8s.io/v1beta1"
    return Connection(found, not in_a_pod and not _uncompressed(path, found.context.cluster))


def _uncompressed(path: Path, cluster: str) -> bool:
    """What lightkube doesn't read."""
    clusters = yaml.safe_load(path.read_text(encoding="utf-8"))["clusters"]
    return any(one["name"] == cluster and one["cluster"].get("disable-compression") is True for one in clusters)
