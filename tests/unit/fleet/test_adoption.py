import base64
from typing import Any

import pytest

from siteforge import secrets
from siteforge.errors import AdoptionError
from siteforge.fleet.adoption import kept
from siteforge.names import Role
from siteforge.specs import database, wordpress
from siteforge.specs.manifest import Manifest
from siteforge.tenant_spec import TenantSpec

DERIVED = secrets.derive("s" * 40, "blog-aku")


def spec(**fields: Any) -> TenantSpec:
    line = {"name": "blog-aku", "title": "T", "adminEmail": "a@example.com"}
    return TenantSpec.model_validate(line | fields, by_alias=True, by_name=False)


def live(credentials: secrets.Credentials = DERIVED) -> dict[Role, Manifest]:
    return {
        "wordpress": {"data": wordpress.secret_data(credentials)},
        "mariadb": {"data": database.secret_data(credentials)},
    }


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_of_derived_passwords_and_of_lost_secrets_there_is_nothing_to_keep() -> None:
    assert kept(spec(), DERIVED, live()) == {}
    assert kept(spec(), DERIVED, {"wordpress": {}, "mariadb": {}}) == {}


def test_every_password_and_salt_of_its_own_is_kept_and_given_again() -> None:
    own = {purpose: f"own {purpose}" for purpose in secrets.PURPOSES}
    there = live(secrets.derive("t" * 40, "blog-aku", 1, secrets.Given(adopted=own)))
    assert kept(spec(), DERIVED, there) == own
    given = secrets.derive("s" * 40, "blog-aku", 1, secrets.Given(adopted=own))
    assert kept(spec(), given, there) == {}
    assert given.fingerprint != DERIVED.fingerprint


def test_just_what_differs_is_kept() -> None:
    there = live()
    there["wordpress"]["data"]["admin-password"] = encoded("another")
    assert kept(spec(), DERIVED, there) == {"admin-password": "another"}


@pytest.mark.parametrize(("role", "key"), [("wordpress", "database-password"), ("mariadb", "password")])
def test_two_passwords_of_one_database_cannot_be_kept(role: Role, key: str) -> None:
    there = live()
    there[role]["data"][key] = encoded("another")
    with pytest.raises(AdoptionError, match="different passwords of the database"):
        kept(spec(), DERIVED, there)


@pytest.mark.parametrize("data", ["", encoded("two\nlines"), base64.b64encode(b"\xff\xfe").decode()])
def test_what_no_container_can_be_given_is_refused_without_being_shown(data: str) -> None:
    there = live()
    there["mariadb"]["data"]["root-password"] = data
    with pytest.raises(AdoptionError) as error:
        kept(spec(), DERIVED, there)
    assert str(error.value) == (
        "tenant blog-aku: root-password of the Secret mariadb is empty or not one line of text"
        " - give it such a password"
    )


def test_the_passwords_of_an_external_database_are_those_of_the_configuration() -> None:
    external = {"database": {"external": {"host": "10.0.0.5"}}}
    there = live()
    there["wordpress"]["data"]["database-password"] = encoded("whatever")
    assert kept(spec(**external), DERIVED, there) == {}
