"""A tenant with everything decided: the plan's sizes, its own overrides, the images.

It is all that a tenant's objects are computed from, besides its credentials.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from siteforge.constraints import AccessMode, GatewayName, IngressClassName, NamespaceName, PullPolicy
from siteforge.plans import PLANS, ContainerSize
from siteforge.quantities import parse
from siteforge.site_values import ConstantValue
from siteforge.tenant_spec import (
    AutoscalingSpec,
    DatabaseSpec,
    ExternalDatabaseSpec,
    PhpSpec,
    Resources,
    SchedulingSpec,
    SmtpSpec,
    TenantSpec,
    TlsSpec,
    VolumeSpec,
)


@dataclass(frozen=True)
class Images:
    """The images of a tenant that names none of its own, and how all are pulled."""

    wordpress: str = (
        "wordpress:6.8.3-php8.3-apache@sha256:30bff39330d1693b0ce13d32fc9b7bb67193064f040b7d60d3494e136fa599d4"
    )
    database: str = "mariadb:11.4.8@sha256:bc474f00629f0123c10f9e1bca193a45d18af15a274cf0656acda64f1086c3b6"
    pull_policy: PullPolicy = "Always"
    """Always: nobody runs what another tenant pulled without having its pull secret (MTB PL1-CC-DI-1)."""


class Ingress(BaseModel):
    """The cluster's ingress controller, or what serves its Gateway."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    namespace: NamespaceName = "ingress-nginx"
    """Where its pods run: nobody else outside a tenant may reach its site over the cluster's network."""
    class_name: IngressClassName | None = None
    """Which ingress class the sites ask for; None stands for the cluster's default."""
    gateway: GatewayName | None = None
    """Namespace and name of a Gateway, as in `edge/public`: sites get an HTTPRoute to it instead of an Ingress."""
    awaited: bool = False
    """Whether an update waits until the controller has given an Ingress its address."""
    metrics_namespace: NamespaceName | None = None
    """Where the pods run that read the metrics of the sites' own pods; None has sites tell none."""


@dataclass(frozen=True)
class Owner:
    """Somebody who operates a tenant."""

    kind: Literal["User", "Group"]
    name: str


@dataclass(frozen=True)
class Volume:
    """A volume to claim."""

    size: str
    storage_class: str | None
    """None stands for the cluster's default class."""
    access_mode: AccessMode = "ReadWriteOnce"


@dataclass(frozen=True)
class Site:
    """The WordPress part of a tenant."""

    image: str
    replicas: int
    """How many pods, unless they are scaled by their load."""
    autoscaling: AutoscalingSpec | None
    size: ContainerSize
    volume: Volume
    scheduling: SchedulingSpec
    internet_access: bool
    cron_minutes: int
    """How often scheduled work is asked for."""
    php: PhpSpec
    smtp: SmtpSpec | None
    env: dict[str, str]
    constants: dict[str, ConstantValue]

    @property
    def most_replicas(self) -> int:
        """How many pods there may be, apart from rollouts."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas


@dataclass(frozen=True)
class Database:
    """The database part of a tenant that has one of its own."""

    image: str
    size: ContainerSize
    volume: Volume
    scheduling: SchedulingSpec


@dataclass(frozen=True)
class Blueprint:
    """One tenant with everything decided."""

    name: str
    title: str
    admin_email: str
    owners: tuple[Owner, ...]
    domains: tuple[str, ...]
    tls: TlsSpec | None
    site: Site
    database: Database | None
    """None for a tenant whose database is kept elsewhere."""
    external_database: ExternalDatabaseSpec | None
    """Set if and only if it has none of its own."""
    ingress: Ingress
    pull_policy: PullPolicy
    deletion_protection: bool
    """Whether Pulumi refuses to delete what holds data."""
    frozen: bool
    """Whether it is left as it is in the cluster, which then need not be what is said here."""
    suspended: bool
    """Whether neither site nor database run, and a page says so."""

    @property
    def url(self) -> str | None:
        """The site's public address; None for a tenant without domains."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{self.domains[0]}" if self.domains else None


def blueprint(spec: TenantSpec, images: Images, ingress: Ingress) -> Blueprint:
    """Decide everything that `spec` leaves open, from its plan, the stack's images and the cluster's ingress."""
    plan = PLANS[spec.plan]
    media = spec.wordpress.volume
    return Blueprint(
        name=spec.name,
        title=spec.title,
        admin_email=spec.admin_email,
        owners=(
            *(Owner("User", name) for name in spec.owners.users),
            *(Owner("Group", name) for name in spec.owners.groups),
        ),
        domains=tuple(spec.domains),
        tls=spec.tls,
        site=Site(
            image=spec.wordpress.image or images.wordpress,
            replicas=spec.wordpress.replicas or plan.replicas,
            autoscaling=spec.wordpress.autoscaling,
            size=_size(spec.wordpress.resources, plan.wordpress),
            volume=_volume(media, plan.wordpress_volume, media.access_mode),
            scheduling=spec.wordpress.scheduling,
            internet_access=spec.wordpress.internet_access,
            cron_minutes=spec.wordpress.cron_minutes,
            php=spec.wordpress.php,
            smtp=spec.wordpress.smtp,
            env=spec.wordpress.env,
            constants=spec.wordpress.extra_config,
        ),
        database=None
        if spec.database.external
        else Database(
            image=spec.database.image or images.database,
            size=_size(spec.database.resources, plan.database),
            volume=_volume(spec.database.volume, plan.database_volume, "ReadWriteOnce"),
            scheduling=spec.database.scheduling,
        ),
        external_database=spec.database.external,
        ingress=ingress,
        pull_policy=images.pull_policy,
        deletion_protection=spec.deletion_protection is not False,
        frozen=spec.frozen,
        suspended=spec.suspended,
    )


