"""What a layer is made of: every kind knows the Debian packages it needs and how to write its tar file."""

import platform
from pathlib import Path
from typing import Protocol

from local.steps import Failure

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """The machine's architecture by the name that Debian and OCI both use.

    Raises:
        Failure: it is one that was never tried.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise Failure(
            f"images are made for {' and '.join(_ARCHITECTURES)}, and this machine is {machine}",
            fix="point KUBECONFIG at a cluster of your own (README, 'On your own cluster')",
        )
    return _ARCHITECTURES[machine]


class Source(Protocol):
    """The origin of a layer of an image.

    Implementations are frozen dataclasses: their `repr` is the recipe, and enters the cache key.
    """

    @property
    def tools(self) -> tuple[str, ...]:
        """The Debian packages that `build` needs on this machine."""

    @property
    def needs_root(self) -> bool:
        """Whether only root can build it."""

    def inputs(self) -> tuple[Path, ...]:
        """The files of this repository that the layer depends on, besides the recipe itself."""

    def build(self, target: Path, scratch: Path, log: Path) -> None:
        """Write the layer as an uncompressed tar to `target`.

        Args:
            target: a file that does not exist yet.
            scratch: an empty folder, removed afterwards.
            log: takes the output of the programs that are run.

        Raises:
            Failure: a program failed or made something other than the recipe promises.
        """
