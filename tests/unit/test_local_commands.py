import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from local import __main__ as commands
from local.cluster.network import Network
from local.cluster.settings import Ports, Settings
from local.paths import PROJECT
from local.steps import Failure

MAKEFILE = (PROJECT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
REAL = Settings("acab76", Network(214), Ports(), "/programs", simulated=False)
ODD = 'it\'s $HOME; `id` "a\\b" &\n  #é*'


def clean_environment() -> dict[str, str]:
    """Without what an outer `make` leaves for an inner one."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def make(*arguments: str) -> str:
    ended = subprocess.run(
        ["make", *arguments], cwd=PROJECT, env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    return ended.stdout


def bare_python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Python as it is before anything is installed."""
    return subprocess.run([sys.executable, "-S", *arguments], cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Another clone of the local platform, in a folder whose name is hard on a shell."""
    root = tmp_path / ODD
    shutil.copytree(PROJECT / "local", root / "local", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "Makefile", root)
    return root


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], int]:
    """main() with another function behind the command `status`."""

    def run(function: Callable[[], None]) -> int:
        monkeypatch.setitem(commands._COMMANDS, "status", function)
        monkeypatch.setattr(sys, "argv", ["local", "status"])
        return commands.main()

    return run


class Pretended:
    """Stands for a whole module, so that no function of it, old or new, is ever called in truth."""

    def __init__(self, name: str, calls: list[str], answers: dict[str, object]) -> None:
        self._name, self._calls, self._answers = name, calls, answers

    def __getattr__(self, function: str) -> Callable[..., object]:
        def note(*_: object, **__: object) -> object:
            self._calls.append(f"{self._name}.{function}")
            answer = self._answers.get(self._calls[-1])
            if isinstance(answer, Failure):
                raise answer
            return answer

        return note


@pytest.fixture
def answers() -> dict[str, object]:
    """What a function of the pretended modules returns, or raises."""
    return {"cluster.current": REAL, "sites.wait": []}


@pytest.fixture
def done(answers: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the commands call, in order."""
    calls: list[str] = []
    for name in ("cluster", "rendering", "sites", "toolchain", "virtualenv", "workspace"):
        monkeypatch.setattr(commands, name, Pretended(name, calls, answers))
    monkeypatch.setattr("local.__main__.virtualenv.FOLDER", tmp_path / ".venv", raising=False)
    monkeypatch.setattr(commands, "STATE", tmp_path / ".siteforge")
    return calls


PREPARED = ["virtualenv.ensure", "cluster.prepare", "toolchain.ensure"]
PROVISIONED = [*PREPARED, "cluster.start", "workspace.ensure", "workspace.up"]


# Exit statuses and messages


def fail(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "status", "shown"),
    [
        (Failure("no disk", fix="buy one"), 1, "error: no disk\nfix: buy one\n"),
        (Failure("no disk"), 1, "error: no disk\n"),
        (KeyboardInterrupt(), 130, "stopped; run the same command again to go on\n"),
    ],
)
def test_a_failure_is_shown_as_error_and_fix_without_a_traceback(
    error: BaseException,
    status: int,
    shown: str,
    main: Callable[[Callable[[], None]], int],
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(fail(error)) == status
    assert capfd.readouterr() == ("", shown)


def test_a_mistake_of_ours_is_not_dressed_up_as_the_users(main: Callable[[Callable[[], None]], int]) -> None:
    with pytest.raises(ZeroDivisionError):
        main(fail(ZeroDivisionError()))


def test_a_command_that_worked_exits_with_0(main: Callable[[Callable[[], None]], int]) -> None:
    assert main(lambda: None) == 0


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["status", "more"]])
def test_an_unknown_command_line_is_refused(
    arguments: list[str], done: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["local", *arguments])
    with pytest.raises(SystemExit) as caught:
        commands.main()
    assert caught.value.code == 2
    assert "usage: python3 -m local" in capfd.readouterr().err
    assert done == []


def test_the_process_exits_with_1_and_no_traceback(clone: Path) -> None:
    settings = clone / ".siteforge" / "cluster" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text("{")
    ended = bare_python("-m", "local", "status", cwd=clone)
    settings.unlink()
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: ")
    assert "\nfix: delete the cluster" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("version", [(3, 6, 0), (3, 10, 99)])
def test_a_python_that_is_too_old_is_told_so_before_anything_else(clone: Path, version: tuple[int, ...]) -> None:
    ended = bare_python("-c", f"import sys; sys.version_info = {version}; import local.__main__", cwd=clone)
    assert ended.returncode == 1
    assert re.fullmatch(r"error: Python \S+ is too old\nfix: install Python 3\.11 or newer .*\n", ended.stderr)


def test_an_old_python_can_read_what_tells_it_so() -> None:
    ast.parse((PROJECT / "local" / "__init__.py").read_text(), feature_version=(3, 6))
    required = re.search(r'requires-python = ">=3\.(\d+)"', (PROJECT / "pyproject.toml").read_text())
    assert required
    assert (3, int(required[1])) == sys.modules["local"]._OLDEST_PYTHON


