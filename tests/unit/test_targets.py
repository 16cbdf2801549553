import re

import pytest

from siteforge import targets
from siteforge.specs.objects import objects, possible
from siteforge.tenant_spec import TenantSpec
from tests.support import credentials as made
from tests.support.blueprints import make


def spec(name: str) -> TenantSpec:
    return TenantSpec(name=name, title="T", adminEmail="a@example.com")  # type: ignore[call-arg]


ALL = [spec(name) for name in ("blog", "blog-database", "blog-wordpress", "shop")]


def test_without_the_variable_a_run_has_all_tenants() -> None:
    assert targets.confined(ALL, {}) == ALL
    assert targets.confined(ALL, {targets.VARIABLE: ""}) == ALL


@pytest.mark.parametrize(
    "value", ["**", "urn:pulumi:dev::siteforge::kubernetes:core/v1:Namespace::blog-namespace", "**blog**"]
)
def test_targets_of_somebody_elses_making_leave_no_tenant_out(value: str) -> None:
    """Whom they mean is Pulumi's to say: the program must not leave anybody out who might not be meant."""
    assert targets.confined(ALL, {targets.VARIABLE: value}) == ALL


def test_the_program_registers_just_the_tenants_that_the_engine_is_confined_to() -> None:
    variable = targets.variable("dev", "siteforge", ["blog", "gone"])
    assert [one.name for one in targets.confined(ALL, variable)] == ["blog"]


def test_a_run_that_only_deletes_registers_nobody() -> None:
    assert targets.confined(ALL, targets.variable("dev", "siteforge", ["gone"])) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"owners": {"users": ["a"]}, "wordpress": {"autoscaling": {"maxReplicas": 3}}},
        {"domains": ["a.example.com"], "tls": {"issuer": "le"}},
        {"database": {"external": {"host": "10.0.0.1"}}},
    ],
)
def test_every_object_that_a_tenant_may_have_is_a_target(fields: dict[str, object]) -> None:
    known = targets.urns("dev", "siteforge", "blog-aku")
    for placed in objects(make(**fields), made.some()):
        chain = f"siteforge:index:Tenant$siteforge:index:{placed.component}${placed.type}"
        assert f"urn:pulumi:dev::siteforge::{chain}::{placed.name}" in known


def test_all_that_a_tenant_may_have_is_all_that_is_a_target() -> None:
    names = {one.name for one in possible("blog-aku")}
    parts = {f"blog-aku-{part}" for part in ("boundary", "database", "wordpress")}
    assert names == {urn.split("::")[3] for urn in targets.urns("dev", "siteforge", "blog-aku")} - parts - {"blog-aku"}


def test_a_target_matches_one_urn_alone() -> None:
    """As the engine reads globs: `*` stands for anything without a colon (pkg/resource/deploy, UrnTargets)."""
    everything = [urn for one in ALL for urn in targets.urns("dev", "siteforge", one.name)]
    (value,) = targets.variable("dev", "siteforge", ["blog"]).values()
    matchers = [re.compile("[^:]*".join(map(re.escape, glob.split("*")))) for glob in value.split(",")]
    matched = [urn for urn in everything if any(matcher.fullmatch(urn) for matcher in matchers)]
    assert matched == targets.urns("dev", "siteforge", "blog")


def test_no_two_tenants_share_a_target() -> None:
    names = [one.name for one in ALL]
    found = [urn for name in names for urn in targets.urns("dev", "siteforge", name)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", [one.name for one in ALL])
def test_a_urn_tells_whose_it_is(name: str) -> None:
    assert {targets.tenant(urn) for urn in targets.urns("dev", "siteforge", name)} == {name}


@pytest.mark.parametrize(
    "urn", ["", "urn:pulumi:dev::siteforge::pulumi:pulumi:Stack::siteforge-dev", "a::b::siteforge:index:Tenant$x:y::z"]
)
def test_what_is_no_tenants_is_nobodys(urn: str) -> None:
    assert targets.tenant(urn) is None


def test_the_longest_names_of_a_whole_run_fit_into_one_variable() -> None:
    names = [f"{number:02}-{'x' * 60}" for number in range(targets.MOST)]
    (value,) = targets.variable("s" * 100, "siteforge", names).values()
    assert len(f"{targets.VARIABLE}={value}") < 128 * 1024
