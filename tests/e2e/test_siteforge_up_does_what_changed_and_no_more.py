"""`siteforge up` over a fleet of simulated tenants, on the real engine and API server."""

import os
from pathlib import Path

import pytest

from local import workspace
from siteforge import targets
from siteforge.fleet import engine_log
from tests.e2e.conftest import MakeStack
from tests.support import commands, simulated
from tests.support.commands import kubectl
from tests.support.fleet import in_state, up
from tests.support.simulated import catalogue, ready, tenant, versions
from tests.support.stack import Stack

NAMES = ["e2e-fleet-a", "e2e-fleet-b", "e2e-fleet-c", "e2e-fleet-c-database"]
"""The last one's name is the beginning of objects of the one before: no target of one may mean the other's."""


SHORT = 10_000
"""Bytes that a log of a run is far above."""


@pytest.fixture(scope="module")
def fleet(make_stack: MakeStack) -> Stack:
    stack = make_stack("fleet")
    stack.configure("readiness", "fleet")
    return stack


def lines(**titles: str) -> str:
    return catalogue(tenant(name, titles.get(name.rpartition("e2e-fleet-")[2], "A site")) for name in NAMES)


def test_a_new_fleet_is_made_in_one_run_and_ready_when_it_returns(fleet: Stack) -> None:
    fleet.catalogue(lines())
    report = up(fleet)
    assert [ready(name) for name in NAMES] == [True] * len(NAMES)
    assert [(run["stack"], run["confined"], run["tenants"]) for run in report["runs"]] == [("fleet", False, NAMES)]


def test_a_run_leaves_no_log_of_the_engine(fleet: Stack) -> None:
    """It would hold every property of every resource (docs/fleet.md); those of short commands hold next to nothing."""
    logs = Path(workspace.environment(os.environ)["PULUMI_HOME"]) / "logs"
    before = set(logs.iterdir())
    assert up(fleet, "--all", "--tenant", NAMES[0])["runs"] != []
    written = {path.name: path.stat().st_size for path in set(logs.glob("*+fleet-*")) - before}
    assert {name: size for name, size in written.items() if size > SHORT} == {}
    fleet.environment[engine_log.VARIABLE] = "yes"
    try:
        up(fleet, "--all", "--tenant", NAMES[0])
    finally:
        del fleet.environment[engine_log.VARIABLE]
    assert [path for path in set(logs.glob("*+fleet-*")) - before if path.stat().st_size > SHORT], "it does otherwise"


def test_nothing_is_run_where_nothing_changed(fleet: Stack) -> None:
    assert up(fleet)["runs"] == []


def test_plain_pulumi_agrees_that_there_is_nothing_to_do(fleet: Stack) -> None:
    assert set(fleet.preview().counts) == {"unchanged"}


def test_a_change_of_one_tenant_runs_that_tenant_and_touches_no_other(fleet: Stack) -> None:
    before = {name: versions(name) for name in NAMES}
    fleet.catalogue(lines(a="Another title"))
    report = up(fleet)
    assert [(run["confined"], run["tenants"]) for run in report["runs"]] == [(True, NAMES[:1])]
    after = {name: versions(name) for name in NAMES}
    assert {name for name in NAMES if after[name] != before[name]} == {NAMES[0]}
    assert in_state(fleet) == set(NAMES)
    assert set(fleet.output("tenants")) == set(NAMES), "a confined run must not forget whom it left out"
    assert set(fleet.output("adminPasswords")) == set(NAMES)


def test_a_confined_run_deletes_and_forgets_nobody_whom_it_leaves_out(fleet: Stack) -> None:
    """The catalogue no longer has b and c: a run for a alone must leave them as they are."""
    fleet.catalogue(catalogue([tenant(NAMES[0], "A third title")]))
    report = up(fleet, "--tenant", NAMES[0])
    assert [run["tenants"] for run in report["runs"]] == [NAMES[:1]]
    assert in_state(fleet) == set(NAMES)
    assert [ready(name) for name in NAMES] == [True] * len(NAMES)


def test_the_variable_confines_plain_pulumi_as_well_and_a_target_of_the_command_line_deletes_nobody(
    fleet: Stack,
) -> None:
    """With the variable for a, the program registers a alone; whatever the engine is told, the others stay."""
    fleet.catalogue(lines(a="A fourth title"))
    only = targets.variable("fleet", "siteforge", NAMES[:1])
    options = ["up", "--yes", "--skip-preview", "--suppress-progress"]
    fleet.environment |= only
    try:
        fleet.pulumi(*options)
        fleet.pulumi(*options, "--target", targets.urns("fleet", "siteforge", NAMES[1])[0], check=False)
        fleet.pulumi(*options, "--exclude", targets.urns("fleet", "siteforge", NAMES[0])[0], check=False)
        fleet.pulumi("refresh", "--yes", "--skip-preview", "--run-program", check=False)
    finally:
        for name in only:
            del fleet.environment[name]
    assert in_state(fleet) == set(NAMES)
    assert [ready(name) for name in NAMES] == [True] * len(NAMES)


