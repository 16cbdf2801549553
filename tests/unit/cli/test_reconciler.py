from pathlib import Path

import pytest

from siteforge.cli.drift import past
from siteforge.fleet.differences import Actor, Difference
from siteforge.fleet.history import Entry
from tests.support.cli import siteforge


@pytest.mark.parametrize("text", ["20", "-1%", "101%", "a fifth", "20%%", "\x1b[31m%"])
def test_a_share_is_a_percentage(text: str, tmp_path: Path) -> None:
    done = siteforge("reconciler", "--most-drifted", text, cwd=tmp_path)
    assert done.returncode == 2
    assert "no percentage - as in 20%" in done.stderr and "\x1b[31m" not in done.stderr


def test_manifests_need_an_image(tmp_path: Path) -> None:
    done = siteforge("reconciler", "--manifests", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needed with --manifests" in done.stderr


def test_many_pods_are_refused_one_volume(tmp_path: Path) -> None:
    done = siteforge("reconciler", "--manifests", "--image", "i", "--workers", "2", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "many pods can't have one volume's state" in " ".join(done.stderr.replace("│", " ").split())


def test_a_cell_is_for_one_round(tmp_path: Path) -> None:
    done = siteforge("reconciler", "--cell", "0", cwd=tmp_path)
    assert done.returncode == 2
    assert "needs --once" in done.stderr


def test_an_address_is_checked_before_anything_begins(tmp_path: Path) -> None:
    done = siteforge("reconciler", "--listen", "everywhere", cwd=tmp_path)
    assert done.returncode == 2
    assert "no address and port" in done.stderr


def test_the_history_is_told_as_the_documentation_shows_it() -> None:
    shown = (Path(__file__).parents[3] / "docs" / "reconciler.md").read_text()
    scaled = Actor("kubectl", "Update", "scale", "")
    entries = [
        Entry(
            "blog-aku",
            Difference("Deployment", "wordpress", "deleted"),
            "2026-11-29T11:37:57Z",
            "repaired",
            "2026-11-29T11:38:16Z",
        ),
        Entry(
            "blog-aku",
            Difference("Deployment", "wordpress", "changed", "spec.replicas", 1, 2, scaled),
            "2026-11-29T11:40:02Z",
        ),
    ]
    assert "\n".join(["```", *map(past, entries), "```"]) in shown
