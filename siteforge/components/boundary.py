"""The boundary of a tenant: its namespace, what may run in it, reach it and be done in it."""

import pulumi
from pulumi_kubernetes.core.v1 import LimitRange, Namespace, ResourceQuota
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.rbac.v1 import Role, RoleBinding

from siteforge.blueprint import Blueprint
from siteforge.components.placement import place
from siteforge.specs import boundary, network, owners


class Boundary(pulumi.ComponentResource):
    """What a tenant lives in, and the most it may take."""

    namespace: Namespace
    """The namespace; deleting it deletes all that is in it."""
    quota: ResourceQuota
    """The quota over the whole namespace."""
    limits: LimitRange
    """The limit range of its containers."""
    network_policy: NetworkPolicy
    """Closes the network; the policies of database and site open what each needs."""

    def __init__(self, name: str, tenant: Blueprint, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("siteforge:index:Boundary", name, {}, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=tenant.deletion_protection)
        self.namespace = place(Namespace, f"{tenant.name}-namespace", boundary.namespace(tenant), kept)
        inside = pulumi.ResourceOptions(parent=self, depends_on=[self.namespace], deleted_with=self.namespace)
        self.quota = place(ResourceQuota, f"{tenant.name}-quota", boundary.quota(tenant), inside)
        self.limits = place(LimitRange, f"{tenant.name}-limits", boundary.limits(tenant), inside)
        self.network_policy = place(NetworkPolicy, f"{tenant.name}-network-policy", network.closed(tenant), inside)
        if tenant.owners:
            place(Role, f"{tenant.name}-owner-role", owners.role(tenant), inside)
            place(RoleBinding, f"{tenant.name}-owner-role-binding", owners.role_binding(tenant), inside)
        self.register_outputs({})

    def inside(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of what lives in the boundary: made after it, gone with its namespace."""
        return pulumi.ResourceOptions(parent=parent, depends_on=[self], deleted_with=self.namespace)

    def keeping(self, parent: pulumi.Resource, tenant: Blueprint) -> pulumi.ResourceOptions:
        """Options of what holds data: not deleted while the tenant is protected."""
        kept = pulumi.ResourceOptions(protect=tenant.deletion_protection)
        return pulumi.ResourceOptions.merge(self.inside(parent), kept)

    def running(self, parent: pulumi.Resource, *before: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a workload: made after all that it mounts, stopped by itself before its namespace goes.

        A namespace with pods left in it is looked at again only after half of their longest grace period
        (Kubernetes' namespace controller): deleting it first would take a minute instead of seconds.
        """
        return pulumi.ResourceOptions(parent=parent, depends_on=[self, *before])
