"""What is wrong in a tenant's namespace, in plain words, told from its objects alone.

Pure: who lists the objects (`siteforge status`, the wait of `siteforge up`) asks here what they mean. Reasons of
containers are those of the kubelet (pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime, pkg/kubelet/container),
those of events the controllers' and the scheduler's (pkg/controller, pkg/kubelet/events/event.go).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from siteforge.errors import printable
from siteforge.fleet.partial_object import PartialObject
from siteforge.specs.wordpress import SUSPENDED

Objects = Mapping[str, Sequence[PartialObject]]
"""A namespace's objects by kind, as in `{"Pod": [...]}`: what a list of the API server has, whose items lack `kind`."""

_LONGEST_DETAIL = 300
_LAST_OF_IT = 100
"""How much of its end a detail keeps: what wraps other errors has the first one there."""


class Cause(Enum):
    """Why a tenant isn't ready: in plain words, and what to do. The most telling come first."""

    NAMESPACE_MISSING = "the namespace does not exist", "run `pulumi up`"
    NAMESPACE_TERMINATING = "the namespace is being deleted", "wait until it is gone, then run `pulumi up`"
    OBJECT_MISSING = "it does not exist", "run `pulumi up`"
    QUOTA_EXCEEDED = "its pods don't fit into the quota", "remove what is not the site's own, or raise the plan"
    LIMIT_EXCEEDED = "its containers don't fit into the limit range", "run `pulumi up`, or raise the plan"
    POD_SECURITY = "Pod Security forbids its pods", "take back what was edited: run `pulumi up`"
    POD_REFUSED = "the API server refuses its pods", "do what it says"
    IMAGE_PULL = "the image can't be pulled", "name an image that exists and that the nodes may pull"
    OUT_OF_MEMORY = "it was killed for want of memory", "raise resources.limits.memory, or the plan"
    CONFIGURATION = "a Secret or ConfigMap that it needs isn't there", "run `pulumi up`"
    CONTAINER_ERROR = "the container can't be started", "look at the image's command and user"
    CRASH_LOOP = "it ends again and again", "read its log: `siteforge logs TENANT`"
    EXITED = "it ended", "read its log: `siteforge logs TENANT`"
    VOLUME_LOST = "its volume is gone", "restore it from a backup"
    CLAIM_UNBOUND = "no volume can be made for the claim", "name a storage class that the cluster has"
    VOLUME_MOUNT = "the volume can't be mounted", "look at the storage driver on the pod's node"
    NETWORK = "the pod gets no network", "look at the network plugin on the pod's node"
    UNSCHEDULABLE = "no node can take the pod", "add nodes, or lower what the pod requests"
    EVICTED = "its node put the pod out", "look at the node's memory and disks"
    NODE_SILENT = "its node does not report", "look at the node: `kubectl get nodes`"
    NOT_READY = "it runs, but fails its readiness probe", "read its log: `siteforge logs TENANT`"
    SCALED_TO_ZERO = "somebody scaled it to zero", "run `pulumi up`"
    NOT_SUSPENDED = "it runs, and the catalogue suspends it", "run `pulumi up`"
    STUCK = "the rollout makes no progress", "read its events: `siteforge status TENANT`"
    CLAIM_PENDING = "it waits for its volume", ""
    INITIALISING = "it waits for what has to be done before", ""
    STARTING = "it is starting", ""
    ROLLOUT = "it is rolling out", ""

    @property
    def words(self) -> str:
        """What is wrong."""
        return self.value[0]

    @property
    def fix(self) -> str:
        """What to do; empty for what passes by itself."""
        return self.value[1]

    @property
    def passes(self) -> bool:
        """Whether it belongs to every start and rollout, and is nobody's fault until it lasts."""
        return not self.fix


@dataclass(frozen=True)
class Reason:
    """One reason why a tenant isn't ready.

    Printed as `object: what is wrong (what Kubernetes says) - fix`, on one line.
    """

    cause: Cause
    object: str
    """As kubectl takes it: `pod/wordpress-6c9d-x2x`, `deployment/wordpress`."""
    container: str = ""
    """The pod's container that is meant, if it is one."""
    detail: str = ""
    """What Kubernetes says of it, shortened; may be empty."""

    def __str__(self) -> str:
        place = f"{self.object}, container {self.container}" if self.container else self.object
        detail = f" ({self.detail})" if self.detail else ""
        fix = f" - {self.cause.fix}" if self.cause.fix else ""
        return f"{place}: {self.cause.words}{detail}{fix}"


