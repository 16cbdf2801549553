import dataclasses

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from siteforge.fleet.metrics import Looks
from siteforge.fleet.status import Condition, TenantStatus, Usage, Volume, status
from tests.support import namespaces
from tests.support.blueprints import make

Labels = frozenset[tuple[str, str]]


def told(looks: Looks) -> dict[tuple[str, Labels], float]:
    """What a scrape reads, by name and labels."""
    text = generate_latest(looks.registry).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


def labels(**values: str) -> Labels:
    return frozenset(values.items())


def tenant(name: str = "blog") -> TenantStatus:
    return dataclasses.replace(status(make(name="blog"), "prod", namespaces.seen(namespaces.healthy())), name=name)


def looked(*statuses: TenantStatus) -> dict[tuple[str, Labels], float]:
    looks = Looks()
    looks.succeeded(list(statuses), 0.25)
    return told(looks)


def test_every_condition_is_told_also_that_nobody_is_in() -> None:
    ill = dataclasses.replace(tenant("shop"), condition=Condition.DEGRADED)
    found = looked(tenant("a"), tenant("b"), ill)
    counts = {condition: found["siteforge_tenants", labels(condition=condition)] for condition in Condition}
    assert counts == dict.fromkeys(Condition, 0.0) | {Condition.READY: 2.0, Condition.DEGRADED: 1.0}
    of_shop = {
        c: found["siteforge_tenant_condition", labels(tenant="shop", stack="prod", condition=c)] for c in Condition
    }
    assert [condition for condition, value in of_shop.items() if value] == [Condition.DEGRADED]


def test_pods_quotas_and_volumes_are_told_in_base_units() -> None:
    one = dataclasses.replace(
        tenant(),
        quota=(Usage("limits.memory", "256Mi", "1Gi"), Usage("limits.cpu", "500m", "2"), Usage("odd", "?", "?")),
        volumes=(Volume("wordpress", "Bound", "1Gi", "2Gi", used=1000), Volume("mariadb", "Pending", "1Gi", "")),
        deployed="2026-11-29T06:00:00Z",
    )
    found = looked(one)
    me = {"tenant": "blog", "stack": "prod"}
    assert found["siteforge_tenant_pods_ready", labels(**me)] == 2
    assert found["siteforge_tenant_pods_wanted", labels(**me)] == 2
    assert found["siteforge_tenant_quota_used", labels(**me, resource="limits.memory")] == 256 * 2**20
    assert found["siteforge_tenant_quota_hard", labels(**me, resource="limits.cpu")] == 2
    assert found["siteforge_tenant_quota_used", labels(**me, resource="limits.cpu")] == 0.5
    assert found["siteforge_tenant_volume_capacity_bytes", labels(**me, claim="wordpress")] == 2 * 2**30
    assert found["siteforge_tenant_volume_used_bytes", labels(**me, claim="wordpress")] == 1000
    assert found["siteforge_tenant_deployed_timestamp_seconds", labels(**me)] == 1795932000
    unknown = [name for name, having in found if ("resource", "odd") in having or ("claim", "mariadb") in having]
    assert unknown == []


def test_after_a_look_that_failed_nobody_reads_as_well() -> None:
    looks = Looks()
    assert told(looks)["siteforge_last_look_success_timestamp_seconds", labels()] == 0
    looks.succeeded([tenant()], 0.25)
    assert told(looks)["siteforge_last_look_success_timestamp_seconds", labels()] > 0
    looks.failed()
    found = told(looks)
    assert not [name for name, having in found if ("tenant", "blog") in having]
    assert found["siteforge_looks_total", labels(outcome="succeeded")] == 1
    assert found["siteforge_looks_total", labels(outcome="failed")] == 1
    assert found["siteforge_look_duration_seconds_count", labels()] == 1


def test_the_age_of_backups_is_told_of_those_of_which_it_is_known() -> None:
    looks = Looks()
    looks.succeeded([tenant("a"), tenant("b"), tenant("c")], 0.25, {"a": 1795932000.0, "b": 0.0, "gone": 1.0})
    name = "siteforge_tenant_backup_timestamp_seconds"
    found = {dict(having)["tenant"]: value for (told_name, having), value in told(looks).items() if told_name == name}
    assert found == {"a": 1795932000, "b": 0}


def test_a_tenant_adds_a_fixed_number_of_series() -> None:
    sizes = [len(looked(*(tenant(f"t-{number}") for number in range(count)))) for count in (10, 20, 30)]
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] <= 10 * 40
