"""What a stack tells of its tenants."""

from collections.abc import Mapping

import pulumi

from siteforge.components.tenant import Tenant


def export(tenants: Mapping[str, Tenant]) -> None:
    """Export `tenants`, by name where and how to reach each, and `adminPasswords`, secret, by name too."""
    pulumi.export(
        "tenants",
        {
            name: {
                "namespace": tenant.namespace,
                "service": tenant.service,
                "url": tenant.url,
                "domains": tenant.domains,
                "reach": tenant.reach,
                "adminUser": tenant.admin_user,
            }
            for name, tenant in tenants.items()
        },
    )
    pulumi.export(
        "adminPasswords", pulumi.Output.secret({name: tenant.admin_password for name, tenant in tenants.items()})
    )
