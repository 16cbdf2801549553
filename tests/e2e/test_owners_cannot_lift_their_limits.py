"""An owner against the API server, by the checks of Kubernetes' multi-tenancy benchmarks.

Each test carries the id of a check (github.com/kubernetes-retired/multi-tenancy, benchmarks/kubectl-mtb).
An owner makes no pods, so RBAC answers first; what admission says to somebody who may make them is asked too.
"""

import json
from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest

from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl, run
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

OWN, OTHER = "e2e-owned", "e2e-foreign"
AS_USER = ("--as", "jane@example.com")
AS_GROUP = ("--as", "somebody", "--as-group", "editors")
CHANGES = ("create", "update", "patch", "delete", "deletecollection")
VERBS = ("get", "list", "watch", *CHANGES)

Question = tuple[str, str, str]
"""Verb, resource, API group."""


@pytest.fixture(scope="module", autouse=True)
def owned(make_stack: MakeStack) -> Stack:
    stack = make_stack("owned")
    stack.catalogue(
        f"""
        tenants:
          - name: {OWN}
            title: Owned
            adminEmail: jane@example.com
            plan: nano
            owners: {{users: [jane@example.com], groups: [editors]}}
          - name: {OTHER}
            title: Foreign
            adminEmail: joe@example.com
            plan: nano
            owners: {{users: [joe@example.com]}}
        """
    )
    stack.up()
    return stack


def resources(*, namespaced: bool) -> list[tuple[str, str]]:
    """Every resource that the API server has, with its API group."""
    names = kubectl("api-resources", f"--namespaced={str(namespaced).lower()}", "-o", "name").split()
    return [(resource, group) for resource, _, group in (name.partition(".") for name in names)]


def granted(questions: Iterable[Question], namespace: str = "", who: tuple[str, ...] = AS_USER) -> set[Question]:
    """Which of these the API server would let somebody do; asked in one run of kubectl."""
    asked = list(questions)
    reviews = [
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {
                "resourceAttributes": {
                    "verb": verb,
                    "resource": resource.partition("/")[0],
                    "subresource": resource.partition("/")[2],
                    "group": group,
                    "namespace": namespace,
                }
            },
        }
        for verb, resource, group in asked
    ]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
    answers = kubectl("create", *who, "-f", "-", "-o", "jsonpath={.status.allowed}{'\\n'}", stdin=listed).split()
    return {question for question, allowed in zip(asked, answers, strict=True) if allowed == "true"}


def refusal(document: dict[str, Any], *who: str) -> str:
    """Why the API server does not take an object into the owner's namespace; empty if it does."""
    create = ["kubectl", "create", "--dry-run=server", "-n", OWN, "-f", "-", *who]
    done = run(create, stdin=json.dumps(document), check=False)
    return "" if done.returncode == 0 else done.stderr


def pod(spec: dict[str, Any] | None = None, security: dict[str, Any] | None = None, **container: Any) -> dict[str, Any]:
    """A pod that the restricted standard lets in, but for what is given."""
    safe = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    only = {"name": "c", "image": "registry.example/none:1", "securityContext": safe | (security or {}), **container}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe"},
        "spec": {"containers": [only], **(spec or {})},
    }


def nobody_gets_in(document: dict[str, Any], admission: str = 'violates PodSecurity "restricted') -> None:
    assert "Forbidden" in refusal(document, *AS_USER)
    assert admission in refusal(document)


def test_a_pod_without_a_weakness_is_let_in_so_that_the_refusals_below_mean_something() -> None:
    assert refusal(pod()) == ""


def test_PL1_CC_CPI_1_owners_have_no_access_to_cluster_resources() -> None:  # noqa: N802 - the check's id
    questions = [(verb, *resource) for verb, resource in product(VERBS, resources(namespaced=False))]
    # Everybody may ask what he may do himself.
    own = {"selfsubjectaccessreviews", "selfsubjectreviews", "selfsubjectrulesreviews"}
    assert {question for question in granted(questions) if question[1] not in own} == set()