def diagnose(objects: Objects, expected: Iterable[str] = (), *, suspended: bool = False) -> list[Reason]:
    """Why the tenant of a namespace isn't ready, the most telling reason first; empty if it is ready.

    A kind that is no key of `objects` wasn't looked at, and nothing is said of it. No clock is read and no request
    made. Whether to go on waiting is up to the caller: `any(not reason.cause.passes for reason in ...)` tells
    faults from what every start goes through.

    Args:
        objects: the namespace's objects by kind. Looked at: Namespace (the one itself: an empty list says that there
            is none), PersistentVolumeClaim, Deployment, StatefulSet, Pod, and Event, of which those of type Warning
            are enough and none are needed: without them, fewer causes are told apart.
        expected: what has to be there, each as `kind/name` in lower case (`deployment/wordpress`).
        suspended: whether the catalogue wants neither site nor database to run.
    """
    namespaces = objects.get("Namespace")
    if namespaces is not None:
        if not namespaces:
            return [Reason(Cause.NAMESPACE_MISSING, "namespace")]
        if namespaces[0]["metadata"].get("deletionTimestamp"):
            return [_terminating(namespaces[0])]
    events = _Events(objects.get("Event", ()))
    reasons = [*_missing(objects, expected)]
    waiting = [reason for claim in objects.get("PersistentVolumeClaim", ()) for reason in _claim(claim, events)]
    reasons += waiting
    for kind in ("StatefulSet", "Deployment"):
        for workload in objects.get(kind, ()):
            own = [pod for pod in objects.get("Pod", ()) if _selects(workload, pod)]
            if suspended and not _stands_still(kind, workload):
                reasons.append(Reason(Cause.NOT_SUSPENDED, f"{kind.lower()}/{workload['metadata']['name']}"))
            elif suspended and kind == "StatefulSet":
                reasons += _stopping(own)
            else:
                stuck = [reason for reason in waiting if not reason.cause.passes]
                reasons += _workload(kind, workload, own, events, stuck)
    order = list(Cause)
    return sorted(dict.fromkeys(reasons), key=lambda reason: order.index(reason.cause))


def stands_still(objects: Objects) -> bool:
    """Whether the tenant of a namespace is suspended there, whatever the catalogue says."""
    workloads = [(kind, one) for kind in ("StatefulSet", "Deployment") for one in objects.get(kind, ())]
    return bool(workloads) and all(_stands_still(*one) for one in workloads)


class _Events:
    """Warnings by the object that they are about, the newest of each reason."""

    def __init__(self, events: Iterable[PartialObject]) -> None:
        self._messages: dict[tuple[str, str, str], tuple[str, str]] = {}
        for event in events:
            about = event.get("involvedObject", {})
            key = about.get("kind", ""), about.get("name", ""), event.get("reason", "")
            new = event_time(event), event.get("message", "")
            self._messages[key] = max(new, self._messages.get(key, ("", "")))

    def message(self, kind: str, name: str, *reasons: str) -> str | None:
        """What the newest event of the first of the reasons says that there is one of."""
        found = (self._messages.get((kind, name, reason)) for reason in reasons)
        return next((said for one in found if one for said in one[1:]), None)


def event_time(event: PartialObject) -> str:
    """When an event happened last, by whichever of its fields says so (events.k8s.io has had several)."""
    series = event.get("series") or {}
    candidates = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((time for time in candidates if time), None) or event.get("metadata", {}).get("creationTimestamp") or ""


def _detail(text: str | None) -> str:
    line = printable(" ".join((text or "").split()))
    if len(line) <= _LONGEST_DETAIL:
        return line
    return f"{line[: _LONGEST_DETAIL - _LAST_OF_IT - 1]}…{line[-_LAST_OF_IT:]}"


def _terminating(namespace: PartialObject) -> Reason:
    """A namespace that is being deleted, and what holds that up (`NamespaceContentRemaining` and its like)."""
    conditions = namespace.get("status", {}).get("conditions", ())
    holding = [one.get("message", "") for one in conditions if one.get("status") == "True"]
    name = f"namespace/{namespace['metadata']['name']}"
    return Reason(Cause.NAMESPACE_TERMINATING, name, detail=_detail("; ".join(holding)))


def _missing(objects: Objects, expected: Iterable[str]) -> Iterator[Reason]:
    kinds = {kind.lower(): {one["metadata"]["name"] for one in found} for kind, found in objects.items()}
    for name in expected:
        kind, _, own = name.partition("/")
        if own not in kinds.get(kind, {own}):
            yield Reason(Cause.OBJECT_MISSING, name)


