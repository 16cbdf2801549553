"""Deterministic tar files: everything root's, with the epoch as its time, in the order it is added."""

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path


def create(target: Path) -> tarfile.TarFile:
    """An empty tar file to add to; the caller closes it."""
    return tarfile.open(target, "w", format=tarfile.PAX_FORMAT)


def add_file(archive: tarfile.TarFile, name: str, content: bytes | Path, mode: int = 0o644) -> None:
    """Add a file, whoever owns the source and whenever it changed."""
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    if isinstance(content, bytes):
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
        return
    entry.size = content.stat().st_size
    with content.open("rb") as file:
        archive.addfile(entry, file)


def add_folder(archive: tarfile.TarFile, name: str, mode: int = 0o755) -> None:
    """Add an empty folder, or set the mode of one that a lower layer has."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    archive.addfile(entry)


def add_link(archive: tarfile.TarFile, name: str, to: str) -> None:
    """Add a symbolic link."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, to, 0o777
    archive.addfile(entry)


def add_tree(archive: tarfile.TarFile, base: Path, files: Iterable[Path]) -> None:
    """Add files below `base` by their places in it, as 0755 where their owner may run them, else 0644.

    Folders are left out: those that exist in a lower layer keep their owners and modes.
    """
    for path in files:
        mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
        add_file(archive, str(path.relative_to(base)), path, mode)
