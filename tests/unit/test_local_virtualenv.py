import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import packages, virtualenv
from local.steps import Failure
from tests.support.programs import Program

LIBRARY = f"python3.{sys.version_info.minor}"
MAKE = f"""
test "$1 $2" = "-m venv" || exit 0
mkdir -p "$3/bin" "$3/lib/{LIBRARY}"
ln -s "$MADE" "$3/bin/python"
echo "#!$3/bin/python" > "$3/bin/pip"
"""
INSTALL = "-m pip --disable-pip-version-check install --quiet"


class Clone:
    """A clone whose Python makes an environment with a pip that only takes notes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.locks = (root / "requirements.txt", root / "requirements-dev.txt")
        root.mkdir()
        for file in (*self.locks, root / "pyproject.toml"):
            file.write_text(file.name)
        self.system = Program(root / "system", "python3", MAKE)
        self.pip = Program(root / "system", "made")
        self.packages: list[list[str]] = []

    def use(self, monkeypatch: pytest.MonkeyPatch) -> "Clone":
        monkeypatch.setenv("MADE", str(self.pip.path))
        monkeypatch.setattr(sys, "executable", str(self.system.path))
        monkeypatch.setattr(virtualenv, "PROJECT", self.root)
        monkeypatch.setattr(virtualenv, "FOLDER", self.folder)
        monkeypatch.setattr(virtualenv, "LOGS", self.root / "logs")
        monkeypatch.setattr(virtualenv, "STATE", self.root / "state")
        monkeypatch.setattr(virtualenv, "_LOCKS", self.locks)
        monkeypatch.setattr(packages, "ensure", self.packages.append)
        return self


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    return Clone(tmp_path / "clone").use(monkeypatch)


def test_exactly_what_the_lock_files_name_is_installed_then_the_project(clone: Clone) -> None:
    assert virtualenv.ensure() == clone.folder / "bin"
    assert clone.system.calls == [f"-m venv {clone.folder}"]
    assert clone.pip.calls == [
        *(f"{INSTALL} --require-hashes --requirement {lock}" for lock in clone.locks),
        f"{INSTALL} --no-deps --no-build-isolation --editable {clone.root}",
    ]


def test_a_second_time_runs_nothing_and_says_nothing(clone: Clone, capfd: pytest.CaptureFixture[str]) -> None:
    virtualenv.ensure()
    capfd.readouterr()
    assert virtualenv.ensure() == clone.folder / "bin"
    assert (len(clone.system.calls), len(clone.pip.calls)) == (1, 3)
    assert capfd.readouterr() == ("", "")


def test_of_two_commands_at_once_one_makes_it_and_the_other_waits(
    clone: Clone, capfd: pytest.CaptureFixture[str]
) -> None:
    Program(clone.pip.path.parent, clone.pip.path.name, "sleep 0.3")
    with ThreadPoolExecutor() as commands:
        made = list(commands.map(lambda _: virtualenv.ensure(), range(2)))
    assert made == [clone.folder / "bin"] * 2
    assert (len(clone.system.calls), len(clone.pip.calls)) == (1, 3)
    assert ", which makes the Python environment" in capfd.readouterr().err


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "pyproject.toml"])
def test_another_lock_or_project_file_is_installed_into_the_same_environment(clone: Clone, file: str) -> None:
    virtualenv.ensure()
    (clone.root / file).write_text("changed")
    virtualenv.ensure()
    assert (len(clone.system.calls), len(clone.pip.calls)) == (1, 6)


def test_what_pip_refuses_is_told_and_tried_again(clone: Clone) -> None:
    Program(clone.pip.path.parent, clone.pip.path.name, "echo 'ERROR: hashes do not match'; exit 1")
    with pytest.raises(Failure, match="hashes do not match"):
        virtualenv.ensure()
    Program(clone.pip.path.parent, clone.pip.path.name)
    virtualenv.ensure()
    assert (len(clone.system.calls), len(clone.pip.calls)) == (1, 4)


def test_an_environment_of_another_python_is_made_anew(clone: Clone) -> None:
    virtualenv.ensure()
    (clone.folder / "lib" / LIBRARY).rename(clone.folder / "lib" / "python3.0")
    virtualenv.ensure()
    assert (len(clone.system.calls), len(clone.pip.calls)) == (2, 6)
    assert not (clone.folder / "lib" / "python3.0").exists()


@pytest.mark.parametrize("missing", ["python", "pip"])
def test_an_environment_that_was_half_made_is_made_anew(clone: Clone, missing: str) -> None:
    virtualenv.ensure()
    (clone.folder / "bin" / missing).unlink()
    virtualenv.ensure()
    assert len(clone.system.calls) == 2


@pytest.mark.parametrize("place", ["/elsewhere/.venv", "/mnt{folder}"], ids=["renamed", "mounted elsewhere"])
def test_an_environment_whose_clone_was_moved_is_made_anew(clone: Clone, place: str) -> None:
    virtualenv.ensure()
    (clone.folder / "bin" / "pip").write_text(f"#!{place.format(folder=clone.folder)}/bin/python\n")
    virtualenv.ensure()
    assert len(clone.system.calls) == 2


def test_an_environment_whose_path_has_a_space_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = Clone(tmp_path / "my clone").use(monkeypatch)
    virtualenv.ensure()
    # What pip writes instead of `#!`, which ends at a space.
    (clone.folder / "bin" / "pip").write_text(
        f"#!/bin/sh\n'''exec' \"{clone.folder}/bin/python\" \"$0\" \"$@\"\n' '''\n"
    )
    virtualenv.ensure()
    assert len(clone.system.calls) == 1


def test_what_debian_keeps_in_a_package_of_its_own_is_installed(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    virtualenv.ensure()
    assert clone.packages == [[f"{LIBRARY}-venv"]]


def test_the_key_changes_with_python_and_each_file(clone: Clone) -> None:
    keys = {virtualenv._key(clone.locks, "3.11.0"), virtualenv._key(clone.locks, "3.11.1")}
    for file in (*clone.locks, clone.root / "pyproject.toml"):
        file.write_text("changed")
        keys.add(virtualenv._key(clone.locks, "3.11.0"))
    assert len(keys) == 5
    assert virtualenv._key(clone.locks, "3.11.0") in keys


@pytest.mark.skipif(Path(sys.prefix) != virtualenv.FOLDER, reason="runs in another environment")
def test_the_environment_that_runs_this_is_not_made_anew() -> None:
    assert virtualenv._usable()