def _claim(claim: PartialObject, events: _Events) -> Iterator[Reason]:
    name = claim["metadata"]["name"]
    phase = claim.get("status", {}).get("phase")
    if phase == "Lost":
        volume = claim["spec"].get("volumeName", "")
        yield Reason(Cause.VOLUME_LOST, f"persistentvolumeclaim/{name}", detail=_detail(volume))
    elif phase == "Pending":
        said = events.message("PersistentVolumeClaim", name, "ProvisioningFailed", "FailedBinding")
        cause = Cause.CLAIM_PENDING if said is None else Cause.CLAIM_UNBOUND
        yield Reason(cause, f"persistentvolumeclaim/{name}", detail=_detail(said))


def _selects(workload: PartialObject, pod: PartialObject) -> bool:
    labels = pod["metadata"].get("labels", {})
    selector: dict[str, str] = workload["spec"]["selector"].get("matchLabels", {})
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _stands_still(kind: str, workload: PartialObject) -> bool:
    """Whether a workload is declared as a suspended tenant's: no database, and the pod of a page."""
    if kind == "StatefulSet":
        return bool(workload["spec"].get("replicas", 1) == 0)
    labels = workload["spec"].get("template", {}).get("metadata", {}).get("labels", {})
    return bool(labels.items() >= SUSPENDED.items())


def _stopping(pods: Iterable[PartialObject]) -> Iterator[Reason]:
    for pod in pods:
        yield Reason(Cause.ROLLOUT, f"pod/{pod['metadata']['name']}", detail="it is stopping")


def _workload(
    kind: str, workload: PartialObject, pods: list[PartialObject], events: _Events, unbound: list[Reason]
) -> list[Reason]:
    """What keeps a Deployment or a StatefulSet from having all its pods, of the newest version and ready."""
    name = workload["metadata"]["name"]
    place = f"{kind.lower()}/{name}"
    status, wanted = workload.get("status", {}), workload["spec"].get("replicas", 1)
    if wanted == 0:
        return [Reason(Cause.SCALED_TO_ZERO, place)]
    seen = status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 0)
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    # Old pods that are still there may be the ready ones (as in `kubectl rollout status`).
    if seen and ready >= wanted and updated >= wanted and status.get("replicas", 0) <= updated:
        return []
    reasons = list(_refused(kind, workload, place, events))
    for pod in pods:
        reasons += _pod(pod, events, unbound)
    conditions = {one["type"]: one for one in status.get("conditions", ())}
    progressing = conditions.get("Progressing", {})
    stuck = progressing.get("reason") == "ProgressDeadlineExceeded"
    if stuck and all(reason.cause.passes for reason in reasons):
        reasons.append(Reason(Cause.STUCK, place, detail=_detail(progressing.get("message"))))
    if not reasons:
        detail = f"{ready} of {wanted} ready, {updated} of the newest version" if seen else "not yet begun"
        reasons.append(Reason(Cause.ROLLOUT, place, detail=detail))
    return reasons


_REFUSALS = (
    ("exceeded quota", Cause.QUOTA_EXCEEDED),
    ("failed quota", Cause.QUOTA_EXCEEDED),
    ("violates PodSecurity", Cause.POD_SECURITY),
    ("usage per Container", Cause.LIMIT_EXCEEDED),
    ("usage per Pod", Cause.LIMIT_EXCEEDED),
)
"""What admission plugins of the API server say (plugin/pkg/admission/resourcequota, limitranger; pod-security)."""


def _refused(kind: str, workload: PartialObject, place: str, events: _Events) -> Iterator[Reason]:
    """Pods that a controller could not create: a Deployment has a condition that says so, a StatefulSet an event."""
    status, name = workload.get("status", {}), workload["metadata"]["name"]
    failures = [one for one in status.get("conditions", ()) if one["type"] == "ReplicaFailure"]
    said = next((one.get("message", "") for one in failures if one.get("status") == "True"), None)
    if kind == "StatefulSet" and status.get("replicas", 0) < workload["spec"].get("replicas", 1):
        said = events.message(kind, name, "FailedCreate")
    if said is not None:
        cause = next((cause for words, cause in _REFUSALS if words in said), Cause.POD_REFUSED)
        yield Reason(cause, place, detail=_detail(said))


