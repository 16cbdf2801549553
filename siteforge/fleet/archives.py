"""Backups as they lie in a folder or a bucket (fleet/places.py): one zip file each, whose manifest is written last.

    PLACE/TENANT/2026-11-29T081500Z.zip
        database.sql    what the database holds, as SQL
        wp-content.tar  the files of the site
        manifest.json   whose it is, of when, and size and SHA-256 of each part

A zip file has its table of contents at its end, and gets its name when it is complete and on the disk: one that was cut
short is no backup, and isn't listed as one. Any unzip opens it.
"""

import contextlib
import hashlib
import json
import os
import secrets
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from siteforge.errors import BackupError, printable
from siteforge.fleet import places
from siteforge.fleet.places import Place

DATABASE: Final = "database.sql"
FILES: Final = "wp-content.tar"
_MANIFEST: Final = "manifest.json"

LATEST: Final = "latest"

_FORMAT = 1
_PIECE_BYTES = 2**20
_KILLED_SECONDS = 86400
_FASTEST = 1
"""Of deflate: images and videos, which most of a site's bytes are, shrink by no other either."""


@dataclass(frozen=True)
class Part:
    """A file in a backup."""

    name: str
    size: int
    """In bytes."""
    sha256: str


@dataclass(frozen=True)
class About:
    """What a backup is of."""

    tenant: str
    time: str
    """RFC 3339, in UTC, to the second: since when nothing of it changed."""
    wordpress_image: str
    wordpress_version: str
    database_image: str
    url: str
    """The site's public address; empty if it has none."""
    maintenance: bool
    """Whether visitors were kept out meanwhile."""


@dataclass(frozen=True)
class Backup:
    """A complete backup."""

    path: Place
    about: About
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """In bytes, of its parts, which are compressed in the file."""
        return sum(part.size for part in self.parts)

    def verify(self) -> None:
        """Read all of it.

        Raises:
            BackupError: a part is not as it was written.
        """
        for part in self.parts:
            for _ in self.read(part.name):
                pass

    def read(self, name: str) -> Iterator[bytes]:
        """The content of a part, piece by piece; who got all of it knows that it is whole.

        Raises:
            BackupError: it is not as it was written.
        """
        (part,) = (one for one in self.parts if one.name == name)
        digest, size = hashlib.sha256(), 0
        try:
            with (
                places.opened(self.path) as file,
                zipfile.ZipFile(file) as archive,
                archive.open(name) as content,
            ):
                while piece := content.read(_PIECE_BYTES):
                    digest.update(piece)
                    size += len(piece)
                    yield piece
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
            raise _damaged(self.path, f"{name} can't be read ({error})") from None
        if (size, digest.hexdigest()) != (part.size, part.sha256):
            raise _damaged(self.path, f"{name} is not what was written")


class Writer:
    """A backup that is being written; without `finish` nothing of it stays.

    Args:
        place: where backups are; what is to go to a bucket is put together in a temporary folder.
        tenant: whose it is.

    Raises:
        BackupError: the folder can't be written.
    """

    def __init__(self, place: Place, tenant: str) -> None:
        self._place = place / tenant
        self._own = None if isinstance(self._place, Path) else tempfile.TemporaryDirectory(prefix="siteforge-")
        self._folder = Path(self._own.name) if self._own else Path(str(self._place))
        try:
            # Whoever may read a backup has the site, the passwords of its users among it.
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _forget_killed(self._folder)
            self._temporary = self._folder / f".{secrets.token_hex(8)}.part"
            self._file = os.fdopen(os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        except OSError as error:
            raise BackupError(
                f"{self._folder.parent} can't be written ({error.strerror}) - name another folder"
            ) from None
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=_FASTEST)
        self._parts: list[Part] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._zip.close()
        with contextlib.suppress(OSError, ValueError):
            self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self._temporary.unlink()
        if self._own:
            self._own.cleanup()

    def add(self, name: str, content: Iterable[bytes]) -> None:
        """Write a part.

        Raises:
            BackupError: it can't be written.
        """
        digest, size = hashlib.sha256(), 0
        with self._writing(), self._zip.open(name, "w", force_zip64=True) as opened:
            for piece in content:
                digest.update(piece)
                size += len(piece)
                opened.write(piece)
        self._parts.append(Part(name, size, digest.hexdigest()))

    def finish(self, about: About) -> Backup:
        """Complete it: from now on it is listed.

        Raises:
            BackupError: it can't be written, or there is one of this second.
        """
        path = self._place / f"{about.time.replace(':', '')}.zip"
        manifest = {"format": _FORMAT, **asdict(about), "parts": [asdict(part) for part in self._parts]}
        with self._writing():
            self._zip.writestr(_MANIFEST, json.dumps(manifest, indent=2) + "\n")
            self._zip.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            places.give(self._temporary, path)
        return Backup(path, about, tuple(self._parts))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BackupError(f"{self._folder} can't be written ({error.strerror}) - make room there") from None


def listed(place: Place, tenant: str) -> tuple[list[Backup], list[str]]:
    """The complete backups of a tenant, the newest first, and what is wrong with files that look like some."""
    found, problems = [], []
    for path in places.zips(place / tenant):
        try:
            found.append(load(path))
        except BackupError as error:
            problems.append(str(error))
    return sorted(found, key=lambda one: one.about.time, reverse=True), sorted(problems)


def find(place: Place, tenant: str, moment: str) -> Backup:
    """The backup of a time, as `listed` tells it, or the latest.

    Raises:
        BackupError: there is none, or it is not complete.
    """
    found, problems = listed(place, tenant)
    if moment == LATEST and found:
        return found[0]
    for one in found:
        if one.about.time == moment:
            return one
    told = "".join(f"\n{problem}" for problem in problems)
    known = ", ".join(one.about.time for one in found[:5])
    fix = f"there are {known}" if known else f"`siteforge backup {tenant}` makes one"
    raise BackupError(f"{place / tenant}: no backup of {printable(moment)} - {fix}{told}")


def load(path: Place) -> Backup:
    """What the manifest of a backup says.

    Raises:
        BackupError: the file is no complete backup.
    """
    try:
        with places.opened(path) as file, zipfile.ZipFile(file) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
            parts = tuple(Part(**part) for part in manifest.pop("parts"))
            written = {name: archive.getinfo(name).file_size for name in archive.namelist() if name != _MANIFEST}
        if manifest.pop("format") != _FORMAT:
            raise BackupError(f"{path}: written by another version of Siteforge - restore it with that one")
        about = About(**manifest)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"no complete backup ({error})") from None
    if written != {part.name: part.size for part in parts}:
        raise _damaged(path, "its parts are not those of its manifest")
    return Backup(path, about, parts)


def _forget_killed(folder: Path) -> None:
    """Remove what backups left that were killed long ago; one that is being written has just changed."""
    for path in folder.glob(".*.part"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _KILLED_SECONDS:
                path.unlink()


def now() -> str:
    """The time as backups are named by it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _damaged(path: Place, reason: str) -> BackupError:
    return BackupError(f"{path}: {printable(reason)} - use another backup")
