import queue
import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from siteforge.errors import ClusterError
from siteforge.fleet import backpressure
from siteforge.fleet.backpressure import Backpressure
from siteforge.fleet.cluster import Change, Cluster
from siteforge.fleet.kinds import Kind
from siteforge.fleet.partial_object import PartialObject
from tests.support.blueprints import make

NAMES = [f"blog-{number}" for number in range(5)]
MOST = 2


class Says:
    """A cluster that has nothing at first, and says what it is told to: of each kind, one after the other."""

    def __init__(self) -> None:
        self.changes: dict[str, queue.SimpleQueue[Change]] = {}
        self.asked = 0
        self.reachable = True

    def partial_objects_at(self, kind: Kind, **_: Any) -> tuple[list[PartialObject], str]:
        self.asked += 1
        if not self.reachable:
            raise ClusterError("the API server can't be reached")
        self.changes[kind.name] = queue.SimpleQueue()
        return [], "1"

    def watch(self, kind: Kind, version: str, **_: Any) -> Iterator[Change]:
        while True:
            yield self.changes[kind.name].get()

    def ready(self, name: str) -> None:
        """A tenant's objects are all ready."""
        metadata: dict[str, Any] = {"namespace": name, "resourceVersion": "2"}
        for kind, workload in (("Deployment", "wordpress"), ("StatefulSet", "mariadb")):
            counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
            status = counts | {"observedGeneration": 1}
            live: dict[str, Any] = {
                "kind": kind,
                "metadata": metadata | {"name": workload},
                "spec": {"replicas": 1},
                "status": status,
            }
            self.changes[kind].put(Change("ADDED", cast(PartialObject, live)))
            labels = {"kubernetes.io/service-name": workload}
            live = {
                "kind": "EndpointSlice",
                "metadata": metadata | {"name": f"{workload}-x1", "labels": labels},
                "endpoints": [{"conditions": {"ready": True}}],
            }
            self.changes["EndpointSlice"].put(Change("ADDED", cast(PartialObject, live)))


@pytest.fixture
def cluster() -> Says:
    return Says()


@pytest.fixture
def pressure(cluster: Says, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backpressure]:
    monkeypatch.setattr(backpressure, "MOST", MOST)
    with Backpressure(cast(Cluster, cluster), [make(name=name) for name in NAMES]) as pressure:
        deadline = time.monotonic() + 10
        while len(cluster.changes) < 3 and cluster.reachable:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield pressure


def begun(pressure: Backpressure, stopping: threading.Event | None = None) -> threading.Event:
    """A run that asks whether it may begin, and then has."""
    has = threading.Event()

    def ask() -> None:
        pressure.hold((stopping or threading.Event()).is_set)
        has.set()

    threading.Thread(target=ask, daemon=True).start()
    return has


def test_a_run_begins_at_once_while_few_are_waited_for(pressure: Backpressure) -> None:
    pressure.made(NAMES[:MOST])
    assert begun(pressure).wait(5)


def test_a_run_is_held_back_until_enough_of_those_before_it_are_ready(cluster: Says, pressure: Backpressure) -> None:
    pressure.made(NAMES[:4])
    run = begun(pressure)
    cluster.ready(NAMES[0])
    assert not run.wait(1.5)
    cluster.ready(NAMES[3])
    assert run.wait(5)


def test_who_was_made_and_is_ready_already_counts_for_nothing(cluster: Says, pressure: Backpressure) -> None:
    for name in NAMES[:3]:
        cluster.ready(name)
    pressure.made(NAMES[:3])
    assert begun(pressure).wait(5)


def test_who_is_no_tenant_any_more_counts_for_nothing(pressure: Backpressure) -> None:
    pressure.made(["removed-1", "removed-2", "removed-3"])
    assert begun(pressure).wait(5)


def test_those_who_never_become_ready_hold_nobody_back_for_ever(
    pressure: Backpressure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backpressure, "_PATIENCE_SECONDS", 1.0)
    pressure.made(NAMES[:4])
    assert begun(pressure).wait(5)
    assert begun(pressure).wait(0.5), "given up on once, not by each run anew"


def test_a_run_that_is_held_back_can_be_stopped(pressure: Backpressure) -> None:
    pressure.made(NAMES[:4])
    stopping = threading.Event()
    run = begun(pressure, stopping)
    stopping.set()
    assert run.wait(5)


@pytest.mark.parametrize("when", ["from the start", "later"])
def test_a_cluster_that_can_not_be_watched_holds_nobody_back(monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    monkeypatch.setattr(backpressure, "MOST", MOST)
    cluster = Says()
    cluster.reachable = when != "from the start"
    broken = threading.Event()

    def breaks(*_: Any, **__: Any) -> Iterator[Change]:
        broken.wait(10)
        raise ClusterError("the API server can't be reached")
        yield

    monkeypatch.setattr(cluster, "watch", breaks)
    with Backpressure(cast(Cluster, cluster), [make(name=name) for name in NAMES]) as pressure:
        pressure.made(NAMES[:4])
        run = begun(pressure)
        broken.set()
        assert run.wait(5)


def test_a_small_fleet_is_not_watched() -> None:
    cluster = Says()
    with Backpressure(cast(Cluster, cluster), [make(name=name) for name in NAMES]) as pressure:
        pressure.made(NAMES)
        assert begun(pressure).wait(5)
    assert cluster.asked == 0
