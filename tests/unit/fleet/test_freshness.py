from datetime import datetime
from pathlib import Path

import pytest

from siteforge.errors import BackupError
from siteforge.fleet import freshness, places
from siteforge.fleet.archives import DATABASE, FILES, About, Writer
from siteforge.fleet.freshness import Freshness


def write(folder: Path, time: str) -> Path:
    with Writer(folder, "blog") as writer:
        writer.add(DATABASE, [b"CREATE"])
        writer.add(FILES, [b"x"])
        return Path(str(writer.finish(About("blog", time, "wordpress:6.8", "6.8", "mariadb:11.4", "", False)).path))


def seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def test_the_newest_complete_backup_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "_SECONDS", 0.0)
    found = Freshness(tmp_path)
    assert found.seconds(["blog"]) == {"blog": 0}
    write(tmp_path, "2026-11-28T02:15:00Z")
    newest = write(tmp_path, "2026-11-29T02:15:00Z")
    cut = newest.with_name("2026-11-30T021500Z.zip")
    cut.write_bytes(newest.read_bytes()[:-9])
    assert found.seconds(["blog", "shop"]) == {"blog": seconds("2026-11-29T02:15:00Z"), "shop": 0}
    newest.unlink()
    assert found.seconds(["blog"]) == {"blog": seconds("2026-11-28T02:15:00Z")}


def test_a_place_is_asked_now_and_then_only_and_what_was_known_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "2026-11-28T02:15:00Z")
    found = Freshness(tmp_path)
    known = found.seconds(["blog"])

    def gone(_: places.Place) -> list[places.Place]:
        raise BackupError("the store is away")

    monkeypatch.setattr(places, "zips", gone)
    assert found.seconds(["blog"]) == known
    monkeypatch.setattr(freshness, "_SECONDS", 0.0)
    with pytest.raises(BackupError, match="the store is away"):
        found.seconds(["blog"])
    assert found.last == known
