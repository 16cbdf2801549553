"""A run of Pulumi that is confined to some tenants of a stack: what to tell the engine, and what the program does.

Both read the same variable, PULUMI_OPTION_TARGET, which Pulumi takes for `--target`: the program registers
only the tenants that the engine is confined to, and the engine leaves all others as they are. With two
switches there could be a run whose program leaves tenants out while its engine is not confined, and that
would delete them.
"""

import os
from collections.abc import Iterable, Mapping

from siteforge.tenant_spec import TenantSpec

VARIABLE = "PULUMI_OPTION_TARGET"
"""URNs or globs of them, separated by commas."""

MOST = 14
"""Tenants that a confined run can have: their URNs have to fit into one variable, of 128 KiB at most on Linux."""

_TENANT = "siteforge:index:Tenant"

_OBJECTS = {
    "Boundary": {
        "namespace": "core/v1:Namespace",
        "quota": "core/v1:ResourceQuota",
        "limits": "core/v1:LimitRange",
        "network-policy": "networking.k8s.io/v1:NetworkPolicy",
        "owner-role": "rbac.authorization.k8s.io/v1:Role",
        "owner-role-binding": "rbac.authorization.k8s.io/v1:RoleBinding",
    },
    "Database": {
        "database-secret": "core/v1:Secret",
        "database-service-account": "core/v1:ServiceAccount",
        "database-claim": "core/v1:PersistentVolumeClaim",
        "database-service": "core/v1:Service",
        "database-headless-service": "core/v1:Service",
        "database-network-policy": "networking.k8s.io/v1:NetworkPolicy",
        "database-disruption-budget": "policy/v1:PodDisruptionBudget",
        "database-stateful-set": "apps/v1:StatefulSet",
    },
    "WordPress": {
        "wordpress-secret": "core/v1:Secret",
        "wordpress-config-map": "core/v1:ConfigMap",
        "wordpress-service-account": "core/v1:ServiceAccount",
        "wordpress-claim": "core/v1:PersistentVolumeClaim",
        "wordpress-service": "core/v1:Service",
        "wordpress-network-policy": "networking.k8s.io/v1:NetworkPolicy",
        "wordpress-disruption-budget": "policy/v1:PodDisruptionBudget",
        "wordpress-autoscaler": "autoscaling/v2:HorizontalPodAutoscaler",
        "wordpress-deployment": "apps/v1:Deployment",
        "wordpress-cron-job": "batch/v1:CronJob",
        "wordpress-ingress": "networking.k8s.io/v1:Ingress",
        "wordpress-http-route": "gateway.networking.k8s.io/v1:HTTPRoute",
        "wordpress-certificates-network-policy": "networking.k8s.io/v1:NetworkPolicy",
    },
}
"""Every object that a tenant may have, by component: what it no longer has must be a target, too, to be deleted."""


def variable(stack: str, project: str, tenants: Iterable[str]) -> dict[str, str]:
    """The variable that confines a run to some tenants of a stack, those that are no longer listed among them."""
    return {VARIABLE: ",".join(_glob(urn) for tenant in tenants for urn in urns(stack, project, tenant))}


def provider(stack: str, project: str) -> dict[str, str]:
    """The variable that confines a run to the provider, which has to be there before a run can be confined to tenants.

    It can't be a target beside tenants: everything depends on it, and the engine would want to delete whom the
    program leaves out (pkg/resource/deploy, `getTargetDependents`).
    """
    return {VARIABLE: f"urn:pulumi:{stack}::{project}::pulumi:providers:kubernetes::kubernetes"}


def _glob(urn: str) -> str:
    """A glob that matches this URN alone: with a wider one, the tenant `blog` would stand for `blog-database`, too.

    A URN as it is would be an error where the stack doesn't have it, and a tenant has only some of its URNs.
    """
    return urn.replace(":pulumi:", ":pulumi*:", 1)


def urns(stack: str, project: str, tenant: str) -> list[str]:
    """The URNs of all that a tenant may have."""
    start = f"urn:pulumi:{stack}::{project}::{_TENANT}"
    found = [f"{start}::{tenant}"]
    for component, objects in _OBJECTS.items():
        found.append(f"{start}$siteforge:index:{component}::{tenant}-{component.lower()}")
        found += (
            f"{start}$siteforge:index:{component}$kubernetes:{kind}::{tenant}-{role}" for role, kind in objects.items()
        )
    return found


def tenant(urn: str) -> str | None:
    """Whose resource a URN is; None for what is no tenant's."""
    parts = urn.split("::")
    if len(parts) != 4 or not parts[2].startswith(_TENANT):
        return None
    chain, name = parts[2].split("$"), parts[3]
    if len(chain) == 1:
        return name
    component = chain[1].removeprefix("siteforge:index:")
    roles = _OBJECTS.get(component, {}) if len(chain) > 2 else [component.lower()]
    # The tenant `a-database` has a child `a-database-quota`: of the roles that fit, the longest is meant.
    fitting = [role for role in roles if name.endswith(f"-{role}")]
    return name.removesuffix(f"-{max(fitting, key=len)}") if fitting else None


def names(environment: Mapping[str, str] = os.environ) -> set[str]:
    """The tenants that the engine is confined to by name; empty if it isn't."""
    targets = [urn.split("::") for urn in environment.get(VARIABLE, "").split(",")]
    return {parts[3] for parts in targets if len(parts) == 4 and parts[2] == _TENANT}


def confined(specs: list[TenantSpec], environment: Mapping[str, str] = os.environ) -> list[TenantSpec]:
    """The tenants of the run that this is: all of them, unless the engine is confined to some."""
    some = names(environment)
    return [spec for spec in specs if spec.name in some] if some else specs
