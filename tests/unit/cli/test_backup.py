from pathlib import Path

import pytest

from siteforge.cli.backup import _words, rule
from siteforge.fleet import places
from tests.support.cli import siteforge


@pytest.mark.parametrize("given", [(), ("--to", "/backups"), ("--image", "i"), ("--to", "/b", "--image", "i", "blog")])
def test_manifests_are_of_every_tenant_and_need_an_image_and_a_place(given: tuple[str, ...], tmp_path: Path) -> None:
    everyone = () if "blog" in given else ("--all",)
    done = siteforge("backup", *everyone, *given, "--manifests", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs --all, --image and --to" in done.stderr


def test_a_volume_is_mounted_at_an_absolute_path(tmp_path: Path) -> None:
    done = siteforge("backup", "--all", "--to", "backups", "--image", "i", "--manifests", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "backups: not from / on" in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize("to", ["s3://bucket/prod", "/backups"])
def test_the_pod_is_told_what_the_command_was(to: str) -> None:
    words = list(_words(places.parse(to), [rule("7"), rule("30d"), rule("1h30m")], jobs=4, maintenance=True))
    assert words == ["--to", to, "--keep", "7", "--keep", "30d", "--keep", "90m", "--jobs", "4", "--maintenance"]
    assert rule("90m") == rule("1h30m")
    assert list(_words(places.parse(to), [], jobs=1, maintenance=False)) == ["--to", to]
