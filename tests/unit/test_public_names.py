import subprocess
import sys

import pytest

import siteforge
from siteforge.components import tenant, tenant_args


def test_the_public_names_are_these() -> None:
    assert siteforge.__all__ == [
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


def test_each_is_what_its_module_defines_and_is_listed() -> None:
    for name in siteforge.__all__:
        home = tenant if name in ("Tenant", "TenantArgsError") else tenant_args
        assert getattr(siteforge, name) is getattr(home, name)
        assert getattr(siteforge, name).__module__ == home.__name__
        assert name in dir(siteforge)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Tennant'"):
        siteforge.Tennant  # noqa: B018


def test_only_a_component_imports_pulumi() -> None:
    code = "import sys, siteforge; print('pulumi' in sys.modules); siteforge.Tenant; print('pulumi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
