"""Siteforge: an isolated WordPress on Kubernetes for every tenant of a catalogue, kept so by Pulumi."""

from siteforge.components.tenant import (
    AmountsArgs,
    DatabaseArgs,
    MediaVolumeArgs,
    OwnersArgs,
    ResourcesArgs,
    Tenant,
    TenantArgs,
    TenantArgsError,
    VolumeArgs,
    WordPressArgs,
)

__all__ = [
    "AmountsArgs",
    "DatabaseArgs",
    "MediaVolumeArgs",
    "OwnersArgs",
    "ResourcesArgs",
    "Tenant",
    "TenantArgs",
    "TenantArgsError",
    "VolumeArgs",
    "WordPressArgs",
]
