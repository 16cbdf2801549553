"""Waiting until tenants are ready: all of them at once, over a few watches of the whole cluster.

Ready means what Pulumi's own awaits mean by it: the Deployment and the StatefulSet run the declared template with
all replicas, and the Services have endpoints that answer. Pulumi asks object by object, with watches for
each namespace and a settle time for each Service; here, three watches serve any number of tenants. Of a few tenants,
their namespaces are watched: to list a whole fleet for them would take longer than they do.

A deadline is one of progress, as a Deployment's `progressDeadlineSeconds` is: it counts from the last tenant that
became ready. However many there are, a cluster that gets on with them is given the time that it takes.
"""

import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Set
from dataclasses import dataclass, field
from itertools import product

from siteforge.blueprint import Blueprint
from siteforge.errors import ClusterError
from siteforge.fleet.cluster import Change, Cluster
from siteforge.fleet.connection import WatchEndedError
from siteforge.fleet.kinds import BY_NAME, ENDPOINT_SLICE, OURS, Kind
from siteforge.fleet.partial_object import PartialObject
from siteforge.names import DATABASE, WORDPRESS
from siteforge.names import namespace as namespace_of

_WATCHED = (BY_NAME["Deployment"], BY_NAME["StatefulSet"], ENDPOINT_SLICE)
_WATCH_SECONDS = 300
_PAUSE_SECONDS = 1.0
_LOOK_SECONDS = 1.0
"""How long nothing may happen until it is looked whether the wait is over."""
_FEW = 4
"""Tenants whose namespaces are watched one by one: three watches each."""

Key = tuple[str, str, str]
"""Kind, namespace and name of an object; of an EndpointSlice, the name is its Service's."""


def expected(tenant: Blueprint) -> dict[Key, str]:
    """What has to be ready for a tenant to be, and what people call it."""
    where = namespace_of(tenant.name)
    found: dict[Key, str] = {
        ("Deployment", where, WORDPRESS): "deployment/wordpress",
        ("EndpointSlice", where, WORDPRESS): "service/wordpress",
    }
    if tenant.database:
        found[("StatefulSet", where, DATABASE)] = "statefulset/mariadb"
        if not tenant.suspended:
            found[("EndpointSlice", where, DATABASE)] = "service/mariadb"
    return found


def unready(live: PartialObject) -> str:
    """Why a Deployment or StatefulSet is not ready, as `kubectl rollout status` would say; empty if it is."""
    spec, status = live.get("spec", {}), live.get("status", {})
    wanted = spec.get("replicas", 1)
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 1):
        return "its controller has not seen the change yet"
    if (updated := status.get("updatedReplicas", 0)) < wanted:
        return f"{updated} of {wanted} pods are of the new template"
    if status.get("replicas", 0) > updated:
        return f"{status['replicas'] - updated} old pods are still there"
    if (replicas := status.get("replicas", 0)) > wanted:
        return f"{replicas} pods are there instead of {wanted}"
    ready = status.get("availableReplicas" if live["kind"] == "Deployment" else "readyReplicas", 0)
    return f"{ready} of {wanted} pods are ready" if ready < wanted else ""


def answers(live: PartialObject) -> bool:
    """Whether an EndpointSlice has an endpoint that is ready."""
    return any(endpoint.get("conditions", {}).get("ready", False) for endpoint in live.get("endpoints") or ())


@dataclass
class Waiting:
    """Which tenants are not ready yet, and why: a fold over what the cluster says, without any I/O."""

    needed: dict[Key, str]
    """What is waited for, as people call it."""
    _reasons: dict[Key, str] = field(init=False)
    _open: dict[str, set[Key]] = field(default_factory=dict)
    """By namespace, what is not ready; kept, as to go through everything at each change costs the square of a fleet."""
    _slices: dict[Key, dict[str, bool]] = field(default_factory=dict)
    """Of each Service, whether its EndpointSlices answer, by name."""

    def __post_init__(self) -> None:
        self._reasons = dict.fromkeys(self.needed, "it is not there")
        for key in self.needed:
            self._open.setdefault(key[1], set()).add(key)

    @property
    def places(self) -> list[str | None]:
        """The namespaces to look in; None stands for all there are."""
        namespaces = sorted({where for _, where, _ in self.needed})
        return [*namespaces] if len(namespaces) <= _FEW else [None]

    def see(self, live: PartialObject, *, deleted: bool = False) -> None:
        """Take note of an object as it is now."""
        metadata = live["metadata"]
        if live["kind"] == "EndpointSlice":
            key = (
                "EndpointSlice",
                metadata["namespace"],
                metadata.get("labels", {}).get("kubernetes.io/service-name", ""),
            )
            self._slices.setdefault(key, {})[metadata["name"]] = not deleted and answers(live)
            reason = "" if any(self._slices[key].values()) else "it has no endpoint that is ready"
        else:
            key = (live["kind"], metadata["namespace"], metadata["name"])
            reason = "it is not there" if deleted else unready(live)
        if key not in self.needed:
            return
        self._reasons[key] = reason
        if reason:
            self._open.setdefault(key[1], set()).add(key)
        elif several := self._open.get(key[1]):
            several.discard(key)
            if not several:
                del self._open[key[1]]

    @property
    def unready(self) -> Set[str]:
        """The namespaces in which something is not ready."""
        return self._open.keys()

    @property
    def left(self) -> dict[str, list[str]]:
        """By namespace, what is not ready and why."""
        found: dict[str, list[str]] = {}
        for key, reason in self._reasons.items():
            if reason:
                found.setdefault(key[1], []).append(f"{self.needed[key]}: {reason}")
        return found


