"""Who a pod is, what it runs, and what it takes."""

import re
from collections.abc import Iterator

from . import manifests
from .manifests import Manifest
from .rules import ObjectRule


def _own_identity(manifest: Manifest) -> Iterator[str]:
    shared = manifests.pod(manifest).get("serviceAccountName") in (None, "", "default")
    if shared and manifests.template(manifest) is not None:
        yield "shares the namespace's default ServiceAccount"


def _no_token(manifest: Manifest) -> Iterator[str]:
    if manifest.get("kind") == "ServiceAccount" and manifest.get("automountServiceAccountToken") is not False:
        yield "its pods get a token of the API server"
    if manifests.template(manifest) is not None:
        if manifests.pod(manifest).get("automountServiceAccountToken") is not False:
            yield "mounts a token of the API server"
        for volume in manifests.pod(manifest).get("volumes") or ():
            if any("serviceAccountToken" in source for source in (volume.get("projected") or {}).get("sources") or ()):
                yield f"volume {volume.get('name')} holds a token of the API server"


def _image_pinned(manifest: Manifest) -> Iterator[str]:
    for container in manifests.containers(manifest):
        image = str(container.get("image") or "")
        name, _, digest = image.partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        if digest and not re.fullmatch("sha256:[0-9a-f]{64}", digest):
            yield f"{manifests.named(container)}: not a digest in {image}"
        elif not digest and tag in ("", "latest"):
            yield f"{manifests.named(container)}: an image that changes by itself: {image}"


def _sized(manifest: Manifest) -> Iterator[str]:
    for container in manifests.containers(manifest):
        resources = container.get("resources") or {}
        for kind in ("requests", "limits"):
            given = resources.get(kind) or {}
            for amount in ("cpu", "memory", "ephemeral-storage"):
                if amount not in given:
                    yield f"{manifests.named(container)} has no {kind} of {amount}"


def _probed(manifest: Manifest) -> Iterator[str]:
    if manifest.get("kind") not in ("Deployment", "StatefulSet", "DaemonSet"):
        return
    for container in manifests.pod(manifest).get("containers") or ():
        for kind in ("readinessProbe", "livenessProbe"):
            if not container.get(kind):
                yield f"{manifests.named(container)} has no {kind}"
        for kind in ("readinessProbe", "livenessProbe", "startupProbe"):
            probe = container.get(kind) or {}
            if any((probe.get(way) or {}).get("host") for way in ("httpGet", "tcpSocket")):
                yield f"{manifests.named(container)}: the kubelet would ask another host for its {kind}"


RULES: tuple[ObjectRule, ...] = (
    ObjectRule("own-identity", "name a ServiceAccount of the workload's own", _own_identity),
    ObjectRule("no-token", "set automountServiceAccountToken: false", _no_token),
    ObjectRule("image-pinned", "name a version or a digest of 64 hexadecimal digits", _image_pinned),
    ObjectRule("sized", "requests and limits of cpu, memory and ephemeral-storage", _sized),
    ObjectRule("probed", "readiness and liveness probes of the pod itself", _probed),
)
