"""The database of a tenant: MariaDB StatefulSet, its Services, and what both need."""

from collections.abc import Iterable

import pulumi

from siteforge.blueprint import Blueprint
from siteforge.components.boundary import Boundary
from siteforge.components.credentials import fingerprint
from siteforge.components.kubernetes_object import KubernetesObject
from siteforge.components.restarts import announced
from siteforge.secrets import Credentials
from siteforge.specs import database, network


class Database(pulumi.ComponentResource):
    """A MariaDB of the tenant's own.

    Args:
        name: the component's name.
        tenant: whose.
        credentials: its passwords.
        boundary: what it lives in.
        before: what has to be done before it starts or stops.
        opts: Pulumi's options.
    """

    stateful_set: KubernetesObject
    """The StatefulSet of one replica."""
    service: KubernetesObject
    """The Service that it answers on."""
    claim: KubernetesObject
    """The claim of its data."""

    def __init__(
        self,
        name: str,
        tenant: Blueprint,
        credentials: pulumi.Output[Credentials],
        boundary: Boundary,
        before: Iterable[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("siteforge:index:Database", name, {}, opts)
        inside = boundary.inside(self)
        data = credentials.apply(database.secret_data)
        secret = KubernetesObject(f"{name}-secret", database.secret(tenant), inside, data=data)
        account = KubernetesObject(f"{name}-service-account", database.service_account(tenant), inside)
        self.claim = KubernetesObject(f"{name}-claim", database.claim(tenant), boundary.keeping(self))
        self.service = KubernetesObject(f"{name}-service", database.service(tenant), inside)
        KubernetesObject(f"{name}-headless-service", database.headless_service(tenant), inside)
        KubernetesObject(f"{name}-network-policy", network.data(tenant), inside)
        KubernetesObject(f"{name}-disruption-budget", database.disruption_budget(tenant), inside)
        self.stateful_set = KubernetesObject(
            f"{name}-stateful-set",
            database.stateful_set(tenant),
            announced(boundary.running(self, secret, account, self.claim, *before)),
            spec=fingerprint(credentials).apply(lambda known: database.stateful_set_spec(tenant, known)),
        )
        self.register_outputs({})
