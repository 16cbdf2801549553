"""What a stack tells of its tenants."""

from collections.abc import Mapping
from typing import Any

import pulumi

from siteforge import targets
from siteforge.components.tenant import Tenant


def export(tenants: Mapping[str, Tenant]) -> None:
    """Export `tenants`, by name where and how to reach each, and `adminPasswords`, secret, by name too.

    A run that is confined to some tenants says of all others what the run before it said.
    """
    said: pulumi.Input[Any] = {
        name: {
            "namespace": tenant.namespace,
            "service": tenant.service,
            "url": tenant.url,
            "domains": tenant.domains,
            "reach": tenant.reach,
            "adminUser": tenant.admin_user,
        }
        for name, tenant in tenants.items()
    }
    passwords: pulumi.Input[Any] = {name: tenant.admin_password for name, tenant in tenants.items()}
    if some := targets.names():
        stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
        before = pulumi.StackReference("before", stack_name=stack)
        said = _with_others(said, before.get_output("tenants"), some)
        passwords = _with_others(passwords, before.get_output("adminPasswords"), some)
    pulumi.export("tenants", said)
    pulumi.export("adminPasswords", pulumi.Output.secret(passwords))


def _with_others(said: pulumi.Input[Any], before: pulumi.Output[Any], some: set[str]) -> pulumi.Output[Any]:
    """What is said now, and what was said before of those whom this run is not about."""
    return pulumi.Output.all(said, before).apply(
        lambda known: {name: value for name, value in (known[1] or {}).items() if name not in some} | known[0]
    )
