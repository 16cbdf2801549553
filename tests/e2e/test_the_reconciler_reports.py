"""The reconciler as a process of this machine: it may change no tenant, its API server goes away, it is told to end."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from siteforge.fleet import history
from siteforge.fleet.reconciler import lease
from siteforge.fleet.records import HOME
from tests.e2e.conftest import BLOG
from tests.support import prometheus
from tests.support.api_proxy import ApiProxy
from tests.support.commands import kubectl
from tests.support.objects import all_declared
from tests.support.reconciler import running
from tests.support.stack import ROOT, Stack
from tests.support.waiting import eventually

SECONDS = 120
OWN = r"siteforge_(?:reconciler|drift)_\w+"
DOCUMENTED = ("docs/reconciler.md", "monitoring/alerts.yaml")
BUDGET = "poddisruptionbudget/wordpress"


@pytest.fixture
def fleet(blog: Stack) -> Iterator[Stack]:
    """A fleet without a history."""
    yield blog
    for kind, name in (("lease", lease("siteforge", "blog")), ("configmap", history.name("siteforge", "blog"))):
        kubectl("delete", kind, name, "-n", HOME, "--ignore-not-found")


def test_who_only_reports_changes_no_tenant_and_records_what_who_and_when(fleet: Stack, tmp_path: Path) -> None:
    fleet.siteforge("up")
    with running(fleet, tmp_path / "log") as process:
        eventually("a round", lambda: process.rounds("succeeded"), seconds=SECONDS)
        kubectl("delete", BUDGET, "-n", BLOG)
        kubectl("scale", "deployment/wordpress", "-n", BLOG, "--replicas=2")
        eventually("the drift", lambda: process.metric("reconciler_drifted_tenants") == 1, seconds=SECONDS)
        process.await_rounds("succeeded")
        before = all_declared(BLOG)
        process.await_rounds("succeeded")
        assert all_declared(BLOG) == before
        assert BUDGET not in before and before["deployment/wordpress"]["spec"]["replicas"] == 2
        shown = fleet.siteforge("drift", "--history").stdout
        assert re.search(rf"^\S+Z {BLOG} PodDisruptionBudget/wordpress: deleted - still there$", shown, re.MULTILINE)
        assert re.search(r"spec.replicas: 1 -> 2 \(by kubectl through scale.*\) - still there$", shown, re.MULTILINE)
        kubectl("scale", "deployment/wordpress", "-n", BLOG, "--replicas=1")
        process.await_rounds("succeeded")
        assert "spec.replicas" in fleet.siteforge("drift", "--history").stdout
        assert "- undone by others" in fleet.siteforge("drift", "--history", "--tenant", BLOG).stdout
        # An edit that nobody deployed is a change, and no drift.
        fleet.catalogue((fleet.folder / "tenants.yaml").read_text().replace("Blog of the tests", "Another title"))
        eventually("the change", lambda: process.metric("reconciler_changed_tenants") == 1, seconds=SECONDS)
        assert prometheus.lint(process.text()) == ""
        told = set(re.findall(r"^# TYPE (siteforge_\w+)", process.text(), re.MULTILINE))
    asked = {name for path in DOCUMENTED for name in re.findall(OWN, (ROOT / path).read_text())}
    assert asked and asked <= told, asked - told
    assert (
        kubectl("get", "lease", lease("siteforge", "blog"), "-n", HOME, "-o", "jsonpath={.spec.holderIdentity}") == ""
    )


@pytest.mark.faults
def test_an_api_server_that_goes_away_is_never_a_fleet_without_drift(fleet: Stack, tmp_path: Path) -> None:
    fleet.siteforge("up")
    with (
        ApiProxy(tmp_path).serving() as proxy,
        running(fleet, tmp_path / "log", KUBECONFIG=str(proxy.kubeconfig)) as process,
    ):
        eventually("a round", lambda: process.rounds("succeeded"), seconds=SECONDS)
        kubectl("delete", BUDGET, "-n", BLOG)
        eventually("the drift", lambda: process.metric("reconciler_drifted_tenants") == 1, seconds=SECONDS)
        entries = fleet.siteforge("drift", "--history").stdout
        proxy.down_after = 1
        eventually("the lease to be lost", lambda: process.metric("reconciler_leading") == 0, seconds=SECONDS)
        last = process.metric("reconciler_last_success_timestamp_seconds")
        assert process.metric('tenants{condition="Ready"}') is None
        assert math.isnan(process.metric("reconciler_drifted_tenants") or 0)
        assert fleet.siteforge("drift", "--history").stdout == entries
        proxy.reset()
        eventually("it to lead again", lambda: process.metric("reconciler_leading") == 1, seconds=SECONDS)
        process.await_rounds("succeeded")
        assert process.metric("reconciler_last_success_timestamp_seconds") != last
        assert process.metric("reconciler_drifted_tenants") == 1


@pytest.mark.faults
def test_one_that_is_told_to_end_in_the_middle_of_a_run_leaves_no_lock(fleet: Stack, tmp_path: Path) -> None:
    fleet.siteforge("up")
    fleet.catalogue((fleet.folder / "tenants.yaml").read_text().replace("Blog of the tests", "Another title"))
    with running(fleet, tmp_path / "log", "--mode", "repair") as process:
        eventually("Pulumi to run the program", process.runs_the_program, seconds=SECONDS, poll=0.1)
        process.interrupt()
        eventually("it to end", lambda: not process.runs(), seconds=SECONDS)
    assert not list(fleet.folder.glob("state/.pulumi/locks/**/*.json"))
    assert fleet.siteforge("up").returncode == 0
