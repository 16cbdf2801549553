"""A tenant's boundary: its namespace, and the most that may run and be stored in it."""

from fractions import Fraction

from siteforge import names, quantities
from siteforge.blueprint import Blueprint
from siteforge.plans import LARGEST, SMALLEST_CPU, SMALLEST_MEMORY
from siteforge.quantities import parse
from siteforge.specs.manifest import Manifest, manifest
from siteforge.specs.pods import CRON_PODS, EPHEMERAL_LIMIT, EPHEMERAL_REQUEST, SURGE

_POD_SECURITY_VERSION = "v1.31"
"""Pinned, so that an upgrade of the cluster doesn't turn a running tenant away."""


def namespace(tenant: Blueprint) -> Manifest:
    """The tenant's namespace, with Pod Security Standards "restricted" (kubernetes.io/docs/concepts/security)."""
    labels = names.labels(tenant.name) | pod_security()
    return manifest("v1", "Namespace", tenant.name, names.namespace(tenant.name), labels)


def pod_security() -> dict[str, str]:
    """The labels of a namespace that turns away whatever is not "restricted"."""
    modes = [f"pod-security.kubernetes.io/{mode}" for mode in ("enforce", "warn", "audit")]
    return dict.fromkeys(modes, "restricted") | {f"{mode}-version": _POD_SECURITY_VERSION for mode in modes}


def quota(tenant: Blueprint) -> Manifest:
    """The most that the namespace may hold.

    Pods and volumes are counted exactly. CPU and memory are counted as if every pod had the size of the
    largest plan (or the tenant's own, if that is larger): a quota of the tenant's own size would lock
    out its own rollout when it gets smaller, since the old, larger pods count until the new ones are
    ready. What keeps a small tenant small is the limit range: no container over the tenant's own size.
    What a tenant takes is less: `siteforge.specs.admission` says how much.
    """
    pods = most_pods(tenant)
    volumes = [tenant.site.volume, *([tenant.database.volume] if tenant.database else [])]
    hard = {
        "pods": str(pods),
        "requests.cpu": quantities.cpu(pods * _largest(tenant, "cpu_request")),
        "limits.cpu": quantities.cpu(pods * _largest(tenant, "cpu_limit")),
        "requests.memory": quantities.memory(pods * _largest(tenant, "memory_request")),
        "limits.memory": quantities.memory(pods * _largest(tenant, "memory_limit")),
        "requests.ephemeral-storage": quantities.memory(pods * parse(EPHEMERAL_REQUEST)),
        "limits.ephemeral-storage": quantities.memory(pods * parse(EPHEMERAL_LIMIT)),
        "requests.storage": quantities.memory(sum((parse(volume.size) for volume in volumes), Fraction())),
        "persistentvolumeclaims": str(len(volumes)),
        "services": str(10 + _solvers(tenant)),
        "services.nodeports": "0",
        "services.loadbalancers": "0",
        "secrets": "20",
        "configmaps": "20",
    }
    labels = names.labels(tenant.name)
    return manifest("v1", "ResourceQuota", tenant.name, "tenant", labels, spec={"hard": hard})


def most_pods(tenant: Blueprint) -> int:
    """How many pods a tenant may have at once, at the worst moment of a rollout.

    All old pods of the site still terminating (they count until they are gone), all new ones running,
    one surging; the database, which is stopped before it is started again; one that asks for scheduled work; and
    those that prove to an issuer of certificates that the domains are the tenant's.
    """
    return 2 * tenant.site.most_replicas + SURGE + (1 if tenant.database else 0) + CRON_PODS + _solvers(tenant)


def limits(tenant: Blueprint) -> Manifest:
    """The size that a container may have, and the size of one that doesn't say."""
    site = tenant.site.size
    database = tenant.database.size if tenant.database else site
    spec = {
        "limits": [
            {
                "type": "Container",
                "min": {"cpu": SMALLEST_CPU, "memory": SMALLEST_MEMORY},
                "max": {
                    "cpu": _larger(site.cpu_limit, database.cpu_limit),
                    "memory": _larger(site.memory_limit, database.memory_limit),
                    "ephemeral-storage": EPHEMERAL_LIMIT,
                },
                "default": {
                    "cpu": _smaller(site.cpu_limit, database.cpu_limit),
                    "memory": _smaller(site.memory_limit, database.memory_limit),
                    "ephemeral-storage": EPHEMERAL_LIMIT,
                },
                "defaultRequest": {
                    "cpu": _smaller(site.cpu_request, database.cpu_request),
                    "memory": _smaller(site.memory_request, database.memory_request),
                    "ephemeral-storage": EPHEMERAL_REQUEST,
                },
            },
        ]
    }
    return manifest("v1", "LimitRange", tenant.name, "tenant", names.labels(tenant.name), spec=spec)


def _solvers(tenant: Blueprint) -> int:
    """The most pods, each with a Service, that cert-manager starts for HTTP-01: one for each domain."""
    return len(tenant.domains) if tenant.tls and tenant.tls.issuer else 0


def _largest(tenant: Blueprint, amount: str) -> Fraction:
    own = [tenant.site.size, *([tenant.database.size] if tenant.database else [])]
    sizes = (*own, LARGEST.wordpress, LARGEST.database)
    return max(parse(getattr(size, amount)) for size in sizes)


def _larger(one: str, other: str) -> str:
    return max(one, other, key=parse)


def _smaller(one: str, other: str) -> str:
    return min(one, other, key=parse)
