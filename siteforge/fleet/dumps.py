"""A dump of a database that comes from elsewhere, plain or gzipped: whether it came to its end, and its content."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from siteforge.errors import BackupError, printable

COMPLETE: Final = b"-- Dump completed"
"""The last line of a dump of mariadb-dump or mysqldump that came to its end."""

_PROGRAMS = (b"-- MariaDB dump", b"-- MySQL dump")
"""How such a dump begins, unless it was made without comments."""
_GZIP = b"\x1f\x8b"
_PIECE_BYTES = 2**20
_ENDS_BYTES = 4096


def read(path: Path) -> Iterator[bytes]:
    """The dump, piece by piece, decompressed.

    Raises:
        BackupError: it can't be read to its end.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            source = gzip.GzipFile(fileobj=file) if packed else file
            while piece := source.read(_PIECE_BYTES):
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise _refused(path, f"it can't be read to its end ({reason})") from None


def check(path: Path) -> int:
    """Read all of it. Returns its size in bytes, decompressed.

    Raises:
        BackupError: it is no dump, or was cut short.
    """
    head, tail, size = b"", b"", 0
    for piece in read(path):
        head = head or piece[:_ENDS_BYTES]
        tail = (tail + piece[-_ENDS_BYTES:])[-_ENDS_BYTES:]
        size += len(piece)
    if not head.strip() or b"\0" in head:
        raise _refused(path, "it is no SQL")
    last = tail.rstrip().rpartition(b"\n")[2].strip()
    told = any(program in head for program in _PROGRAMS)
    if not (COMPLETE in tail if told else last.startswith(b"--") or last.endswith((b";", b"*/"))):
        raise _refused(path, f"it was cut short: its last line is {last[-60:].decode(errors='replace')!r}")
    return size


def _refused(path: Path, reason: str) -> BackupError:
    return BackupError(f"{path}: {printable(reason)}; nothing was changed - make the dump again (docs/moving.md)")
