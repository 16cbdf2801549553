"""The safeguards in the whole program, against the mocks."""

from typing import Any

import pulumi
import pytest

from siteforge import targets
from tests.components.test_program import CONFIG, failure, program
from tests.support import mocks

SITE = {"namespace", "wordpress-claim", "wordpress-deployment", "database-claim", "database-stateful-set"}
OTHER = {"deletionProtection": True, "volumes": {}, "url": "http://other"}


def protected(recording: mocks.Recording) -> set[str]:
    return {one.name for one in recording.resources if one.protected and one.name.startswith("blog-aku-")}


def test_what_holds_data_and_what_runs_is_protected_and_nothing_else() -> None:
    assert protected(mocks.run(program, CONFIG)) == {f"blog-aku-{one}" for one in SITE}


def test_a_stack_can_turn_it_off_for_tenants_that_do_not_say() -> None:
    assert protected(mocks.run(program, CONFIG | {"deletionProtection": "false"})) == set()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("removablePercent", "101", "siteforge:removablePercent: not a percentage (101)"),
        ("removablePercent", "a", "siteforge:removablePercent: not a percentage (a)"),
        ("deletionProtection", "maybe", "siteforge:deletionProtection: neither true nor false (maybe)"),
    ],
)
def test_a_setting_that_is_none_is_refused(key: str, value: str, message: str) -> None:
    assert failure(CONFIG | {key: value}).startswith(message)


def test_a_tenant_that_the_last_run_made_and_protected_is_not_removed() -> None:
    assert "tenant other: removed, but protected" in failure(CONFIG, told={"tenants": {"other": OTHER}})


def test_another_cluster_than_that_of_the_last_run_is_refused() -> None:
    told = {"cluster": mocks.CLUSTER}
    mocks.run(program, CONFIG, told=told)
    message = failure(CONFIG, told=told, cluster="x")
    assert message.startswith(
        "https://cluster.example.com (context here) is another cluster (x) than that of this stack"
    )


def test_another_address_of_the_same_cluster_replaces_no_provider() -> None:
    provider = mocks.run(program, CONFIG).one("pulumi:providers:kubernetes", "kubernetes")
    assert provider.inputs["clusterIdentifier"] == mocks.CLUSTER


def test_a_confined_run_leaves_what_was_told_of_other_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in targets.variable("test", "siteforge", ["blog-aku"]).items():
        monkeypatch.setenv(name, value)
    told = {"tenants": {"other": OTHER, "blog-aku": OTHER}, "adminPasswords": {"other": "a", "blog-aku": "b"}}
    exported: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    mocks.run(program, CONFIG, told=told)
    assert set(exported["tenants"]) == {"blog-aku", "other"}
    assert exported["tenants"]["other"] == OTHER
    assert exported["tenants"]["blog-aku"].keys() > OTHER.keys()
    assert exported["cluster"] == mocks.CLUSTER
