"""What the cluster has of frozen tenants, which is to stay as it is, and what is left of it when they are thawed."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from siteforge import names
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import BY_NAME, NAMESPACE, OURS
from siteforge.specs.manifest import Manifest
from siteforge.specs.objects import Placed, possible

_AT_ONCE = 4
_LABEL, _, _VALUE = OURS.partition("=")


def live(cluster: Cluster, tenants: Collection[str]) -> dict[str, list[Placed]]:
    """The objects of each of these tenants that are in the cluster, of all that it may have.

    Args:
        cluster: where they are.
        tenants: the names of the frozen ones.

    Raises:
        ClusterError: the cluster can't be asked.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda name: [one for one, _ in _objects(cluster, name)], tenants)
        return dict(zip(tenants, found, strict=True))


def left(cluster: Cluster, tenant: str, wanted: Collection[str]) -> list[Manifest]:
    """The objects that Siteforge once made for a tenant and that it should no longer have.

    Args:
        cluster: where they are.
        tenant: its name.
        wanted: what it should have, by the resources' names in Pulumi.

    Raises:
        ClusterError: the cluster can't be asked.
    """
    return [found for one, found in _objects(cluster, tenant) if one.name not in wanted and _is_ours(found)]


def _objects(cluster: Cluster, tenant: str) -> list[tuple[Placed, Manifest]]:
    """What there is of all that a tenant may have, with what the cluster says of it."""
    where = names.namespace(tenant)
    home = cluster.get(NAMESPACE, where)
    if not home:
        return []
    found = possible(tenant)
    there = {(NAMESPACE.name, where): home}
    for name in {one.manifest["kind"] for one in found} - {NAMESPACE.name}:
        for one in cluster.objects(BY_NAME[name], namespace=where):
            there[name, one["metadata"]["name"]] = one | {"kind": name}
    keys = {one.name: (one.manifest["kind"], one.manifest["metadata"]["name"]) for one in found}
    return [(one, there[keys[one.name]]) for one in found if keys[one.name] in there]


def _is_ours(found: Manifest) -> bool:
    """Whether Siteforge made it, also if somebody has taken its label since."""
    metadata = found["metadata"]
    applied = {one.get("manager") for one in metadata.get("managedFields") or ()}
    return bool((metadata.get("labels") or {}).get(_LABEL) == _VALUE) or names.FIELD_MANAGER in applied
