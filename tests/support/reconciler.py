"""Siteforge in the cluster: its image, its objects, and what it tells of itself."""

import json
import re
from collections.abc import Iterator
from typing import Any

from local import cluster, images
from siteforge.fleet import history
from siteforge.fleet.reconciler import NAME, lease
from siteforge.fleet.records import HOME
from tests.support.commands import kubectl, run
from tests.support.stack import Stack


class Reconciler:
    """The Deployment of a stack's reconciler, made by the manifests that the command prints."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        cluster.add_images([images.siteforge()])

    def apply(self, *options: str) -> None:
        """Make it or change it."""
        secret = ("create", "secret", "generic", NAME, "-n", HOME, "--dry-run=client", "-o", "json")
        passphrase = f"--from-file=passphrase={self._stack.environment['PULUMI_CONFIG_PASSPHRASE_FILE']}"
        command = ("reconciler", "--manifests", "--image", images.SITEFORGE, *options)
        kubectl("apply", "-f", "-", stdin=self._stack.siteforge(*command).stdout)
        kubectl("apply", "-f", "-", stdin=kubectl(*secret, passphrase))

    def remove(self) -> None:
        """Remove all of it, the state too."""
        own = ("-l", f"app.kubernetes.io/name={NAME}", "--ignore-not-found", "--timeout=180s")
        kinds = "deployment,service,configmap,serviceaccount,role,rolebinding,persistentvolumeclaim"
        kubectl("delete", kinds, "-n", HOME, *own)
        kubectl("delete", "clusterrole,clusterrolebinding", *own)
        for target in (
            f"secret/{NAME}",
            f"lease/{lease('siteforge', self._stack.name)}",
            f"configmap/{history.name('siteforge', self._stack.name)}",
        ):
            kubectl("delete", target, "-n", HOME, "--ignore-not-found")

    def pods(self) -> list[str]:
        """The names of its pods whose container runs."""
        found = json.loads(kubectl("get", "pods", "-n", HOME, "-l", f"app.kubernetes.io/name={NAME}", "-o", "json"))
        return [
            one["metadata"]["name"]
            for one in found["items"]
            if "deletionTimestamp" not in one["metadata"]
            and any("running" in status["state"] for status in one["status"].get("containerStatuses", []))
        ]

    def metrics(self) -> dict[str, dict[str, float]]:
        """The metrics of each pod that tells them, by name with labels."""
        told = {}
        for pod in self.pods():
            text = kubectl("get", "--raw", f"/api/v1/namespaces/{HOME}/pods/{pod}:9464/proxy/metrics", check=False)
            if text:
                told[pod] = dict(_parsed(text))
        return told

    def leader(self) -> str:
        """The pod that leads; empty for none."""
        leading = [pod for pod, told in self.metrics().items() if told.get("siteforge_reconciler_leading") == 1]
        assert len(leading) <= 1, leading
        return leading[0] if leading else ""

    def metric(self, name: str) -> float:
        """What the leader tells; -1 without one."""
        leader = self.leader()
        return self.metrics().get(leader, {}).get(name, -1.0) if leader else -1.0

    def log(self) -> str:
        """What its pods logged, of the containers that run."""
        return "\n".join(kubectl("logs", "-n", HOME, pod, check=False) for pod in self.pods())

    def inside(self, pod: str, command: str) -> str:
        """Run a shell's command in a pod, in the project's folder; returns what it prints and is not checked."""
        shell = ["sh", "-c", f"cd ~/project && {command}"]
        done = run(["kubectl", "exec", "-n", HOME, pod, "--", *shell], check=False)
        return done.stdout + done.stderr

    def history(self) -> list[dict[str, Any]]:
        """What `siteforge drift --history` tells."""
        found: list[dict[str, Any]] = json.loads(self._stack.siteforge("drift", "--history", "--output", "json").stdout)
        return found


def _parsed(text: str) -> Iterator[tuple[str, float]]:
    for name, value in re.findall(r"^(siteforge_\S+) (\S+)$", text, re.MULTILINE):
        yield name, float(value)
