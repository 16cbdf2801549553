"""Credentials for tests of what is computed from them."""

from siteforge import secrets
from siteforge.secrets import Credentials


def some(tenant: str = "blog-aku") -> Credentials:
    """Those of a tenant, of a secret of the tests."""
    return secrets.derive("a secret of the tests, long enough to be one", tenant)
