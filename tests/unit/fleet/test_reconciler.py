import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from siteforge import configuration
from siteforge.cells import BUCKETS, Cells, Move
from siteforge.errors import CellsError, SettingsError
from siteforge.fleet import history, up
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.differences import Difference
from siteforge.fleet.drift import drifted
from siteforge.fleet.history import Entry
from siteforge.fleet.locks import Lock
from siteforge.fleet.project import Project
from siteforge.fleet.reconciler import Rules, Scope, gone, held
from siteforge.tenant_spec import TenantSpec
from tests.support.servers import kubeconfig, serving

VALUES = {"catalogue": "t.yaml", "wordpressImage": "w:1", "databaseImage": "m:1", "imagePullPolicy": "Always"}
A, B = "e2e-pg-a", "e2e-pg-b"
"""One in each half of the buckets."""
CELLS = Cells("cells.yaml", ("prod", "prod-b"), ("prod",) * (BUCKETS // 2) + ("prod-b",) * (BUCKETS // 2))


def project(folder: Path, *names: str, cells: Cells = CELLS) -> Project:
    found = Project(folder, "siteforge", "prod")
    lines = [{"name": name, "title": "T", "adminEmail": "a@example.com"} for name in names]
    specs = [TenantSpec.model_validate(line, by_alias=True, by_name=False) for line in lines]
    settings = configuration.read(VALUES | {"secret": "s" * 40}, {"secret"})
    # What `pulumi config` would say, and the files would hold.
    found.__dict__.update(configuration=settings, tenants=specs, cells=cells)
    for file in ("__main__.py", "Pulumi.yaml"):
        (folder / file).touch()
    return found


def cluster(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(folder, address)))
    return Cluster()


def listed(*items: dict[str, Any]) -> tuple[int, str]:
    return 200, json.dumps({"metadata": {"resourceVersion": "1"}, "items": items})


def test_one_tenant_may_always_drift_and_more_than_the_share_may_not() -> None:
    rules = Rules("repair", 0.2)
    assert held(rules, 3, ["a"]) == ""
    assert held(rules, 3, ["a", "b"]).startswith("2 of 3 tenants drifted at once, more than 20%: nothing is done")
    assert held(rules, 20, list("abcd")) == ""
    assert "5 of 20 tenants" in held(rules, 20, list("abcde"))
    assert held(Rules("repair"), 3, list("abc")) == ""


def test_no_share_at_all_still_lets_one_be_repaired() -> None:
    assert held(Rules("repair", 0.0), 100, ["a"]) == ""
    assert held(Rules("repair", 0.0), 100, ["a", "b"])


@pytest.mark.parametrize(("said", "stack"), [("prod-b", "prod-b"), ("1", "prod-b"), ("0", "prod"), (None, None)])
def test_a_cell_is_named_by_its_stack_or_its_place(said: str | None, stack: str | None, tmp_path: Path) -> None:
    assert Scope.of(project(tmp_path, A, B), said).cell == stack


@pytest.mark.parametrize("said", ["2", "-1", "", "prod-c", "٠"])
def test_a_cell_that_there_is_not_is_a_mistake(said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cells.yaml: there is no cell .* - name one of prod, prod-b"):
        Scope.of(project(tmp_path, A, B), said)


def test_a_number_is_a_place_whatever_the_names_of_stacks_are(tmp_path: Path) -> None:
    numbered = replace(CELLS, stacks=("1", "0"), owner=("1",) * (BUCKETS // 2) + ("0",) * (BUCKETS // 2))
    assert [Scope.of(project(tmp_path, A, B, cells=numbered), said).cell for said in "01"] == ["1", "0"]


def test_a_cell_has_its_tenants_those_too_that_are_listed_no_more_and_nobody_elses(tmp_path: Path) -> None:
    first, second = (Scope.of(project(tmp_path, A), cell) for cell in ("0", "1"))
    assert (first.names, second.names) == ([A], [])
    assert [(scope.has(A), scope.has(B)) for scope in (first, second)] == [(True, False), (False, True)]
    assert Scope.of(project(tmp_path, A), None).names is None


def test_a_cell_does_nothing_while_tenants_are_on_their_way(tmp_path: Path) -> None:
    moving = replace(CELLS, moving=Move(stack="prod-b", buckets="0-9"))
    with pytest.raises(CellsError, match="on their way"):
        _ = Scope.of(project(tmp_path, A, B, cells=moving), "0").names


def test_a_round_of_one_cell_finds_work_in_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both cells have a tenant that changed; the second one has one to delete besides."""
    removed = next(name for name in (f"t{n}" for n in range(99)) if CELLS.stack(name) == "prod-b")
    known = {"prod": {A: "old"}, "prod-b": {B: "old", removed: "old"}}
    records = [
        {"metadata": {"name": cell}, "data": {"project": "siteforge", "stack": cell, "tenants": json.dumps(own)}}
        for cell, own in known.items()
    ]
    namespaces = [{"metadata": {"name": name}} for name in (A, B, removed)]

    def answer(target: str) -> tuple[int, str]:
        return listed(*(records if urlsplit(target).path.endswith("/configmaps") else namespaces))

    with serving(answer) as address, cluster(tmp_path, address, monkeypatch) as connected:
        fleet = project(tmp_path, A, B)
        first, second, both = (up.look(fleet, connected, cell=cell) for cell in ("prod", "prod-b", None))
    assert (first.tenants, sorted(second.tenants)) == ([A], sorted([B, removed]))
    assert sorted(both.tenants) == sorted([A, B, removed])


def test_a_cell_without_tenants_is_not_taken_for_the_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: listed()) as address, cluster(tmp_path, address, monkeypatch) as connected:
        report = drifted(project(tmp_path, A, B), connected, [])
    assert (report.compared, report.tenants, report.strays) == (0, {}, [])


def test_the_history_of_a_cell_has_its_tenants_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry(name, Difference("Service", "wordpress", "deleted"), when) for name, when in ((A, "2"), (B, "1"))]
    split = history.by_cell(entries, CELLS, CELLS.stacks)
    assert split == {"prod": [entries[0]], "prod-b": [entries[1]]}
    maps = [
        {"data": {"project": name, "stack": cell, "entries": json.dumps(history.data(own))}}
        for name in ("siteforge", "another")
        for cell, own in split.items()
    ]
    with serving(lambda _: listed(*maps)) as address, cluster(tmp_path, address, monkeypatch) as connected:
        assert history.read(connected, "siteforge", ["prod-b"]) == [entries[1]]
        assert history.read(connected, "siteforge", CELLS.stacks) == [entries[1], entries[0]], "the oldest first"


EARLY, LATE = "2026-11-29T11:00:00Z", "2026-11-29T13:00:00Z"


def pod(name: str, phase: str, began: str, hostname: str = "") -> dict[str, Any]:
    status = {"phase": phase, "containerStatuses": [{"state": {"running": {"startedAt": began}}}]}
    return {"metadata": {"name": name}, "spec": {"hostname": hostname} if hostname else {}, "status": status}


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([], True),
        ([pod("siteforge-reconciler-1-0-abcde", "Running", EARLY, "siteforge-reconciler-1-0")], False),
        ([pod("siteforge-reconciler-1-0-abcde", "Failed", EARLY, "siteforge-reconciler-1-0")], True),
        ([pod("siteforge-reconciler-1-0-fghij", "Running", LATE, "siteforge-reconciler-1-0")], True),
        ([pod("siteforge-reconciler-1-1-abcde", "Running", EARLY, "siteforge-reconciler-1-1")], True),
        ([pod("siteforge-reconciler-1-0", "Running", EARLY)], False),
    ],
    ids=["none", "index runs", "index failed", "index began anew", "another index", "pod runs"],
)
def test_a_lock_is_stale_when_no_pod_of_its_host_name_is_left(
    pods: list[dict[str, Any]], expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = Lock(Path("lock"), "siteforge", "siteforge-reconciler-1-0", 7, datetime(2026, 11, 29, 12, tzinfo=UTC))
    with serving(lambda _: listed(*pods)) as address, cluster(tmp_path, address, monkeypatch) as connected:
        assert gone(lock, connected) == expected
