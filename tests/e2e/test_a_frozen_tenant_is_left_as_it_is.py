"""A frozen tenant is left as it is, by plain `pulumi up` and by the command line, while others change."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.commands import kubectl
from tests.support.stack import Stack

COLD, WARM, NEW = "e2e-freeze-cold", "e2e-freeze-warm", "e2e-freeze-new"
OWN = ("--tenant", COLD, "--tenant", WARM)
DOMAINS: dict[str, Any] = {"domains": ["cold.example.com"], "wordpress": {"autoscaling": {"maxReplicas": 3}}}


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Iterator[Stack]:
    """A stack of two tenants. One has what a tenant needn't have, is edited by hand and frozen, its line edited too."""
    made = make_stack("freeze")
    write(made, **DOMAINS)
    made.up()
    kubectl("scale", "deployment/wordpress", "-n", COLD, "--replicas=2")
    kubectl("label", "ingress/wordpress", "-n", COLD, "app.kubernetes.io/part-of-")
    kubectl("delete", "poddisruptionbudget/mariadb", "-n", COLD)
    write(made, frozen=True, title="Not to be seen", wordpress={"volume": {"size": "512Mi"}})
    yield made
    write(made)
    made.up()


def write(stack: Stack, *others: dict[str, Any], warm: str = "A title", **fields: Any) -> None:
    stack.catalogue(simulated.catalogue([simulated.tenant(COLD, **fields), simulated.tenant(WARM, warm), *others]))


def everything(name: str) -> dict[str, Any]:
    """All that is declared in a namespace, and who declared it: whoever writes the same again leaves a trace, too."""
    kinds = (
        "configmap,cronjob,deployment,horizontalpodautoscaler,ingress,limitrange,networkpolicy,persistentvolumeclaim,"
        "poddisruptionbudget,resourcequota,secret,service,serviceaccount,statefulset"
    )
    found = json.loads(kubectl("get", kinds, "-n", name, "-o", "json", "--show-managed-fields"))["items"]
    found.append(json.loads(kubectl("get", "namespace", name, "-o", "json", "--show-managed-fields")))
    for one in found:
        one.pop("status", None)
        for changing in ("resourceVersion", "generation"):
            one["metadata"].pop(changing, None)
        fields = one["metadata"].get("managedFields", ())
        one["metadata"]["managedFields"] = [entry for entry in fields if entry["manager"] == "siteforge"]
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in found}


@pytest.fixture
def cold(stack: Stack) -> Iterator[Stack]:
    """The same stack; the frozen tenant must be afterwards what it was before."""
    before = everything(COLD)
    assert {"Ingress/wordpress", "HorizontalPodAutoscaler/wordpress"} <= before.keys()
    yield stack
    assert everything(COLD) == before


def identities() -> dict[str, str]:
    """The UIDs of what the tenant keeps when it is thawed."""
    gone = ("Ingress/wordpress", "HorizontalPodAutoscaler/wordpress")
    return {name: one["metadata"]["uid"] for name, one in everything(COLD).items() if name not in gone}


def title(name: str) -> str:
    return kubectl("get", "deployment/wordpress", "-n", name, "-o", "jsonpath={.spec.template.spec}")


def test_plain_pulumi_up_leaves_it_and_changes_others(cold: Stack) -> None:
    write(cold, warm="Another title", frozen=True, title="Not to be seen", wordpress={"volume": {"size": "512Mi"}})
    shown = cold.preview()
    assert f"tenant {COLD}: frozen: left as it is" in shown.output
    done = cold.up()
    assert f"tenant {COLD}: frozen: left as it is" in done.output
    assert done.counts.keys() <= {"updated", "unchanged"}, done.output
    assert "Another title" in title(WARM)
    assert set(cold.preview().counts) == {"unchanged"}


def test_no_password_of_it_stands_in_the_state_in_plain_and_the_outputs_stay(cold: Stack) -> None:
    secrets = [one for one in cold.resources() if one["type"] == "kubernetes:core/v1:Secret"]
    assert len(secrets) == 4
    for one in secrets:
        kept = json.dumps(one)
        namespace, _, name = one["id"].partition("/")
        live = json.loads(kubectl("get", "secret", name, "-n", namespace, "-o", "json"))
        assert not any(value in kept for value in live["data"].values())
    assert set(cold.output("adminPasswords")) == {COLD, WARM}
    assert cold.output("tenants")[COLD]["domains"] == ["cold.example.com"], "what is so, not what its line says"


