import base64
import re

import pytest

from siteforge.secrets import Given, derive
from siteforge.specs import database, wordpress
from tests.support.blueprints import make


@pytest.mark.parametrize(
    ("memory", "pool", "connections"),
    [("256Mi", "102M", "64"), ("100Mi", "40M", "50"), ("1Gi", "409M", "256"), ("64Gi", "26214M", "1000")],
)
def test_mariadbs_memory_follows_from_its_limit(memory: str, pool: str, connections: str) -> None:
    given = database.arguments(memory)
    assert given[:2] == [f"--innodb-buffer-pool-size={pool}", f"--max-connections={connections}"]


def test_mariadb_needs_no_dns_which_it_may_not_ask() -> None:
    assert "--skip-name-resolve" in database.arguments("1Gi")


def test_the_secret_holds_the_derived_passwords() -> None:
    credentials = derive("s" * 40, "blog-aku")
    data = {key: base64.b64decode(value).decode() for key, value in database.secret_data(credentials).items()}
    sql = data.pop("passwords.sql")
    assert data == {"password": credentials.database_password, "root-password": credentials.database_root_password}
    assert all(password in sql for password in data.values())


def test_whatever_an_adopted_password_holds_stays_within_its_text() -> None:
    odd = "a ' \" \\ ; password"
    sql = database.passwords_sql(derive("s" * 40, "blog-aku", 1, Given(adopted={"database-password": odd})))
    (line,) = [line for line in sql.splitlines() if "'%'" in line]
    # Once as a text within a text of SQL, and once as that text.
    outer = line.partition('IF(@made, "')[2].removesuffix('", "DO 0");')
    assert re.search(r'(?<!\\)(\\\\)*"', outer) is None
    inner = re.sub(r"\\(.)", r"\1", outer).partition(" IDENTIFIED BY ")[2]
    assert re.sub(r"\\(.)", r"\1", inner) == f"'{odd}'"


def test_the_stateful_set_is_one_instance_behind_a_headless_service() -> None:
    spec, service = database.stateful_set_spec(make(), ""), database.headless_service(make())
    assert spec["replicas"] == 1
    assert spec["serviceName"] == service["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None"


def test_the_site_connects_to_an_address_that_outlives_the_pod() -> None:
    container = wordpress.deployment_spec(make(), "")["template"]["spec"]["containers"][0]
    (host,) = (variable["value"] for variable in container["env"] if variable["name"] == "WORDPRESS_DB_HOST")
    service = database.service(make())
    assert service["metadata"]["name"] == host
    assert service["spec"]["type"] == "ClusterIP"


def test_what_selects_the_pods_does_not_change_with_what_a_tenant_may_change() -> None:
    small, large = make(), make(plan="large", title="Another", database={"image": "mariadb:11.4.7"})
    assert database.stateful_set_spec(small, "")["selector"] == database.stateful_set_spec(large, "")["selector"]
    assert database.service(small)["spec"]["selector"] == database.service(large)["spec"]["selector"]


def test_the_server_restarts_for_new_credentials_since_it_takes_them_when_it_starts() -> None:
    one, two = (database.stateful_set_spec(make(), fingerprint)["template"] for fingerprint in ("one", "two"))
    assert one != two


def test_no_database_runs_of_a_suspended_tenant_and_nobody_waits_for_it() -> None:
    asleep = make(suspended=True)
    assert database.stateful_set_spec(asleep, "")["replicas"] == 0
    assert database.service(asleep)["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    assert "pulumi.com/skipAwait" not in database.service(make())["metadata"]["annotations"]
    assert database.claim(asleep) == database.claim(make())
