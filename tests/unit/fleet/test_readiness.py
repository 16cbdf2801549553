import time
from typing import Any

import pytest

from siteforge.fleet import readiness
from siteforge.fleet.partial_object import PartialObject
from siteforge.fleet.readiness import Key, Patience, Waiting
from tests.support.blueprints import make

NEEDED = readiness.expected(make())


def workload(kind: str = "Deployment", name: str = "wordpress", **status: Any) -> PartialObject:
    full = {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": "blog-aku", "generation": 3},
        "spec": {"replicas": 2},
        "status": full | status,
    }


def endpoints(service: str, *ready: bool, name: str = "") -> PartialObject:
    labels = {"kubernetes.io/service-name": service}
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": name or f"{service}-x1", "namespace": "blog-aku", "labels": labels},
        "endpoints": [{"conditions": {"ready": one}} for one in ready],
    }


def all_ready(needed: dict[Key, str] = NEEDED) -> Waiting:
    """What is needed, after everything of `blog-aku` was seen ready."""
    waiting = Waiting(needed)
    for live in (
        workload(),
        workload("StatefulSet", "mariadb"),
        endpoints("wordpress", True),
        endpoints("mariadb", True),
    ):
        waiting.see(live)
    return waiting


def test_a_tenant_is_ready_when_its_workloads_and_services_are() -> None:
    assert all_ready().left == {}


def test_before_anything_is_seen_everything_is_missing() -> None:
    assert Waiting(NEEDED).left == {
        "blog-aku": [
            "deployment/wordpress: it is not there",
            "service/wordpress: it is not there",
            "statefulset/mariadb: it is not there",
            "service/mariadb: it is not there",
        ]
    }


def test_a_database_that_is_kept_elsewhere_is_not_waited_for() -> None:
    tenant = make(database={"external": {"host": "10.20.0.5"}})
    assert set(readiness.expected(tenant).values()) == {"deployment/wordpress", "service/wordpress"}


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        (workload(observedGeneration=2), "deployment/wordpress: its controller has not seen the change yet"),
        (workload(updatedReplicas=1), "deployment/wordpress: 1 of 2 pods are of the new template"),
        (workload(replicas=3), "deployment/wordpress: 1 old pods are still there"),
        (workload(availableReplicas=0), "deployment/wordpress: 0 of 2 pods are ready"),
        (workload("StatefulSet", "mariadb", readyReplicas=1), "statefulset/mariadb: 1 of 2 pods are ready"),
        (endpoints("wordpress", False), "service/wordpress: it has no endpoint that is ready"),
        (endpoints("mariadb"), "service/mariadb: it has no endpoint that is ready"),
    ],
)
def test_one_part_that_is_not_ready_is_named_with_its_reason(live: PartialObject, reason: str) -> None:
    waiting = all_ready()
    waiting.see(live)
    assert waiting.left == {"blog-aku": [reason]}


def test_a_service_answers_if_one_of_its_slices_does() -> None:
    waiting = all_ready()
    waiting.see(endpoints("wordpress", False, name="wordpress-x2"))
    assert waiting.left == {}
    waiting.see(endpoints("wordpress", True), deleted=True)
    assert waiting.left == {"blog-aku": ["service/wordpress: it has no endpoint that is ready"]}


def test_what_is_deleted_is_no_longer_ready() -> None:
    waiting = all_ready()
    waiting.see(workload(), deleted=True)
    assert waiting.left == {"blog-aku": ["deployment/wordpress: it is not there"]}


def test_strangers_are_not_waited_for() -> None:
    waiting = all_ready()
    waiting.see(workload(name="other", availableReplicas=0))
    assert waiting.left == {}


def test_of_a_suspended_tenant_the_page_is_waited_for_and_the_end_of_its_database() -> None:
    waiting = Waiting(readiness.expected(make(suspended=True)))
    stopped = {"replicas": 0, "updatedReplicas": 0, "readyReplicas": 0}
    for live in (workload(), endpoints("wordpress", True), endpoints("mariadb")):
        waiting.see(live)
    database = workload("StatefulSet", "mariadb", **stopped | {"replicas": 1, "updatedReplicas": 1})
    database["spec"]["replicas"] = 0
    waiting.see(database)
    assert waiting.left == {"blog-aku": ["statefulset/mariadb: 1 pods are there instead of 0"]}
    database["status"] |= stopped
    waiting.see(database)
    assert waiting.left == {}


def test_the_tenants_that_are_not_ready_are_known_without_their_reasons() -> None:
    names = ["blog-aku", "blog-ben"]
    needed = readiness.needed(make(name=name) for name in names)
    assert Waiting(needed).unready == set(names)
    waiting = all_ready(needed)
    assert waiting.unready == set(waiting.left) == {"blog-ben"}
    waiting.see(workload(), deleted=True)
    assert waiting.unready == set(waiting.left) == set(names)


def test_a_deadline_counts_from_the_last_tenant_that_became_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    patience = Patience(600, fewest=3)
    now = 500
    assert not patience.see(3)
    assert patience.see(2)
    now = 1099
    assert not patience.over
    now = 1100
    assert patience.over


def test_a_tenant_that_comes_and_goes_prolongs_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    patience = Patience(600, fewest=2)
    for now in range(0, 600, 20):
        patience.see(1 + now // 20 % 2)
    now = 601
    assert patience.over


@pytest.mark.parametrize(("tenants", "everywhere"), [(1, False), (4, False), (5, True)])
def test_of_a_few_tenants_their_namespaces_are_watched_and_of_many_the_cluster(tenants: int, everywhere: bool) -> None:
    names = [f"blog-{number}" for number in range(tenants)]
    needed = {key: said for name in names for key, said in readiness.expected(make(name=name)).items()}
    assert Waiting(needed).places == ([None] if everywhere else names)
