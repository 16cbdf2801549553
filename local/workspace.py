"""The Pulumi workspace of this clone: its home, backend, passphrase and secret, and the stack dev."""

import os
import secrets
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local import cluster, toolchain, virtualenv
from local.paths import LOGS, PROJECT, STATE
from local.steps import Failure, run

STACK = "dev"

_HOME = STATE / "pulumi"
_BACKEND = STATE / "state"
_SECRET = STATE / "secret"
_PASSPHRASE = PROJECT / "local" / "dev-passphrase"
_CREATED = STATE / "workspace"

_UNSET = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_STACK", "PULUMI_ACCESS_TOKEN")
"""Variables that would win over ours."""


def variables() -> dict[str, str]:
    """What a shell needs so that plain `pulumi` and `kubectl` work on the local platform."""
    return {
        "KUBECONFIG": str(cluster.kubeconfig()),
        "PULUMI_BACKEND_URL": f"file://{_BACKEND}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(_PASSPHRASE),
        "PULUMI_HOME": str(_HOME),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "SITEFORGE_SECRET_FILE": str(_SECRET),
    }


def search_path(inherited: str) -> str:
    """PATH with the toolchain's and the virtual environment's programs first, each once."""
    own = [str(toolchain.BIN), str(virtualenv.FOLDER / "bin")]
    return os.pathsep.join([*own, *(part for part in inherited.split(os.pathsep) if part not in own)])


def direct(inherited: str) -> str:
    """NO_PROXY with the cluster's addresses, which no proxy has a way to."""
    known = cluster.current()
    own = [] if known is None else [known.network.cidr, "127.0.0.1", "localhost"]
    return ",".join([*(part for part in inherited.split(",") if part and part not in own), *own])


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """A process's environment on the local platform."""
    kept = {name: value for name, value in inherited.items() if name not in _UNSET}
    return kept | variables() | _extended(inherited)


def shell_exports(inherited: Mapping[str, str]) -> str:
    """The same as lines for a shell's `eval`."""
    exports = variables() | _extended(inherited)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(exports.items())]
    return "\n".join([f"unset {' '.join(_UNSET)}", *lines])


def _extended(inherited: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": search_path(inherited.get("PATH", os.defpath)),
        "NO_PROXY": direct(inherited.get("NO_PROXY", inherited.get("no_proxy", ""))),
    }


def ensure() -> None:
    """Make what is missing of it, and select the stack dev.

    Raises:
        Failure: Pulumi refuses.
    """
    STATE.mkdir(mode=0o700, exist_ok=True)
    STATE.chmod(0o700)
    for folder in (_HOME, _BACKEND):
        folder.mkdir(exist_ok=True)
    if not _SECRET.exists():
        _write_secret(_SECRET)
    toolchain.install_plugin(_HOME)
    if not _CREATED.exists():
        select = ["pulumi", "stack", "select", STACK, "--create", "--non-interactive"]
        run(select, log=LOGS / "workspace.log", cwd=PROJECT, env=environment(os.environ))
        _CREATED.touch()


def up() -> None:
    """Run `pulumi up` on the stack dev, with its output on the terminal.

    Raises:
        Failure: it failed.
    """
    command = ["pulumi", "up", "--yes", "--skip-preview", "--stack", STACK]
    done = subprocess.run(command, cwd=PROJECT, env=environment(os.environ), check=False)
    if done.returncode != 0:
        raise Failure("`pulumi up` failed; its output above says why", fix="mend it and run `make up` again")


def _write_secret(path: Path) -> None:
    """Random, readable by this user only, and never half-written: it is the root of all passwords."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
