"""Namespaces that are being deleted: waited for, and if they stay, what holds them up.

A namespace goes when all in it is gone; an object with finalizers goes when whoever set them has taken them away.
Nothing can be made in it until then. Kubernetes names the kinds that remain in the namespace's conditions
(pkg/controller/namespace/deletion/status_condition_utils.go); the objects are looked up here.
"""

import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import NAMESPACE, Kind
from siteforge.specs.manifest import Manifest

SECONDS = 60.0
"""How long a deletion may take before it is said to be stuck: pods have that long to end, by default 30 s."""

_POLL_SECONDS = 0.5
_REMAINING = "NamespaceContentRemaining"
_KIND = re.compile(r"([a-z0-9-]+)\.([a-z0-9.-]*) has \d+ resource instances")
_GROUPS = Kind("", "APIGroupList", "apis", namespaced=False)
_BUILT_IN = ["kubernetes"]
"""The finalizer in the spec of every namespace, which the namespace controller takes away at the end."""


@dataclass(frozen=True, order=True)
class Held:
    """A namespace that can't go yet, and an object in it that holds it up."""

    namespace: str
    object: str = ""
    """As kubectl takes it; the namespace itself, if a finalizer of its own is left; empty if it can't be told."""
    finalizers: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"namespace {self.namespace} is being deleted"
        if not self.object:
            return f"{place}, and not gone yet - look at `kubectl get namespace {self.namespace} -o yaml`"
        path = "" if self.object.startswith("namespace/") else f" -n {self.namespace}"
        patch = f"""kubectl patch {self.object}{path} --type=merge -p '{{"metadata":{{"finalizers":null}}}}'"""
        return (
            f"{place}, and held up by {self.object}, whose finalizer {', '.join(self.finalizers)} nobody takes away"
            f" - have the controller that set it run, or if there is none any more: {patch}"
        )


def going(cluster: Cluster, names: Collection[str]) -> list[str]:
    """Which of these namespaces are being deleted.

    Raises:
        ClusterError: the cluster can't be asked.
    """
    live = (cluster.get(NAMESPACE, name) for name in names) if len(names) < 5 else cluster.objects(NAMESPACE)
    leaving = {one["metadata"]["name"] for one in live if one and one["metadata"].get("deletionTimestamp")}
    return sorted(leaving & set(names))


def await_gone(cluster: Cluster, names: Collection[str], seconds: float = SECONDS) -> list[Held]:
    """Wait until those namespaces that are being deleted are gone.

    Args:
        cluster: where they are.
        names: the namespaces to look at; those that nobody deletes are not waited for.
        seconds: the deadline.

    Returns:
        What holds those up that are still there; empty if all are gone.

    Raises:
        ClusterError: the cluster can't be asked.
    """
    deadline = time.monotonic() + seconds
    while (left := going(cluster, names)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return [held for name in left for held in holding(cluster, name)]


def holding(cluster: Cluster, name: str) -> list[Held]:
    """What holds a namespace up that is being deleted.

    Raises:
        ClusterError: the cluster can't be asked.
    """
    live = cluster.get(NAMESPACE, name)
    if not live:
        return []
    found = [
        Held(name, f"{_resource(kind)}/{one['metadata']['name']}", tuple(one["metadata"]["finalizers"]))
        for kind in _remaining(cluster, live)
        for one in cluster.objects(kind, namespace=name)
        if one["metadata"].get("finalizers")
    ]
    own = [*live["metadata"].get("finalizers", ()), *_unknown(live["spec"].get("finalizers", _BUILT_IN))]
    if own:
        found.append(Held(name, f"namespace/{name}", tuple(own)))
    return sorted(found) or [Held(name)]


def remaining(namespace: Manifest) -> list[tuple[str, str]]:
    """Plural and API group of the kinds of which objects are left, as a namespace's conditions say."""
    conditions = namespace.get("status", {}).get("conditions", ())
    said = " ".join(one.get("message", "") for one in conditions if one["type"] == _REMAINING)
    return [(plural, group) for plural, group in _KIND.findall(said)]


def _remaining(cluster: Cluster, namespace: Manifest) -> Iterator[Kind]:
    kinds = remaining(namespace)
    groups = cluster.get(_GROUPS, "").get("groups", ()) if any(group for _, group in kinds) else ()
    versions = {one["name"]: one["preferredVersion"]["groupVersion"] for one in groups} | {"": "v1"}
    for plural, group in kinds:
        if group in versions:
            yield Kind(versions[group], plural, plural)


def _resource(kind: Kind) -> str:
    """A kind as kubectl takes it, unmistakable: `configmaps`, `widgets.example.com`."""
    group = kind.api_version.rpartition("/")[0]
    return f"{kind.plural}.{group}" if group else kind.plural


def _unknown(finalizers: Collection[str]) -> list[str]:
    return [one for one in finalizers if one not in _BUILT_IN]
