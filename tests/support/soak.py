"""Random faults against a fleet, one after the other; each is repaired as an operator would, and timed."""

import os
import random
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import psutil

from local import workspace
from tests.support.clone import Clone
from tests.support.platform import Platform
from tests.support.site import Site
from tests.support.stack import ROOT, Stack

_REPAIR_SECONDS = 300.0
_PATIENCE_SECONDS = 60.0
_PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
)
_OBJECTS = (
    *("deployment/wordpress", "statefulset/mariadb", "service/wordpress", "service/mariadb", "secret/wordpress"),
    *("configmap/wordpress", "networkpolicy/mariadb", "resourcequota/tenant", "serviceaccount/wordpress"),
)


@dataclass(frozen=True)
class MovingSite(Site):
    """A site whose Service may be deleted and made again, with another address."""

    clone: Clone | None = None
    _last: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        assert self.clone is not None
        path = "jsonpath={.spec.clusterIP}"
        found = self.clone.kubectl("get", "service", "wordpress", "-n", self.tenant, "-o", path, check=False)
        if found:
            self._last["address"] = found
        # While the API server is down, nobody can say; the site goes on where it was.
        return self._last["address"]


@dataclass(frozen=True)
class Fleet:
    """What is broken.

    Args:
        clone: in whose cluster it is.
        stack: its stack.
        sites: its tenants with real pods, by name.
        simulated: the names of all others.
    """

    clone: Clone
    stack: Stack
    sites: Mapping[str, Site]
    simulated: tuple[str, ...]

    @property
    def tenants(self) -> tuple[str, ...]:
        return (*self.sites, *self.simulated)

    def unwell(self) -> str:
        """What is not well: a tenant that isn't Ready, something that differs, a site that doesn't answer."""
        # By name, as the cluster may have other tenants, which this catalogue doesn't have.
        drift = ["drift", *(word for name in self.tenants for word in ("--tenant", name))]
        for command in (["status"], drift):
            done = self.stack.siteforge(*command, check=False)
            if done.returncode != 0:
                return f"siteforge {command[0]}:\n{done.stdout}{done.stderr}"
        for name, site in self.sites.items():
            try:
                answer = site.get()
            except OSError as error:
                return f"{name}: {error}"
            if answer.status != 200:
                return f"{name}: {answer.status}"
        return ""

    def repair(self, command: str) -> float:
        """Run what an operator would, until all is well; returns how many seconds that took."""
        started = time.monotonic()
        last = ""
        while time.monotonic() - started < _REPAIR_SECONDS:
            done = self.stack.siteforge(*command.split(), check=False)
            last = done.stdout + done.stderr
            # What Kubernetes repairs by itself takes a while.
            patience = time.monotonic() + _PATIENCE_SECONDS
            while done.returncode == 0 and time.monotonic() < patience:
                if not (left := self.unwell()):
                    return time.monotonic() - started
                last = left
                time.sleep(1)
        raise AssertionError(f"not repaired by `siteforge {command}` in {_REPAIR_SECONDS:.0f} s:\n{last}")


Fault = Callable[[Fleet, random.Random], str]
"""Does it, and tells to whom or what."""


def victim(fleet: Fleet, chance: random.Random) -> str:
    """A tenant, more often than not one with posts to lose."""
    return chance.choice([chance.choice([*fleet.sites]), chance.choice(fleet.tenants)])


def kill_a_program(fleet: Fleet, chance: random.Random) -> str:
    program = chance.choice(_PROGRAMS)
    Platform(fleet.clone).kill(program)
    return program


def delete_a_pod(fleet: Fleet, chance: random.Random) -> str:
    tenant, role = victim(fleet, chance), chance.choice(["wordpress", "mariadb"])
    fleet.clone.kubectl("delete", "pod", "-n", tenant, "-l", f"app.kubernetes.io/name={role}", "--wait=false")
    return f"{tenant}/{role}"


def want_of_memory(fleet: Fleet, chance: random.Random) -> str:
    tenant, role = chance.choice([*fleet.sites]), chance.choice(["wordpress", "mariadb"])
    Platform(fleet.clone).exhaust_memory(tenant, role)
    return f"{tenant}/{role}"


def delete_an_object(fleet: Fleet, chance: random.Random) -> str:
    tenant, target = victim(fleet, chance), chance.choice(_OBJECTS)
    fleet.clone.kubectl("delete", target, "-n", tenant)
    return f"{tenant}/{target}"


def scale_to_zero(fleet: Fleet, chance: random.Random) -> str:
    tenant, target = victim(fleet, chance), chance.choice(["deployment/wordpress", "statefulset/mariadb"])
    fleet.clone.kubectl("scale", target, "-n", tenant, "--replicas=0")
    return f"{tenant}/{target}"


def delete_a_namespace(fleet: Fleet, chance: random.Random) -> str:
    tenant = victim(fleet, chance)
    fleet.clone.kubectl("delete", "namespace", tenant, "--wait=false")
    return tenant


def kill_a_run(fleet: Fleet, chance: random.Random) -> str:
    """A run with something to do, and all its processes, at a random moment."""
    tenant, moment = victim(fleet, chance), chance.uniform(1, 8)
    fleet.clone.kubectl("delete", "deployment/wordpress", "-n", tenant)
    process = subprocess.Popen(
        [str(ROOT / ".venv" / "bin" / "siteforge"), "up", "--drifted"],
        cwd=fleet.stack.folder,
        env=workspace.environment(os.environ) | fleet.stack.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(moment)
    kill_all(process.pid)
    process.wait()
    return f"{tenant} after {moment:.1f} s"


def kill_all(pid: int) -> None:
    """Kill a process and all that it started, as a power cut would."""
    try:
        doomed = [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return
    for one in doomed:
        try:
            one.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue


FAULTS: Mapping[str, tuple[Fault, str]] = {
    "a program of the cluster killed": (kill_a_program, "up --drifted"),
    "a pod deleted": (delete_a_pod, "up --drifted"),
    "killed for want of memory": (want_of_memory, "up --drifted"),
    "an object deleted": (delete_an_object, "up --drifted"),
    "scaled to zero": (scale_to_zero, "up --drifted"),
    "a namespace deleted": (delete_a_namespace, "up --drifted"),
    "a run killed": (kill_a_run, "recover"),
}
"""Each with what an operator runs afterwards."""


def rounds(chance: random.Random) -> Iterable[str]:
    """Faults without end: each kind once, in random order, before any comes again."""
    while True:
        names = [*FAULTS]
        chance.shuffle(names)
        yield from names


def table(repaired: Iterable[tuple[str, float]], injected: Iterable[str]) -> str:
    """What was done, by fault.

    Args:
        repaired: a fault and the seconds of its repair, each.
        injected: every fault that was injected.
    """
    seconds: dict[str, list[float]] = {name: [] for name in FAULTS}
    for name, took in repaired:
        seconds[name].append(took)
    done = [*injected]
    lines = [f"{'fault':<34}{'injected':>9}{'recovered':>10}{'median s':>10}{'longest s':>10}"]
    for name, all_ in seconds.items():
        figures = f"{statistics.median(all_):>10.1f}{max(all_):>10.1f}" if all_ else f"{'-':>10}{'-':>10}"
        lines.append(f"{name:<34}{done.count(name):>9}{len(all_):>10}{figures}")
    return "\n".join(lines)
