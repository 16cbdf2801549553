"""The boundary of a tenant: its namespace, what may run in it, reach it and be done in it."""

import pulumi

from siteforge.blueprint import Blueprint
from siteforge.components.kubernetes_object import KubernetesObject
from siteforge.specs import boundary, network, owners


class Boundary(pulumi.ComponentResource):
    """What a tenant lives in, and the most it may take."""

    namespace: KubernetesObject
    """The namespace; deleting it deletes all that is in it."""
    quota: KubernetesObject
    """The quota over the whole namespace."""
    limits: KubernetesObject
    """The limit range of its containers."""
    network_policy: KubernetesObject
    """Closes the network; the policies of database and site open what each needs."""

    def __init__(self, name: str, tenant: Blueprint, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("siteforge:index:Boundary", name, {}, opts)
        self._kept = pulumi.ResourceOptions(protect=tenant.deletion_protection)
        own = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(parent=self), self._kept)
        self.namespace = KubernetesObject(f"{tenant.name}-namespace", boundary.namespace(tenant), own)
        inside = pulumi.ResourceOptions(parent=self, depends_on=[self.namespace], deleted_with=self.namespace)
        self.quota = KubernetesObject(f"{tenant.name}-quota", boundary.quota(tenant), inside)
        self.limits = KubernetesObject(f"{tenant.name}-limits", boundary.limits(tenant), inside)
        self.network_policy = KubernetesObject(f"{tenant.name}-network-policy", network.closed(tenant), inside)
        if tenant.owners:
            KubernetesObject(f"{tenant.name}-owner-role", owners.role(tenant), inside)
            KubernetesObject(f"{tenant.name}-owner-role-binding", owners.role_binding(tenant), inside)
        self.register_outputs({})

    def inside(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of what lives in the boundary: made after it, gone with its namespace."""
        return pulumi.ResourceOptions(parent=parent, depends_on=[self], deleted_with=self.namespace)

    def keeping(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of what holds data: not deleted while the tenant is protected."""
        return pulumi.ResourceOptions.merge(self.inside(parent), self._kept)

    def running(self, parent: pulumi.Resource, *before: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a workload: made after all that it mounts, stopped by itself before its namespace goes.

        A namespace with pods left in it is looked at again only after half of their longest grace period
        (Kubernetes' namespace controller): deleting it first would take a minute instead of seconds.
        """
        after = pulumi.ResourceOptions(parent=parent, depends_on=[self, *before])
        # `pulumi destroy` goes on past what is protected: it would stop the sites.
        return pulumi.ResourceOptions.merge(after, self._kept)
