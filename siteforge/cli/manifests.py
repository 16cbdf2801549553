"""Printing the objects that run Siteforge in the cluster."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from siteforge.errors import SettingsError

if TYPE_CHECKING:
    from siteforge.fleet.project import Project
    from siteforge.specs.manifest import Manifest
    from siteforge.specs.runner import Runner

_CONFIG_MAP_BYTES = 1024 * 1024


def runner(project: "Project", name: str, image: str) -> "Runner":
    """Who runs Siteforge for a project, in the namespace that has what Siteforge remembers.

    Raises:
        SettingsError: a ConfigMap can't hold the project's files.
    """
    from siteforge.fleet.records import HOME
    from siteforge.specs.runner import Runner

    return Runner(name, image, project.stack, HOME, _files(project))


def show(made: "Iterable[Manifest]") -> None:
    """Print objects as `kubectl apply` takes them."""
    import yaml

    typer.echo(yaml.safe_dump_all(made, sort_keys=False), nl=False)


def _files(project: "Project") -> dict[str, str]:
    """What a ConfigMap has of a project: the catalogue, the cells, and what the configuration of each stack says."""
    settings = project.configuration
    wanted = [settings.catalogue, *([settings.cells] if settings.cells else [])]
    wanted += [Path(f"Pulumi.{name}.yaml") for name in sorted({project.stack, *project.cells.stacks})]
    for path in wanted:
        if len(path.parts) > 1 or not (project.folder / path).is_file():
            raise SettingsError(
                f"{path}: no file beside Pulumi.yaml, and so none that a ConfigMap can hold"
                " - mount the project's files as a volume in its place (docs/reconciler.md)"
            )
    files = {str(path): (project.folder / path).read_text(encoding="utf-8") for path in wanted}
    size = sum(len(text.encode()) for text in files.values())
    if size > _CONFIG_MAP_BYTES:
        raise SettingsError(
            f"the catalogue and the configuration have {size} bytes, and a ConfigMap holds {_CONFIG_MAP_BYTES}"
            " - mount them as a volume in its place (docs/reconciler.md)"
        )
    return files
