"""Each case is a healthy namespace with one thing broken; the messages are those that Kubernetes prints."""

from typing import Any

import pytest

from siteforge.fleet.diagnosis import Cause, Reason, diagnose
from siteforge.names import DATABASE, WORDPRESS
from tests.support import namespaces
from tests.support.namespaces import Object, healthy, seen

NOT_READY = [{"type": "Ready", "status": "False"}]
POD = "wordpress-1"
DEPLOYMENT = "deployment/wordpress"


def broken(kind: str, number: int, **fields: Any) -> dict[str, list[Object]]:
    """A healthy namespace, one object of which has other fields."""
    objects = healthy()
    objects[kind][number] = objects[kind][number] | fields
    return objects


def with_pod(*events: Object, **status: Any) -> dict[str, list[Object]]:
    """A namespace whose site has no ready pod, but one of this status."""
    objects = healthy()
    objects["Deployment"] = [namespaces.workload("blog", WORDPRESS, readyReplicas=0)]
    objects["Pod"][0] = namespaces.pod("blog", WORDPRESS, **({"conditions": NOT_READY} | status))
    objects["Event"] = list(events)
    return objects


def with_container(
    state: Object, *events: Object, last: Object | None = None, started: bool = False
) -> dict[str, list[Object]]:
    container = {"name": "wordpress", "ready": False, "started": started, "restartCount": 3, "state": state}
    return with_pod(*events, containerStatuses=[container | {"lastState": last or {}}])


def waiting(reason: str, message: str = "", **fields: Any) -> dict[str, list[Object]]:
    return with_container({"waiting": {"reason": reason, "message": message}}, **fields)


def with_database(*events: Object, **status: Any) -> dict[str, list[Object]]:
    """A namespace whose database has no pod."""
    objects = healthy()
    objects["StatefulSet"] = [namespaces.workload("blog", DATABASE, replicas=0, readyReplicas=0, **status)]
    del objects["Pod"][1]
    objects["Event"] = list(events)
    return objects


def with_claim(phase: str, *events: Object) -> dict[str, list[Object]]:
    objects = healthy()
    objects["PersistentVolumeClaim"][1] = namespaces.claim("blog", DATABASE, phase)
    objects["Event"] = list(events)
    return objects


def failed_to_create(message: str) -> dict[str, list[Object]]:
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    objects = healthy()
    objects["Deployment"] = [namespaces.workload("blog", WORDPRESS, readyReplicas=0, conditions=[condition])]
    del objects["Pod"][0]
    return objects


def unscheduled(message: str, reason: str = "Unschedulable") -> dict[str, list[Object]]:
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    return with_pod(phase="Pending", conditions=[condition], containerStatuses=[])


event = namespaces.event
EXIT = {"terminated": {"exitCode": 1, "reason": "Error"}}
OOM = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
QUOTA = 'pods "wordpress-7d-x" is forbidden: exceeded quota: tenant, requested: pods=1, used: pods=4, limited: pods=4'
SECURITY = 'pods "w" is forbidden: violates PodSecurity "restricted:v1.31": privileged (container "w" must not set ...)'
LIMIT = 'pods "w" is forbidden: maximum memory usage per Container is 256Mi, but limit is 1Gi'

