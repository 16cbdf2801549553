from typing import Any

import pytest

from bench import kube, readiness
from bench.fleet import Fleet
from bench.readiness import Part


def workload(**status: int) -> dict[str, Any]:
    ready = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 2}
    return {"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": ready | status}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, True),
        ({"observedGeneration": 1}, False),
        ({"availableReplicas": 0}, False),
        ({"updatedReplicas": 0}, False),
        ({"replicas": 2}, False),
    ],
)
def test_a_workload_is_ready_in_its_present_form_with_nothing_old_left(status: dict[str, int], expected: bool) -> None:
    assert readiness.is_ready("Deployment", workload(**status)) is expected


def test_a_service_is_ready_with_an_endpoint_that_takes_traffic() -> None:
    assert readiness.is_ready("EndpointSlice", {"endpoints": [{"conditions": {"ready": True}}]})
    assert not readiness.is_ready("EndpointSlice", {"endpoints": [{"conditions": {"ready": False}}]})
    assert not readiness.is_ready("EndpointSlice", {"endpoints": None})


def test_every_workload_and_service_of_a_tenant_has_to_be_ready() -> None:
    assert readiness.parts(Fleet(1).manifests("bench-0001")) == {
        Part("Deployment", "bench-0001", "wordpress"),
        Part("StatefulSet", "bench-0001", "mariadb"),
        Part("Service", "bench-0001", "wordpress"),
        Part("Service", "bench-0001", "mariadb"),
        Part("Service", "bench-0001", "mariadb-headless"),
    }


def test_every_object_has_its_path() -> None:
    paths = {manifest["kind"]: kube.path(manifest) for manifest in Fleet(1).manifests("bench-0001")}
    assert paths["Namespace"] == "/api/v1/namespaces/bench-0001"
    assert paths["Deployment"] == "/apis/apps/v1/namespaces/bench-0001/deployments/wordpress"
    assert paths["Ingress"] == "/apis/networking.k8s.io/v1/namespaces/bench-0001/ingresses/wordpress"
