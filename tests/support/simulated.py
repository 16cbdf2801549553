"""Tenants whose pods are simulated: for tests in which what the pods do does not matter, and their number may."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

_SCHEDULING = {
    "nodeSelector": {"siteforge.dev/node": "simulated"},
    "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
}


def tenant(name: str, **fields: Any) -> dict[str, Any]:
    """A line of the catalogue, in its own spelling."""
    line = {"name": name, "title": name, "adminEmail": f"{name}@example.com", "plan": "nano"}
    workloads = {part: {"scheduling": _SCHEDULING} | fields.pop(part, {}) for part in ("wordpress", "database")}
    return line | workloads | fields


def catalogue(tenants: Iterable[Mapping[str, Any]]) -> str:
    """The catalogue of these; JSON is YAML."""
    return json.dumps({"tenants": list(tenants)})
