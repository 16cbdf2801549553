"""Names and labels of a tenant's objects.

Only the tenant's name and a role go into a name, a label that a selector uses, or a Pulumi resource
name; never a plan, a version or an index. Those change, and a changed name is a deleted object.
The labels are Kubernetes' recommended ones
(kubernetes.io/docs/concepts/overview/working-with-objects/common-labels).
"""

from typing import Final, Literal

Role = Literal["wordpress", "mariadb"]

WORDPRESS: Final[Role] = "wordpress"
"""The name of the site's Deployment, Service, Secret, ConfigMap, claim and ServiceAccount."""

DATABASE: Final[Role] = "mariadb"
"""The name of the database's StatefulSet, Service, Secret, claim and ServiceAccount."""

CRON: Final = "wordpress-cron"
"""The name of the CronJob that has the site do its scheduled work, and of the role of its pods."""

OWNER: Final = "owner"
"""The name of the Role and RoleBinding of a tenant's owners."""

FIELD_MANAGER: Final = "siteforge"
"""Who owns our fields in managedFields. The provider's default is random with every run."""

_PREFIX: Final = "siteforge.dev"


def namespace(tenant: str) -> str:
    """The tenant's namespace; fixed at creation, because everything lives in it."""
    return tenant


def service_host(tenant: str) -> str:
    """The site's name in cluster DNS."""
    return f"{WORDPRESS}.{namespace(tenant)}.svc.cluster.local"


def labels(tenant: str) -> dict[str, str]:
    """What every object of a tenant carries."""
    return {
        "app.kubernetes.io/instance": tenant,
        "app.kubernetes.io/part-of": "siteforge",
        "app.kubernetes.io/managed-by": "pulumi",
    }


def role_labels(tenant: str, role: Role) -> dict[str, str]:
    """What every object of one role carries; contains `selector(tenant, role)`."""
    return labels(tenant) | selector(tenant, role) | {"app.kubernetes.io/component": _COMPONENTS[role]}


def selector(tenant: str, role: Role) -> dict[str, str]:
    """Selects the pods of one role. It is immutable on the API server, so it must never need to change."""
    return {"app.kubernetes.io/name": role, "app.kubernetes.io/instance": tenant}


def cron_selector(tenant: str) -> dict[str, str]:
    """The labels of the pods that ask for scheduled work: no Service or budget of the site's selects them."""
    return {"app.kubernetes.io/name": CRON, "app.kubernetes.io/instance": tenant, "app.kubernetes.io/component": "cron"}


def annotation(key: str) -> str:
    """An annotation or label key of our own."""
    return f"{_PREFIX}/{key}"


_COMPONENTS: Final[dict[Role, str]] = {WORDPRESS: "site", DATABASE: "database"}
