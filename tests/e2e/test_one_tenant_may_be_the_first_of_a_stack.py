import pytest

from tests.e2e.conftest import MakeStack
from tests.support.fleet import in_state
from tests.support.simulated import catalogue, ready, tenant
from tests.support.stack import Stack

FIRST, OTHER = "e2e-first-a", "e2e-first-b"


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    stack = make_stack("first")
    stack.configure("readiness", "fleet")
    stack.catalogue(catalogue(tenant(name) for name in (FIRST, OTHER)))
    return stack


def test_one_tenant_is_provisioned_in_a_stack_that_never_had_any(stack: Stack) -> None:
    assert "1 of 1 tenants up" in stack.siteforge("--tenant", FIRST).stdout
    assert in_state(stack) == {FIRST}
    assert ready(FIRST)


def test_one_tenant_is_provisioned_again_in_a_stack_that_plain_pulumi_destroyed(stack: Stack) -> None:
    stack.destroy()
    assert in_state(stack) == set()
    assert "1 of 1 tenants up" in stack.siteforge("--tenant", FIRST).stdout
    assert in_state(stack) == {FIRST}
    assert ready(FIRST)
