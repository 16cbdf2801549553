"""Moving tenants between cells: what Pulumi knows of them goes along, so that nothing in the cluster is touched.

The file of cells says that a move is under way before anything is moved, and until all is: no stack runs in
between (`siteforge.cells`), and a move that was cut short is ended by doing it again.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import siteforge.cells
from siteforge import targets
from siteforge.cells import BUCKETS, Cells, Move, bucket, parse_buckets, write_buckets
from siteforge.errors import CellsError
from siteforge.fleet import history, records
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.history import Entry
from siteforge.fleet.project import Project, pulumi
from siteforge.fleet.records import Digests

DEFAULT_FILE = "cells.yaml"

_TENANT = "siteforge:index:Tenant"

Say = Callable[[str], None]


@dataclass
class _Known:
    """What there is of the stacks, before the first of several moves and after each."""

    used: dict[str, bool]
    """Whether Pulumi knows of anything in it: of the many cells that a large fleet is begun with, it does of none."""
    recorded: dict[str, Digests]
    histories: dict[str, list[Entry]]

    @classmethod
    def of(cls, project: Project, cluster: Cluster) -> Self:
        """Of all stacks of a project, in three requests however many there are."""
        return cls(project.stacks(), records.read(cluster, project.name), history.by_stack(cluster, project.name))


def add(project: Project, cluster: Cluster, stacks: Sequence[str], say: Say) -> None:
    """Make stacks cells, each with a fair share of the tenants of the others.

    Args:
        project: the fleet's; a new stack gets a copy of its stack's configuration.
        cluster: where the fleet is.
        stacks: the new cells.
        say: is told each step.

    Raises:
        CellsError: one is a cell already, or a move is under way.
        EngineError: Pulumi refuses.
    """
    layout, file = _idle(project), str(_file(project))
    if there := [stack for stack in stacks if stack in layout.stacks]:
        raise CellsError(f"{file}: {there[0]} is a cell already - choose another name")
    if project.configuration.cells is None:
        # Before the configuration names it: a stack that is told of a file that isn't there runs no more.
        _write(project, layout)
        _configure(project, project.stack, file)
    existing = project.stacks()
    for stack in stacks:
        if stack in existing and stack != project.stack:
            _configure(project, stack, file)
    new = [stack for stack in stacks if stack not in existing]
    for stack in new:
        say(f"make the stack {stack}, with the configuration of {project.stack}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda stack: _make(project, stack), new))
    tenants = [spec.name for spec in project.tenants]
    known = None
    for stack in stacks:
        begun = _begin(project, layout, stack, share(layout, tenants))
        known = known or _Known.of(project, cluster)
        layout = _carry_out(project, cluster, begun, known, say)
    # Not before the last: no stack runs between two moves, so that what is known stays so.
    _write(project, layout)


def _configure(project: Project, stack: str, file: str) -> None:
    pulumi(project.folder, "config", "set", "siteforge:cells", file, "--stack", stack)


def _make(project: Project, stack: str) -> None:
    pulumi(project.folder, "stack", "init", stack, "--copy-config-from", project.stack, "--no-select")


def move(project: Project, cluster: Cluster, stack: str, buckets: Collection[int], say: Say) -> None:
    """Move buckets, and the tenants in them, to a stack.

    Args:
        project, cluster, say: as for `add`.
        stack: where they go; a cell, or a stack that becomes one.
        buckets: which.

    Raises:
        CellsError: a move is under way.
        EngineError: Pulumi refuses; the file says what is left to do.
    """
    _finish(project, cluster, _begin(project, _idle(project), stack, buckets), say)


def resume(project: Project, cluster: Cluster, say: Say) -> None:
    """End a move that was cut short.

    Raises:
        CellsError: none is under way.
        EngineError: Pulumi refuses.
    """
    layout = project.cells
    if layout.moving is None:
        raise CellsError(f"{_file(project)}: no move is under way - there is nothing to resume")
    _finish(project, cluster, layout, say)


def _begin(project: Project, layout: Cells, stack: str, buckets: Collection[int]) -> Cells:
    """Write that a move is under way."""
    stacks = layout.stacks if stack in layout.stacks else (*layout.stacks, stack)
    begun = Cells(layout.file, stacks, layout.owner, Move(stack=stack, buckets=write_buckets(buckets)))
    _write(project, begun)
    return begun


def _finish(project: Project, cluster: Cluster, begun: Cells, say: Say) -> None:
    _write(project, _carry_out(project, cluster, begun, _Known.of(project, cluster), say))


def _carry_out(project: Project, cluster: Cluster, layout: Cells, known: _Known, say: Say) -> Cells:
    """Do what the file says is under way; returns the cells as they are then, which the file doesn't say yet."""
    assert layout.moving is not None
    dest, buckets = layout.moving.stack, set(parse_buckets(layout.moving.buckets))
    for source in layout.stacks:
        if source != dest and buckets & set(layout.buckets(source)):
            if known.used.get(source):
                _move_state(project, source, dest, buckets, say)
                known.used[dest] = True
            _move_record(project, cluster, known.recorded, source, dest, buckets)
            _move_history(project, cluster, known.histories, source, dest, buckets)
    owner = tuple(dest if number in buckets else layout.owner[number] for number in range(BUCKETS))
    # A cell without buckets has no tenants left: it is a stack like any other.
    stacks = tuple(stack for stack in layout.stacks if stack in owner)
    say(f"{dest} has the buckets {write_buckets(number for number in range(BUCKETS) if owner[number] == dest)}")
    return Cells(layout.file, stacks, owner)


