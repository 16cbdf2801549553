"""A tenant with everything decided: the plan's sizes, its own overrides, the images.

It is all that a tenant's objects are computed from, besides its credentials.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from siteforge.constraints import AccessMode, PullPolicy
from siteforge.plans import PLANS, ContainerSize
from siteforge.quantities import parse
from siteforge.tenant_spec import AutoscalingSpec, Resources, SchedulingSpec, TenantSpec, VolumeSpec


@dataclass(frozen=True)
class Images:
    """The images of a tenant that names none of its own, and how all are pulled."""

    wordpress: str = (
        "wordpress:6.8.3-php8.3-apache@sha256:30bff39330d1693b0ce13d32fc9b7bb67193064f040b7d60d3494e136fa599d4"
    )
    database: str = "mariadb:11.4.8@sha256:bc474f00629f0123c10f9e1bca193a45d18af15a274cf0656acda64f1086c3b6"
    pull_policy: PullPolicy = "Always"
    """Always: nobody runs what another tenant pulled without having its pull secret (MTB PL1-CC-DI-1)."""


@dataclass(frozen=True)
class Ingress:
    """The cluster's ingress controller."""

    namespace: str = "ingress-nginx"
    """Where its pods run: nobody else outside a tenant may reach its site over the cluster's network."""


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

    @property
    def most_replicas(self) -> int:
        """How many pods there may be, apart from rollouts."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas


@dataclass(frozen=True)
class Database:
    """The database part of a tenant."""

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
    site: Site
    database: Database
    ingress: Ingress
    pull_policy: PullPolicy


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
        site=Site(
            image=spec.wordpress.image or images.wordpress,
            replicas=spec.wordpress.replicas or plan.replicas,
            autoscaling=spec.wordpress.autoscaling,
            size=_size(spec.wordpress.resources, plan.wordpress),
            volume=_volume(media, plan.wordpress_volume, media.access_mode),
            scheduling=spec.wordpress.scheduling,
            internet_access=spec.wordpress.internet_access,
        ),
        database=Database(
            image=spec.database.image or images.database,
            size=_size(spec.database.resources, plan.database),
            volume=_volume(spec.database.volume, plan.database_volume, "ReadWriteOnce"),
            scheduling=spec.database.scheduling,
        ),
        ingress=ingress,
        pull_policy=images.pull_policy,
    )


Conflict = tuple[tuple[str, ...], str, str]
"""The path of the field to change within the tenant (in the catalogue's spelling), the reason, and the fix."""


def conflicts(spec: TenantSpec) -> list[Conflict]:
    """What contradicts itself once plan and overrides are put together, each field by itself being right."""
    return [*_scaling(spec), *_requests_over_limits(spec)]


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
