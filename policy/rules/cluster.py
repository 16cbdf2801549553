"""What has to be there beside an object: rules that need all objects of a namespace to judge one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import manifests
from .manifests import Manifest
from .rules import ClusterRule


def _where_pods_run(objects: Sequence[Manifest]) -> dict[str, Manifest]:
    """A manifest with pods of each namespace that has any."""
    return {manifests.namespace(one): one for one in objects if manifests.template(one) is not None}


def _of_kind(objects: Sequence[Manifest], kind: str, namespace: str) -> list[Manifest]:
    return [one for one in objects if one.get("kind") == kind and manifests.namespace(one) == namespace]


def _closes(policy: Manifest) -> bool:
    spec = manifests.spec(policy)
    everybody = not (spec.get("podSelector") or {})
    both = {"Ingress", "Egress"} <= set(spec.get("policyTypes") or ())
    return everybody and both and not spec.get("ingress") and not spec.get("egress")


def _closed_network(objects: Sequence[Manifest]) -> Iterator[tuple[Manifest, str]]:
    for namespace, one in _where_pods_run(objects).items():
        if not any(map(_closes, _of_kind(objects, "NetworkPolicy", namespace))):
            yield one, "its namespace has no policy that closes the network for all pods, both ways"


def _share(objects: Sequence[Manifest]) -> Iterator[tuple[Manifest, str]]:
    for namespace, one in _where_pods_run(objects).items():
        for kind in ("ResourceQuota", "LimitRange"):
            if not _of_kind(objects, kind, namespace):
                yield one, f"its namespace has no {kind}"


def _declared_namespace(objects: Sequence[Manifest]) -> Iterator[tuple[Manifest, str]]:
    for namespace, one in _where_pods_run(objects).items():
        if not _of_kind(objects, "Namespace", namespace):
            yield one, "its namespace is nobody's: nothing says what Pod Security it enforces"


def _labels(manifest: Manifest) -> Mapping[str, Any]:
    return ((manifests.template(manifest) or {}).get("metadata") or {}).get("labels") or {}


def _evictable(objects: Sequence[Manifest]) -> Iterator[tuple[Manifest, str]]:
    for one in objects:
        if one.get("kind") not in ("Deployment", "StatefulSet"):
            continue
        budgets = [
            budget
            for budget in _of_kind(objects, "PodDisruptionBudget", manifests.namespace(one))
            if manifests.selects(manifests.spec(budget).get("selector"), _labels(one))
        ]
        if not budgets:
            yield one, "has no PodDisruptionBudget"
        for budget in budgets:
            if manifests.spec(budget).get("maxUnavailable") in (0, "0%", None):
                yield budget, "may keep a node from being drained"


def _chosen(objects: Sequence[Manifest]) -> Iterator[tuple[Manifest, str]]:
    for one in objects:
        if one.get("kind") != "Service" or not manifests.spec(one).get("selector"):
            continue
        selector = {"matchLabels": manifests.spec(one)["selector"]}
        near = [other for other in objects if manifests.namespace(other) == manifests.namespace(one)]
        workloads = [other for other in near if manifests.template(other) is not None]
        if sum(manifests.selects(selector, _labels(workload)) for workload in workloads) != 1:
            yield one, "does not select the pods of one workload"


def _existing_identity(objects: Sequence[Manifest]) -> Iterator[tuple[Manifest, str]]:
    declared = [one for one in objects if one.get("kind") == "ServiceAccount"]
    accounts = {(manifests.namespace(one), manifests.metadata(one).get("name")) for one in declared}
    for one in objects:
        account = manifests.pod(one).get("serviceAccountName")
        if account and (manifests.namespace(one), account) not in accounts:
            yield one, f"runs as a ServiceAccount that nobody declares ({account})"


RULES: tuple[ClusterRule, ...] = (
    ClusterRule("closed-network", "a NetworkPolicy for all pods, both ways, without rules", _closed_network),
    ClusterRule("share", "a ResourceQuota and a LimitRange in each namespace with pods", _share),
    ClusterRule("declared-namespace", "a Namespace that enforces Pod Security", _declared_namespace),
    ClusterRule("evictable", "a PodDisruptionBudget that lets at least one pod go", _evictable),
    ClusterRule("chosen", "a Service selects the pods of exactly one workload", _chosen),
    ClusterRule("existing-identity", "declare the ServiceAccount", _existing_identity),
)