CASES: dict[str, tuple[dict[str, list[Object]], Cause, str]] = {
    "no namespace": (healthy() | {"Namespace": []}, Cause.NAMESPACE_MISSING, "namespace"),
    "namespace on its way out": (
        healthy() | {"Namespace": [namespaces.namespace("blog", deletionTimestamp="2026-11-29T00:00:00Z")]},
        Cause.NAMESPACE_TERMINATING,
        "namespace/blog",
    ),
    "quota": (failed_to_create(QUOTA), Cause.QUOTA_EXCEEDED, DEPLOYMENT),
    "quota of a database": (
        with_database(event("StatefulSet", "mariadb", "FailedCreate", QUOTA)),
        Cause.QUOTA_EXCEEDED,
        "statefulset/mariadb",
    ),
    "Pod Security": (failed_to_create(SECURITY), Cause.POD_SECURITY, DEPLOYMENT),
    "limit range": (failed_to_create(LIMIT), Cause.LIMIT_EXCEEDED, DEPLOYMENT),
    "refused otherwise": (
        failed_to_create('pods "w" is forbidden: error looking up service account blog/wordpress: not found'),
        Cause.POD_REFUSED,
        DEPLOYMENT,
    ),
    "pull, first try": (waiting("ErrImagePull", "not found"), Cause.IMAGE_PULL, f"pod/{POD}"),
    "pull, later": (waiting("ImagePullBackOff", 'Back-off pulling image "x:1"'), Cause.IMAGE_PULL, f"pod/{POD}"),
    "image's name": (waiting("InvalidImageName"), Cause.IMAGE_PULL, f"pod/{POD}"),
    "crash": (waiting("CrashLoopBackOff", last=EXIT), Cause.CRASH_LOOP, f"pod/{POD}"),
    "out of memory, backing off": (waiting("CrashLoopBackOff", last=OOM), Cause.OUT_OF_MEMORY, f"pod/{POD}"),
    "out of memory, just now": (with_container(OOM), Cause.OUT_OF_MEMORY, f"pod/{POD}"),
    "out of memory, starting anew": (with_container({"running": {}}, last=OOM), Cause.OUT_OF_MEMORY, f"pod/{POD}"),
    "secret": (
        waiting("CreateContainerConfigError", 'secret "wordpress" not found'),
        Cause.CONFIGURATION,
        f"pod/{POD}",
    ),
    "command": (waiting("RunContainerError", "exec: no such file"), Cause.CONTAINER_ERROR, f"pod/{POD}"),
    "exit": (with_container(EXIT), Cause.EXITED, f"pod/{POD}"),
    "no node": (unscheduled("0/3 nodes are available: 3 Insufficient cpu."), Cause.UNSCHEDULABLE, f"pod/{POD}"),
    "scheduling gate": (unscheduled("gated", "SchedulingGated"), Cause.STARTING, f"pod/{POD}"),
    "no claim": (unscheduled('persistentvolumeclaim "wordpress" not found'), Cause.CLAIM_UNBOUND, f"pod/{POD}"),
    "mount": (
        with_container(
            {"waiting": {"reason": "ContainerCreating"}}, event("Pod", POD, "FailedMount", 'secret "x" not found')
        ),
        Cause.VOLUME_MOUNT,
        f"pod/{POD}",
    ),
    "network": (
        with_container(
            {"waiting": {"reason": "ContainerCreating"}}, event("Pod", POD, "FailedCreatePodSandBox", "CNI")
        ),
        Cause.NETWORK,
        f"pod/{POD}",
    ),
    "evicted": (
        with_pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
        Cause.EVICTED,
        f"pod/{POD}",
    ),
    "node lost": (with_pod(reason="NodeLost"), Cause.NODE_SILENT, f"pod/{POD}"),
    "node not ready": (with_pod(), Cause.NODE_SILENT, f"pod/{POD}"),
    "readiness": (
        with_container({"running": {}}, event("Pod", POD, "Unhealthy", "HTTP probe failed: 503"), started=True),
        Cause.NOT_READY,
        f"pod/{POD}",
    ),
    "starting": (with_container({"running": {}}), Cause.STARTING, f"pod/{POD}"),
    "being made": (waiting("ContainerCreating"), Cause.STARTING, f"pod/{POD}"),
    "installing": (
        with_pod(
            initContainerStatuses=[{"name": "install", "ready": False, "state": {"running": {}}}],
            containerStatuses=[
                {"name": "wordpress", "ready": False, "state": {"waiting": {"reason": "PodInitializing"}}}
            ],
        ),
        Cause.INITIALISING,
        f"pod/{POD}",
    ),
    "installed, starting": (
        with_pod(
            initContainerStatuses=[{"name": "install", "ready": False, "state": {"terminated": {"exitCode": 0}}}],
            containerStatuses=[{"name": "wordpress", "ready": False, "state": {"running": {}}}],
        ),
        Cause.STARTING,
        f"pod/{POD}",
    ),
    "volume lost": (with_claim("Lost"), Cause.VOLUME_LOST, "persistentvolumeclaim/mariadb"),
    "unbound claim": (
        with_claim("Pending", event("PersistentVolumeClaim", "mariadb", "ProvisioningFailed", '"fast" not found')),
        Cause.CLAIM_UNBOUND,
        "persistentvolumeclaim/mariadb",
    ),
    "claim that waits": (with_claim("Pending"), Cause.CLAIM_PENDING, "persistentvolumeclaim/mariadb"),
    "scaled to zero": (
        broken("Deployment", 0, spec={"replicas": 0, "selector": {}}),
        Cause.SCALED_TO_ZERO,
        DEPLOYMENT,
    ),
    "not observed": (
        broken("Deployment", 0, status={"observedGeneration": 0, "readyReplicas": 1, "updatedReplicas": 1}),
        Cause.ROLLOUT,
        DEPLOYMENT,
    ),
    "rolling out": (
        broken("Deployment", 0, status={"observedGeneration": 1, "readyReplicas": 1, "updatedReplicas": 0}),
        Cause.ROLLOUT,
        DEPLOYMENT,
    ),
    "no pod yet": (with_database(), Cause.ROLLOUT, "statefulset/mariadb"),
    "stuck": (
        broken(
            "Deployment",
            0,
            status={
                "observedGeneration": 1,
                "readyReplicas": 1,
                "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}],
            },
        ),
        Cause.STUCK,
        DEPLOYMENT,
    ),
}