def _move_state(project: Project, source: str, dest: str, buckets: Collection[int], say: Say) -> None:
    state = _export(project, source)
    known = {urn.rpartition("::")[2]: urn for urn in _urns(state) if _is_tenant(urn)}
    moving = {name: urn for name, urn in known.items() if bucket(name) in buckets}
    # Pulumi writes the new state before the old one: killed in between, it has left a tenant in both.
    there = {urn.rpartition("::")[2] for urn in _urns(_export(project, dest)) if _is_tenant(urn)}
    if both := set(moving) & there:
        say(f"take from {source} what {dest} has already: {', '.join(sorted(both))}")
        _forget(project, source, state, both)
    if left := [urn for name, urn in sorted(moving.items()) if name not in both]:
        say(f"move from {source} to {dest}: {', '.join(sorted(set(moving) - both))}")
        pulumi(project.folder, "state", "move", "--yes", "--source", source, "--dest", dest, *left)


def _forget(project: Project, stack: str, state: dict[str, Any], names: Collection[str]) -> None:
    deployment = state["deployment"]
    deployment["resources"] = [one for one in deployment["resources"] if targets.tenant(one["urn"]) not in names]
    pulumi(project.folder, "stack", "import", "--stack", stack, stdin=json.dumps(state))


def _move_record(
    project: Project, cluster: Cluster, known: dict[str, Digests], source: str, dest: str, buckets: Collection[int]
) -> None:
    if moving := {name: digest for name, digest in known.get(source, {}).items() if bucket(name) in buckets}:
        known[dest] = known.get(dest, {}) | moving
        known[source] = {name: digest for name, digest in known[source].items() if name not in moving}
        for stack in (dest, source):
            records.write(cluster, project.name, stack, known[stack])


def _move_history(
    project: Project, cluster: Cluster, known: dict[str, list[Entry]], source: str, dest: str, buckets: Collection[int]
) -> None:
    if moving := [one for one in known.get(source, ()) if bucket(one.tenant) in buckets]:
        there = known.get(dest, [])
        # A move that was cut short between the two is done again.
        both = [*there, *(one for one in moving if one not in there)]
        known[dest] = history.bounded(sorted(both, key=lambda one: one.found))
        known[source] = [one for one in known[source] if one not in moving]
        for stack in (dest, source):
            history.write(cluster, project.name, stack, known[stack])


def _idle(project: Project) -> Cells:
    layout = project.cells
    if layout.moving is not None:
        raise CellsError(
            f"{layout.file}: a move to {layout.moving.stack} is under way - finish it: `siteforge cells resume`"
        )
    return layout


def share(layout: Cells, tenants: Iterable[str]) -> list[int]:
    """The buckets for one more cell, so that all have about as many tenants, and as many buckets.

    A hash spreads tenants unevenly: of 1,000 in 40 cells of as many buckets, some have 37. So buckets with tenants
    are taken from the end of the cell that has most tenants, then empty ones from the ends of those that have most
    buckets.

    Args:
        layout: the cells that there are.
        tenants: the names of all tenants.
    """
    tenants_in = Counter(map(bucket, tenants))
    left = {stack: layout.buckets(stack) for stack in layout.stacks}
    load = {stack: sum(tenants_in[number] for number in own) for stack, own in left.items()}
    cells = len(left) + 1
    fair, moved = round(sum(load.values()) / cells), 0
    taken: list[int] = []

    def take(stack: str, number: int) -> int:
        left[stack].remove(number)
        taken.append(number)
        load[stack] -= tenants_in[number]
        return tenants_in[number]

    while moved < fair:
        fullest = max(left, key=lambda stack: load[stack])
        moved += take(fullest, max(number for number in left[fullest] if tenants_in[number]))
    while len(taken) < BUCKETS // cells:
        empty = {stack: [number for number in own if not tenants_in[number]] for stack, own in left.items()}
        if not any(empty.values()):
            break
        largest = max((stack for stack in left if empty[stack]), key=lambda stack: len(left[stack]))
        take(largest, empty[largest][-1])
    return taken


def _export(project: Project, stack: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(pulumi(project.folder, "stack", "export", "--stack", stack))
    return state


def _urns(state: dict[str, Any]) -> Iterator[str]:
    return (one["urn"] for one in state["deployment"].get("resources") or ())


def _is_tenant(urn: str) -> bool:
    return urn.split("::")[2] == _TENANT


def _file(project: Project) -> Path:
    """The file of cells, relative to the project's folder."""
    return project.configuration.cells or Path(DEFAULT_FILE)


def _write(project: Project, layout: Cells) -> None:
    """Write the file as a whole or not at all."""
    path = project.folder / _file(project)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(siteforge.cells.text(layout))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
