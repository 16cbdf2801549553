"""Layers of Siteforge's own image: the Python packages that it needs, Pulumi, and the program itself."""

import shutil
import tarfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from local import virtualenv
from local.images import tar
from local.images.source import Source, architecture
from local.paths import PROJECT
from local.steps import run
from local.toolchain import store
from local.toolchain.build import build
from local.toolchain.programs import Program, key, named

_HOME = "srv/siteforge"
PYTHON = "3.11"
"""Of the Debian release that the root is made of, whatever this machine has."""
_PACKAGES = f"{_HOME}/.venv/lib/python{PYTHON}/site-packages"

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_GLIBC = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
"""Platforms whose wheels run on Debian 12, as wheels name them (PEP 600)."""


@dataclass(frozen=True)
class PythonPackages:
    """What a lock file names, as wheels, by its hashes; nothing is compiled and no code of theirs is run."""

    lock: Path = field(repr=False)
    tools: tuple[str, ...] = field(default=(), repr=False)
    needs_root: bool = field(default=False, repr=False)

    def inputs(self) -> tuple[Path, ...]:
        """The lock file."""
        return (self.lock,)

    def build(self, target: Path, scratch: Path, log: Path) -> None:
        """Have pip unpack the wheels for the image's Python, and pack them."""
        machine, folder = _MACHINES[architecture()], scratch / "wheels"
        pip = (virtualenv.ensure() / "python", "-m", "pip", "--disable-pip-version-check")
        command: list[str | Path] = [*pip, "install", "--quiet"]
        command += ["--target", folder, "--no-compile", "--only-binary=:all:", "--require-hashes"]
        command += ["--implementation=cp", f"--python-version={PYTHON}"]
        command += [f"--platform={glibc}_{machine}" for glibc in _GLIBC]
        run([*command, "--requirement", self.lock], log=log)
        # Their commands name this machine's Python, and nothing needs them.
        shutil.rmtree(folder / "bin", ignore_errors=True)
        with tar.create(target) as layer:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                _add(layer, f"{_PACKAGES}/{path.relative_to(folder)}", path)


@dataclass(frozen=True)
class PulumiEngine:
    """Pulumi with its Kubernetes provider, as the toolchain builds them."""

    keys: tuple[str, ...]
    """What the toolchain builds them from (`programs.key`)."""
    tools: tuple[str, ...] = field(default=(), repr=False)
    needs_root: bool = field(default=False, repr=False)

    def inputs(self) -> tuple[Path, ...]:
        """Nothing besides the pins, which the toolchain's keys are of."""
        return ()

    def build(self, target: Path, scratch: Path, log: Path) -> None:
        """Build them unless they are there, and pack them."""
        engine, provider = _pulumi()
        for program in (engine, provider):
            build(program)
        with tar.create(target) as layer:
            for path in sorted((store.folder(engine) / "bin").iterdir()):
                tar.add_file(layer, f"opt/pulumi/bin/{path.name}", path, 0o755)
            plugin = f"opt/pulumi/plugins/resource-kubernetes-v{provider.version}/pulumi-resource-kubernetes"
            tar.add_file(layer, plugin, store.folder(provider) / "bin" / "pulumi-resource-kubernetes", 0o755)


@dataclass(frozen=True)
class Siteforge:
    """The package and the Pulumi program of a project's folder."""

    files: tuple[str, ...]
    """Relative to the folder: a cache key knows of a file by its name and content alone."""
    folder: Path = field(default=PROJECT, repr=False)
    tools: tuple[str, ...] = field(default=(), repr=False)
    needs_root: bool = field(default=False, repr=False)

    def inputs(self) -> tuple[Path, ...]:
        """Every file of it."""
        return tuple(self.folder / name for name in self.files)

    def build(self, target: Path, scratch: Path, log: Path) -> None:
        """Pack the files, with what tells importlib.metadata the version."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        with tar.create(target) as layer:
            for name in self.files:
                where = _PACKAGES if name.startswith("siteforge/") else _HOME
                _add(layer, f"{where}/{name}", self.folder / name)
            folder = f"{_PACKAGES}/{project['name']}-{project['version']}.dist-info"
            tar.add_file(layer, f"{folder}/METADATA", metadata.encode())


def _add(layer: tarfile.TarFile, name: str, path: Path) -> None:
    tar.add_file(layer, name, path, 0o755 if path.stat().st_mode & 0o100 else 0o644)


def _pulumi() -> tuple[Program, ...]:
    return named(("pulumi", "pulumi-resource-kubernetes"))


def layers() -> tuple[Source, ...]:
    """What is laid over the root, from what changes least to what changes most."""
    package = (path for path in (PROJECT / "siteforge").rglob("*") if path.is_file() and path.suffix != ".pyc")
    files = sorted(str(path.relative_to(PROJECT)) for path in package)
    return (
        PythonPackages(PROJECT / "requirements.txt"),
        PulumiEngine(tuple(map(key, _pulumi()))),
        Siteforge((*files, "Pulumi.yaml", "__main__.py", "pyproject.toml")),
    )
