import dataclasses

from siteforge import configuration
from siteforge.blueprint import Ingress
from siteforge.fleet.rights import Right, needed

STACK = configuration.read(
    {
        "catalogue": "tenants.yaml",
        "wordpressImage": "wordpress:1",
        "databaseImage": "mariadb:1",
        "imagePullPolicy": "Always",
        "secret": "s" * 40,
    },
    {"secret"},
)


def test_objects_of_tenants_are_made_changed_and_deleted_and_pods_only_looked_at() -> None:
    rights = needed(STACK)
    assert {one.verb for one in rights if one.plural == "secrets"} == {
        "get",
        "list",
        "watch",
        "create",
        "patch",
        "delete",
    }
    assert {one.verb for one in rights if one.plural == "pods"} == {"get", "list", "watch"}
    assert len(rights) == len(set(rights))


def test_they_are_told_as_kubernetes_tells_them() -> None:
    shown = set(map(str, needed(STACK)))
    assert {"delete secrets", "create deployments.apps", "patch networkpolicies.networking.k8s.io"} <= shown


def test_only_what_leads_to_the_sites_is_asked_for() -> None:
    gateway = dataclasses.replace(STACK, ingress=Ingress(gateway="edge/public"))
    plurals = [{right.plural for right in needed(one)} for one in (STACK, gateway)]
    assert plurals[0] ^ plurals[1] == {"ingresses", "httproutes"}
    assert Right("ingresses", "create", "networking.k8s.io") in needed(STACK)
