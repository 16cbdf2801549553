"""The state of everything that a run needs, in a minute's reading: toolchain, stack, cluster, tenants.

Each finding says what is so, whether that is well, and what to do if it isn't. Nothing is changed.
"""

import contextlib
import importlib.metadata
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from siteforge.errors import EngineError, SiteforgeError
from siteforge.fleet import leftovers, locks, rights, state, terminating
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import NAMESPACE, NODE, OURS, VERSION, VOLUME, Kind
from siteforge.fleet.project import Project, pulumi
from siteforge.names import namespace
from siteforge.tenant_spec import TenantSpec, VolumeSpec

Level = Literal["ok", "warn", "fail"]

_STORAGE_CLASS = Kind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)
_LOOKED_AT = 5
_DAEMON_SET = Kind("apps/v1", "DaemonSet", "daemonsets")
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_ENFORCERS = ("calico", "cilium", "kube-router", "antrea", "weave", "canal", "kube-network-policies", "ovn", "aws-node")
"""Parts of the names of DaemonSets of network plugins that enforce network policies."""


@dataclass(frozen=True)
class Finding:
    """Something that was looked at."""

    part: str
    """toolchain, stack, cluster or tenants."""
    level: Level
    text: str
    fix: str = ""


def examine(project: Project) -> Iterator[Finding]:
    """Look at everything, in the order in which one thing needs the other; what can't be asked is a finding too."""
    yield from _guarded("toolchain", lambda: _toolchain(project))
    yield from _guarded("stack", lambda: _stack(project))
    yield from _guarded("catalogue", lambda: _catalogue(project))
    try:
        cluster = project.cluster()
    except SiteforgeError as error:
        yield _failed("cluster", error)
        return
    with cluster:
        yield from _guarded("cluster", lambda: _cluster(project, cluster))
        yield from _guarded("tenants", lambda: _tenants(project, cluster))


def _guarded(part: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except SiteforgeError as error:
        yield _failed(part, error)


def _failed(part: str, error: SiteforgeError) -> Finding:
    text, _, fix = str(error).partition(" - ")
    if not fix and "passphrase" in text:
        fix = "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the stack's passphrase"
    return Finding(part, "fail", text, fix or "mend what it says")


def _toolchain(project: Project) -> Iterator[Finding]:
    own = importlib.metadata.version("pulumi")
    engine = pulumi(project.folder, "version").strip().removeprefix("v")
    older = _numbers(engine) < _numbers(own)
    fix = f"install Pulumi {own} or newer" if older else ""
    yield Finding("toolchain", "warn" if older else "ok", f"Pulumi {engine}, its SDK for Python {own}", fix)
    wanted = importlib.metadata.version("pulumi-kubernetes")
    plugins = json.loads(pulumi(project.folder, "plugin", "ls", "--json"))
    found = sorted(str(one.get("version")) for one in plugins if one["name"] == "kubernetes")
    if wanted in found:
        yield Finding("toolchain", "ok", f"provider kubernetes {wanted}")
    else:
        text = f"no provider kubernetes {wanted}; there is {', '.join(found) or 'none'}"
        yield Finding("toolchain", "fail", text, f"pulumi plugin install resource kubernetes {wanted}")


def _stack(project: Project) -> Iterator[Finding]:
    recover = f"siteforge recover --stack {project.stack}"
    folder = state.backend(project)
    if folder is None:
        yield Finding("stack", "ok", f"{project.stack}, in a backend that keeps its own locks and copies")
    else:
        found = state.read(state.file(folder, project.name, project.stack))
        if found.problem:
            yield Finding("stack", "fail", f"{project.stack}: its state can't be used: {found}", recover)
            return
        for lock in locks.locks(folder, project.name, project.stack):
            holder = lock.holder()
            fix = "wait for it" if holder == "running" else recover
            yield Finding("stack", "warn" if holder == "running" else "fail", f"locked by {lock} ({holder})", fix)
    if processes := leftovers.leftovers(project.folder, project.stack):
        names = ", ".join(map(leftovers.describe, processes))
        yield Finding("stack", "fail", f"processes of a dead run: {names}", recover)
    exported = json.loads(pulumi(project.folder, "stack", "export", "--stack", project.stack))
    resources = (exported.get("deployment") or {}).get("resources") or []
    yield Finding("stack", "ok", f"{project.stack}: {len(resources)} resources")
    if pending := state.pending(exported):
        text = f"{len(pending)} operations were under way when a run ended, as {pending[0]}"
        yield Finding("stack", "fail", text, recover)


def _catalogue(project: Project) -> Iterator[Finding]:
    _ = project.configuration
    yield Finding("stack", "ok", "its configuration and secrets can be read")
    number = len(project.tenants)
    yield Finding("catalogue", "ok", f"{project.configuration.catalogue}: {number} tenants, no mistakes")


def _cluster(project: Project, cluster: Cluster) -> Iterator[Finding]:
    version = cluster.get(VERSION, "")
    yield Finding("cluster", "ok", f"Kubernetes {version['gitVersion']} at {cluster.server}, context {cluster.context}")
    yield _identity(project, cluster)
    yield from _nodes(cluster)
    yield from _storage(project, cluster)
    yield _network(cluster)
    wanted = rights.needed(project.configuration)
    if lacking := rights.missing(cluster, wanted):
        yield Finding("cluster", "fail", f"not allowed: {', '.join(map(str, lacking))}", rights.REMEDY)
    else:
        yield Finding("cluster", "ok", f"all {len(wanted)} rights that runs need")


def _identity(project: Project, cluster: Cluster) -> Finding:
    uid = cluster.uid()
    known = None
    with contextlib.suppress(EngineError):  # of a state that can't be read, which was told before
        known = project.recorded_cluster()
    if known and known != uid:
        fix = "use the stack's kubeconfig or siteforge:context"
        return Finding("cluster", "fail", f"another cluster ({uid}) than the stack's ({known})", fix)
    return Finding("cluster", "ok", f"identity {uid}" + ("" if known else ", recorded by the first run"))


def _nodes(cluster: Cluster) -> Iterator[Finding]:
    nodes = cluster.objects(NODE)
    unready = [one["metadata"]["name"] for one in nodes if not _ready(one)]
    if not nodes or len(unready) == len(nodes):
        yield Finding("cluster", "fail", f"none of its {len(nodes)} nodes is ready", "look at `kubectl get nodes`")
    elif unready:
        text = f"{len(unready)} of {len(nodes)} nodes not ready: {', '.join(unready[:5])}"
        yield Finding("cluster", "warn", text, "look at `kubectl describe node`")
    else:
        yield Finding("cluster", "ok", f"{len(nodes)} nodes, all ready")


def _ready(node: dict[str, object]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])  # type: ignore[attr-defined]
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _storage(project: Project, cluster: Cluster) -> Iterator[Finding]:
    classes = {one["metadata"]["name"]: one for one in cluster.objects(_STORAGE_CLASS)}
    default = [
        name for name, one in classes.items() if one["metadata"].get("annotations", {}).get(_DEFAULT_CLASS) == "true"
    ]
    written = [volume.storage_class for spec in project.tenants for volume in _volumes(spec)]
    named = sorted({one for one in written if one})
    if absent := [one for one in named if one not in classes]:
        yield Finding("cluster", "fail", f"no storage class {', '.join(absent)}", f"use one of {', '.join(classes)}")
    if None in written and not default:
        yield Finding("cluster", "fail", "no default storage class", "mark one, or name one in each volume")
    used = [one for one in named if one in classes] + (default if None in written else [])
    for name in dict.fromkeys(used):
        if classes[name].get("reclaimPolicy", "Delete") == "Delete":
            text = f"storage class {name} deletes a volume with its claim: a deleted namespace takes its data along"
            yield Finding("cluster", "warn", text, "use a class with reclaimPolicy Retain, and back up")
        else:
            yield Finding("cluster", "ok", f"storage class {name} keeps volumes")
        if not classes[name].get("allowVolumeExpansion"):
            yield Finding("cluster", "warn", f"storage class {name}: volumes can't grow", "choose sizes with room")


