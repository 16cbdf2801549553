"""The machine that a real cluster believes to be alone on: mounts, kernel settings and the link, from inside.

The supervisor calls `prepare` once, in fresh mount, network, PID, IPC and UTS namespaces. Nothing here reaches the
rest of the machine: its file system is read-only in here, and all mounts end with the namespace.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from local.cluster import control_groups
from local.cluster.layout import INSIDE, NODE
from local.cluster.network import Network
from local.steps import Failure

_LINK_SECONDS = 30.0

_NETWORK_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    # Without it a pod's packets to a pod on the same bridge pass by kube-proxy's rules.
    # (Absent where the kernel has no bridge filter until kube-proxy's rules load it; its default is 1.)
    "net/bridge/bridge-nf-call-iptables": "1",
}

_KUBELET_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What the kubelet sets where it reads another value. These belong to the whole machine, so it shall read its own."""


def prepare(state: Path, control_group: str) -> None:
    """Make the machine: folders, settings and control groups.

    Args:
        state: the clone's state folder, by its name outside.
        control_group: of the pods, from the root of each hierarchy.
    """
    _mount_file_systems(state)
    _hide_kernel_settings()
    control_groups.make(control_group)
    _run("hostname", NODE)
    _run("ip", "link", "set", "lo", "up")


def await_link(network: Network) -> None:
    """Wait for the link that `network.connect` lays from the other side, then let packets pass.

    Raises:
        Failure: it does not come, as when who started the cluster was killed.
    """
    deadline = time.monotonic() + _LINK_SECONDS
    while not _has_address(network.node):
        if time.monotonic() > deadline:
            raise Failure(f"the link from the machine into the cluster did not come within {_LINK_SECONDS:.0f} s")
        time.sleep(0.02)
    for name, value in _NETWORK_SETTINGS.items():
        if _setting(name).exists():
            _setting(name).write_text(value)


def _has_address(address: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return True
    return False


def _mount_file_systems(state: Path) -> None:
    _run("mount", "--make-rprivate", "/")
    # By way of a descriptor, as the state folder's own path may be hidden by the new /run.
    folder = os.open(state, os.O_PATH | os.O_DIRECTORY)
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in (INSIDE, *(Path("/run", name) for name in ("lock", "control-groups", "upper", "work"))):
        name.mkdir()
    _run("mount", "--rbind", f"/proc/self/fd/{folder}", str(INSIDE), pass_fds=(folder,))
    os.close(folder)
    _run("mount", "-t", "proc", "proc", "/proc")
    # A fresh /sys shows the network devices of this namespace; the control groups are carried over.
    _run("mount", "--rbind", "/sys/fs/cgroup", "/run/control-groups")
    _run("mount", "-t", "sysfs", "sysfs", "/sys")
    _run("mount", "--rbind", "/run/control-groups", "/sys/fs/cgroup")
    # Some paths can't be configured away (CNI's cache, the links to pods' logs): let /var forget what is written.
    _run("mount", "-t", "overlay", "-o", "lowerdir=/var,upperdir=/run/upper,workdir=/run/work", "var", "/var")
    _run("mount", "-o", "remount,bind,ro", "/")
    # The kubelet shares mounts with pods in both directions, as on a machine that systemd started.
    _run("mount", "--make-rshared", "/")


def _hide_kernel_settings() -> None:
    folder = Path("/run/kernel-settings")
    folder.mkdir()
    for name, value in _KUBELET_SETTINGS.items():
        if _setting(name).exists():
            copy = folder / name.replace("/", ".")
            copy.write_text(f"{value}\n")
            _run("mount", "--bind", str(copy), str(_setting(name)))


def _setting(name: str) -> Path:
    return Path("/proc/sys") / name


def _run(*argv: str, pass_fds: tuple[int, ...] = ()) -> None:
    """Run a command of the system.

    Raises:
        Failure: it is missing or refuses.
    """
    program = shutil.which(argv[0], path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        raise Failure(f"{argv[0]} is not installed")
    done = subprocess.run([program, *argv[1:]], capture_output=True, text=True, check=False, pass_fds=pass_fds)
    if done.returncode != 0:
        raise Failure(f"`{' '.join(argv)}` failed inside the cluster's namespaces: {done.stderr.strip()}")
