"""What a run must be allowed to do in the cluster, and what of it is not.

Asked of the API server itself, by SelfSubjectAccessReview
(kubernetes.io/docs/reference/access-authn-authz/authorization): one request for each kind and verb, because the
rules that SelfSubjectRulesReview lists may be incomplete.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from siteforge.configuration import Configuration
from siteforge.errors import ClusterError
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import ENDPOINT_SLICE, EVENT, NODE, POD, TENANT_KINDS, VOLUME, Kind

_REVIEW = Kind("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False)

_CHANGED = ("get", "list", "watch", "create", "patch", "delete")
"""The provider makes and changes objects by server-side apply, which is `patch`, and of a new one `create` too."""
_READ = {
    POD: ("get", "list", "watch"),
    EVENT: ("list",),
    # Readiness is watched.
    ENDPOINT_SLICE: ("list", "watch"),
    NODE: ("list",),
    # A volume that outlived its claim is reserved for the next.
    VOLUME: ("list", "patch"),
}

_AT_ONCE = 8

REMEDY = "have a ClusterRole with them bound to who runs Pulumi"


@dataclass(frozen=True, order=True)
class Right:
    """A verb on a kind, in all namespaces."""

    plural: str
    verb: str
    group: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.plural}{f'.{self.group}' if self.group else ''}"


_EVERYTHING = Right("*", "*", "*")
"""What `cluster-admin` has: only a rule that says so itself allows it."""


def needed(configuration: Configuration) -> list[Right]:
    """The rights that runs of this configuration need."""
    unused = "Ingress" if configuration.ingress.gateway else "HTTPRoute"
    verbs = {kind: _CHANGED for kind in TENANT_KINDS if kind.name != unused} | _READ
    return [Right(kind.plural, verb, _group(kind)) for kind, known in verbs.items() for verb in known]


def rules(configuration: Configuration) -> list[dict[str, list[str]]]:
    """The same rights as the rules of a ClusterRole: one for each API group and set of verbs."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in needed(configuration):
        verbs.setdefault((right.group, right.plural), []).append(right.verb)
    plurals: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, plural), allowed in verbs.items():
        plurals.setdefault((group, tuple(allowed)), []).append(plural)
    return [
        {"apiGroups": [group], "resources": sorted(resources), "verbs": list(allowed)}
        for (group, allowed), resources in sorted(plurals.items())
    ]


def missing(cluster: Cluster, rights: list[Right]) -> list[Right]:
    """Those that who asks does not have; an administrator is asked for once, and has them all.

    Raises:
        ClusterError: the cluster can't be asked.
    """
    if _allowed(cluster, _EVERYTHING):
        return []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sorted(
            right
            for right, allowed in zip(rights, pool.map(lambda one: _allowed(cluster, one), rights), strict=True)
            if not allowed
        )


def require(cluster: Cluster, configuration: Configuration) -> None:
    """Make sure, before anything is changed, that runs of this configuration may do what they have to.

    Raises:
        ClusterError: they may not, and which rights are missing; or the cluster can't be asked.
    """
    if lacking := missing(cluster, needed(configuration)):
        raise ClusterError(
            f"{cluster.server} (context {cluster.context}): not allowed: {', '.join(map(str, lacking))}"
            f" - {REMEDY}; nothing was changed"
        )


def _allowed(cluster: Cluster, right: Right) -> bool:
    attributes = {"group": right.group, "resource": right.plural, "verb": right.verb}
    body = {
        "apiVersion": _REVIEW.api_version,
        "kind": _REVIEW.name,
        "spec": {"resourceAttributes": attributes},
    }
    return bool(cluster.create(_REVIEW, body)["status"].get("allowed"))


def _group(kind: Kind) -> str:
    return kind.api_version.rpartition("/")[0]
