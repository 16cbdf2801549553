import json

from tests.support.commands import kubectl, run
from tests.support.stack import Stack

NAMESPACE = "e2e-blog"


def eviction(role: str) -> str:
    """What the API server says to a trial of what `kubectl drain` does to the pod of a role; empty if it does it."""
    label = f"app.kubernetes.io/name={role}"
    pod = kubectl("get", "pods", "-n", NAMESPACE, "-l", label, "-o", "jsonpath={.items[0].metadata.name}")
    asked = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": NAMESPACE},
        "deleteOptions": {"dryRun": ["All"]},
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    done = run(["kubectl", "create", "--raw", path, "-f", "-"], stdin=json.dumps(asked), check=False)
    return done.stderr if done.returncode else ""


def test_the_single_pods_of_a_tenant_do_not_keep_their_node_from_being_drained(blog: Stack) -> None:
    for role in ("wordpress", "mariadb"):
        assert eviction(role) == ""
        budget = f"poddisruptionbudget/{role}"
        kubectl("patch", "-n", NAMESPACE, budget, "--type=merge", "-p", '{"spec": {"maxUnavailable": 0}}')
        assert "disruption budget" in eviction(role)
