"""A tenant that can't become ready is tried again later, and costs the others nothing."""

from pathlib import Path

import pytest

from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl
from tests.support.reconciler import running
from tests.support.simulated import catalogue, ready, tenant
from tests.support.stack import Stack
from tests.support.waiting import eventually

WELL, ILL = NAMES = ("e2e-backoff-a", "e2e-backoff-b")
BUDGET = "poddisruptionbudget/wordpress"
SECONDS = 180
NOWHERE = {"scheduling": {"nodeSelector": {"no-such": "node"}}}


@pytest.fixture(scope="module")
def fleet(make_stack: MakeStack) -> Stack:
    stack = make_stack("backoff")
    stack.configure("readiness", "fleet")
    return stack


def test_a_tenant_that_fails_is_postponed_while_others_are_repaired_until_its_line_changes(
    fleet: Stack, tmp_path: Path
) -> None:
    fleet.catalogue(catalogue([tenant(WELL), tenant(ILL, wordpress=NOWHERE)]))
    log = tmp_path / "log"
    with running(fleet, log, "--mode", "repair", "--timeout", "5") as process:
        eventually("the failure", lambda: process.metric("reconciler_postponed_tenants") == 1, seconds=SECONDS)
        runs = process.metric('reconciler_runs_total{outcome="succeeded"}')
        process.await_rounds("failed")
        assert ready(WELL) and not ready(ILL)
        assert ILL in [line for line in log.read_text().splitlines() if "tried again later" in line][-1]
        assert process.metric('reconciler_runs_total{outcome="succeeded"}') == runs, "nobody is due"
        kubectl("delete", BUDGET, "-n", WELL)
        back = ("get", BUDGET, "-n", WELL, "--ignore-not-found", "-o", "name")
        eventually("what was deleted to be back", lambda: kubectl(*back), seconds=SECONDS, namespace=WELL)
        assert process.metric("reconciler_postponed_tenants") == 1
        fleet.catalogue(catalogue(map(tenant, NAMES)))
        eventually("the mended line to be tried", lambda: ready(ILL), seconds=SECONDS, namespace=ILL)
        process.await_rounds("succeeded")
        assert process.metric("reconciler_postponed_tenants") == 0
