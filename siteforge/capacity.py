"""What tenants need of a cluster, and whether it has that: arithmetic that is done before anything is made.

A tenant needs what it requests at its fullest: all replicas of its site, the one more that a rollout starts
before it stops an old one (maxSurge), and its database, unless that is kept elsewhere. The surge counts for
every tenant at once, because a change of the stack's image rolls them all at once. Quotas are not what is added
up: they leave room for a change from any plan to any other (specs/boundary.py), several times what a tenant ever
uses.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from pydantic import BaseModel, ConfigDict, Field

from siteforge import quantities
from siteforge.blueprint import Blueprint
from siteforge.constraints import ClusterBytes, ClusterCpu
from siteforge.errors import CapacityError
from siteforge.quantities import parse

SURGE = 1
"""Pods of a site that a rollout starts beyond its replicas."""

_LARGEST_SHOWN = 3


@dataclass(frozen=True)
class Need:
    """What a tenant needs at its fullest."""

    cpu: Fraction
    """Cores, requested."""
    memory: Fraction
    """Bytes, requested."""
    storage: Fraction
    """Bytes of its volumes."""
    pods: Fraction


class Budget(BaseModel):
    """What a cluster has for all tenants of a stack; what is left out is not checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    cpu: ClusterCpu | None = None
    memory: ClusterBytes | None = None
    storage: ClusterBytes | None = None
    pods: int | None = Field(default=None, ge=1)


def need(tenant: Blueprint) -> Need:
    """What a tenant needs at its fullest: see above."""
    site, database = tenant.site, tenant.database
    replicas = site.most_replicas + SURGE
    return Need(
        cpu=replicas * parse(site.size.cpu_request) + (parse(database.size.cpu_request) if database else 0),
        memory=replicas * parse(site.size.memory_request) + (parse(database.size.memory_request) if database else 0),
        storage=parse(site.volume.size) + (parse(database.volume.size) if database else 0),
        pods=Fraction(replicas + (1 if database else 0)),
    )


_RESOURCES: dict[str, tuple[str, Callable[[Fraction], str]]] = {
    "cpu": ("of cpu (requests)", quantities.cpu),
    "memory": ("of memory (requests)", quantities.memory),
    "storage": ("of storage", quantities.memory),
    "pods": ("pods", str),
}
"""Each field of a need and a budget: what messages call it, and how they write an amount of it."""


def check(tenants: Iterable[Blueprint], budget: Budget, file: str) -> None:
    """Make sure that a cluster has what its tenants need.

    Args:
        tenants: all of the stack's.
        budget: what the cluster has.
        file: what messages call the catalogue.

    Raises:
        CapacityError: it has not; says of what, how much is missing, and who needs most.
    """
    needs = {tenant.name: need(tenant) for tenant in tenants}
    problems = []
    for resource, (meant, write) in _RESOURCES.items():
        given = getattr(budget, resource)
        shares = {name: getattr(one, resource) for name, one in needs.items()}
        total = sum(shares.values(), Fraction())
        if given is None or total <= parse(str(given)):
            continue
        largest = sorted(shares, key=lambda name: (-shares[name], name))[:_LARGEST_SHOWN]
        consumers = ", ".join(f"{name} {write(shares[name])}" for name in largest)
        problems.append(
            f"{file}: the catalogue needs {write(total)} {meant}, over the cluster budget of {given}"
            f" - shrink the largest ({consumers}) or raise siteforge:budget.{resource}"
        )
    if problems:
        raise CapacityError("\n".join(problems))
