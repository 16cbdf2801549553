"""A tenant's namespace as the API server lists it, to be broken in one place at a time."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from siteforge import names
from siteforge.fleet.partial_object import PartialObject
from siteforge.names import DATABASE, WORDPRESS, Role

Object = dict[str, Any]

STARTED = "2026-11-29T00:00:00Z"
IMAGE = "wordpress:6.8.3-php8.3-apache"


def metadata(tenant: str, name: str, role: Role | None = None, **fields: Any) -> Object:
    labels = names.role_labels(tenant, role) if role else names.labels(tenant)
    return {"name": name, "namespace": tenant, "labels": labels, "creationTimestamp": STARTED, "generation": 1} | fields


def namespace(tenant: str, **fields: Any) -> Object:
    return {"metadata": metadata(tenant, tenant, **fields), "status": {"phase": "Active"}}


def workload(tenant: str, role: Role, **status: Any) -> Object:
    """A Deployment or StatefulSet of one pod that has all it wants; `status` says what differs."""
    full = {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}
    fields = [{"manager": names.FIELD_MANAGER, "time": STARTED}, {"manager": "kubelet", "time": "2027-01-01T00:00:00Z"}]
    return {
        "metadata": metadata(tenant, role, role, managedFields=fields),
        "spec": {"replicas": 1, "selector": {"matchLabels": names.selector(tenant, role)}},
        "status": full | status,
    }


def pod(tenant: str, role: Role, name: str = "", **status: Any) -> Object:
    """A pod of one container that is ready; `status` says what differs."""
    container: Object = {"name": role, "ready": True, "started": True, "restartCount": 0, "state": {"running": {}}}
    container |= {"image": f"docker.io/library/{IMAGE}", "imageID": f"docker.io/library/wordpress@sha256:{'a' * 64}"}
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [container]}
    return {
        "metadata": metadata(tenant, name or f"{role}-1", role),
        "spec": {"containers": [{"name": role, "image": IMAGE}], "nodeName": "node-1"},
        "status": ready | status,
    }


def claim(tenant: str, role: Role, phase: str = "Bound") -> Object:
    size = {"storage": "1Gi"}
    return {
        "metadata": metadata(tenant, role, role),
        "spec": {"resources": {"requests": size}, "volumeName": f"pvc-{role}"},
        "status": {"phase": phase} | ({"capacity": size} if phase == "Bound" else {}),
    }


def quota(tenant: str) -> Object:
    return {
        "metadata": metadata(tenant, "tenant"),
        "status": {"hard": {"pods": "4", "requests.memory": "1Gi"}, "used": {"pods": "2", "requests.memory": "256Mi"}},
    }


def event(kind: str, name: str, reason: str, message: str, tenant: str = "blog", **fields: Any) -> Object:
    return {
        "metadata": {"name": f"{name}.1", "namespace": tenant, "creationTimestamp": STARTED},
        "involvedObject": {"kind": kind, "name": name, "namespace": tenant},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": STARTED,
    } | fields


def healthy(tenant: str = "blog") -> dict[str, list[Object]]:
    """All that is looked at, by kind, of a tenant that is ready."""
    return {
        "Namespace": [namespace(tenant)],
        "ResourceQuota": [quota(tenant)],
        "PersistentVolumeClaim": [claim(tenant, WORDPRESS), claim(tenant, DATABASE)],
        "Deployment": [workload(tenant, WORDPRESS)],
        "StatefulSet": [workload(tenant, DATABASE)],
        "Pod": [pod(tenant, WORDPRESS), pod(tenant, DATABASE)],
        "Event": [],
    }


def seen(objects: Mapping[str, Iterable[Object]]) -> dict[str, list[PartialObject]]:
    """These objects as a look sees them, to whom all that it passes over is not there."""
    return msgspec.json.decode(msgspec.json.encode(objects), type=dict[str, list[PartialObject]])
