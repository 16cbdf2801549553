"""Siteforge in the cluster, as a pod that nobody helps: it rolls out, repairs, holds back, survives."""

import contextlib
from collections.abc import Iterator

import pytest

from siteforge.fleet.reconciler import NAME
from siteforge.fleet.records import HOME
from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl
from tests.support.reconciler import Reconciler
from tests.support.stack import Stack
from tests.support.waiting import eventually

FIRST, SECOND = NAMES = ("e2e-kept-a", "e2e-kept-b")
OPTIONS = ("--mode", "repair", "--most-drifted", "50%", "--interval", "3", "--timeout", "180")
SECONDS = 240
"""Of a run with what waits for it, on a machine that does much else."""


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    """Two tenants, of whom this machine's Pulumi knows nothing: the reconciler makes them."""
    made = make_stack("kept")
    made.configure("readiness", "fleet")
    declare(made, "A site")
    return made


@pytest.fixture(scope="module")
def reconciler(stack: Stack) -> Iterator[Reconciler]:
    """It runs, and both tenants are ready."""
    made = Reconciler(stack)
    made.remove()
    try:
        made.apply(*OPTIONS)
        await_clean(made)
        yield made
    finally:
        made.remove()
        kubectl("delete", "namespace", *NAMES, "--ignore-not-found", "--timeout=180s")


def declare(stack: Stack, title: str) -> None:
    tenants = [f"  - {{name: {name}, title: {title}, adminEmail: a@example.com, plan: nano}}" for name in NAMES]
    stack.catalogue("\n".join(["tenants:", *tenants]))


def await_clean(reconciler: Reconciler) -> None:
    """Wait for a round that begins from now on and finds both tenants Ready and nothing to do."""
    rounds = 'siteforge_reconciler_rounds_total{outcome="succeeded"}'
    before = {pod: told[rounds] for pod, told in reconciler.metrics().items()}

    def clean() -> bool:
        leader = reconciler.leader()
        told = reconciler.metrics().get(leader, {})
        # The one that is under way began before.
        if told.get(rounds, 0) < before.get(leader, 0) + 2:
            return False
        nothing = ("siteforge_reconciler_changed_tenants", "siteforge_reconciler_drifted_tenants")
        return told.get('siteforge_tenants{condition="Ready"}') == 2 and all(told[name] == 0 for name in nothing)

    try:
        eventually("a fleet as the catalogue says", clean, seconds=SECONDS, poll=2)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{reconciler.log()}") from None


def uid(target: str, namespace: str) -> str:
    return kubectl("get", target, "-n", namespace, "-o", "jsonpath={.metadata.uid}", "--ignore-not-found")


def await_back(reconciler: Reconciler, target: str, namespace: str) -> None:
    """Wait until an object that was deleted is there again and the reconciler has verified it."""
    eventually(f"{target} to be back", lambda: uid(target, namespace), seconds=SECONDS, namespace=namespace, poll=1)
    await_clean(reconciler)


def entry(reconciler: Reconciler, tenant: str, kind: str) -> dict[str, object]:
    """The newest entry of the history about a kind of a tenant's."""
    found = [one for one in reconciler.history() if one["tenant"] == tenant and one["difference"]["kind"] == kind]
    return found[-1] if found else {}


def test_a_deleted_deployment_comes_back_without_anyones_pulumi_up(reconciler: Reconciler) -> None:
    database = uid("statefulset/mariadb", FIRST)
    kubectl("delete", "deployment/wordpress", "-n", FIRST)
    await_back(reconciler, "deployment/wordpress", FIRST)
    assert uid("statefulset/mariadb", FIRST) == database
    found = entry(reconciler, FIRST, "Deployment")
    assert (found["difference"]["change"], found["state"]) == ("deleted", "repaired")  # type: ignore[index]
    assert found["ended"]
    assert reconciler.metric("siteforge_drift_repaired_total") >= 1


@pytest.mark.faults
def test_an_edit_of_the_catalogue_is_rolled_out(reconciler: Reconciler, stack: Stack) -> None:
    declare(stack, "Another site")
    reconciler.apply(*OPTIONS)
    # A change of the pod has the kubelet look at its ConfigMap at once, and not after a minute.
    kubectl("annotate", "pod", "-n", HOME, reconciler.leader(), "e2e/look=now", "--overwrite")

    def changed() -> bool:
        return "Another site" in kubectl("get", "configmap/wordpress", "-n", SECOND, "-o", "yaml") + kubectl(
            "get", "deployment/wordpress", "-n", SECOND, "-o", "yaml"
        )

    eventually("the new title", changed, seconds=SECONDS, namespace=SECOND, poll=2)
    await_clean(reconciler)