def _pod(pod: PartialObject, events: _Events, unbound: list[Reason]) -> list[Reason]:
    """Why a pod isn't ready; one that is on its way out is no fault."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    conditions = {one["type"]: one for one in status.get("conditions", ())}
    ready, scheduled = conditions.get("Ready", {}), conditions.get("PodScheduled", {})
    if pod["metadata"].get("deletionTimestamp") or status.get("phase") == "Succeeded" or ready.get("status") == "True":
        return []
    place = f"pod/{name}"
    if status.get("phase") == "Failed":
        return [Reason(Cause.EVICTED, place, detail=_detail(status.get("message") or status.get("reason")))]
    if status.get("reason") == "NodeLost" or ready.get("status") == "Unknown":
        return [Reason(Cause.NODE_SILENT, place, detail=_detail(pod["spec"].get("nodeName")))]
    if scheduled.get("status") == "False":
        return _unscheduled(place, scheduled, unbound)
    container = next(_containers(pod, events), None)
    if container is not None:
        return [container]
    if status.get("containerStatuses") and not pod["spec"].get("readinessGates"):
        # All containers are ready and the pod isn't: so says the controller of nodes of one that is silent.
        return [Reason(Cause.NODE_SILENT, place, detail=_detail(pod["spec"].get("nodeName")))]
    return [_creating(place, "", name, events)]


def _unscheduled(place: str, scheduled: Mapping[str, Any], unbound: list[Reason]) -> list[Reason]:
    said = scheduled.get("message", "")
    if scheduled.get("reason") == "SchedulingGated":
        return [Reason(Cause.STARTING, place, detail=_detail(said))]
    if "persistentvolumeclaim" in said.lower():
        # The claim's own reason says more, where there is one.
        return unbound or [Reason(Cause.CLAIM_UNBOUND, place, detail=_detail(said))]
    return [Reason(Cause.UNSCHEDULABLE, place, detail=_detail(said))]


_IMAGE = {
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImageInspectError",
    "ImagePullBackOff",
    "InvalidImageName",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
_STARTING = {"ContainerCreating", "PodInitializing", ""}


def _containers(pod: PartialObject, events: _Events) -> Iterator[Reason]:
    """What is wrong with each container that isn't ready, in the order in which they start."""
    status, name = pod.get("status", {}), pod["metadata"]["name"]
    for one in status.get("initContainerStatuses", ()):
        if not one.get("ready") and not _completed(one):
            yield _container(name, one, events, before=True)
    for one in status.get("containerStatuses", ()):
        if not one.get("ready"):
            yield _container(name, one, events, before=False)


def _completed(container: Mapping[str, Any]) -> bool:
    return bool(container.get("state", {}).get("terminated", {}).get("exitCode") == 0)


def _container(pod: str, container: Mapping[str, Any], events: _Events, *, before: bool) -> Reason:
    place, name, state = f"pod/{pod}", container["name"], container.get("state", {})
    last = container.get("lastState", {}).get("terminated", {})
    waiting, ended = state.get("waiting"), state.get("terminated")
    if "OOMKilled" in ((ended or {}).get("reason"), last.get("reason")):
        detail = f"{container.get('restartCount', 0)} restarts"
        return Reason(Cause.OUT_OF_MEMORY, place, name, detail)
    if waiting is not None:
        reason, said = waiting.get("reason", ""), waiting.get("message", "")
        if reason in _IMAGE:
            return Reason(Cause.IMAGE_PULL, place, name, _detail(said or reason))
        if reason == "CrashLoopBackOff":
            return Reason(Cause.CRASH_LOOP, place, name, _ending(last, container.get("restartCount", 0)))
        if reason == "CreateContainerConfigError":
            return Reason(Cause.CONFIGURATION, place, name, _detail(said))
        if reason not in _STARTING:
            return Reason(Cause.CONTAINER_ERROR, place, name, _detail(said or reason))
        return _creating(place, name, pod, events)
    if ended is not None:
        return Reason(Cause.EXITED, place, name, _ending(ended, container.get("restartCount", 0)))
    said = events.message("Pod", pod, "Unhealthy")
    if before:
        return Reason(Cause.INITIALISING, place, name)
    if not container.get("started"):
        return Reason(Cause.STARTING, place, name, _detail(said))
    return Reason(Cause.NOT_READY, place, name, _detail(said))


def _creating(place: str, container: str, pod: str, events: _Events) -> Reason:
    """A container that the kubelet is still preparing: what events say holds that up."""
    if (said := events.message("Pod", pod, "FailedMount", "FailedAttachVolume")) is not None:
        return Reason(Cause.VOLUME_MOUNT, place, container, _detail(said))
    if (said := events.message("Pod", pod, "FailedCreatePodSandBox")) is not None:
        return Reason(Cause.NETWORK, place, container, _detail(said))
    return Reason(Cause.STARTING, place, container)


def _ending(ended: Mapping[str, Any], restarts: int) -> str:
    signal = f", signal {ended['signal']}" if ended.get("signal") else ""
    said = f": {ended['message']}" if ended.get("message") else ""
    return _detail(f"exit code {ended.get('exitCode', 'unknown')}{signal}, {restarts} restarts{said}")
