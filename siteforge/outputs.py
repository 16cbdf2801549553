"""What a stack tells of its tenants."""

import time
from collections.abc import Mapping
from typing import Any, Final

import pulumi

from siteforge.components.tenant import Tenant
from siteforge.errors import EngineError

_PAUSES_SECONDS: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Before each further attempt."""


def export(tenants: Mapping[str, Tenant], others: Mapping[str, Any], cluster: str) -> None:
    """Export what is known of all tenants of the stack.

    That is `tenants`, by name where and how to reach each, how it is meant to be and what of it can't be changed;
    `adminPasswords`, secret, by name too; and `cluster`, the cluster's identity.

    Args:
        tenants: those that this run is about.
        others: the same outputs as they were, of tenants that it leaves as they are.
        cluster: the cluster's identity; empty for none.
    """
    pulumi.export(
        "tenants",
        {
            **others.get("tenants", {}),
        }
        | {
            name: {
                "namespace": tenant.namespace,
                "service": tenant.service,
                "url": tenant.url,
                "domains": tenant.domains,
                "reach": tenant.reach,
                "adminUser": tenant.admin_user,
                "images": tenant.images,
                "suspended": tenant.suspended,
                "deletionProtection": tenant.deletion_protection,
                "volumes": tenant.volumes,
            }
            for name, tenant in tenants.items()
        },
    )
    passwords = {name: tenant.admin_password for name, tenant in tenants.items()}
    pulumi.export("adminPasswords", pulumi.Output.secret({**others.get("adminPasswords", {}), **passwords}))
    if cluster:
        pulumi.export("cluster", cluster)


def previous() -> dict[str, Any]:
    """What the stack told after its last run; nothing before the first.

    Read from the state: a refresh of the run that this is leaves it as it is.

    Raises:
        EngineError: the state can't be read.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    pauses = iter(_PAUSES_SECONDS)
    while True:
        try:
            told = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name}).value or {}
            return dict(told.get("outputs") or {})
        except Exception as error:  # the SDK raises nothing narrower
            # The engine of this very run may be writing the state: a file backend writes it in place, so that a
            # reader finds it empty or cut off for a moment (pkg/backend/diy/state.go, "failed to load checkpoint").
            if (pause := next(pauses, None)) is None:
                raise EngineError(
                    f"what the stack's last run told can't be read: {error} - is its backend up?"
                ) from None
            time.sleep(pause)
