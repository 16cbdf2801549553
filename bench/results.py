"""What a run found: rows of figures with the machine they belong to, as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

WORKS = ("create", "no_op", "change_one", "status", "drift_check", "repair", "delete_one")
"""The pieces of work, in the order in which a peer does them."""

Outcome = Literal["done", "cut off", "not offered", "failed"]


@dataclass
class Row:
    """One piece of work of one peer.

    Args:
        tenants: how many there were.
        peer, work: which.
        outcome: `cut off` when the deadline came first.
        reason: why it wasn't done.
        seconds: until the guarantee held; of one that was cut off, the deadline.
        command_seconds: until the command ended.
        cpu_seconds: of the tool's processes.
        control_plane_cpu_seconds: by process.
        peak_bytes: resident memory of the tool's processes together.
        requests: to the API server by verb, the controllers' among them.
        own_requests: the tool's.
        backend_bytes: written to its state; None where it keeps none in files.
        programs: what each of the tool's programs took: `processes`, `cpu_seconds`, `peak_bytes`.
    """

    tenants: int
    peer: str
    work: str
    outcome: Outcome
    reason: str = ""
    seconds: float | None = None
    command_seconds: float | None = None
    cpu_seconds: float | None = None
    control_plane_cpu_seconds: dict[str, float] = field(default_factory=dict)
    peak_bytes: int | None = None
    requests: dict[str, int] = field(default_factory=dict)
    own_requests: int | None = None
    backend_bytes: int | None = None
    programs: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass
class Results:
    """A whole run.

    Args:
        label: what to know before reading it.
        date: of its start, UTC.
        machine: what it ran on: processor, cores, memory, kernel.
        versions: of what was measured and of the cluster.
        cluster: nodes, and the rates of the controllers.
        objects: how many a tenant has.
        titles: of the peers, by name.
        deadline: seconds that a piece of work had.
        rows: the figures.
    """

    label: str
    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    cluster: dict[str, str]
    objects: int
    titles: dict[str, str]
    deadline: float
    rows: list[Row] = field(default_factory=list)

    @property
    def sizes(self) -> list[int]:
        """The numbers of tenants, ascending."""
        return sorted({row.tenants for row in self.rows})

    def find(self, tenants: int, peer: str, work: str) -> Row | None:
        """A row, whatever its outcome."""
        found = (row for row in self.rows if (row.tenants, row.peer, row.work) == (tenants, peer, work))
        return next(found, None)

    def of(self, peer: str, work: str) -> Iterator[Row]:
        """The rows of one work of a peer that were done, by their number of tenants."""
        for size in self.sizes:
            row = self.find(size, peer, work)
            if row and row.outcome == "done":
                yield row

    def save(self, path: Path) -> None:
        """Write them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def load(path: Path) -> Results:
    """Read what `save` wrote."""
    found: dict[str, Any] = json.loads(path.read_text())
    return Results(**found | {"rows": [Row(**row) for row in found["rows"]]})
