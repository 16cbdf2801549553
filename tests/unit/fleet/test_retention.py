from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from siteforge.fleet import archives, retention
from siteforge.fleet.archives import DATABASE, FILES, About, Writer
from siteforge.fleet.retention import Rule

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = 86400


def write(folder: Path, *days: int) -> None:
    """Backups of so many days ago."""
    for ago in days:
        time = (NOW - timedelta(days=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
        with Writer(folder, "blog") as writer:
            writer.add(DATABASE, [b"CREATE"])
            writer.add(FILES, [b"x"])
            writer.finish(About("blog", time, "wordpress:6.8", "6.8", "mariadb:11.4", "", False))


def left(folder: Path) -> list[int]:
    times = [datetime.fromisoformat(one.about.time) for one in archives.listed(folder, "blog")[0]]
    return [(NOW - time).days for time in times]


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ([], [0, 1, 2, 8, 40]),
        ([Rule(newest=2)], [0, 1]),
        ([Rule(newest=9)], [0, 1, 2, 8, 40]),
        ([Rule(seconds=2 * DAY)], [0, 1, 2]),
        ([Rule(newest=4), Rule(seconds=DAY)], [0, 1, 2, 8]),
        ([Rule(newest=1), Rule(seconds=30 * DAY)], [0, 1, 2, 8]),
    ],
)
def test_what_a_rule_keeps_stays_and_the_rest_goes(tmp_path: Path, rules: list[Rule], kept: list[int]) -> None:
    write(tmp_path, 40, 8, 2, 1, 0)
    removed = retention.prune(tmp_path, "blog", rules, NOW)
    assert left(tmp_path) == kept
    assert len(removed) == 5 - len(kept)
    assert not any(Path(str(one.path)).exists() for one in removed)


def test_the_last_good_one_stays_whatever_its_age(tmp_path: Path) -> None:
    write(tmp_path, 400)
    # A newer one that was cut short is none.
    whole = next((tmp_path / "blog").iterdir()).read_bytes()
    (tmp_path / "blog" / "2026-11-29T000000Z.zip").write_bytes(whole[:-9])
    assert retention.prune(tmp_path, "blog", [Rule(newest=1), Rule(seconds=1)], NOW) == []
    assert left(tmp_path) == [400]
    assert len([*(tmp_path / "blog").iterdir()]) == 2
