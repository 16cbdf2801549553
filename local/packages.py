"""Debian packages: the only things the local platform puts outside its own folders."""

import os
import shutil
import subprocess
from collections.abc import Iterable

from local.paths import LOGS
from local.steps import Failure, run, step

_LOG = LOGS / "packages.log"


def missing(packages: Iterable[str]) -> list[str]:
    """Those of `packages` that are not fully installed, by dpkg's own database."""
    wanted = list(packages)
    query = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    installed = {line.split()[0] for line in query.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def ensure(packages: Iterable[str]) -> None:
    """Install what is missing of `packages`.

    Raises:
        Failure: this is not Debian or Ubuntu, not root, or apt refuses.
    """
    if shutil.which("apt-get") is None:
        raise Failure(
            "the local platform installs Debian packages, and there is no apt-get here",
            fix="use Debian or Ubuntu, or point KUBECONFIG at a cluster of your own (README, 'On your own cluster')",
        )
    absent = missing(packages)
    if not absent:
        return
    if os.geteuid() != 0:
        raise Failure(
            f"these Debian packages are missing and installing them needs root: {' '.join(absent)}",
            fix=f"sudo apt-get install {' '.join(absent)}",
        )
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"Debian packages: {' '.join(absent)}"):
        run(["apt-get", "-q", "update"], log=_LOG, env=env)
        run(["apt-get", "-q", "install", "-y", "--no-install-recommends", *absent], log=_LOG, env=env)
