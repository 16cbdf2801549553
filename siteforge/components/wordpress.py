"""The site of a tenant: WordPress Deployment, its Service, and what both need."""

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler
from pulumi_kubernetes.batch.v1 import CronJob
from pulumi_kubernetes.core.v1 import ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount
from pulumi_kubernetes.networking.v1 import Ingress, NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from siteforge.blueprint import Blueprint
from siteforge.components.boundary import Boundary
from siteforge.components.credentials import fingerprint
from siteforge.components.placement import place
from siteforge.secrets import Credentials
from siteforge.specs import cron, ingress, network, wordpress


class WordPress(pulumi.ComponentResource):
    """A WordPress of the tenant's own."""

    deployment: Deployment
    """The Deployment; its pods install the site before they serve it."""
    service: Service
    """The Service that the site is reached through."""
    claim: PersistentVolumeClaim
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
        secret = place(Secret, f"{name}-secret", wordpress.secret(tenant), inside, data=data)
        config_map = place(ConfigMap, f"{name}-config-map", wordpress.config_map(tenant), inside)
        account = place(ServiceAccount, f"{name}-service-account", wordpress.service_account(tenant), inside)
        self.claim = place(PersistentVolumeClaim, f"{name}-claim", wordpress.claim(tenant), boundary.keeping(self))
        self.service = place(Service, f"{name}-service", wordpress.service(tenant), inside)
        place(NetworkPolicy, f"{name}-network-policy", network.site(tenant), inside)
        place(PodDisruptionBudget, f"{name}-disruption-budget", wordpress.disruption_budget(tenant), inside)
        if scaling := wordpress.scaling(tenant):
            place(HorizontalPodAutoscaler, f"{name}-autoscaler", wordpress.autoscaler(tenant, scaling), inside)
        self.deployment = place(
            Deployment,
            f"{name}-deployment",
            wordpress.deployment(tenant),
            boundary.running(self, secret, config_map, account, self.claim),
            spec=fingerprint(credentials).apply(lambda known: wordpress.deployment_spec(tenant, known)),
        )
        place(
            CronJob,
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
            kind = {"api_version": route["apiVersion"], "kind": route["kind"]}
            place(CustomResource, f"{name}-http-route", route, opts, **kind)
            return
        place(Ingress, f"{name}-ingress", ingress.ingress(tenant), opts)
        if tenant.tls and tenant.tls.issuer:
            place(NetworkPolicy, f"{name}-certificates-network-policy", network.certificates(tenant), opts)
