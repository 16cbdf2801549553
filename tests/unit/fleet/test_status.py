import dataclasses
import time
from typing import Any

import pytest

from siteforge import names, secrets
from siteforge.blueprint import Blueprint
from siteforge.fleet.diagnosis import Cause
from siteforge.fleet.differences import Difference
from siteforge.fleet.status import (
    Condition,
    TenantStatus,
    Usage,
    by_namespace,
    expected,
    healthy,
    status,
    tag,
    with_drift,
)
from siteforge.names import DATABASE, WORDPRESS
from siteforge.specs import objects
from siteforge.specs.wordpress import SUSPENDED
from tests.support import namespaces
from tests.support.blueprints import make
from tests.support.namespaces import Object

NOT_READY = [{"type": "Ready", "status": "False"}]


def tenant(**fields: Any) -> Blueprint:
    return make(name="blog", **fields)


def of(found: dict[str, list[Object]], **fields: Any) -> TenantStatus:
    return status(tenant(**fields), "dev", namespaces.seen(found))


def waiting(reason: str) -> dict[str, list[Object]]:
    found = namespaces.healthy()
    found["Deployment"] = [namespaces.workload("blog", WORDPRESS, readyReplicas=0)]
    container = {"name": "wordpress", "ready": False, "restartCount": 2, "state": {"waiting": {"reason": reason}}}
    found["Pod"][0] = namespaces.pod("blog", WORDPRESS, conditions=NOT_READY, containerStatuses=[container])
    return found


def test_a_tenant_that_has_all_it_wants_is_ready() -> None:
    found = of(namespaces.healthy(), domains=["blog.example.com"])
    assert (found.condition, found.reasons) == (Condition.READY, ())
    assert (found.ready, found.wanted, found.restarts) == (2, 2, 0)
    assert (found.name, found.namespace, found.stack) == ("blog", "blog", "dev")
    assert found.url == "http://blog.example.com"
    assert found.created == namespaces.STARTED
    assert healthy([found])


def test_faults_degrade_and_starts_progress() -> None:
    assert of(waiting("ImagePullBackOff")).condition is Condition.DEGRADED
    assert of(waiting("ContainerCreating")).condition is Condition.PROGRESSING
    assert not healthy([of(namespaces.healthy()), of(waiting("ContainerCreating"))])


def asleep() -> dict[str, list[Object]]:
    """What there is of a suspended tenant."""
    found = namespaces.healthy()
    page, database = namespaces.workload("blog", WORDPRESS), namespaces.workload("blog", DATABASE)
    page["spec"]["template"] = {"metadata": {"labels": names.role_labels("blog", WORDPRESS) | SUSPENDED}}
    database["spec"]["replicas"] = 0
    database["status"] |= {"replicas": 0, "readyReplicas": 0, "updatedReplicas": 0}
    return found | {"Deployment": [page], "StatefulSet": [database], "Pod": found["Pod"][:1]}


def test_a_tenant_that_is_suspended_and_should_be_is_well() -> None:
    found = of(asleep(), suspended=True)
    assert (found.condition, found.reasons, found.ready, found.wanted) == (Condition.SUSPENDED, (), 1, 1)
    assert healthy([found, of(namespaces.healthy())])
    (drifted,) = with_drift([found], {"blog": [Difference("Service", "wordpress", "deleted")]})
    assert drifted.condition is Condition.DRIFTED


def test_a_tenant_that_stops_or_runs_though_it_is_suspended_says_so() -> None:
    running = of(namespaces.healthy(), suspended=True)
    assert running.condition is Condition.DEGRADED
    assert {reason.cause for reason in running.reasons} == {Cause.NOT_SUSPENDED}
    stopping = of(asleep() | {"Pod": namespaces.healthy()["Pod"]}, suspended=True)
    assert stopping.condition is Condition.PROGRESSING
    assert [str(reason) for reason in stopping.reasons] == ["pod/mariadb-1: it is rolling out (it is stopping)"]
    gone = asleep()
    gone["Deployment"][0]["spec"]["replicas"] = 0
    assert [reason.cause for reason in of(gone, suspended=True).reasons] == [Cause.SCALED_TO_ZERO]
    assert [reason.cause for reason in of(asleep()).reasons] == [Cause.SCALED_TO_ZERO]


def test_a_frozen_tenant_is_judged_by_what_it_is_not_by_whether_the_catalogue_suspends_it() -> None:
    for there, says in ((asleep(), False), (asleep(), True), (namespaces.healthy(), True)):
        found = of(there, suspended=says, frozen=True)
        assert (found.condition, found.reasons) == (Condition.FROZEN, ())


def test_drift_is_the_condition_of_a_tenant_without_a_fault() -> None:
    differences = [Difference("Service", "wordpress", "changed", "spec.type"), Difference("Role", "owner", "deleted")]
    whole, faulty, other = of(namespaces.healthy()), of(waiting("ImagePullBackOff")), of(namespaces.healthy())
    other = dataclasses.replace(other, name="other")
    told = with_drift([whole, faulty, of(waiting("ContainerCreating")), other], {"blog": differences})
    assert [one.condition for one in told] == ["Drifted", "Degraded", "Drifted", "Ready"]
    assert [len(one.drift) for one in told] == [2, 2, 2, 0]
    assert told[0].why == "2 differences from the catalogue"
    assert told[1].why == Cause.IMAGE_PULL.words
    assert not healthy(told[:1])


