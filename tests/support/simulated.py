"""Tenants whose pods are simulated: everything is real but what runs in them, and a dozen costs little."""

import json
from collections.abc import Iterable
from typing import Any

from tests.support.commands import kubectl


def scheduling(**labels: str) -> dict[str, Any]:
    """Onto simulated nodes that have these labels."""
    tolerations = [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}]
    return {"nodeSelector": {"type": "kwok", **labels}, "tolerations": tolerations}


def tenant(name: str, title: str = "A site of the tests", **fields: Any) -> dict[str, Any]:
    """A tenant's line of a catalogue."""
    line = {"name": name, "title": title, "adminEmail": "fleet@example.com", "plan": "nano"}
    parts = {part: {"scheduling": scheduling()} | fields.pop(part, {}) for part in ("wordpress", "database")}
    return line | parts | fields


def catalogue(tenants: Iterable[dict[str, Any]]) -> str:
    """The catalogue of these tenants; JSON is YAML."""
    return json.dumps({"tenants": list(tenants)})


def versions(name: str) -> dict[str, str]:
    """The resource version of each object that the program made for a tenant: whoever touches one changes it."""
    kinds = "configmaps,deployments,networkpolicies,persistentvolumeclaims,secrets,services,statefulsets,resourcequotas"
    found = json.loads(kubectl("get", kinds, "-n", name, "-l", "app.kubernetes.io/part-of=siteforge", "-o", "json"))
    return {f"{one['kind']}/{one['metadata']['name']}": _generation(one) for one in found["items"]}


def _generation(live: dict[str, Any]) -> str:
    """Its identity and what was declared of it, without its status, which controllers keep writing."""
    metadata = live["metadata"]
    return f"{metadata['uid']} {json.dumps([live.get('spec'), live.get('data'), metadata['labels']], sort_keys=True)}"


def ready(name: str) -> bool:
    """Whether a tenant's workloads are available and its Services have an endpoint, as kubectl sees it."""
    deployment = kubectl("get", "deployment/wordpress", "-n", name, "-o", "jsonpath={.status.availableReplicas}")
    stateful_set = kubectl("get", "statefulset/mariadb", "-n", name, "-o", "jsonpath={.status.readyReplicas}")
    path = "jsonpath={.items[*].endpoints[*].conditions.ready}"
    endpoints = kubectl("get", "endpointslices", "-n", name, "-o", path).split()
    return (deployment, stateful_set) == ("1", "1") and len(endpoints) >= 2 and set(endpoints) == {"true"}
