import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from local import toolchain, workspace
from tests.e2e.conftest import SECRET
from tests.support.clone import Clone
from tests.support.commands import kubectl
from tests.support.stack import ROOT, Stack
from tests.support.workflows import Runner

TENANT = "e2e-merged"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


class Repository:
    """A clone with a catalogue of one tenant and a stack, as a team would keep it."""

    def __init__(self, folder: Path) -> None:
        self.clone = Clone(folder / "clone")
        self.stack = Stack(folder / "stack", "merged")
        self.stack.pulumi("config", "set", "--secret", "siteforge:secret", stdin=SECRET)
        (self.clone.folder / "Pulumi.merged.yaml").write_text((self.stack.folder / "Pulumi.merged.yaml").read_text())
        (folder / "runner").mkdir()
        self.runner = Runner(
            self.clone.folder,
            folder / "runner",
            {
                "vars.PULUMI_BACKEND_URL": self.stack.environment["PULUMI_BACKEND_URL"],
                "vars.SITEFORGE_STACK": "merged",
                "secrets.PULUMI_CONFIG_PASSPHRASE": "a passphrase of this test",
                "secrets.KUBECONFIG": Path(workspace.environment(os.environ)["KUBECONFIG"]).read_text(),
            },
        )
        self.declare("A merged title")

    def declare(self, title: str, **fields: object) -> None:
        tenant = {"name": TENANT, "title": title, "adminEmail": "owner@example.com", "plan": "nano", **fields}
        (self.clone.folder / "tenants.yaml").write_text(yaml.safe_dump({"tenants": [tenant]}))


@pytest.fixture(scope="module")
def repository(running_cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    folder = tmp_path_factory.mktemp("merged")
    made = Repository(folder)
    yield made
    # The stack's own folder has the same state.
    (made.stack.folder / "tenants.yaml").write_text((made.clone.folder / "tenants.yaml").read_text())
    made.stack.destroy()


def resources() -> str:
    return kubectl(
        "get", "-n", TENANT, "deployment/wordpress", "-o", "jsonpath={.spec.template.spec.containers[0].resources}"
    )


def test_what_is_merged_is_deployed_and_its_state_is_told(repository: Repository) -> None:
    job = repository.runner.run("up")
    assert job.failed == "", job.output
    assert job.done[-1] == "Tell how every tenant is"
    assert TENANT in job.summary
    assert "Ready" in job.summary
    assert "a passphrase of this test" not in job.output
    assert SECRET not in job.output


def test_a_pull_request_is_told_what_would_change_and_changes_nothing(repository: Repository) -> None:
    before = resources()
    repository.declare("A merged title", wordpress={"resources": {"limits": {"memory": "384Mi"}}})
    job = repository.runner.run("preview")
    assert job.failed == "", job.output
    assert "384Mi" in job.output
    assert resources() == before
    repository.declare("A merged title")


def test_a_pull_request_with_a_mistake_fails_and_says_where(repository: Repository) -> None:
    repository.declare("A merged title", plan="nan")
    job = repository.runner.run("preview")
    assert job.failed == "Tell every mistake in the catalogue"
    assert "did you mean nano?" in job.output
    assert "Tell what would change" not in job.done
    repository.declare("A merged title")


def test_drift_fails_its_job_and_is_told_in_the_summary(repository: Repository) -> None:
    # Other tests have namespaces in this cluster that its catalogue doesn't know: those are told in both runs.
    assert TENANT not in repository.runner.run("drift").summary
    kubectl("label", "-n", TENANT, "service/wordpress", "app.kubernetes.io/part-of=somebody", "--overwrite")
    drifted = repository.runner.run("drift")
    assert drifted.failed == "Compare"
    assert "somebody" in drifted.summary.partition(f"{TENANT}:")[2]


def test_every_workflow_is_as_its_linter_wants_it() -> None:
    toolchain.ensure(["actionlint"])
    program = toolchain.folder("actionlint") / "bin" / "actionlint"
    done = subprocess.run([program, *WORKFLOWS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_linter_finds_a_mistake(tmp_path: Path) -> None:
    toolchain.ensure(["actionlint"])
    program = toolchain.folder("actionlint") / "bin" / "actionlint"
    wrong = WORKFLOWS[0].read_text().replace("secrets.PULUMI_CONFIG_PASSPHRASE", "secret.PULUMI_CONFIG_PASSPHRASE")
    (tmp_path / "wrong.yml").write_text(wrong)
    done = subprocess.run([program, tmp_path / "wrong.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "secret" in done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_no_more_rights_than_it_needs_and_nobody_elses_code_in_it(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"]["contents"] == "read"
    assert set(workflow["permissions"]) <= {"contents", "pull-requests"}
    (job,) = workflow["jobs"].values()
    assert job["timeout-minutes"] <= 120
    triggers = workflow[True]  # YAML 1.1 reads the key `on` as a boolean
    assert "pull_request_target" not in triggers
    if "pull_request" in triggers:
        assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    for step in job["steps"]:
        assert "${{" not in step.get("run", "")