def test_PL1_BC_CPI_2_owners_cannot_change_what_was_set_up_for_them() -> None:  # noqa: N802
    ours = [
        *("namespaces", "resourcequotas", "limitranges", "networkpolicies.networking.k8s.io"),
        *("roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io", "deployments.apps"),
        *("deployments/scale.apps", "statefulsets.apps", "statefulsets/scale.apps", "services", "secrets"),
        *("configmaps", "serviceaccounts", "persistentvolumeclaims", "poddisruptionbudgets.policy"),
    ]
    split = [(resource, group) for resource, _, group in (name.partition(".") for name in ours)]
    assert granted([(verb, *kind) for verb, kind in product(CHANGES, split)], OWN) == set()
    for kind in ("resourcequota/tenant", "networkpolicy/tenant", "rolebinding/owner", "deployment/wordpress"):
        annotate = ["kubectl", "annotate", "-n", OWN, kind, "key=value", "--dry-run=server", *AS_USER]
        done = run(annotate, check=False)
        assert "Forbidden" in done.stderr, f"{kind}: {done.stdout}{done.stderr}"


def test_PL1_BC_CPI_3_no_pod_adds_capabilities() -> None:  # noqa: N802
    nobody_gets_in(pod(security={"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}))


def test_PL1_BC_CPI_4_no_pod_runs_as_root() -> None:  # noqa: N802
    nobody_gets_in(pod(security={"runAsNonRoot": False}))
    nobody_gets_in(pod(security={"runAsUser": 0}))


def test_PL1_BC_CPI_5_no_pod_is_privileged() -> None:  # noqa: N802
    nobody_gets_in(pod(security={"privileged": True, "allowPrivilegeEscalation": True}))


def test_PL1_BC_CPI_6_no_pod_escalates_privileges() -> None:  # noqa: N802
    nobody_gets_in(pod(security={"allowPrivilegeEscalation": True}))


def test_PL1_BC_HI_1_no_pod_mounts_the_node_and_no_service_opens_its_ports() -> None:  # noqa: N802
    nobody_gets_in(pod({"volumes": [{"name": "root", "hostPath": {"path": "/"}}]}))
    service = {"type": "NodePort", "ports": [{"port": 80}], "selector": {"a": "b"}}
    document = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "probe"}, "spec": service}
    nobody_gets_in(document, admission="exceeded quota")
    nobody_gets_in({**document, "spec": service | {"type": "LoadBalancer"}}, admission="exceeded quota")


def test_PL1_BC_HI_3_no_pod_has_the_nodes_network_or_ports() -> None:  # noqa: N802
    nobody_gets_in(pod({"hostNetwork": True}))
    nobody_gets_in(pod(ports=[{"containerPort": 8080, "hostPort": 8080}]))


def test_PL1_BC_HI_4_no_pod_sees_the_nodes_processes() -> None:  # noqa: N802
    nobody_gets_in(pod({"hostPID": True}))


def test_PL1_BC_HI_5_no_pod_shares_the_nodes_ipc() -> None:  # noqa: N802
    nobody_gets_in(pod({"hostIPC": True}))


def test_PL1_CC_DI_1_owners_run_no_image_that_another_tenant_pulled() -> None:  # noqa: N802
    """The check asks for imagePullPolicy Always; an owner starts no pod of any policy."""
    for policy in ("Always", "IfNotPresent", "Never"):
        assert "Forbidden" in refusal(pod(imagePullPolicy=policy), *AS_USER)


def hard() -> set[str]:
    quota = json.loads(kubectl("get", "resourcequota", "tenant", "-n", OWN, "-o", "json", *AS_USER))
    return set(quota["status"]["hard"])


def test_PL1_CC_FNS_1_the_namespace_has_quotas_of_cpu_memory_and_storage() -> None:  # noqa: N802
    amounts = {f"{kind}.{what}" for kind in ("requests", "limits") for what in ("cpu", "memory", "ephemeral-storage")}
    assert amounts | {"requests.storage"} <= hard()


def test_PL1_CC_FNS_2_the_namespace_has_quotas_of_objects() -> None:  # noqa: N802
    counted = {"pods", "services", "services.nodeports", "services.loadbalancers", "persistentvolumeclaims"}
    assert counted | {"secrets", "configmaps"} <= hard()


def test_PL1_CC_TI_1_owners_cannot_change_quotas() -> None:  # noqa: N802
    for kind in ("resourcequotas", "resourcequotas/status", "limitranges"):
        assert granted([(verb, kind, "") for verb in CHANGES], OWN) == set()


@pytest.mark.parametrize("who", [AS_USER, AS_GROUP])
def test_PL1_CC_TI_2_owners_see_and_change_nothing_of_other_tenants(who: tuple[str, ...]) -> None:  # noqa: N802
    questions = [(verb, *resource) for verb, resource in product(VERBS, resources(namespaced=True))]
    assert granted(questions, OTHER, who) == set()
    assert granted(questions, "kube-system", who) == set()


def test_PL2_BC_OPS_3_and_4_owners_bind_no_roles_and_open_no_network() -> None:  # noqa: N802
    """These two checks want the opposite. Refused on purpose: policies add up, so that one of an owner's could
    open what ours close, and a binding could let in somebody whom the catalogue does not name."""
    group = "rbac.authorization.k8s.io"
    kinds = [("roles", group), ("rolebindings", group), ("networkpolicies", "networking.k8s.io")]
    assert granted([(verb, *kind) for verb, kind in product(CHANGES, kinds)], OWN) == set()


def test_PL2_CC_TI_1_owners_cannot_escalate_their_role() -> None:  # noqa: N802
    group = "rbac.authorization.k8s.io"
    verbs = [("escalate", "roles", group), ("bind", "roles", group), ("impersonate", "serviceaccounts", "")]
    assert granted(verbs, OWN) == set()
    assert granted([("bind", "clusterroles", group), ("escalate", "clusterroles", group)]) == set()


@pytest.mark.parametrize("who", [AS_USER, AS_GROUP])
def test_owners_operate_their_site(who: tuple[str, ...]) -> None:
    look = ["pods", "pods/log", "services", "configmaps", "events", "resourcequotas", "persistentvolumeclaims"]
    wanted = {(verb, kind, "") for verb, kind in product(("get", "list", "watch"), look)}
    wanted |= {("delete", "pods", ""), ("create", "pods/portforward", ""), ("get", "pods/portforward", "")}
    assert granted(wanted, OWN, who) == wanted
    assert "the site is installed" in kubectl("logs", "-n", OWN, "deployment/wordpress", "-c", "install", *who)


def test_owners_get_no_secret_and_no_shell() -> None:
    closed = {(verb, "secrets", "") for verb in VERBS} | {("create", "serviceaccounts/token", "")}
    closed |= {(verb, f"pods/{way}", "") for verb in ("create", "get") for way in ("exec", "attach")}
    closed |= {(verb, "pods/ephemeralcontainers", "") for verb in ("update", "patch")}
    assert granted(closed, OWN) == set()


def test_an_owners_restart_leaves_nothing_to_repair(owned: Stack) -> None:
    label = "app.kubernetes.io/name=wordpress"
    before = kubectl("get", "pods", "-n", OWN, "-l", label, "-o", "name")
    kubectl("delete", "pods", "-n", OWN, "-l", label, "--wait=true", *AS_USER)
    eventually("the restarted site", lambda: Site(OWN).serves("Owned"), namespace=OWN)
    assert kubectl("get", "pods", "-n", OWN, "-l", label, "-o", "name") != before
    kubectl("rollout", "status", "-n", OWN, "deployment/wordpress", "--timeout=120s")
    assert set(owned.preview().counts) == {"unchanged"}