@dataclass
class Patience:
    """How long to wait: so long without progress.

    Args:
        seconds: without anybody becoming ready; who comes and goes is no progress.
        fewest: how many were left when it began, or the fewest since.
        since: the last progress, on the monotonic clock.
    """

    seconds: float
    fewest: int
    since: float = field(default_factory=time.monotonic)

    def see(self, left: int) -> bool:
        """Take note of how many are left; returns whether that is progress."""
        if left >= self.fewest:
            return False
        self.fewest, self.since = left, time.monotonic()
        return True

    @property
    def over(self) -> bool:
        """Whether it is at its end."""
        return time.monotonic() - self.since >= self.seconds


def needed(tenants: Iterable[Blueprint]) -> dict[Key, str]:
    """What has to be ready for all of them to be, and what people call it."""
    return {key: said for tenant in tenants for key, said in expected(tenant).items()}


def wait(
    cluster: Cluster,
    tenants: Collection[Blueprint],
    seconds: float,
    progress: Callable[[Collection[str]], None] = lambda _: None,
    *,
    passed: float = 0.0,
) -> dict[str, list[str]]:
    """Wait until all tenants are ready.

    Args:
        cluster: where they are.
        tenants: who is waited for.
        seconds: the deadline, counted anew from each tenant that becomes ready.
        progress: is told, each time that they get fewer, the namespaces that are not ready.
        passed: the seconds that they have been waited for already, since the last that became ready.

    Returns:
        What is not ready at the deadline, by namespace; empty if all is.

    Raises:
        ClusterError: the API server can't be asked.
    """
    patience = Patience(seconds, len(tenants), time.monotonic() - passed)

    def over(waiting: Waiting) -> bool:
        if patience.see(len(waiting.unready)):
            progress(waiting.unready)
        return not waiting.unready or patience.over

    return watch(cluster, needed(tenants), over).left


def watch(cluster: Cluster, wanted: dict[Key, str], over: Callable[[Waiting], bool]) -> Waiting:
    """Watch what has to be ready, until somebody has seen enough.

    Args:
        cluster: where it is.
        wanted: what, and what people call it.
        over: whether that is enough; asked when something changed, and each second in which nothing did.

    Raises:
        ClusterError: the API server can't be asked.
    """
    while True:
        try:
            return _watch(cluster, Waiting(wanted), over)
        except WatchEndedError:
            # What happened in between is not known: look at everything again, and not without end at once.
            time.sleep(_PAUSE_SECONDS)


def _watch(cluster: Cluster, waiting: Waiting, over: Callable[[Waiting], bool]) -> Waiting:
    versions = {}
    for of in product(_WATCHED, waiting.places):
        found, versions[of] = cluster.partial_objects_at(of[0], labels=OURS, namespace=of[1])
        for live in found:
            # A list names its kind once, not in each of its items.
            waiting.see({"kind": of[0].name, **live})
    if over(waiting):
        return waiting
    changes: queue.SimpleQueue[Change | ClusterError] = queue.SimpleQueue()
    done = threading.Event()
    for of, version in versions.items():
        threading.Thread(target=_follow, args=(cluster, of, version, changes, done), daemon=True).start()
    try:
        while not over(waiting):
            for change in _take(changes, _LOOK_SECONDS):
                waiting.see(change.object, deleted=change.type == "DELETED")
    finally:
        done.set()
    return waiting


def _take(changes: "queue.SimpleQueue[Change | ClusterError]", seconds: float) -> Iterator[Change]:
    """What has come, or the first that comes within `seconds`; an error is raised."""
    try:
        found: list[Change | ClusterError] = [changes.get(timeout=seconds)]
        while True:
            if isinstance(found[-1], ClusterError):
                raise found[-1]
            yield found[-1]
            found.append(changes.get_nowait())
    except queue.Empty:
        return


def _follow(
    cluster: Cluster,
    of: tuple[Kind, str | None],
    version: str,
    changes: "queue.SimpleQueue[Change | ClusterError]",
    done: threading.Event,
) -> None:
    """Pass on what changes of a kind in a namespace, or in all, until `done`; an error is the last that comes."""
    kind, namespace = of
    try:
        while not done.is_set():
            for change in cluster.watch(kind, version, labels=OURS, namespace=namespace, seconds=_WATCH_SECONDS):
                version = change.object["metadata"]["resourceVersion"]
                changes.put(change)
                if done.is_set():
                    return
    except ClusterError as error:
        changes.put(error)
