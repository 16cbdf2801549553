"""`siteforge cells` on the real engine: what Pulumi knows of a tenant moves, and nothing in the cluster does."""

import json
from collections.abc import Iterator

import pytest

from siteforge import cells
from siteforge.cells import BUCKETS, bucket
from siteforge.fleet import history
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.differences import Difference
from siteforge.fleet.history import Entry
from tests.e2e.conftest import MakeStack
from tests.support.fleet import in_state, up
from tests.support.simulated import catalogue, ready, tenant, versions
from tests.support.stack import Stack

NAMES = ["e2e-cell-a", "e2e-cell-b", "e2e-cell-e"]
"""One of them stays in the lower half of the buckets."""
LAST = max(NAMES, key=bucket)


@pytest.fixture(scope="module")
def first(make_stack: MakeStack, api: Cluster) -> Stack:
    stack = make_stack("cell-one")
    stack.configure("readiness", "fleet")
    stack.catalogue(catalogue(tenant(name) for name in NAMES))
    up(stack)
    entries = [Entry(name, Difference("Service", "wordpress", "deleted"), "2026-11-29T11:37:57Z") for name in NAMES]
    history.write(api, "siteforge", stack.name, entries)
    return stack


@pytest.fixture(scope="module")
def second(first: Stack) -> Iterator[Stack]:
    """Another stack of the same project, which `siteforge cells` makes."""
    stack = first.beside("cell-two")
    yield stack
    stack.destroy()


def layout(stack: Stack) -> cells.Cells:
    return cells.load(stack.folder / "cells.yaml")


def test_a_move_touches_nothing_in_the_cluster_and_both_stacks_are_as_they_should_be(
    first: Stack, second: Stack
) -> None:
    before = {name: versions(name) for name in NAMES}
    told = json.loads(first.siteforge("cells", "add", "cell-two", "--output", "json").stdout)
    assert [(row["stack"], row["tenants"]) for row in told] == [("cell-one", 1), ("cell-two", 2)]
    assert layout(first).stack(LAST) == "cell-two"
    assert in_state(second) == {"e2e-cell-a", "e2e-cell-b"}
    assert in_state(first) == {"e2e-cell-e"}
    assert {name: versions(name) for name in NAMES} == before
    for stack in (first, second):
        assert set(stack.preview().counts) <= {"unchanged"}, stack.name
    assert up(first)["runs"] == []


def test_the_history_of_a_tenant_goes_with_it(first: Stack, second: Stack, api: Cluster) -> None:
    known = {
        stack.name: {one.tenant for one in history.read(api, "siteforge", [stack.name])} for stack in (first, second)
    }
    assert known == {"cell-one": {"e2e-cell-e"}, "cell-two": {"e2e-cell-a", "e2e-cell-b"}}
    assert "3 entries" in first.siteforge("drift", "--history").stdout


def test_growth_moves_only_the_share_of_the_new_cell(first: Stack) -> None:
    assert len(layout(first).buckets("cell-two")) == BUCKETS // 2


def test_each_cell_runs_by_itself_and_a_change_runs_its_cell_alone(first: Stack) -> None:
    first.catalogue(catalogue(tenant(name, "Changed" if name == LAST else "A site of the tests") for name in NAMES))
    (run,) = up(first)["runs"]
    assert (run["stack"], run["tenants"]) == ("cell-two", [LAST])
    assert all(ready(name) for name in NAMES)


def test_what_was_done_in_each_cell_is_told(first: Stack) -> None:
    lines = first.siteforge("preview", "--all").stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("CELL "))
    assert {line.split()[0]: line.split()[1] for line in lines[start + 1 : start + 3]} == {
        "cell-one": "1",
        "cell-two": "2",
    }
    assert lines[start + 3].startswith("3 of 3 tenants previewed, 3 in all")


def test_a_move_that_is_cut_short_stops_every_run_until_it_is_ended(first: Stack, second: Stack) -> None:
    begun = layout(first)
    moving = cells.Move(stack="cell-one", buckets=str(bucket(LAST)))
    (first.folder / "cells.yaml").write_text(cells.text(cells.Cells("", begun.stacks, begun.owner, moving)))
    for stack in (first, second):
        refused = stack.up(check=False)
        assert refused.code != 0
        assert "finish that with `siteforge cells resume`" in refused.output
    first.siteforge("cells", "resume")
    assert LAST in in_state(first)
    assert LAST not in in_state(second)
    assert ready(LAST)
    assert set(first.preview().counts) == {"unchanged"}


def test_a_move_that_was_killed_between_the_two_states_is_ended_without_a_double(first: Stack, second: Stack) -> None:
    """Pulumi writes the new state before the old one; killed in between, both have the tenant."""
    old = first.pulumi("stack", "export").stdout
    first.siteforge("cells", "move", str(bucket(LAST)), "cell-two")
    first.pulumi("stack", "import", stdin=old)
    assert LAST in in_state(first) & in_state(second)
    now = layout(first)
    owner = tuple("cell-one" if number == bucket(LAST) else stack for number, stack in enumerate(now.owner))
    moving = cells.Move(stack="cell-two", buckets=str(bucket(LAST)))
    stacks = ("cell-one", "cell-two")
    (first.folder / "cells.yaml").write_text(cells.text(cells.Cells("", stacks, owner, moving)))
    first.siteforge("cells", "resume")
    assert LAST not in in_state(first)
    assert LAST in in_state(second)
    assert ready(LAST)
    for stack in (first, second):
        assert set(stack.preview().counts) <= {"unchanged"}, stack.name


def test_a_tenant_whose_line_in_the_file_was_changed_by_hand_is_not_made_twice(first: Stack) -> None:
    now = layout(first)
    flipped = {"cell-one": "cell-two", "cell-two": "cell-one"}
    owner = tuple(flipped[stack] if number == bucket(LAST) else stack for number, stack in enumerate(now.owner))
    text = cells.text(now)
    (first.folder / "cells.yaml").write_text(cells.text(cells.Cells("", now.stacks, owner)))
    done = first.siteforge("up", check=False)
    (first.folder / "cells.yaml").write_text(text)
    assert done.returncode == 1
    assert f"the tenant {LAST} is to be in cell-one, and is in cell-two - move it with `siteforge cells`" in done.stderr


def test_the_cells_are_listed(first: Stack) -> None:
    rows = json.loads(first.siteforge("cells", "list", "--output", "json").stdout)
    assert sum(row["tenants"] for row in rows) == len(NAMES)
    assert sum(row["buckets"] for row in rows) == BUCKETS
