import base64

import pytest

from siteforge.secrets import SALTS, derive
from siteforge.specs import wordpress
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


def template(fingerprint: str = "one", **fields: object) -> object:
    return wordpress.deployment_spec(make(**fields), fingerprint)["template"]


def test_pods_roll_when_credentials_or_scripts_change_and_not_for_a_number_of_replicas() -> None:
    assert template() == template()
    assert template("two") != template()
    assert template(wordpress={"resources": {"limits": {"memory": "1Gi"}}}) != template()
    assert template(wordpress={"replicas": 3}) == template()


def test_a_rollout_starts_a_new_pod_before_it_stops_an_old_one() -> None:
    spec = wordpress.deployment_spec(make(), "")
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    grace = spec["template"]["spec"]["terminationGracePeriodSeconds"]
    _, before_stop = spec["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert int(before_stop) < grace


def test_pods_that_share_a_volume_of_one_node_are_kept_on_it() -> None:
    alone = wordpress.deployment_spec(make(), "")["template"]["spec"]
    (term,) = alone["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    shared = make(wordpress={"volume": {"accessMode": "ReadWriteMany"}})
    assert "affinity" not in wordpress.deployment_spec(shared, "")["template"]["spec"]


def test_the_service_is_named_wordpress_and_serves_port_80() -> None:
    service = wordpress.service(make())
    assert service["metadata"]["name"] == "wordpress"
    assert [port["port"] for port in service["spec"]["ports"]] == [80]
