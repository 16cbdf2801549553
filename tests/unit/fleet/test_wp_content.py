import gzip
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from siteforge.errors import BackupError
from siteforge.fleet import wp_content

LONG = "wp-content/uploads/" + "ä" * 120 + "/" + "b" * 90


def member(name: str, content: bytes | None = None, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    found = tarfile.TarInfo(name)
    if content is None and "type" not in fields:
        found.type = tarfile.DIRTYPE
    found.size = len(content or b"")
    for field, value in fields.items():
        setattr(found, field, value)
    return found, content or b""


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.SYMTYPE, linkname=target)


def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as written:
        for one, data in members:
            written.addfile(one, io.BytesIO(data))
    path.write_bytes(gzip.compress(content.getvalue()) if path.suffix == ".gz" else content.getvalue())
    return path


USUAL = (
    member("./wp-content"),
    member("./wp-content/plugins/own/run.php", b"<?php", mode=0o4755, uid=0, uname="root", mtime=1700000000),
    member("./wp-content/uploads/empty", b""),
    member(LONG, bytes(range(256)) * 10),
    symlink("wp-content/object-cache.php", "plugins/own/run.php"),
    symlink("wp-content/uploads/back", "../plugins"),
    member("wp-content/twin", type=tarfile.LNKTYPE, linkname="./wp-content/plugins/own/run.php"),
)


@pytest.mark.parametrize("name", ["wp-content.tar", "wp-content.tar.gz"])
def test_a_usual_archive_is_unpacked_by_tar_as_it_is_without_odd_rights(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / name, *USUAL)
    assert wp_content.check(path) == 5 + 2560
    target = tmp_path / "site"
    target.mkdir()
    # As fleet/restore.py does.
    unpack = ["tar", f"--directory={target}", "--extract", "--file=-", "--strip-components=1"]
    subprocess.run(unpack, input=b"".join(wp_content.tar(path)), check=True)
    script = target / "plugins/own/run.php"
    assert (
        script.read_bytes() == (target / "twin").read_bytes() == (target / "object-cache.php").read_bytes() == b"<?php"
    )
    assert (target / LONG.removeprefix("wp-content/")).read_bytes() == bytes(range(256)) * 10
    assert (target / "uploads/empty").read_bytes() == b""
    assert (target / "uploads/back/own").is_dir()
    assert script.stat().st_mode & 0o7777 & ~0o022 == 0o755
    assert script.stat().st_mtime == 1700000000


HOSTILE = {
    "absolute": [member("/wp-content/x", b"x")],
    "up": [member("wp-content/../x", b"x")],
    "far up": [member("wp-content/a/../../../etc/x", b"x")],
    "elsewhere": [member("wp-config.php", b"x")],
    "not a folder": [member("wp-content", b"x")],
    "link out": [symlink("wp-content/a", "/etc")],
    "link up": [symlink("wp-content/a", "../wp-config.php")],
    "link up and in": [symlink("wp-content/a", "../wp-content/b")],
    "link through a link": [symlink("wp-content/a", "."), symlink("wp-content/b", "a/../wp-config.php")],
    "link through a later link": [symlink("wp-content/u/b", "../a/../x"), symlink("wp-content/a", "u")],
    "behind a link": [symlink("wp-content/a", "uploads"), member("wp-content/a/x", b"x")],
    "twice": [symlink("wp-content/a", "uploads"), member("wp-content/a")],
    "link of its own": [symlink("wp-content", "elsewhere")],
    "hard link out": [member("wp-content/a", type=tarfile.LNKTYPE, linkname="etc/passwd")],
    "hard link to a link": [
        symlink("wp-content/a", "b"),
        member("wp-content/c", type=tarfile.LNKTYPE, linkname="wp-content/a"),
    ],
    "hard link to nothing": [member("wp-content/a", type=tarfile.LNKTYPE, linkname="wp-content/b")],
    "device": [member("wp-content/a", type=tarfile.CHRTYPE)],
    "pipe": [member("wp-content/a", type=tarfile.FIFOTYPE)],
    "empty": [],
}


@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    path = (
        archive(tmp_path / "wp-content.tar.gz", member("wp-content"), *members) if members else tmp_path / "empty.tar"
    )
    if not members:
        archive(path)
    with pytest.raises(BackupError, match=r"nothing was changed - pack it again in the site's folder: tar --create"):
        wp_content.check(path)


def test_an_archive_that_was_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    for name in ("a.tar", "a.tar.gz"):
        path = archive(tmp_path / name, *USUAL)
        whole = path.read_bytes()
        # Python pads a tar file with zeros to a multiple of 10 KiB, of which no reader needs more than the first.
        needed = len(whole.rstrip(b"\0")) // 512 * 512 + 512 if name == "a.tar" else len(whole)
        for length in sorted({*range(0, needed, 101), *range(0, needed, 512), needed - 1}):
            path.write_bytes(whole[:length])
            with pytest.raises(BackupError, match="nothing was changed"):
                wp_content.check(path)


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", *USUAL)
    whole = bytearray(path.read_bytes())
    whole[512] ^= 1
    path.write_bytes(whole)
    with pytest.raises(BackupError, match="damaged in the middle"):
        wp_content.check(path)
