"""A real Kubernetes cluster on one machine, without Docker; or a simulated one, without root.

A real cluster has a control plane, a node with containerd, a default storage class, cluster DNS and Services. It
lives in namespaces of its own: no port and no firewall rule of the machine is used, and what happens in it can't
reach the machine's files. One route makes its node, pods and ClusterIPs answer from the machine.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from local import images as local_images
from local import toolchain
from local.cluster import lifecycle, plan, simulated_nodes
from local.cluster.image_store import Image
from local.cluster.layout import CONTEXT, NODE, outside
from local.cluster.lifecycle import add_images, delete, stop
from local.cluster.overview import running, status
from local.cluster.settings import Settings, load
from local.steps import Failure

__all__ = [
    "CONTEXT",
    "NODE",
    "Settings",
    "add_images",
    "current",
    "delete",
    "kubeconfig",
    "nodes",
    "prepare",
    "running",
    "start",
    "status",
    "stop",
]

_CONTROL_PLANE = ("etcd", "kubernetes", "kwok")
_REAL_NODE = ("coredns", "local-path-provisioner")


def prepare(simulated: bool | None = None) -> tuple[Path, Sequence[Image]]:
    """Make what a start needs, which takes long the first time; at once when it is there.

    Args:
        simulated: as for `start`.

    Returns:
        The folder of the programs, and the images for the node's image store.

    Raises:
        Failure: this is not root, or something can't be made.
    """
    simulated = _decide(simulated)
    plan.require_root(simulated)
    programs = toolchain.ensure(_CONTROL_PLANE if simulated else _CONTROL_PLANE + _REAL_NODE)
    return programs, [] if simulated else local_images.ensure()


def start(*, simulated: bool | None = None) -> Settings:
    """Start this clone's cluster, with whatever has to be made before; at once when it runs already.

    It is back with the node Ready, the storage class there and cluster DNS answering.

    Args:
        simulated: whether to do without a real node; None keeps to what the cluster is. A new one is real, unless
            the environment says `SITEFORGE_SIMULATED=1`.

    Returns:
        The cluster's settings, with all addresses.

    Raises:
        Failure: this is not root, something can't be made, or the cluster is not ready in time.
    """
    return lifecycle.start(*prepare(simulated), _decide(simulated))


def _decide(simulated: bool | None) -> bool:
    if simulated is not None:
        return simulated
    known = current()
    return known.simulated if known is not None else os.environ.get("SITEFORGE_SIMULATED") == "1"


def nodes(*, simulated: int) -> None:
    """Have exactly so many simulated nodes in the running cluster, beside the real one.

    Raises:
        Failure: there is no cluster, or it does not run.
    """
    known = current()
    if known is None:
        raise Failure("there is no cluster to have nodes", fix="make it first: make up")
    simulated_nodes.ensure(known, outside(), simulated)


def kubeconfig() -> Path:
    """The administrator's kubeconfig; its context is `CONTEXT`. It is there once the cluster was started."""
    return outside().kubeconfig


def current() -> Settings | None:
    """What the cluster is made with, all addresses among it; None where there is none.

    Raises:
        Failure: the file that says it is damaged.
    """
    return load(outside())
