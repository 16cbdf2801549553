"""What surrounds the pods of a tenant: namespace, quota, network, rights."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import manifests
from .manifests import Manifest
from .rules import ObjectRule


def _inside_the_cluster(manifest: Manifest) -> Iterator[str]:
    if manifest.get("kind") == "Service":
        kind = manifests.spec(manifest).get("type") or "ClusterIP"
        if kind != "ClusterIP":
            yield f"a Service of type {kind}"
        if addresses := manifests.spec(manifest).get("externalIPs"):
            yield f"takes the addresses {', '.join(addresses)}"


_DANGEROUS_VERBS = frozenset({"*", "escalate", "bind", "impersonate"})
_DANGEROUS = frozenset(
    {"*", "secrets", "serviceaccounts/token", "pods/exec", "pods/attach", "pods/ephemeralcontainers", "nodes/proxy"}
)
_EVERYBODY = frozenset({"system:authenticated", "system:unauthenticated", "system:anonymous", "system:serviceaccounts"})
_LOOKING = frozenset({"get", "list", "watch"})
_OURS = frozenset(
    {
        *("deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs"),
        *("roles", "rolebindings", "networkpolicies", "resourcequotas", "limitranges", "serviceaccounts"),
    }
)
"""Whoever changes one of these can have a secret, or lift a limit."""


def _small_rights(manifest: Manifest) -> Iterator[str]:
    if manifest.get("kind") in ("ClusterRole", "ClusterRoleBinding"):
        yield "rights in every namespace"
    for rule in manifest.get("rules") or ():
        verbs, resources = set(rule.get("verbs") or ()), set(rule.get("resources") or ())
        if risky := (verbs & _DANGEROUS_VERBS) | (resources & _DANGEROUS) | ({"*"} & set(rule.get("apiGroups") or ())):
            yield f"a right to {', '.join(sorted(risky))}"
        if (taken := resources & _OURS) and (changing := verbs - _LOOKING):
            yield f"a right to {', '.join(sorted(changing))} {', '.join(sorted(taken))}"
        if "pods" in resources and (making := verbs & {"create", "update", "patch"}):
            yield f"a right to {', '.join(sorted(making))} pods, which can mount any Secret of the namespace"
    if manifest.get("kind") == "RoleBinding":
        if (manifest.get("roleRef") or {}).get("kind") != "Role":
            yield f"binds the ClusterRole {(manifest.get('roleRef') or {}).get('name')}"
        for subject in manifest.get("subjects") or ():
            if subject.get("name") in _EVERYBODY:
                yield f"gives its rights to {subject['name']}"


_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")


def _narrow_network(manifest: Manifest) -> Iterator[str]:
    if manifest.get("kind") != "NetworkPolicy":
        return
    spec = manifests.spec(manifest)
    if missing := {"Ingress", "Egress"} - set(spec.get("policyTypes") or ()):
        yield f"says nothing of {', '.join(sorted(missing))}"
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(direction) or ():
            if not rule.get("ports"):
                yield f"{direction} on every port"
            if not rule.get(side):
                yield f"{direction} {side} everywhere"
            for peer in rule.get(side) or ():
                yield from _wide_peer(peer, direction)


def _wide_peer(peer: Mapping[str, Any], direction: str) -> Iterator[str]:
    block, namespaces = peer.get("ipBlock"), peer.get("namespaceSelector")
    if namespaces is not None and not (namespaces.get("matchLabels") or namespaces.get("matchExpressions")):
        yield f"{direction}: every namespace"
    if namespaces is None and block is None and not (peer.get("podSelector") or {}).get("matchLabels"):
        yield f"{direction}: every pod of the namespace"
    if block is not None:
        cidr = str(block.get("cidr"))
        if cidr == "::/0" or (direction == "ingress" and cidr.endswith("/0")):
            yield f"{direction}: every address ({cidr})"
        if cidr == "0.0.0.0/0" and (missing := set(_PRIVATE) - set(block.get("except") or ())):
            yield f"{direction}: private addresses and metadata services ({', '.join(sorted(missing))})"


_COUNTED = (
    *("pods", "persistentvolumeclaims", "services", "secrets", "configmaps", "requests.storage"),
    *(f"{kind}.{what}" for kind in ("requests", "limits") for what in ("cpu", "memory", "ephemeral-storage")),
)
_NONE = ("services.nodeports", "services.loadbalancers")


def _whole_quota(manifest: Manifest) -> Iterator[str]:
    if manifest.get("kind") == "ResourceQuota":
        hard = manifests.spec(manifest).get("hard") or {}
        for resource in _COUNTED:
            if resource not in hard:
                yield f"does not limit {resource}"
        for resource in _NONE:
            if str(hard.get(resource)) != "0":
                yield f"allows {resource}: {hard.get(resource)}"


_POD_SECURITY = "pod-security.kubernetes.io/"


def _restricted_namespace(manifest: Manifest) -> Iterator[str]:
    if manifest.get("kind") == "Namespace":
        labels = manifests.metadata(manifest).get("labels") or {}
        for mode in ("enforce", "warn", "audit"):
            if labels.get(_POD_SECURITY + mode) != "restricted":
                yield f"{mode}s {labels.get(_POD_SECURITY + mode)}"
            version = str(labels.get(f"{_POD_SECURITY}{mode}-version"))
            if not re.fullmatch(r"v1\.\d+", version):
                yield f"{mode}s a version that changes by itself: {version}"


def _not_in_default(manifest: Manifest) -> Iterator[str]:
    namespaced = manifest.get("kind") not in ("Namespace", "ClusterRole", "ClusterRoleBinding", "PersistentVolume")
    if namespaced and manifests.namespace(manifest) in ("default", "kube-system", "kube-public"):
        yield f"lives in the namespace {manifests.namespace(manifest)}"


RULES: tuple[ObjectRule, ...] = (
    ObjectRule("inside-the-cluster", "Services of type ClusterIP", _inside_the_cluster),
    ObjectRule("small-rights", "rights in one namespace that lead to no secret and no more rights", _small_rights),
    ObjectRule("narrow-network", "policies of both directions that name whom, and on which ports", _narrow_network),
    ObjectRule("whole-quota", "limit everything, and no node ports or load balancers", _whole_quota),
    ObjectRule("restricted-namespace", "enforce Pod Security restricted, at a version", _restricted_namespace),
    ObjectRule("not-in-default", "a namespace of its own", _not_in_default),
)
