"""The logs of a tenant's pods as one, in the order of time."""

import heapq
import queue
import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from siteforge.errors import ClusterError
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import POD
from siteforge.names import Role, selector
from siteforge.specs.manifest import Manifest

LAST: Final = 100
"""How many lines of each container are shown, unless somebody says otherwise."""

_SECONDS_BETWEEN_LOOKS = 2.0
_WINDOW_SECONDS = 0.3
"""Followed lines that arrive within it are put in order: streams of several nodes don't arrive in theirs."""

_STAMP = re.compile(
    r"(?P<second>[^ .]{19})(?:\.(?P<fraction>[0-9]+))?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2}) ?(?P<text>.*)", re.S
)

_NANOSECONDS = 10**9
Moment = int
"""Nanoseconds since 1970, which is what the kubelet's times have."""


@dataclass(frozen=True)
class Source:
    """A container whose log is read."""

    pod: str
    container: str
    serves: bool
    """Whether it is the pod's own work; otherwise it prepares it."""

    def __str__(self) -> str:
        return self.pod if self.serves else f"{self.pod}/{self.container}"


@dataclass(frozen=True)
class Line:
    """A line of a log."""

    moment: Moment
    source: Source
    text: str

    @property
    def time(self) -> str:
        """The moment by RFC 3339, in UTC and to the nanosecond; empty where the kubelet told none."""
        seconds, rest = divmod(self.moment, _NANOSECONDS)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z" if self.moment else ""


def sources(pods: Iterable[Manifest]) -> list[Source]:
    """The containers of these pods that have a log, in the order in which they start."""
    found = []
    for pod in pods:
        for part, serves in (("initContainerStatuses", False), ("containerStatuses", True)):
            for status in pod.get("status", {}).get(part, ()):
                if {"running", "terminated"} & {*status.get("state", {}), *status.get("lastState", {})}:
                    found.append(Source(pod["metadata"]["name"], status["name"], serves))
    return found


def parse(source: Source, text: str, before: Moment = 0) -> Line:
    """A line as the API server gives it with `timestamps`; one that has no time follows the one before."""
    match = _STAMP.fullmatch(text)
    if match is None:
        return Line(before, source, text)
    try:
        seconds = datetime.fromisoformat(match["second"] + match["zone"].replace("Z", "+00:00")).timestamp()
    except ValueError:
        return Line(before, source, text)
    return Line(int(seconds) * _NANOSECONDS + int((match["fraction"] or "").ljust(9, "0")[:9]), source, match["text"])


def merge(streams: Sequence[Iterable[Line]]) -> Iterator[Line]:
    """Several streams, each in order, as one; no more than a line of each is held."""
    return heapq.merge(*streams, key=lambda line: line.moment)


def read(
    cluster: Cluster, tenant: str, role: Role | None = None, *, tail: int | None = LAST, seconds: int | None = None
) -> Iterator[Line]:
    """What the logs of a tenant's pods hold.

    Args:
        cluster, tenant: where and whose.
        role: whose pods; those of all roles when left out.
        tail: at most so many lines of each container, the last ones; None stands for all.
        seconds: none older than that; None stands for any age.

    Raises:
        ClusterError: the API server can't be asked, or refuses; or the tenant has no pod. What hinders the log of one
            container is raised when those of all others have been read.
    """
    found = sources(_pods(cluster, tenant, role))
    if not found:
        raise ClusterError(f"{tenant}: no pod with a log - `siteforge status {tenant}` says why")
    query = _query(tail, seconds)
    unread: list[str] = []

    def lines(source: Source) -> Iterator[Line]:
        try:
            yield from _lines(cluster, tenant, source, query)
        except ClusterError as error:
            unread.append(f"{source}: {error}")

    yield from merge([lines(source) for source in found])
    if unread:
        raise ClusterError("\n".join(unread))


def follow(
    cluster: Cluster,
    tenant: str,
    role: Role | None = None,
    *,
    tail: int | None = LAST,
    seconds: int | None = None,
    stop: threading.Event | None = None,
) -> Iterator[Line]:
    """The same, and then each line as it is written, those of pods that start later among them.

    Args:
        cluster, tenant, role, tail, seconds: as of `read`.
        stop: ends it when set; without it there is no end.

    Raises:
        ClusterError: as `read`; a single container's log that can't be read is tried again.
    """
    lines: queue.SimpleQueue[Line] = queue.SimpleQueue()
    followed: dict[Source, _Follower] = {}
    query = _query(tail, seconds)
    next_look = 0.0
    stop = stop or threading.Event()
    while not stop.is_set():
        if time.monotonic() >= next_look:
            for source in sources(_pods(cluster, tenant, role)):
                if source not in followed:
                    followed[source] = _Follower(cluster, tenant, source, lines)
                followed[source].ensure(query)
            # What starts from now on is wanted from its beginning.
            query, next_look = {}, time.monotonic() + _SECONDS_BETWEEN_LOOKS
        stop.wait(_WINDOW_SECONDS)
        arrived = [lines.get() for _ in range(lines.qsize())]
        yield from sorted(arrived, key=lambda line: line.moment)


class _Follower:
    """Follows one container, over its restarts."""

    def __init__(self, cluster: Cluster, tenant: str, source: Source, lines: "queue.SimpleQueue[Line]") -> None:
        self._cluster, self._tenant, self._source, self._lines = cluster, tenant, source, lines
        self._last: Moment = -1
        self._thread: threading.Thread | None = None

    def ensure(self, query: dict[str, str]) -> None:
        """Follow, unless it is being followed; the first time as `query` says, later from the last line on."""
        if self._thread is None or not self._thread.is_alive():
            if self._last >= 0:
                query = {"sinceTime": datetime.fromtimestamp(self._last // _NANOSECONDS).astimezone().isoformat()}
            # A daemon: it waits for lines that may never come, and has nothing to lose.
            self._thread = threading.Thread(target=self._run, args=(query,), daemon=True)
            self._thread.start()

    def _run(self, query: dict[str, str]) -> None:
        seen = self._last
        try:
            for line in _lines(self._cluster, self._tenant, self._source, query | {"follow": "true"}):
                if line.moment > seen:
                    self._last = line.moment
                    self._lines.put(line)
        except ClusterError:
            return  # the next look tries again


def _pods(cluster: Cluster, tenant: str, role: Role | None) -> list[Manifest]:
    labels = {"app.kubernetes.io/instance": tenant} if role is None else selector(tenant, role)
    return cluster.objects(POD, labels=",".join(f"{key}={value}" for key, value in labels.items()), namespace=tenant)


def _query(tail: int | None, seconds: int | None) -> dict[str, str]:
    return ({} if tail is None else {"tailLines": str(tail)}) | (
        {} if seconds is None else {"sinceSeconds": str(seconds)}
    )


def _lines(cluster: Cluster, tenant: str, source: Source, query: dict[str, str]) -> Iterator[Line]:
    before: Moment = 0
    for text in cluster.log(tenant, source.pod, source.container, timestamps="true", **query):
        line = parse(source, text, before)
        before = line.moment
        yield line
