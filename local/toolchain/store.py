"""The cache's toolchain folder: finished folders by key, filled by one process at a time."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from local import locks
from local.paths import cache
from local.steps import Failure
from local.toolchain.programs import Program, key


def root() -> Path:
    """Where finished folders are."""
    return cache() / "toolchain"


def folder(program: Program) -> Path:
    """Where this program is, or will be: `bin/` and, of some, `share/`."""
    return root() / f"{program.name}-{key(program)}"


def has(program: Program) -> bool:
    """Whether the cache has this program."""
    return is_finished(folder(program), program.outputs)


def is_finished(destination: Path, outputs: tuple[str, ...]) -> bool:
    """Whether a folder is complete: it got its name only when it was, and nobody removed a part since."""
    return all((destination / output).exists() for output in outputs)


def fill(destination: Path, outputs: tuple[str, ...], make: Callable[[Path], None]) -> None:
    """Have `make` fill a folder, unless it is finished; it appears under its name only when complete.

    Any number of processes may ask for the same folder: one works, the others wait and find it done.
    What a killed run left behind is removed.

    Args:
        destination: the folder that is wanted.
        outputs: what a finished one has, relative to it.
        make: fills the temporary folder that it is given.

    Raises:
        Failure: `make` failed or left an output out, or another process has been at it for an hour.
    """
    if is_finished(destination, outputs):
        return
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with locks.held(destination.with_name(f".{destination.name}.lock"), f"builds {destination.name}"):
            if not is_finished(destination, outputs):
                _fill(destination, outputs, make)
    except OSError as error:
        raise Failure(
            f"cannot write {error.filename or destination}: {error.strerror}",
            fix="the cache needs about 10 GB; SITEFORGE_CACHE names another folder for it",
        ) from error


def _fill(destination: Path, outputs: tuple[str, ...], make: Callable[[Path], None]) -> None:
    _remove_unfinished(destination)
    # A name of its own each time: a compiler that outlived a killed run may still write to the old one.
    staging = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
    try:
        make(staging)
        if missing := [output for output in outputs if not (staging / output).exists()]:
            raise Failure(
                f"the build of {destination.name} ended well but left out {', '.join(missing)}",
                fix="local/toolchain/programs.py names an output that its recipe doesn't make",
            )
        shutil.rmtree(destination, ignore_errors=True)
        staging.chmod(0o755)
        staging.rename(destination)
    finally:
        # All of them, as such a compiler also makes its folder again after it was removed.
        _remove_unfinished(destination)


def _remove_unfinished(destination: Path) -> None:
    for path in destination.parent.glob(f".{destination.name}.*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
