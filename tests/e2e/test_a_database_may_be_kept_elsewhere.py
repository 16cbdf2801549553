"""The database of one tenant, used as if it were kept elsewhere: by a tenant that has none of its own."""

import json

import pytest

from siteforge.secrets import derive
from tests.e2e.conftest import SECRET, MakeStack
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack

HOST, GUEST = "e2e-host", "e2e-guest"


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    stack = make_stack("elsewhere")
    same = "title: One site of two tenants\n            adminEmail: a@example.com\n            plan: nano"
    stack.catalogue(
        f"""
        tenants:
          - name: {HOST}
            {same}
          - name: {GUEST}
            {same}
            database:
              external: {{host: mariadb.{HOST}.svc.cluster.local, cidr: 10.0.0.0/8}}
        """
    )
    password = derive(SECRET, HOST).database_password
    key = f"siteforge:passwords.{GUEST}.database"
    stack.pulumi("config", "set", "--secret", "--path", key, stdin=password)
    stack.up()
    return stack


def test_the_site_is_installed_into_it_and_served_from_it(stack: Stack) -> None:
    assert Site(GUEST).serves("One site of two tenants")
    assert Site(GUEST).get("/siteforge-health.php?ready").status == 200


def test_the_tenant_has_no_workload_volume_or_secret_of_a_database(stack: Stack) -> None:
    kinds = "statefulset,service,persistentvolumeclaim,secret,deployment"
    found = json.loads(kubectl("get", kinds, "-n", GUEST, "-o", "json"))["items"]
    assert {(item["kind"], item["metadata"]["name"]) for item in found} == {
        ("Service", "wordpress"),
        ("PersistentVolumeClaim", "wordpress"),
        ("Secret", "wordpress"),
        ("Deployment", "wordpress"),
    }


def test_the_second_up_is_all_unchanged(stack: Stack) -> None:
    assert set(stack.up().counts) == {"unchanged"}


def test_its_password_is_kept_encrypted(stack: Stack) -> None:
    password = derive(SECRET, HOST).database_password
    files = [path for path in stack.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if password in path.read_text(errors="replace")]
