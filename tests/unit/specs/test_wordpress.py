import base64
from typing import Any

import pytest

from siteforge.capacity import need
from siteforge.secrets import SALTS, derive
from siteforge.specs import boundary, wordpress
from tests.support.blueprints import make


@pytest.mark.parametrize(
    ("memory", "workers"), [("64Mi", 2), ("256Mi", 4), ("512Mi", 10), ("1Gi", 23), ("4Gi", 100), ("64Gi", 150)]
)
def test_apaches_workers_fit_into_the_memory_limit(memory: str, workers: int) -> None:
    assert wordpress.workers(memory) == workers
    tenant = make(wordpress={"resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": memory}}})
    assert f"MaxRequestWorkers {workers}\n" in wordpress.config_map(tenant)["data"]["apache.conf"]


def test_the_secret_holds_the_passwords_and_the_eight_salts() -> None:
    credentials = derive("s" * 40, "blog-aku")
    data = {key: base64.b64decode(value).decode() for key, value in wordpress.secret_data(credentials).items()}
    assert data.pop("admin-password") == credentials.admin_password
    assert data.pop("database-password") == credentials.database_password
    assert data == {name.lower().replace("_", "-"): value for name, value in credentials.salts.items()}
    assert len(data) == len(SALTS) == 8


def template(fingerprint: str = "one", **fields: object) -> dict[str, Any]:
    found: dict[str, Any] = wordpress.deployment_spec(make(**fields), fingerprint)["template"]
    return found


def test_pods_roll_when_credentials_or_scripts_change_and_not_for_a_number_of_replicas() -> None:
    assert template() == template()
    assert template("two") != template()
    assert template(wordpress={"resources": {"limits": {"memory": "1Gi"}}}) != template()
    for volume in ({}, SHARED):
        assert template(wordpress={"replicas": 3, **volume}) == template(wordpress={**volume})


def test_a_rollout_starts_a_new_pod_before_it_stops_an_old_one() -> None:
    spec = wordpress.deployment_spec(make(), "")
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    grace = spec["template"]["spec"]["terminationGracePeriodSeconds"]
    _, before_stop = spec["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert int(before_stop) < grace


SHARED = {"volume": {"accessMode": "ReadWriteMany"}}


def pod(**fields: object) -> dict[str, Any]:
    found: dict[str, Any] = wordpress.deployment_spec(make(**fields), "")["template"]["spec"]
    return found


def test_pods_that_share_a_volume_of_one_node_are_kept_on_it() -> None:
    (term,) = pod()["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"]["matchLabels"].items() <= template()["metadata"]["labels"].items()
    assert "topologySpreadConstraints" not in pod()


def test_pods_whose_volume_is_on_every_node_are_spread_over_zones_and_nodes() -> None:
    constraints = pod(wordpress=SHARED)["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in constraints] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    for one in constraints:
        assert one["labelSelector"]["matchLabels"].items() <= template()["metadata"]["labels"].items()
        assert one["whenUnsatisfiable"] == "ScheduleAnyway"
    assert "affinity" not in pod(wordpress=SHARED)


def most_stopped(**fields: object) -> object:
    return wordpress.disruption_budget(make(**fields))["spec"]["maxUnavailable"]


@pytest.mark.parametrize("replicas", [1, 3])
def test_a_drain_stops_one_pod_of_a_spread_site_and_all_of_one_on_a_single_node(replicas: int) -> None:
    """Spared pods of a single node would keep the stopped one from starting, and the drain from ending."""
    assert most_stopped(wordpress={"replicas": replicas}) == "100%"
    assert most_stopped(wordpress={"replicas": replicas, **SHARED}) == 1


def test_the_autoscalers_pods_are_not_set_back_and_are_in_the_quota_and_the_need() -> None:
    scaled = make(wordpress={"autoscaling": {"minReplicas": 2, "maxReplicas": 6}})
    assert "replicas" not in wordpress.deployment_spec(scaled, "")
    fixed = make(wordpress={"replicas": 6})
    assert boundary.quota(scaled) == boundary.quota(fixed)
    assert need(scaled) == need(fixed)


def test_the_autoscaler_scales_the_deployment_by_the_cpu_it_requests() -> None:
    scaled = make(wordpress={"autoscaling": {"minReplicas": 2, "maxReplicas": 6}})
    assert scaled.site.autoscaling is not None
    assert wordpress.autoscaler(scaled, scaled.site.autoscaling)["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "wordpress"},
        "minReplicas": 2,
        "maxReplicas": 6,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
            }
        ],
    }


def test_the_service_is_named_wordpress_and_serves_port_80() -> None:
    service = wordpress.service(make())
    assert service["metadata"]["name"] == "wordpress"
    assert [port["port"] for port in service["spec"]["ports"]] == [80]
