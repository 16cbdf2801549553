"""Whether tenants fit their own quotas, and the cluster: arithmetic that is done before anything is made.

A cluster has a budget for what its tenants need: what they request at their fullest (specs/admission.py). The
surge of a rollout counts for every tenant at once, because a change of the stack's image rolls them all at once.

It may have another one for their quotas, which promise more than that: they leave room for a change from any plan
to any other (specs/boundary.py), several times what a tenant ever uses. It is for a cluster where every promise has
to be kept at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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
    known: dict[str, _Admission] = {}
    admitted = {
        tenant.name: known.get(kind := _kind(tenant)) or known.setdefault(kind, _admission(tenant))
        for tenant in tenants
    }
    needs = {name: one.need for name, one in admitted.items()}
    quotas = {name: one.hard for name, one in admitted.items()}
    problems = [
        *(f"{file}: tenant {name}: {text}" for name, one in admitted.items() for text in one.refusals),
        *_over(needs, budget, f"{file}: the catalogue needs", "the cluster budget", "budget"),
        *_over(quotas, budget.quotas, f"{file}: the quotas add up to", "the cluster budget of quotas", "budget.quotas"),
    ]
    if problems:
        raise CapacityError("\n".join(problems))


@dataclass(frozen=True)
class _Admission:
    """What specs/admission.py says of tenants of one kind."""

    need: admission.Amounts
    hard: admission.Amounts
    refusals: tuple[str, ...]


def _admission(tenant: Blueprint) -> _Admission:
    return _Admission(admission.need(tenant), admission.hard(tenant), tuple(admission.refusals(tenant)))


def _kind(tenant: Blueprint) -> str:
    """Told from a tenant's own names, all that it is: a fleet has thousands of tenants, and few kinds of them."""
    return repr(replace(tenant, name="", title="", admin_email="", owners=(), domains=()))


def _over(
    shares: Mapping[str, admission.Amounts], budget: QuotaBudget, said: str, whose: str, key: str
) -> Iterator[str]:
    """Where all tenants together have more of a resource than a budget."""
    for field, (resource, meant) in _RESOURCES.items():
        given = getattr(budget, field)
        if given is None:
            continue
        amounts = {name: share[resource] for name, share in shares.items()}
        total = sum(amounts.values(), Fraction())
        if total <= parse(str(given)):
            continue
        largest = sorted(amounts, key=lambda name: (-amounts[name], name))[:_LARGEST_SHOWN]
        consumers = ", ".join(f"{name} {admission.write(resource, amounts[name])}" for name in largest)
        yield (
            f"{said} {admission.write(resource, total)} {meant}, over {whose} of {given}"
            f" - shrink the largest ({consumers}) or raise siteforge:{key}.{field}"
        )
