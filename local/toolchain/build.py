"""Builds a program of the table: pins in, programs out."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.paths import LOGS
from local.steps import Failure, run, step
from local.toolchain import golang, store
from local.toolchain.programs import PINS, Build, ModuleFile, Program

_LINKER_FLAGS = ("-s", "-w")
"""No symbol tables: a third of the size, and nobody debugs these."""


def build(program: Program) -> None:
    """Build a program into its folder in the cache, unless it is there.

    An interrupted build goes on where it was: the Go build cache has what was compiled.

    Raises:
        Failure: no Go, no sources, no space, or a compiler error.
    """

    def make(staging: Path) -> None:
        with step(f"build {program.name} {program.version}"):
            for recipe in program.builds:
                _run(recipe, staging, LOGS / f"toolchain-{program.name}.log")

    store.fill(store.folder(program), program.outputs, make)


def linker_flags(build: Build) -> str:
    """The value of `-ldflags`."""
    return " ".join((*_LINKER_FLAGS, *(f"-X {variable}={value}" for variable, value in build.stamps)))


def output(build: Build) -> str:
    """The value of `-o`: a file for one program, a folder for several, which Go names by their packages."""
    return f"bin/{build.packages[0][0]}" if len(build.packages) == 1 else "bin/"


def _run(recipe: Build, staging: Path, log: Path) -> None:
    source, temporary = staging / "source", staging / "tmp"
    shutil.copytree(PINS / recipe.pins, source)
    temporary.mkdir()
    (staging / "bin").mkdir(exist_ok=True)
    go = golang.find()
    env = golang.environment(go, temporary)
    modules = _download({file.module for file in (*recipe.embedded, *recipe.shipped)}, go, source, env)
    for file in recipe.embedded:
        _copy(file, modules[file.module], source)
    for file in recipe.shipped:
        _copy(file, modules[file.module], staging)
    argv = [str(go), "build", "-ldflags", linker_flags(recipe), "-o", f"{staging}/{output(recipe)}"]
    run([*argv, *(package for _, package in recipe.packages)], log=log, cwd=source, env=env)
    shutil.rmtree(source)
    shutil.rmtree(temporary)


def _download(modules: Iterable[str], go: Path, source: Path, env: Mapping[str, str]) -> dict[str, Path]:
    """The folders with the sources of these modules, of the versions that the pins give."""
    folders = {}
    for module in modules:
        done = subprocess.run(
            [go, "mod", "download", "-json", module],
            cwd=source,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Failure(f"cannot download the Go module {module}: {done.stdout}{done.stderr}")
        folders[module] = Path(json.loads(done.stdout)["Dir"])
    return folders


def _copy(file: ModuleFile, module: Path, into: Path) -> None:
    origin, target = module / file.source, into / file.target
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(origin, target)
    target.chmod(0o755 if file.executable else 0o644)
