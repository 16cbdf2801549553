"""One process of a run is killed at a random moment of a create, update or delete; nothing is lost or made twice."""

import json
import random
import re
import signal
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.commands import kubectl
from tests.support.faults import ALSO_IN_TEST, SEEDS, Up, Victim, left_behind, recover, running
from tests.support.stack import Stack
from tests.support.waiting import eventually

KEPT = ["e2e-kill-a", "e2e-kill-b"]
COMING = ["e2e-kill-c", "e2e-kill-d"]
VICTIMS: list[Victim] = ["engine", "provider", "program"]
OPERATIONS = ["create", "update", "delete"]
KINDS = "deployment,statefulset,service,secret,configmap,pvc,networkpolicy,poddisruptionbudget,resourcequota,limitrange"


def write(stack: Stack, names: list[str], memory: str = "256Mi") -> None:
    limits = {"resources": {"limits": {"memory": memory}}}
    stack.catalogue(simulated.catalogue(simulated.tenant(name, wordpress=limits, database=limits) for name in names))


class Fleet(NamedTuple):
    """A stack of two tenants with simulated pods, and how long it took to make them."""

    stack: Stack
    seconds: float


@pytest.fixture(scope="module")
def two(make_stack: MakeStack) -> Fleet:
    stack = make_stack("kill")
    stack.configure("readiness", "fleet")
    write(stack, KEPT)
    started = time.monotonic()
    stack.up()
    return Fleet(stack, time.monotonic() - started)


@pytest.fixture
def fleet(two: Fleet) -> Iterator[Stack]:
    """Its stack, as it was made, before and after each test."""
    yield two.stack
    if left_behind(two.stack):
        recover(two.stack)
    write(two.stack, KEPT)
    two.stack.up()


def identities(names: list[str]) -> dict[str, str]:
    """The identity of each object of some tenants: another one is another object, whatever its name."""
    found = {}
    for name in names:
        items = json.loads(kubectl("get", KINDS, "-n", name, "-o", "json", "--ignore-not-found") or "{}")
        for item in items.get("items", []):
            if item["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") == "siteforge":
                found[f"{name}/{item['kind']}/{item['metadata']['name']}"] = item["metadata"]["uid"]
    return found


def namespaces() -> set[str]:
    names = kubectl("get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}").split()
    return {name for name in names if name.startswith("e2e-kill-")}


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=ALSO_IN_TEST) for seed in range(SEEDS)])
@pytest.mark.parametrize(
    # A deletion, which `make test` has no time for.
    "victim",
    ["engine", "provider", pytest.param("program", marks=pytest.mark.faults)],
)
def test_after_a_kill_at_a_random_moment_recover_converges(two: Fleet, fleet: Stack, victim: Victim, seed: int) -> None:
    chance = random.Random(f"{victim} {seed}")
    operation = OPERATIONS[(seed + VICTIMS.index(victim)) % len(OPERATIONS)]
    if operation == "delete":
        write(fleet, KEPT + COMING)
        fleet.up()
    before = identities(KEPT)
    names = KEPT + COMING if operation == "create" else KEPT
    write(fleet, names, memory="320Mi" if operation == "update" else "256Mi")
    skip = {"PULUMI_SKIP_CHECKPOINTS": "true"} if victim == "engine" and seed % 2 else {}
    moment = chance.uniform(0.05, 1) * two.seconds
    with running(fleet, **skip) as up:
        time.sleep(moment)
        hit = up.kill(victim)
        up.wait()
    done = recover(fleet)
    print(f"\n{operation}, {victim} killed after {moment:.1f} s{' (it had ended)' * (not hit)} {skip}\n{done.stdout}")
    assert "Traceback" not in done.stdout + done.stderr
    assert left_behind(fleet) == []
    changes = fleet.preview().counts
    assert set(changes) == {"unchanged"}, changes
    assert namespaces() == set(names)
    # Nothing was made anew: no object of the tenants that were there, and with it no data, was lost.
    assert identities(KEPT) == before
    assert len({resource["urn"] for resource in fleet.resources()}) == len(fleet.resources())


def under_way(stack: Stack) -> list[str]:
    """The objects that the state says are being created."""
    path = stack.folder / "state" / ".pulumi" / "stacks" / "siteforge" / f"{stack.name}.json"
    latest = json.loads(path.read_bytes())["checkpoint"]["latest"]
    pending = latest.get("pending_operations") or []
    kubernetes = [one["resource"] for one in pending if one["resource"]["type"].startswith("kubernetes:")]
    return [resource["urn"].rpartition("::")[2] for resource in kubernetes]


def stopped_under_way(up: Up) -> bool:
    """Whether the engine, stopped now, was creating something; it goes on if it was not."""
    up.process.send_signal(signal.SIGSTOP)
    if under_way(up.stack):
        return True
    up.process.send_signal(signal.SIGCONT)
    return False


@pytest.mark.faults
def test_operations_under_way_are_looked_up_and_taken_over(fleet: Stack) -> None:
    before = identities(KEPT)
    write(fleet, KEPT + COMING)
    with running(fleet) as up:
        eventually("an operation under way", lambda: stopped_under_way(up), seconds=60, poll=0.02)
        up.process.kill()
        up.wait()
    pending = under_way(fleet)
    assert pending
    done = recover(fleet)
    for name in pending:
        fate = re.search(
            rf"operation under way: creating {name}: it is (there, and is taken over|not there)", done.stdout
        )
        assert fate, done.stdout
    assert left_behind(fleet) == []
    assert set(fleet.preview().counts) == {"unchanged"}
    assert identities(KEPT) == before


@pytest.mark.faults
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_stops_a_run_within_30_s_and_nothing_is_lost(fleet: Stack, times: int) -> None:
    before = identities(KEPT)
    write(fleet, KEPT + COMING)
    with running(fleet) as up:
        eventually("an operation under way", lambda: under_way(fleet), seconds=60, poll=0.01)
        for _ in range(times):
            up.process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        assert up.wait(seconds=30) != 0
    if times == 1:
        assert left_behind(fleet) == [], "the engine ended its processes and gave its lock back"
        fleet.up()
    else:
        recover(fleet)
    assert left_behind(fleet) == []
    assert set(fleet.preview().counts) == {"unchanged"}
    assert identities(KEPT) == before
