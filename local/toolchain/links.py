"""One folder for PATH in this clone: links to every program that is built."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.paths import STATE
from local.toolchain import store
from local.toolchain.programs import Program

BIN = STATE / "bin"


def targets(programs: Iterable[Program]) -> dict[str, Path]:
    """What should be in the folder: link name and program file, of the programs that are finished."""
    return {
        Path(output).name: store.folder(program) / output
        for program in programs
        if program.on_path and store.has(program)
        for output in program.outputs
        if output.startswith("bin/")
    }


def relink(wanted: Mapping[str, Path], folder: Path) -> None:
    """Make `folder` hold exactly these links; at no moment is a link that stays missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        # A hidden one is another process's link on its way.
        if entry.name not in wanted and not entry.name.startswith("."):
            entry.unlink(missing_ok=True)
    for name, target in wanted.items():
        link(folder / name, target)


def link(path: Path, target: Path) -> None:
    """Make `path` a symbolic link to `target`, in one move."""
    if path.is_symlink() and path.readlink() == target:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(path)
