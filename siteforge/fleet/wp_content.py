"""An archive of `wp-content` that comes from elsewhere: judged to its last byte before anything of it is used.

Only folders, files, and links that stay inside are let through, with names, modes and times and nothing else, so that
whatever unpacks it can write nowhere but below the folder it is unpacked in.
"""

import contextlib
import gzip
import io
import stat
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tarfile import TarInfo
from typing import IO, Final

from siteforge.errors import BackupError, printable

ROOT: Final = "wp-content"

_GZIP = b"\x1f\x8b"
_PIECE_BYTES = 2**20
_AGAIN = f"pack it again in the site's folder: tar --create --gzip --file {ROOT}.tar.gz {ROOT}"


def check(path: Path) -> int:
    """Read all of it. Returns the size of its files together, in bytes.

    Raises:
        BackupError: it can't be read to its end, or holds what no site needs.
    """
    return sum(len(piece) for _, pieces in _members(path) for piece in pieces)


def tar(path: Path) -> Iterator[bytes]:
    """The same as a tar file, plain and with nothing but what is let through, piece by piece.

    Raises:
        BackupError: as `check`.
    """
    for member, pieces in _members(path):
        yield member.tobuf(tarfile.PAX_FORMAT)
        yield from pieces
        yield bytes(-member.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _members(path: Path) -> Iterator[tuple[TarInfo, Iterator[bytes]]]:
    """What is in it, with the content of files, which is to be read before the next."""
    names: dict[PurePosixPath, TarInfo] = {}
    with _reading(path), path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        # A buffer of its own: looking back into a gzip file would read it from its beginning.
        source = io.BufferedReader(gzip.GzipFile(fileobj=file), _PIECE_BYTES) if packed else file
        with tarfile.open(fileobj=source, mode="r:") as archive:
            for found in archive:
                member = _clean(path, found)
                name = PurePosixPath(member.name)
                if names.setdefault(name, member).type != member.type:
                    raise _refused(path, f"{found.name} is in it twice, and not the same")
                if member.islnk() and names.get(PurePosixPath(member.linkname), member).type != tarfile.REGTYPE:
                    raise _refused(path, f"{found.name} is a link to {found.linkname}, which is no file before it")
                yield member, _content(path, archive, found) if member.isreg() else iter(())
            source.seek(archive.offset)
        _check_end(path, source)
    _check_links(path, names)


def _content(path: Path, archive: tarfile.TarFile, member: TarInfo) -> Iterator[bytes]:
    content, left = archive.extractfile(member), member.size
    assert content is not None
    while left:
        with _reading(path):
            piece = content.read(min(left, _PIECE_BYTES))
        left -= len(piece)
        yield piece


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise _refused(path, f"it can't be read to its end ({reason})") from None


def _check_end(path: Path, source: IO[bytes]) -> None:
    """A tar file ends with blocks of zeros: without one, or with something else, it is not whole."""
    size = 0
    while piece := source.read(_PIECE_BYTES):
        size += len(piece)
        if piece.strip(b"\0"):
            raise _refused(path, "it is damaged in the middle")
    if size < tarfile.BLOCKSIZE:
        raise _refused(path, "it was cut short")


def _clean(path: Path, found: TarInfo) -> TarInfo:
    """What is let through of a member."""
    name = _inside(path, found.name)
    member = TarInfo(str(name))
    member.mtime = max(int(found.mtime), 0)
    if found.isdir():
        member.type, member.mode = tarfile.DIRTYPE, 0o755
    elif name == PurePosixPath(ROOT):
        raise _refused(path, f"{ROOT} is no folder in it")
    elif found.isreg():
        member.type, member.mode = tarfile.REGTYPE, 0o755 if found.mode & stat.S_IXUSR else 0o644
        member.size = found.size
        if found.size < 0:
            raise _refused(path, f"{found.name} has no size")
    elif found.islnk():
        member.type, member.linkname = tarfile.LNKTYPE, str(_inside(path, found.linkname))
    elif found.issym():
        member.type, member.linkname = tarfile.SYMTYPE, found.linkname
    else:
        raise _refused(path, f"{found.name} is neither file, folder nor link")
    return member


def _inside(path: Path, name: str) -> PurePosixPath:
    parts = PurePosixPath(name).parts
    if not parts or parts[0] != ROOT or ".." in parts:
        raise _refused(path, f"{name} is not inside {ROOT}")
    return PurePosixPath(*parts)


def _check_links(path: Path, names: dict[PurePosixPath, TarInfo]) -> None:
    """No member lies behind a link, and no link leads out, whatever other links it passes through."""
    if not names:
        raise _refused(path, "it is empty")
    links = {name: member.linkname for name, member in names.items() if member.issym()}
    for name in names:
        if behind := next((parent for parent in name.parents if parent in links), None):
            raise _refused(path, f"{name} lies behind {behind}, which is a link")
    for name, target in links.items():
        at = name.parent
        for number, part in enumerate(parts := PurePosixPath(target).parts):
            at = at.parent if part == ".." else at / part
            last = number == len(parts) - 1
            if target.startswith("/") or at.parts[:1] != (ROOT,) or (at in links and not last):
                raise _refused(path, f"{name} is a link to {target}, which may lead out of {ROOT}")


def _refused(path: Path, reason: str) -> BackupError:
    return BackupError(f"{path}: {printable(reason)}; nothing was changed - {_AGAIN}")
