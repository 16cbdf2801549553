import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from siteforge.errors import BackupError
from siteforge.fleet import archives
from siteforge.fleet.archives import DATABASE, FILES, About, Backup, Writer
from tests.support.backups import file

ABOUT = About("blog", "2026-11-29T08:15:00Z", "wordpress:6.8", "6.8", "mariadb:11.4", "https://blog.example.com", False)


def write(folder: Path, time: str = ABOUT.time) -> Backup:
    with Writer(folder, "blog") as writer:
        writer.add(DATABASE, [b"CREATE", b" TABLE"])
        writer.add(FILES, [bytes(range(256)) * 9000])
        return writer.finish(replace(ABOUT, time=time))


def test_a_backup_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = write(tmp_path)
    assert file(written) == tmp_path / "blog" / "2026-11-29T081500Z.zip"
    assert archives.find(tmp_path, "blog", ABOUT.time) == written
    assert b"".join(written.read(DATABASE)) == b"CREATE TABLE"
    assert b"".join(written.read(FILES)) == bytes(range(256)) * 9000
    written.verify()
    assert written.size == 12 + 256 * 9000
    # Whoever has no Siteforge opens it all the same, and nobody else may.
    assert zipfile.ZipFile(file(written)).namelist() == [DATABASE, FILES, "manifest.json"]
    assert file(written).stat().st_mode & 0o077 == 0
    assert file(written).parent.stat().st_mode & 0o077 == 0


def test_the_newest_is_the_first_and_the_latest(tmp_path: Path) -> None:
    times = ["2026-11-29T08:15:00Z", "2027-01-02T00:00:00Z", "2026-12-01T00:00:00Z"]
    for time in times:
        write(tmp_path, time)
    found, problems = archives.listed(tmp_path, "blog")
    assert [one.about.time for one in found] == [times[1], times[2], times[0]]
    assert problems == []
    assert archives.find(tmp_path, "blog", "latest").about.time == times[1]


def test_what_fails_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> "list[bytes]":
        raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"), Writer(tmp_path, "blog") as writer:
        writer.add(DATABASE, [b"CREATE"])
        writer.add(FILES, broken())
    assert [*(tmp_path / "blog").iterdir()] == []


def test_a_backup_that_was_cut_short_anywhere_is_not_listed(tmp_path: Path) -> None:
    whole = file(write(tmp_path)).read_bytes()
    cut = tmp_path / "blog" / "2026-11-30T000000Z.zip"
    lengths = {*range(0, len(whole), max(len(whole) // 40, 1)), *range(len(whole) - 40, len(whole))}
    for length in lengths:
        cut.write_bytes(whole[:length])
        found, (problem,) = archives.listed(tmp_path, "blog")
        assert [one.about.time for one in found] == [ABOUT.time]
        assert problem.startswith(f"{cut}: no complete backup")
        assert archives.find(tmp_path, "blog", "latest").about.time == ABOUT.time
    # A killed one never got its name.
    cut.rename(cut.with_name(".killed.part"))
    assert archives.listed(tmp_path, "blog")[1] == []


def test_a_changed_byte_is_found_before_anything_is_restored(tmp_path: Path) -> None:
    backup = write(tmp_path)
    whole = bytearray(file(backup).read_bytes())
    with zipfile.ZipFile(file(backup)) as archive:
        entry = archive.getinfo(DATABASE)
    # The header of an entry (APPNOTE.TXT, 4.3.7) ends with its name and an extra field of this length.
    start = entry.header_offset + 30 + len(DATABASE) + int.from_bytes(whole[28:30], "little")
    whole[start + entry.compress_size // 2] ^= 1
    file(backup).write_bytes(whole)
    with pytest.raises(BackupError, match=r"database\.sql .* - use another backup"):
        archives.load(file(backup)).verify()


def test_a_part_that_was_exchanged_is_found(tmp_path: Path) -> None:
    backup = write(tmp_path)
    with zipfile.ZipFile(file(backup)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents[DATABASE] = b"DROP A TABLE"
    with zipfile.ZipFile(file(backup), "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with pytest.raises(BackupError, match=r"database\.sql is not what was written"):
        archives.load(file(backup)).verify()


def test_what_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no backup of latest - `siteforge backup blog` makes one"):
        archives.find(tmp_path, "blog", "latest")
    write(tmp_path)
    with pytest.raises(BackupError, match="no backup of yesterday - there are 2026-11-29T08:15:00Z"):
        archives.find(tmp_path, "blog", "yesterday")


def test_two_of_the_same_second_are_not_one(tmp_path: Path) -> None:
    first = file(write(tmp_path)).read_bytes()
    with pytest.raises(BackupError, match="a backup of this second already"):
        write(tmp_path)
    assert file(write(tmp_path, "2026-11-29T08:15:01Z")).parent.joinpath("2026-11-29T081500Z.zip").read_bytes() == first


def test_what_a_killed_backup_left_goes_after_a_day(tmp_path: Path) -> None:
    write(tmp_path)
    old, young = tmp_path / "blog" / ".old.part", tmp_path / "blog" / ".young.part"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    write(tmp_path, "2026-12-01T00:00:00Z")
    assert (old.exists(), young.exists()) == (False, True)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupError, match="can't be written"):
        Writer(tmp_path / "file", "blog")
