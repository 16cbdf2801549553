"""The site of a tenant: WordPress Deployment, its Service, and what both need."""

import pulumi

from siteforge.blueprint import Blueprint
from siteforge.components.boundary import Boundary
from siteforge.components.credentials import fingerprint
from siteforge.components.kubernetes_object import KubernetesObject
from siteforge.secrets import Credentials
from siteforge.specs import cron, ingress, network, wordpress


class WordPress(pulumi.ComponentResource):
    """A WordPress of the tenant's own."""

    deployment: KubernetesObject
    """The Deployment; its pods install the site before they serve it."""
    service: KubernetesObject
    """The Service that the site is reached through."""
    claim: KubernetesObject
    """The claim of wp-content: uploads, plugins, themes."""

    def __init__(
        self,
        name: str,
        tenant: Blueprint,
        credentials: pulumi.Output[Credentials],
        boundary: Boundary,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("siteforge:index:WordPress", name, {}, opts)
        inside = boundary.inside(self)
        data = credentials.apply(wordpress.secret_data)
        secret = KubernetesObject(f"{name}-secret", wordpress.secret(tenant), inside, data=data)
        config_map = KubernetesObject(f"{name}-config-map", wordpress.config_map(tenant), inside)
        account = KubernetesObject(f"{name}-service-account", wordpress.service_account(tenant), inside)
        self.claim = KubernetesObject(f"{name}-claim", wordpress.claim(tenant), boundary.keeping(self))
        self.service = KubernetesObject(f"{name}-service", wordpress.service(tenant), inside)
        KubernetesObject(f"{name}-network-policy", network.site(tenant), inside)
        KubernetesObject(f"{name}-disruption-budget", wordpress.disruption_budget(tenant), inside)
        if scaling := wordpress.scaling(tenant):
            KubernetesObject(f"{name}-autoscaler", wordpress.autoscaler(tenant, scaling), inside)
        self.deployment = KubernetesObject(
            f"{name}-deployment",
            wordpress.deployment(tenant),
            boundary.running(self, secret, config_map, account, self.claim),
            spec=fingerprint(credentials).apply(lambda known: wordpress.deployment_spec(tenant, known)),
        )
        KubernetesObject(
            f"{name}-cron-job",
            cron.cron_job(tenant),
            pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[config_map, account])),
        )
        if tenant.domains:
            after_service = pulumi.ResourceOptions(depends_on=[self.service])
            self._open(name, tenant, pulumi.ResourceOptions.merge(inside, after_service))
        self.register_outputs({})

    def _open(self, name: str, tenant: Blueprint, opts: pulumi.ResourceOptions) -> None:
        """Lead the tenant's domains here."""
        if gateway := tenant.ingress.gateway:
            route = ingress.http_route(tenant, gateway)
            KubernetesObject(f"{name}-http-route", route, opts)
            return
        KubernetesObject(f"{name}-ingress", ingress.ingress(tenant), opts)
        if tenant.tls and tenant.tls.issuer:
            KubernetesObject(f"{name}-certificates-network-policy", network.certificates(tenant), opts)
