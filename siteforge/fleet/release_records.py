"""What is remembered of a release in the cluster: what can't be known from the catalogue."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from siteforge import names
from siteforge.fleet import records
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import BY_NAME
from siteforge.fleet.project import Project


@dataclass(frozen=True)
class Record:
    """What is remembered of the last release."""

    image: str = ""
    before: Mapping[str, str | None] = field(default_factory=dict)
    """What the lines of the tenants said that got the image; None stands for nothing."""
    baked: tuple[str, ...] = ()
    """The rings that are done."""


def read(cluster: Cluster, project: Project) -> Record:
    """What is remembered of the last release; an empty record if there was none.

    Raises:
        ClusterError: the API server can't be asked.
    """
    data = cluster.get(BY_NAME["ConfigMap"], _name(project), records.HOME).get("data", {})
    if not data:
        return Record()
    return Record(data["image"], json.loads(data["before"]), tuple(json.loads(data["baked"])))


def write(cluster: Cluster, project: Project, record: Record) -> None:
    """Remember a release.

    Raises:
        ClusterError: the API server can't be asked, or refuses.
    """
    labels = {"app.kubernetes.io/part-of": "siteforge-fleet", names.annotation("record"): "release"}
    cluster.apply(records.home())
    manifest: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _name(project), "namespace": records.HOME, "labels": labels},
        "data": {
            "image": record.image,
            "before": json.dumps(dict(sorted(record.before.items()))),
            "baked": json.dumps(record.baked),
        },
    }
    cluster.apply(manifest)


def _name(project: Project) -> str:
    # All cells of a catalogue have one release.
    return name(project.name, project.cells.stacks[0])


def name(project: str, stack: str) -> str:
    """The name of the record of a project's releases, by the first of the stacks that share a catalogue."""
    return f"release-{hashlib.sha256(f'{project}/{stack}'.encode()).hexdigest()[:16]}"
