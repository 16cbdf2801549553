"""The head of every object: API version, kind, name, labels, and how the provider is to apply it."""

from collections.abc import Mapping
from typing import Any

from siteforge import names

Manifest = dict[str, Any]
"""One Kubernetes object."""

_APPLY = {
    # A fixed owner in managedFields; the provider's default name is random with every run.
    "pulumi.com/patchFieldManager": names.FIELD_MANAGER,
    # What somebody else changed is changed back, instead of failing with a conflict.
    "pulumi.com/patchForce": "true",
}


def manifest(
    api_version: str,
    kind: str,
    tenant: str,
    name: str,
    labels: Mapping[str, str],
    *,
    annotations: Mapping[str, str] | None = None,
    **fields: Any,
) -> Manifest:
    """An object of a tenant.

    Args:
        api_version, kind: as in Kubernetes.
        tenant: whose object it is.
        name: its name; a Namespace has no namespace of its own.
        labels: its labels.
        annotations: annotations besides those that say how to apply it.
        fields: what stands beside metadata: `spec`, `data` ...
    """
    metadata: dict[str, Any] = {
        "name": name,
        "labels": dict(labels),
        "annotations": _APPLY | dict(annotations or {}),
    }
    if kind != "Namespace":
        metadata["namespace"] = names.namespace(tenant)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def token(manifest: Manifest) -> str:
    """The type token of the provider's resource, as in `kubernetes:core/v1:Secret`."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{kind}"


def unawaited(manifest: Manifest) -> Manifest:
    """The same object, for a fleet whose readiness is looked at all at once instead of by Pulumi, one by one.

    A namespace is there at once, and only its end is waited for: the next run must not find it half gone.
    """
    if manifest["kind"] == "Namespace":
        return manifest
    annotations = manifest["metadata"]["annotations"] | {"pulumi.com/skipAwait": "true"}
    return manifest | {"metadata": manifest["metadata"] | {"annotations": annotations}}
