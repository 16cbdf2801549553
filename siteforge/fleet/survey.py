"""A look at the cluster: everything that `siteforge.fleet.status` judges, by a handful of lists.

Whatever the fleet's size, all is listed in as many requests as it has pages; only of what fails, and only of so
many tenants, are log lines read one by one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from siteforge import garbage, names
from siteforge.blueprint import Blueprint
from siteforge.errors import ClusterError, printable
from siteforge.fleet import diagnosis
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.diagnosis import Cause, Reason
from siteforge.fleet.kinds import BY_NAME, EVENT, NAMESPACE, NODE, OURS
from siteforge.fleet.partial_object import PartialObject
from siteforge.fleet.status import (
    KINDS,
    Happening,
    LogEnd,
    TenantStatus,
    by_namespace,
    healthy,
    status,
)
from siteforge.specs.manifest import Manifest

LOGS_OF: Final = 10
"""Of how many failing tenants log lines are read: nobody reads those of a hundred at once."""

LOG_LINES: Final = 10
EVENTS: Final = 8
"""The newest of a tenant."""

_REQUESTS_AT_ONCE = 8

_TOLD_BY_LOGS = {
    Cause.CRASH_LOOP,
    Cause.EXITED,
    Cause.INITIALISING,
    Cause.NOT_READY,
    Cause.OUT_OF_MEMORY,
    Cause.STARTING,
}


@dataclass(frozen=True)
class Tenant:
    """A tenant to look at, and the stack that has it."""

    blueprint: Blueprint
    stack: str


def fleet(cluster: Cluster, tenants: Sequence[Tenant], *, volumes: bool = False) -> list[TenantStatus]:
    """How every tenant is, in the order given; of those that fail, with events and log lines.

    Args:
        cluster: where they are.
        tenants: of whom to tell.
        volumes: whether to ask the kubelets how full volumes are: a request for each node.

    Raises:
        ClusterError: the API server can't be asked, or refuses.
    """
    with garbage.uncollected():
        kinds = {kind: BY_NAME[kind] for kind in KINDS}
        found = cluster.fleet(kinds.values())
        lists = {name: found[kind] for name, kind in kinds.items()}
        on_volumes = used(_summaries(cluster, lists["Pod"])) if volumes else {}
        statuses = {one.name: one for one in _judge(tenants, lists, on_volumes)}
        unwell = [one for one in tenants if not healthy([statuses[one.blueprint.name]])]
        if unwell:
            # Without events, fewer causes are told apart. Those of a healthy fleet would be most of what there is.
            lists["Event"] = cluster.partial_objects(EVENT, fields="type=Warning")
            statuses |= {one.name: one for one in _judge(unwell, lists, on_volumes)}
            for one in islice(unwell, LOGS_OF):
                name = one.blueprint.name
                statuses[name] = _detailed(cluster, statuses[name], lists["Event"])
        return list(statuses.values())


def tenant(cluster: Cluster, one: Tenant, *, volumes: bool = False) -> TenantStatus:
    """How one tenant is, with its newest events; the lists are those of its namespace alone.

    Raises:
        ClusterError: the API server can't be asked, or refuses.
    """
    namespace = names.namespace(one.blueprint.name)

    def objects(kind: str) -> list[PartialObject]:
        if BY_NAME[kind] is NAMESPACE:
            return cluster.partial_objects(NAMESPACE, labels=OURS, fields=f"metadata.name={namespace}")
        labels = OURS if kind != EVENT.name else ""
        return cluster.partial_objects(BY_NAME[kind], labels=labels, namespace=namespace)

    lists = {kind: objects(kind) for kind in (*KINDS, EVENT.name)}
    on_volumes = used(_summaries(cluster, lists["Pod"])) if volumes else {}
    (found,) = _judge([one], lists, on_volumes)
    return _detailed(cluster, found, lists[EVENT.name])


def _judge(
    tenants: Iterable[Tenant], lists: Mapping[str, list[PartialObject]], on_volumes: Mapping[tuple[str, str], int]
) -> list[TenantStatus]:
    namespaces = by_namespace(lists)
    return [
        status(one.blueprint, one.stack, namespaces[names.namespace(one.blueprint.name)], on_volumes) for one in tenants
    ]


def _detailed(cluster: Cluster, found: TenantStatus, events: Iterable[PartialObject]) -> TenantStatus:
    own = [event for event in events if event["metadata"]["namespace"] == found.namespace]
    newest = sorted(own, key=diagnosis.event_time, reverse=True)[:EVENTS]
    return replace(found, events=tuple(map(_happening, newest)), logs=tuple(_logs(cluster, found)))


def _happening(event: PartialObject) -> Happening:
    about = event.get("involvedObject", {})
    return Happening(
        time=diagnosis.event_time(event),
        type=event.get("type", ""),
        reason=event.get("reason", ""),
        object=f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        message=printable(" ".join(event.get("message", "").split())),
        count=(event.get("series") or event).get("count") or 1,
    )


def _logs(cluster: Cluster, found: TenantStatus) -> Iterator[LogEnd]:
    """The last lines of each container that a reason names, of the run that ended where it ended."""
    for reason in found.reasons:
        if reason.cause in _TOLD_BY_LOGS and reason.container:
            lines = _last_lines(cluster, found.namespace, reason)
            if lines:
                yield LogEnd(reason.object.removeprefix("pod/"), reason.container, lines)


def _last_lines(cluster: Cluster, namespace: str, reason: Reason) -> tuple[str, ...]:
    query = {"tailLines": str(LOG_LINES)}
    if reason.cause is Cause.CRASH_LOOP:
        query["previous"] = "true"
    try:
        lines = list(cluster.log(namespace, reason.object.removeprefix("pod/"), reason.container, **query))
    except ClusterError:
        return ()  # the container has none yet, or no more: the reason says all there is
    return tuple(printable(line.expandtabs()) for line in lines)


def used(summaries: Iterable[Manifest]) -> dict[tuple[str, str], int]:
    """Bytes on volumes by namespace and claim, as kubelets say (Summary API, k8s.io/kubelet/pkg/apis/stats/v1alpha1).

    They measure what the driver of a volume lets them; of a folder on a node's own disk, they tell nothing.
    """
    return {
        (claim["namespace"], claim["name"]): volume["usedBytes"]
        for summary in summaries
        for pod in summary.get("pods", ())
        for volume in pod.get("volume", ())
        if (claim := volume.get("pvcRef")) and volume.get("usedBytes") is not None
    }


def _summaries(cluster: Cluster, pods: Iterable[PartialObject]) -> list[Manifest]:
    """What the kubelets of these pods' nodes say; one that does not answer, or may not be asked, says nothing."""

    def summary(node: str) -> Manifest:
        try:
            return cluster.read(f"{NODE.path(name=node)}/proxy/stats/summary")
        except ClusterError:
            return {}

    nodes = {pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")}
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        return list(pool.map(summary, sorted(nodes)))
