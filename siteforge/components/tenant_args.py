"""What a tenant is made from, as typed dictionaries: the catalogue's fields in Python's spelling."""

from typing import NotRequired, TypedDict

import pulumi


class AmountsArgs(TypedDict):
    """An amount of each resource; what is left out comes from the plan."""

    cpu: NotRequired[str]
    memory: NotRequired[str]


class ResourcesArgs(TypedDict):
    """A container's requests and limits."""

    requests: NotRequired[AmountsArgs]
    limits: NotRequired[AmountsArgs]


class VolumeArgs(TypedDict):
    """A volume: its size (as in `5Gi`) and storage class."""

    size: NotRequired[str]
    storage_class: NotRequired[str]


class MediaVolumeArgs(VolumeArgs):
    """The volume of wp-content; `access_mode` is ReadWriteOnce or ReadWriteMany."""

    access_mode: NotRequired[str]


class OwnersArgs(TypedDict):
    """Who may operate the tenant with kubectl."""

    users: NotRequired[list[str]]
    groups: NotRequired[list[str]]


class AutoscalingArgs(TypedDict):
    """Replicas that follow the load."""

    min_replicas: NotRequired[int]
    max_replicas: int
    target_cpu_utilization_percentage: NotRequired[int]


class TolerationArgs(TypedDict):
    """A taint of nodes that pods put up with."""

    key: str
    operator: NotRequired[str]
    value: NotRequired[str]
    effect: NotRequired[str]
    toleration_seconds: NotRequired[int]


class SchedulingArgs(TypedDict):
    """Which nodes pods run on, and before whom."""

    priority_class_name: NotRequired[str]
    node_selector: NotRequired[dict[str, str]]
    tolerations: NotRequired[list[TolerationArgs]]


class TlsArgs(TypedDict):
    """Who ends TLS: `secret_name`, `issuer` (of cert-manager, with its `kind`), or `upstream`."""

    secret_name: NotRequired[str]
    issuer: NotRequired[str]
    kind: NotRequired[str]
    upstream: NotRequired[bool]


class PhpArgs(TypedDict):
    """PHP's limits."""

    memory_limit: NotRequired[str]
    upload_limit: NotRequired[str]
    max_execution_time: NotRequired[int]
    max_input_vars: NotRequired[int]


class SmtpArgs(TypedDict):
    """The server that takes the site's mail."""

    host: str
    sender: str
    """The address that mail comes from (`from` in the catalogue)."""
    port: NotRequired[int]
    cidr: NotRequired[str]
    encryption: NotRequired[str]
    user: NotRequired[str]


class WordPressArgs(TypedDict):
    """Overrides of what the plan gives the site."""

    image: NotRequired[str]
    replicas: NotRequired[int]
    autoscaling: NotRequired[AutoscalingArgs]
    resources: NotRequired[ResourcesArgs]
    scheduling: NotRequired[SchedulingArgs]
    volume: NotRequired[MediaVolumeArgs]
    cron_minutes: NotRequired[int]
    """How often the site's scheduled work is done, in minutes: 15 by default (docs/cron.md)."""
    internet_access: NotRequired[bool]
    php: NotRequired[PhpArgs]
    smtp: NotRequired[SmtpArgs]
    env: NotRequired[dict[str, str]]
    extra_config: NotRequired[dict[str, bool | int | str]]


class ExternalDatabaseArgs(TypedDict):
    """A database that somebody else keeps."""

    host: str
    port: NotRequired[int]
    cidr: NotRequired[str]
    name: NotRequired[str]
    user: NotRequired[str]


class DatabaseArgs(TypedDict):
    """Overrides of what the plan gives the database, or a database that is there already."""

    image: NotRequired[str]
    resources: NotRequired[ResourcesArgs]
    scheduling: NotRequired[SchedulingArgs]
    volume: NotRequired[VolumeArgs]
    external: NotRequired[ExternalDatabaseArgs]


class IngressArgs(TypedDict):
    """How the cluster lets visitors in; the same for all of its tenants."""

    namespace: NotRequired[str]
    """The namespace of the ingress controller; ingress-nginx by default."""
    class_name: NotRequired[str]
    """The ingress class; the cluster's default one when left out."""
    gateway: NotRequired[str]
    """Namespace and name of a Gateway, as in `edge/public`, for HTTPRoutes instead of Ingresses."""
    awaited: NotRequired[bool]
    """Whether an update waits until an Ingress has an address."""
    metrics_namespace: NotRequired[str]
    """Where the pods run that may read the metrics of the site's own pods; without it, it tells none."""


class TenantArgs(TypedDict):
    """What a tenant is made from; the rules are those of the catalogue (docs/catalogue.md)."""

    title: str
    """The site's title."""
    admin_email: str
    """The administrator's address."""
    secret: pulumi.Input[str]
    """What all passwords are derived from: at least 32 random characters, the same on every run."""
    plan: NotRequired[str]
    """nano, micro (default), small, medium or large."""
    deletion_protection: NotRequired[bool]
    """Whether Pulumi refuses to delete what holds data; true by default (docs/removal.md)."""
    credentials_version: NotRequired[int]
    """Raised by one to give the tenant new passwords and salts (docs/secrets.md)."""
    owners: NotRequired[OwnersArgs]
    suspended: NotRequired[bool]
    """Whether a page stands for the site, which doesn't run (docs/suspension.md)."""
    domains: NotRequired[list[str]]
    """The site's public names, the canonical one first; no two tenants of a cluster may share one."""
    tls: NotRequired[TlsArgs]
    wordpress: NotRequired[WordPressArgs]
    database: NotRequired[DatabaseArgs]
    image_pull_policy: NotRequired[str]
    """Always (default), or IfNotPresent for nodes that have their images and no way to a registry."""
    database_password: NotRequired[pulumi.Input[str]]
    """That of a database that is kept elsewhere."""
    smtp_password: NotRequired[pulumi.Input[str]]
    """That of the user of a mail server."""
    adopted_passwords: NotRequired[pulumi.Input[dict[str, str]]]
    """Passwords and salts that it had before Siteforge, by purpose (`siteforge.secrets.PURPOSES`)."""
    ingress: NotRequired[IngressArgs]
