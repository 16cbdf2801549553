"""Who reaches whom in a cluster with tenants, by the rendered policies and an evaluator that is not ours."""

import copy
import ipaddress
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from siteforge import names
from siteforge.blueprint import Blueprint, Ingress
from siteforge.specs import boundary, database, network, wordpress
from siteforge.specs.manifest import Manifest
from tests.support.blueprints import make
from tests.support.cyclonus import End, Traffic, allowed
from tests.support.scanners import read

MEASURED = Ingress(metrics_namespace="monitoring")
TENANTS = [
    make(MEASURED),
    make(name="shop-lumi", wordpress={"internetAccess": False, "replicas": 3}),
    make(name="club-otava", plan="large"),
    make(
        name="hotel-aino",
        domains=["aino.example.com"],
        tls={"issuer": "letsencrypt"},
        wordpress={"smtp": {"host": "10.30.0.25", "from": "aino@example.com"}, "internetAccess": False},
        database={"external": {"host": "db.example.com", "port": 3307, "cidr": "10.20.0.0/16"}},
    ),
]
ONLINE = {"blog-aku", "club-otava"}
SERVERS = {("10.20.0.0", 3307), ("10.20.255.255", 3307), ("10.30.0.25", 587)}
"""Those outside the cluster that hotel-aino has."""
PORTS = [1, 22, 53, 80, 443, 444, 587, 3306, 3307, 6443, 8080, 8089, 9117, 9118, 10250, 65535]
PROTOCOLS = ["TCP", "UDP", "SCTP"]


def policies(tenant: Blueprint) -> list[Manifest]:
    data = [network.data(tenant)] if tenant.database else []
    solver = [network.certificates(tenant)] if tenant.tls else []
    return [network.closed(tenant), network.site(tenant), *data, *solver]


def in_namespace(namespace: str, labels: dict[str, str], address: str, name: str) -> End:
    # The API server gives every namespace this label.
    return End(name, address, namespace, labels, {"kubernetes.io/metadata.name": namespace})


def pods(tenant: Blueprint, addresses: Iterator[str]) -> list[End]:
    """WordPress, its database, one for scheduled work, one that checks domains, and one that somebody else started."""
    labels = boundary.namespace(tenant)["metadata"]["labels"] | {"kubernetes.io/metadata.name": tenant.name}
    site = wordpress.deployment_spec(tenant, "")["template"]["metadata"]["labels"]
    named: dict[str, dict[str, str]] = {"wordpress": site, "cron": names.cron_selector(tenant.name), "stranger": {}}
    if tenant.database:
        named["mariadb"] = database.stateful_set_spec(tenant, "")["template"]["metadata"]["labels"]
    if tenant.tls:
        named["solver"] = {"acme.cert-manager.io/http01-solver": "true"}
    return [End(name, next(addresses), tenant.name, own, labels) for name, own in named.items()]


def cluster(network_: str) -> tuple[list[End], list[End]]:
    """The pods of all tenants, and those of everybody else; two of these only look like somebody."""
    addresses = (str(address) for address in ipaddress.ip_network(network_).hosts())
    ours = [pod for tenant in TENANTS for pod in pods(tenant, addresses)]
    lookalike = dict(ours[0].labels)
    others = [
        in_namespace("ingress-nginx", {"app.kubernetes.io/name": "ingress-nginx"}, next(addresses), "controller"),
        in_namespace("kube-system", {"k8s-app": "kube-dns"}, next(addresses), "kube-dns"),
        in_namespace("kube-system", {"k8s-app": "metrics-server"}, next(addresses), "metrics-server"),
        in_namespace("monitoring", {"app": "prometheus"}, next(addresses), "scraper"),
        in_namespace("other", {"app": "prometheus"}, next(addresses), "not-scraper"),
        in_namespace("other", {"k8s-app": "kube-dns"}, next(addresses), "not-kube-dns"),
        in_namespace("other", lookalike, next(addresses), "not-wordpress"),
    ]
    return ours, others


