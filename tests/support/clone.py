"""A clone of this repository, used as a new user uses it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.commands import run
from tests.support.site import Site
from tests.support.stack import ROOT, Stack


class Clone:
    """A clone of this repository, with what is not committed yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("clone", "--quiet", str(ROOT), str(folder), cwd=ROOT)
        listed = self.git("ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT)
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self.git("add", "--all")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=cwd or self.folder, check=True, capture_output=True, text=True).stdout

    def shell(self, script: str, *, deadline: float = 600) -> str:
        """What a script prints to a user who has nothing prepared in the shell."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "KUBE"))}
        command = ["bash", "-euc", script]
        done = subprocess.run(
            command, cwd=self.folder, env=clean, capture_output=True, text=True, timeout=deadline, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def kubeconfig(self) -> Path:
        """That of its cluster."""
        return self.folder / ".siteforge" / "cluster" / "kubeconfig"

    def kubectl(self, *arguments: str, check: bool = True, stdin: str = "") -> str:
        """What kubectl prints of its cluster."""
        return run(["kubectl", f"--kubeconfig={self.kubeconfig}", *arguments], check=check, stdin=stdin).stdout

    def site(self, tenant: str) -> Site:
        """The site of a tenant of its catalogue, once `make up` was done."""
        shown = self.shell('eval "$(make -s env)"; pulumi stack output adminPasswords --show-secrets --json')
        address = self.kubectl("get", "service", "wordpress", "-n", tenant, "-o", "jsonpath={.spec.clusterIP}")
        return Site(tenant, json.loads(shown)[tenant], address)

    def stack(self, folder: Path, name: str) -> Stack:
        """A stack of other tenants in its cluster, of the program that is tested."""
        made = Stack(folder, name)
        made.environment["KUBECONFIG"] = str(self.kubeconfig)
        made.pulumi(
            "config", "set", "--secret", "siteforge:secret", stdin="a secret of the tests, long enough to be one"
        )
        return made
