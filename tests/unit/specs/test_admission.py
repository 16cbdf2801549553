from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from siteforge.blueprint import Blueprint
from siteforge.plans import PLANS
from siteforge.quantities import parse
from siteforge.specs import admission, boundary, cron, database, wordpress
from siteforge.specs.admission import need
from tests.support.blueprints import make

ISSUED = {"domains": ["lumi.example.com", "www.lumi.example.com"], "tls": {"issuer": "letsencrypt"}}


def rendered(tenant: Blueprint, kind: str, resource: str) -> Fraction:
    """What the rendered workloads take: all replicas, one more in a rollout, the database, the scheduled work."""
    spec = wordpress.deployment_spec(tenant, "")
    pods = spec["replicas"] + spec["strategy"]["rollingUpdate"]["maxSurge"]
    (site,), (data,) = (
        template["spec"]["containers"]
        for template in (spec["template"], database.stateful_set_spec(tenant, "")["template"])
    )
    (scheduled,) = cron.pod(tenant)["containers"]
    amounts = [parse(container["resources"][kind][resource]) for container in (site, data, scheduled)]
    return Fraction(pods * amounts[0] + amounts[1] + amounts[2])


@pytest.mark.parametrize("replicas", [1, 2, 20])
@pytest.mark.parametrize("plan", PLANS)
def test_a_tenant_needs_what_its_workloads_take_while_they_roll(plan: str, replicas: int) -> None:
    tenant = make(plan=plan, wordpress={"replicas": replicas})
    for kind, resource in product(("requests", "limits"), ("cpu", "memory", "ephemeral-storage")):
        assert need(tenant)[f"{kind}.{resource}"] == rendered(tenant, kind, resource)
    claims = (wordpress.claim(tenant), database.claim(tenant))
    assert need(tenant)["requests.storage"] == sum(
        parse(claim["spec"]["resources"]["requests"]["storage"]) for claim in claims
    )
    assert need(tenant)["pods"] == replicas + 3
    assert need(tenant)["persistentvolumeclaims"] == 2


def test_a_nano_needs_so_much() -> None:
    found = {resource: admission.write(resource, amount) for resource, amount in need(make()).items()}
    assert found == {
        "requests.cpu": "260m",
        "requests.memory": "448Mi",
        "requests.ephemeral-storage": "200Mi",
        "limits.cpu": "1600m",
        "limits.memory": "896Mi",
        "limits.ephemeral-storage": "8Gi",
        "requests.storage": "2Gi",
        "persistentvolumeclaims": "2",
        "pods": "4",
    }


def test_a_database_that_is_kept_elsewhere_is_not_counted() -> None:
    own, other = need(make()), need(make(database={"external": {"host": "10.20.0.5"}}))
    base = make().database
    assert base
    assert own["requests.cpu"] - other["requests.cpu"] == parse(base.size.cpu_request)
    assert own["limits.memory"] - other["limits.memory"] == parse(base.size.memory_limit)
    assert own["requests.storage"] - other["requests.storage"] == parse(base.volume.size)
    assert own["pods"] - other["pods"] == 1
    assert own["persistentvolumeclaims"] - other["persistentvolumeclaims"] == 1


LARGE = {"requests": {"cpu": "8", "memory": "16Gi"}, "limits": {"cpu": "16", "memory": "64Gi"}}
SMALL = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"cpu": "10m", "memory": "64Mi"}}


@pytest.mark.parametrize("replicas", [1, 20])
@pytest.mark.parametrize("resources", [{}, LARGE, SMALL], ids=["the plan's", "large", "small"])
@pytest.mark.parametrize("more", [{}, ISSUED, {"database": {"external": {"host": "10.20.0.5"}}}])
@pytest.mark.parametrize("plan", PLANS)
def test_no_tenant_is_locked_out_by_its_own_quota_or_limits(
    plan: str, more: dict[str, Any], resources: dict[str, Any], replicas: int
) -> None:
    tenant = make(plan=plan, wordpress={"replicas": replicas, "resources": resources}, **more)
    assert list(admission.refusals(tenant)) == []


def refused(monkeypatch: pytest.MonkeyPatch, field: str, path: list[str], value: str) -> Iterator[str]:
    """What is refused once one value of the quota or the limit range is another."""
    manifest = getattr(boundary, field)(make())
    place: Any = manifest["spec"]
    for key in path[:-1]:
        place = place[int(key) if key.isdigit() else key]
    assert place[path[-1]] != value
    place[path[-1]] = value
    monkeypatch.setattr(boundary, field, lambda _: manifest)
    return admission.refusals(make())


# Just below what a nano takes with both its pods, the one of a rollout, the database and the scheduled work.
@pytest.mark.parametrize(
    ("resource", "less", "taken"),
    [
        ("pods", "4", "5"),
        ("requests.cpu", "359m", "360m"),
        ("limits.cpu", "2099m", "2100m"),
        ("requests.memory", "575Mi", "576Mi"),
        ("limits.memory", "1151Mi", "1152Mi"),
        ("requests.ephemeral-storage", "249Mi", "250Mi"),
        ("limits.ephemeral-storage", "10239Mi", "10Gi"),
        ("requests.storage", "2047Mi", "2Gi"),
        ("persistentvolumeclaims", "1", "2"),
    ],
)
def test_a_quota_that_a_rollout_would_not_fit_is_told(
    monkeypatch: pytest.MonkeyPatch, resource: str, less: str, taken: str
) -> None:
    assert list(refused(monkeypatch, "quota", ["hard", resource], less)) == [
        f"a rollout takes {taken} of {resource}, over the tenant's own quota of {less}"
        " - its boundary has to grow with it (siteforge/specs/boundary.py)"
    ]


@pytest.mark.parametrize(
    ("bound", "resource", "value", "told"),
    [
        ("max", "memory", "255Mi", "limits memory to 256Mi, over the limit range's 255Mi"),
        ("max", "cpu", "499m", "limits cpu to 500m, over the limit range's 499m"),
        ("max", "ephemeral-storage", "1Gi", "limits ephemeral-storage to 2Gi, over the limit range's 1Gi"),
        ("min", "memory", "129Mi", "requests 128Mi of memory, under the limit range's 129Mi"),
    ],
)
def test_a_limit_range_that_would_not_let_a_container_in_is_told(
    monkeypatch: pytest.MonkeyPatch, bound: str, resource: str, value: str, told: str
) -> None:
    found = list(refused(monkeypatch, "limits", ["limits", "0", bound, resource], value))
    containers = ("wordpress", "install", "mariadb")
    said = [text.partition(" - ")[0] for text in found if "container cron" not in text]
    assert said == [f"the container {name} {told}" for name in containers]
