import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import paths


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "/home/aku/.cache/siteforge"),
        ({"XDG_CACHE_HOME": ""}, "/home/aku/.cache/siteforge"),
        ({"XDG_CACHE_HOME": "/var/cache"}, "/var/cache/siteforge"),
        ({"XDG_CACHE_HOME": "/var/cache", "SITEFORGE_CACHE": "/big disk/cache"}, "/big disk/cache"),
        ({"SITEFORGE_CACHE": "~/built"}, "/home/aku/built"),
        ({"SITEFORGE_CACHE": "/a/../b"}, "/b"),
    ],
)
def test_the_cache_is_where_the_environment_says(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SITEFORGE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (variables | {"HOME": "/home/aku"}).items():
        monkeypatch.setenv(name, value)
    assert paths.cache() == Path(expected)


def test_a_relative_cache_does_not_depend_on_later_changes_of_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SITEFORGE_CACHE", "here")
    assert paths.cache() == tmp_path / "here"


def test_the_project_is_the_clone_that_holds_this_test() -> None:
    assert Path(__file__).parents[2].resolve() == paths.PROJECT


@pytest.mark.skipif(
    shutil.which("git") is None or not (paths.PROJECT / ".git").exists(), reason="needs git and a clone"
)
@pytest.mark.parametrize("path", [paths.STATE, paths.LOGS, paths.PROJECT / ".venv"])
def test_git_ignores_what_belongs_to_the_clone_alone(path: Path) -> None:
    assert subprocess.run(["git", "check-ignore", "--quiet", path / "file"], cwd=paths.PROJECT).returncode == 0


@pytest.mark.parametrize(
    ("value", "expected"), [("", paths.PROJECT / ".siteforge"), ("/else/where", Path("/else/where"))]
)
def test_another_state_folder_can_be_named(value: str, expected: Path) -> None:
    command = [sys.executable, "-c", "from local import paths; print(paths.STATE, paths.LOGS, sep='\\n')"]
    environment = os.environ | {"SITEFORGE_STATE": value}
    done = subprocess.run(command, cwd=paths.PROJECT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(expected), str(expected / "logs")]
