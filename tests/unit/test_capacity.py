import pytest

from siteforge import capacity
from siteforge.blueprint import Blueprint
from siteforge.capacity import Budget, QuotaBudget
from siteforge.errors import CapacityError
from siteforge.specs import boundary
from siteforge.specs.manifest import Manifest
from tests.support.blueprints import make

FLEET = [
    make(),
    make(name="shop-lumi", plan="large"),
    make(name="club-otava", plan="small"),
    make(name="tiny"),
]
"""In all: cpu 260m + 3010m + 1260m + 260m, memory 448 + 6208 + 1600 + 448 Mi, storage 2 + 70 + 15 + 2 Gi, 16 pods."""


def refused(budget: Budget) -> list[str]:
    with pytest.raises(CapacityError) as error:
        capacity.check(FLEET, budget, "tenants.yaml")
    return str(error.value).splitlines()


def test_a_budget_that_holds_the_catalogue_exactly_is_enough() -> None:
    capacity.check(FLEET, Budget(cpu="4790m", memory="8704Mi", storage="89Gi", pods=16), "tenants.yaml")
    capacity.check(FLEET, Budget(), "tenants.yaml")


def test_what_goes_over_the_budget_is_told_at_once_with_the_largest_consumers() -> None:
    assert refused(Budget(cpu="4", memory="8Gi", storage="88Gi", pods=15)) == [
        "tenants.yaml: the catalogue needs 4790m of cpu (requests), over the cluster budget of 4"
        " - shrink the largest (shop-lumi 3010m, club-otava 1260m, blog-aku 260m) or raise siteforge:budget.cpu",
        "tenants.yaml: the catalogue needs 8704Mi of memory (requests), over the cluster budget of 8Gi"
        " - shrink the largest (shop-lumi 6208Mi, club-otava 1600Mi, blog-aku 448Mi) or raise siteforge:budget.memory",
        "tenants.yaml: the catalogue needs 89Gi of storage, over the cluster budget of 88Gi"
        " - shrink the largest (shop-lumi 70Gi, club-otava 15Gi, blog-aku 2Gi) or raise siteforge:budget.storage",
        "tenants.yaml: the catalogue needs 16 pods, over the cluster budget of 15"
        " - shrink the largest (blog-aku 4, club-otava 4, shop-lumi 4) or raise siteforge:budget.pods",
    ]


def test_only_what_the_budget_names_is_checked() -> None:
    assert len(refused(Budget(pods=1))) == 1


def test_the_quotas_of_all_tenants_have_a_budget_of_their_own() -> None:
    """4 tenants of 5 pods, each counted as if it had the size of the largest plan's: 1 CPU and 2Gi."""
    quotas = [boundary.quota(tenant)["spec"]["hard"] for tenant in FLEET]
    assert {(hard["requests.cpu"], hard["requests.memory"], hard["pods"]) for hard in quotas} == {("5", "10Gi", "5")}
    enough = QuotaBudget(cpu="20", memory="40Gi", storage="89Gi", pods=20)
    capacity.check(FLEET, Budget(quotas=enough), "tenants.yaml")
    told = refused(Budget(cpu="1", quotas=QuotaBudget(cpu="19", memory="39Gi", storage="88Gi", pods=19)))
    assert told[0].startswith(
        "tenants.yaml: the catalogue needs 4790m of cpu (requests), over the cluster budget of 1 "
    )
    assert told[1:] == [
        "tenants.yaml: the quotas add up to 20 of cpu (requests), over the cluster budget of quotas of 19"
        " - shrink the largest (blog-aku 5, club-otava 5, shop-lumi 5) or raise siteforge:budget.quotas.cpu",
        "tenants.yaml: the quotas add up to 40Gi of memory (requests), over the cluster budget of quotas of 39Gi"
        " - shrink the largest (blog-aku 10Gi, club-otava 10Gi, shop-lumi 10Gi)"
        " or raise siteforge:budget.quotas.memory",
        "tenants.yaml: the quotas add up to 89Gi of storage, over the cluster budget of quotas of 88Gi"
        " - shrink the largest (shop-lumi 70Gi, club-otava 15Gi, blog-aku 2Gi)"
        " or raise siteforge:budget.quotas.storage",
        "tenants.yaml: the quotas add up to 20 pods, over the cluster budget of quotas of 19"
        " - shrink the largest (blog-aku 5, club-otava 5, shop-lumi 5) or raise siteforge:budget.quotas.pods",
    ]


def test_a_tenant_that_its_own_quota_would_lock_out_is_refused_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = boundary.quota

    def small(tenant: Blueprint) -> Manifest:
        manifest = right(tenant)
        if tenant.name == "shop-lumi":
            manifest["spec"]["hard"]["pods"] = "4"
        return manifest

    monkeypatch.setattr(boundary, "quota", small)
    assert refused(Budget()) == [
        "tenants.yaml: tenant shop-lumi: a rollout takes 5 of pods, over the tenant's own quota of 4"
        " - its boundary has to grow with it (siteforge/specs/boundary.py)"
    ]
