"""The tenants that every peer is given: full ones of the smallest plan, each with all of its objects."""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siteforge import secrets
from siteforge.blueprint import Images, Ingress, blueprint
from siteforge.specs.manifest import Manifest
from siteforge.specs.objects import objects
from siteforge.tenant_spec import TenantSpec

SECRET = "what the benchmark's tenants derive their passwords from: nobody's secret"
"""Public on purpose: the tenants are simulated."""

LARGEST = 9999


@dataclass(frozen=True)
class Fleet:
    """What is declared.

    Args:
        size: how many tenants there were at first.
        changed: tenants with more memory than their plan gives.
        removed: tenants that are declared no more.
    """

    size: int
    changed: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    @property
    def tenants(self) -> list[str]:
        """The names of those that are declared."""
        names = [f"bench-{number:04}" for number in range(1, self.size + 1)]
        return [name for name in names if name not in self.removed]

    def change(self, tenant: str) -> "Fleet":
        """The same with one tenant changed, so that its pods are made anew."""
        return dataclasses.replace(self, changed=self.changed | {tenant})

    def remove(self, tenant: str) -> "Fleet":
        """The same without one tenant."""
        return dataclasses.replace(self, removed=self.removed | {tenant})

    def manifests(self, tenant: str) -> list[Manifest]:
        """A tenant's objects, its Namespace first."""
        spec = TenantSpec.model_validate(self._line(tenant), by_alias=True, by_name=False)
        credentials = secrets.derive(SECRET, tenant, spec.credentials_version)
        return [placed.manifest for placed in objects(blueprint(spec, Images(), Ingress()), credentials)]

    def write_catalogue(self, folder: Path) -> None:
        """Have exactly the declared tenants as a catalogue in `folder`, one file a tenant; JSON is YAML."""
        _write(folder, ((f"{one}.yaml", json.dumps(self._line(one), indent=1)) for one in self.tenants))

    def write(self, folder: Path) -> None:
        """Have exactly the declared tenants' objects in `folder`, one file a tenant: a List."""
        _write(folder, self._lists())

    def _lists(self) -> Iterator[tuple[str, str]]:
        for tenant in self.tenants:
            yield f"{tenant}.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": self.manifests(tenant)})

    def _line(self, tenant: str) -> dict[str, Any]:
        line: dict[str, Any] = {
            "name": tenant,
            "title": f"Site {tenant}",
            "adminEmail": "owner@example.com",
            "plan": "nano",
            "owners": {"users": [f"{tenant}@example.com"]},
            "domains": [f"{tenant}.example.com"],
            "tls": {"issuer": "letsencrypt"},
            # Rarely: what scheduled work costs the cluster is no tool's cost.
            "wordpress": {"cronMinutes": 60},
        }
        if tenant in self.changed:
            line["wordpress"] |= {"resources": {"limits": {"memory": "384Mi"}}}
        return line


def _write(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Have exactly these files, by name and text, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    surplus = {one.name for one in folder.iterdir()}
    for name, text in files:
        surplus.discard(name)
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    for name in surplus:
        (folder / name).unlink()


def read(path: Path) -> list[Manifest]:
    """The objects in a file that `Fleet.write` made."""
    items: list[Manifest] = json.loads(path.read_text())["items"]
    return items
