"""The guarantee: every tenant's Deployment and StatefulSet are ready, and every Service has a ready endpoint."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from bench.kube import Api, KubeError, collection
from siteforge.specs.manifest import Manifest

SELECTOR = "app.kubernetes.io/part-of=siteforge"
"""What every object of a tenant carries, and what an EndpointSlice takes over from its Service."""

_WATCHED = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "EndpointSlice": "discovery.k8s.io/v1"}


class Part(NamedTuple):
    """Something that has to be ready."""

    kind: str
    """Deployment, StatefulSet or Service."""
    namespace: str
    name: str


class NotReadyError(Exception):
    """The deadline passed; the message names the first of what isn't ready."""


def parts(manifests: Iterable[Manifest]) -> set[Part]:
    """What of these objects has to be ready."""
    kinds = {"Deployment", "StatefulSet", "Service"}
    return {
        Part(manifest["kind"], manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        for manifest in manifests
        if manifest["kind"] in kinds
    }


def is_ready(kind: str, found: Mapping[str, Any]) -> bool:
    """Whether an object, as the API server shows it, is ready in its present form, with nothing old left over.

    The rules are those of `kubectl rollout status` and, for an EndpointSlice, an endpoint that takes traffic.
    """
    if kind == "EndpointSlice":
        return any(endpoint.get("conditions", {}).get("ready") for endpoint in found.get("endpoints") or [])
    status, wanted = found.get("status", {}), found["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < found["metadata"]["generation"]:
        return False
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    return counts == [wanted] * len(counts)


def wait(api: Api, wanted: set[Part], seconds: float) -> None:
    """Wait by one LIST and one watch a kind until everything in `wanted` is ready.

    Raises:
        NotReadyError: it isn't after `seconds`.
        KubeError: the API server refuses.
    """
    deadline = time.monotonic() + seconds
    with ThreadPoolExecutor(len(_WATCHED)) as pool:
        waits = [pool.submit(_wait, api, kind, wanted, deadline) for kind in _WATCHED]
    pending = sorted(set().union(*(wait.result() for wait in waits)))
    if pending:
        first = pending[0]
        raise NotReadyError(
            f"{len(pending)} of {len(wanted)} not ready after {seconds:.0f} s,"
            f" first {first.kind} {first.namespace}/{first.name}"
        )


def _wait(api: Api, kind: str, wanted: set[Part], deadline: float) -> set[Part]:
    """Returns what is still not ready at the deadline."""
    target = collection(_WATCHED[kind], kind)
    mine = {part for part in wanted if part.kind == ("Service" if kind == "EndpointSlice" else kind)}
    while True:
        ready: set[Part] = set()
        version = ""
        for page in api.pages(target, SELECTOR):
            version = page["metadata"]["resourceVersion"]
            ready |= {_part(kind, item) for item in page["items"] if is_ready(kind, item)}
        pending = mine - ready
        try:
            _follow(api, kind, version, pending, deadline)
        except KubeError as error:
            if error.status not in (0, 410):
                raise
        if not pending or time.monotonic() > deadline:
            return pending


def _follow(api: Api, kind: str, version: str, pending: set[Part], deadline: float) -> None:
    """Take from `pending` what gets ready, and put back what ceases to be, until nothing is left or the watch ends."""
    left = deadline - time.monotonic()
    if not pending or left <= 0:
        return
    known = set(pending)
    for event in api.watch(collection(_WATCHED[kind], kind), SELECTOR, version, left):
        if event["type"] == "ERROR":
            return
        part = _part(kind, event["object"])
        if part in known:
            ready = event["type"] != "DELETED" and is_ready(kind, event["object"])
            (pending.discard if ready else pending.add)(part)
        if not pending:
            return


def _part(kind: str, found: Mapping[str, Any]) -> Part:
    metadata = found["metadata"]
    if kind == "EndpointSlice":
        return Part("Service", metadata["namespace"], metadata["labels"]["kubernetes.io/service-name"])
    return Part(kind, metadata["namespace"], metadata["name"])
