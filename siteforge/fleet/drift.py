"""Drift: what in the cluster is not as the catalogue says, for all tenants at once.

One paginated LIST a kind serves the whole fleet, however many tenants it has; one more of a kind looks for objects
that lost the label which the first goes by. One tenant alone is read by the lists of its own namespace.
"""

import time
from collections.abc import Collection, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from siteforge import garbage
from siteforge.configuration import Configuration
from siteforge.errors import ClusterError, SettingsError
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.differences import Difference, differences, stray
from siteforge.fleet.kinds import BY_NAME, NAMESPACE, OURS, TENANT_KINDS, Kind
from siteforge.fleet.project import Project
from siteforge.names import namespace
from siteforge.specs.manifest import Manifest, unawaited
from siteforge.specs.objects import objects
from siteforge.suggestions import did_you_mean
from siteforge.tenant_spec import TenantSpec

Key = tuple[str, str, str]
"""Kind, namespace (empty for a Namespace's own) and name of an object."""
Objects = dict[Key, Manifest]

_LISTS_AT_ONCE = 4
_NOT_OURS = OURS.replace("=", "!=")
_OPTIONAL = frozenset({"HTTPRoute"})
"""Kinds that not every cluster knows; a server that doesn't know the others is no API server."""


@dataclass(frozen=True)
class Report:
    """What a comparison found."""

    compared: int
    """How many tenants were looked at."""
    tenants: dict[str, list[Difference]]
    """What is not as it should be, by tenant; a tenant that is as it should be is not among them."""
    strays: list[Difference]
    """Namespaces of tenants that the catalogue doesn't have; looked for where all tenants are looked at."""
    requests: int
    """How many the API server was asked."""
    seconds: float
    """How long the asking and comparing took."""
    frozen: dict[str, list[Difference]] = field(default_factory=dict)
    """What differs of frozen tenants, which are left as they are: no drift."""

    @property
    def clean(self) -> bool:
        """Whether the cluster is as the catalogue says."""
        return not (self.tenants or self.strays)

    @property
    def mendable(self) -> list[str]:
        """The tenants of which `pulumi up` undoes something."""
        return [name for name, found in self.tenants.items() if any(one.mended for one in found)]


def drifted(project: Project, cluster: Cluster, names: Collection[str] | None = None) -> Report:
    """Compare the catalogue with the cluster.

    Args:
        project: the fleet's.
        cluster: where it is.
        names: the tenants to look at; all when None.

    Raises:
        SiteforgeError: there is no tenant of a name; the catalogue or the configuration is wrong.
        ClusterError: the cluster couldn't be asked for all of it, and so nothing is known.
    """
    specs = _chosen(project.tenants, names)
    started, asked = time.monotonic(), cluster.requests
    only = namespace(specs[0].name) if names and len(specs) == 1 else None
    with garbage.uncollected(), ThreadPoolExecutor(_LISTS_AT_ONCE) as pool:
        try:
            lists = [pool.submit(_listed, cluster, kind, only) for kind in TENANT_KINDS]
            # The server answers meanwhile.
            wanted = {spec.name: desired(project.configuration, spec) for spec in specs}
            live = {key: found for one in lists for key, found in one.result().items()}
            if only is None:
                live |= _unlabelled(cluster, pool, {key for one in wanted.values() for key in one} - live.keys(), live)
        except BaseException:
            # One list that can't be had is enough to know nothing: the others needn't be waited for.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        tenants, strays = compare(wanted, live)
    everybody = {namespace(spec.name) for spec in project.tenants}
    frozen = {spec.name for spec in specs if spec.frozen}
    return Report(
        len(specs),
        {name: found for name, found in tenants.items() if name not in frozen},
        [] if names is not None else [stray(found) for found in strays if found["metadata"]["name"] not in everybody],
        cluster.requests - asked,
        time.monotonic() - started,
        {name: found for name, found in tenants.items() if name in frozen},
    )


def desired(configuration: Configuration, spec: TenantSpec) -> Objects:
    """Every object of a tenant as it should be."""
    placed = objects(configuration.blueprint(spec), configuration.credentials(spec))
    manifests = [one.manifest for one in placed]
    if configuration.readiness == "fleet":
        manifests = [unawaited(one) for one in manifests]
    return {_key(one): one for one in manifests}


def compare(
    wanted: Mapping[str, Objects], live: Mapping[Key, Manifest]
) -> tuple[dict[str, list[Difference]], list[Manifest]]:
    """What differs, by tenant; and the namespaces that are nobody's.

    Args:
        wanted: the objects of each tenant as they should be.
        live: what there is, in the namespaces of others as well.
    """
    found = {
        tenant: [one for key, manifest in own.items() for one in differences(manifest, live.get(key))]
        for tenant, own in wanted.items()
    }
    tenants = {namespace(tenant): tenant for tenant in wanted}
    nobodys = []
    for key, one in live.items():
        kind, where, name = key
        tenant = tenants.get(where or name)
        if tenant is None:
            if kind == NAMESPACE.name and _is_ours(one) and one["metadata"]["labels"].get(_INSTANCE) == name:
                nobodys.append(one)
        elif key not in wanted[tenant] and _is_ours(one):
            found[tenant].append(stray(one))
    return {tenant: differ for tenant, differ in found.items() if differ}, nobodys


_LABEL, _, _VALUE = OURS.partition("=")
_INSTANCE = "app.kubernetes.io/instance"


def _is_ours(found: Manifest) -> bool:
    return bool((found["metadata"].get("labels") or {}).get(_LABEL) == _VALUE)


def _chosen(specs: list[TenantSpec], names: Collection[str] | None) -> list[TenantSpec]:
    if names is None:
        return specs
    known = {spec.name: spec for spec in specs}
    for name in names:
        if name not in known:
            raise SettingsError(f"there is no tenant {name} - {did_you_mean(name, known)}")
    return [known[name] for name in dict.fromkeys(names)]


def _listed(cluster: Cluster, kind: Kind, only: str | None) -> Objects:
    """The objects of a kind that are labelled as ours; of one namespace, whatever their labels."""
    if only is None:
        return _list(cluster, kind, OURS)
    return _list(cluster, kind, "", only) if kind.namespaced else _list(cluster, kind, "", name=only)


def _list(cluster: Cluster, kind: Kind, labels: str, only: str | None = None, name: str | None = None) -> Objects:
    fields = f"metadata.name={name}" if name else ""
    found, version = cluster.objects_at(kind, labels=labels, fields=fields, namespace=only)
    if not version and kind.name not in _OPTIONAL:
        raise ClusterError(
            f"{cluster.server} knows nothing of {kind.plural}: no API server says so"
            " - is this the address of the cluster in the kubeconfig?"
        )
    # A list leaves out what its items have in common.
    of = {"apiVersion": kind.api_version, "kind": kind.name}
    return {_key(one): one for one in (item | of for item in found)}


def _unlabelled(cluster: Cluster, pool: Executor, missing: Collection[Key], live: Mapping[Key, Manifest]) -> Objects:
    """Those of the missing objects that are there, but have lost their label."""
    spaces = {key for key in missing if key[0] == NAMESPACE.name}
    found = _list(cluster, NAMESPACE, _NOT_OURS) if spaces else {}
    there = {name for kind, _, name in (*live, *found) if kind == NAMESPACE.name}
    kinds = {kind for kind, where, _ in missing if where in there}
    for others in pool.map(lambda kind: _list(cluster, BY_NAME[kind], _NOT_OURS), sorted(kinds)):
        found |= others
    return {key: one for key, one in found.items() if key in missing}


def _key(manifest: Manifest) -> Key:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]
