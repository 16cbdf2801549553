"""The Python environment of this clone: `.venv`, with exactly what the lock files name."""

import hashlib
import os
import re
import shutil
import sys
from pathlib import Path

from local import locks, packages
from local.paths import LOGS, PROJECT, STATE
from local.steps import run, step

FOLDER = PROJECT / ".venv"
"""Where Pulumi.yaml tells Pulumi to find it, too."""

_LOCKS = (PROJECT / "requirements.txt", PROJECT / "requirements-dev.txt")


def ensure() -> Path:
    """Create it, or bring it up to the lock files; returns its folder of programs.

    Of commands that ask for it at the same time, one works and the others wait.

    Raises:
        Failure: a package can't be installed.
    """
    if not _finished():
        with locks.held(STATE / "virtualenv.lock", "makes the Python environment"):
            # Another command of this clone may have made it meanwhile.
            if not _finished():
                _make()
    return FOLDER / "bin"


def _make() -> None:
    programs, log = FOLDER / "bin", LOGS / "virtualenv.log"
    with step("Python environment"):
        if not _usable():
            shutil.rmtree(FOLDER, ignore_errors=True)
            create(FOLDER, log)
        pip: list[str | Path] = [programs / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        for lock in _LOCKS:
            run([*pip, "--require-hashes", "--requirement", lock], log=log)
        run([*pip, "--no-deps", "--no-build-isolation", "--editable", PROJECT], log=log)
        temporary = _stamp().with_suffix(f".{os.getpid()}")
        temporary.write_text(_key(_LOCKS, sys.version))
        temporary.rename(_stamp())


def _finished() -> bool:
    stamp = _stamp()
    return _usable() and stamp.is_file() and stamp.read_text() == _key(_LOCKS, sys.version)


def _stamp() -> Path:
    """Says what is installed."""
    return FOLDER / ".siteforge"


def _usable() -> bool:
    """Whether it was made in this folder, by this minor version of Python: its programs start in no other."""
    pip, library = FOLDER / "bin" / "pip", FOLDER / "lib" / f"python3.{sys.version_info.minor}"
    if not ((FOLDER / "bin" / "python").exists() and library.is_dir() and pip.is_file()):
        return False
    return re.search(rf'[!"]{re.escape(str(FOLDER))}/', pip.read_text()) is not None


def create(folder: Path, log: Path) -> None:
    """Make an empty environment, with pip, in a folder that is empty or not there.

    Raises:
        Failure: it can't be made.
    """
    try:
        import ensurepip  # noqa: F401 - Debian ships it in a package of its own
    except ImportError:
        packages.ensure([f"python3.{sys.version_info.minor}-venv"])
    run([sys.executable, "-m", "venv", folder], log=log)


def _key(locks: tuple[Path, ...], version: str) -> str:
    digest = hashlib.sha256(version.encode())
    for lock in (*locks, PROJECT / "pyproject.toml"):
        digest.update(lock.read_bytes())
    return digest.hexdigest()
