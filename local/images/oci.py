"""OCI image archives, written from layers that are plain tar files.

An archive is a tar of the image layout of the OCI image specification 1.0 (`oci-layout`, `index.json`,
`blobs/sha256/`), which `ctr images import`, skopeo, podman and buildah read. Layers stay uncompressed: these
archives never travel, and neither side then spends time on gzip. Everything is deterministic: the same
layers and settings give the same bytes.
"""

import hashlib
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.images.tar import add_file

CREATED_EPOCH = 1704067200
"""The creation time of every image in seconds, 2024-01-01: fixed, as times would make equal images differ."""

_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Settings:
    """What a container of an image runs when its pod says nothing else (the specification's `config`)."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = "/"
    ports: tuple[str, ...] = ()
    """For instance `80/tcp`."""
    volumes: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"


@dataclass(frozen=True)
class Blob:
    """Content with its digest: bytes in memory, or a file too large for that."""

    digest: str
    size: int
    """In bytes."""
    content: bytes | Path

    @classmethod
    def of(cls, content: bytes | Path) -> "Blob":
        """The blob of some bytes or of a file."""
        if isinstance(content, bytes):
            return cls(hashlib.sha256(content).hexdigest(), len(content), content)
        with content.open("rb") as file:
            return cls(hashlib.file_digest(file, "sha256").hexdigest(), content.stat().st_size, content)

    def descriptor(self, media_type: str) -> dict[str, Any]:
        """How a manifest or an index points at this blob."""
        return {"mediaType": media_type, "digest": f"sha256:{self.digest}", "size": self.size}


def configuration(settings: Settings, layers: Sequence[Blob], architecture: str) -> dict[str, Any]:
    """The image configuration: an uncompressed layer's digest is its `diff_id` too."""
    config: dict[str, Any] = {
        "Env": [f"{name}={value}" for name, value in settings.environment.items()],
        "WorkingDir": settings.working_directory,
        "StopSignal": settings.stop_signal,
    }
    if settings.entrypoint:
        config["Entrypoint"] = list(settings.entrypoint)
    if settings.command:
        config["Cmd"] = list(settings.command)
    if settings.ports:
        config["ExposedPorts"] = {port: {} for port in settings.ports}
    if settings.volumes:
        config["Volumes"] = {volume: {} for volume in settings.volumes}
    return {
        "created": datetime.fromtimestamp(CREATED_EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "architecture": architecture,
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
    }


def manifest(config: Blob, layers: Sequence[Blob]) -> dict[str, Any]:
    """The image manifest that ties a configuration to its layers."""
    return {
        "schemaVersion": 2,
        "mediaType": _MANIFEST_TYPE,
        "config": config.descriptor(_CONFIG_TYPE),
        "layers": [layer.descriptor(_LAYER_TYPE) for layer in layers],
    }


def index(manifests: Mapping[str, Blob]) -> dict[str, Any]:
    """The index of an archive, from image reference to manifest.

    containerd names an imported image by the annotation `io.containerd.image.name`, other tools by
    `org.opencontainers.image.ref.name`.
    """
    return {
        "schemaVersion": 2,
        "mediaType": _INDEX_TYPE,
        "manifests": [
            blob.descriptor(_MANIFEST_TYPE)
            | {
                "annotations": {
                    "io.containerd.image.name": reference,
                    "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
                }
            }
            for reference, blob in manifests.items()
        ],
    }


def write_archive(target: Path, images: Mapping[str, Settings], layers: Sequence[Path], architecture: str) -> None:
    """Write images that share their layers and differ in their settings, by reference, into one archive."""
    layer_blobs = [Blob.of(layer) for layer in layers]
    blobs = {blob.digest: blob for blob in layer_blobs}
    manifests: dict[str, Blob] = {}
    for reference, settings in images.items():
        config = Blob.of(_json(configuration(settings, layer_blobs, architecture)))
        manifests[reference] = Blob.of(_json(manifest(config, layer_blobs)))
        blobs |= {blob.digest: blob for blob in (config, manifests[reference])}
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        add_file(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        add_file(archive, "index.json", _json(index(manifests)))
        for digest, blob in blobs.items():
            add_file(archive, f"blobs/sha256/{digest}", blob.content)


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
