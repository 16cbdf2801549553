"""What must be so of every object, as rules over plain manifests: for renderings, tests and a Pulumi policy pack.

They are Pod Security Standards "restricted" (kubernetes.io/docs/concepts/security/pod-security-standards) and
what the isolation of tenants needs beyond that (docs/isolation.md); docs/policy.md lists them.
Imports are relative, because the policy pack has no package around it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from . import boundary, cluster, containers, secrets, workloads
from .manifests import Manifest, where
from .rules import ClusterRule, ObjectRule

__all__ = ["CLUSTER_RULES", "OBJECT_RULES", "RULES", "ClusterRule", "Manifest", "ObjectRule", "Violation", "violations"]

OBJECT_RULES: tuple[ObjectRule, ...] = (*containers.RULES, *workloads.RULES, *secrets.RULES, *boundary.RULES)
CLUSTER_RULES: tuple[ClusterRule, ...] = cluster.RULES
RULES: dict[str, str] = {rule.name: rule.promise for rule in OBJECT_RULES} | {
    rule.name: rule.promise for rule in CLUSTER_RULES
}
"""What each promises, by its name."""


@dataclass(frozen=True)
class Violation:
    """A rule that an object breaks."""

    rule: str
    where: str
    """Kind, namespace and name."""
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason} [{self.rule}]"


def violations(manifests: Iterable[Manifest]) -> list[Violation]:
    """Everything that is wrong with these objects, taken as all objects of their namespaces."""
    given = list(manifests)
    alone = [
        Violation(rule.name, where(manifest), reason)
        for rule in OBJECT_RULES
        for manifest in given
        for reason in rule.check(manifest)
    ]
    together = [
        Violation(rule.name, where(manifest), reason)
        for rule in CLUSTER_RULES
        for manifest, reason in rule.check(given)
    ]
    return alone + together
