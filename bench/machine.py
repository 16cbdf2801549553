"""The machine and the versions that figures belong to."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from local.toolchain import versions


def describe() -> dict[str, str]:
    """Processor, cores, memory and kernel."""
    kibibytes = int(_first(r"^MemTotal:\s*(\d+) kB$", Path("/proc/meminfo")))
    return {
        "processor": _first(r"^model name\s*: (.*)$", Path("/proc/cpuinfo")) or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{kibibytes / 2**20:.0f} GiB",
        "kernel": platform.release(),
    }


def software() -> dict[str, str]:
    """What is measured, and on which control plane."""
    return {
        "Python": platform.python_version(),
        "Pulumi": versions.PULUMI,
        "pulumi-kubernetes": version("pulumi-kubernetes"),
        "Helm": versions.HELM,
        "Kubernetes": versions.KUBERNETES,
        "etcd": versions.ETCD,
        "KWOK": versions.KWOK,
    }


def _first(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text(), re.MULTILINE)
    return found[1] if found else ""
