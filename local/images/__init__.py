"""Container images without a registry: made from Debian packages, as archives that containerd imports.

`wordpress` and `mariadb` keep the contract of the official images, so that the same program runs those
elsewhere; `pause` and `busybox` are what the local cluster itself needs. `siteforge` is Siteforge itself with its
engine, made when somebody asks for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from local.images import build, recipes
from local.images.recipes import BUSYBOX, MARIADB, MARIADB_NEXT, PAUSE, RECIPES, SITEFORGE, WORDPRESS, WORDPRESS_NEXT
from local.steps import Failure

__all__ = [
    "BUSYBOX",
    "MARIADB",
    "MARIADB_NEXT",
    "PAUSE",
    "SITEFORGE",
    "WORDPRESS",
    "WORDPRESS_NEXT",
    "Image",
    "ensure",
    "siteforge",
]


@dataclass(frozen=True)
class Image:
    """An archive that is ready to be imported, and the references that importing it gives."""

    references: tuple[str, ...]
    archive: Path
    """An OCI archive (uncompressed tar) in the cache; its name changes whenever its content does."""


def ensure(names: Iterable[str] | None = None) -> list[Image]:
    """Make the named images (all by default) unless they are in the cache; in the order of the table.

    Args:
        names: of `wordpress`, `mariadb`, `busybox`, `pause`.

    Raises:
        Failure: an unknown name, or a build that failed.
    """
    known = {recipe.name: recipe for recipe in RECIPES}
    wanted = set(known if names is None else names)
    if unknown := sorted(wanted - set(known)):
        raise Failure(f"there is no image called {unknown[0]}", fix=f"the images are {', '.join(known)}")
    return [Image(tuple(recipe.images), build.build(recipe)) for recipe in RECIPES if recipe.name in wanted]


def siteforge() -> Image:
    """Make the image of Siteforge itself, as this clone has it, unless it is in the cache.

    Raises:
        Failure: the build failed.
    """
    recipe = recipes.siteforge()
    return Image(tuple(recipe.images), build.build(recipe))
