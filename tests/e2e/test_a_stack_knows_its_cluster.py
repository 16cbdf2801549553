"""A stack belongs to one cluster, whatever kubeconfig leads there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from local import cluster
from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.commands import kubectl
from tests.support.faults import recover
from tests.support.stack import Stack
from tests.support.waiting import eventually

TENANT = "e2e-whose"
ACCOUNT = "e2e-rotated"


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    """A stack of one tenant with simulated pods."""
    made = make_stack("whose")
    made.configure("readiness", "fleet")
    kubeconfig = made.folder / "kubeconfig"
    kubeconfig.write_text(Path(cluster.kubeconfig()).read_text())
    made.environment["KUBECONFIG"] = str(kubeconfig)
    made.catalogue(simulated.catalogue([simulated.tenant(TENANT)]))
    made.up()
    # Nobody waited, and a pod that becomes ready changes the objects that are compared here.
    eventually("the simulated pods", lambda: simulated.ready(TENANT), namespace=TENANT)
    return made


def versions() -> str:
    kinds = "namespace,deployment,statefulset,service,secret,configmap,pvc"
    path = "jsonpath={.items[*].metadata.resourceVersion}"
    return kubectl("get", kinds, "-A", "-l", f"app.kubernetes.io/instance={TENANT}", "-o", path)


def test_another_cluster_than_that_of_the_last_run_is_refused_before_any_change(stack: Stack) -> None:
    real = stack.pulumi("stack", "export").stdout
    assert stack.output("cluster") == kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
    before = versions()
    exported = json.loads(real)
    (root,) = [one for one in exported["deployment"]["resources"] if one["type"] == "pulumi:pulumi:Stack"]
    root["outputs"]["cluster"] = "5d2b3c1e-0000-4000-8000-000000000001"
    stack.pulumi("stack", "import", stdin=json.dumps(exported))
    stack.catalogue(simulated.catalogue([simulated.tenant(TENANT, title="Changed")]))
    try:
        for result in (stack.preview(check=False), stack.up(check=False)):
            assert result.code != 0
            assert "is another cluster" in result.output
            assert "use the stack's kubeconfig or siteforge:context" in result.output
            assert "Traceback" not in result.output
        done = recover(stack, check=False)
        assert done.returncode == 1 and "is another cluster" in done.stderr
        assert versions() == before
    finally:
        stack.pulumi("stack", "import", stdin=real)
        stack.catalogue(simulated.catalogue([simulated.tenant(TENANT)]))


@pytest.fixture
def rotated(stack: Stack) -> Iterator[str]:
    """A kubeconfig of the same cluster with other names, another user and another kind of credentials."""
    kubectl("create", "serviceaccount", ACCOUNT, "-n", "kube-system")
    kubectl(
        *("create", "clusterrolebinding", ACCOUNT, "--clusterrole=cluster-admin"),
        f"--serviceaccount=kube-system:{ACCOUNT}",
    )
    known = yaml.safe_load(Path(cluster.kubeconfig()).read_text())
    known["clusters"] = [{"name": "renamed", "cluster": known["clusters"][0]["cluster"]}]
    token = kubectl("create", "token", ACCOUNT, "-n", "kube-system").strip()
    known["users"] = [{"name": "new", "user": {"token": token}}]
    known["contexts"] = [{"name": "new", "context": {"cluster": "renamed", "user": "new"}}]
    known["current-context"] = "new"
    yield yaml.safe_dump(known)
    kubectl("delete", "clusterrolebinding", ACCOUNT)
    kubectl("delete", "serviceaccount", ACCOUNT, "-n", "kube-system")


def test_a_rotated_kubeconfig_of_the_same_cluster_replaces_nothing(stack: Stack, rotated: str) -> None:
    path = Path(stack.environment["KUBECONFIG"])
    before = path.read_text()
    path.write_text(rotated)
    try:
        assert set(stack.up().counts) == {"unchanged"}
    finally:
        path.write_text(before)
    assert set(stack.up().counts) == {"unchanged"}


def test_a_kubeconfig_in_another_place_updates_the_provider_alone(stack: Stack) -> None:
    before, place = versions(), Path(stack.environment["KUBECONFIG"])
    moved = place.with_name("moved")
    moved.write_text(place.read_text())
    stack.environment["KUBECONFIG"] = str(moved)
    try:
        counts = stack.up().counts
    finally:
        stack.environment["KUBECONFIG"] = str(place)
    assert (counts.pop("updated"), set(counts)) == (1, {"unchanged"})
    stack.up()
    assert versions() == before