def test_a_tenant_that_is_no_longer_listed_is_deleted_and_its_namesake_stays(fleet: Stack) -> None:
    fleet.catalogue(
        catalogue(
            tenant(name, "A fourth title" if name == NAMES[0] else "A site") for name in NAMES if name != NAMES[2]
        )
    )
    # What plain Pulumi did to the first one was not recorded: it is looked at again.
    (run,) = up(fleet)["runs"]
    assert (run["confined"], run["tenants"]) == (True, [NAMES[0], NAMES[2]])
    assert run["changes"].get("delete", 0) > 20
    assert in_state(fleet) == {NAMES[0], NAMES[1], NAMES[3]}
    assert ready(NAMES[3])
    left = kubectl("get", "namespace", NAMES[2], "--ignore-not-found", "-o", "jsonpath={.status.phase}")
    assert left in ("", "Terminating")


def test_a_tenant_that_cannot_become_ready_is_named_and_tried_again(fleet: Stack) -> None:
    broken = {"scheduling": {"nodeSelector": {"no-such": "node"}}}
    fleet.catalogue(catalogue([*(tenant(name) for name in (NAMES[0], NAMES[3])), tenant(NAMES[1], wordpress=broken)]))
    report = up(fleet, "--timeout", "5", code=1)
    assert set(report["failed"]) == {NAMES[1]}
    assert "no node can take the pod" in " ".join(report["failed"][NAMES[1]])
    assert [run["tenants"] for run in up(fleet, "--timeout", "5", code=1)["runs"]] == [[NAMES[1]]]
    fleet.catalogue(catalogue(tenant(name) for name in (NAMES[0], NAMES[1], NAMES[3])))
    assert up(fleet)["failed"] == {}


def test_an_unknown_tenant_is_refused_with_the_nearest_name(fleet: Stack) -> None:
    done = fleet.siteforge("up", "--tenant", "e2e-fleet-aa", check=False)
    assert (done.returncode, done.stderr.strip()) == (2, "there is no tenant e2e-fleet-aa - did you mean e2e-fleet-a?")


def test_a_dry_run_prints_a_plain_command_that_does_the_same(fleet: Stack) -> None:
    fleet.catalogue(catalogue([tenant(NAMES[0], "A fifth title"), tenant(NAMES[1]), tenant(NAMES[3])]))
    line = fleet.siteforge("up", "--dry-run").stdout.strip()
    assert line.startswith("PULUMI_OPTION_TARGET=")
    done = commands.run(["bash", "-c", line + " --non-interactive"], cwd=fleet.folder, env=fleet.environment)
    assert "updated" in done.stdout
    assert in_state(fleet) == {NAMES[0], NAMES[1], NAMES[3]}
    assert kubectl("get", "deployment/wordpress", "-n", NAMES[0], "-o", "json").count("A fifth title") >= 1


def test_drift_inside_a_namespace_is_repaired_when_it_is_asked_for(fleet: Stack) -> None:
    fleet.catalogue(catalogue([tenant(NAMES[0], "A sixth title"), tenant(NAMES[1]), tenant(NAMES[3])]))
    up(fleet)
    kubectl("scale", "deployment/wordpress", "-n", NAMES[0], "--replicas=0")
    assert fleet.siteforge("drift", check=False).returncode == 3
    assert up(fleet)["runs"] == []
    (run,) = up(fleet, "--drifted")["runs"]
    assert (run["confined"], run["tenants"]) == (True, [NAMES[0]])
    assert ready(NAMES[0])
    assert fleet.siteforge("drift", "--tenant", NAMES[0]).returncode == 0


def test_one_tenant_is_provisioned_without_naming_a_command(fleet: Stack) -> None:
    fleet.catalogue(catalogue([tenant(NAMES[0], "A seventh title"), tenant(NAMES[1], "Another"), tenant(NAMES[3])]))
    assert "1 of 1 tenants up" in fleet.siteforge("--tenant", NAMES[0]).stdout
    assert [run["tenants"] for run in up(fleet)["runs"]] == [[NAMES[1]]]


def test_the_tests_tenants_are_simulated(fleet: Stack) -> None:
    assert simulated.ready(NAMES[0])
    node = kubectl("get", "pods", "-n", NAMES[0], "-o", "jsonpath={.items[*].spec.nodeName}")
    assert "simulated-" in node
