"""From a recipe to its archive in the cache: keyed, resumable, and built once however many ask at a time."""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from local import locks, packages
from local.images import tar
from local.images.oci import write_archive
from local.images.recipes import Recipe
from local.images.source import Source, architecture
from local.paths import LOGS, cache
from local.steps import Failure, step

_FORMAT = 1
"""To be raised when this package's code starts to write other bytes for an unchanged recipe."""


def layer_key(source: Source) -> str:
    """The cache key of a source's layer: it changes with the recipe, its files and the architecture."""
    return _digest([repr(_FORMAT), architecture(), repr(source)], list(source.inputs()))


def archive_key(recipe: Recipe) -> str:
    """The cache key of an archive: its layers', with the files laid over them and the images' settings."""
    keys = [layer_key(source) for source in recipe.sources]
    return _digest([*keys, repr(recipe)], overlay(recipe.files), base=recipe.files)


def archive_path(recipe: Recipe) -> Path:
    """Where the finished archive of a recipe is, or will be."""
    return _folder() / f"{recipe.name}-{archive_key(recipe)}.oci.tar"


def _layer_path(recipe: Recipe, source: Source) -> Path:
    return _folder() / "layers" / f"{recipe.name}-{layer_key(source)}.tar"


def overlay(files: Path | None) -> list[Path]:
    """The files below a recipe's folder, in a fixed order."""
    if files is None:
        return []
    return sorted(path for path in files.rglob("*") if path.is_file())


def build(recipe: Recipe) -> Path:
    """Make the archive of a recipe unless it is there.

    Safe to be killed and run again: whatever has its final name is complete.

    Raises:
        Failure: a tool is missing or failed, the disk is full, or this user may not do what it takes.
    """
    archive = archive_path(recipe)
    if archive.exists():
        return archive
    if any(source.needs_root for source in recipe.sources) and os.geteuid() != 0:
        raise Failure(f"making the image {recipe.name} needs root, for a Debian root folder of its own", fix="use sudo")
    packages.ensure(tool for source in recipe.sources for tool in source.tools)
    try:
        with locks.held(_folder() / ".lock", "makes images"), _scratch() as scratch:
            if not archive.exists():
                with step(f"image {recipe.name}"):
                    _make(recipe, archive, scratch)
                layers = {_layer_path(recipe, source) for source in recipe.sources}
                _forget_older(recipe, keep={archive, *layers})
    except OSError as error:
        raise Failure(
            f"the image {recipe.name} could not be written to {_folder()}: {error}",
            fix="make room there (2 GB will do), or let SITEFORGE_CACHE name another folder",
        ) from error
    return archive


def _make(recipe: Recipe, archive: Path, scratch: Path) -> None:
    layers = [_layer_path(recipe, source) for source in recipe.sources]
    for source, layer in zip(recipe.sources, layers, strict=True):
        if not layer.exists():
            layer.parent.mkdir(exist_ok=True)
            source.build(scratch / "layer.tar", scratch, LOGS / f"image-{recipe.name}.log")
            (scratch / "layer.tar").replace(layer)
    if recipe.files is not None:
        with tar.create(scratch / "files.tar") as files:
            tar.add_tree(files, recipe.files, overlay(recipe.files))
        layers.append(scratch / "files.tar")
    write_archive(scratch / "image.tar", recipe.images, layers, architecture())
    (scratch / "image.tar").replace(archive)


def _forget_older(recipe: Recipe, keep: set[Path]) -> None:
    """Remove what earlier recipes made, unless it is recent: other clones, at other commits, share the cache."""
    limit = time.time() - recipe.kept_days * 24 * 3600
    for folder in (_folder(), _folder() / "layers"):
        for path in folder.glob(f"{recipe.name}-*.tar"):
            if path not in keep and path.stat().st_mtime < limit:
                path.unlink()


def _digest(texts: list[str], files: list[Path], base: Path | None = None) -> str:
    total = hashlib.sha256()
    for text in texts:
        total.update(f"{len(text)}:{text}".encode())
    for path in files:
        content = path.read_bytes()
        name = path.relative_to(base) if base else path.name
        mode = path.stat().st_mode & 0o100
        total.update(f"{name}:{mode}:{len(content)}:".encode() + content)
    return total.hexdigest()[:16]


def _folder() -> Path:
    return cache() / "images"


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """An empty folder beside the archives, so that a rename completes them; only under the lock."""
    folder = _folder() / ".scratch"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
