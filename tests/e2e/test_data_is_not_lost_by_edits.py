"""Edits of the catalogue that would lose data are refused before anything is touched, by plain `pulumi up` too."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.commands import kubectl
from tests.support.stack import Result, Stack

pytestmark = pytest.mark.faults

KEPT, OTHERS = "e2e-edit-kept", [f"e2e-edit-{number}" for number in range(3)]


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    """A stack of one protected tenant and three others."""
    made = make_stack("edit")
    made.configure("readiness", "fleet")
    made.configure("removablePercent", "33")
    write(made)
    made.up()
    return made


@pytest.fixture
def untouched(stack: Stack) -> Iterator[Stack]:
    """The same, which the test must leave as it is."""
    before = versions()
    yield stack
    assert versions() == before
    write(stack)
    assert set(stack.preview().counts) == {"unchanged"}


@pytest.fixture(scope="module", autouse=True)
def unprotected(stack: Stack) -> Iterator[None]:
    """At last, the stack can be destroyed."""
    yield
    write(stack, deletionProtection=False)
    stack.up()


def write(stack: Stack, *, kept: bool = True, others: list[str] = OTHERS, **fields: Any) -> None:
    fields = {"deletionProtection": True} | fields
    lines = [simulated.tenant(KEPT, **fields)] * kept + [simulated.tenant(name) for name in others]
    stack.catalogue(simulated.catalogue(lines))


def versions() -> str:
    kinds = "namespace,deployment,statefulset,service,secret,configmap,pvc,resourcequota"
    path = "jsonpath={range .items[*]}{.metadata.uid}/{.metadata.generation} {end}"
    own = f"app.kubernetes.io/instance in ({', '.join([KEPT, *OTHERS])})"
    return kubectl("get", kinds, "-A", "-l", own, "-o", path)


def refused(stack: Stack, *messages: str) -> Result:
    for result in (stack.preview(check=False), stack.up(check=False)):
        assert result.code != 0
        assert all(message in result.output for message in messages), result.output
        assert "Traceback" not in result.output
    return result


def test_a_protected_tenant_is_not_removed(untouched: Stack) -> None:
    write(untouched, kept=False)
    refused(untouched, f"tenant {KEPT}: removed, but protected - put it back with `deletionProtection: false`")


def test_more_tenants_than_the_set_share_are_not_removed_at_once(untouched: Stack) -> None:
    write(untouched, others=OTHERS[2:])
    refused(untouched, "2 of 4 tenants are removed", "siteforge:removablePercent 50")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"wordpress": {"volume": {"size": "512Mi"}}}, "wordpress.volume.size: 1Gi now, 512Mi in the catalogue"),
        (
            {"database": {"volume": {"storageClass": "another"}}},
            "database.volume.storageClass: local-path now, another",
        ),
        ({"wordpress": {"volume": {"accessMode": "ReadWriteMany"}}}, "accessMode: ReadWriteOnce now, ReadWriteMany"),
        ({"database": {"external": {"host": "10.0.0.5"}}}, "database.volume: it would be deleted with its data"),
    ],
)
def test_what_would_lose_or_cannot_change_a_volume_is_refused(
    untouched: Stack, fields: dict[str, Any], message: str
) -> None:
    if "external" in fields.get("database", {}):
        untouched.pulumi(
            "config", "set", "--secret", "--path", f"siteforge:passwords.{KEPT}.database", stdin="a password"
        )
        line = simulated.tenant(KEPT, deletionProtection=True)
        line["database"] = fields["database"]
        untouched.catalogue(simulated.catalogue([line, *map(simulated.tenant, OTHERS)]))
    else:
        write(untouched, **fields)
    refused(untouched, f"tenant {KEPT}: {message}" if message.startswith(("wordpress", "database")) else message)


def identities() -> str:
    kinds = "deployment,statefulset,replicaset,pod,service,secret,configmap,pvc,networkpolicy"
    return kubectl("get", kinds, "-n", KEPT, "-o", "jsonpath={.items[*].metadata.uid}")


def test_pulumi_destroy_leaves_a_protected_tenant_running(stack: Stack) -> None:
    write(stack)
    stack.up()
    before = identities()
    done = stack.pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress", check=False)
    assert done.returncode != 0
    assert "protect" in done.stdout + done.stderr
    assert identities() == before
    stack.up()
    assert identities() == before, "all of it was taken over again"
    assert set(stack.preview().counts) == {"unchanged"}


def test_a_tenant_is_removed_in_two_steps(stack: Stack) -> None:
    name = OTHERS[0]
    lines = [simulated.tenant(KEPT, deletionProtection=True), *map(simulated.tenant, OTHERS[1:])]
    stack.catalogue(simulated.catalogue([*lines, simulated.tenant(name, deletionProtection=True)]))
    stack.up()
    stack.catalogue(simulated.catalogue(lines))
    refused(stack, f"tenant {name}: removed, but protected")
    stack.catalogue(simulated.catalogue([*lines, simulated.tenant(name, deletionProtection=False)]))
    stack.up()
    stack.catalogue(simulated.catalogue(lines))
    stack.up()
    assert kubectl("get", "namespace", name, "--ignore-not-found") == ""
    write(stack)
    stack.up()
