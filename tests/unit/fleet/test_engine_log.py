from pathlib import Path

import pytest

from siteforge.fleet import engine_log


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's home of Pulumi, with a login, a plugin and the logs of earlier runs."""
    home = tmp_path / "user"
    (home / "plugins" / "resource-kubernetes").mkdir(parents=True)
    (home / "logs").mkdir()
    (home / "logs" / "earlier.log").touch()
    (home / "credentials.json").write_text("{}")
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (folder := tmp_path / "of-the-run").mkdir()
    return folder


def test_a_run_finds_all_of_the_users_home_but_the_logs(home: Path, folder: Path) -> None:
    assert engine_log.without(folder, {"PULUMI_HOME": str(home)}) == {"PULUMI_HOME": str(folder)}
    assert (folder / "plugins" / "resource-kubernetes").is_dir()
    assert (folder / "credentials.json").read_text() == "{}"
    with pytest.raises(OSError):
        (folder / "logs").mkdir(parents=True, exist_ok=True)
    assert [path.name for path in (home / "logs").iterdir()] == ["earlier.log"]


def test_what_a_run_adds_to_the_plugins_stays(tmp_path: Path, folder: Path) -> None:
    (new := tmp_path / "new").mkdir()
    engine_log.without(folder, {"PULUMI_HOME": str(new)})
    (folder / "plugins" / "resource-random").mkdir()
    assert (new / "plugins" / "resource-random").is_dir()


def test_a_home_named_from_the_working_folder_is_found(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent)
    engine_log.without(folder, {"PULUMI_HOME": home.name})
    assert (folder / "credentials.json").read_text() == "{}"


def test_the_log_is_written_for_whoever_asks_for_it(home: Path, folder: Path) -> None:
    assert engine_log.without(folder, {"PULUMI_HOME": str(home), engine_log.VARIABLE: "yes"}) == {}


def test_a_home_that_is_not_there_yet_is_left_to_pulumi(tmp_path: Path, folder: Path) -> None:
    assert engine_log.without(folder, {"PULUMI_HOME": str(tmp_path / "none")}) == {}
