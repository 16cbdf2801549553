"""Whether tenants fit their own quotas, and the cluster: arithmetic that is done before anything is made.

A cluster has a budget for what its tenants need: what they request at their fullest (specs/admission.py). The
surge of a rollout counts for every tenant at once, because a change of the stack's image rolls them all at once.

It may have another one for their quotas, which promise more than that: they leave room for a change from any plan
to any other (specs/boundary.py), several times what a tenant ever uses. It is for a cluster where every promise has
to be kept at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from pydantic import BaseModel, ConfigDict, Field

from siteforge.blueprint import Blueprint
from siteforge.constraints import ClusterBytes, ClusterCpu
from siteforge.errors import CapacityError
from siteforge.quantities import parse
from siteforge.specs import admission

_LARGEST_SHOWN = 3


class QuotaBudget(BaseModel):
    """What a cluster has for the quotas of all tenants of a stack; what is left out is not checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    cpu: ClusterCpu | None = None
    memory: ClusterBytes | None = None
    storage: ClusterBytes | None = None
    pods: int | None = Field(default=None, ge=1)


class Budget(QuotaBudget):
    """What a cluster has for what all tenants need, and for their quotas."""

    quotas: QuotaBudget = QuotaBudget()


_RESOURCES = {
    "cpu": ("requests.cpu", "of cpu (requests)"),
    "memory": ("requests.memory", "of memory (requests)"),
    "storage": ("requests.storage", "of storage"),
    "pods": ("pods", "pods"),
}
"""By each field of a budget: the resource in a quota's words, and what messages call it."""


def check(tenants: Iterable[Blueprint], budget: Budget, file: str) -> None:
    """Make sure that tenants fit their own quotas and limits, and the cluster.

    Args:
        tenants: all of the stack's.
        budget: what the cluster has.
        file: what messages call the catalogue.

    Raises:
        CapacityError: something does not fit; says of what, how much there is, and who has most.
    """
    tenants = list(tenants)
    needs = {tenant.name: admission.need(tenant) for tenant in tenants}
    quotas = {tenant.name: admission.hard(tenant) for tenant in tenants}
    problems = [
        *(f"{file}: tenant {tenant.name}: {text}" for tenant in tenants for text in admission.refusals(tenant)),
        *_over(needs, budget, f"{file}: the catalogue needs", "the cluster budget", "budget"),
        *_over(quotas, budget.quotas, f"{file}: the quotas add up to", "the cluster budget of quotas", "budget.quotas"),
    ]
    if problems:
        raise CapacityError("\n".join(problems))


def _over(
    shares: Mapping[str, admission.Amounts], budget: QuotaBudget, said: str, whose: str, key: str
) -> Iterator[str]:
    """Where all tenants together have more of a resource than a budget."""
    for field, (resource, meant) in _RESOURCES.items():
        given = getattr(budget, field)
        amounts = {name: share[resource] for name, share in shares.items()}
        total = sum(amounts.values(), Fraction())
        if given is None or total <= parse(str(given)):
            continue
        largest = sorted(amounts, key=lambda name: (-amounts[name], name))[:_LARGEST_SHOWN]
        consumers = ", ".join(f"{name} {admission.write(resource, amounts[name])}" for name in largest)
        yield (
            f"{said} {admission.write(resource, total)} {meant}, over {whose} of {given}"
            f" - shrink the largest ({consumers}) or raise siteforge:{key}.{field}"
        )
