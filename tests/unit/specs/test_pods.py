"""What the pods of every role promise."""

from typing import Any

import pytest

from siteforge.specs import database, pods, wordpress
from tests.support.blueprints import make

PODS: dict[str, dict[str, Any]] = {
    "wordpress": wordpress.deployment_spec(make(), "")["template"]["spec"],
    "mariadb": database.stateful_set_spec(make(), "")["template"]["spec"],
}
CONTAINERS: dict[str, dict[str, Any]] = {
    f"{role}/{container['name']}": container
    for role, pod in PODS.items()
    for container in [*pod.get("initContainers", []), *pod["containers"]]
}


@pytest.mark.parametrize("role", PODS)
def test_every_pod_runs_as_somebody_else_than_root_under_the_default_seccomp_profile(role: str) -> None:
    security = PODS[role]["securityContext"]
    assert security["runAsNonRoot"]
    assert security["runAsUser"] == security["runAsGroup"] == security["fsGroup"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("role", PODS)
def test_no_pod_carries_a_token_of_the_api_server(role: str) -> None:
    assert PODS[role]["automountServiceAccountToken"] is False
    assert PODS[role]["serviceAccountName"] == role
    assert pods.service_account("blog-aku", "wordpress")["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_has_a_read_only_root_and_no_capability(name: str) -> None:
    assert CONTAINERS[name]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_requests_and_limits_cpu_memory_and_scratch_space(name: str) -> None:
    for kind in ("requests", "limits"):
        assert set(CONTAINERS[name]["resources"][kind]) == {"cpu", "memory", "ephemeral-storage"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_no_password_is_in_a_containers_environment(name: str) -> None:
    for variable in CONTAINERS[name]["env"]:
        assert "valueFrom" not in variable
        if any(word in variable["name"] for word in ("PASSWORD", "KEY", "SALT")):
            assert variable["name"].endswith("_FILE")
            assert variable["value"].startswith(pods.SECRETS_FOLDER)


@pytest.mark.parametrize("name", ["wordpress/wordpress", "mariadb/mariadb"])
def test_every_server_has_startup_readiness_and_liveness_probes_and_ten_minutes_to_start(name: str) -> None:
    container = CONTAINERS[name]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 600


@pytest.mark.parametrize("role", PODS)
def test_every_volume_is_mounted_and_every_mount_has_a_volume(role: str) -> None:
    mounts = {
        mount["name"] for name in CONTAINERS if name.startswith(role) for mount in CONTAINERS[name]["volumeMounts"]
    }
    assert mounts == {volume["name"] for volume in PODS[role]["volumes"]}


def test_a_claim_names_a_storage_class_only_if_the_catalogue_does() -> None:
    assert "storageClassName" not in database.claim(make())["spec"]
    named = make(database={"volume": {"storageClass": "fast"}})
    assert database.claim(named)["spec"]["storageClassName"] == "fast"


SCHEDULING = {
    "priorityClassName": "business",
    "nodeSelector": {"disktype": "ssd"},
    "tolerations": [
        {"key": "dedicated", "value": "sites"},
        {"key": "slow", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
    ],
}


@pytest.mark.parametrize("role", PODS)
def test_where_pods_run_is_said_in_kubernetes_own_terms(role: str) -> None:
    tenant = make(wordpress={"scheduling": SCHEDULING}, database={"scheduling": SCHEDULING})
    templates = {"wordpress": wordpress.deployment_spec(tenant, ""), "mariadb": database.stateful_set_spec(tenant, "")}
    pod = templates[role]["template"]["spec"]
    assert {field: pod[field] for field in SCHEDULING} == SCHEDULING | {
        "tolerations": [
            {"key": "dedicated", "operator": "Equal", "value": "sites"},
            {"key": "slow", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
        ]
    }
    assert pod == PODS[role] | {field: pod[field] for field in SCHEDULING}


@pytest.mark.parametrize("find", [wordpress.disruption_budget, database.disruption_budget])
def test_no_budget_blocks_the_drain_of_a_node_for_ever(find: Any) -> None:
    spec = find(make())["spec"]
    assert spec["maxUnavailable"] in (1, "100%")
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert "minAvailable" not in spec
