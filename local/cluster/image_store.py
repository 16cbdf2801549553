"""The node's image store: archives are brought into containerd once, and remembered."""

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from local.cluster.layout import Layout
from local.cluster.settings import write
from local.steps import Failure, step


class Image(Protocol):
    """An image in a file, as `local.images.ensure` gives it."""

    @property
    def references(self) -> Sequence[str]:
        """Its names in the store."""

    @property
    def archive(self) -> Path:
        """The file, an OCI or Docker archive."""


def ensure(layout: Layout, supervisor: int, images: Sequence[Image]) -> None:
    """Bring in those images that are not there yet.

    Args:
        supervisor: pid of the cluster's supervisor, as the machine counts.

    Raises:
        Failure: containerd refuses an archive, or it does not hold what it should.
    """
    for image in images:
        names = " ".join(image.references)
        marker = layout.home / "imported-images" / hashlib.sha256(names.encode()).hexdigest()[:16]
        status = image.archive.stat()
        key = f"{image.archive} {status.st_size} {status.st_mtime_ns}"
        if marker.exists() and marker.read_text() == key:
            continue
        with step(f"import {', '.join(image.references)}"):
            _ctr(supervisor, "images", "import", str(image.archive))
            held = _ctr(supervisor, "images", "list", "--quiet").splitlines()
        if absent := [reference for reference in image.references if reference not in held]:
            raise Failure(f"{image.archive} was imported, but does not hold {', '.join(absent)}")
        write(marker, key)


def _ctr(supervisor: int, *arguments: str) -> str:
    """Run containerd's client on the cluster's containerd, whose socket is seen through the supervisor's root."""
    socket = f"/proc/{supervisor}/root/run/containerd/containerd.sock"
    done = subprocess.run(
        ["ctr", "--address", socket, "--namespace", "k8s.io", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Failure(f"`ctr {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout
