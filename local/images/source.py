"""What a layer is made of: every kind knows the Debian packages it needs and how to write its tar file."""

from pathlib import Path
from typing import Protocol


class Source(Protocol):
    """The origin of an image's first layer.

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
