import json
from typing import Any

import pytest

from tests.support.commands import kubectl
from tests.support.objects import declared
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMESPACE = "e2e-blog"
NEXT = "siteforge.local/wordpress:6.1.9-next"


def container(**fields: Any) -> dict[str, Any]:
    """A patch of the WordPress container."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "wordpress", **fields}]}}}}


# By what is edited; those that don't roll pods are edited together: each run of Pulumi costs seconds.
EDITS: dict[str, dict[str, dict[str, Any]]] = {
    "image": {"deployment/wordpress": container(image=NEXT)},
    "replicas": {"deployment/wordpress": {"spec": {"replicas": 2}}},
    "limits": {"deployment/wordpress": container(resources={"limits": {"memory": "200Mi"}})},
    "everything else": {
        "deployment/wordpress": {"metadata": {"labels": {"app.kubernetes.io/part-of": "somebody-else"}}},
        "namespace/e2e-blog": {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}},
        "resourcequota/tenant": {"spec": {"hard": {"pods": "99"}}},
        "limitrange/tenant": {"spec": {"limits": [{"type": "Container", "max": {"memory": "99Gi"}}]}},
        "service/wordpress": {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}},
        "configmap/wordpress": {"data": {"health.php": "<?php echo 'ready';"}},
        "secret/wordpress": {"data": {"admin-password": "aHVudGVyMg=="}},
        "networkpolicy/wordpress": {"spec": {"egress": [{}]}},
        "poddisruptionbudget/wordpress": {"spec": {"maxUnavailable": 0}},
    },
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_by_hand_is_shown_by_preview_and_undone_by_up(blog: Stack, site: Site, edit: str) -> None:
    before = {target: declared(target, NAMESPACE) for target in EDITS[edit]}
    for target, patch in EDITS[edit].items():
        kubectl("patch", "-n", NAMESPACE, target, "--type=strategic", "-p", json.dumps(patch))
        assert declared(target, NAMESPACE) != before[target]
    shown = blog.preview()
    edited = {target.partition("/")[0] for target in EDITS[edit]}
    assert edited <= shown.updates, shown.output
    # Pulumi also goes for what is not healthy at this moment, as a Service between two pods.
    assert shown.updates <= edited | {"deployment", "service", "statefulset"}, shown.output
    repaired = blog.up()
    assert set(repaired.counts) == {"updated", "unchanged"}, repaired.output
    assert {target: declared(target, NAMESPACE) for target in EDITS[edit]} == before
    eventually(f"the site after {edit} was undone", site.serves, namespace=NAMESPACE)
    settled()
    assert set(blog.preview().counts) == {"unchanged"}


def test_refresh_alone_takes_drift_into_the_state_and_up_still_undoes_it(blog: Stack) -> None:
    def replicas() -> str:
        return kubectl("get", "-n", NAMESPACE, "deployment/wordpress", "-o", "jsonpath={.spec.replicas}")

    kubectl("scale", "-n", NAMESPACE, "deployment/wordpress", "--replicas=2")
    assert blog.refresh().counts["updated"] >= 1
    assert replicas() == "2"
    assert blog.up().counts["updated"] >= 1
    assert replicas() == "1"


def settled() -> None:
    """Wait until both rollouts are complete."""
    for workload in ("statefulset/mariadb", "deployment/wordpress"):
        kubectl("rollout", "status", "-n", NAMESPACE, workload, "--timeout=120s")
