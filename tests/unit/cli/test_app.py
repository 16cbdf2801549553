import importlib.metadata
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from siteforge.cli import app
from tests.support.cli import siteforge

CATALOGUE = Path(__file__).parents[3] / "tenants.yaml"
COMMANDS = sorted(one.name or one.callback.__name__ for one in app.registered_commands if one.callback)


def test_without_arguments_it_shows_its_commands() -> None:
    shown = siteforge()
    assert "Usage: siteforge" in shown.stdout + shown.stderr
    assert all(command in shown.stdout + shown.stderr for command in COMMANDS)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(command: str) -> None:
    shown = siteforge(*filter(None, [command, "--help"]))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"Usage: siteforge {command}".strip() in shown.stdout


OWN_FORM = {"schema", "redact", "metrics", "reconciler"}
"""JSON Schema, a filtered log, Prometheus' text; a log and metrics."""


def leaves(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """The commands, by name, those of a group after its name."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from leaves(one, f"{above}{name} ")
        else:
            yield f"{above}{name}", one


def test_every_result_is_to_be_had_as_json() -> None:
    found = dict(leaves(get_command(app)))
    assert "cells add" in found
    as_json = {
        name
        for name, one in found.items()
        for option in one.params
        if "--output" in option.opts and "json" in map(str, option.type_descriptor.annotation)
    }
    assert found.keys() - as_json == OWN_FORM


def test_it_tells_its_version() -> None:
    shown = siteforge("--version")
    assert (shown.returncode, shown.stdout) == (0, f"siteforge {importlib.metadata.version('siteforge')}\n")


@pytest.mark.parametrize(
    "arguments",
    [["vaildate"], ["--nope"], ["validate", "--nope"], ["validate", "a", "b"], ["validate", "--output", "xml"]],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_says_how_it_is_used(arguments: list[str]) -> None:
    shown = siteforge(*arguments)
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert "Usage: siteforge" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_the_command_line_does_not_import_pulumi() -> None:
    code = "import sys, siteforge.cli; print(*[name for name in sys.modules if name.startswith('pulumi')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_validate_answers_within_a_second() -> None:
    times = []
    for _ in range(4):
        before = processor_seconds()  # and not the clock: the machine may be busy
        assert siteforge("validate", CATALOGUE).returncode == 0
        times.append(processor_seconds() - before)
    assert min(times) < 1, times