@pytest.mark.faults
def test_more_drift_than_its_share_stops_it_until_somebody_decides(reconciler: Reconciler) -> None:
    for name in NAMES:
        kubectl("delete", "poddisruptionbudget/wordpress", "-n", name)

    def holds() -> bool:
        return reconciler.metric("siteforge_reconciler_held") == 1

    # The first may be found alone, which is no more than one: it comes back, and is deleted again.
    with contextlib.suppress(AssertionError):
        eventually("the reconciler to hold", holds, seconds=20, poll=1)
    if not holds():
        for name in NAMES:
            kubectl("delete", "poddisruptionbudget/wordpress", "-n", name, "--ignore-not-found")
        eventually("the reconciler to hold", holds, seconds=SECONDS, poll=1)
    rounds = reconciler.metric('siteforge_reconciler_rounds_total{outcome="held"}')
    eventually(
        "two more rounds",
        lambda: reconciler.metric('siteforge_reconciler_rounds_total{outcome="held"}') >= rounds + 2,
        seconds=SECONDS,
        poll=1,
    )
    assert [uid("poddisruptionbudget/wordpress", name) for name in NAMES] == ["", ""]
    assert "2 of 2 tenants drifted at once, more than 50%: nothing is done" in reconciler.log()
    done = reconciler.inside(reconciler.leader(), "siteforge up --stack kept --drifted")
    assert "2 of 2 tenants up" in done, done
    await_clean(reconciler)
    assert reconciler.metric("siteforge_reconciler_held") == 0
    assert entry(reconciler, FIRST, "PodDisruptionBudget")["state"] == "gone"


@pytest.mark.faults
def test_of_two_replicas_exactly_one_acts_and_the_other_takes_over(reconciler: Reconciler) -> None:
    reconciler.apply(*OPTIONS, "--replicas", "2")
    eventually("two pods that tell", lambda: len(reconciler.metrics()) == 2, seconds=SECONDS, poll=1)
    eventually("a leader", reconciler.leader, seconds=SECONDS, poll=1)
    first = reconciler.leader()
    kubectl("delete", "deployment/wordpress", "-n", FIRST)
    await_back(reconciler, "deployment/wordpress", FIRST)
    told = reconciler.metrics()
    (standby,) = set(told) - {first}
    acted = {pod: told[pod]['siteforge_reconciler_runs_total{outcome="succeeded"}'] for pod in told}
    assert (acted[first] > 0, acted[standby]) == (True, 0)
    assert told[standby]['siteforge_reconciler_rounds_total{outcome="succeeded"}'] == 0
    kubectl("delete", "pod", first, "-n", HOME, "--timeout=180s")
    eventually("the other to lead", lambda: reconciler.leader() == standby, seconds=SECONDS, poll=1)
    kubectl("delete", "deployment/wordpress", "-n", SECOND)
    await_back(reconciler, "deployment/wordpress", SECOND)


@pytest.mark.faults
@pytest.mark.parametrize("how", ["container", "pod"])
def test_a_leader_killed_in_the_middle_of_a_repair_is_recovered(reconciler: Reconciler, how: str) -> None:
    reconciler.apply(*OPTIONS, "--replicas", "2")
    eventually("two pods that tell", lambda: len(reconciler.metrics()) == 2, seconds=SECONDS, poll=1)
    await_clean(reconciler)
    leader = reconciler.leader()
    kubectl("delete", "deployment/wordpress", "-n", FIRST)
    locks = "ls /var/lib/siteforge-state/.pulumi/locks/organization/siteforge/kept"
    eventually("Pulumi to run", lambda: ".json" in reconciler.inside(leader, locks), seconds=SECONDS, poll=0.1)
    if how == "container":
        # Everything but its first process, which ends with what it started.
        reconciler.inside(leader, "kill -9 -1")
    else:
        kubectl("delete", "pod", leader, "-n", HOME, "--grace-period=0", "--force")
    await_back(reconciler, "deployment/wordpress", FIRST)
    assert entry(reconciler, FIRST, "Deployment")["state"] == "repaired"
    if how == "container":
        # A pod's processes are told to end, and may have given the lock back before they were killed.
        logs = kubectl("logs", "-n", HOME, "-l", f"app.kubernetes.io/name={NAME}", "--tail=-1", "--prefix")
        assert "the stack is recovered" in logs
    done = reconciler.inside(reconciler.leader(), "pulumi preview --stack kept --diff --non-interactive")
    assert "unchanged" in done and "to create" not in done and "to update" not in done, done
