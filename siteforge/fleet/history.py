"""The history of drift: what was found, who made it so and when, and whether it was repaired.

It is a ConfigMap for each cell, beside the records of what was deployed (`records`): whoever can read the fleet can
read it, it outlives every pod, and who works on one cell writes over nobody else's. It is bounded: of ended entries,
the oldest go first.
"""

import dataclasses
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from siteforge import names
from siteforge.cells import Cells
from siteforge.document import shorten
from siteforge.fleet import records
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.differences import Difference
from siteforge.fleet.kinds import BY_NAME

MOST = 500
"""Entries."""
MOST_BYTES = 512 * 1024
"""Of all entries; a ConfigMap holds a mebibyte."""

_LABEL = names.annotation("record")
_HISTORY = "drift-history"

State = Literal["there", "repairing", "repaired", "gone"]
"""There: not as it should be. Repairing: a run that undoes it was begun. Repaired: by that run. Gone: by another."""


@dataclass(frozen=True)
class Entry:
    """One difference, from when it was found to its end."""

    tenant: str
    difference: Difference
    found: str
    """When it was first seen, in RFC 3339."""
    state: State = "there"
    ended: str = ""
    """When it was first seen no more; empty while it is there."""

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about: there is one entry of a key that has not ended."""
        one = self.difference
        return (self.tenant, one.kind, one.name, one.change, one.field)


def observed(
    entries: Iterable[Entry],
    found: Mapping[str, Sequence[Difference]],
    now: str,
    looked_at: Collection[str] | None = None,
) -> list[Entry]:
    """The history after a look at the fleet.

    Args:
        entries: the history before it.
        found: what differs, by tenant.
        now: when that was so, in RFC 3339.
        looked_at: the tenants; all when None.
    """
    there = {one.key: one for tenant, own in found.items() for one in (Entry(tenant, _short(d), now) for d in own)}
    after = []
    for entry in entries:
        if entry.ended or (looked_at is not None and entry.tenant not in looked_at):
            after.append(entry)
        elif entry.key in there:
            # Who did it is noted as at first; whether a repair that was begun succeeds is still open.
            after.append(entry)
            del there[entry.key]
        else:
            state: State = "repaired" if entry.state == "repairing" else "gone"
            after.append(replace(entry, state=state, ended=now))
    return bounded([*after, *there.values()])


def begun(entries: Iterable[Entry], tenants: Collection[str]) -> list[Entry]:
    """The history when a run begins that undoes what can be undone of some tenants."""
    return [
        replace(one, state="repairing") if not one.ended and one.tenant in tenants and one.difference.mended else one
        for one in entries
    ]


def bounded(entries: Sequence[Entry]) -> list[Entry]:
    """The same without the oldest, ended ones first, until it fits."""
    kept = list(entries)
    size = sum(map(_size, kept))
    for one in sorted(entries, key=lambda entry: (not entry.ended, entry.ended or entry.found)):
        if len(kept) <= MOST and size <= MOST_BYTES:
            break
        kept.remove(one)
        size -= _size(one)
    return kept


def read(cluster: Cluster, project: str, stacks: Collection[str]) -> list[Entry]:
    """The history of some cells, in the order in which entries were made.

    Raises:
        ClusterError: the API server can't be asked.
    """
    known = by_stack(cluster, project)
    return sorted((one for stack in stacks for one in known.get(stack, ())), key=lambda entry: entry.found)


def by_stack(cluster: Cluster, project: str) -> dict[str, list[Entry]]:
    """The history of each cell of a project that has one.

    Raises:
        ClusterError: the API server can't be asked.
    """
    found = cluster.objects(BY_NAME["ConfigMap"], labels=f"{_LABEL}={_HISTORY}", namespace=records.HOME)
    data = (one["data"] for one in found)
    return {
        one["stack"]: msgspec.json.decode(one["entries"], type=list[Entry]) for one in data if one["project"] == project
    }


def by_cell(entries: Iterable[Entry], layout: Cells, stacks: Collection[str]) -> dict[str, list[Entry]]:
    """The entries of each of some cells: those of the tenants that it has, or had until they were removed."""
    known = list(entries)
    return {stack: [one for one in known if layout.stack(one.tenant) == stack] for stack in stacks}


def write(cluster: Cluster, project: str, stack: str, entries: Sequence[Entry]) -> None:
    """Write the history of a cell.

    Raises:
        ClusterError: the API server can't be asked, or refuses.
    """
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name(project, stack),
                "namespace": records.HOME,
                "labels": {"app.kubernetes.io/part-of": "siteforge-fleet", _LABEL: _HISTORY},
            },
            "data": {"project": project, "stack": stack, "entries": json.dumps(data(entries))},
        }
    )


def data(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The entries as JSON has them."""
    return [dataclasses.asdict(one) for one in entries]


def name(project: str, stack: str) -> str:
    """The name of the ConfigMap."""
    return records.name(project, stack).replace("cell-", "drift-")


def _short(one: Difference) -> Difference:
    """Without the whole of a long value: what it was is in the catalogue, and what it became in the cluster."""
    return replace(one, wanted=_text(one.wanted), found=_text(one.found))


def _text(value: Any) -> Any:
    if isinstance(value, list | dict):
        value = json.dumps(value)
    return shorten(value) if isinstance(value, str) else value


def _size(entry: Entry) -> int:
    return len(json.dumps(dataclasses.asdict(entry)))