def test_a_healthy_namespace_has_no_reason() -> None:
    assert diagnose(seen(healthy()), ["deployment/wordpress", "statefulset/mariadb"]) == []


@pytest.mark.parametrize("case", CASES)
def test_the_cause_is_told_and_where(case: str) -> None:
    objects, cause, place = CASES[case]
    reasons = diagnose(seen(objects))
    assert [(reason.cause, reason.object) for reason in reasons] == [(cause, place)]


def test_every_cause_has_a_case() -> None:
    told = {cause for _, cause, _ in CASES.values()}
    # Which have tests of their own, the second in test_status.py.
    assert told == set(Cause) - {Cause.OBJECT_MISSING, Cause.NOT_SUSPENDED}


def test_what_is_missing_is_told_of_kinds_that_were_looked_at() -> None:
    objects = healthy() | {"Deployment": []}
    reasons = diagnose(seen(objects), ["deployment/wordpress", "statefulset/mariadb", "secret/wordpress"])
    assert reasons == [Reason(Cause.OBJECT_MISSING, DEPLOYMENT)]


def test_a_claims_own_reason_stands_for_that_of_the_pod_that_waits_for_it() -> None:
    objects = unscheduled("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    assert [reason.cause for reason in diagnose(seen(objects))] == [Cause.CLAIM_UNBOUND]
    failed = event("PersistentVolumeClaim", "wordpress", "ProvisioningFailed", '"fast" not found')
    objects |= {"PersistentVolumeClaim": [namespaces.claim("blog", WORDPRESS, "Pending")], "Event": [failed]}
    assert [reason.object for reason in diagnose(seen(objects))] == ["persistentvolumeclaim/wordpress"]


def test_a_broken_new_pod_is_told_though_the_old_one_serves() -> None:
    objects = waiting("ImagePullBackOff")
    objects["Deployment"] = [namespaces.workload("blog", WORDPRESS, replicas=2, updatedReplicas=1, readyReplicas=1)]
    objects["Pod"].append(namespaces.pod("blog", WORDPRESS, "wordpress-0"))
    assert [reason.cause for reason in diagnose(seen(objects))] == [Cause.IMAGE_PULL]


def test_old_faults_of_a_workload_that_has_all_it_wants_are_none() -> None:
    objects = healthy()
    objects["Event"] = [event("StatefulSet", "mariadb", "FailedCreate", QUOTA)]
    objects["Pod"].append(namespaces.pod("blog", WORDPRESS, "wordpress-0", phase="Failed", reason="Evicted"))
    assert diagnose(seen(objects)) == []


def test_a_pod_on_its_way_out_is_no_fault() -> None:
    objects = with_container(EXIT)
    objects["Pod"][0]["metadata"]["deletionTimestamp"] = namespaces.STARTED
    assert [reason.cause for reason in diagnose(seen(objects))] == [Cause.ROLLOUT]


def test_the_most_telling_reason_comes_first() -> None:
    objects = with_container({"running": {}})
    objects["StatefulSet"] = [namespaces.workload("blog", DATABASE, replicas=0, readyReplicas=0)]
    objects["Event"] = [event("StatefulSet", "mariadb", "FailedCreate", QUOTA)]
    causes = [reason.cause for reason in diagnose(seen(objects))]
    assert causes == [Cause.QUOTA_EXCEEDED, Cause.STARTING]
    assert [cause.passes for cause in causes] == [False, True]


def test_the_newest_event_counts() -> None:
    old = event("Pod", POD, "Unhealthy", "old", lastTimestamp=None, eventTime="2026-11-28T23:00:00.000000Z")
    new = event("Pod", POD, "Unhealthy", "new")
    for events in ([old, new], [new, old]):
        (reason,) = diagnose(seen(with_container({"running": {}}, *events, started=True)))
        assert reason.detail == "new"


def test_a_reason_is_one_line_whatever_kubernetes_says() -> None:
    (reason,) = diagnose(seen(waiting("ErrImagePull", "a\n\tb \x1b[2J" + "x" * 1000 + "refused")))
    line = str(reason)
    assert line.startswith(r"pod/wordpress-1, container wordpress: the image can't be pulled (a b \x1b[2Jxxx")
    assert line.endswith("xxrefused) - name an image that exists and that the nodes may pull")
    assert "xx…xx" in line
    assert "\n" not in line
    assert len(line) < 500
