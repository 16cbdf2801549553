import pytest

from siteforge import targets
from siteforge.cells import BUCKETS, Cells, bucket
from siteforge.errors import CellsError, SettingsError
from siteforge.fleet import plan
from siteforge.fleet.engine import Run
from siteforge.fleet.plan import Cell

NAMES = [f"t{number:02}" for number in range(20)]
WANTED = dict.fromkeys(NAMES, "1")


def cell(wanted: dict[str, str] = WANTED, recorded: dict[str, str] | None = WANTED, *, empty: bool = False) -> Cell:
    return Cell("prod", wanted, recorded, empty)


def runs(one: Cell, present: list[str] = NAMES, **options: object) -> list[Run]:
    found = plan.runs([one], present=present, **options)  # type: ignore[arg-type]
    return found[0] if found else []


def test_nothing_is_run_where_nothing_changed() -> None:
    assert runs(cell()) == []


def test_a_new_stack_is_run_as_a_whole_without_reading_a_cluster_that_has_nothing_of_it() -> None:
    assert runs(cell(recorded=None, empty=True), present=[]) == [Run("prod", tuple(NAMES), False, refresh=False)]


def test_what_plain_pulumi_made_is_read_first() -> None:
    assert runs(cell(recorded=None)) == [Run("prod", tuple(NAMES), False, refresh=True)]


def test_a_changed_tenant_is_run_alone() -> None:
    assert runs(cell(WANTED | {"t03": "2"})) == [Run("prod", ("t03",), True, refresh=True)]


def test_a_tenant_that_was_never_made_needs_no_reading() -> None:
    known = {name: "1" for name in NAMES if name != "t03"}
    present = [name for name in NAMES if name != "t03"]
    assert runs(cell(recorded=known), present) == [Run("prod", ("t03",), True, refresh=False)]
    # Its namespace is there already: made by a run that did not live to tell.
    assert runs(cell(recorded=known)) == [Run("prod", ("t03",), True, refresh=True)]


def test_a_tenant_that_is_no_longer_listed_is_run_to_be_deleted() -> None:
    wanted = {name: "1" for name in NAMES if name != "t03"}
    assert runs(cell(wanted)) == [Run("prod", ("t03",), True, refresh=True)]


def test_a_tenant_whose_namespace_is_gone_is_made_again() -> None:
    assert runs(cell(), [name for name in NAMES if name != "t03"]) == [Run("prod", ("t03",), True, refresh=True)]


def test_a_drifted_tenant_is_run_and_a_strangers_drift_is_not() -> None:
    assert runs(cell(), drifted=["t05", "nobody"]) == [Run("prod", ("t05",), True)]


def test_of_many_changes_a_whole_stack_is_run_at_once() -> None:
    some = dict.fromkeys(NAMES[:11], "2")
    assert runs(cell(WANTED | some)) == [Run("prod", tuple(NAMES[:11]), False)]
    assert runs(cell(WANTED | dict.fromkeys(NAMES[:10], "2"))) == [Run("prod", tuple(NAMES[:10]), True)]


def test_who_is_asked_for_is_run_confined_however_many_they_are() -> None:
    changed = dict.fromkeys(NAMES, "2")
    first, second = runs(cell(changed), asked=NAMES)
    assert (first.tenants, second.tenants) == (tuple(NAMES[: targets.MOST]), tuple(NAMES[targets.MOST :]))
    assert first.confined
    assert second.confined


def test_before_a_confined_run_of_a_new_stack_its_provider_is_made() -> None:
    first, second = runs(cell(recorded=None, empty=True), present=[], asked=["t01"])
    assert first == Run("prod", (), True, refresh=False)
    assert targets.names(first.environment("siteforge")) == set(), "its program leaves nobody out"
    assert second == Run("prod", ("t01",), True, refresh=False)


def test_who_is_not_asked_for_is_left_alone() -> None:
    assert runs(cell(dict.fromkeys(NAMES, "2")), asked=["t01"]) == [Run("prod", ("t01",), True)]
    assert runs(cell(), asked=["t01"]) == []


def test_everything_is_run_whatever_is_known() -> None:
    assert runs(cell(), everything=True) == [Run("prod", tuple(NAMES), False)]
    assert runs(cell(), everything=True, asked=["t01"]) == [Run("prod", ("t01",), True)]


def test_a_run_knows_how_many_tenants_its_stack_has() -> None:
    whole, confined, new = (
        runs(cell(), everything=True),
        runs(cell(), asked=["t01"], everything=True),
        cell(recorded=None),
    )
    wanted = {name: digest for name, digest in WANTED.items() if name != "t03"}
    for some in (whole, confined, runs(new), runs(cell(wanted))):
        assert {run.size for run in some} == {len(NAMES)}


def test_an_unknown_tenant_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"there is no tenant t0x - did you mean t"):
        runs(cell(), asked=["t0x"])


def halves() -> Cells:
    return Cells("cells.yaml", ("a", "b"), ("a",) * (BUCKETS // 2) + ("b",) * (BUCKETS // 2))


def test_each_cell_has_its_own_tenants_and_what_it_recorded() -> None:
    first, second = plan.cells(halves(), WANTED, {"a": {}})
    assert set(first.wanted) | set(second.wanted) == set(NAMES)
    assert all(bucket(name) < BUCKETS // 2 for name in first.wanted)
    assert (first.recorded, second.recorded) == ({}, None)


def test_a_stack_may_be_empty_if_nobody_ran_it_or_none_of_its_tenants_is_there() -> None:
    assert plan.may_be_empty(cell(recorded=None), set(NAMES)), "a killed run left them, and told nobody"
    assert plan.may_be_empty(cell(), set()), "plain Pulumi destroyed it"
    assert plan.may_be_empty(cell(), {"another"})
    assert not plan.may_be_empty(cell(), set(NAMES[:1]))
    assert not plan.may_be_empty(cell({}, {}), set()), "it has no tenants, and that is as it should be"


def test_a_tenant_in_another_cell_than_the_file_says_is_never_made_twice() -> None:
    name = next(name for name in NAMES if bucket(name) >= BUCKETS // 2)
    with pytest.raises(CellsError, match=rf"the tenant {name} is to be in b, and is in a - move it with"):
        plan.cells(halves(), WANTED, {"a": {name: "1"}})


def test_who_is_left_out_of_a_run_does_not_keep_the_others_from_theirs() -> None:
    whole, some = Run("prod", ("t01", "t02", "t03"), False), Run("prod", ("t04",), True)
    provider = Run("prod", (), True, refresh=False)
    assert [*plan.without([whole, some], {"t02"})] == [provider, Run("prod", ("t01", "t03"), True), some]
    assert [*plan.without([whole, some], set(NAMES))] == []
    assert [*plan.without([provider], {"t02"})] == [provider]