def _volumes(spec: TenantSpec) -> list[VolumeSpec]:
    return [spec.wordpress.volume, *([] if spec.database.external else [spec.database.volume])]


def _network(cluster: Cluster) -> Finding:
    found = {one["metadata"]["name"] for one in cluster.objects(_DAEMON_SET)}
    if enforcers := sorted(one for one in found if any(known in one for known in _ENFORCERS)):
        return Finding("cluster", "ok", f"network plugin {', '.join(enforcers)}")
    text = "whether its network plugin enforces network policies can't be seen"
    return Finding("cluster", "warn", text, "make sure: without, tenants are not kept apart (docs/isolation.md)")


def _tenants(project: Project, cluster: Cluster) -> Iterator[Finding]:
    there = {one["metadata"]["name"]: one for one in cluster.objects(NAMESPACE, labels=OURS)}
    wanted = {namespace(spec.name) for spec in project.tenants}
    yield Finding("tenants", "ok", f"{len(wanted)} in the catalogue, {len(wanted & {*there})} of them in the cluster")
    if absent := sorted(wanted - {*there}):
        yield Finding("tenants", "warn", f"not in the cluster: {_some(absent)}", "siteforge up")
        yield from _kept(project, cluster, absent)
    if leaving := sorted(name for name, one in there.items() if one["metadata"].get("deletionTimestamp")):
        yield Finding("tenants", "warn", f"being deleted: {_some(leaving)}", "wait, then run siteforge up")
        for name in leaving[:_LOOKED_AT]:
            for held in terminating.holding(cluster, name):
                if held.object:
                    text, _, fix = str(held).partition(" - ")
                    yield Finding("tenants", "warn", text, fix)
    if extra := sorted({*there} - wanted):
        text = f"in the cluster, and not in the catalogue: {_some(extra)}"
        yield Finding(
            "tenants", "warn", text, "another catalogue's, or left: look, and delete by hand what is not wanted"
        )


def _kept(project: Project, cluster: Cluster, absent: list[str]) -> Iterator[Finding]:
    """Volumes that outlived the namespaces of tenants."""
    references = [(one, one["spec"].get("claimRef") or {}) for one in cluster.objects(VOLUME)]
    found = [one["metadata"]["name"] for one, claim in references if claim.get("namespace") in absent]
    if found:
        text = f"volumes were kept of tenants that are not in the cluster: {_some(sorted(found))}"
        yield Finding("tenants", "warn", text, f"siteforge recover --stack {project.stack}, which binds them again")


def _some(found: list[str]) -> str:
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.partition("-")[0].split(".")]
