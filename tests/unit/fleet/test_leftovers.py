import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from siteforge.fleet.leftovers import describe, end, leftovers

START = """
import subprocess, sys, time
processes = [subprocess.Popen(command, cwd=sys.argv[1]) for command in {commands}]
print(*[process.pid for process in processes], flush=True)
time.sleep(60)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder, with programs beside it that have the names of Pulumi's own."""
    for name in ("pulumi", "pulumi-language-python", "pulumi-resource-kubernetes", "unrelated"):
        (tmp_path / name).symlink_to(sys.executable)
    (tmp_path / "pulumi-language-python-exec").write_text("import time; time.sleep(60)")
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


class Run:
    """An engine and the processes that it started."""

    def __init__(self, project: Path, stack: str, address: str, program: str = "pulumi") -> None:
        here = project.parent
        sleep = ["-c", "import time; time.sleep(60)"]
        executor = [sys.executable, str(here / "pulumi-language-python-exec")]
        commands = [
            [str(here / "pulumi-language-python"), *sleep, address],
            [str(here / "pulumi-resource-kubernetes"), *sleep, address],
            [*executor, "--engine", address, "--stack", stack],
            [str(here / "unrelated"), *sleep, address],
        ]
        code = START.format(commands=commands)
        self.engine = subprocess.Popen([here / program, "-c", code, project], stdout=subprocess.PIPE, text=True)
        assert self.engine.stdout
        self.processes = [int(pid) for pid in self.engine.stdout.readline().split()]
        self.plugins = set(self.processes[:3])

    def kill(self) -> None:
        """Kill the engine, and nobody else."""
        self.engine.kill()
        time.sleep(0.1)


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    """Runs of a test; all of their processes are ended after it."""
    made: list[Run] = []
    yield made
    for run in made:
        run.engine.kill()
        end([psutil.Process(pid) for pid in run.processes if psutil.pid_exists(pid)])
        run.engine.communicate()


def found(project: Path, stack: str = "prod") -> set[int]:
    return {process.pid for process in leftovers(project, stack)}


def test_a_living_engine_leaves_nothing(project: Path, runs: list[Run]) -> None:
    runs.append(Run(project, "prod", "127.0.0.1:1111"))
    assert found(project) == set()


def test_language_host_provider_and_program_of_a_killed_engine_are_found_and_nobody_else(
    project: Path, runs: list[Run]
) -> None:
    runs += [Run(project, "prod", "127.0.0.1:1111"), Run(project, "prod", "127.0.0.1:2222")]
    runs[0].kill()
    assert found(project) == runs[0].plugins
    assert found(project.parent) == set(), "another project's folder"


def test_those_of_another_stack_are_not(project: Path, runs: list[Run]) -> None:
    runs += [Run(project, "prod", "127.0.0.1:1111"), Run(project, "staging", "127.0.0.1:2222")]
    for run in runs:
        run.kill()
    assert found(project, "prod") == runs[0].plugins
    assert found(project, "staging") == runs[1].plugins


def test_they_are_ended_even_if_they_refuse(project: Path, runs: list[Run]) -> None:
    runs.append(Run(project, "prod", "127.0.0.1:1111"))
    runs[0].kill()
    processes = leftovers(project, "prod")
    assert {describe(process).partition(" (")[0] for process in processes} == {
        "pulumi-language-python",
        "pulumi-resource-kubernetes",
        "the Python program",
    }
    assert end(processes) == []
    assert found(project) == set()
    assert psutil.pid_exists(runs[0].processes[3]), "the unrelated one lives"