def test_a_frozen_tenant_is_well_unless_it_has_a_fault() -> None:
    found = of(namespaces.healthy(), frozen=True)
    assert found.condition is Condition.FROZEN
    assert healthy([found])
    (drifted,) = with_drift([found], {"blog": [Difference("Role", "owner", "deleted")]})
    assert (drifted.condition, drifted.why) == (Condition.FROZEN, "1 difference from the catalogue")
    faulty = of(waiting("ImagePullBackOff"), frozen=True)
    assert (faulty.condition, faulty.why) == (Condition.DEGRADED, f"frozen; {Cause.IMAGE_PULL.words}")
    assert of(waiting("ContainerCreating"), frozen=True).condition is Condition.FROZEN


def test_a_silent_node_leaves_a_tenant_unknown_unless_something_else_is_known_to_be_wrong() -> None:
    found = waiting("")
    found["Pod"][0] = namespaces.pod("blog", WORDPRESS, reason="NodeLost", conditions=NOT_READY)
    assert of(found).condition is Condition.UNKNOWN
    found["PersistentVolumeClaim"][1] = namespaces.claim("blog", DATABASE, "Lost")
    assert of(found).condition is Condition.DEGRADED


def test_what_is_missing_degrades() -> None:
    nothing = of({kind: [] for kind in namespaces.healthy()})
    assert (nothing.condition, nothing.reasons[0].cause) == (Condition.DEGRADED, Cause.NAMESPACE_MISSING)
    found = namespaces.healthy() | {"StatefulSet": []}
    assert [reason.object for reason in of(found).reasons] == ["statefulset/mariadb"]
    external = {"host": "192.0.2.10", "name": "wp", "user": "wp"}
    assert of(found, database={"external": external}).condition is Condition.READY


def test_what_is_expected_is_what_a_tenant_is_made_of() -> None:
    made = {
        f"{one.manifest['kind'].lower()}/{one.manifest['metadata']['name']}"
        for one in objects.objects(tenant(), secrets.derive("x" * 32, "blog"))
    }
    assert set(expected(tenant())) <= made


def test_images_are_those_that_run_with_their_digest_and_the_tags_version() -> None:
    found = namespaces.healthy()
    found["Pod"].append(namespaces.pod("blog", WORDPRESS, "wordpress-2"))
    told = of(found)
    wordpress, mariadb = told.images
    assert (wordpress.component, wordpress.image, wordpress.pods) == (WORDPRESS, namespaces.IMAGE, 2)
    assert wordpress.digest == f"sha256:{'a' * 64}"
    assert (mariadb.component, mariadb.pods) == (DATABASE, 1)
    assert told.version == "6.8.3"


@pytest.mark.parametrize(
    ("image", "wanted"),
    {
        "wordpress": "",
        "wordpress:6.8.3-php8.3-apache@sha256:00": "6.8.3-php8.3-apache",
        "registry:5000/wordpress": "",
        "registry:5000/a/wordpress:6": "6",
        "wordpress@sha256:00": "",
    }.items(),
)
def test_the_tag_of_an_image(image: str, wanted: str) -> None:
    assert tag(image) == wanted


def test_restarts_are_those_of_all_containers() -> None:
    assert of(waiting("CrashLoopBackOff")).restarts == 2


def test_the_last_deployment_is_by_our_field_manager() -> None:
    assert of(namespaces.healthy()).deployed == namespaces.STARTED
    found = namespaces.healthy()
    for kind in ("Deployment", "StatefulSet"):
        found[kind][0]["metadata"]["managedFields"] = [{"manager": "kubectl", "time": namespaces.STARTED}]
    assert of(found).deployed == ""


def test_the_fullest_line_of_the_quota_is_one_that_moves() -> None:
    found = namespaces.healthy()
    found["ResourceQuota"][0]["status"]["hard"]["requests.storage"] = "2Gi"
    found["ResourceQuota"][0]["status"]["used"]["requests.storage"] = "2Gi"
    assert of(found).fullest == Usage("pods", "2", "4")
    assert Usage("pods", "2", "4").share == 0.5
    assert [Usage("services.nodeports", "0", "0").share, Usage("pods", "1e3", "2e3").share] == [0, 0]


def test_volumes_have_their_size_and_what_is_used_where_that_is_known() -> None:
    found = namespaces.healthy()
    found["PersistentVolumeClaim"][1] = namespaces.claim("blog", DATABASE, "Pending")
    site, database = status(tenant(), "dev", namespaces.seen(found), {("blog", "wordpress"): 5}).volumes
    assert dataclasses.astuple(site) == ("wordpress", "Bound", "1Gi", "1Gi", 5)
    assert dataclasses.astuple(database) == ("mariadb", "Pending", "1Gi", "", None)


def test_objects_go_to_their_namespaces() -> None:
    lists: dict[str, list[Object]] = {kind: [] for kind in namespaces.healthy()}
    for name in ("a", "b"):
        for kind, found in namespaces.healthy(name).items():
            lists[kind] += found
    grouped = by_namespace(namespaces.seen(lists))
    assert dict(grouped) == {"a": namespaces.healthy("a"), "b": namespaces.healthy("b")}
    assert grouped["gone"]["Namespace"] == []


def test_a_thousand_tenants_are_judged_within_half_a_second() -> None:
    """Of synthetic objects; what the lists take is measured on a cluster."""
    count = 1000
    lists: dict[str, list[Object]] = {kind: [] for kind in namespaces.healthy()}
    for number in range(count):
        for kind, found in namespaces.healthy(f"tenant-{number}").items():
            lists[kind] += found
    blueprints = [dataclasses.replace(tenant(), name=f"tenant-{number}") for number in range(count)]
    seen, times = namespaces.seen(lists), []
    for _ in range(3):
        began = time.process_time()
        grouped = by_namespace(seen)
        assert healthy([status(one, "dev", grouped[names.namespace(one.name)]) for one in blueprints])
        times.append(time.process_time() - began)
    assert min(times) < 0.5, times
