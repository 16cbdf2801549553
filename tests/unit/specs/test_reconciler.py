from typing import Any

import pytest

from siteforge.fleet import rights
from siteforge.specs import owners
from siteforge.specs.reconciler import USER, Backend, Deployed, manifests
from tests.unit.fleet.test_rights import STACK


def made(backend: Backend = "volume") -> dict[str, Any]:
    deployed = Deployed(
        image="siteforge:1",
        stack="prod",
        namespace="siteforge",
        name="siteforge-reconciler",
        lease="reconciler-of-prod",
        options=("--mode", "repair"),
        files={"tenants.yaml": "tenants: []"},
        backend=backend,
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
