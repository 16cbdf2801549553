"""A tenant's network policies: all traffic is closed but for what a site needs.

They are NetworkPolicies of Kubernetes itself (kubernetes.io/docs/concepts/services-networking/network-policies):
the cluster's network plugin has to enforce them. Traffic from a pod's own node, such as the kubelet's
probes and `kubectl port-forward`, is always let in.
"""

from typing import Any

from siteforge import names
from siteforge.addresses import is_address
from siteforge.blueprint import Blueprint
from siteforge.names import CRON, DATABASE, WORDPRESS
from siteforge.specs import database, wordpress
from siteforge.specs.manifest import Manifest, manifest
from siteforge.specs.site_config import METRICS_PORT

# IANA's registry of special-purpose addresses (RFC 6890), those that are not globally reachable; the
# metadata services of clouds are among them (169.254.169.254, 100.100.100.200, 192.0.0.192).
_NOT_THE_INTERNET = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
_INTERNET = [
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_NOT_THE_INTERNET)}},
    # All that is globally reachable over IPv6 is in here, and loopback, link-local and unique local addresses
    # are not. Left out of it are Teredo and 6to4, which have an IPv4 address inside.
    {"ipBlock": {"cidr": "2000::/3", "except": ["2001::/32", "2002::/16"]}},
]


def closed(tenant: Blueprint) -> Manifest:
    """Nothing in, nothing out, for every pod of the namespace, whoever made it."""
    labels = names.labels(tenant.name)
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return manifest("networking.k8s.io/v1", "NetworkPolicy", tenant.name, "tenant", labels, spec=spec)


def site(tenant: Blueprint) -> Manifest:
    """WordPress answers the ingress controller, and what reads its metrics if the stack names it.

    It asks DNS, its servers, itself and, if it may, the internet.
    """
    itself = {"podSelector": _site_pods(tenant)}
    egress = [
        {"to": [_peer("kube-system", {"k8s-app": "kube-dns"})], "ports": [_port("UDP", 53), _port("TCP", 53)]},
        _database(tenant),
        # WordPress checks its health by requests to its own address, and its scheduled work is asked for there.
        {"to": [itself], "ports": [_port("TCP", wordpress.PORT)]},
    ]
    if smtp := tenant.site.smtp:
        egress.append({"to": _server(smtp.host, smtp.cidr), "ports": [_port("TCP", smtp.port)]})
    if tenant.site.internet_access:
        egress.append({"to": _INTERNET, "ports": [_port("TCP", 443)]})
    ingress = [{"from": [_peer(tenant.ingress.namespace), itself], "ports": [_port("TCP", wordpress.PORT)]}]
    if scraper := tenant.ingress.metrics_namespace:
        ingress.append({"from": [_peer(scraper)], "ports": [_port("TCP", METRICS_PORT)]})
    return _of_role(tenant, WORDPRESS, _site_pods(tenant), ingress=ingress, egress=egress)


def _site_pods(tenant: Blueprint) -> dict[str, Any]:
    """Selects the site's pods and those that ask it for its scheduled work."""
    name = "app.kubernetes.io/name"
    labels = names.selector(tenant.name, WORDPRESS)
    return {
        "matchLabels": {key: value for key, value in labels.items() if key != name},
        "matchExpressions": [{"key": name, "operator": "In", "values": [WORDPRESS, CRON]}],
    }


def data(tenant: Blueprint) -> Manifest:
    """The database answers its own WordPress, and asks nobody; not even DNS, as it looks no names up."""
    ingress = [{"from": [_pods(tenant, WORDPRESS)], "ports": [_port("TCP", database.PORT)]}]
    return _of_role(tenant, DATABASE, {"matchLabels": names.selector(tenant.name, DATABASE)}, ingress=ingress)


def certificates(tenant: Blueprint) -> Manifest:
    """The pods that cert-manager starts for HTTP-01 answer the issuer, through the ingress controller; no more.

    Their label and port are cert-manager's (pkg/issuer/acme/http/pod.go).
    """
    spec = {
        "podSelector": {"matchLabels": {"acme.cert-manager.io/http01-solver": "true"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [_peer(tenant.ingress.namespace)], "ports": [_port("TCP", 8089)]}],
    }
    labels = names.labels(tenant.name)
    return manifest("networking.k8s.io/v1", "NetworkPolicy", tenant.name, "certificates", labels, spec=spec)


def _database(tenant: Blueprint) -> dict[str, Any]:
    if external := tenant.external_database:
        return {"to": _server(external.host, external.cidr), "ports": [_port("TCP", external.port)]}
    return {"to": [_pods(tenant, DATABASE)], "ports": [_port("TCP", database.PORT)]}


def _server(host: str, cidr: str | None) -> list[dict[str, Any]]:
    """A server outside the cluster: its network if it is named, its address if it has one, or the internet."""
    if cidr is None and not is_address(host):
        return _INTERNET
    return [{"ipBlock": {"cidr": cidr or f"{host}/{128 if ':' in host else 32}"}}]


def _of_role(tenant: Blueprint, role: names.Role, selector: dict[str, Any], **rules: list[dict[str, Any]]) -> Manifest:
    # A direction without a rule is closed: an empty list would say so too, but the server doesn't keep one.
    spec = {
        "podSelector": selector,
        "policyTypes": ["Ingress", "Egress"],
        **rules,
    }
    labels = names.role_labels(tenant.name, role)
    return manifest("networking.k8s.io/v1", "NetworkPolicy", tenant.name, role, labels, spec=spec)


def _pods(tenant: Blueprint, role: names.Role) -> dict[str, Any]:
    """The pods of a role in the policy's own namespace."""
    return {"podSelector": {"matchLabels": names.selector(tenant.name, role)}}


def _peer(namespace: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """The pods of another namespace, by the label that the API server gives each namespace; all, or those labelled."""
    peer: dict[str, Any] = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    return peer | ({"podSelector": {"matchLabels": labels}} if labels else {})


def _port(protocol: str, port: int) -> dict[str, Any]:
    return {"protocol": protocol, "port": port}
