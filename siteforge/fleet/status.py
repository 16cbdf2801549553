"""How each tenant of a fleet is: one condition with its reasons, and the figures that go with it.

Pure: lists of objects in, values out. `siteforge.fleet.survey` makes the lists; tables, pages and programs show
the values.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from siteforge import names
from siteforge.blueprint import Blueprint
from siteforge.fleet.diagnosis import Cause, Objects, Reason, diagnose, stands_still
from siteforge.fleet.differences import Difference
from siteforge.fleet.partial_object import PartialObject
from siteforge.names import DATABASE, WORDPRESS
from siteforge.quantities import parse

KINDS: Final = ("Pod", "Deployment", "StatefulSet", "CronJob", "PersistentVolumeClaim", "ResourceQuota", "Namespace")
"""What is looked at, that which takes longest first. Secrets are not: no status needs to read them."""

_COUNTED_EXACTLY = {"persistentvolumeclaims", "requests.storage"}


class Condition(StrEnum):
    """How a tenant is, the worst first."""

    DEGRADED = "Degraded"
    """Something is wrong that does not pass by itself, though the site may still be served."""
    UNKNOWN = "Unknown"
    """The node of a pod does not report."""
    DRIFTED = "Drifted"
    """Nothing is wrong with what runs, but it is not what the catalogue says; told where drift is looked for."""
    FROZEN = "Frozen"
    """Nothing is wrong with what runs, and it is left as it is, whatever the catalogue says."""
    PROGRESSING = "Progressing"
    """It starts or rolls out."""
    SUSPENDED = "Suspended"
    """The catalogue says that it doesn't run, and so it is: a page says so, the data are kept."""
    READY = "Ready"
    """All that is wanted is there and ready."""


@dataclass(frozen=True)
class Usage:
    """One line of a quota."""

    resource: str
    used: str
    hard: str
    """The most there may be; both are Kubernetes quantities."""

    def __str__(self) -> str:
        return f"{self.resource} {self.used}/{self.hard}"

    @property
    def share(self) -> float:
        """How much of it is used, from 0; of nothing, or of what somebody wrote in another notation, nothing."""
        try:
            most = parse(self.hard)
            return float(parse(self.used) / most) if most else 0.0
        except ValueError:
            return 0.0


@dataclass(frozen=True)
class Volume:
    """A claim and its volume."""

    claim: str
    phase: str
    requested: str
    capacity: str
    """What it was given, which may be more; empty while it is unbound."""
    used: int | None = None
    """Bytes; None where nobody told (kubelets do, of volumes whose driver measures them)."""


@dataclass(frozen=True)
class Running:
    """An image that runs, or waits to run, in pods of a tenant."""

    component: str
    """The role of the pods: wordpress or mariadb."""
    image: str
    """As the pod asks for it."""
    digest: str
    """Of what the node made of it; empty while it has not pulled it."""
    pods: int
    """How many run it."""


@dataclass(frozen=True)
class LogEnd:
    """The last lines of a container that isn't well."""

    pod: str
    container: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Happening:
    """An event, as a person reads it."""

    time: str
    type: str
    reason: str
    object: str
    message: str
    count: int


