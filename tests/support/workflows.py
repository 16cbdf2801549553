"""GitHub Actions' workflows, run here step by step: the scripts as they are, Pulumi's action by what it runs."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from local import workspace

_DEADLINE_SECONDS = 600.0

_ELSEWHERE = ("actions/checkout@", "actions/setup-python@")
"""Actions whose work is done already: the files are there, and so is Python."""


@dataclass
class Job:
    """A job that was run."""

    output: str = ""
    failed: str = ""
    """The step that failed; empty if none did."""
    done: list[str] = field(default_factory=list)
    """The steps that ran, in order, that one included."""
    summary: str = ""


class Runner:
    """Runs the one job of a workflow.

    Args:
        folder: the repository.
        scratch: an empty folder for the runner's own files.
        values: of the expressions `vars.X`, `secrets.X` and so on.
        environment: variables besides this machine's.
    """

    def __init__(
        self, folder: Path, scratch: Path, values: Mapping[str, str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._folder, self._scratch, self._values = folder, scratch, values
        self._environment = dict(environment or {})

    def run(self, workflow: str) -> Job:
        """Run all steps up to one that fails, and after it those that are for that."""
        document = _load(self._folder / ".github" / "workflows" / f"{workflow}.yml")
        (job,) = document["jobs"].values()
        files = {name: self._scratch / name.lower() for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        runner = {name: str(file) for name, file in files.items()} | {"RUNNER_TEMP": str(self._scratch)}
        found = Job()
        for step, inputs in self._steps(job["steps"]):
            if found.failed and "cancelled()" not in str(step.get("if", "")):
                continue
            name = step.get("name") or step.get("uses", "")
            found.done.append(name)
            variables = {
                key: self._filled(value, inputs) for key, value in (job.get("env", {}) | step.get("env", {})).items()
            }
            later = dict(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
            path = os.pathsep.join([*reversed(files["GITHUB_PATH"].read_text().splitlines()), self._path()])
            environment = {**workspace.environment(os.environ), **self._environment, **runner, **variables, **later}
            command = self._command(step, inputs)
            if command is None:
                continue
            done = subprocess.run(
                command,
                cwd=self._folder,
                env=environment | {"PATH": path},
                capture_output=True,
                text=True,
                timeout=_DEADLINE_SECONDS,
                check=False,
            )
            found.output += done.stdout + done.stderr
            if done.returncode and not found.failed:
                found.failed = name
        found.summary = files["GITHUB_STEP_SUMMARY"].read_text()
        return found

    def _path(self) -> str:
        return workspace.environment(os.environ)["PATH"]

    def _steps(self, steps: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """The steps, with those of an action of the repository in its place, and that action's inputs."""
        for step in steps:
            uses = step.get("uses", "")
            if not uses.startswith("./"):
                yield step, {}
                continue
            inputs = {f"inputs.{name}": self._filled(value, {}) for name, value in step.get("with", {}).items()}
            for inner in _load(self._folder / uses / "action.yml")["runs"]["steps"]:
                yield inner, inputs

    def _command(self, step: dict[str, Any], inputs: Mapping[str, str]) -> list[str] | None:
        if script := step.get("run"):
            assert "${{" not in script, "an expression in a script is code that others may write"
            # As GitHub runs it: docs.github.com, "jobs.<job_id>.steps[*].shell".
            return ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        uses = step["uses"]
        if uses.startswith(_ELSEWHERE):
            return None
        assert uses.startswith("pulumi/actions@"), f"nothing here knows {uses}"
        given = {name: self._filled(str(value), inputs) for name, value in step.get("with", {}).items()}
        if "command" not in given:
            return None  # it installs Pulumi, which is here
        flags = ["--diff"] if given.get("diff") == "True" else []
        return ["pulumi", given["command"], "--stack", given["stack-name"], "--non-interactive", *flags]

    def _filled(self, text: str, inputs: Mapping[str, str]) -> str:
        return re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda found: {**self._values, **inputs}[found[1]], text)


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())
