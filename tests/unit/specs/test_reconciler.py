from typing import Any

import pytest

from siteforge.fleet import rights
from siteforge.specs import owners
from siteforge.specs.reconciler import Backend, Deployed, Rounds, manifests
from siteforge.specs.runner import USER, Runner
from tests.unit.fleet.test_rights import STACK


def made(backend: Backend = "volume", rounds: Rounds | None = None) -> dict[str, Any]:
    deployed = Deployed(
        Runner("siteforge-reconciler", "siteforge:1", "prod", "siteforge", {"tenants.yaml": "tenants: []"}),
        lease="reconciler-of-prod",
        options=("--mode", "repair"),
        backend=backend,
        rounds=rounds,
    )
    return {one["kind"]: one for one in manifests(deployed, rights.rules(STACK))}


def allowed(rules: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_it_may_do_what_a_run_needs_and_what_it_gives_to_owners_and_no_more() -> None:
    granted = allowed(made()["ClusterRole"]["rules"])
    needed = {(right.group, right.plural, right.verb) for right in rights.needed(STACK)}
    assert granted == needed | allowed(owners.rules())
    assert not [
        one for one in granted if "*" in one or one[2] in ("escalate", "bind", "impersonate", "deletecollection")
    ]
    assert not [one for one in granted if one[1] in ("nodes/proxy", "pods/exec", "clusterroles", "leases")]


def test_its_lease_is_the_only_one_that_it_may_write() -> None:
    create, own = made()["Role"]["rules"]
    assert (create["resources"], create["verbs"]) == (["leases"], ["create"])
    assert (own["resourceNames"], own["verbs"]) == (["reconciler-of-prod"], ["get", "patch"])


def test_its_pod_is_restricted() -> None:
    pod = made()["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == USER
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert made()["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_secret_is_among_what_is_printed() -> None:
    for backend in ("volume", "secret"):
        assert "Secret" not in made(backend)
        (container,) = made(backend)["Deployment"]["spec"]["template"]["spec"]["containers"]
        assert not [word for word in container["args"] if "pass" in word]


@pytest.mark.parametrize(("backend", "claims"), [("volume", True), ("secret", False)])
def test_the_state_is_on_a_volume_or_where_the_secret_says(backend: Backend, claims: bool) -> None:
    objects = made(backend)
    assert ("PersistentVolumeClaim" in objects) == claims
    (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    (url,) = [one for one in container["env"] if one["name"] == "PULUMI_BACKEND_URL"]
    assert url.get("value") == ("file:///var/lib/siteforge-state" if claims else None)
    assert ("valueFrom" in url) != claims
    # A volume of one node may not be wanted by two nodes at once.
    assert objects["Deployment"]["spec"]["strategy"]["type"] == ("Recreate" if claims else "RollingUpdate")


def test_rounds_of_one_cell_are_an_indexed_job_begun_by_the_clock() -> None:
    objects = made("secret", Rounds(cells=7, workers=3, schedule="*/15 * * * *"))
    assert not {"Deployment", "Service", "PersistentVolumeClaim", "Role", "RoleBinding"} & set(objects)
    spec = objects["CronJob"]["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("*/15 * * * *", "Forbid")
    job = spec["jobTemplate"]["spec"]
    assert (job["completionMode"], job["completions"], job["parallelism"]) == ("Indexed", 7, 3)
    # A cell that fails costs no other cell its round, and no pod of it begins before the last one has ended.
    assert (job["backoffLimitPerIndex"], job["podReplacementPolicy"]) == (2, "Failed")
    (container,) = job["template"]["spec"]["containers"]
    assert container["args"][-5:] == ["--once", "--cell", "$(JOB_COMPLETION_INDEX)", "--mode", "repair"]
    assert not {"ports", "readinessProbe", "livenessProbe"} & set(container)


def test_the_pods_of_rounds_are_those_of_the_deployment() -> None:
    one = made("secret")["Deployment"]["spec"]["template"]
    other = made("secret", Rounds(2, 1, "@hourly"))["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]
    assert other["metadata"] == one["metadata"]
    (own,), (others,) = one["spec"].pop("containers"), other["spec"].pop("containers")
    assert other["spec"] == one["spec"] | {"restartPolicy": "Never"}
    differing = {"args", "ports", "readinessProbe", "livenessProbe"}
    assert {k: v for k, v in own.items() if k not in differing} == {k: v for k, v in others.items() if k != "args"}
    assert made("secret")["ClusterRole"] == made("secret", Rounds(2, 1, "@hourly"))["ClusterRole"]
