"""Siteforge in the cluster: its image, its objects, and what it tells of itself."""

import contextlib
import json
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from local import cluster, images, workspace
from siteforge.fleet.reconciler import NAME
from siteforge.fleet.records import HOME
from tests.support.commands import kubectl, run
from tests.support.stack import Stack
from tests.support.waiting import eventually

SECONDS = 120
_JOB_SECONDS = 420
"""Of several pods one after the other, each of which runs Pulumi, on a machine that does much else."""


class Reconciler:
    """The Deployment or CronJob of a stack's reconciler, made by the manifests that the command prints."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        cluster.add_images([images.siteforge()])

    def apply(self, *options: str) -> None:
        """Make it or change it."""
        secret = ("create", "secret", "generic", NAME, "-n", HOME, "--dry-run=client", "-o", "json")
        passphrase = f"--from-file=passphrase={self._stack.environment['PULUMI_CONFIG_PASSPHRASE_FILE']}"
        # Of the tests' server, which has no password.
        backend = f"--from-literal=backend={self._stack.environment['PULUMI_BACKEND_URL']}"
        command = ("reconciler", "--manifests", "--image", images.SITEFORGE, *options)
        kubectl("apply", "-f", "-", stdin=self._stack.siteforge(*command).stdout)
        kubectl("apply", "-f", "-", stdin=kubectl(*secret, passphrase, backend))

    def remove(self) -> None:
        """Remove all of it, the state too."""
        own = ("-l", f"app.kubernetes.io/name={NAME}", "--ignore-not-found", "--timeout=180s")
        kinds = "cronjob,job,deployment,service,configmap,serviceaccount,role,rolebinding,persistentvolumeclaim"
        kubectl("delete", kinds, "-n", HOME, *own)
        kubectl("delete", "clusterrole,clusterrolebinding", *own)
        kubectl("delete", f"secret/{NAME}", "-n", HOME, "--ignore-not-found")

    def begin(self, job: str) -> None:
        """Begin a Job as the CronJob does when it is due."""
        kubectl("create", "job", job, "-n", HOME, f"--from=cronjob/{NAME}")

    def ended(self, job: str) -> dict[str, Any]:
        """The status of a Job once all its indexes have succeeded or failed."""

        def status() -> dict[str, Any]:
            found: dict[str, Any] = json.loads(kubectl("get", f"job/{job}", "-n", HOME, "-o", "json"))["status"]
            over = {one["type"] for one in found.get("conditions", ()) if one["status"] == "True"}
            return found if over & {"Complete", "Failed"} else {}

        eventually(f"the Job {job} to end", status, seconds=_JOB_SECONDS, namespace=HOME, poll=1)
        return status()

    def log_of(self, job: str) -> str:
        """What the pods of a Job logged."""
        return kubectl("logs", "-n", HOME, "-l", f"batch.kubernetes.io/job-name={job}", "--tail=-1", "--prefix")

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


class Process:
    """`siteforge reconciler` in the folder of a stack."""

    def __init__(self, address: str, process: psutil.Process) -> None:
        self._address, self._process = address, process

    def runs_the_program(self) -> bool:
        """Whether Pulumi, which has the lock by then, has started the program."""
        with contextlib.suppress(psutil.NoSuchProcess):
            children = self._process.children(recursive=True)
            return any("pulumi-language-python-exec" in " ".join(one.cmdline()) for one in children)
        return False

    def interrupt(self) -> None:
        """Ctrl-C, once."""
        self._process.send_signal(signal.SIGINT)

    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE

    def kill(self) -> None:
        """End it and all that it started, as a machine that stops would."""
        for one in (*self._process.children(recursive=True), self._process):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()

    def text(self) -> str:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return str(urllib.request.urlopen(self._address, timeout=30).read().decode())
        return ""

    def metric(self, name: str) -> float | None:
        found = re.search(rf"^siteforge_{re.escape(name)} (\S+)$", self.text(), re.MULTILINE)
        return float(found[1]) if found else None

    def rounds(self, outcome: str) -> float:
        return self.metric(f'reconciler_rounds_total{{outcome="{outcome}"}}') or 0

    def await_rounds(self, outcome: str, more: int = 2) -> None:
        """Wait for so many more rounds."""
        wanted = self.rounds(outcome) + more
        eventually(f"{more} rounds that {outcome}", lambda: self.rounds(outcome) >= wanted, seconds=SECONDS)


@contextlib.contextmanager
def running(stack: Stack, log: Path, *options: str, **variables: str) -> Iterator[Process]:
    """One in the folder of a stack, told to end after it."""
    command = ["siteforge", "--log-level", "info", "reconciler", "--interval", "1", "--listen", "127.0.0.1:0", *options]
    environment = workspace.environment({}) | stack.environment | variables
    with log.open("w") as sink:
        process = subprocess.Popen(command, cwd=stack.folder, env=environment, stderr=sink, stdout=sink)
        try:
            eventually("an address", lambda: "/metrics" in log.read_text(), seconds=SECONDS)
            yield Process(log.read_text().splitlines()[0], psutil.Process(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS) in (0, -signal.SIGKILL)
            assert "Traceback" not in log.read_text()
