"""A Job over the cells, in the cluster, with the state in a real PostgreSQL: each pod does one round for one cell."""

import json
from collections.abc import Iterator

import pytest

from siteforge.fleet import history
from siteforge.fleet.records import HOME
from tests.support.address import reached_by_pods
from tests.support.commands import kubectl
from tests.support.postgres import Postgres
from tests.support.reconciler import Reconciler
from tests.support.simulated import catalogue, ready, tenant, versions
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.faults

NAMES = FIRST, *OTHERS = ("e2e-jobs-a", "e2e-jobs-c", "e2e-jobs-d")
"""The first is in the lower half of the buckets, and so in the first cell; the others in the second."""
CELLS = ("jobs-one", "jobs-two")
NEVER = "0 0 31 2 *"
"""The tests say when."""
OPTIONS = ("--mode", "repair", "--timeout", "180", "--backend", "secret", "--workers", "2", "--schedule", NEVER)


@pytest.fixture(scope="module")
def server(running_cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    postgres = Postgres(tmp_path_factory.mktemp("postgres") / "server", reached_by_pods())
    yield postgres
    postgres.stop()


@pytest.fixture(scope="module")
def stack(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stacks") / CELLS[0], CELLS[0], backend=server.url)
    stack.pulumi("config", "set", "--secret", "siteforge:secret", stdin="a secret of the tests, long enough to be one")
    stack.configure("readiness", "fleet")
    stack.catalogue(catalogue(tenant(name) for name in NAMES))
    stack.siteforge("cells", "add", CELLS[1])
    yield stack
    for one in (stack, stack.beside(CELLS[1])):
        one.pulumi("cancel", "--yes", check=False)
        one.destroy()


@pytest.fixture(scope="module")
def reconciler(stack: Stack) -> Iterator[Reconciler]:
    """Its first Job has made the tenants."""
    made = Reconciler(stack)
    made.remove()
    try:
        made.apply(*OPTIONS)
        made.begin("jobs-first")
        done = made.ended("jobs-first")
        assert done.get("completedIndexes") == "0,1", made.log_of("jobs-first")
        yield made
    finally:
        made.remove()


def uid(target: str, namespace: str) -> str:
    return kubectl("get", target, "-n", namespace, "-o", "jsonpath={.metadata.uid}", "--ignore-not-found")


def delete_deployments() -> None:
    for name in NAMES:
        kubectl("delete", "deployment/wordpress", "-n", name)


def recorded(cell: str) -> set[tuple[str, str]]:
    """Of whom the history of a cell tells, and how it ended."""
    found = json.loads(kubectl("get", f"configmap/{history.name('siteforge', cell)}", "-n", HOME, "-o", "json"))
    return {(one["tenant"], one["state"]) for one in json.loads(found["data"]["entries"])}


def test_each_index_of_a_job_repairs_its_cell_and_keeps_its_history(reconciler: Reconciler) -> None:
    before = {name: versions(name) for name in NAMES}
    delete_deployments()
    reconciler.begin("jobs-repair")
    done = reconciler.ended("jobs-repair")
    assert (done.get("completedIndexes"), done.get("failed", 0)) == ("0,1", 0), reconciler.log_of("jobs-repair")
    for name in NAMES:
        assert ready(name)
        changed = {key for key, version in versions(name).items() if before[name].get(key) != version}
        assert changed == {"Deployment/wordpress"}
    assert [recorded(cell) for cell in CELLS] == [{(FIRST, "repaired")}, {(name, "repaired") for name in OTHERS}]
    assert {one["tenant"] for one in reconciler.history()} == set(NAMES), "who looks sees the history of all"


def test_too_much_drift_in_a_cell_holds_that_cell_alone_and_is_not_tried_again(reconciler: Reconciler) -> None:
    reconciler.apply(*OPTIONS, "--most-drifted", "20%")
    delete_deployments()
    reconciler.begin("jobs-held")
    done = reconciler.ended("jobs-held")
    log = reconciler.log_of("jobs-held")
    assert (done.get("completedIndexes"), done.get("failedIndexes"), done.get("failed")) == ("0", "1", 1), log
    assert "2 of 2 tenants drifted at once, more than 20%: nothing is done" in log
    assert [name for name in NAMES if uid("deployment/wordpress", name)] == [FIRST]
    reconciler.apply(*OPTIONS)
    reconciler.begin("jobs-let")
    assert reconciler.ended("jobs-let").get("completedIndexes") == "0,1", reconciler.log_of("jobs-let")


def test_a_cell_that_fails_fails_its_index_alone(reconciler: Reconciler, stack: Stack) -> None:
    other = stack.beside(CELLS[1])
    other.pulumi("config", "set", "siteforge:imagePullPolicy", "Sometimes", "--stack", CELLS[1])
    try:
        reconciler.apply(*OPTIONS)
        delete_deployments()
        reconciler.begin("jobs-fail")
        done = reconciler.ended("jobs-fail")
        assert (done.get("completedIndexes"), done.get("failedIndexes")) == ("0", "1"), reconciler.log_of("jobs-fail")
        assert [name for name in NAMES if uid("deployment/wordpress", name)] == [FIRST]
        assert "Sometimes" in reconciler.log_of("jobs-fail")
    finally:
        other.pulumi("config", "set", "siteforge:imagePullPolicy", "IfNotPresent", "--stack", CELLS[1])
        reconciler.apply(*OPTIONS)
    reconciler.begin("jobs-again")
    done = reconciler.ended("jobs-again")
    assert done.get("completedIndexes") == "0,1", reconciler.log_of("jobs-again")
    assert all(ready(name) for name in NAMES)


def test_a_pod_killed_in_the_middle_is_followed_by_one_that_removes_its_lock(reconciler: Reconciler) -> None:
    delete_deployments()
    reconciler.begin("jobs-killed")
    program = "grep -l pulumi-language-python-exe[c] /proc/[0-9]*/cmdline"
    pods: list[str] = []

    def runs_the_program() -> bool:
        pods[:] = [pod for pod in reconciler.pods() if pod.startswith("jobs-killed-0-")]
        return any("/proc/" in reconciler.inside(pod, f"{program} 2>&-") for pod in pods)

    eventually("Pulumi to run the program", runs_the_program, seconds=240, namespace=HOME, poll=0.1)
    # Everything but its first process, which ends with what it started.
    reconciler.inside(pods[0], "kill -9 -1")
    done = reconciler.ended("jobs-killed")
    log = reconciler.log_of("jobs-killed")
    assert done.get("completedIndexes") == "0,1" and done.get("failed", 0) >= 1, log
    assert "its lock is removed" in log
    assert all(ready(name) for name in NAMES)
