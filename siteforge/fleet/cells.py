"""Moving tenants between cells: what Pulumi knows of them goes along, so that nothing in the cluster is touched.

The file of cells says that a move is under way before anything is moved, and until all is: no stack runs in
between (`siteforge.cells`), and a move that was cut short is ended by doing it again.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import siteforge.cells
from siteforge import targets
from siteforge.cells import BUCKETS, Cells, Move, bucket, parse_buckets, write_buckets
from siteforge.errors import CellsError
from siteforge.fleet import history, records
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.project import Project, pulumi

DEFAULT_FILE = "cells.yaml"

_TENANT = "siteforge:index:Tenant"

Say = Callable[[str], None]


def add(project: Project, cluster: Cluster, stack: str, say: Say) -> None:
    """Make a stack a cell, with a fair share of the tenants of the others.

    Args:
        project: the fleet's; the new stack gets a copy of its stack's configuration.
        cluster: where the fleet is.
        stack: the new cell.
        say: is told each step.

    Raises:
        CellsError: it is a cell already, or a move is under way.
        EngineError: Pulumi refuses.
    """
    layout = _idle(project)
    if stack in layout.stacks:
        raise CellsError(f"{_file(project)}: {stack} is a cell already - choose another name")
    if project.configuration.cells is None:
        # Before the configuration names it: a stack that is told of a file that isn't there runs no more.
        _write(project, layout)
    if stack not in project.stacks():
        say(f"make the stack {stack}, with the configuration of {project.stack}")
        pulumi(project.folder, "stack", "init", stack, "--copy-config-from", project.stack, "--no-select")
    for one in (project.stack, stack):
        if one not in layout.stacks or project.configuration.cells is None:
            pulumi(project.folder, "config", "set", "siteforge:cells", str(_file(project)), "--stack", one)
    move(project, cluster, stack, share(layout, [spec.name for spec in project.tenants]), say)


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
    layout = _idle(project)
    stacks = layout.stacks if stack in layout.stacks else (*layout.stacks, stack)
    begun = Cells(layout.file, stacks, layout.owner, Move(stack=stack, buckets=write_buckets(buckets)))
    _write(project, begun)
    _finish(project, cluster, begun, say)


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


def _finish(project: Project, cluster: Cluster, layout: Cells, say: Say) -> None:
    assert layout.moving is not None
    dest, buckets = layout.moving.stack, set(parse_buckets(layout.moving.buckets))
    # Of the many cells that a large fleet is begun with, none has anything yet.
    begun = project.stacks()
    for source in layout.stacks:
        if source != dest and buckets & set(layout.buckets(source)):
            if begun.get(source):
                _move_state(project, source, dest, buckets, say)
            _move_record(project, cluster, source, dest, buckets)
            _move_history(project, cluster, source, dest, buckets)
    owner = tuple(dest if number in buckets else layout.owner[number] for number in range(BUCKETS))
    # A cell without buckets has no tenants left: it is a stack like any other.
    stacks = tuple(stack for stack in layout.stacks if stack in owner)
    _write(project, Cells(layout.file, stacks, owner))
    say(f"{dest} has the buckets {write_buckets(number for number in range(BUCKETS) if owner[number] == dest)}")


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


def _move_record(project: Project, cluster: Cluster, source: str, dest: str, buckets: Collection[int]) -> None:
    known = records.read(cluster, project.name)
    if source not in known:
        return
    moving = {name: digest for name, digest in known[source].items() if bucket(name) in buckets}
    records.write(cluster, project.name, dest, known.get(dest, {}) | moving)
    records.write(
        cluster, project.name, source, {name: known[source][name] for name in known[source] if name not in moving}
    )


def _move_history(project: Project, cluster: Cluster, source: str, dest: str, buckets: Collection[int]) -> None:
    known = history.read(cluster, project.name, [source])
    if moving := [one for one in known if bucket(one.tenant) in buckets]:
        there = history.read(cluster, project.name, [dest])
        # A move that was cut short between the two is done again.
        both = [*there, *(one for one in moving if one not in there)]
        history.write(cluster, project.name, dest, history.bounded(sorted(both, key=lambda one: one.found)))
        history.write(cluster, project.name, source, [one for one in known if one not in moving])


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
