from typing import Any

import pytest

from siteforge import Tenant, TenantArgs, secrets
from siteforge.blueprint import Images, Ingress, blueprint
from siteforge.specs import objects
from siteforge.tenant_spec import TenantSpec
from tests.support import mocks

SECRET = "s" * 40
NAME = "blog-aku"
DOMAINS = ["lumi.example.com", "www.lumi.example.com"]


def plain(value: Any) -> Any:
    """A value as it is on Pulumi's wire, without the marks of secrets."""
    if isinstance(value, dict):
        return plain(value["value"]) if mocks.SECRET_KEY in value else {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"owners": {"users": ["aku@example.com"]}, "wordpress": {"autoscaling": {"max_replicas": 3}}},
        {"domains": DOMAINS, "tls": {"issuer": "letsencrypt"}, "credentials_version": 3},
        {"domains": DOMAINS, "tls": {"upstream": True}, "ingress": {"gateway": "edge/public"}},
        {"database": {"external": {"host": "10.20.0.5"}}, "database_password": "hunter2"},
    ],
)
def test_components_place_every_object_of_the_list_as_it_is_and_no_other(fields: dict[str, Any]) -> None:
    line: dict[str, Any] = {"title": "Aku", "admin_email": "aku@example.com", "plan": "nano", **fields}
    args: TenantArgs = {**line, "secret": SECRET}  # type: ignore[typeddict-item]
    recording = mocks.run(lambda: Tenant(NAME, args))

    ingress = Ingress(**line.pop("ingress", {}))
    given = secrets.Given(database=line.pop("database_password", ""))
    spec = TenantSpec.model_validate({"name": NAME, **line}, by_alias=False, by_name=True)
    credentials = secrets.derive(SECRET, NAME, spec.credentials_version, given)
    listed = objects.objects(blueprint(spec, Images(), ingress), credentials)

    parents = {"Boundary": "boundary", "Database": "database", "WordPress": "wordpress"}
    assert {
        (placed.type, placed.name): (f"{NAME}-{parents[placed.component]}", placed.manifest) for placed in listed
    } == {
        (resource.type, resource.name): (resource.parent, plain(resource.inputs))
        for resource in recording.resources
        if resource.custom
    }