@dataclass(frozen=True)
class TenantStatus:
    """How a tenant is. Times are RFC 3339 in UTC, and empty where there is none."""

    name: str
    namespace: str
    stack: str
    """The stack that has it."""
    condition: Condition
    reasons: tuple[Reason, ...]
    """The most telling first; none of a tenant that is ready."""
    images: tuple[Running, ...]
    ready: int
    wanted: int
    """Pods of the site and its database."""
    restarts: int
    """Of all containers of the pods there are."""
    quota: tuple[Usage, ...]
    volumes: tuple[Volume, ...]
    deployed: str
    """When Siteforge last changed the Deployment or the StatefulSet: the time of its field manager."""
    created: str
    """When the namespace was made."""
    url: str
    cron: str = ""
    """When the site's scheduled work was last done."""
    frozen: bool = False
    """Whether the catalogue says to leave it as it is; a fault is worse, and is its condition all the same."""
    events: tuple[Happening, ...] = ()
    logs: tuple[LogEnd, ...] = ()
    drift: tuple[Difference, ...] = ()
    """What is not as the catalogue says; none where nobody looked for it."""

    @property
    def why(self) -> str:
        """The most telling reason in a few words; empty of a tenant that is ready."""
        if self.reasons:
            return f"{'frozen; ' * self.frozen}{self.reasons[0].cause.words}"
        return f"{len(self.drift)} difference{'s' * (len(self.drift) != 1)} from the catalogue" if self.drift else ""

    @property
    def version(self) -> str:
        """WordPress's version, as the tags of the images that run say; empty where they have none."""
        tags = (tag(running.image) for running in self.images if running.component == WORDPRESS)
        return ", ".join(dict.fromkeys(found.partition("-")[0] for found in tags if found))

    @property
    def fullest(self) -> Usage | None:
        """The line of the quota that is closest to its end, of those that move: storage is counted to a volume."""
        moving = (usage for usage in self.quota if usage.resource not in _COUNTED_EXACTLY)
        return max(moving, key=lambda usage: (usage.share, usage.resource == "pods"), default=None)


def healthy(statuses: Iterable[TenantStatus]) -> bool:
    """Whether every tenant is as it is meant to be: ready, suspended, or frozen without a fault."""
    return all(status.condition in (Condition.READY, Condition.SUSPENDED, Condition.FROZEN) for status in statuses)


def status(
    tenant: Blueprint, stack: str, objects: Objects, used: Mapping[tuple[str, str], int] | None = None
) -> TenantStatus:
    """How a tenant is.

    Args:
        tenant: what the catalogue wants.
        stack: the stack that has it.
        objects: those of its namespace, by kind: see KINDS; Event may be there, too.
        used: bytes on volumes, by namespace and claim, where they are known.
    """
    namespace = names.namespace(tenant.name)
    # A frozen one is left as it is, whatever the catalogue says.
    suspended = stands_still(objects) if tenant.frozen else tenant.suspended
    reasons = diagnose(objects, expected(tenant), suspended=suspended)
    workloads = [*objects.get("Deployment", ()), *objects.get("StatefulSet", ())]
    pods = [pod for pod in objects.get("Pod", ()) if not pod["metadata"].get("deletionTimestamp")]
    return TenantStatus(
        name=tenant.name,
        namespace=namespace,
        stack=stack,
        condition=_condition(reasons, tenant.frozen, suspended),
        reasons=tuple(reasons),
        images=tuple(_images(pods)),
        ready=sum(one.get("status", {}).get("readyReplicas", 0) for one in workloads),
        wanted=sum(one["spec"].get("replicas", 1) for one in workloads),
        restarts=sum(container.get("restartCount", 0) for pod in pods for container in _containers(pod)),
        quota=tuple(usage for one in objects.get("ResourceQuota", ()) for usage in _usage(one)),
        volumes=tuple(_volume(claim, used or {}) for claim in objects.get("PersistentVolumeClaim", ())),
        deployed=max((time for one in workloads for time in _deployments(one)), default=""),
        created=next((one["metadata"].get("creationTimestamp", "") for one in objects.get("Namespace", ())), ""),
        url=tenant.url or "",
        cron=max(
            (one.get("status", {}).get("lastSuccessfulTime", "") for one in objects.get("CronJob", ())), default=""
        ),
        frozen=tenant.frozen,
    )


def with_drift(statuses: Iterable[TenantStatus], differences: Mapping[str, Sequence[Difference]]) -> list[TenantStatus]:
    """The same with what drift says of them; a fault is worse than drift, and stays the condition.

    Args:
        statuses: how the tenants are.
        differences: what is not as the catalogue says, by tenant, as `siteforge.fleet.drift` tells it.
    """
    return [
        replace(one, drift=tuple(found), condition=_drifted(one)) if (found := differences.get(one.name)) else one
        for one in statuses
    ]


