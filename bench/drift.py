"""What somebody else changes, for a repair to undo; and what shows whether objects are as declared."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bench import kube
from bench.fleet import Fleet
from bench.kube import Api
from siteforge.specs.manifest import Manifest

_SOMEBODY = "somebody"
_SHARE = 100
"""One tenant of so many drifts."""

_OTHERS = ("app.kubernetes.io/managed-by",)
"""Labels that a tool claims for itself, as Helm does."""


def drifted(tenants: list[str]) -> list[str]:
    """Those that drift: one per cent, at least one."""
    return tenants[::_SHARE]


def cause(api: Api, tenants: Iterable[str]) -> None:
    """Change the image of each tenant's site, and delete its Service."""
    for tenant in tenants:
        image = {"spec": {"template": {"spec": {"containers": [{"name": "wordpress", "image": "drifted:1"}]}}}}
        target = f"{kube.collection('apps/v1', 'Deployment', tenant)}/wordpress?fieldManager={_SOMEBODY}"
        api.request("PATCH", target, json.dumps(image).encode(), "application/strategic-merge-patch+json")
        api.request("DELETE", f"{kube.collection('v1', 'Service', tenant)}/wordpress")


def differences(api: Api, fleet: Fleet, tenants: Iterable[str]) -> list[str]:
    """What of these tenants is not as declared: objects that are missing, fields with another value."""
    return [line for tenant in tenants for manifest in fleet.manifests(tenant) for line in _of(api, manifest)]


def _of(api: Api, manifest: Manifest) -> Iterator[str]:
    target = kube.path(manifest)
    found = api.find(target)
    if found is None:
        yield f"{target} is missing"
        return
    for field in unlike(manifest, found):
        yield f"{target} differs in {field}"


def unlike(wanted: Any, found: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The fields of `wanted` that `found`, which may have more, has otherwise."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            if key not in _OTHERS:
                yield from unlike(value, found.get(key), (*path, key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from unlike(one, other, (*path, str(number)))
    elif wanted != found:
        yield ".".join(path)
