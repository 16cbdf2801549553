"""The database of a tenant: MariaDB StatefulSet, its Services, and what both need."""

from collections.abc import Iterable

import pulumi
from pulumi_kubernetes.apps.v1 import StatefulSet
from pulumi_kubernetes.core.v1 import PersistentVolumeClaim, Secret, Service, ServiceAccount
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from siteforge.blueprint import Blueprint
from siteforge.components.boundary import Boundary
from siteforge.components.credentials import fingerprint
from siteforge.components.placement import place
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

    stateful_set: StatefulSet
    """The StatefulSet of one replica."""
    service: Service
    """The Service that it answers on."""
    claim: PersistentVolumeClaim
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
        secret = place(Secret, f"{name}-secret", database.secret(tenant), inside, data=data)
        account = place(ServiceAccount, f"{name}-service-account", database.service_account(tenant), inside)
        self.claim = place(PersistentVolumeClaim, f"{name}-claim", database.claim(tenant), boundary.keeping(self))
        self.service = place(Service, f"{name}-service", database.service(tenant), inside)
        place(Service, f"{name}-headless-service", database.headless_service(tenant), inside)
        place(NetworkPolicy, f"{name}-network-policy", network.data(tenant), inside)
        place(PodDisruptionBudget, f"{name}-disruption-budget", database.disruption_budget(tenant), inside)
        self.stateful_set = place(
            StatefulSet,
            f"{name}-stateful-set",
            database.stateful_set(tenant),
            announced(boundary.running(self, secret, account, self.claim, *before)),
            spec=fingerprint(credentials).apply(lambda known: database.stateful_set_spec(tenant, known)),
        )
        self.register_outputs({})