def test_the_command_line_leaves_it_too_and_tells(cold: Stack) -> None:
    done = cold.siteforge("up", "--tenant", COLD, "--all")
    assert f"frozen, left as it is: {COLD}" in done.stdout
    cold.siteforge("up", "--all")
    told = json.loads(cold.siteforge("up", "--output", "json").stdout)
    assert (told["tenants"], told["failed"]) == ([], {}), "what is frozen is no work to be done"


def test_status_shows_frozen_and_is_well(cold: Stack) -> None:
    status = json.loads(cold.siteforge("status", "--output", "json").stdout)
    assert {one["name"]: one["condition"] for one in status["tenants"]} == {COLD: "Frozen", WARM: "Ready"}


def test_drift_tells_its_differences_and_does_not_count_them(cold: Stack) -> None:
    done = cold.siteforge("drift", *OWN)
    assert f"{COLD}: frozen" in done.stdout
    assert "PodDisruptionBudget/mariadb: deleted" in done.stdout
    assert "no drift" in done.stdout
    told = json.loads(cold.siteforge("drift", *OWN, "--output", "json").stdout)
    assert told["tenants"] == {}
    assert list(told["frozen"]) == [COLD]


def test_its_removal_is_refused(cold: Stack) -> None:
    cold.catalogue(simulated.catalogue([simulated.tenant(WARM, "Another title")]))
    for done in (cold.preview(check=False), cold.up(check=False)):
        assert done.code != 0
        assert f"tenant {COLD}: removed, but frozen - put it back with `frozen: false`" in done.output
    write(cold, warm="Another title", frozen=True)


def test_a_state_that_lost_it_reads_it_again(cold: Stack) -> None:
    for one in reversed([one for one in cold.resources() if f"::{COLD}" in one["urn"]]):
        cold.pulumi("state", "delete", one["urn"], "--force", "--yes")
    cold.up()
    assert set(cold.preview().counts) == {"unchanged"}


def test_a_pod_that_never_gets_ready_is_not_waited_for(stack: Stack) -> None:
    selector = {"spec": {"template": {"spec": {"nodeSelector": {"type": "nowhere"}}}}}
    kubectl("patch", "deployment/wordpress", "-n", COLD, "--patch", json.dumps(selector))
    before = everything(COLD)
    for _ in range(2):
        stack.up()
    assert everything(COLD) == before
    status = json.loads(stack.siteforge("status", "--output", "json", check=False).stdout)
    (found,) = [one for one in status["tenants"] if one["name"] == COLD]
    assert (found["condition"], found["frozen"]) == ("Degraded", True)


def test_a_tenant_that_is_not_there_is_not_made_while_frozen(stack: Stack) -> None:
    write(stack, simulated.tenant(NEW, frozen=True), warm="A third title", frozen=True)
    done = stack.up()
    assert f"tenant {NEW}: frozen: not in the cluster, and not made" in done.output
    assert "A third title" in title(WARM)
    assert kubectl("get", "namespace", NEW, "--ignore-not-found") == ""
    write(stack, frozen=True)
    stack.up()


def test_pulumi_destroy_forgets_it_and_leaves_it(cold: Stack) -> None:
    cold.destroy()
    assert kubectl("get", "namespace", WARM, "--ignore-not-found") == ""
    cold.up()


def test_thawed_it_is_what_its_line_says(stack: Stack) -> None:
    before = identities()
    write(stack, title="Now to be seen")
    done = stack.up()
    assert f"{COLD}: frozen" not in done.output
    assert f"tenant {COLD}: thawed without Ingress/wordpress: it is deleted" in done.output
    assert before.items() <= identities().items(), "what Pulumi calls replaced is applied to what is there"
    assert "Now to be seen" in title(COLD)
    assert kubectl("get", "poddisruptionbudget/mariadb", "-n", COLD, "-o", "name")
    assert kubectl("get", "ingress,horizontalpodautoscaler", "-n", COLD, "-o", "name") == ""
    assert set(stack.preview().counts) == {"unchanged"}
    assert stack.siteforge("drift", *OWN).stdout.startswith("2 tenants, no drift")
