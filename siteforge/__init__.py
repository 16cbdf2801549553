"""Siteforge: an isolated WordPress on Kubernetes for every tenant of a catalogue, kept so by Pulumi."""

from siteforge.components.tenant import (
    AmountsArgs,
    AutoscalingArgs,
    DatabaseArgs,
    MediaVolumeArgs,
    OwnersArgs,
    ResourcesArgs,
    SchedulingArgs,
    Tenant,
    TenantArgs,
    TenantArgsError,
    TolerationArgs,
    VolumeArgs,
    WordPressArgs,
)

__all__ = [
    "AmountsArgs",
    "AutoscalingArgs",
    "DatabaseArgs",
    "MediaVolumeArgs",
    "OwnersArgs",
    "ResourcesArgs",
    "SchedulingArgs",
    "Tenant",
    "TenantArgs",
    "TenantArgsError",
    "TolerationArgs",
    "VolumeArgs",
    "WordPressArgs",
]
