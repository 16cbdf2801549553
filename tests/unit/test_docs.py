"""What docs say, held against the code."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from siteforge import catalogue, document, errors
from siteforge.cli import app, drift
from siteforge.errors import CatalogueError
from siteforge.fleet import defaults
from siteforge.fleet.differences import Actor, Difference, render
from siteforge.fleet.drift import Report
from siteforge.plans import PLANS, ContainerSize
from tests.support import schemas
from tests.support.cli import siteforge

ROOT = Path(__file__).parents[2]
CATALOGUE = (ROOT / "docs" / "catalogue.md").read_text()
CLI = (ROOT / "docs" / "cli.md").read_text()
DRIFT = (ROOT / "docs" / "drift.md").read_text()
INVALID = ROOT / "tests" / "catalogue" / "invalid"


def table(text: str, header: str) -> list[list[str]]:
    """The rows of the table whose first column is headed `header`."""
    lines = text.partition(f"\n| {header} |")[2].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    assert rows, header
    return rows


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def fields(part: dict[str, Any], path: str = "") -> Iterator[str]:
    part = schemas.resolve(part)
    for key, inner in schemas.resolve(part.get("items", part)).get("properties", {}).items():
        yield (name := f"{path}.{key}".lstrip("."))
        yield from fields(inner, name)


def test_every_field_is_in_the_table_and_nothing_else() -> None:
    known = set(fields(schemas.SCHEMA["$defs"]["TenantSpec"]))
    documented: set[str] = set()
    for names, what, _ in table(CATALOGUE, "field"):
        for name in code(names):
            documented |= {name, *(below for below in known if below.startswith(f"{name}.") and covered(below, what))}
    assert documented | {"wordpress", "database"} == known


def covered(field: str, what: str) -> bool:
    """The last part of a field is named in the row of the mapping that it stands in."""
    return field.rpartition(".")[2] in code(what)


def test_the_table_of_plans_is_right() -> None:
    def shown(size: ContainerSize) -> str:
        return f"{size.cpu_request}, {size.memory_request} / {size.cpu_limit}, {size.memory_limit}"

    assert table(CATALOGUE, "plan") == [
        [name, shown(plan.wordpress), plan.wordpress_volume, shown(plan.database), plan.database_volume]
        for name, plan in PLANS.items()
    ]


def test_the_message_that_is_shown_is_what_is_printed() -> None:
    (message,) = re.findall(r"^ {4}(tenants.yaml:.*)$", CATALOGUE, re.MULTILINE)
    assert f"{message}\n" == (INVALID / "no_such_plan.error").read_text()


def test_the_limits_are_right() -> None:
    assert document.MAXIMUM_BYTES == 2**20
    assert "at most 1 MiB," in CATALOGUE
    assert f"at most {document.MAXIMUM_DEPTH} levels deep and {document.MAXIMUM_VALUES:,} values" in CATALOGUE
    assert f"after {errors.MAXIMUM_PROBLEMS:,} mistakes" in CATALOGUE


WRITTEN = table(CATALOGUE, "written")


def read(value: str) -> Any:
    source = document.parse(f"[{value}]".encode(), "")
    assert source.problems == []
    return source.value[0]


@pytest.mark.parametrize("value", code(WRITTEN[0][0]))
def test_words_of_yaml_1_1_are_texts(value: str) -> None:
    assert read(value) == value


def test_constants_and_numbers_are_what_they_look_like() -> None:
    assert [read(value) for value in code(WRITTEN[1][0])] == [True, False, None, None]
    numbers = [read(value) for value in code(WRITTEN[2][0])]
    assert numbers == [2, -1, 0.5, 8.1]
    assert str(numbers[-1]) == "8.10"
    assert read(code(WRITTEN[2][1])[0]) == "8.10"


@pytest.mark.parametrize("value", code(WRITTEN[3][0]))
def test_numbers_that_readers_differ_about_are_mistakes(value: str) -> None:
    (problem,) = document.parse(f"[{value}]".encode(), "").problems
    assert (problem.reason, problem.value) == ("not a plain decimal number", value)


@pytest.mark.parametrize(
    "text", ["[&a 1, *a]", "{a: {}, <<: {}}", "[!tag 1]", "{a: 1, a: 2}", "a\n---\nb"], ids=WRITTEN[4][0].split(", ")
)
def test_what_a_strict_part_of_yaml_leaves_out_is_a_mistake(text: str) -> None:
    assert document.parse(text.encode(), "").problems


def test_the_table_of_commands_is_right() -> None:
    documented = [command.split()[1] for row in table(CLI, "command") for command in code(row[0])]
    commands = [one.name or one.callback.__name__ for one in app.registered_commands if one.callback]
    assert sorted(documented) == sorted([*commands, *(str(group.name) for group in app.registered_groups)])


def lines_of_commands(text: str) -> Iterator[list[str]]:
    """The words after `siteforge` of every command in a document that names one, placeholders left as they are."""
    spans = [" ".join(span.split()) for span in re.findall(r"`(siteforge [^`]+)`", text)]
    for line in spans + re.findall(r"^(?: {4}|\$ )(siteforge .*)$", text, re.MULTILINE):
        words = shlex.split(re.split(r"\s[#>|]|;|&&", line)[0].replace("'", ""))[1:]
        if words and re.fullmatch("[a-z]+", words[0]):
            yield words


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_every_command_that_is_named_exists_with_its_options(path: Path) -> None:
    program = typer.main.get_command(app)
    for words in lines_of_commands(path.read_text()):
        command: Any = program
        while isinstance(getattr(command, "commands", None), dict) and words and not words[0].startswith("-"):
            assert words[0] in command.commands, f"siteforge {' '.join(words)}"
            command, words = command.commands[words[0]], words[1:]
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= known | {"--help"}, (command.name, used - known)


def test_the_runbook_has_every_alert_and_no_other() -> None:
    rules = yaml.safe_load((ROOT / "monitoring" / "alerts.yaml").read_text())
    alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    assert re.findall(r"^## (Siteforge\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE) == alerts


def test_the_json_that_is_shown_is_what_is_printed(tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_bytes((INVALID / "no_such_plan.yaml").read_bytes())
    printed = siteforge("validate", "--output", "json", cwd=tmp_path)
    (shown,) = re.findall(r"```json\n(.*?)```", CLI, re.DOTALL)
    assert json.loads(shown) == json.loads(printed.stdout)
    assert printed.returncode == 2


def test_the_readmes_catalogue_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = tmp_path / "tenants.yaml"
    path.write_text(example)
    try:
        assert [tenant.name for tenant in catalogue.load(path)] == ["blog-aku"]
    except CatalogueError as error:
        pytest.fail(str(error))


def test_the_folder_that_is_shown_is_a_catalogue(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", CATALOGUE, re.DOTALL)
    (tmp_path / "blog-aku.yaml").write_text(example)
    assert [tenant.name for tenant in catalogue.load(tmp_path)] == ["blog-aku"]


def test_what_is_no_drift_is_in_the_table_with_its_reason() -> None:
    assert table(DRIFT, "field") == [[f"`{render(path)}`", reason] for path, reason in defaults.WRITTEN.items()]


def test_the_drift_that_is_shown_is_what_is_printed() -> None:
    scaled = Actor("kubectl", "Update", "scale", "")
    labelled = Actor("kubectl-label", "Update", "", "2026-11-29T01:06:22Z")
    found = [
        Difference("PodDisruptionBudget", "mariadb", "deleted"),
        Difference("Deployment", "wordpress", "changed", "spec.replicas", 1, 2, scaled),
        Difference("Service", "wordpress", "added", "metadata.labels.team", None, "x", labelled),
    ]
    (text,) = re.findall(r"```\n(.*?)```", DRIFT.partition("```json")[0], re.DOTALL)
    assert text.splitlines() == [*drift.lines(Report(3, {"club-otava": found}, [], 17, 0.1))]
    (shown,) = re.findall(r"```json\n(.*?)```", DRIFT, re.DOTALL)
    assert json.loads(shown) == drift.data(Report(3, {"club-otava": found[1:2]}, [], 17, 0.1))
