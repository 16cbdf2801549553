"""The scanners that come from PyPI, in a Python environment of their own (docs/adr/0004-scanners.md)."""

import hashlib
import sys
from pathlib import Path

from local import virtualenv
from local.paths import LOGS, PROJECT
from local.steps import run, step
from local.toolchain import store

_LOCK = PROJECT / "requirements-scan.txt"
_MODULES = ("checkov", "kubernetes_validate", "pulumi_policy")


def python() -> Path:
    """The Python that has the scanners; installed into the cache that all clones share when it is first asked for.

    Raises:
        Failure: a package can't be installed.
    """
    library = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    identity = _LOCK.read_bytes() + sys.version.encode()
    folder = store.root() / f"scanners-{hashlib.sha256(identity).hexdigest()[:16]}"
    store.fill(folder, ("bin/python", *(f"{library}/{module}/__init__.py" for module in _MODULES)), _install)
    return folder / "bin" / "python"


def _install(staging: Path) -> None:
    log = LOGS / "scanners.log"
    with step("Scanners (checkov, kubernetes-validate, pulumi-policy)"):
        virtualenv.create(staging, log)
        pip: list[str | Path] = [staging / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install"]
        run([*pip, "--quiet", "--require-hashes", "--requirement", _LOCK], log=log)
