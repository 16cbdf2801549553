"""Namespaces that can't go, for the finalizer of an object in them that nobody takes away."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.commands import kubectl
from tests.support.stack import Stack

STUCK, OTHER = "e2e-stuck", "e2e-stuck-not"
FINALIZER = "siteforge.dev/of-the-tests"
SAID = f"namespace {STUCK} is being deleted, and held up by configmaps/held, whose finalizer {FINALIZER}"


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    stack = make_stack("stuck")
    stack.configure("readiness", "fleet")
    write(stack, "A title")
    stack.siteforge("up")
    return stack


def write(stack: Stack, title: str) -> None:
    stack.catalogue(simulated.catalogue(simulated.tenant(name, title) for name in (STUCK, OTHER)))


@pytest.fixture
def stuck(stack: Stack) -> Iterator[Stack]:
    """Its namespace is deleted, and an object in it has a finalizer that is nobody's."""
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": [FINALIZER]}}
    kubectl("apply", "-n", STUCK, "-f", "-", stdin=json.dumps(held))
    kubectl("delete", "namespace", STUCK, "--wait=false")
    try:
        yield stack
    finally:
        let_go()


def let_go() -> None:
    patch = '{"metadata": {"finalizers": null}}'
    kubectl("patch", "-n", STUCK, "configmap/held", "--type=merge", "-p", patch, check=False)


def test_it_is_named_with_object_and_finalizer_others_are_deployed_and_it_heals_once_that_is_gone(stuck: Stack) -> None:
    write(stuck, "Another title")
    done = stuck.siteforge("up", "--timeout", "20", check=False)
    assert done.returncode == 1
    assert SAID in done.stderr
    assert "kubectl patch configmaps/held" in done.stderr
    assert "1 of 2 tenants up" in done.stdout
    assert "Another title" in kubectl("get", "deployment", "wordpress", "-n", OTHER, "-o", "json")
    assert SAID in stuck.siteforge("doctor", check=False).stdout
    recovered = stuck.siteforge("recover", check=False)
    assert recovered.returncode == 1
    assert SAID in recovered.stderr

    let_go()
    stuck.siteforge("up", "--timeout", "120")
    assert simulated.ready(STUCK)
    assert set(stuck.preview().counts) == {"unchanged"}
