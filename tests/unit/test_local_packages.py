import os
import re
import shutil
from pathlib import Path

import pytest

from local import packages
from local.paths import PROJECT
from local.steps import Failure
from tests.support.programs import Program

DATABASE = """
printf '%s\\n' 'present installed' 'removed config-files' 'purged not-installed' 'broken half-configured'
echo 'dpkg-query: no packages found matching absent' >&2
exit 1
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DEBIAN_FRONTEND", "dialog")
    monkeypatch.setattr(packages, "_LOG", tmp_path / "packages.log")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path / "bin"


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs Debian's own database")
def test_debians_own_database_is_asked() -> None:
    assert packages.missing(["dpkg", "no-such-package-at-all"]) == ["no-such-package-at-all"]


def test_only_a_package_that_is_fully_installed_is_there(programs: Path) -> None:
    Program(programs, "dpkg-query", DATABASE)
    asked = ["broken", "present", "removed", "purged", "absent"]
    assert packages.missing(iter(asked)) == ["broken", "removed", "purged", "absent"]


def test_what_is_installed_is_not_installed_again(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Program(programs, "dpkg-query", DATABASE)
    apt = Program(programs, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    packages.ensure(["present"])
    assert apt.calls == []


def test_exactly_what_is_missing_is_installed_without_a_question(programs: Path) -> None:
    Program(programs, "dpkg-query", DATABASE)
    apt = Program(programs, "apt-get", "echo frontend=$DEBIAN_FRONTEND")
    packages.ensure(name for name in ("present", "absent", "removed"))
    assert apt.calls == ["-q update", "-q install -y --no-install-recommends absent removed"]
    assert (programs.parent / "packages.log").read_text().count("frontend=noninteractive") == 2


def test_without_root_the_command_to_run_is_told(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Program(programs, "dpkg-query", DATABASE)
    apt = Program(programs, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Failure, match="needs root: absent") as caught:
        packages.ensure(["present", "absent"])
    assert caught.value.fix == "sudo apt-get install absent"
    assert apt.calls == []


def test_what_apt_objects_to_is_told(programs: Path) -> None:
    Program(programs, "dpkg-query", DATABASE)
    Program(programs, "apt-get", "echo 'E: Unable to locate package absent' >&2; exit 100")
    with pytest.raises(Failure, match="E: Unable to locate package absent"):
        packages.ensure(["absent"])


def test_another_system_is_told_what_it_can_do(programs: Path) -> None:
    with pytest.raises(Failure, match="no apt-get here") as caught:
        packages.ensure(["present"])
    assert "KUBECONFIG" in caught.value.fix


def test_a_section_of_the_readme_that_a_message_names_is_there() -> None:
    headings = re.findall(r"^## (.+)$", (PROJECT / "README.md").read_text(), re.MULTILINE)
    code = "".join(path.read_text() for path in (PROJECT / "local").rglob("*.py"))
    named = re.findall(r"README, '(.+?)'", code)
    assert named
    assert set(named) <= set(headings)
