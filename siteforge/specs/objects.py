"""All objects of a tenant, complete and in the order in which they are made.

Components place the same objects, which a test holds against this list: what reads them without Pulumi's
engine (a comparison with the cluster, a benchmark, an adoption) sees what the engine would make.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from siteforge.blueprint import Blueprint, Images, Ingress, blueprint
from siteforge.secrets import MINIMUM_LENGTH, Credentials, derive
from siteforge.specs import boundary, cron, database, ingress, network, owners, wordpress
from siteforge.specs.manifest import Manifest, token
from siteforge.tenant_spec import TenantSpec

Component = Literal["Boundary", "Database", "WordPress"]


@dataclass(frozen=True)
class Placed:
    """An object, and where in Pulumi's tree of a tenant it stands."""

    component: Component
    """The component that it is a child of."""
    name: str
    """The resource's name in Pulumi."""
    manifest: Manifest

    @property
    def type(self) -> str:
        """The type token of the provider's resource."""
        return token(self.manifest)


def objects(tenant: Blueprint, credentials: Credentials) -> list[Placed]:
    """Every object of a tenant, the values of its Secrets among them: never to be shown as they are."""
    return [*_boundary(tenant), *_database(tenant, credentials), *_wordpress(tenant, credentials)]


def possible(tenant: str) -> list[Placed]:
    """Every object that a tenant of this name may have, whatever its line says; only their names mean anything."""
    line = {
        "name": tenant,
        "title": tenant,
        "adminEmail": "nobody@example.com",
        "owners": {"groups": ["nobody"]},
        "domains": ["example.com"],
        "tls": {"issuer": "nobody"},
        "wordpress": {"autoscaling": {"maxReplicas": 2}},
    }
    spec = TenantSpec.model_validate(line)
    credentials = derive("-" * MINIMUM_LENGTH, tenant)
    ways = (Ingress(), Ingress(gateway="edge/public"))
    placed = [one for way in ways for one in objects(blueprint(spec, Images(), way), credentials)]
    return list({one.name: one for one in placed}.values())


def _boundary(tenant: Blueprint) -> Iterator[Placed]:
    manifests = {
        "namespace": boundary.namespace(tenant),
        "quota": boundary.quota(tenant),
        "limits": boundary.limits(tenant),
        "network-policy": network.closed(tenant),
    }
    if tenant.owners:
        manifests |= {"owner-role": owners.role(tenant), "owner-role-binding": owners.role_binding(tenant)}
    for role, manifest in manifests.items():
        yield Placed("Boundary", f"{tenant.name}-{role}", manifest)


def _database(tenant: Blueprint, credentials: Credentials) -> Iterator[Placed]:
    if tenant.database is None:
        return
    manifests = {
        "secret": database.secret(tenant) | {"data": database.secret_data(credentials)},
        "service-account": database.service_account(tenant),
        "claim": database.claim(tenant),
        "service": database.service(tenant),
        "headless-service": database.headless_service(tenant),
        "network-policy": network.data(tenant),
        "disruption-budget": database.disruption_budget(tenant),
        "stateful-set": database.stateful_set(tenant)
        | {"spec": database.stateful_set_spec(tenant, credentials.fingerprint)},
    }
    for role, manifest in manifests.items():
        yield Placed("Database", f"{tenant.name}-database-{role}", manifest)


def _wordpress(tenant: Blueprint, credentials: Credentials) -> Iterator[Placed]:
    manifests = {
        "secret": wordpress.secret(tenant) | {"data": wordpress.secret_data(credentials)},
        "config-map": wordpress.config_map(tenant),
        "service-account": wordpress.service_account(tenant),
        "claim": wordpress.claim(tenant),
        "service": wordpress.service(tenant),
        "network-policy": network.site(tenant),
        "disruption-budget": wordpress.disruption_budget(tenant),
    }
    if scaling := wordpress.scaling(tenant):
        manifests["autoscaler"] = wordpress.autoscaler(tenant, scaling)
    manifests["deployment"] = wordpress.deployment(tenant) | {
        "spec": wordpress.deployment_spec(tenant, credentials.fingerprint)
    }
    manifests["cron-job"] = cron.cron_job(tenant)
    if tenant.domains and (gateway := tenant.ingress.gateway):
        manifests["http-route"] = ingress.http_route(tenant, gateway)
    elif tenant.domains:
        manifests["ingress"] = ingress.ingress(tenant)
        if tenant.tls and tenant.tls.issuer:
            manifests["certificates-network-policy"] = network.certificates(tenant)
    for role, manifest in manifests.items():
        yield Placed("WordPress", f"{tenant.name}-wordpress-{role}", manifest)
