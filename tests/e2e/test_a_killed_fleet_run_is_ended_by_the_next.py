"""`siteforge up` writes Pulumi's state once, at the end: a run that is killed before loses and doubles nothing."""

import contextlib
import json
import random
import subprocess
import time
from typing import Any

import psutil
import pytest

from local import workspace
from siteforge.fleet import records
from siteforge.fleet.cluster import Cluster
from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl
from tests.support.faults import SEEDS
from tests.support.fleet import in_state, up
from tests.support.simulated import catalogue, ready, tenant
from tests.support.stack import Stack

NAMES = [f"e2e-cut-{letter}" for letter in "abc"]


pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    stack = make_stack("cut")
    stack.configure("readiness", "fleet")
    return stack


def lines(stack: Stack, title: str, names: list[str] = NAMES) -> None:
    stack.catalogue(catalogue(tenant(name, title) for name in names))


def kill_after(stack: Stack, seconds: float) -> None:
    """Begin a run, and kill all its processes as a power cut would."""
    process = stack.start("up", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()


def uids(name: str) -> dict[str, str]:
    kinds = "deployments,statefulsets,services,persistentvolumeclaims,secrets,configmaps"
    found: list[dict[str, Any]] = json.loads(kubectl("get", kinds, "-n", name, "-o", "json"))["items"]
    return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["uid"] for one in found}


def converged(stack: Stack) -> None:
    assert json.loads(stack.siteforge("recover", "--output", "json").stdout)["recovered"]
    assert up(stack)["failed"] == {}
    assert all(ready(name) for name in NAMES)
    assert in_state(stack) == set(NAMES)
    assert set(stack.preview().counts) == {"unchanged"}


@pytest.mark.parametrize("seed", range(SEEDS + 1))
def test_a_run_that_was_killed_at_any_moment_is_ended_without_loss_or_double(stack: Stack, seed: int) -> None:
    moment = random.Random(seed).uniform(2, 12)
    lines(stack, f"Title {seed}")
    kill_after(stack, moment)
    left = {name: uids(name) for name in NAMES}
    converged(stack)
    for name in NAMES:
        now = uids(name)
        assert {key: now[key] for key in left[name]} == left[name], "what was made is taken over, not made again"


def test_a_tenant_that_is_taken_away_after_its_run_was_killed_is_not_forgotten(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run noted it as under way and made its namespace; Pulumi's state never heard of it."""
    extra = "e2e-cut-extra"
    lines(stack, "The last title")
    up(stack)
    monkeypatch.setenv("KUBECONFIG", workspace.variables()["KUBECONFIG"])
    with Cluster() as cluster:
        known = records.read(cluster, "siteforge")[stack.name]
        records.write(cluster, "siteforge", stack.name, known | {extra: ""})
    kubectl("create", "namespace", extra)
    try:
        report = up(stack, code=1)
        assert set(report["failed"]) == {extra}
        assert f"the namespace {extra} is still there, and Pulumi doesn't know of it" in report["failed"][extra][0]
    finally:
        kubectl("delete", "namespace", extra)
    assert up(stack)["failed"] == {}
    assert up(stack)["runs"] == []
