from typing import Any

import pytest

from siteforge import safeguards
from siteforge.blueprint import Blueprint
from siteforge.errors import UnsafeError
from tests.support import blueprints

VOLUME = {"size": "5Gi", "storageClass": "fast", "accessMode": "ReadWriteOnce", "classWritten": False}
PROTECTED = {"deletionProtection": True, "volumes": {"wordpress": VOLUME, "mariadb": VOLUME}}
OPEN = PROTECTED | {"deletionProtection": False}


def tenant(name: str = "blog-aku", **fields: Any) -> Blueprint:
    return blueprints.make(
        name=name, **{"wordpress": {"volume": {"size": "5Gi"}}, "database": {"volume": {"size": "5Gi"}}} | fields
    )


def problems(
    records: safeguards.Records, *tenants: Blueprint, moved: tuple[str, ...] = (), only: tuple[str, ...] = ()
) -> list[str]:
    try:
        safeguards.check(records, tenants, moved, safeguards.REMOVABLE_PERCENT, "tenants.yaml", only)
    except UnsafeError as error:
        return str(error).splitlines()
    return []


def test_the_first_run_and_one_that_changes_nothing_are_safe() -> None:
    assert problems({}, tenant()) == []
    assert problems({"blog-aku": PROTECTED}, tenant()) == []


def test_records_of_earlier_versions_say_nothing_and_stop_nothing() -> None:
    assert problems({"blog-aku": {"url": "http://a"}, "shop": {}}, tenant()) == []


def test_a_protected_tenant_is_not_removed_and_the_message_has_the_steps() -> None:
    assert problems({"blog-aku": PROTECTED, "shop": PROTECTED}, tenant()) == [
        "tenants.yaml: tenant shop: removed, but protected - put it back with `deletionProtection: false`, run"
        " `pulumi up`, then remove it: its volumes go with it"
    ]
    assert problems({"blog-aku": PROTECTED, "shop": OPEN}, tenant()) == []


def test_a_frozen_tenant_is_not_removed_protected_or_not() -> None:
    for record in (PROTECTED, OPEN):
        assert problems({"blog-aku": PROTECTED, "shop": record | {"frozen": True}}, tenant()) == [
            "tenants.yaml: tenant shop: removed, but frozen - put it back with `frozen: false`, run `pulumi up`, then"
            " remove it"
        ]


def test_what_the_line_of_a_frozen_tenant_says_is_judged_when_it_is_thawed() -> None:
    smaller = {"volume": {"size": "4Gi"}}
    assert problems({"blog-aku": PROTECTED}, tenant(frozen=True, wordpress=smaller)) == []
    assert len(problems({"blog-aku": PROTECTED | {"frozen": True}}, tenant(wordpress=smaller))) == 1


def test_a_tenant_that_another_stack_has_now_is_not_removed() -> None:
    assert problems({"blog-aku": PROTECTED, "shop": PROTECTED}, tenant(), moved=("shop",)) == []


@pytest.mark.parametrize(("there", "gone", "refused"), [(1, 1, False), (2, 1, False), (6, 2, True), (7, 2, False)])
def test_more_than_a_third_is_not_removed_at_once_but_a_single_one_is(there: int, gone: int, refused: bool) -> None:
    names = [f"tenant-{number}" for number in range(there)]
    found = problems(dict.fromkeys(names, OPEN), *map(tenant, names[gone:]))
    assert bool(found) == refused


def test_the_message_names_them_and_the_share_that_would_do() -> None:
    names = [f"tenant-{number}" for number in range(8)]
    assert problems(dict.fromkeys(names, OPEN), tenant("tenant-7")) == [
        "tenants.yaml: 7 of 8 tenants are removed (tenant-0, tenant-1, tenant-2, tenant-3, tenant-4, ...), more than"
        " 33 % - put them back, or allow it with `pulumi config set siteforge:removablePercent 88`"
    ]
    safeguards.check(dict.fromkeys(names, OPEN), [tenant("tenant-7")], (), 88, "tenants.yaml")


def test_a_confined_run_is_judged_by_its_own_tenants_but_the_share_by_all() -> None:
    names = [f"tenant-{number}" for number in range(9)]
    records = dict.fromkeys(names, PROTECTED) | {"tenant-0": OPEN}
    left = [tenant(name) for name in names[3:]]
    assert problems(records, *left, tenant("tenant-2"), tenant("tenant-1"), only=("tenant-0",)) == []
    assert problems(records, *left, tenant("tenant-2"), only=("tenant-1",)) == problems(
        records, *left, tenant("tenant-2"), only=("tenant-1", "tenant-0")
    )
    assert ["3 of 8 tenants" in one for one in problems(dict.fromkeys(names[:8], OPEN), *left, only=("tenant-0",))] == [
        True
    ]


@pytest.mark.parametrize(
    ("volume", "problem"),
    [
        ({"size": "6Gi"}, ""),
        ({"size": "5Gi", "storageClass": "fast"}, ""),
        ({"size": "4Gi"}, "size: 5Gi now, 4Gi in the catalogue: a volume can't shrink - write `size: 5Gi`"),
        ({"size": "5Gi", "storageClass": "slow"}, "storageClass: fast now, slow in the catalogue: it is fixed once"),
        ({"size": "5Gi", "accessMode": "ReadWriteMany"}, "accessMode: ReadWriteOnce now, ReadWriteMany in the"),
    ],
)
def test_a_volume_only_grows(volume: dict[str, str], problem: str) -> None:
    found = problems({"blog-aku": PROTECTED}, tenant(wordpress={"volume": volume}))
    assert len(found) == bool(problem)
    assert all(one.startswith(f"tenants.yaml: tenant blog-aku: wordpress.volume.{problem}") for one in found)


def test_a_smaller_plan_does_not_shrink_a_volume_unsaid() -> None:
    smaller = blueprints.make(plan="nano")
    assert [one.partition(":")[2].partition(" now")[0] for one in problems({"blog-aku": PROTECTED}, smaller)] == [
        " tenant blog-aku: wordpress.volume.size: 5Gi",
        " tenant blog-aku: database.volume.size: 5Gi",
    ]


def test_a_class_that_was_written_stays_written() -> None:
    record = {"deletionProtection": True, "volumes": {"mariadb": VOLUME | {"classWritten": True}}}
    (found,) = problems({"blog-aku": record}, tenant())
    assert found.startswith("tenants.yaml: tenant blog-aku: database.volume.storageClass: fast now, none in the cat")


def test_a_database_of_its_own_is_not_given_up_while_protected() -> None:
    external = tenant(database={"external": {"host": "10.0.0.5"}})
    (found,) = problems({"blog-aku": PROTECTED}, external)
    assert "database.volume: it would be deleted with its data, but is protected" in found
    assert problems({"blog-aku": OPEN}, external) == []
