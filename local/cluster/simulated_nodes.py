"""Simulated nodes: objects that KWOK keeps alive, for runs at a scale that no single machine could bear."""

import json
import subprocess
from pathlib import Path

from local.cluster import checks
from local.cluster.layout import Layout
from local.cluster.settings import Settings
from local.steps import Failure

FEW = 2
"""How many simulated nodes a cluster has at first."""

_SELECTOR = "type=kwok"

_SIZE = {"cpu": "1k", "memory": "1Ti", "ephemeral-storage": "1Pi", "pods": "1M"}
"""What KWOK gives a node that says nothing, and room for the files of containers, which tenants ask for."""


def names(count: int) -> list[str]:
    """The names of the first `count` simulated nodes."""
    return [f"simulated-{number:04}" for number in range(count)]


def manifest(name: str, *, tainted: bool) -> dict[str, object]:
    """A simulated node.

    Args:
        tainted: whether only a pod that tolerates it can land there, as beside a real node.
    """
    labels = {"type": "kwok", "siteforge.dev/node": "simulated", "kubernetes.io/os": "linux"}
    labels["kubernetes.io/hostname"] = name
    taint = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "spec": {"taints": [taint] if tainted else []},
        "status": {"allocatable": _SIZE, "capacity": _SIZE},
    }


def present(wanted: Settings, layout: Layout) -> list[str]:
    """The names of the simulated nodes that are there, sorted.

    Raises:
        Failure: the API server does not say.
    """
    status, body = checks.get(wanted.server, f"/api/v1/nodes?labelSelector={_SELECTOR}", layout.certificates)
    if status != 200:
        raise Failure(f"the API server does not list its nodes (status {status})", fix="start the cluster: make up")
    return sorted(item["metadata"]["name"] for item in json.loads(body)["items"])


def ensure_some(wanted: Settings, layout: Layout) -> None:
    """Make the first simulated nodes where there are none."""
    if not present(wanted, layout):
        ensure(wanted, layout, FEW)


def ensure(wanted: Settings, layout: Layout, count: int) -> None:
    """Have exactly `count` simulated nodes: make what is missing, remove what is too much.

    Raises:
        Failure: kubectl refuses.
    """
    there, names_wanted = set(present(wanted, layout)), names(count)
    if absent := [name for name in names_wanted if name not in there]:
        items = {
            "apiVersion": "v1",
            "kind": "List",
            "items": [manifest(name, tainted=not wanted.simulated) for name in absent],
        }
        _kubectl(wanted, layout, "apply", "--server-side", "--filename=-", stdin=json.dumps(items))
    if surplus := sorted(there - set(names_wanted)):
        _kubectl(wanted, layout, "delete", "node", *surplus)


def _kubectl(wanted: Settings, layout: Layout, *arguments: str, stdin: str = "") -> None:
    argv = [str(Path(wanted.programs, "kubectl")), f"--kubeconfig={layout.kubeconfig}", *arguments]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"`kubectl {' '.join(arguments)}` failed: {done.stderr.strip()}")