# What each command does


def test_prepare_starts_no_cluster(done: list[str]) -> None:
    commands.prepare()
    assert done == PREPARED


def test_render_needs_no_cluster(done: list[str]) -> None:
    commands.render()
    assert done == ["virtualenv.ensure", "rendering.render"]


def test_up_ends_with_sites_that_answer(done: list[str]) -> None:
    commands.up()
    assert done == [*PROVISIONED, "cluster.current", "sites.wait", "sites.show"]


def test_up_does_not_wait_for_simulated_sites_and_says_so(
    done: list[str], answers: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    answers["cluster.current"] = replace(REAL, simulated=True)
    commands.up()
    assert done == [*PROVISIONED, "cluster.current"]
    assert "no site answers" in capfd.readouterr().err


@pytest.mark.parametrize("step", PROVISIONED)
def test_up_ends_where_something_fails(step: str, done: list[str], answers: dict[str, object]) -> None:
    answers[step] = Failure("no")
    with pytest.raises(Failure):
        commands.up()
    assert done == PROVISIONED[: PROVISIONED.index(step) + 1]


def test_down_keeps_all_data(done: list[str], tmp_path: Path) -> None:
    (tmp_path / ".siteforge").mkdir()
    commands.stop()
    assert done == ["cluster.stop"]
    assert (tmp_path / ".siteforge").is_dir()


def test_clean_removes_what_the_clone_made_and_nothing_that_clones_share(
    done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("SITEFORGE_CACHE", str(cache))
    for folder in (tmp_path / ".siteforge", tmp_path / ".venv", cache):
        (folder / "deep").mkdir(parents=True)
    commands.clean()
    commands.clean()
    assert list(tmp_path.iterdir()) == [cache]
    assert done == ["cluster.delete"] * 2
    assert str(cache) in capfd.readouterr().err


def test_clean_keeps_the_state_of_a_cluster_that_cannot_be_deleted(
    done: list[str], answers: dict[str, object], tmp_path: Path
) -> None:
    (tmp_path / ".siteforge").mkdir()
    answers["cluster.delete"] = Failure("still mounted")
    with pytest.raises(Failure):
        commands.clean()
    assert (tmp_path / ".siteforge").is_dir()


# The Makefile


@pytest.mark.parametrize("target", ["up", "test", "check", "down", "clean", "env", "help"])
def test_the_makefile_has_the_target(target: str) -> None:
    assert target in TARGETS


def test_every_target_is_listed_by_make_help_with_what_it_does() -> None:
    listed = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", make("help"), re.MULTILINE))
    assert list(listed) == TARGETS
    assert listed["env"].endswith('eval "$(make -s env)"')


def test_make_alone_only_lists_the_commands() -> None:
    assert make("--dry-run") == make("--dry-run", "help")


def test_no_file_can_stand_for_a_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert sorted(phony[1].split()) == sorted(TARGETS)


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("up", "up"),
        ("test", "prepare"),
        ("test-fast", "environment"),
        ("render", "render"),
        ("scan", "environment"),
        ("check", "environment"),
        ("env", "env"),
        ("status", "status"),
        ("down", "stop"),
    ],
)
def test_a_target_begins_with_its_command_by_the_python_that_is_named(target: str, command: str) -> None:
    first = make("--dry-run", target, "PYTHON=/opt/python").splitlines()[0]
    assert first == f"/opt/python -m local {command}"
    assert command in commands._COMMANDS


def test_clean_clears_the_benchmarks_cluster_and_then_all_else() -> None:
    first, last = make("--dry-run", "clean", "PYTHON=/opt/python").splitlines()
    assert first.partition(" ")[0].endswith("/.siteforge/bench")
    assert first.endswith("/opt/python -m local clean")
    assert last == "/opt/python -m local clean"


@pytest.mark.parametrize(
    ("target", "processes", "tests"),
    [("test", "3", ""), ("test-fast", "auto", " tests/unit tests/components"), ("scan", "auto", " tests/policy")],
)
def test_arguments_reach_pytest_last(target: str, processes: str, tests: str) -> None:
    ran = make("--dry-run", target, "PYTEST_ARGS=-x -k name").splitlines()[1]
    assert ran == f".venv/bin/python -m pytest --dist loadgroup --numprocesses {processes}{tests} -x -k name"


def test_check_runs_every_check() -> None:
    ran = make("--dry-run", "check").splitlines()[1:]
    assert [Path(line.split()[0]).name for line in ran] == ["ruff", "ruff", "mypy", "lint-imports"]


def test_make_env_works_in_any_folder_before_anything_is_installed(clone: Path) -> None:
    script = f'eval "$(make -s env PYTHON="{sys.executable} -S")" && printf %s "$PULUMI_HOME"'
    ended = subprocess.run(["bash", "-c", script], cwd=clone, env=clean_environment(), capture_output=True, text=True)
    assert ended.stderr == ""
    assert ended.stdout == str(clone / ".siteforge" / "pulumi")