Conflict = tuple[tuple[str, ...], str, str]
"""The path of the field to change within the tenant (in the catalogue's spelling), the reason, and the fix."""


def conflicts(spec: TenantSpec) -> list[Conflict]:
    """What contradicts itself once plan and overrides are put together, each field by itself being right."""
    return [
        *_renaming(spec),
        *_reaching(spec),
        *_scaling(spec),
        *_requests_over_limits(spec),
        *_php(spec),
        *_databases(spec),
    ]


def misfits(spec: TenantSpec, ingress: Ingress) -> list[Conflict]:
    """What a tenant asks of a cluster that this one can't give."""
    if ingress.gateway and spec.tls and not spec.tls.upstream:
        reason = f"the Gateway {ingress.gateway} has the certificates, in its listeners"
        return [(("tls",), reason, "write tls: {upstream: true}")]
    return []


def needed_passwords(spec: TenantSpec) -> tuple[Literal["database", "smtp"], ...]:
    """Whose passwords somebody has to give, because the servers are not the tenant's own."""
    smtp = spec.wordpress.smtp
    return (*(("database",) if spec.database.external else ()), *(("smtp",) if smtp and smtp.user else ()))


def _renaming(spec: TenantSpec) -> Iterator[Conflict]:
    if spec.renamed_from is not None:
        reason = f"{spec.renamed_from} can't become {spec.name}: a namespace has one name, and its volumes stay in it"
        fix = "keep the name and change title and domains, or copy the site into a new tenant (docs/renaming.md)"
        yield ("renamedFrom",), reason, fix


def _reaching(spec: TenantSpec) -> Iterator[Conflict]:
    if spec.tls and not spec.domains:
        yield ("tls",), "tls without domains", "add domains, or remove tls"


def _php(spec: TenantSpec) -> Iterator[Conflict]:
    limit = _size(spec.wordpress.resources, PLANS[spec.plan].wordpress).memory_limit
    given = spec.wordpress.php
    if given.memory_limit != PhpSpec().memory_limit and parse(given.memory_limit) > parse(limit):
        reason = f"one request may take {given.memory_limit}, the whole container {limit}"
        yield ("wordpress", "php", "memoryLimit"), reason, "lower it, or raise wordpress.resources.limits.memory"


def _databases(spec: TenantSpec) -> Iterator[Conflict]:
    if spec.database.external:
        for field in ("image", "resources", "scheduling", "volume"):
            if getattr(spec.database, field) != DatabaseSpec.model_fields[field].default:
                yield ("database", field), f"{field} of a database that is kept elsewhere", "remove it, or external"


def _scaling(spec: TenantSpec) -> Iterator[Conflict]:
    autoscaling = spec.wordpress.autoscaling
    if autoscaling is None:
        return
    if spec.wordpress.replicas is not None:
        fix = "remove replicas: the autoscaler decides, from minReplicas to maxReplicas"
        yield ("wordpress", "replicas"), "replicas beside autoscaling", fix
    if autoscaling.min_replicas > autoscaling.max_replicas:
        reason = f"at least {autoscaling.min_replicas} replicas, at most {autoscaling.max_replicas}"
        yield ("wordpress", "autoscaling", "minReplicas"), reason, "lower minReplicas or raise maxReplicas"


def _requests_over_limits(spec: TenantSpec) -> Iterator[Conflict]:
    plan = PLANS[spec.plan]
    for part, resources, given in (
        ("wordpress", spec.wordpress.resources, plan.wordpress),
        ("database", spec.database.resources, plan.database),
    ):
        size = _size(resources, given)
        for resource, request, limit in (
            ("cpu", size.cpu_request, size.cpu_limit),
            ("memory", size.memory_request, size.memory_limit),
        ):
            if parse(request) > parse(limit):
                overridden = "requests" if getattr(resources.requests, resource) else "limits"
                reason = f"requests {request} of {resource}, over its limit of {limit}"
                fix = f"lower the request or raise the limit (plan {spec.plan} gives what is not written)"
                yield (part, "resources", overridden, resource), reason, fix


def _size(resources: Resources, plan: ContainerSize) -> ContainerSize:
    return ContainerSize(
        cpu_request=resources.requests.cpu or plan.cpu_request,
        memory_request=resources.requests.memory or plan.memory_request,
        cpu_limit=resources.limits.cpu or plan.cpu_limit,
        memory_limit=resources.limits.memory or plan.memory_limit,
    )


def _volume(spec: VolumeSpec, size: str, access_mode: AccessMode) -> Volume:
    return Volume(size=spec.size or size, storage_class=spec.storage_class, access_mode=access_mode)