PRIVATE = [
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
    "100.64.0.0/10",  # RFC 6598
    *("127.0.0.0/8", "::1/128"),
    *("169.254.0.0/16", "fe80::/10"),
    "fc00::/7",  # unique local addresses
    *("169.254.169.254/32", "fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32"),  # metadata services
    *("0.0.0.0/8", "192.0.0.0/29", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
    *("::/128", "::ffff:0:0/96", "ff00::/8", "2002:a00::/24", "2001::/32"),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "198.143.164.252", "2606:4700:4700::1111", "2a02:4780::1"]


def addresses() -> dict[str, bool]:
    """Addresses outside the cluster, each with whether it is in the internet: both ends of every private range,
    and what lies just beside it, by the registry that Python's standard library has."""
    found = dict.fromkeys(PUBLIC, True)
    for text in PRIVATE:
        block = ipaddress.ip_network(text)
        found |= {str(block[0]): False, str(block[-1]): False}
    for text in PRIVATE[:8]:
        block = ipaddress.ip_network(text)
        if block.version == 4:
            for beside in (block[0] - 1, block[-1] + 1):
                found.setdefault(str(beside), beside.is_global)
    # The servers of one tenant, and what lies just beside them.
    return (
        dict.fromkeys(("10.20.0.0", "10.20.255.255", "10.30.0.25", "10.19.255.255", "10.21.0.0", "10.30.0.26"), False)
        | found
    )


INTERNET = addresses()
OUTSIDE = [End(address, address) for address in INTERNET]


def promised(one: Traffic) -> bool:
    """What docs/isolation.md says; asked only of traffic with a tenant's pod at one end."""
    source, target, asked = one.source, one.target, (one.protocol, one.port)
    same = source.namespace == target.namespace != ""
    match source.name, target.name:
        case "wordpress", "mariadb":
            return same and asked == ("TCP", 3306)
        case "wordpress" | "cron", "wordpress" | "cron":
            return same and asked == ("TCP", 80)
        case "wordpress" | "cron", "kube-dns":
            return asked in {("UDP", 53), ("TCP", 53)}
        case "controller", "wordpress" | "cron":
            return asked == ("TCP", 80)
        case "scraper", "wordpress" | "cron":
            return target.namespace == "blog-aku" and asked == ("TCP", 9117)
        case "controller", "solver":
            return asked == ("TCP", 8089)
        case "wordpress" | "cron", address if source.namespace == "hotel-aino" and (address, one.port) in SERVERS:
            return one.protocol == "TCP"
        case "wordpress" | "cron", address if not target.namespace:
            return source.namespace in ONLINE and asked == ("TCP", 443) and INTERNET[address]
    return False


def everything(network_: str = "10.244.0.0/24") -> list[Traffic]:
    """All pods of tenants with everybody, both ways, on all ports and protocols."""
    ours, others = cluster(network_)
    pairs = [*product(ours, ours), *product(ours, others), *product(others, ours)]
    if network_.startswith("10."):
        pairs += [*product(ours, OUTSIDE), *product(OUTSIDE, ours)]
    return [Traffic(*pair, protocol, port) for pair in pairs for protocol in PROTOCOLS for port in PORTS]


ALL = [policy for tenant in TENANTS for policy in policies(tenant)]


def test_only_what_is_promised_passes_between_any_two_pods_and_any_address_on_any_port() -> None:
    traffic = everything()
    wrong = [
        f"{one}: {'open' if open_ else 'closed'}"
        for one, open_ in zip(traffic, allowed(ALL, traffic), strict=True)
        if open_ != promised(one)
    ]
    assert wrong == []
    assert sum(map(promised, traffic)) > len(TENANTS) * 4, "the evaluator must also find something open"


def test_tenants_stay_apart_where_pods_have_public_addresses() -> None:
    ours, _ = cluster("8.9.10.0/24")
    between = [one for one in everything("8.9.10.0/24") if one.source in ours and one.target in ours]
    passing = [one for one, open_ in zip(between, allowed(ALL, between), strict=True) if open_]
    assert {one.source.namespace == one.target.namespace for one in passing} == {True}


def test_no_pod_of_a_rendered_tenant_reaches_a_pod_of_another(rendered: Path) -> None:
    """For every pair of tenants of a catalogue, by the objects that the provider rendered."""
    manifests = read(rendered)
    labels = {one["metadata"]["name"]: one["metadata"]["labels"] for one in manifests if one["kind"] == "Namespace"}
    addresses = (str(address) for address in ipaddress.ip_network("8.9.10.0/24").hosts())
    ends = [
        End(
            one["metadata"]["name"],
            next(addresses),
            one["metadata"]["namespace"],
            one["spec"]["template"]["metadata"]["labels"],
            labels[one["metadata"]["namespace"]] | {"kubernetes.io/metadata.name": one["metadata"]["namespace"]},
        )
        for one in manifests
        if one["kind"] in ("Deployment", "StatefulSet")
    ]
    assert {end.namespace for end in ends} == set(labels)
    policies = [one for one in manifests if one["kind"] == "NetworkPolicy"]
    traffic = [
        Traffic(*pair, protocol, port) for pair in product(ends, ends) for protocol in PROTOCOLS for port in PORTS
    ]
    passing = [one for one, open_ in zip(traffic, allowed(policies, traffic), strict=True) if open_]
    assert [str(one) for one in passing if one.source.namespace != one.target.namespace] == []
    databases = {one.source.namespace for one in passing if one.target.name == "mariadb" and one.port == 3306}
    assert databases == {end.namespace for end in ends if end.name == "mariadb"}


def pod(text: str) -> End:
    ours, others = cluster("10.244.0.0/24")
    (found,) = [end for end in (*ours, *others, *OUTSIDE) if str(end) == text]
    return found


def without(namespace: str, name: str) -> list[Manifest]:
    kept = [policy for policy in ALL if _named(policy) != (namespace, name)]
    assert len(kept) == len(ALL) - 1
    return kept


def changed(namespace: str, name: str, change: Callable[[dict[str, Any]], object]) -> list[Manifest]:
    weakened = copy.deepcopy(ALL)
    (policy,) = [policy for policy in weakened if _named(policy) == (namespace, name)]
    change(policy["spec"])
    return weakened


def _named(policy: Manifest) -> tuple[str, str]:
    return policy["metadata"]["namespace"], policy["metadata"]["name"]


def _anybody(peer: dict[str, Any]) -> None:
    peer["namespaceSelector"] = {}


# Each a weakness, and a traffic that the promise above has closed and the weakness opens.
WEAKNESSES: dict[str, tuple[list[Manifest], tuple[str, str, str, int]]] = {
    "no policy for the whole namespace": (
        without("blog-aku", "tenant"),
        ("other/not-wordpress", "blog-aku/stranger", "TCP", 8080),
    ),
    "no policies in two namespaces": (
        [policy for policy in ALL if policy["metadata"]["namespace"] == "club-otava"],
        ("shop-lumi/wordpress", "blog-aku/mariadb", "TCP", 3306),
    ),
    "the policy for the whole namespace says nothing of outgoing traffic": (
        changed("blog-aku", "tenant", lambda spec: spec["policyTypes"].remove("Egress")),
        ("blog-aku/stranger", "8.8.8.8", "TCP", 443),
    ),
    "the database answers every namespace": (
        changed("blog-aku", "mariadb", lambda spec: _anybody(spec["ingress"][0]["from"][0])),
        ("other/not-wordpress", "blog-aku/mariadb", "TCP", 3306),
    ),
    "the database may ask": (
        changed("blog-aku", "mariadb", lambda spec: spec.update(egress=[{}])),
        ("blog-aku/mariadb", "8.8.8.8", "TCP", 443),
    ),
    "any namespace has the cluster's DNS": (
        changed("blog-aku", "wordpress", lambda spec: _anybody(spec["egress"][0]["to"][0])),
        ("blog-aku/wordpress", "other/not-kube-dns", "UDP", 53),
    ),
    "the site answers every namespace": (
        changed("blog-aku", "wordpress", lambda spec: _anybody(spec["ingress"][0]["from"][0])),
        ("other/not-wordpress", "blog-aku/wordpress", "TCP", 80),
    ),
    "private addresses count as internet": (
        changed("blog-aku", "wordpress", lambda spec: spec["egress"][-1]["to"][0]["ipBlock"].pop("except")),
        ("blog-aku/wordpress", "169.254.169.254", "TCP", 443),
    ),
    "every IPv6 address counts as internet": (
        changed("blog-aku", "wordpress", lambda spec: spec["egress"][-1]["to"][1]["ipBlock"].update(cidr="::/0")),
        ("blog-aku/wordpress", "fd00:ec2::254", "TCP", 443),
    ),
    "an external database is open on all ports": (
        changed("hotel-aino", "wordpress", lambda spec: spec["egress"][1].pop("ports")),
        ("hotel-aino/wordpress", "10.20.0.0", "TCP", 443),
    ),
    "a mail server's network is all of the private one": (
        changed(
            "hotel-aino", "wordpress", lambda spec: spec["egress"][3]["to"][0]["ipBlock"].update(cidr="10.0.0.0/8")
        ),
        ("hotel-aino/wordpress", "10.30.0.26", "TCP", 587),
    ),
    "a check of domains answers every namespace": (
        changed("hotel-aino", "certificates", lambda spec: _anybody(spec["ingress"][0]["from"][0])),
        ("other/not-wordpress", "hotel-aino/solver", "TCP", 8089),
    ),
    "the internet is open on all ports": (
        changed("blog-aku", "wordpress", lambda spec: spec["egress"][-1].pop("ports")),
        ("blog-aku/wordpress", "8.8.8.8", "TCP", 22),
    ),
}


@pytest.mark.parametrize("weakness", WEAKNESSES)
def test_the_evaluator_notices_each_weakness(weakness: str) -> None:
    weakened, (source, target, protocol, port) = WEAKNESSES[weakness]
    one = Traffic(pod(source), pod(target), protocol, port)
    assert not promised(one)
    assert allowed(weakened, [one]) == [True]
    assert allowed(ALL, [one]) == [False]


@pytest.mark.parametrize("role", ["wordpress", "mariadb"])
def test_without_its_own_policy_a_role_is_cut_off(role: str) -> None:
    one = Traffic(pod("blog-aku/wordpress"), pod("blog-aku/mariadb"), "TCP", 3306)
    assert promised(one)
    assert allowed(without("blog-aku", role), [one]) == [False]
