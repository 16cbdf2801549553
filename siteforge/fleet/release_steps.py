"""Who gets a new image of WordPress, ring by ring, and the edit of the catalogue that gives it to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from siteforge import edits
from siteforge.configuration import Configuration
from siteforge.edits import Edit
from siteforge.errors import SettingsError
from siteforge.fleet.project import Project
from siteforge.rings import Ring
from siteforge.tenant_spec import TenantSpec

FIELD: Final = ("wordpress", "image")
"""What a release changes in a tenant's line."""


@dataclass(frozen=True)
class Step:
    """A ring as a release finds it."""

    ring: Ring
    tenants: tuple[str, ...]
    """Who gets the image, or has it."""
    left_out: Mapping[str, str]
    """Who does not, and why."""


def steps(tenants: Iterable[TenantSpec], configuration: Configuration, image: str, rings: Iterable[Ring]) -> list[Step]:
    """The rings of a catalogue, and who of them gets an image.

    A tenant that runs an image of another name than this one and the stack's own does so on purpose, and is left out.
    """
    ours = {repository(image), repository(configuration.images.wordpress)}
    found = []
    for ring in rings:
        own = [spec for spec in tenants if spec.ring == ring]
        left_out = {spec.name: reason for spec in own if (reason := _left_out(spec, ours))}
        found.append(Step(ring, tuple(spec.name for spec in own if spec.name not in left_out), left_out))
    return found


def _left_out(spec: TenantSpec, ours: set[str]) -> str:
    if spec.frozen:
        return "frozen"
    if spec.suspended:
        return "suspended"
    image = spec.wordpress.image
    return f"has an image of its own, {image}" if image and repository(image) not in ours else ""


def repository(image: str) -> str:
    """The name of an image without its tag and digest."""
    folder, slash, name = image.partition("@")[0].rpartition("/")
    return folder + slash + name.partition(":")[0]


def edit(project: Project, values: Mapping[str, str | None]) -> list[Edit]:
    """The edits that give tenants images; None takes away what a line says of one.

    Raises:
        SiteforgeError: as `siteforge.edits.assign`.
    """
    path = project.configuration.catalogue
    try:
        return edits.assign(project.folder / path, FIELD, values, str(path))
    except SettingsError:
        # A line can't always be taken away without a trace; to write out what it stood for always works.
        written = project.configuration.images.wordpress
        return edits.assign(
            project.folder / path, FIELD, {name: value or written for name, value in values.items()}, str(path)
        )
