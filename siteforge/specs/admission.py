"""What a tenant's pods and volumes take, and what its own quota and limit range would refuse them.

The API server asks these two when a pod is made, long after `pulumi up` has declared its Deployment, and says no
in an event that nobody reads. So they are asked here first, by the same rules (kubernetes.io/docs/concepts/policy,
resource-quotas and limit-range), over the specs that will be deployed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from siteforge import quantities
from siteforge.blueprint import Blueprint
from siteforge.quantities import parse
from siteforge.specs import boundary, cron, database, wordpress
from siteforge.specs.pods import CRON_PODS, SURGE

Amounts = dict[str, Fraction]
"""By resource, in a quota's words: cores of `requests.cpu`, bytes of `limits.memory`, numbers of `pods`."""

_FIX = "its boundary has to grow with it (siteforge/specs/boundary.py)"
"""A tenant's boundary is computed from the tenant: what it refuses is no mistake in a catalogue."""


@dataclass(frozen=True)
class PodGroup:
    """Pods of one kind."""

    count: int
    """How many there are at the tenant's fullest, a rollout's surge among them."""
    leaving: int
    """How many more a rollout may still be stopping: a quota counts a pod until it is gone."""
    spec: Mapping[str, Any]


def pod_groups(tenant: Blueprint) -> list[PodGroup]:
    """All pods of a tenant: whatever starts pods in its namespace has its line here."""
    site = wordpress.deployment_spec(tenant, "")["template"]["spec"]
    groups = [PodGroup(wordpress.most_pods(tenant) + SURGE, tenant.site.most_replicas, site)]
    if tenant.database and not tenant.suspended:
        # It is stopped before it is started again.
        groups.append(PodGroup(1, 0, database.stateful_set_spec(tenant, "")["template"]["spec"]))
    if not tenant.suspended:
        groups.append(PodGroup(CRON_PODS, 0, cron.pod(tenant)))
    return groups


def need(tenant: Blueprint) -> Amounts:
    """What a tenant takes at its fullest: all replicas, the one more of a rollout, and the database."""
    return _sum(tenant, lambda group: group.count)


def hard(tenant: Blueprint) -> Amounts:
    """What its quota holds."""
    return {resource: parse(amount) for resource, amount in boundary.quota(tenant)["spec"]["hard"].items()}


def refusals(tenant: Blueprint) -> Iterator[str]:
    """Why the admission of the tenant's namespace would turn away its own pods or volumes; none if all is right."""
    most = hard(tenant)
    for resource, amount in _sum(tenant, lambda group: group.count + group.leaving).items():
        if amount > most[resource]:
            taken, allowed = write(resource, amount), write(resource, most[resource])
            yield f"a rollout takes {taken} of {resource}, over the tenant's own quota of {allowed} - {_FIX}"
    (limits,) = boundary.limits(tenant)["spec"]["limits"]
    for group in pod_groups(tenant):
        for container in (*group.spec["containers"], *group.spec.get("initContainers", [])):
            yield from _out_of_range(container, limits)


def write(resource: str, amount: Fraction) -> str:
    """An amount as people write it, rounded up."""
    if "." not in resource:
        return str(amount)
    return quantities.cpu(amount) if resource.endswith(".cpu") else quantities.memory(amount)


def _sum(tenant: Blueprint, count: Callable[[PodGroup], int]) -> Amounts:
    groups = pod_groups(tenant)
    total = {
        f"{kind}.{resource}": sum((count(one) * _of_pod(one.spec, kind, resource) for one in groups), Fraction())
        for kind, resource in product(("requests", "limits"), ("cpu", "memory", "ephemeral-storage"))
    }
    claims = [wordpress.claim(tenant), *([database.claim(tenant)] if tenant.database else [])]
    sizes = (parse(claim["spec"]["resources"]["requests"]["storage"]) for claim in claims)
    return total | {
        "requests.storage": sum(sizes, Fraction()),
        "persistentvolumeclaims": Fraction(len(claims)),
        "pods": Fraction(sum(map(count, groups))),
    }


def _of_pod(spec: Mapping[str, Any], kind: str, resource: str) -> Fraction:
    """What a quota counts for a pod: its containers together, or an init container that takes more."""

    def amount(container: Mapping[str, Any]) -> Fraction:
        return parse(container["resources"][kind][resource])

    together = sum(map(amount, spec["containers"]), Fraction())
    return max([together, *map(amount, spec.get("initContainers", []))])


def _out_of_range(container: Mapping[str, Any], limits: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What a limit range would refuse a container for."""
    given = container["resources"]
    for resource, most in limits["max"].items():
        if parse(given["limits"][resource]) > parse(most):
            reason = f"limits {resource} to {given['limits'][resource]}, over the limit range's {most}"
            yield f"the container {container['name']} {reason} - {_FIX}"
    for resource, least in limits["min"].items():
        if parse(given["requests"][resource]) < parse(least):
            reason = f"requests {given['requests'][resource]} of {resource}, under the limit range's {least}"
            yield f"the container {container['name']} {reason} - {_FIX}"
