"""A Pulumi stack of the real program, with a project folder, backend and catalogue of its own."""

import copy
import json
import os
import re
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import images, workspace
from siteforge.fleet import history, records, release_records
from siteforge.fleet.reconciler import lease
from tests.support.commands import kubectl, run

ROOT = Path(__file__).parents[2]
PREFIX = "e2e-"
"""Every tenant of a test begins so: what a crashed run left is found by it."""


@dataclass
class Result:
    """What one run of Pulumi did."""

    code: int
    output: str

    @property
    def counts(self) -> dict[str, int]:
        """Resources by what happened to them: created, updated, deleted, replaced, unchanged."""
        summary = self.output.rpartition("Resources:")[2]
        words = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced"}
        found = re.findall(r"(\d+) (?:to )?(\w+)", summary.partition("Duration:")[0])
        return {words.get(word, word): int(count) for count, word in found if word not in ("changes",)}

    @property
    def updates(self) -> set[str]:
        """The kinds, in lower case, that a preview with --diff shows an update for."""
        return {kind.lower() for kind in re.findall(r"~ kubernetes:[\w./]+:(\w+): \(update\)", self.output)}


class Stack:
    """A stack of the real program on the real cluster."""

    def __init__(self, folder: Path, name: str, backend: str = "") -> None:
        self.folder, self.name = folder, name
        folder.mkdir()
        (folder / "state").mkdir()
        project = (ROOT / "Pulumi.yaml").read_text().replace(".venv", str(ROOT / ".venv"))
        (folder / "Pulumi.yaml").write_text(project)
        shutil.copy(ROOT / "__main__.py", folder)
        self.environment = {
            "PULUMI_BACKEND_URL": backend or f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
        }
        (folder / "passphrase").write_text("a passphrase of this test")
        self.pulumi("stack", "init", name)
        self.configure("wordpressImage", images.WORDPRESS)
        self.configure("databaseImage", images.MARIADB)
        self.configure("imagePullPolicy", "IfNotPresent")
        # Tests remove what they made; those of these safeguards set them themselves.
        self.configure("deletionProtection", "false")
        self.configure("removablePercent", "100")

    def beside(self, name: str) -> "Stack":
        """Another stack of the same project folder and backend, which is there already or will be."""
        other = copy.copy(self)
        other.name, other.environment = name, self.environment | {"PULUMI_STACK": name}
        return other

    def pulumi(self, *arguments: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run Pulumi in the stack's folder."""
        command = ["pulumi", "--non-interactive", *arguments]
        return run(command, cwd=self.folder, env=self.environment, check=check, stdin=stdin)

    def siteforge(self, *arguments: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in the stack's folder."""
        command = [str(ROOT / ".venv" / "bin" / "siteforge"), *arguments]
        return run(command, cwd=self.folder, env=self.environment | variables, check=check)

    def start(self, *arguments: str, stdout: int, stderr: int, **variables: str) -> "subprocess.Popen[str]":
        """Begin what `siteforge` runs to its end: in a session of its own, so that signals reach it alone."""
        return subprocess.Popen(
            [str(ROOT / ".venv" / "bin" / "siteforge"), *arguments],
            cwd=self.folder,
            env=workspace.environment(os.environ) | self.environment | variables,
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def configure(self, key: str, value: str) -> None:
        """Set a value of the stack's configuration."""
        self.pulumi("config", "set", f"siteforge:{key}", value)

    def catalogue(self, text: str) -> None:
        """Write the catalogue; the text may be indented."""
        (self.folder / "tenants.yaml").write_text(textwrap.dedent(text))

    def up(self, *, check: bool = True) -> Result:
        """Plain `pulumi up`."""
        return self._result(self.pulumi("up", "--yes", "--skip-preview", "--suppress-progress", check=check))

    def preview(self, *, check: bool = True) -> Result:
        """`pulumi preview --diff`."""
        return self._result(self.pulumi("preview", "--diff", "--suppress-progress", check=check))

    def refresh(self) -> Result:
        """`pulumi refresh`."""
        return self._result(self.pulumi("refresh", "--yes", "--skip-preview", "--suppress-progress"))

    def destroy(self) -> Result:
        """`pulumi destroy`; what `siteforge up` and a reconciler remember of the stack goes, too."""
        done = self._result(self.pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress"))
        configmaps = (records.name, history.name, release_records.name)
        known = [f"configmap/{name('siteforge', self.name)}" for name in configmaps]
        self.forget(*known, f"lease/{lease('siteforge', self.name)}")
        return done

    @staticmethod
    def forget(*known: str) -> None:
        """Delete what Siteforge remembers in the cluster: objects as `configmap/NAME`."""
        kubectl("delete", *known, "-n", records.HOME, "--ignore-not-found", check=False)

    def output(self, name: str) -> Any:
        """A stack output, secrets shown."""
        return json.loads(self.pulumi("stack", "output", name, "--json", "--show-secrets").stdout)

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state."""
        exported = json.loads(self.pulumi("stack", "export").stdout)
        return list(exported["deployment"].get("resources", []))

    @staticmethod
    def _result(done: subprocess.CompletedProcess[str]) -> Result:
        return Result(done.returncode, done.stdout + done.stderr)


def remove_leftovers() -> None:
    """Delete the namespaces that a crashed run of the tests left, and the volumes that outlived some."""
    names = kubectl("get", "namespaces", "-o", "name").split()
    left = [name for name in names if name.startswith(f"namespace/{PREFIX}")]
    if left:
        kubectl("delete", *left, "--timeout=120s")
    remove_kept_volumes(PREFIX)


def remove_kept_volumes(prefix: str) -> None:
    """Delete the volumes that were kept of namespaces whose names begin so: with another policy, their data go too."""
    found = json.loads(kubectl("get", "pv", "-o", "json"))["items"]
    kept = [
        one["metadata"]["name"]
        for one in found
        if one["spec"].get("claimRef", {}).get("namespace", "").startswith(prefix)
        and one["status"].get("phase") == "Released"
    ]
    if kept:
        patch = json.dumps({"spec": {"persistentVolumeReclaimPolicy": "Delete"}})
        kubectl("patch", "pv", *kept, "--type=merge", "-p", patch)
