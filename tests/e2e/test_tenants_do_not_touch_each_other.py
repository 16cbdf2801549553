import json

import pytest

from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

TENANT = """
          - name: {name}
            title: Site {name}
            adminEmail: {name}@example.com
            plan: nano
            wordpress: {{replicas: {replicas}}}
"""


def catalogue(**replicas: int) -> str:
    entries = (TENANT.format(name=f"e2e-{name}", replicas=count) for name, count in replicas.items())
    return "        tenants:" + "".join(entries)


@pytest.fixture(scope="module")
def pair(make_stack: MakeStack) -> Stack:
    stack = make_stack("pair")
    stack.catalogue(catalogue(one=1))
    stack.up()
    return stack


def versions(namespace: str) -> dict[str, str]:
    """The resource version of everything that the program declares in a namespace, status changes left out."""
    found = json.loads(
        kubectl(
            "get", "deployment,statefulset,service,secret,configmap,pvc,resourcequota", "-n", namespace, "-o", "json"
        )
    )
    return {
        f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] + str(item["metadata"].get("generation"))
        for item in found["items"]
    }


def test_adding_changing_and_removing_a_tenant_touches_only_its_own_resources(pair: Stack) -> None:
    before = versions("e2e-one")
    pair.catalogue(catalogue(one=1, two=1))
    added = pair.up()
    assert set(added.counts) == {"created", "updated", "unchanged"} or set(added.counts) == {"created", "unchanged"}
    assert Site("e2e-two").serves("Site e2e-two")

    pair.catalogue(catalogue(one=1, two=2))
    changed = pair.up()
    # The Deployment, and the quota that has to hold its pods.
    assert changed.counts["updated"] == 2
    assert set(changed.counts) == {"updated", "unchanged"}

    pair.catalogue(catalogue(one=1))
    removed = pair.up()
    assert removed.counts["deleted"] == 25
    assert kubectl("get", "namespace", "e2e-two", "--ignore-not-found") == ""

    assert versions("e2e-one") == before
    assert Site("e2e-one").serves("Site e2e-one")


def test_a_site_with_replicas_is_installed_once(pair: Stack) -> None:
    pair.catalogue(catalogue(one=1, three=3))
    pair.up()
    site = Site("e2e-three", pair.output("adminPasswords")["e2e-three"])
    assert site.posts() == {"Hello world!"}
    assert list(site.users()) == ["admin"]
    logs = kubectl("logs", "-n", "e2e-three", "-l", "app.kubernetes.io/name=wordpress", "-c", "install")
    assert logs.count("installing the site") == 1
    assert logs.count("the site is installed") == 3
    pair.catalogue(catalogue(one=1))
    pair.up()


def test_a_changed_title_is_applied_and_the_owners_title_stays(pair: Stack) -> None:
    site = Site("e2e-one")
    pair.catalogue(catalogue(one=1).replace("Site e2e-one", "Another title"))
    pair.up()
    eventually("the new title", lambda: site.serves("Another title"), namespace="e2e-one")
    sql = "UPDATE wp_options SET option_value = 'The owner''s' WHERE option_name = 'blogname'"
    command = f'mariadb -uroot -p"$(cat $MARIADB_ROOT_PASSWORD_FILE)" wordpress -e "{sql}"'
    kubectl("exec", "-n", "e2e-one", "statefulset/mariadb", "--", "sh", "-c", command)
    kubectl("rollout", "restart", "-n", "e2e-one", "deployment/wordpress")
    kubectl("rollout", "status", "-n", "e2e-one", "deployment/wordpress", "--timeout=120s")
    assert "The owner" in site.title()
    pair.up()
