"""Where backups lie: a folder, or what begins with a prefix in an S3-compatible bucket.

A bucket's credentials, region and endpoint come from the environment only, by the names that all tools of S3 know
(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL), or from the machine that this runs on. An
object appears there when all of it has arrived, and not before.
"""

import contextlib
import functools
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from siteforge.errors import BackupError, SettingsError, printable

if TYPE_CHECKING:
    from obstore import ReadableFile
    from obstore.store import S3Store

_SCHEME: Final = "s3://"
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_ENDING = "*.zip"
_READ_BYTES = 8 * 2**20
_PART_BYTES, _MOST_PARTS, _PARTS_AT_ONCE = 8 * 2**20, 10_000, 4
_CONNECT, _REQUEST, _RETRY = timedelta(seconds=10), timedelta(seconds=120), timedelta(seconds=30)
_RETRIES = 3


@dataclass(frozen=True, order=True)
class Key:
    """An object of a bucket, or all whose keys begin with it and a slash: as far as backups need it, a path."""

    bucket: str
    key: str = ""

    def __truediv__(self, name: str) -> "Key":
        return Key(self.bucket, f"{self.key}/{name}" if self.key else name)

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """Its last part."""
        return self.key.rpartition("/")[2]


Place = Path | Key


def parse(text: str) -> Place:
    """The place that a text names: `s3://bucket/prefix`, or else a folder.

    Raises:
        SettingsError: it is neither.
    """
    if "://" not in text:
        return Path(text)
    parts = urlsplit(text)
    if "@" in parts.netloc:
        # Not told again: it would be in a log then, too.
        raise SettingsError("credentials in an address - use AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise SettingsError(f"{printable(text)}: neither a folder nor {_SCHEME}BUCKET/PREFIX - write one of them")
    return Key(parts.netloc, parts.path.strip("/"))


def zips(place: Place) -> list[Place]:
    """What is in a place whose name ends as those of backups do, in no order.

    Raises:
        BackupError: a bucket can't be asked.
    """
    if isinstance(place, Path):
        return [*place.glob(_ENDING)]
    import obstore

    with _asking(place):
        found = obstore.list_with_delimiter(_bucket(place.bucket), place.key)["objects"]
        keys = (Key(place.bucket, one["path"]) for one in found)
        return [key for key in keys if Path(key.name).match(_ENDING)]


def exists(place: Place) -> bool:
    """Whether it is there.

    Raises:
        BackupError: a bucket can't be asked.
    """
    if isinstance(place, Path):
        return place.exists()
    import obstore

    with _asking(place):
        try:
            obstore.head(_bucket(place.bucket), place.key)
        except FileNotFoundError:
            return False
    return True


@contextlib.contextmanager
def opened(place: Place) -> Iterator[IO[bytes]]:
    """What is there, to be read in any order.

    Raises:
        OSError: it can't be read.
        BackupError: a bucket can't be asked.
    """
    if isinstance(place, Path):
        with place.open("rb") as file:
            yield file
        return
    import obstore

    with _asking(place):
        reader = obstore.open_reader(_bucket(place.bucket), place.key, buffer_size=_READ_BYTES)
    yield io.BufferedReader(_Raw(reader, place))


def give(file: Path, place: Place) -> None:
    """Put a finished file there, at once and as a whole; a folder gets the file itself, which has to be beside it.

    Raises:
        OSError: it can't be written.
        BackupError: there is one already, or a bucket doesn't take it.
    """
    if exists(place):
        raise BackupError(f"{place}: there is a backup of this second already - try again")
    if isinstance(place, Path):
        file.rename(place)
        folder = os.open(place.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        return
    import obstore

    with _asking(place):
        size = part_bytes(file.stat().st_size)
        obstore.put(_bucket(place.bucket), place.key, file, chunk_size=size, max_concurrency=_PARTS_AT_ONCE)


def part_bytes(size: int) -> int:
    """The size of the parts in which so many bytes are sent: never too many (S3's quotas: 10,000), nor too small."""
    return max(_PART_BYTES, -(-size // _MOST_PARTS))


def remove(place: Place) -> None:
    """Remove it.

    Raises:
        OSError: a folder can't be written.
        BackupError: a bucket doesn't do it.
    """
    if isinstance(place, Path):
        place.unlink()
        return
    import obstore

    with _asking(place):
        obstore.delete(_bucket(place.bucket), place.key)


@functools.cache
def _bucket(name: str) -> "S3Store":
    from obstore.store import S3Store

    # Whoever names an endpoint without TLS means it, as with other tools of S3.
    plain = any(os.environ.get(variable, "").startswith("http://") for variable in _ENDPOINTS)
    return S3Store(
        name,
        client_options={"connect_timeout": _CONNECT, "timeout": _REQUEST, "allow_http": plain},
        retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY},
    )


@contextlib.contextmanager
def _asking(place: Key) -> Iterator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, FileNotFoundError, ValueError) as error:
        said = printable(str(error).partition("\n")[0])
        raise BackupError(
            f"{place}: {said} - look at the bucket, and at the variables AWS_... (docs/backup.md)"
        ) from None


class _Raw(io.RawIOBase):
    """A reader of obstore's, as Python's own files are."""

    def __init__(self, reader: "ReadableFile", place: Key) -> None:
        super().__init__()
        self._reader, self._place = reader, place

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on from there; nothing is asked for yet."""
        with _asking(self._place):
            return int(self._reader.seek(offset, whence))

    def readinto(self, buffer: Any) -> int:
        """Read as much as is asked for at most."""
        with _asking(self._place):
            content = memoryview(self._reader.read(len(buffer)))
        buffer[: len(content)] = content
        return len(content)
