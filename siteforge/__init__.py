"""Siteforge: an isolated WordPress on Kubernetes for every tenant of a catalogue, kept so by Pulumi."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from siteforge.components.tenant import Tenant, TenantArgsError
    from siteforge.components.tenant_args import (
        AmountsArgs,
        AutoscalingArgs,
        DatabaseArgs,
        ExternalDatabaseArgs,
        IngressArgs,
        MediaVolumeArgs,
        OwnersArgs,
        PhpArgs,
        ResourcesArgs,
        SchedulingArgs,
        SmtpArgs,
        TenantArgs,
        TlsArgs,
        TolerationArgs,
        VolumeArgs,
        WordPressArgs,
    )

__all__ = [
    "AmountsArgs",
    "AutoscalingArgs",
    "DatabaseArgs",
    "ExternalDatabaseArgs",
    "IngressArgs",
    "MediaVolumeArgs",
    "OwnersArgs",
    "PhpArgs",
    "ResourcesArgs",
    "SchedulingArgs",
    "SmtpArgs",
    "Tenant",
    "TenantArgs",
    "TenantArgsError",
    "TlsArgs",
    "TolerationArgs",
    "VolumeArgs",
    "WordPressArgs",
]


def __getattr__(name: str) -> Any:
    # Pulumi takes a second to import: only who asks for a component waits for it, not the command line.
    if name in __all__:
        home = "tenant" if name in ("Tenant", "TenantArgsError") else "tenant_args"
        return getattr(importlib.import_module(f"siteforge.components.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
