"""What the pods of every role share: security, identity, resources, volumes.

All of it fits Pod Security Standards "restricted" (kubernetes.io/docs/concepts/security/pod-security-standards).
"""

from dataclasses import replace
from typing import Any

from siteforge import names
from siteforge.blueprint import Volume
from siteforge.names import Role
from siteforge.plans import SMALLEST_CPU, SMALLEST_MEMORY, ContainerSize
from siteforge.quantities import parse
from siteforge.specs.manifest import Manifest, manifest
from siteforge.tenant_spec import SchedulingSpec

EPHEMERAL_REQUEST = "50Mi"
EPHEMERAL_LIMIT = "2Gi"

SURGE = 1
"""Pods of a site that a rollout starts beyond its replicas (maxSurge)."""

CRON_PODS = 1
"""Pods that ask for scheduled work: one at a time."""

SECRETS_FOLDER = "/opt/siteforge/secrets"
"""Where a role's Secret is mounted; passwords are files, so that `env` and crash dumps don't show them."""

_LITTLE = ContainerSize(SMALLEST_CPU, SMALLEST_MEMORY, "100m", "128Mi")
"""PHP or Apache with one file."""

CONTAINER_SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def pod_security(user: int) -> dict[str, Any]:
    """A pod that runs as `user`, never as root, with that group on its volumes."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        # Volumes of many files would otherwise be walked through at every start.
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def scheduling(spec: SchedulingSpec) -> dict[str, Any]:
    """The fields of a pod that say where it runs; those that say nothing are left out."""
    return {field: value for field, value in spec.model_dump(by_alias=True, exclude_none=True).items() if value}


def disruption_budget(tenant: str, role: Role, most: int | str) -> Manifest:
    """How many of the role's pods the drain of a node may stop at once.

    It must never be none, or the drain would wait until somebody gave up: a single pod is stopped too, and
    starts on another node. A pod that isn't ready doesn't count, so that a broken site blocks no drain either.

    Args:
        tenant, role: whose pods.
        most: their number, or a share as in `100%`.
    """
    spec = {
        "maxUnavailable": most,
        "selector": {"matchLabels": names.selector(tenant, role)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return manifest("policy/v1", "PodDisruptionBudget", tenant, role, names.role_labels(tenant, role), spec=spec)


def resources(size: ContainerSize) -> dict[str, dict[str, str]]:
    """Requests and limits of a container."""
    return {
        "requests": {
            "cpu": size.cpu_request,
            "memory": size.memory_request,
            "ephemeral-storage": EPHEMERAL_REQUEST,
        },
        "limits": {"cpu": size.cpu_limit, "memory": size.memory_limit, "ephemeral-storage": EPHEMERAL_LIMIT},
    }


def little(limits: ContainerSize) -> ContainerSize:
    """The size of a container with little to do, in a tenant whose limit range allows containers up to `limits`."""
    return replace(
        _LITTLE,
        cpu_limit=min(_LITTLE.cpu_limit, limits.cpu_limit, key=parse),
        memory_limit=min(_LITTLE.memory_limit, limits.memory_limit, key=parse),
    )


def service_account(tenant: str, role: Role) -> Manifest:
    """An identity of the role's own, without a token: no pod of a tenant talks to the API server."""
    labels = names.role_labels(tenant, role)
    return manifest("v1", "ServiceAccount", tenant, role, labels, automountServiceAccountToken=False)


def claim(tenant: str, role: Role, volume: Volume) -> Manifest:
    """The claim of the role's volume."""
    spec: dict[str, Any] = {
        "accessModes": [volume.access_mode],
        "resources": {"requests": {"storage": volume.size}},
    }
    if volume.storage_class is not None:
        spec["storageClassName"] = volume.storage_class
    # Its pod is awaited, and a class that binds at the first pod would be waited for in vain.
    annotations = {"pulumi.com/skipAwait": "true"}
    labels = names.role_labels(tenant, role)
    return manifest("v1", "PersistentVolumeClaim", tenant, role, labels, annotations=annotations, spec=spec)


def scratch(limit: str) -> dict[str, Any]:
    """An empty folder that lives as long as the pod."""
    return {"emptyDir": {"sizeLimit": limit}}


def secret_volume(role: Role) -> dict[str, Any]:
    """The role's Secret as a volume, readable by the pod's group only."""
    return {"secret": {"secretName": role, "defaultMode": 0o440}}
