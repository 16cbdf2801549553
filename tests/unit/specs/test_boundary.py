from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from siteforge.blueprint import Blueprint
from siteforge.plans import PLANS
from siteforge.quantities import parse
from siteforge.specs import boundary, cron, database, wordpress
from tests.support.blueprints import make

SMALLEST = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"cpu": "10m", "memory": "64Mi"}}


def containers(tenant: Blueprint) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each container of a tenant with the number of pods that have it, init containers apart."""
    yield 1, database.stateful_set_spec(tenant, "")["template"]["spec"]["containers"][0]
    spec = wordpress.deployment_spec(tenant, "")
    yield spec["replicas"], spec["template"]["spec"]["containers"][0]


def hard(tenant: Blueprint) -> dict[str, str]:
    found: dict[str, str] = boundary.quota(tenant)["spec"]["hard"]
    return found


def test_the_namespace_enforces_the_restricted_standard_at_a_pinned_version() -> None:
    labels = boundary.namespace(make())["metadata"]["labels"]
    for mode in ("enforce", "warn", "audit"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert labels[f"pod-security.kubernetes.io/{mode}-version"].startswith("v1.")


@pytest.mark.parametrize("replicas", [1, 2, 3, 20])
@pytest.mark.parametrize(("old", "new"), list(product(PLANS, PLANS)))
def test_the_quota_holds_every_moment_of_a_rollout_from_any_plan_to_any_other(
    old: str, new: str, replicas: int
) -> None:
    """All old pods of the site still going, all new ones and one surging, the database, and one for scheduled work."""
    before, after = (make(plan=plan, wordpress={"replicas": replicas}) for plan in (old, new))
    allowed = hard(after)
    for kind, resource in product(("requests", "limits"), ("cpu", "memory", "ephemeral-storage")):

        def amount(container: dict[str, Any], kind: str = kind, resource: str = resource) -> Fraction:
            return parse(container["resources"][kind][resource])

        (_, new_database), (_, new_site) = containers(after)
        (_, old_database), (_, old_site) = containers(before)
        worst = replicas * amount(old_site) + (replicas + 1) * amount(new_site)
        worst += max(amount(old_database), amount(new_database))
        worst += amount(cron.pod(after)["containers"][0])
        assert worst <= parse(allowed[f"{kind}.{resource}"])
    assert 2 * replicas + 3 == int(allowed["pods"])


def test_the_quota_covers_a_tenant_larger_than_any_plan() -> None:
    tenant = make(database={"resources": {"limits": {"memory": "64Gi"}}})
    assert parse(hard(tenant)["limits.memory"]) >= parse("64Gi")


def test_the_quota_gives_exactly_the_declared_volumes() -> None:
    allowed = hard(make(wordpress={"volume": {"size": "1536Mi"}}, database={"volume": {"size": "512Mi"}}))
    assert allowed["requests.storage"] == "2Gi"
    assert allowed["persistentvolumeclaims"] == "2"


def test_no_tenant_opens_ports_of_nodes_or_load_balancers() -> None:
    allowed = hard(make())
    assert (allowed["services.nodeports"], allowed["services.loadbalancers"]) == ("0", "0")


@pytest.mark.parametrize("plan", PLANS)
def test_the_limit_range_lets_the_tenants_own_containers_in_and_nothing_larger(plan: str) -> None:
    tenant = make(plan=plan, wordpress={"resources": {"limits": {"memory": "5Gi"}}})
    (limit,) = boundary.limits(tenant)["spec"]["limits"]
    for resource in ("cpu", "memory", "ephemeral-storage"):
        sizes = [parse(container["resources"]["limits"][resource]) for _, container in containers(tenant)]
        assert max(sizes) == parse(limit["max"][resource])
        requests = [parse(container["resources"]["requests"][resource]) for _, container in containers(tenant)]
        assert parse(limit["min"].get(resource, "0")) <= min(requests)
        assert parse(limit["defaultRequest"][resource]) <= parse(limit["default"][resource]) <= max(sizes)


def test_the_limit_range_starts_at_the_smallest_container_of_the_catalogue() -> None:
    (limit,) = boundary.limits(make(wordpress={"resources": SMALLEST}))["spec"]["limits"]
    assert limit["min"] == SMALLEST["requests"]


EXTERNAL = {"external": {"host": "10.20.0.5"}}


def test_a_tenant_whose_database_is_kept_elsewhere_has_a_quota_without_it() -> None:
    own, other = hard(make()), hard(make(database=EXTERNAL))
    assert int(other["pods"]) == int(own["pods"]) - 1
    assert (own["persistentvolumeclaims"], other["persistentvolumeclaims"]) == ("2", "1")
    assert other["requests.storage"] == "1Gi"
    (limit,) = boundary.limits(make(database=EXTERNAL))["spec"]["limits"]
    assert limit["max"]["memory"] == make().site.size.memory_limit


def test_an_issuer_may_check_every_domain_at_once() -> None:
    """cert-manager starts a pod and a Service in the tenant's namespace for each."""
    domains = ["a.example.com", "b.example.com", "c.example.com"]
    plain = hard(make(domains=domains, tls={"secretName": "lumi-tls"}))
    checked = hard(make(domains=domains, tls={"issuer": "letsencrypt"}))
    assert plain == hard(make())
    for kind in ("pods", "services"):
        assert int(checked[kind]) == int(plain[kind]) + 3
