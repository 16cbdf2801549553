"""What was deployed: for each cell, a ConfigMap in the cluster with a digest of each of its tenants.

It tells, in one request for the whole fleet, whose line of the catalogue has changed since; it is written
after a run that succeeded, so that what a failed or killed run left is looked at again.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siteforge import names
from siteforge.configuration import Configuration
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import BY_NAME
from siteforge.tenant_spec import TenantSpec

HOME = "siteforge"
"""The namespace of the fleet's own objects; no tenant can have this name."""

_LABEL = names.annotation("record")
_CELL = "cell"

_FROZEN = "frozen"
"""The digest of a tenant whose objects depend on nothing."""

Digests = dict[str, str]
"""A digest by tenant."""


@dataclass(frozen=True)
class Program:
    """What makes a tenant's objects of its line: another program may make others."""

    digest: str

    @classmethod
    def of(cls, folder: Path) -> "Program":
        """The program of a project's folder and the installed package."""
        package = Path(names.__file__).parent
        own = (path for path in package.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".pyi"))
        aside = {package / "cli", package / "fleet"}
        files = [path for path in own if not aside & set(path.parents)]
        digest = hashlib.sha256()
        for path in (*sorted(files), folder / "__main__.py", folder / "Pulumi.yaml"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return cls(digest.hexdigest())


def digest(spec: TenantSpec, configuration: Configuration, program: Program) -> str:
    """What a tenant's objects depend on, in 16 characters that tell nothing of its secrets."""
    if spec.frozen:
        return _FROZEN
    parts = [
        program.digest,
        # Everything that is decided of it: its line, the plan, and what the stack says for all.
        repr(configuration.blueprint(spec)),
        configuration.readiness,
        # Derived with the stack's secret, which a change of it therefore changes.
        configuration.fingerprint(spec),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def read(cluster: Cluster, project: str) -> dict[str, Digests]:
    """What each stack of a project has deployed, by stack; a stack that never ran is not among them.

    Raises:
        ClusterError: the API server can't be asked.
    """
    found = cluster.objects(BY_NAME["ConfigMap"], labels=f"{_LABEL}={_CELL}", namespace=HOME)
    data = [one.get("data", {}) for one in found]
    return {one["stack"]: json.loads(one["tenants"]) for one in data if one.get("project") == project}


def of(cluster: Cluster, project: str, stack: str) -> Digests | None:
    """What one stack has deployed; None if it never ran.

    Raises:
        ClusterError: the API server can't be asked.
    """
    found = cluster.get(BY_NAME["ConfigMap"], name(project, stack), HOME)
    return json.loads(found["data"]["tenants"]) if found else None


def write(cluster: Cluster, project: str, stack: str, tenants: Mapping[str, str]) -> None:
    """Write what a stack has deployed.

    Raises:
        ClusterError: the API server can't be asked, or refuses.
    """
    labels = _labels()
    cluster.apply(home())
    record: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name(project, stack), "namespace": HOME, "labels": labels},
        "data": {"project": project, "stack": stack, "tenants": json.dumps(dict(sorted(tenants.items())))},
    }
    cluster.apply(record)


def home() -> dict[str, Any]:
    """The namespace of the fleet's own objects."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME, "labels": _labels()}}


def _labels() -> dict[str, str]:
    return {"app.kubernetes.io/part-of": "siteforge-fleet", _LABEL: _CELL}


def updated(old: Mapping[str, str], done: Mapping[str, str], gone: Collection[str], failed: Iterable[str]) -> Digests:
    """A stack's record after a run.

    Args:
        old: what it was.
        done: the digests of the tenants that the run was about.
        gone: the tenants that it deleted.
        failed: those of either that it could not finish: they are looked at again.
    """
    failed = set(failed)
    kept = {
        whose: value for whose, value in old.items() if whose not in done and (whose not in gone or whose in failed)
    }
    # A failed one stays known, so that its removal from the catalogue is noticed, with a digest that fits nothing.
    return (
        kept
        | {whose: "" if whose in failed else value for whose, value in done.items()}
        | {whose: "" for whose in gone if whose in failed}
    )


def name(project: str, stack: str) -> str:
    """The name of a stack's record; two stacks never share it, whatever characters theirs have."""
    return f"cell-{hashlib.sha256(f'{project}/{stack}'.encode()).hexdigest()[:16]}"
