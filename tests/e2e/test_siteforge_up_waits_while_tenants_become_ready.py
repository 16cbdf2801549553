"""Tenants that become ready one after the other, the last of them later than one deadline for all would allow."""

import re
import subprocess
import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.commands import kubectl
from tests.support.stack import Stack
from tests.support.waiting import eventually

EARLY, LATE = "e2e-waits-early", "e2e-waits-late"
TIMEOUT = 30.0
_APART_SECONDS = 20.0
"""Between two tenants: less than the deadline, and twice it is more."""


def _label(tenant: str) -> str:
    return f"siteforge.test/{tenant}"


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    """A node that takes no tenant of these before it is labelled for it."""
    name = kubectl("get", "nodes", "-l", "type=kwok", "-o", "jsonpath={.items[0].metadata.name}")
    off = [f"{_label(tenant)}-" for tenant in (EARLY, LATE)]
    kubectl("label", "node", name, *off)
    yield name
    kubectl("label", "node", name, *off)


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    stack = make_stack("waits")
    stack.configure("readiness", "fleet")
    lines = []
    for tenant in (EARLY, LATE):
        there = {"scheduling": simulated.scheduling(**{_label(tenant): "yes"})}
        lines.append(simulated.tenant(tenant, wordpress=there, database=there))
    stack.catalogue(simulated.catalogue(lines))
    return stack


def test_the_timeout_counts_from_the_last_tenant_that_became_ready(stack: Stack, node: str) -> None:
    up = stack.start("up", "--timeout", f"{TIMEOUT:.0f}", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        eventually("the last tenant's pods", lambda: kubectl("get", "pods", "-n", LATE, "-o", "name"), namespace=LATE)
        began = time.monotonic()
        for tenant in (EARLY, LATE):
            time.sleep(_APART_SECONDS)
            kubectl("label", "node", node, f"{_label(tenant)}=yes")
            eventually(f"{tenant} to be ready", partial(simulated.ready, tenant), namespace=tenant)
        assert time.monotonic() - began > TIMEOUT, "one deadline for both would have passed"
        out, err = up.communicate(timeout=120)
    finally:
        up.kill()
    assert up.returncode == 0, out + err
    assert "2 of 2 tenants up" in out


def test_who_never_becomes_ready_is_named_after_that_time(stack: Stack, node: str) -> None:
    kubectl("label", "node", node, f"{_label(LATE)}-")
    kubectl("delete", "pods", "--all", "-n", LATE, "--wait=false")
    started = time.monotonic()
    done = stack.siteforge("up", "--all", "--timeout", f"{TIMEOUT:.0f}", check=False)
    assert done.returncode == 1
    assert time.monotonic() - started > TIMEOUT
    assert re.search(rf"^{LATE}: not ready after 3\d s", done.stderr, re.MULTILINE)
    assert f"{EARLY}: " not in done.stderr
    assert "1 of 2 tenants up" in done.stdout
