"""Reading manifests as they come, with anything missing from them."""

from collections.abc import Iterator, Mapping
from typing import Any

Manifest = Mapping[str, Any]
"""One Kubernetes object."""


def where(manifest: Manifest) -> str:
    """Which object it is: kind, namespace and name."""
    return f"{manifest.get('kind')} {namespace(manifest)}/{metadata(manifest).get('name')}"


def metadata(manifest: Manifest) -> Mapping[str, Any]:
    """Its metadata."""
    return manifest.get("metadata") or {}


def namespace(manifest: Manifest) -> str:
    """The namespace that it is in, or is."""
    if manifest.get("kind") == "Namespace":
        return str(metadata(manifest).get("name"))
    return str(metadata(manifest).get("namespace") or "default")


def spec(manifest: Manifest) -> Mapping[str, Any]:
    """Its spec."""
    return manifest.get("spec") or {}


def template(manifest: Manifest) -> Mapping[str, Any] | None:
    """The pod, or the template of pods, of a manifest that has one."""
    match manifest.get("kind"):
        case "Pod":
            return manifest
        case "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job":
            return spec(manifest).get("template") or {}
        case "CronJob":
            job = spec(manifest).get("jobTemplate") or {}
            return (job.get("spec") or {}).get("template") or {}
    return None


def pod(manifest: Manifest) -> Mapping[str, Any]:
    """The spec of its pods; empty if it has none."""
    return (template(manifest) or {}).get("spec") or {}


def containers(manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    """All containers of its pods."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod(manifest).get(kind) or ()


def security(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The security context of a pod's spec or of a container."""
    return part.get("securityContext") or {}


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, Any]) -> bool:
    """Whether a label selector, of labels alone, selects these; an empty one selects everything."""
    wanted = (selector or {}).get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def named(container: Mapping[str, Any]) -> str:
    """What messages call a container."""
    return f"container {container.get('name')}"