def expected(tenant: Blueprint) -> Iterator[str]:
    """What has to be there of what is looked at, as `diagnose` takes it."""
    yield "resourcequota/tenant"
    yield f"persistentvolumeclaim/{WORDPRESS}"
    yield f"deployment/{WORDPRESS}"
    if tenant.database:
        yield f"persistentvolumeclaim/{DATABASE}"
        yield f"statefulset/{DATABASE}"


def by_namespace(lists: Mapping[str, Iterable[PartialObject]]) -> dict[str, dict[str, list[PartialObject]]]:
    """The objects of all namespaces, by namespace and kind; each namespace has every kind that was listed."""
    found: dict[str, dict[str, list[PartialObject]]] = defaultdict(lambda: {kind: [] for kind in lists})
    for kind, objects in lists.items():
        for one in objects:
            metadata = one["metadata"]
            found[metadata["name"] if kind == "Namespace" else metadata["namespace"]][kind].append(one)
    return found


def tag(image: str) -> str:
    """The tag of an image's name; empty if it has none."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


def _drifted(one: TenantStatus) -> Condition:
    """The condition of a tenant that is not as the catalogue says; of a frozen one, that is no news."""
    return one.condition if one.frozen else min(one.condition, Condition.DRIFTED, key=list(Condition).index)


def _condition(reasons: Sequence[Reason], frozen: bool, suspended: bool) -> Condition:
    faults = [reason.cause for reason in reasons if not reason.cause.passes]
    if faults:
        return Condition.UNKNOWN if set(faults) == {Cause.NODE_SILENT} else Condition.DEGRADED
    if frozen:
        return Condition.FROZEN
    if reasons:
        return Condition.PROGRESSING
    return Condition.SUSPENDED if suspended else Condition.READY


def _containers(pod: PartialObject) -> Iterator[dict[str, Any]]:
    yield from pod.get("status", {}).get("initContainerStatuses", ())
    yield from pod.get("status", {}).get("containerStatuses", ())


def _images(pods: Iterable[PartialObject]) -> Iterator[Running]:
    """The images of the containers that serve, by component, name and digest."""
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for pod in pods:
        component = pod["metadata"].get("labels", {}).get("app.kubernetes.io/name", "")
        asked = {container["name"]: container["image"] for container in pod["spec"].get("containers", ())}
        for container in pod.get("status", {}).get("containerStatuses", ()):
            digest = container.get("imageID", "").rpartition("@")[2]
            counts[component, asked.get(container["name"], container.get("image", "")), digest] += 1
    for (component, image, digest), pods_of_it in sorted(counts.items(), reverse=True):
        yield Running(component, image, digest, pods_of_it)


def _usage(quota: PartialObject) -> Iterator[Usage]:
    told = quota.get("status", {})
    for resource, hard in sorted(told.get("hard", {}).items()):
        yield Usage(resource, told.get("used", {}).get(resource, "0"), hard)


def _volume(claim: PartialObject, used: Mapping[tuple[str, str], int]) -> Volume:
    metadata, told = claim["metadata"], claim.get("status", {})
    return Volume(
        claim=metadata["name"],
        phase=told.get("phase", ""),
        requested=claim["spec"].get("resources", {}).get("requests", {}).get("storage", ""),
        capacity=told.get("capacity", {}).get("storage", ""),
        used=used.get((metadata["namespace"], metadata["name"])),
    )


def _deployments(workload: PartialObject) -> Iterator[str]:
    """When our field manager changed a workload; what it says of the status would be another's."""
    for entry in workload["metadata"].get("managedFields", ()):
        if entry.get("manager") == names.FIELD_MANAGER and not entry.get("subresource") and entry.get("time"):
            yield entry["time"]
