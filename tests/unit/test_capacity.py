from fractions import Fraction

import pytest

from siteforge import capacity
from siteforge.blueprint import Blueprint
from siteforge.capacity import Budget, need
from siteforge.errors import CapacityError
from siteforge.plans import PLANS
from siteforge.quantities import parse
from siteforge.specs import boundary, database, wordpress
from tests.support.blueprints import make

GIBIBYTE = 2**30


def rendered(tenant: Blueprint, resource: str) -> Fraction:
    """What the rendered workloads request: all replicas, the one that a rollout starts beyond them, the database."""
    spec = wordpress.deployment_spec(tenant, "")
    pods = spec["replicas"] + spec["strategy"]["rollingUpdate"]["maxSurge"]
    (site,), (data,) = (
        template["spec"]["containers"]
        for template in (spec["template"], database.stateful_set_spec(tenant, "")["template"])
    )
    requests = [parse(container["resources"]["requests"][resource]) for container in (site, data)]
    return Fraction(pods * requests[0] + requests[1])


@pytest.mark.parametrize("replicas", [1, 2, 20])
@pytest.mark.parametrize("plan", PLANS)
def test_a_tenant_needs_what_its_workloads_request_while_they_roll_and_its_quota_holds_that(
    plan: str, replicas: int
) -> None:
    tenant = make(plan=plan, wordpress={"replicas": replicas})
    found, hard = need(tenant), boundary.quota(tenant)["spec"]["hard"]
    assert (found.cpu, found.memory) == (rendered(tenant, "cpu"), rendered(tenant, "memory"))
    assert found.storage == parse(hard["requests.storage"])
    assert found.pods == replicas + 2
    assert found.cpu <= parse(hard["requests.cpu"])
    assert found.memory <= parse(hard["requests.memory"])
    assert found.pods <= int(hard["pods"])


def test_a_nano_needs_so_much() -> None:
    expected = capacity.Need(Fraction(250, 1000), Fraction(3 * 128 * 2**20), Fraction(2 * GIBIBYTE), Fraction(3))
    assert need(make()) == expected


FLEET = [
    make(),
    make(name="shop-lumi", plan="large"),
    make(name="club-otava", plan="small"),
    make(name="tiny"),
]
"""In all: cpu 250m + 3 + 1250m + 250m, memory 384Mi + 6Gi + 1536Mi + 384Mi, storage 2 + 70 + 15 + 2 Gi, 12 pods."""


def refused(budget: Budget) -> list[str]:
    with pytest.raises(CapacityError) as error:
        capacity.check(FLEET, budget, "tenants.yaml")
    return str(error.value).splitlines()


def test_a_budget_that_holds_the_catalogue_exactly_is_enough() -> None:
    capacity.check(FLEET, Budget(cpu="4750m", memory="8448Mi", storage="89Gi", pods=12), "tenants.yaml")
    capacity.check(FLEET, Budget(), "tenants.yaml")


def test_what_goes_over_the_budget_is_told_at_once_with_the_largest_consumers() -> None:
    assert refused(Budget(cpu="4", memory="8Gi", storage="88Gi", pods=11)) == [
        "tenants.yaml: the catalogue needs 4750m of cpu (requests), over the cluster budget of 4"
        " - shrink the largest (shop-lumi 3, club-otava 1250m, blog-aku 250m) or raise siteforge:budget.cpu",
        "tenants.yaml: the catalogue needs 8448Mi of memory (requests), over the cluster budget of 8Gi"
        " - shrink the largest (shop-lumi 6Gi, club-otava 1536Mi, blog-aku 384Mi) or raise siteforge:budget.memory",
        "tenants.yaml: the catalogue needs 89Gi of storage, over the cluster budget of 88Gi"
        " - shrink the largest (shop-lumi 70Gi, club-otava 15Gi, blog-aku 2Gi) or raise siteforge:budget.storage",
        "tenants.yaml: the catalogue needs 12 pods, over the cluster budget of 11"
        " - shrink the largest (blog-aku 3, club-otava 3, shop-lumi 3) or raise siteforge:budget.pods",
    ]


def test_only_what_the_budget_names_is_checked() -> None:
    assert len(refused(Budget(pods=1))) == 1


def test_a_database_that_is_kept_elsewhere_is_not_counted() -> None:
    own, other = need(make()), need(make(database={"external": {"host": "10.20.0.5"}}))
    database = make().database
    assert database
    assert own.cpu - other.cpu == parse(database.size.cpu_request)
    assert own.memory - other.memory == parse(database.size.memory_request)
    assert own.storage - other.storage == parse(database.volume.size)
    assert own.pods - other.pods == 1
