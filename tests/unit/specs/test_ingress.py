from typing import Any

import pytest

from siteforge.blueprint import Ingress
from siteforge.specs import ingress, wordpress
from siteforge.specs.manifest import Manifest
from tests.support.blueprints import make

DOMAINS = ["lumi.example.com", "www.lumi.example.com"]


def rendered(cluster: Ingress | None = None, **fields: Any) -> Manifest:
    return ingress.ingress(make(cluster, domains=DOMAINS, **fields))


def annotations(cluster: Ingress | None = None, **fields: Any) -> dict[str, str]:
    found: dict[str, str] = rendered(cluster, **fields)["metadata"]["annotations"]
    return found


def test_every_domain_leads_to_the_sites_service() -> None:
    rules = rendered()["spec"]["rules"]
    assert [rule["host"] for rule in rules] == DOMAINS
    service = wordpress.service(make())
    for rule in rules:
        (path,) = rule["http"]["paths"]
        assert (path["path"], path["pathType"]) == ("/", "Prefix")
        assert path["backend"]["service"]["name"] == service["metadata"]["name"]
        assert path["backend"]["service"]["port"]["name"] in [port["name"] for port in service["spec"]["ports"]]


def test_it_is_of_the_stacks_class_or_of_the_clusters_default_one() -> None:
    assert "ingressClassName" not in rendered()["spec"]
    assert rendered(Ingress(class_name="public"))["spec"]["ingressClassName"] == "public"


@pytest.mark.parametrize(
    ("tls", "secret", "issuer"),
    [
        (None, None, {}),
        ({"secretName": "lumi-tls"}, "lumi-tls", {}),
        ({"issuer": "le"}, "wordpress-tls", {"cert-manager.io/cluster-issuer": "le"}),
        ({"issuer": "le", "kind": "ClusterIssuer"}, "wordpress-tls", {"cert-manager.io/cluster-issuer": "le"}),
        ({"issuer": "le", "kind": "Issuer"}, "wordpress-tls", {"cert-manager.io/issuer": "le"}),
        ({"upstream": True}, None, {}),
    ],
)
def test_the_certificate_is_given_or_asked_of_an_issuer_for_all_domains(
    tls: Any, secret: str | None, issuer: dict[str, str]
) -> None:
    spec = rendered(tls=tls)["spec"]
    assert spec.get("tls") == ([{"hosts": DOMAINS, "secretName": secret}] if secret else None)
    found = annotations(tls=tls)
    assert {key: value for key, value in found.items() if "cert-manager" in key} == issuer


def test_no_controller_is_waited_for_unless_asked() -> None:
    assert annotations()["pulumi.com/skipAwait"] == "true"
    assert "pulumi.com/skipAwait" not in annotations(cluster=Ingress(awaited=True))


def test_the_controller_lets_through_what_php_takes() -> None:
    given = annotations(wordpress={"php": {"uploadLimit": "256Mi"}})
    assert given["nginx.ingress.kubernetes.io/proxy-body-size"] == "260m"


def test_a_route_leads_every_domain_from_the_gateway_to_the_sites_service() -> None:
    spec = ingress.http_route(make(domains=DOMAINS), "edge/public")["spec"]
    (parent,) = spec["parentRefs"]
    assert (parent["namespace"], parent["name"]) == ("edge", "public")
    assert spec["hostnames"] == DOMAINS
    ((backend,),) = [rule["backendRefs"] for rule in spec["rules"]]
    assert (backend["name"], backend["port"]) == ("wordpress", 80)
