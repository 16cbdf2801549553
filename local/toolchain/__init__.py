"""The toolchain: Pulumi, its Kubernetes provider and a Kubernetes, built from Go modules into the cache.

Everything is decided by the pins (`pins/`, one Go module with go.mod and go.sum each) and the table
in `programs.py`. A folder of the cache is named by the hash of both, so a changed pin builds just that
program again, and any number of clones share what is built.
"""

from collections.abc import Collection
from pathlib import Path

from local.steps import say
from local.toolchain import links, plugin, pulumi_on_path, store, versions
from local.toolchain.build import build
from local.toolchain.programs import PROGRAMS, named

__all__ = ["BIN", "ensure", "folder", "install_plugin", "versions"]

BIN = links.BIN
"""The folder for PATH: links to all built programs, one folder per clone."""

_OF_PULUMI = frozenset({"pulumi", "pulumi-resource-kubernetes"})
_OF_TESTS_AND_BENCHMARKS = frozenset({"cyclonus", "kube-score", "actionlint", "helm", "versitygw"})


def ensure(names: Collection[str] | None = None) -> Path:
    """Build what is missing, link it, and return the folder for PATH.

    Args:
        names: programs of the table (`programs.PROGRAMS`); None means all that this machine needs, which is
            without Pulumi and its provider where a Pulumi on PATH serves, and without what only tests and
            benchmarks use.

    Raises:
        Failure: something cannot be built.
    """
    pulumi, objection = pulumi_on_path.find()
    replaced = frozenset() if pulumi is None else _OF_PULUMI
    ours = {program.name for program in PROGRAMS} - _OF_TESTS_AND_BENCHMARKS
    for program in named(ours if names is None else names):
        if program.name in replaced:
            continue
        if program.name == "pulumi" and objection and not store.has(program):
            say(f"    {objection}")
        build(program)
    links.relink(links.targets(program for program in PROGRAMS if program.name not in replaced), BIN)
    return BIN


def install_plugin(pulumi_home: Path) -> None:
    """Put the Kubernetes provider into a Pulumi home, as `pulumi plugin install` would.

    Raises:
        Failure: it can be neither downloaded nor built.
    """
    plugin.install(pulumi_home)


def folder(name: str) -> Path:
    """The folder of a built program in the cache, for what it has besides `bin/` (`share/` of kwok)."""
    (program,) = named([name])
    return store.folder(program)
