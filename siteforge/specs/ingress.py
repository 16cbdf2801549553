"""How a tenant's domains lead to its site: an Ingress, or an HTTPRoute of the Gateway API.

Redirects between the domains and to TLS are the site's own (scripts/config.php), since every controller has
another annotation for them.
"""

from typing import Any

from siteforge import names
from siteforge.blueprint import Blueprint
from siteforge.names import WORDPRESS
from siteforge.specs import site_config, wordpress
from siteforge.specs.manifest import Manifest, manifest

CERTIFICATE = "wordpress-tls"
"""The Secret of a certificate that cert-manager keeps."""


def ingress(tenant: Blueprint) -> Manifest:
    """The Ingress, with a rule for each domain (kubernetes.io/docs/concepts/services-networking/ingress)."""
    backend = {"service": {"name": WORDPRESS, "port": {"name": "http"}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    spec: dict[str, Any] = {"rules": [{"host": domain, "http": {"paths": paths}} for domain in tenant.domains]}
    if tenant.ingress.class_name:
        spec["ingressClassName"] = tenant.ingress.class_name
    # ingress-nginx turns away what is larger than 1 MiB, unless told; others don't read this.
    annotations = {"nginx.ingress.kubernetes.io/proxy-body-size": f"{site_config.post_mebibytes(tenant)}m"}
    tls = tenant.tls
    if tls and (tls.secret_name or tls.issuer):
        spec["tls"] = [{"hosts": list(tenant.domains), "secretName": tls.secret_name or CERTIFICATE}]
    if tls and tls.issuer:
        # cert-manager.io/docs/usage/ingress
        annotations["cert-manager.io/issuer" if tls.kind == "Issuer" else "cert-manager.io/cluster-issuer"] = tls.issuer
    if not tenant.ingress.awaited:
        # A cluster without a controller gives it no address, and the update would wait for one.
        annotations["pulumi.com/skipAwait"] = "true"
    labels = names.role_labels(tenant.name, WORDPRESS)
    return manifest(
        "networking.k8s.io/v1", "Ingress", tenant.name, WORDPRESS, labels, annotations=annotations, spec=spec
    )


def http_route(tenant: Blueprint, gateway: str) -> Manifest:
    """The HTTPRoute (gateway-api.sigs.k8s.io/api-types/httproute) with everything that the server would fill in.

    Args:
        tenant: the blueprint.
        gateway: namespace and name of the Gateway, as in `edge/public`; its listeners hold the certificates.
    """
    namespace, _, name = gateway.partition("/")
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": namespace, "name": name}
    backend = {"group": "", "kind": "Service", "name": WORDPRESS, "port": wordpress.PORT, "weight": 1}
    matches = [{"path": {"type": "PathPrefix", "value": "/"}}]
    spec = {
        "parentRefs": [parent],
        "hostnames": list(tenant.domains),
        "rules": [{"matches": matches, "backendRefs": [backend]}],
    }
    labels = names.role_labels(tenant.name, WORDPRESS)
    return manifest("gateway.networking.k8s.io/v1", "HTTPRoute", tenant.name, WORDPRESS, labels, spec=spec)
